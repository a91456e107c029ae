/* impl - what the files of the feed reader share. Not for others: the contract is feed.h.
 * The journey of a document: text/charset makes it UTF-8, repair.c cuts the prolog off and, if need
 * be, makes it well formed, xml.c with entry.c, or json.c, reads it, with value.c for texts and date.c for dates.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_IMPL_H
#define FEED_IMPL_H

#include "feed/feed.h"
#include "feed/repair.h"
#include "text/url.h"

#include <libxml/tree.h>

/* ---- feed.c ---- */

/* A new empty entry at the end, or NULL past FEED_ENTRIES_MAX. Borrowed; moves with the next call.
 */
struct feed_entry *feed_add_entry (struct feed *feed);
void feed_drop_entries (struct feed *feed);
/* category: borrowed. Empty ones, repeated ones and those past FEED_CATEGORIES_MAX are dropped. */
void feed_entry_add_category (struct feed_entry *entry, const char *category);
/* text: borrowed. Trimmed, valid, at most FEED_FIELD_MAX bytes; NULL if nothing is left. given
 * (free) */
char *feed_clean_text (const char *text);
/* As feed_clean_text, with white space squashed. given (free) */
char *feed_clean_line (const char *text);
/* HTML as a line of text; what has nothing but tags stays as it is. given (free), or NULL */
char *feed_clean_title (const char *text);
/* The title of an RSS item, which is text by the specification and HTML in many feeds: tags say which. References alone do
 * not, so they stay. given (free), or NULL */
char *feed_clean_headline (const char *text);
/* "x@y (Name)" and "Name <x@y>" give the name, "x@y" itself. given (free), or NULL */
char *feed_clean_author (const char *text);

/* ---- value.c: what an XML element holds ---- */

/* The namespaces that mean something here; all spellings of one are one. */
enum xml_ns {
    XML_NS_OTHER,
    XML_NS_NONE, /* no namespace: the format's own */
    XML_NS_RSS,
    XML_NS_RDF,
    XML_NS_ATOM,
    XML_NS_DC,
    XML_NS_DCTERMS,
    XML_NS_CONTENT,
    XML_NS_SYNDICATION,
    XML_NS_ITUNES,
    XML_NS_PLAY,   /* podcasts of Google Play */
    XML_NS_GOOGLE, /* Google Base, Merchant Center */
    XML_NS_MEDIA,
    XML_NS_XHTML,
    XML_NS_XML,
};

/* The element's namespace and local name; guesses by the prefix where that was never declared. */
enum xml_ns value_name (const xmlNode *node, const char **ret_local);
/* An attribute by local name, in whatever namespace. given (free), or NULL */
char *value_attribute (const xmlNode *node, const char *name);
/* The base for relative links within node: xml:base of its ancestors over document_base. given
 * (free), or NULL */
char *value_base (const xmlNode *node, const char *document_base);
char *value_text (const xmlNode *node); /* all character data within. given (free) */
char *value_markup (
    const xmlNode *node); /* what is within as markup; plain text stays as it is. given (free) */
bool value_has_elements (const xmlNode *node);

enum value_kind { VALUE_PLAIN, VALUE_HTML };
/* An Atom text construct or content, both versions. given (free), or NULL */
char *value_construct (const xmlNode *node, enum value_kind *ret_kind);

/* ---- the formats ---- */

/* text: UTF-8; emptied (buf_fini) as soon as it is read. 0 or -EBADMSG with a reason. */
MUST_CHECK int xml_parse_feed (struct buf *text, const char *url, struct feed *feed,
                               char reason[FEED_REASON_SIZE]);
/* text: UTF-8. Likewise. */
MUST_CHECK int json_parse_feed (const char *text, size_t bytes, const char *url, struct feed *feed,
                                char reason[FEED_REASON_SIZE]);

#endif
