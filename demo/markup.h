/* markup - writes feeds (RSS 2.0, Atom, RSS 1.0, JSON Feed), OPML and escaped text into a buffer.
 * All text is UTF-8. SPDX-License-Identifier: MPL-2.0 */
#ifndef DEMO_MARKUP_H
#define DEMO_MARKUP_H

#include "base/base.h"

enum markup_format { MARKUP_RSS, MARKUP_ATOM, MARKUP_RDF, MARKUP_JSON, MARKUP_FORMATS };

struct markup_entry {
    const char *id, *url, *title, *author;
    const char *summary;           /* plain text; NULL: none */
    const char *html;              /* the full text: well-formed as XML too */
    const char *const *categories; /* ends in NULL */
    int64_t published_s;           /* since 1970 */
};

struct markup_feed {
    const char *title, *home_url, *feed_url, *description;
    const struct markup_entry *entries; /* in the order to be written */
    size_t count;
    int64_t updated_s;
};

void markup_add_feed (struct buf *out, enum markup_format format, const struct markup_feed *feed);
const char *markup_content_type (enum markup_format format);

struct markup_outline {
    const char *title, *feed_url, *home_url;
};

void markup_add_opml (struct buf *out, const char *title, const struct markup_outline *outlines,
                      size_t count);

/* A JSON string with its quotes. */
void markup_add_json (struct buf *out, const char *text);

#endif
