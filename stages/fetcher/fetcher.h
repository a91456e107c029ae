/* fetcher - the state of the process and what its files do for each other.
 *   main.c      ticks, runs, the loop of fetching
 *   entry.c     an entry of a feed becomes an article: its text, title, address and keys
 *   intake.c    the new ones become rows, in one transaction with the source's cursor
 *   page.c      pages behind teasers
 *   print.c     what tells that two texts are the same
 *   story.c     articles that tell the same
 *   hold.c      domains, and the pauses they ask for
 *   settle.c    sources with nothing new, or that failed, are written in groups
 *   challenge.c pages that want a browser
 *   move.c      sources whose address changed for good
 *   schedule.c  when a source is due again
 *   dispatch.c  rows become messages, within the window
 *   identity.c  what makes an article the same
 *   websub.c    subscriptions at the hubs that feeds name
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FETCHER_FETCHER_H
#define FETCHER_FETCHER_H

#include "base/fault.h"
#include "base/history.h"
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
    zlistx_t *fetches, *visits; /* feeds (struct fetch) and pages (struct visit) under way */
    zhashx_t *held;          /* names of held domains */
    int64_t kept_ms;         /* when claims under way were renewed */
    struct settled *settled; /* fetched, and not yet written */
    size_t settled_count;
    bool dispatch_timed, lease_timed; /* their timers are set */
    bool pages_due;          /* there may be pages to fetch */
    bool unlinked;           /* there may be articles that are in no story yet */
    int64_t forget_at_ms;    /* when old prints go */
    uint64_t fetched, pages, dispatched;
};

/* What is known of how often a source is worth asking. */
struct schedule {
    int64_t hint_s;      /* how long the feed says it stays as it is; 0: it does not */
    int64_t gap_s;       /* median between its last entries; 0: unknown */
    uint32_t skip_hours; /* as in struct feed */
    uint8_t skip_days;
};

/* A claimed source while it is fetched. */
struct fetch {
    void *place; /* among those under way */
    struct fetcher *fetcher;
    char run[UUID_TEXT_SIZE];
    struct uuid run_id;
    int64_t source_id, body_hash, failures, moves;
    char *url, *title, *etag, *last_modified, *domain, *user_agent, *moved_to; /* NULL: none known */
    bool is_first;            /* it was never read before */
    struct schedule schedule; /* as the last feed had it */
    size_t teaser_words;      /* shorter texts are teasers: their page is fetched */
};
void fetch_free (struct fetch *fetch);
/* A GET with the settings' limits. All is borrowed; user_agent: NULL for the settings'. */
struct http_request fetch_request (const struct fetcher *self, const char *url, const char *const *headers, const char *user_agent);

/* ---- print.c ---- */

/* Equal for the same text; if that is short, for the same title and text. */
int64_t print_hash (const char *title, const char *text);

/* ---- story.c ---- */

/* Links what the run took in to stories, in turns of the loop; forgets prints whose time is over. */
void story_begin (struct fetcher *self);

/* ---- page.c ---- */

void page_turn (struct fetcher *self); /* fetches the pages that are due, as far as there is room */
/* Those under way: renews the claims on them, or hands them to other fetchers. Block for the database. */
void page_keep (struct fetcher *self);
void page_hand_back (struct fetcher *self);
void page_forget (struct fetcher *self);

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
    int64_t feed_hash;          /* of the text in the feed, as print_hash */
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
    bool gone;                          /* for good, says the error: the source is switched off */
    int64_t retry_after_ms;             /* -1: none */
    int64_t wait_s;                     /* until it is due again; 0: in the next run */
    bool unchanged;
    const char *etag, *last_modified;   /* NULL: not said */
    const char *moved_to;               /* where permanent redirects alone led; NULL: it is where it was */
    int64_t body_hash;
    int64_t fresh_s;                    /* how long the answer says it stays as it is; -1: unknown */
    const struct feed *feed;            /* NULL when unchanged or failed */
};
/* What was read and has a feed. Commits all of it, or nothing. *ret_new: articles taken in. 0 or -EIO (logged). Blocks for the
 * database. */
MUST_CHECK int intake_commit (struct fetch *fetch, const struct catch *caught, int64_t *ret_new);

/* ---- settle.c ---- */

/* A source that has nothing new or that failed; strings of its own, which caught points to. */
struct settled {
    struct fetch *fetch;
    struct catch caught;
    char *error, *etag, *last_modified, *moved_to;
};
/* fetch: taken; caught: borrowed. Written with others a moment later, or by settle_flush. */
void settle_add (struct fetch *fetch, const struct catch *caught);
void settle_flush (struct fetcher *self);  /* one statement; what it cannot write is fetched again. Blocks for the database. */
void settle_forget (struct fetcher *self);
const char *settle_state (const struct catch *caught); /* as "RunSource" has it */

/* ---- hold.c ---- */

/* All of these block for the database and log what they could not write. */
void hold_fill_domains (struct fetcher *self); /* of sources that came since */
/* An answer of 429 or 503 with Retry-After asks for a pause: none of its domain's sources is fetched by anyone for so long. Those
 * under way end. */
void hold_if_asked (struct fetcher *self, const struct http_response *response, const char *reason);
int64_t hold_pause_s (const struct fetcher *self, int64_t retry_after_ms); /* such a pause, within reason; not more than 0: none */
/* Learns which domains are held; their sources that are not under way are no longer part of the run. */
void hold_release (struct fetcher *self);
bool hold_is_on (void *fetcher, const char *domain); /* as of the last hold_release */

/* ---- schedule.c ---- */

/* What a feed says and shows. now_us: entries dated later do not count. */
struct schedule schedule_of_feed (const struct feed *feed, int64_t now_us);
struct schedule_rules {
    bool respect_hints, adaptive;
    int64_t min_s, max_s;
};
/* Seconds until a source that was read is due again; 0: in the next run. fresh_s: -1 is unknown. now_s: since 1970. */
int64_t schedule_wait_s (const struct schedule_rules *rules, const struct schedule *schedule, int64_t fresh_s, int64_t now_s);

enum schedule_failure {
    SCHEDULE_TROUBLE, /* it may pass by itself: no connection, 5xx, no feed */
    SCHEDULE_REFUSAL, /* somebody must do something about it: 401, 403, 404 and their like */
};
enum schedule_failure schedule_failure_of (long status);
/* Seconds until a source that failed `failures` times in a row, this time included, is due again: longer with each, less up to a
 * quarter by chance, so that those that failed together do not come back together. */
int64_t schedule_backoff_s (enum schedule_failure kind, int64_t failures, int64_t most_s, uint64_t chance);

/* ---- move.c ---- */

/* After a reading that was written: if it is one of several in a row at moved_to, that is the source's address from now on, or the
 * source is switched off where another has it. Blocks for the database; logs. */
void move_look (const struct fetch *fetch, const char *moved_to);

/* ---- challenge.c ---- */

/* The service whose page wants a browser to prove itself, or NULL. */
const char *challenge_of (const struct http_response *response);
/* ---- websub.c ---- */

void websub_start (struct fetcher *self); /* from then on hubs are asked when it is time; nothing without websub.callback */
/* A feed was read: notes the hub that it, or the answer it came in, names. Blocks for the database. */
void websub_seen (struct fetcher *self, int64_t source_id, const struct feed *feed, const struct http_response *response);

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
