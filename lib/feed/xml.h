/* xml - what the readers of XML feeds share: xml.c reads the document and what the feed says of itself, entry.c its entries.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_XML_H
#define FEED_XML_H

#include "feed/impl.h"

struct reader {
    struct feed *feed;
    const char *url; /* of the document; may be NULL */
    const struct format *format; /* NULL until known */
    uint64_t scope_looks; /* of libxml2, at namespaces in scope */
};

#define XML_OWN XML_NS_NONE /* the format's own elements: its namespaces are mapped to none (xml_name) */

/* An element's name with the format's own namespaces mapped to none. */
enum xml_ns xml_name (const struct reader *reader, const xmlNode *node, const char **ret_local);
bool xml_is (const struct reader *reader, const xmlNode *node, const char *name); /* an element of the format's own */
const xmlNode *xml_child (const struct reader *reader, const xmlNode *node, const char *name); /* the first such, or NULL */
char *xml_child_text (const xmlNode *node, const char *name); /* of whatever namespace. given (free), or NULL */
char *xml_resolve (const struct reader *reader, const xmlNode *node, const char *reference); /* against its base. given (free), or NULL */
char *xml_person (const xmlNode *node); /* the name. given (free), or NULL */
void xml_read_entry (const struct reader *reader, const xmlNode *node); /* adds it to the feed, unless that is full */
char *xml_title (const struct reader *reader, const xmlNode *node); /* of a feed. given (free), or NULL */

#endif
