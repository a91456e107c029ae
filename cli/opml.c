/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/opml.h"
#include "feed/repair.h"
#include "text/charset.h"

#include <errno.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MOST 100
#define BLANKS " \t\r\n"

/* ---- values ---- */

/* One line of what XML can carry, so that it reads back the same. given (free) */
static char *
clean_line (const char *text, size_t bytes)
{
    char *clean = utf8_clean (text, bytes, OPML_FIELD_MAX);
    for (char *p = clean; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            *p = ' ';
        else if (memcmp (p, "\xef\xbf", 2) == 0 && (unsigned char) p[2] >= 0xbe) /* U+FFFE, U+FFFF */
            p[2] = (char) 0xbd;
    size_t start = strspn (clean, BLANKS), end = strlen (clean);
    while (end > start && clean[end - 1] == ' ')
        end--;
    memmove (clean, clean + start, end - start);
    clean[end - start] = '\0';
    return clean;
}

static const char *
skip_reader_scheme (const char *text)
{
    static const char *const schemes[] = { "feed:", "rss:", "pcast:", "podcast:", "itpc:" };
    for (size_t i = 0; i < COUNT_OF (schemes); i++)
        if (strncasecmp (text, schemes[i], strlen (schemes[i])) == 0) {
            text += strlen (schemes[i]);
            return text + (strncasecmp (text, "//http", 6) == 0 ? 2 : 0);
        }
    return text;
}

char *
opml_web_address (const char *text)
{
    struct buf url = { 0 };
    text = skip_reader_scheme (text + strspn (text, BLANKS));
    size_t scheme = strncasecmp (text, "https://", 8) == 0 ? 8 : strncasecmp (text, "http://", 7) == 0 ? 7
                    : strncmp (text, "//", 2) == 0         ? 2 : 0;
    size_t bytes = strlen (text);
    while (bytes && strchr (BLANKS, text[bytes - 1]))
        bytes--;
    bool good = scheme && bytes > scheme && bytes <= OPML_FIELD_MAX && !strchr ("/?#", text[scheme])
                && utf8_valid_bytes (text, bytes) == bytes && !strstr (text, "\xef\xbf\xbe") && !strstr (text, "\xef\xbf\xbf");
    buf_add_str (&url, scheme == 2 ? "http:" : "");
    for (size_t i = 0; i < bytes && good; i++) {
        unsigned char c = (unsigned char) text[i];
        good = c > 0x1f && c != 0x7f && url.len <= OPML_FIELD_MAX;
        if (strchr (" \"<>", c))
            buf_printf (&url, "%%%02X", c);
        else
            buf_add_char (&url, (char) c);
        while (c == '&' && strncmp (text + i + 1, "amp;", 4) == 0) /* escaped once too often */
            i += 4;
    }
    if (good)
        return buf_take (&url);
    buf_fini (&url);
    return NULL;
}

void
opml_add_tag (struct opml_feed *feed, const char *text, size_t bytes)
{
    char *tag = clean_line (text, bytes);
    bool wanted = *tag && feed->tag_count < OPML_TAGS_MAX;
    for (size_t i = 0; wanted && i < feed->tag_count; i++)
        wanted = strcmp (feed->tags[i], tag) != 0;
    if (!wanted) {
        free (tag);
        return;
    }
    feed->tags = mem_grow (feed->tags, feed->tag_count + 1, sizeof *feed->tags);
    feed->tags[feed->tag_count++] = tag;
}

/* ---- feeds by address: open addressing, at most half full; a slot holds the feed's index plus one ---- */

static uint32_t *
find_slot (const struct opml *self, const char *url)
{
    size_t at = (size_t) num_hash (url, strlen (url)) & (self->slot_count - 1);
    while (self->slots[at] && strcmp (self->feeds[self->slots[at] - 1].url, url) != 0)
        at = (at + 1) & (self->slot_count - 1);
    return &self->slots[at];
}

static void
grow (struct opml *self)
{
    size_t most = self->slot_count ? self->slot_count : 8;
    self->feeds = mem_grow (self->feeds, most, sizeof *self->feeds);
    free (self->slots);
    self->slot_count = 2 * most;
    self->slots = mem_alloc (self->slot_count * sizeof *self->slots);
    for (size_t i = 0; i < self->count; i++)
        *find_slot (self, self->feeds[i].url) = (uint32_t) i + 1;
}

struct opml_feed *
opml_add (struct opml *self, const char *url, const char *title)
{
    if (2 * self->count == self->slot_count)
        grow (self);
    uint32_t *slot = find_slot (self, url);
    if (*slot)
        return &self->feeds[*slot - 1];
    struct opml_feed *feed = &self->feeds[self->count++];
    *slot = (uint32_t) self->count;
    *feed = (struct opml_feed){ .url = mem_dup (url), .title = title ? clean_line (title, strlen (title)) : NULL };
    if (feed->title && !*feed->title) {
        free (feed->title);
        feed->title = NULL;
    }
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
    free (self->slots);
    free (self->skipped_url);
    *self = (struct opml){ 0 };
}

/* ---- reading ---- */

/* Writers disagree on the case of names; those of other namespaces are not meant. given (free); NULL if absent or blank */
static char *
attribute (const xmlNode *node, const char *name)
{
    char *text = NULL;
    for (const xmlAttr *at = node->properties; at && !text; at = at->next)
        if (!at->ns && strcasecmp ((const char *) at->name, name) == 0) {
            xmlChar *value = xmlNodeListGetString (node->doc, at->children, 1);
            text = utf8_trim ((const char *) value, 0);
            xmlFree (value);
        }
    return text;
}

static bool
named (const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcasecmp ((const char *) node->name, name) == 0;
}

/* Many writers have no title; those that have nothing to say repeat the address. given (free), or NULL */
static char *
title_of (const xmlNode *node, const char *address)
{
    char *title = attribute (node, "title");
    if (title)
        return title;
    title = attribute (node, "text");
    if (title && address && strcmp (title, address) == 0) {
        free (title);
        title = NULL;
    }
    return title;
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
skip (struct opml *opml, const xmlNode *node, const char *address)
{
    if (!opml->skipped++) {
        opml->skipped_url = clean_line (address, strlen (address));
        opml->skipped_line = xmlGetLineNo (node);
    }
}

static void
read_feed (struct reader *self, const xmlNode *node, const char *address)
{
    char *url = opml_web_address (address), *type = attribute (node, "type");
    bool scraped = type && strchr (type, '+'); /* FreshRSS: "HTML+XPath" and the like name a page to be taken apart */
    if (!url || scraped)
        skip (self->opml, node, address);
    else {
        char *title = title_of (node, address), *categories = attribute (node, "category");
        struct opml_feed *feed = opml_add (self->opml, url, title);
        for (size_t i = 0; i < self->depth; i++)
            opml_add_tag (feed, self->folders[i], strlen (self->folders[i]));
        if (categories)
            add_categories (feed, categories);
        free (title);
        free (categories);
    }
    free (type);
    free (url);
}

static int read_outlines (struct reader *self, const xmlNode *parent);

/* A commented outline takes all below it out (opml.org/spec2.opml, isComment). */
static bool
is_comment (const xmlNode *node)
{
    char *value = attribute (node, "isComment");
    bool comment = value && strcasecmp (value, "true") == 0;
    free (value);
    return comment;
}

static int
read_outline (struct reader *self, const xmlNode *node)
{
    char *address = attribute (node, "xmlUrl");
    if (address)
        read_feed (self, node, address);
    char *folder = address ? NULL : title_of (node, NULL);
    free (address);
    int r = self->opml->count > OPML_FEEDS_MAX || (folder && self->depth == DEPTH_MOST) ? -E2BIG : 0;
    if (r == 0 && folder)
        self->folders[self->depth++] = folder;
    if (r == 0) {
        r = read_outlines (self, node);
        self->depth -= folder != NULL;
    }
    free (folder);
    return r;
}

static int
read_outlines (struct reader *self, const xmlNode *parent)
{
    int r = 0;
    for (const xmlNode *node = parent->children; node && r == 0; node = node->next)
        if (named (node, "outline") && !is_comment (node))
            r = read_outline (self, node);
    return r;
}

/* ---- the document ---- */

/* What people mistake for OPML, and what to do with it. */
static void
tell_other (const char *name, char reason[OPML_REASON_SIZE])
{
    static const struct {
        const char *root, *what;
    } others[] = {
        { "html", "this is a web page" },
        { "rss", "this is a feed itself; `newsmill feed add URL` takes it in" },
        { "feed", "this is a feed itself; `newsmill feed add URL` takes it in" },
        { "rdf", "this is a feed itself; `newsmill feed add URL` takes it in" },
    };
    snprintf (reason, OPML_REASON_SIZE, "not OPML: the document begins with <%.40s>", name);
    for (size_t i = 0; i < COUNT_OF (others); i++)
        if (strcasecmp (name, others[i].root) == 0)
            snprintf (reason, OPML_REASON_SIZE, "not OPML: %s", others[i].what);
}

static int
read_document (const xmlDoc *document, struct opml *opml, char reason[OPML_REASON_SIZE])
{
    const xmlNode *root = xmlDocGetRootElement ((xmlDoc *)(uintptr_t) document);
    if (!root || !named (root, "opml")) {
        tell_other (root ? (const char *) root->name : "nothing", reason);
        return -EBADMSG;
    }
    struct reader reader = { .opml = opml };
    int r = read_outlines (&reader, root); /* some writers leave body out */
    for (const xmlNode *node = root->children; node && r == 0; node = node->next)
        if (named (node, "body"))
            r = read_outlines (&reader, node);
    if (r < 0)
        snprintf (reason, OPML_REASON_SIZE, "more than %d feeds, or folders deeper than %d", OPML_FEEDS_MAX, DEPTH_MOST);
    return r;
}

static xmlDoc *
parse_xml (const struct buf *text)
{
    return xmlReadMemory (text->data, (int) text->len, "opml", "UTF-8",
                          XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
}

/* Whether the last tag is there: what was cut off on its way is no list to go by. */
static bool
is_whole (const struct buf *text)
{
    for (size_t at = text->len; at-- > 0;)
        if (text->data[at] == '<')
            return text->len - at > 6 && strncasecmp (text->data + at, "</opml", 6) == 0;
    return false;
}

/* Tag soup of an otherwise whole document. reason: of the XML parser, already there. */
static xmlDoc *
parse_repaired (const struct buf *text, const struct xml_body *body, char reason[OPML_REASON_SIZE])
{
    xmlDoc *document = NULL;
    struct buf repaired = { 0 };
    char why[OPML_REASON_SIZE - 40];
    const xmlError *error = xmlGetLastError ();
    snprintf (why, sizeof why, "line %d: %.120s", error ? error->line : 0, error && error->message ? error->message : "unknown");
    why[strcspn (why, "\n")] = '\0';
    repair_xml (body, &repaired);
    if (repaired.len)
        document = parse_xml (&repaired);
    const xmlNode *root = document ? xmlDocGetRootElement (document) : NULL;
    bool cut = root && named (root, "opml") && !is_whole (text);
    if (!root || cut) {
        snprintf (reason, OPML_REASON_SIZE, "%s: %s", cut ? "the end is missing" : "not XML", why);
        xmlFreeDoc (document);
        document = NULL;
    } else
        snprintf (reason, OPML_REASON_SIZE, "not well-formed XML, repaired: %s", why);
    buf_fini (&repaired);
    return document;
}

static int
parse_text (const struct buf *text, struct opml *opml, char reason[OPML_REASON_SIZE])
{
    struct xml_body body;
    repair_prolog (text->data, text->len, &body);
    xmlDoc *document = NULL;
    if (body.entity_count || memmem (text->data, (size_t) (body.text - text->data), "<!ENTITY", 8)) {
        snprintf (reason, OPML_REASON_SIZE, "refused: it declares entities of its own");
        return -EBADMSG;
    }
    if (!(document = parse_xml (text)) && !(document = parse_repaired (text, &body, reason)))
        return -EBADMSG;
    int r = read_document (document, opml, reason);
    xmlFreeDoc (document);
    return r;
}

int
opml_parse (const char *data, size_t bytes, struct opml *ret_opml, char reason[OPML_REASON_SIZE])
{
    struct buf text = { 0 };
    struct opml opml = { 0 };
    *reason = '\0';
    if (bytes > OPML_BYTES_MAX) {
        snprintf (reason, OPML_REASON_SIZE, "larger than %zu MiB", OPML_BYTES_MAX >> 20);
        return -E2BIG;
    }
    charset_to_utf8 (data, bytes, NULL, &text);
    size_t blank = text.data ? strspn (text.data, BLANKS) : 0;
    int r = -EBADMSG;
    if (blank == text.len)
        snprintf (reason, OPML_REASON_SIZE, "the document is empty");
    else if (text.data[blank] != '<')
        snprintf (reason, OPML_REASON_SIZE, "not OPML: no XML at all, it begins with \"%.20s\"", text.data + blank);
    else
        r = parse_text (&text, &opml, reason);
    reason[utf8_valid_bytes (reason, strlen (reason))] = '\0'; /* it may have been cut within a letter */
    for (char *p = reason; *p; p++) /* it quotes the document */
        *p = (unsigned char) *p < 0x20 || *p == 0x7f ? ' ' : *p;
    buf_fini (&text);
    if (r < 0)
        opml_fini (&opml);
    else
        *ret_opml = opml;
    return r;
}

/* ---- writing ---- */

/* By tags, so that each folder is opened once; feeds of the same tags keep their order. */
static int
compare_feeds (const void *one, const void *other)
{
    const struct opml_feed *a = *(const struct opml_feed *const *) one, *b = *(const struct opml_feed *const *) other;
    for (size_t i = 0; i < a->tag_count && i < b->tag_count; i++) {
        int r = strcmp (a->tags[i], b->tags[i]);
        if (r)
            return r;
    }
    if (a->tag_count != b->tag_count)
        return a->tag_count < b->tag_count ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void
write_line (struct buf *out, size_t depth, const char *line)
{
    buf_printf (out, "%*s%s", (int) (4 + 2 * depth), "", line);
}

static void
write_attribute (struct buf *out, const char *name, const char *value)
{
    buf_printf (out, " %s=\"", name);
    buf_add_escaped (out, value);
    buf_add_char (out, '"');
}

/* From the folder of the feed before to that of this one. */
static void
write_folders (struct buf *out, const struct opml_feed *from, const struct opml_feed *to)
{
    size_t shared = 0, from_depth = from ? from->tag_count : 0, to_depth = to ? to->tag_count : 0;
    while (shared < from_depth && shared < to_depth && strcmp (from->tags[shared], to->tags[shared]) == 0)
        shared++;
    for (size_t depth = from_depth; depth > shared; depth--)
        write_line (out, depth - 1, "</outline>\n");
    for (size_t depth = shared; depth < to_depth; depth++) {
        write_line (out, depth, "<outline");
        write_attribute (out, "text", to->tags[depth]);
        buf_add_str (out, ">\n");
    }
}

static void
write_feed (struct buf *out, const struct opml_feed *feed)
{
    write_line (out, feed->tag_count, "<outline type=\"rss\"");
    write_attribute (out, "text", feed->title ? feed->title : feed->url);
    if (feed->title)
        write_attribute (out, "title", feed->title);
    write_attribute (out, "xmlUrl", feed->url);
    buf_add_str (out, "/>\n");
}

char *
opml_format (const struct opml *self, const char *title)
{
    struct buf out = { 0 };
    const struct opml_feed **sorted = mem_alloc ((self->count + 1) * sizeof *sorted); /* and NULL: no folder */
    for (size_t i = 0; i < self->count; i++)
        sorted[i] = &self->feeds[i];
    qsort (sorted, self->count, sizeof (const struct opml_feed *), compare_feeds);
    buf_add_str (&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>");
    buf_add_escaped (&out, title);
    buf_add_str (&out, "</title>\n  </head>\n  <body>\n");
    for (size_t i = 0; i < self->count; i++) {
        write_folders (&out, i ? sorted[i - 1] : NULL, sorted[i]);
        write_feed (&out, sorted[i]);
    }
    if (self->count)
        write_folders (&out, sorted[self->count - 1], NULL);
    buf_add_str (&out, "  </body>\n</opml>\n");
    free (sorted);
    return buf_take (&out);
}
