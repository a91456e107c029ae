/* feed_facts - what can be told of a feed that was fetched.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FEED_FACTS_H
#define CLI_FEED_FACTS_H

#include "cli/fetch.h"
#include "feed/feed.h"
#include "text/charset.h"

#define WARNINGS_MAX 16

struct facts {
    const struct fetched *got;
    const struct feed *feed;
    const char *asked;
    struct charset_finding charset;
    int64_t now_us;
    size_t dated, future, ancient, linked, relative, identified, repeated; /* entries */
    size_t full, teaser, empty;
    int64_t newest_us, oldest_us; /* FEED_NO_DATE: none */
    size_t *words;                /* of each entry */
    size_t median, total;
    long again;                   /* status of the second, conditional request; 0: not made, -1: it failed */
    int64_t max_age_s;            /* -1: not said */
    char *compression;            /* NULL: none */
    char *hub;                    /* of the feed or of the headers; NULL: none */
    char broken[160];             /* why it is not well-formed; empty: it is */
    char *warnings[WARNINGS_MAX];
    size_t warning_count;
};

/* got, feed and asked are set, and borrowed; the rest follows from them and from asking the publisher once more. Blocks for that. */
void facts_gather (struct facts *self, const struct settings *settings);
void facts_fini (struct facts *self);
int64_t facts_date (const struct feed_entry *entry); /* FEED_NO_DATE: it has none */

#endif
