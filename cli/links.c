/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/links.h"
#include "cli/opml.h"
#include "text/url.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MOST 256
#define BLANKS " \t\r\n\f"

void
links_fini (struct links *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free (self->items[i].url);
        free (self->items[i].title);
    }
    free (self->items);
    *self = (struct links){ 0 };
}

void
links_add (struct links *self, const char *address, const char *title)
{
    char *url = address ? opml_web_address (address) : NULL;
    bool wanted = url && self->count < LINKS_MAX;
    for (size_t i = 0; wanted && i < self->count; i++)
        wanted = strcmp (self->items[i].url, url) != 0;
    if (!wanted) {
        free (url);
        return;
    }
    self->items = mem_grow (self->items, self->count + 1, sizeof *self->items);
    self->items[self->count++] = (struct link){ url, utf8_trim (title, OPML_FIELD_MAX) };
}

void
links_add_usual (struct links *self, const char *url)
{
    static const char *const places[] = { "feed", "feed/", "rss", "rss/", "feed.xml", "rss.xml", "atom.xml", "index.xml",
                                          "feed.json", "index.rdf", "feeds/posts/default", "?feed=rss2" };
    size_t host = strncasecmp (url, "https://", 8) == 0 ? 8 : 7, root = host + strcspn (url + host, "/?#");
    char *base = mem_copy (url, host + strcspn (url + host, "?#"));
    char *below = mem_printf ("%s%s", base, base[strlen (base) - 1] == '/' && strlen (base) > root ? "" : "/");
    char *site = mem_printf ("%.*s/", (int) root, url);
    const char *bases[] = { below, site };
    for (size_t b = 0; b < COUNT_OF (bases); b++)
        for (size_t i = 0; i < COUNT_OF (places); i++) {
            char *place = mem_printf ("%s%s", bases[b], places[i]);
            links_add (self, place, NULL);
            free (place);
        }
    free (base);
    free (below);
    free (site);
}

/* ---- a page ---- */

struct page {
    char *base;
    bool base_read;
    struct links *named, *guessed;
};

/* given (free), or NULL */
static char *
attribute (const xmlNode *node, const char *name)
{
    for (const xmlAttr *at = node->properties; at; at = at->next)
        if (strcasecmp ((const char *) at->name, name) == 0) {
            xmlChar *value = xmlNodeListGetString (node->doc, at->children, 1);
            char *text = utf8_trim ((const char *) value, OPML_FIELD_MAX);
            xmlFree (value);
            return text;
        }
    return NULL;
}

static bool
has_word (const char *text, const char *word)
{
    for (size_t n; text && *text; text += n) {
        text += strspn (text, BLANKS);
        n = strcspn (text, BLANKS);
        if (n == strlen (word) && strncasecmp (text, word, n) == 0)
            return true;
    }
    return false;
}

static bool
is_feed_type (const char *type)
{
    static const char *const types[] = { "application/rss+xml", "application/atom+xml", "application/feed+json",
                                         "application/rdf+xml", "application/json",     "application/xml",
                                         "text/xml",            "text/rss+xml" };
    size_t bytes = type ? strcspn (type, "; \t") : 0;
    for (size_t i = 0; i < COUNT_OF (types); i++)
        if (bytes == strlen (types[i]) && strncasecmp (type, types[i], bytes) == 0)
            return true;
    return false;
}

/* WordPress names its API as an alternate of type application/json, oEmbed as one of text/xml. */
static bool
is_other_api (const char *url)
{
    return strstr (url, "/wp-json") || strstr (url, "oembed");
}

static void
add_link (struct page *self, struct links *into, const char *href, const char *title)
{
    char *url = url_resolve (self->base, href);
    links_add (into, url, title);
    free (url);
}

static void
read_link (struct page *self, const xmlNode *node)
{
    char *rel = attribute (node, "rel"), *type = attribute (node, "type"), *href = attribute (node, "href");
    char *title = attribute (node, "title");
    bool named = has_word (rel, "feed") || (has_word (rel, "alternate") && is_feed_type (type));
    if (named && href && !is_other_api (href))
        add_link (self, self->named, href, title);
    free (rel);
    free (type);
    free (href);
    free (title);
}

static void
read_anchor (struct page *self, const xmlNode *node)
{
    static const char *const marks[] = { "rss", "feed", "atom", ".rdf" };
    char *href = attribute (node, "href");
    const char *path = href ? strstr (href, "://") : NULL;
    path = path ? path + 3 + strcspn (path + 3, "/") : href;
    for (size_t i = 0; path && i < COUNT_OF (marks); i++)
        if (strcasestr (path, marks[i])) {
            add_link (self, self->guessed, href, NULL);
            break;
        }
    free (href);
}

static void
read_base (struct page *self, const xmlNode *node)
{
    char *href = self->base_read ? NULL : attribute (node, "href");
    if (href) {
        char *base = url_resolve (self->base, href);
        free (self->base);
        self->base = base;
        self->base_read = true;
    }
    free (href);
}

static void
read_nodes (struct page *self, const xmlNode *parent, int depth)
{
    static const struct {
        const char *name;
        void (*read) (struct page *self, const xmlNode *node);
    } elements[] = { { "base", read_base }, { "link", read_link }, { "a", read_anchor } };
    for (const xmlNode *node = parent->children; node && depth < DEPTH_MOST; node = node->next) {
        if (node->type != XML_ELEMENT_NODE)
            continue;
        for (size_t i = 0; i < COUNT_OF (elements); i++)
            if (strcasecmp ((const char *) node->name, elements[i].name) == 0)
                elements[i].read (self, node);
        read_nodes (self, node, depth + 1);
    }
}

void
links_read (const char *html, size_t bytes, const char *url, struct links *ret_named, struct links *ret_guessed)
{
    struct page page = { .base = mem_dup (url), .named = ret_named, .guessed = ret_guessed };
    *ret_named = *ret_guessed = (struct links){ 0 };
    xmlDoc *document = bytes > INT32_MAX ? NULL
                                         : htmlReadMemory (html, (int) bytes, NULL, "UTF-8",
                                                           HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING
                                                               | HTML_PARSE_NONET | HTML_PARSE_COMPACT);
    const xmlNode *root = document ? xmlDocGetRootElement (document) : NULL;
    if (root)
        read_nodes (&page, root, 0);
    xmlFreeDoc (document);
    free (page.base);
}
