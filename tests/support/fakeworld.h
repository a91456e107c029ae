/* fakeworld - one process that is a news site and a model server, for the system tests and the
 * benchmark. What is between its files; the addresses it serves stand in fakeworld.c.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef SUPPORT_FAKEWORLD_H
#define SUPPORT_FAKEWORLD_H

#include "demo/markup.h"
#include "demo/serve.h"

#define WORLD_DELAY_MAX_MS 3600000

struct world_settings {
    int64_t port, any_address, feeds, articles, words, dimensions, seed;
    int64_t chat_ms, chat_item_ms, embed_ms, embed_item_ms; /* a call's and an item's delay */
    int64_t feed_ms;                                        /* a publisher's answer's */
    int64_t feed_most;                                      /* newest articles that a feed shows */
};

enum target { TARGET_CHAT, TARGET_EMBED, TARGETS };

struct world;

/* ---- news: articles and the feeds they stand in ---- */

#define NEWS_FEEDS_MAX 9999 /* what a mark word can number */
#define NEWS_ARTICLES_MAX 9999
#define NEWS_MARK_SIZE 16 /* mark0001x0042 */

struct article {
    char mark[NEWS_MARK_SIZE]; /* stands in title and text, and nowhere else in the world */
    char *id, *url, *title, *html;
    const char *author;
    const char *categories[2];
    int64_t published_s;
    uint64_t tries[TARGETS], answers[TARGETS]; /* by target: calls that held it; those whose work was done */
};

struct feed {
    struct article *articles; /* oldest first */
    size_t count, cap;
    int64_t changed_s;
    struct serve_page pages[MARKUP_FORMATS]; /* written when first asked for */
};

struct news {
    struct feed *feeds;
    size_t feed_count;
    uint64_t seed;
    size_t words, feed_most;
    int64_t start_s;
    char *base_url;
};

void news_init (struct news *news, const struct world_settings *settings, uint16_t port);
void news_fini (struct news *news);
/* Adds articles dated now. 0, or -EINVAL past NEWS_ARTICLES_MAX or without such a feed. */
MUST_CHECK int news_publish (struct news *news, size_t feed_number, size_t count);
/* The article whose mark is the first in the text, or NULL. */
struct article *news_find (struct news *news, const char *text, size_t bytes);

/* English-like text out of a list of words, the same for the same seed. */
void prose_add_html (struct buf *out, uint64_t seed, size_t words, const char *mark);
void prose_add_title (struct buf *out, uint64_t seed, const char *mark);
const char *prose_author (uint64_t seed);
const char *prose_category (uint64_t seed);
uint64_t prose_random (uint64_t *state);

/* ---- rules: which calls of the model go wrong, and how ---- */

enum fault {
    FAULT_NONE,
    FAULT_STATUS,     /* a status and a body of its own, without any work */
    FAULT_COUNT,      /* the last item is missing */
    FAULT_IDS,        /* ids or indexes nobody asked about */
    FAULT_DIMENSIONS, /* vectors half as long */
    FAULT_NAN,        /* a vector that holds no number */
    FAULT_TRUNCATED,  /* the answer breaks off, as said by its finish_reason */
    FAULT_STALL,      /* a right answer after a minute */
    FAULT_DRIP,       /* a right answer, a byte a second */
    FAULT_CUT,        /* the work is done and the connection closed */
    FAULT_TORN,       /* likewise, in the middle of the answer */
    FAULT_SHUFFLED,   /* right, in another order */
    FAULT_UNPRICED,   /* right, with no word of the cost */
};

#define RULE_MARK_SIZE 64
#define RULES_MAX 32

struct rule {
    enum fault fault;
    unsigned int status;       /* with FAULT_STATUS */
    const char *body;          /* likewise; NULL: an error in OpenAI's shape */
    int64_t left;              /* calls; -1: for ever */
    int64_t retry_after_s;     /* -1: not said */
    char mark[RULE_MARK_SIZE]; /* "": any call */
};

struct rules {
    struct rule items[RULES_MAX]; /* the first that fits a call is used */
    size_t count;
};

/* count 0: as many as is usual for that mode. 0; -EINVAL for a mode that target doesn't know or one
 * that lacks its mark; -ENOSPC. "off" drops all rules. */
MUST_CHECK int rules_add (struct rules *rules, enum target target, const char *mode, int64_t count,
                          int64_t retry_after_s, const char *mark);
/* Uses up one call of the first rule that fits. */
struct rule rules_take (struct rules *rules, const char *body, size_t bytes);

/* ---- told: publishers that answer as a test told them ---- */

struct told;
void told_destroy (struct told **told); /* all of them */

/* ---- the world ---- */

#define WORLD_ADDRESSES 256 /* 127.0.0.0 to 127.0.0.255 */

#define CALLS_MAX 1000

struct call {
    int64_t at_ms; /* monotonic: when it was whole */
    size_t items;
    bool wrong;    /* a rule hit it */
};

struct stats {
    uint64_t calls[TARGETS], items[TARGETS], wrong[TARGETS];
    struct call log[TARGETS][CALLS_MAX]; /* the first ones */
    uint64_t at_once[TARGETS], max_at_once[TARGETS];
    uint64_t feed_200, feed_304, feed_other;
    uint64_t address_at_once[WORLD_ADDRESSES], max_address_at_once; /* requests to publishers */
    uint64_t feeds_at_once, max_feeds_at_once;
};

struct world {
    struct world_settings settings;
    struct serve *serve;
    struct news news;
    struct rules rules[TARGETS];
    struct stats stats;
    struct buf bomb; /* written when first asked for */
    struct told *told;
};

/* Each answers a request whose path, past its first part, is `rest`. */
typedef void world_handle_fn (struct world *world, struct serve_request *request, const char *rest);

world_handle_fn feeds_on_feed;     /* /feed/ */
world_handle_fn feeds_on_article;  /* /article/ */
world_handle_fn feeds_on_opml;     /* /opml */
world_handle_fn feeds_on_redirect; /* /redirect/ */
world_handle_fn bad_on_feed;       /* /bad/ */
world_handle_fn told_on_feed;      /* /told/ */
world_handle_fn told_on_tell;      /* /admin/tell */
world_handle_fn told_on_asked;     /* /admin/asked */
world_handle_fn admin_on_request;  /* /admin/ */
world_handle_fn model_on_chat;     /* /v1/chat/completions */
world_handle_fn model_on_embed;    /* /v1/embeddings */

/* A body of which a byte comes every drip_ms, or all at once if that is 0; torn: only half of it comes, then the
 * connection is closed. body: taken. given (MHD_destroy_response) */
struct MHD_Response *drip_response (const struct serve_request *request, struct buf *body, int64_t drip_ms,
                                    bool torn);

/* A gzip file of an RSS feed with `blanks` blanks in the middle. */
void bomb_build (struct buf *out, size_t blanks);

/* {"error": {"message", "type", "code"}}, as model servers write it. */
void world_answer_error (struct serve_request *request, unsigned int status, const char *message);
void world_answer_json (struct serve_request *request, unsigned int status, struct buf *body);

#endif
