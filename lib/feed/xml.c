/* xml - RSS, RDF and Atom. libxml2 reads the document, first as it is, then, if it is not well
 * formed, as repair.c rewrites it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/schedule.h"
#include "feed/xml.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What a root element makes of the document; one table below. */
struct format {
    const char *root;
    enum feed_format format;
    const char *entry;
    void (*read) (struct reader *reader, const xmlNode *root);
};

/* ---- what the feed says of itself ---- */

/* value: taken by value, freed if there is one already. */
static void
set_fact (char **slot, char *value)
{
    if (*slot)
        free (value);
    else
        *slot = value;
}

/* Text is the site's page (RSS), href whatever rel says (Atom, also in RSS). */
static void
read_feed_link (const struct reader *reader, const xmlNode *node)
{
    struct feed *feed = reader->feed;
    char *href = value_attribute (node, "href"), *rel = value_attribute (node, "rel");
    char *text = href ? NULL : value_text (node);
    const char *kind = rel && rel[0] ? rel : "alternate";
    char **slot = strcasecmp (kind, "alternate") == 0 ? &feed->link
                  : strcasecmp (kind, "self") == 0    ? &feed->self
                  : strcasecmp (kind, "hub") == 0     ? &feed->hub
                                                      : NULL;
    if (slot)
        set_fact (slot, xml_resolve (reader, node, href ? href : text));
    free (text);
    free (rel);
    free (href);
}

static void
read_language (const struct reader *reader, const xmlNode *node)
{
    char *text = value_text (node);
    set_fact (&reader->feed->language, feed_clean_line (text));
    free (text);
}

static void
read_ttl (const struct reader *reader, const xmlNode *node)
{
    char *text = value_text (node);
    reader->feed->ttl_s = schedule_ttl_s (text);
    free (text);
}

/* Both elements make one figure; whichever comes looks for the other. */
static void
read_update (const struct reader *reader, const xmlNode *node)
{
    char *period = xml_child_text (node->parent, "updatePeriod");
    char *frequency = xml_child_text (node->parent, "updateFrequency");
    reader->feed->update_period_s = schedule_period_s (period, frequency);
    free (frequency);
    free (period);
}

static void
read_skipped (const struct reader *reader, const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next) {
        char *text = n->type == XML_ELEMENT_NODE ? value_text (n) : NULL;
        if (text && xml_is (reader, n, "hour"))
            reader->feed->skip_hours |= schedule_hour_bit (text);
        if (text && xml_is (reader, n, "day"))
            reader->feed->skip_days |= schedule_day_bit (text);
        free (text);
    }
}

static const struct {
    enum xml_ns ns;
    const char *name;
    void (*read) (const struct reader *reader, const xmlNode *node);
} facts[] = {
    { XML_OWN, "link", read_feed_link },
    { XML_NS_ATOM, "link", read_feed_link },
    { XML_OWN, "language", read_language },
    { XML_NS_DC, "language", read_language },
    { XML_OWN, "ttl", read_ttl },
    { XML_OWN, "skipHours", read_skipped },
    { XML_OWN, "skipDays", read_skipped },
    { XML_NS_SYNDICATION, "updatePeriod", read_update },
    { XML_NS_SYNDICATION, "updateFrequency", read_update },
};

/* node: the channel, or Atom's root. */
static void
read_facts (const struct reader *reader, const xmlNode *node)
{
    reader->feed->title = xml_title (reader, node);
    for (const xmlNode *n = node->children; n; n = n->next) {
        const char *name = NULL;
        enum xml_ns ns = n->type == XML_ELEMENT_NODE ? xml_name (reader, n, &name) : 0;
        for (size_t i = 0; i < COUNT_OF (facts) && name; i++)
            if (facts[i].ns == ns && strcasecmp (facts[i].name, name) == 0)
                facts[i].read (reader, n);
    }
    for (; node->type == XML_ELEMENT_NODE; node = node->parent) {
        char *language = value_attribute (node, "lang");
        set_fact (&reader->feed->language, feed_clean_line (language));
        free (language);
    }
}

/* ---- the formats ---- */

static void
read_entries (const struct reader *reader, const xmlNode *node, const char *name)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (xml_is (reader, n, name))
            xml_read_entry (reader, n);
}

/* Items stand in the channel (RSS 0.91 and later) or beside it (RDF, and strays). */
static void
read_channel_feed (struct reader *reader, const xmlNode *root)
{
    const xmlNode *channel = xml_child (reader, root, "channel");
    read_facts (reader, channel ? channel : root);
    for (const xmlNode *n = root->children; n; n = n->next) {
        if (xml_is (reader, n, "channel"))
            read_entries (reader, n, "item");
        else if (xml_is (reader, n, "item"))
            xml_read_entry (reader, n);
    }
}

/* An entry without author has its feed's (RFC 4287, 4.2.1), wherever that stands. */
static void
read_atom_feed (struct reader *reader, const xmlNode *root)
{
    read_facts (reader, root);
    read_entries (reader, root, "entry");
    const xmlNode *author = xml_child (reader, root, "author");
    char *name = author ? xml_person (author) : NULL;
    for (size_t i = 0; i < reader->feed->entry_count && name; i++)
        if (!reader->feed->entries[i].author)
            reader->feed->entries[i].author = mem_dup (name);
    free (name);
}

static const struct format formats[] = {
    { "rss", FEED_RSS, "item", read_channel_feed },
    { "RDF", FEED_RDF, "item", read_channel_feed },
    { "feed", FEED_ATOM, "entry", read_atom_feed },
};

/* Roots are known by their local name, so varied are their namespaces. False if it is none of a feed. */
static bool
find_format (struct reader *reader, const xmlNode *root)
{
    const char *name;
    (void) value_name (root, &name);
    for (size_t i = 0; i < COUNT_OF (formats) && !reader->format; i++)
        if (strcasecmp (formats[i].root, name) == 0) {
            reader->format = &formats[i];
            reader->feed->format = formats[i].format;
        }
    return reader->format;
}

static int
read_root (struct reader *reader, const xmlNode *root, char reason[FEED_REASON_SIZE])
{
    if (!find_format (reader, root)) {
        const char *name;
        (void) value_name (root, &name);
        snprintf (reason, FEED_REASON_SIZE, "its root element is <%.40s>, not one of a feed", name);
        return -EBADMSG;
    }
    reader->format->read (reader, root);
    return 0;
}

/* ---- parsing ---- */

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

/* Whether node, below root, is where entries stand: read_channel_feed and read_atom_feed look there too. */
static bool
is_entry (const struct reader *reader, const xmlNode *node, const xmlNode *root)
{
    const xmlNode *parent = node->parent;
    bool in_channel = parent && parent->parent == root && xml_is (reader, parent, "channel") &&
                      reader->feed->format != FEED_ATOM;
    return (parent == root || in_channel) && xml_is (reader, node, reader->format->entry);
}

static void
free_node (xmlNode *node)
{
    xmlUnlinkNode (node);
    xmlFreeNode (node);
}

/* Entries are read and freed as they end, so that no more than one stands in memory as a tree. */
static void
end_element (void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *ctxt = user;
    struct reader *reader = ctxt->_private;
    xmlNode *node = ctxt->node;
    xmlSAX2EndElementNs (user, local, prefix, uri);
    const xmlNode *root = ctxt->myDoc ? xmlDocGetRootElement (ctxt->myDoc) : NULL;
    if (!node || !root || node == root || !find_format (reader, root) || !is_entry (reader, node, root))
        return;
    xml_read_entry (reader, node);
    free_node (node);
    while (ctxt->node->last && ctxt->node->last->type == XML_TEXT_NODE) /* libxml2 would add to it */
        free_node (ctxt->node->last);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_ptr;
#else
typedef xmlError *error_ptr;
#endif

/* Stops at the first error that makes the document useless. libxml2 would go on, and copies all of
 * a comment for each fault in it. */
static void
stop_at_error (void *user, error_ptr error)
{
    if (error->level == XML_ERR_FATAL)
        xmlStopParser (user);
}

/* libxml2 looks at all the namespaces in scope for each element: so many looks are enough for any feed. */
#define SCOPE_LOOKS_MAX (UINT64_C (1) << 28)

static void
count_looks (void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_count,
             const xmlChar **ns, int attribute_count, int defaulted, const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = user;
    struct reader *reader = ctxt->_private;
    reader->scope_looks += (uint64_t) ctxt->nsNr;
    xmlSAX2StartElementNs (ctxt, name, prefix, uri, ns_count, ns, attribute_count, defaulted, attributes);
    if (reader->scope_looks > SCOPE_LOOKS_MAX)
        xmlStopParser (ctxt);
}

/* What is left of the document when its entries are read, if it is well formed; with XML_PARSE_RECOVER, whatever can be
 * had. */
static xmlDoc *
parse (struct reader *reader, const char *text, size_t bytes, int options)
{
    xmlParserCtxt *ctxt = bytes ? xmlNewParserCtxt () : NULL;
    if (!ctxt)
        return NULL;
    feed_drop_entries (reader->feed); /* of an attempt before */
    reader->format = NULL;
    reader->scope_looks = 0;
    ctxt->_private = reader;
    ctxt->sax->startElementNs = count_looks;
    ctxt->sax->endElementNs = end_element;
    if (!(options & XML_PARSE_RECOVER))
        ctxt->sax->serror = stop_at_error;
    xmlDoc *doc =
        xmlCtxtReadMemory (ctxt, text, (int) bytes, NULL, "UTF-8", PARSE_OPTIONS | options);
    xmlFreeParserCtxt (ctxt);
    return doc;
}

int
xml_parse_feed (struct buf *text, const char *url, struct feed *feed, char reason[FEED_REASON_SIZE])
{
    struct reader reader = { .feed = feed, .url = url };
    struct xml_body body;
    repair_prolog (text->data, text->len, &body);
    xmlDoc *doc = repair_is_due (&body) ? NULL : parse (&reader, body.text, body.bytes, 0);
    if (!doc) {
        struct buf repaired = { 0 };
        repair_xml (&body, &repaired);
        doc = parse (&reader, repaired.data, repaired.len, XML_PARSE_RECOVER);
        buf_fini (&repaired);
    }
    buf_fini (text);
    const xmlNode *root = doc ? xmlDocGetRootElement (doc) : NULL;
    int r = -EBADMSG;
    if (root)
        r = read_root (&reader, root, reason);
    else
        snprintf (reason, FEED_REASON_SIZE, "it is neither XML nor JSON");
    xmlFreeDoc (doc);
    return r;
}
