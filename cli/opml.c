/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/opml.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD_MOST 2048 /* bytes of an address, a title or a tag */
#define TAGS_MOST 64    /* of one feed */
#define DEPTH_MOST 100
#define BLANKS " \t\r\n"

/* ---- values ---- */

static char *
trimmed (const char *text, size_t bytes)
{
    while (bytes && strchr (BLANKS, *text)) {
        text++;
        bytes--;
    }
    while (bytes && strchr (BLANKS, text[bytes - 1]))
        bytes--;
    return utf8_clean (text, bytes, FIELD_MOST);
}

void
opml_add_tag (struct opml_feed *feed, const char *text, size_t bytes)
{
    char *tag = trimmed (text, bytes);
    bool wanted = *tag && feed->tag_count < TAGS_MOST;
    for (size_t i = 0; wanted && i < feed->tag_count; i++)
        wanted = strcmp (feed->tags[i], tag) != 0;
    if (!wanted) {
        free (tag);
        return;
    }
    feed->tags = mem_grow (feed->tags, feed->tag_count + 1, sizeof *feed->tags);
    feed->tags[feed->tag_count++] = tag;
}

struct opml_feed *
opml_add (struct opml *self, const char *url, const char *title)
{
    uint64_t hash = num_hash (url, strlen (url));
    for (size_t i = 0; i < self->count; i++)
        if (self->feeds[i].hash == hash && strcmp (self->feeds[i].url, url) == 0)
            return &self->feeds[i];
    if ((self->count & (self->count - 1)) == 0) /* a power of two is full */
        self->feeds =
            mem_grow (self->feeds, self->count ? self->count * 2 : 1, sizeof *self->feeds);
    struct opml_feed *feed = &self->feeds[self->count++];
    *feed = (struct opml_feed){ .url = mem_dup (url),
                                .hash = hash,
                                .title = title && *title ? mem_dup (title) : NULL };
    return feed;
}

void
opml_fini (struct opml *self)
{
    for (size_t i = 0; i < self->count; i++) {
        for (size_t j = 0; j < self->feeds[i].tag_count; j++)
            free (self->feeds[i].tags[j]);
        free (self->feeds[i].tags);
        free (self->feeds[i].url);
        free (self->feeds[i].title);
    }
    free (self->feeds);
    *self = (struct opml){ 0 };
}

/* ---- reading ---- */

/* Writers disagree on the case of names. given (free); NULL if absent or empty */
static char *
attribute (const xmlNode *node, const char *name)
{
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (strcasecmp ((const char *) at->name, name) == 0) {
            xmlChar *value = xmlNodeListGetString (node->doc, at->children, 1);
            const char *whole = (const char *) value;
            char *text = whole ? trimmed (whole, strlen (whole)) : NULL;
            xmlFree (value);
            if (text && *text)
                return text;
            free (text);
        }
    return NULL;
}

static bool
named (const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcasecmp ((const char *) node->name, name) == 0;
}

static char *
title_of (const xmlNode *node)
{
    char *title = attribute (node, "title");
    return title ? title : attribute (node, "text");
}

/* category="/Boston/Weather,news": slashes set levels apart, commas categories. */
static void
add_categories (struct opml_feed *feed, const char *text)
{
    for (size_t n; *text; text += n + (text[n] != '\0')) {
        n = strcspn (text, ",/");
        opml_add_tag (feed, text, n);
    }
}

struct reader {
    struct opml *opml;
    char *folders[DEPTH_MOST];
    size_t depth;
};

static void
read_feed (struct reader *self, const xmlNode *node, const char *url)
{
    if (strncasecmp (url, "http://", 7) != 0 && strncasecmp (url, "https://", 8) != 0) {
        self->opml->skipped++;
        return;
    }
    char *title = title_of (node), *categories = attribute (node, "category");
    struct opml_feed *feed = opml_add (self->opml, url, title);
    for (size_t i = 0; i < self->depth; i++)
        opml_add_tag (feed, self->folders[i], strlen (self->folders[i]));
    if (categories)
        add_categories (feed, categories);
    free (title);
    free (categories);
}

static int read_outlines (struct reader *self, const xmlNode *parent);

static int
read_outline (struct reader *self, const xmlNode *node)
{
    char *url = attribute (node, "xmlUrl");
    if (url)
        read_feed (self, node, url);
    bool is_feed = url != NULL;
    free (url);
    if (self->opml->count > OPML_FEEDS_MAX)
        return -E2BIG;
    char *folder = is_feed ? NULL : title_of (node);
    if (folder && self->depth == DEPTH_MOST) {
        free (folder);
        return -E2BIG;
    }
    if (folder)
        self->folders[self->depth++] = folder;
    int r = read_outlines (self, node);
    if (folder)
        free (self->folders[--self->depth]);
    return r;
}

static int
read_outlines (struct reader *self, const xmlNode *parent)
{
    int r = 0;
    for (const xmlNode *node = parent->children; node && r == 0; node = node->next)
        if (named (node, "outline"))
            r = read_outline (self, node);
    return r;
}

static int
read_document (const xmlDoc *document, struct opml *opml, char reason[OPML_REASON_SIZE])
{
    const xmlNode *root = xmlDocGetRootElement ((xmlDoc *)(uintptr_t) document);
    if (!root || !named (root, "opml")) {
        snprintf (reason, OPML_REASON_SIZE, "not OPML: the document begins with <%.40s>",
                  root ? (const char *) root->name : "nothing");
        return -EBADMSG;
    }
    if (document->intSubset && document->intSubset->entities) {
        snprintf (reason, OPML_REASON_SIZE, "refused: it declares entities of its own");
        return -EBADMSG;
    }
    struct reader reader = { .opml = opml };
    int r = 0;
    for (const xmlNode *node = root->children; node && r == 0; node = node->next)
        if (named (node, "body"))
            r = read_outlines (&reader, node);
    if (r < 0)
        snprintf (reason, OPML_REASON_SIZE, "too many feeds, or folders too deep");
    return r;
}

int
opml_parse (const char *data, size_t bytes, struct opml *ret_opml, char reason[OPML_REASON_SIZE])
{
    if (bytes > OPML_BYTES_MAX) {
        snprintf (reason, OPML_REASON_SIZE, "larger than %zu MiB", OPML_BYTES_MAX >> 20);
        return -E2BIG;
    }
    xmlDoc *document = xmlReadMemory (data, (int) bytes, "opml", NULL,
                                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING
                                          | XML_PARSE_NOCDATA);
    if (!document) {
        const xmlError *error = xmlGetLastError ();
        snprintf (reason, OPML_REASON_SIZE, "not well-formed XML: line %d: %.120s",
                  error ? error->line : 0, error && error->message ? error->message : "unknown");
        reason[strcspn (reason, "\n")] = '\0';
        return -EBADMSG;
    }
    struct opml opml = { 0 };
    int r = read_document (document, &opml, reason);
    xmlFreeDoc (document);
    if (r < 0)
        opml_fini (&opml);
    else
        *ret_opml = opml;
    return r;
}

/* ---- writing ---- */

#define X(text) ((const xmlChar *)(text))

/* libxml2 writes what it is given: only what XML can carry may go in. given (free) */
static char *
xml_text (const char *text)
{
    char *clean = utf8_clean (text, strlen (text), 0);
    for (char *p = clean; *p; p++)
        if ((unsigned char) *p < 0x20)
            *p = ' ';
    return clean;
}

static void
set (xmlNode *node, const char *name, const char *value)
{
    char *text = xml_text (value);
    xmlNewProp (node, X (name), X (text));
    free (text);
}

static xmlNode *
folder_of (xmlNode *parent, const char *name)
{
    char *wanted = xml_text (name);
    xmlNode *found = NULL;
    for (xmlNode *node = parent->children; node && !found; node = node->next) {
        xmlChar *text = xmlHasProp (node, X ("xmlUrl")) ? NULL : xmlGetProp (node, X ("text"));
        if (text && strcmp ((const char *) text, wanted) == 0)
            found = node;
        xmlFree (text);
    }
    if (!found) {
        found = xmlNewChild (parent, NULL, X ("outline"), NULL);
        xmlNewProp (found, X ("text"), X (wanted));
    }
    free (wanted);
    return found;
}

static void
write_feed (xmlNode *body, const struct opml_feed *feed)
{
    const char *title = feed->title ? feed->title : feed->url;
    xmlNode *parent = body;
    for (size_t i = 0; i < feed->tag_count; i++)
        parent = folder_of (parent, feed->tags[i]);
    xmlNode *node = xmlNewChild (parent, NULL, X ("outline"), NULL);
    set (node, "type", "rss");
    set (node, "text", title);
    if (feed->title)
        set (node, "title", title);
    set (node, "xmlUrl", feed->url);
}

char *
opml_format (const struct opml *self, const char *title)
{
    xmlDoc *document = xmlNewDoc (X ("1.0"));
    xmlNode *root = xmlNewNode (NULL, X ("opml"));
    xmlDocSetRootElement (document, root);
    xmlNewProp (root, X ("version"), X ("2.0"));
    xmlNode *head = xmlNewChild (root, NULL, X ("head"), NULL);
    char *text = xml_text (title);
    xmlNewTextChild (head, NULL, X ("title"), X (text));
    free (text);
    xmlNode *body = xmlNewChild (root, NULL, X ("body"), NULL);
    for (size_t i = 0; i < self->count; i++)
        write_feed (body, &self->feeds[i]);
    xmlChar *bytes = NULL;
    int size = 0;
    xmlDocDumpFormatMemoryEnc (document, &bytes, &size, "UTF-8", 1);
    xmlFreeDoc (document);
    char *out = mem_copy (bytes, size > 0 ? (size_t) size : 0);
    xmlFree (bytes);
    return out;
}
