/* opml - lists of feeds in OPML 1.0 and 2.0 (opml.org/spec2.opml), the format every reader
 * exports. Folders become tags and back: a feed's tags are the names of the folders it stands
 * in, outermost first, and then its categories. Bytes in, values out: no I/O. What it reads is
 * hostile.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_OPML_H
#define CLI_OPML_H

#include "base/base.h"

struct opml_feed {
    char *url;     /* http or https */
    uint64_t hash; /* of url */
    char *title;   /* NULL if it has none */
    char **tags;   /* each once */
    size_t tag_count;
};

struct opml {
    struct opml_feed *feeds;
    size_t count;
    size_t skipped; /* outlines with an address that is neither http nor https */
};

#define OPML_BYTES_MAX ((size_t) 16 << 20)
#define OPML_FEEDS_MAX 20000
#define OPML_REASON_SIZE 200
/* A feed that stands in several folders comes once, with the tags of all. *ret_opml: given
 * (opml_fini). 0; -EBADMSG: no OPML; -E2BIG. ret_reason: for people. */
MUST_CHECK int opml_parse (const char *data, size_t bytes, struct opml *ret_opml,
                           char ret_reason[OPML_REASON_SIZE]);
void opml_fini (struct opml *opml);
/* Returns the document: given (free). */
char *opml_format (const struct opml *opml, const char *title);

/* For those who make one by hand. Finds or adds the feed; strings are copied. */
struct opml_feed *opml_add (struct opml *opml, const char *url, const char *title);
void opml_add_tag (struct opml_feed *feed, const char *tag, size_t bytes);

#endif
