/* fetcher - the state of the process and what its files do for each other.
 *   main.c      ticks, runs, the loop of fetching
 *   entry.c     an entry of a feed becomes an article: its text, title, address and keys
 *   intake.c    the new ones become rows, in one transaction with the source's cursor
 *   dispatch.c  rows become messages, within the window
 *   identity.c  what makes an article the same
 *   websub.c    subscriptions at the hubs that feeds name
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

/* ---- entry.c ---- */

#define ENTRY_KEYS_MAX 3
/* An article as the ledger takes it in: all texts clean UTF-8. */
struct entry {
    char *keys[ENTRY_KEYS_MAX]; /* what makes it the same as another; the first is the surest */
    size_t key_count;           /* at least 1 */
    char *url, *title, *author, *content; /* author: may be empty, the others not */
    int64_t published_us;       /* 0: unknown */
};
/* 0, or -ENODATA if there are no words in it. *ret is to be ended by entry_fini. */
MUST_CHECK int entry_init (struct entry *ret, int64_t source_id, const struct feed *feed, const struct feed_entry *from);
void entry_fini (struct entry *entry);

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

/* ---- websub.c ---- */

void websub_start (struct fetcher *self); /* from then on hubs are asked when it is time; nothing without websub.callback */
/* A feed was read: notes the hub that it, or the answer it came in, names. Blocks for the database. */
void websub_seen (struct fetcher *self, int64_t source_id, const struct feed *feed, const struct http_response *response);

/* ---- dispatch.c ---- */

void dispatch_turn (struct fetcher *self);           /* leases pending articles as far as the window allows, and sends them */
void dispatch_release_expired (struct fetcher *self);

/* ---- identity.c ---- */

/* Host, port if special, path and query without tracking parameters; no scheme, no fragment. NULL when url is no http(s)
 * address. given (free) */
char *identity_of_url (const char *url);

#endif
