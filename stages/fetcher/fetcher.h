/* fetcher - the state of the process and what its files do for each other.
 *   main.c      ticks, runs, the loop of fetching
 *   intake.c    a parsed feed becomes rows, in one transaction with the source's cursor
 *   dispatch.c  rows become messages, within the window
 *   identity.c  what makes an article the same
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FETCHER_FETCHER_H
#define FETCHER_FETCHER_H

#include "db/db.h"
#include "feed/feed.h"
#include "http/http.h"
#include "stage/stage.h"

struct fetcher {
    struct stage *stage;
    struct db *db;
    struct http *http;
    bool active;             /* a run is open */
    int64_t halted_until_ms; /* the model refused: nothing is dispatched; the collector repeats it while it holds */
    char run[UUID_TEXT_SIZE];
    struct uuid run_id;
    size_t fetching;
    uint64_t fetched, dispatched;
};

/* A claimed source while it is fetched. */
struct fetch {
    struct fetcher *fetcher;
    char run[UUID_TEXT_SIZE];
    int64_t source_id, body_hash, failures;
    char *url, *title, *etag, *last_modified;
};

/* ---- intake.c ---- */

/* What fetching a source came to. */
struct catch {
    long status;
    int64_t duration_ms;
    size_t bytes;
    const char *error;                  /* NULL: it was read */
    int64_t retry_after_ms;             /* -1: none */
    bool unchanged;
    const char *etag, *last_modified;   /* NULL: not said */
    int64_t body_hash;
    const struct feed *feed;            /* NULL when unchanged or failed */
};
/* Commits all of it, or nothing. *ret_new: articles taken in. 0 or -EIO (logged). Blocks for the database. */
MUST_CHECK int intake_commit (struct fetch *fetch, const struct catch *caught, int64_t *ret_new);

/* ---- dispatch.c ---- */

void dispatch_turn (struct fetcher *self);           /* leases pending articles as far as the window allows, and sends them */
void dispatch_release_expired (struct fetcher *self);

/* ---- identity.c ---- */

/* Host, port if special, path and query without tracking parameters; no scheme, no fragment. NULL when url is no http(s)
 * address. given (free) */
char *identity_of_url (const char *url);

#endif
