/* opml - lists of feeds in OPML 1.0 and 2.0 (opml.org/spec2.opml), the format every reader
 * exports. Folders become tags and back: a feed's tags are the names of the folders it stands
 * in, outermost first, and then its categories. Bytes in, values out: no I/O. What it reads is
 * hostile.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_OPML_H
#define CLI_OPML_H

#include "base/base.h"

struct opml_feed {
    char *url;   /* http or https */
    char *title; /* NULL if it has none */
    char **tags; /* each once */
    size_t tag_count;
};

struct opml {
    struct opml_feed *feeds;
    size_t count;
    size_t skipped;          /* outlines whose address is none of the web's, or that say they are no feed */
    char *skipped_url;       /* of the first of them; NULL: none */
    long skipped_line;
    uint32_t *slots;         /* private: finds a feed by its address */
    size_t slot_count;
};

#define OPML_BYTES_MAX ((size_t) 16 << 20)
#define OPML_FEEDS_MAX 100000
#define OPML_FIELD_MAX 2048 /* bytes of an address, a title or a tag */
#define OPML_TAGS_MAX 64    /* of one feed */
#define OPML_REASON_SIZE 200
/* A feed that stands in several folders comes once, with the tags of all. What is not well-formed XML is repaired where
 * nothing is missing at its end. *ret_opml: given (opml_fini). 0; -EBADMSG: no OPML; -E2BIG. ret_reason: for people, what
 * is wrong and where; after 0 what had to be repaired, or empty. */
MUST_CHECK int opml_parse (const char *data, size_t bytes, struct opml *ret_opml,
                           char ret_reason[OPML_REASON_SIZE]);
void opml_fini (struct opml *opml);
/* Returns the document, feeds sorted by their tags: given (free). What opml_parse makes of it is the same feeds. */
char *opml_format (const struct opml *opml, const char *title);

/* For those who make one by hand. Finds or adds the feed; strings are copied, as one line each. */
struct opml_feed *opml_add (struct opml *opml, const char *url, const char *title);
void opml_add_tag (struct opml_feed *feed, const char *tag, size_t bytes);
/* An address as people and programs write it: "feed://x", "feed:https://x", "//x" are of the web too; blanks and doubly
 * escaped ampersands are put right. given (free), or NULL if it is none of http or https */
char *opml_web_address (const char *text);

#endif
