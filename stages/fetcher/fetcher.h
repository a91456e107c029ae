/* fetcher - the state of the process and what its files do for each other.
 *   main.c      ticks, runs, the loop of fetching
 *   entry.c     an entry of a feed becomes an article: its text, title, address and keys
 *   intake.c    the new ones become rows, in one transaction with the source's cursor
 *   page.c      pages behind teasers
 *   print.c     what tells that two texts are the same
 *   story.c     articles that tell the same
 *   dispatch.c  rows become messages, within the window
 *   identity.c  what makes an article the same
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FETCHER_FETCHER_H
#define FETCHER_FETCHER_H

#include "db/db.h"
#include "feed/feed.h"
#include "http/http.h"
#include "stage/stage.h"
#include "text/similarity.h"

struct fetcher {
    struct stage *stage;
    struct db *db;
    struct http *http;
    bool active;             /* a run is open */
    int64_t halted_until_ms; /* the model refused: nothing is dispatched; the collector repeats it while it holds */
    char run[UUID_TEXT_SIZE];
    struct uuid run_id;
    size_t fetching, paging;  /* feeds and pages under way */
    bool pages_due;           /* there may be pages to fetch */
    bool unlinked;            /* there may be articles that are in no story yet */
    int64_t forget_at_ms;     /* when old prints go */
    uint64_t fetched, pages, dispatched;
};

/* A claimed source while it is fetched. */
struct fetch {
    struct fetcher *fetcher;
    char run[UUID_TEXT_SIZE];
    int64_t source_id, body_hash, failures;
    char *url, *title, *etag, *last_modified;
    size_t teaser_words;      /* shorter texts are teasers: their page is fetched */
};

/* ---- print.c ---- */

/* What tells that two texts are the same, or alike. */
struct print {
    size_t words;
    int64_t hash;     /* of the text; if it is short, of title and text */
    bool has_bands;
    int64_t bands[SIMILARITY_BANDS];
};
void print_init (struct print *ret, const char *title, const char *text);
void print_write_bands (struct buf *out, const struct print *print); /* as a BIGINT[] in text; nothing if it has none */

/* ---- story.c ---- */

/* Links what the run took in to stories, in turns of the loop; forgets prints whose time is over. */
void story_begin (struct fetcher *self);

/* ---- page.c ---- */

void page_turn (struct fetcher *self); /* fetches the pages that are due, as far as there is room */

/* ---- entry.c ---- */

#define ENTRY_KEYS_MAX 3
#define IDENTITY_MAX 2000     /* bytes: B-tree entries are bounded; a longer key is replaced by its hash */
#define ARTICLE_CONTENT_MAX (1u << 20) /* bytes kept of a text */
/* An article as the ledger takes it in: all texts clean UTF-8. */
struct entry {
    char *keys[ENTRY_KEYS_MAX]; /* what makes it the same as another; the first is the surest */
    size_t key_count;           /* at least 1 */
    char *url, *title, *author, *content; /* author: may be empty, the others not */
    int64_t published_us;       /* 0: unknown */
    bool wants_page;            /* the feed has a teaser only */
    int64_t replaces;           /* work of which it is a newer version, 0: none */
    int64_t feed_hash;          /* of the text in the feed */
    struct print print;
};
/* 0, or -ENODATA if there are no words in it. *ret is to be ended by entry_fini. */
MUST_CHECK int entry_init (struct entry *ret, const struct fetch *fetch, const struct feed_entry *from);
void entry_fini (struct entry *entry);
/* 0 for what can be no article's date: before 1970, or more than a day ahead. A wrong date is worse than none. */
int64_t entry_date (int64_t date_us);

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

/* Host without www, m, mobile, amp; port if special; path without AMP's marks, default page and last slash; query without
 * what only tracks. No scheme, no fragment. NULL when url is no http(s) address. given (free) */
char *identity_of_url (const char *url);
char *identity_of_site (const char *url); /* its host and port part alone. Likewise. */
/* A guid that is an address on the source's own site is known by path and query, so that a publisher may move; another is
 * itself. given (free) */
char *identity_of_guid (const char *guid, const char *source_url);

#endif
