/* feed - reads RSS 0.9x/2.0, RSS 1.0 (RDF), Atom 0.3/1.0 and JSON Feed 1.x into one shape.
 * Bytes in, values out: no network, no clock, no log. What it reads is hostile.
 * RSS 2.0: rssboard.org/rss-specification; RSS 1.0: web.resource.org/rss/1.0/spec; Atom: RFC 4287;
 * JSON Feed: jsonfeed.org/version/1.1.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_FEED_H
#define FEED_FEED_H

#include "base/base.h"

enum feed_format { FEED_NONE, FEED_RSS, FEED_RDF, FEED_ATOM, FEED_JSON };

#define FEED_NO_DATE INT64_MIN
#define FEED_ENTRIES_MAX 10000 /* entries kept of one document */
#define FEED_FIELD_MAX (2u << 20) /* bytes kept of one field */
#define FEED_CATEGORIES_MAX 200 /* categories kept of one entry */
#define FEED_DOCUMENT_MAX (64u << 20) /* longer documents are refused */

/* All text is valid UTF-8 without U+0000; a pointer is NULL where the feed has nothing. */
struct feed_entry {
    char *title;             /* plain text */
    char *url;               /* absolute where a base was known */
    char *id;                /* guid, atom:id, JSON id, rdf:about */
    int64_t published_us;    /* wall clock, or FEED_NO_DATE */
    int64_t updated_us;      /* likewise */
    char *author;
    char *summary;           /* as the feed has it: HTML or text */
    char *content;           /* likewise; the full content where the feed carries it */
    char **categories;
    size_t category_count;
};

/* What the feed says of itself. When to ask again: RSS 2.0 has ttl, skipHours and skipDays, the syndication module
 * (web.resource.org/rss/1.0/modules/syndication) has updatePeriod and updateFrequency. */
struct feed {
    enum feed_format format;
    char *title;
    char *link;                /* the site's page; absolute where a base was known */
    char *language;            /* as the feed has it: "en-us", "de" */
    char *hub;                 /* WebSub (w3.org/TR/websub): whom to subscribe with; the first one named */
    char *self;                /* the feed's own address, WebSub's topic */
    uint32_t ttl_s;            /* how long its cache is fresh; 0: unknown */
    uint32_t update_period_s;  /* how often it changes; 0: unknown */
    uint32_t skip_hours;       /* bit n: nobody needs to ask between n:00 and n:59 GMT */
    uint8_t skip_days;         /* bit n: likewise all day, GMT; bit 0 is Sunday */
    struct feed_entry *entries;
    size_t entry_count;
};

/* What HTTP said of the document; NULL where nothing is known. */
struct feed_hints {
    const char *url;          /* base for relative links */
    const char *content_type; /* for its charset */
};

/* data, hints: borrowed (hints may be NULL). *ret_feed: given (feed_destroy). ret_reason: why not, for people.
 * 0; -EBADMSG when it is no feed, -E2BIG past a limit. No I/O; never blocks. */
#define FEED_REASON_SIZE 160
MUST_CHECK int feed_parse (const char *data, size_t bytes, const struct feed_hints *hints,
                           struct feed **ret_feed, char ret_reason[FEED_REASON_SIZE]);
void feed_destroy (struct feed **feed);
const char *feed_format_name (enum feed_format format); /* "rss", "rdf", "atom", "json" */

#endif
