/* feed_find - the feeds of an address: of itself, of what its page names, or of the places where feeds usually are. Each is
 * fetched and read before it counts.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FEED_FIND_H
#define CLI_FEED_FIND_H

#include "conf/conf.h"
#include "feed/feed.h"

struct found_feed {
    char *url;
    char *title; /* NULL if it has none */
    enum feed_format format;
    size_t entries;
    int64_t newest_us; /* FEED_NO_DATE: unknown */
    char *mark;        /* what tells it from the same feed in another format */
    char *page;        /* whose feed it says it is; NULL: it does not say */
    bool aside;        /* of comments, of one tag, of one author */
};

#define FOUND_REASON_SIZE 512
struct found {
    struct found_feed *feeds; /* in the order they were named */
    size_t count;
    const struct found_feed *best; /* NULL: none, or several as good */
    char reason[FOUND_REASON_SIZE]; /* why there is none */
};

/* address: of a feed or a page, with or without https://. ret_found: given (found_fini). Blocks for the network. */
void feed_find (const struct settings *settings, const char *address, struct found *ret_found);
/* The same for a page that was fetched already. html: as it came. */
void feed_find_on_page (const struct settings *settings, const char *url, const char *content_type, const struct buf *html,
                        struct found *found);
void found_fini (struct found *found);
/* Newest date of a feed, or FEED_NO_DATE. */
int64_t feed_newest_us (const struct feed *feed);

#endif
