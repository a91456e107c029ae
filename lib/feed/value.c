/* value - what an XML element of a feed holds: its name whatever the prefix, its text, its markup,
 * its base. Trees come from parses without XML_PARSE_HUGE, so their depth is bounded and recursion
 * is safe.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/impl.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* URIs without scheme and final slash or hash, compared without case: publishers vary all of these.
 * prefix: the customary one, for documents that forget to declare it. */
static const struct {
    const char *uri;
    enum xml_ns ns;
    const char *prefix;
} spaces[] = {
    { "purl.org/rss/1.0", XML_NS_RSS, "rss" },
    { "my.netscape.com/rdf/simple/0.9", XML_NS_RSS, NULL },
    { "channel.netscape.com/rdf/simple/0.9", XML_NS_RSS, NULL },
    { "my.netscape.com/publish/formats/rss-0.91.dtd", XML_NS_RSS, NULL },
    { "purl.org/net/rss1.1", XML_NS_RSS, NULL },
    { "purl.org/rss/1.0/modules/rss091", XML_NS_RSS, NULL },
    { "backend.userland.com/rss", XML_NS_RSS, NULL },
    { "backend.userland.com/rss2", XML_NS_RSS, NULL },
    { "backend.userland.com/rss091", XML_NS_RSS, NULL },
    { "blogs.law.harvard.edu/tech/rss", XML_NS_RSS, NULL },
    { "www.rssboard.org/rss-specification", XML_NS_RSS, NULL },
    { "www.w3.org/1999/02/22-rdf-syntax-ns", XML_NS_RDF, "rdf" },
    { "www.w3.org/2005/atom", XML_NS_ATOM, "atom" },
    { "purl.org/atom/ns", XML_NS_ATOM, "atom03" },
    { "purl.org/atom", XML_NS_ATOM, "a10" },
    { "purl.org/echo", XML_NS_ATOM, NULL },
    { "example.com/newformat", XML_NS_ATOM, NULL },
    { "example.com/necho", XML_NS_ATOM, NULL },
    { "uri/of/echo/namespace", XML_NS_ATOM, NULL },
    { "purl.org/pie", XML_NS_ATOM, NULL },
    { "purl.org/dc/elements/1.1", XML_NS_DC, "dc" },
    { "purl.org/dc/elements/1.0", XML_NS_DC, NULL },
    { "purl.org/dc", XML_NS_DC, NULL },
    { "purl.org/dc/terms", XML_NS_DCTERMS, "dcterms" },
    { "purl.org/rss/1.0/modules/dcterms", XML_NS_DCTERMS, NULL },
    { "purl.org/rss/1.0/modules/content", XML_NS_CONTENT, "content" },
    { "purl.org/rss/1.0/modules/syndication", XML_NS_SYNDICATION, "sy" },
    { "www.itunes.com/dtds/podcast-1.0.dtd", XML_NS_ITUNES, "itunes" },
    { "example.com/dtds/podcast-1.0.dtd", XML_NS_ITUNES, NULL },
    { "search.yahoo.com/mrss", XML_NS_MEDIA, "media" },
    { "video.search.yahoo.com/mrss", XML_NS_MEDIA, NULL },
    { "www.w3.org/1999/xhtml", XML_NS_XHTML, "xhtml" },
    { "www.w3.org/xml/1998/namespace", XML_NS_XML, "xml" },
};

static enum xml_ns
find_space (const char *uri)
{
    const char *rest = strstr (uri, "://");
    rest = rest ? rest + 3 : uri;
    while (isspace ((unsigned char) *rest))
        rest++;
    size_t bytes = strlen (rest);
    while (bytes && (strchr ("/#", rest[bytes - 1]) || isspace ((unsigned char) rest[bytes - 1])))
        bytes--;
    if (!bytes)
        return XML_NS_NONE;
    for (size_t i = 0; i < COUNT_OF (spaces); i++)
        if (strncasecmp (spaces[i].uri, rest, bytes) == 0 && !spaces[i].uri[bytes])
            return spaces[i].ns;
    return XML_NS_OTHER;
}

enum xml_ns
value_name (const xmlNode *node, const char **ret_local)
{
    const char *name = (const char *) node->name, *colon = strchr (name, ':');
    *ret_local = colon ? colon + 1 : name;
    if (node->ns && node->ns->href)
        return find_space ((const char *) node->ns->href);
    if (!colon)
        return XML_NS_NONE;
    for (size_t i = 0; i < COUNT_OF (spaces); i++)
        if (spaces[i].prefix &&
            strncasecmp (spaces[i].prefix, name, (size_t) (colon - name)) == 0 &&
            !spaces[i].prefix[colon - name])
            return spaces[i].ns;
    return XML_NS_OTHER;
}

static char *
attribute_text (const xmlAttr *attribute)
{
    struct buf out = { 0 };
    for (const xmlNode *n = attribute->children; n; n = n->next)
        if (n->type == XML_TEXT_NODE && n->content)
            buf_add_str (&out, (const char *) n->content);
    return buf_take (&out);
}

char *
value_attribute (const xmlNode *node, const char *name)
{
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (strcasecmp ((const char *) a->name, name) == 0)
            return attribute_text (a);
    return NULL;
}

static char *
own_base (const xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns && a->ns->prefix && strcmp ((const char *) a->name, "base") == 0 &&
            strcmp ((const char *) a->ns->prefix, "xml") == 0)
            return attribute_text (a);
    return NULL;
}

char *
value_base (const xmlNode *node, const char *document_base)
{
    char *base = node->parent && node->parent->type == XML_ELEMENT_NODE
                     ? value_base (node->parent, document_base)
                     : mem_dup (document_base);
    char *own = own_base (node);
    if (!own)
        return base;
    char *resolved = url_resolve (base, own);
    free (own);
    if (!resolved)
        return base;
    free (base);
    return resolved;
}

bool
value_has_elements (const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE)
            return true;
    return false;
}

static bool
is_text (const xmlNode *node)
{
    return (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) && node->content;
}

static void
add_text (struct buf *out, const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next) {
        if (is_text (n))
            buf_add_str (out, (const char *) n->content);
        else if (n->type == XML_ELEMENT_NODE)
            add_text (out, n);
    }
}

char *
value_text (const xmlNode *node)
{
    struct buf out = { 0 };
    add_text (&out, node);
    return buf_take (&out);
}

static void
add_start (struct buf *out, const xmlNode *node, const char *name)
{
    buf_printf (out, "<%s", name);
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        char *text = attribute_text (a);
        const char *prefix = a->ns && a->ns->prefix ? (const char *) a->ns->prefix : NULL;
        buf_printf (out, " %s%s%s=\"", prefix ? prefix : "", prefix ? ":" : "",
                    (const char *) a->name);
        buf_add_escaped (out, text);
        buf_add_char (out, '"');
        free (text);
    }
    buf_add_char (out, '>');
}

static bool
is_void (const char *name)
{
    static const char *const names[] = { "br",   "img", "hr",    "input", "wbr",
                                         "area", "col", "embed", "param" };
    for (size_t i = 0; i < COUNT_OF (names); i++)
        if (strcasecmp (name, names[i]) == 0)
            return true;
    return false;
}

/* Whether text beside elements is text, or markup that was escaped once more. */
enum text_is { TEXT_IS_TEXT, TEXT_IS_MARKUP };

/* Prefixes go: readers of HTML do not know them. */
static void
add_markup (struct buf *out, const xmlNode *node, enum text_is text_is)
{
    for (const xmlNode *n = node->children; n && out->len <= FEED_FIELD_MAX; n = n->next) {
        if (is_text (n) && text_is == TEXT_IS_MARKUP) {
            buf_add_str (out, (const char *) n->content);
        } else if (is_text (n)) {
            buf_add_escaped (out, (const char *) n->content);
        } else if (n->type == XML_ELEMENT_NODE) {
            const char *name;
            (void) value_name (n, &name); /* only the local name matters */
            add_start (out, n, name);
            add_markup (out, n, text_is);
            if (!is_void (name))
                buf_printf (out, "</%s>", name);
        }
    }
}

char *
value_markup (const xmlNode *node)
{
    if (!value_has_elements (node))
        return value_text (node);
    struct buf out = { 0 };
    add_markup (&out, node, TEXT_IS_TEXT);
    return buf_take (&out);
}

/* ---- Atom's texts ---- */

static int
base64_digit (char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr (digits, c) : NULL;
    return at ? (int) (at - digits) : -1;
}

/* The text that base64 holds, or NULL if it is none or holds no text. */
static char *
decode_base64 (const char *text)
{
    struct buf out = { 0 };
    uint32_t bits = 0;
    int have = 0;
    for (; *text && *text != '='; text++) {
        if (isspace ((unsigned char) *text))
            continue;
        int digit = base64_digit (*text);
        if (digit < 0) {
            buf_fini (&out);
            return NULL;
        }
        bits = (bits << 6 | (uint32_t) digit) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            buf_add_char (&out, (char) (bits >> have & 0xff));
        }
    }
    if (!out.len || utf8_valid_bytes (out.data, out.len) < out.len ||
        memchr (out.data, '\0', out.len)) {
        buf_fini (&out);
        return NULL;
    }
    return buf_take (&out);
}

static bool
ends_with (const char *text, const char *end)
{
    size_t n = strlen (text), m = strlen (end);
    return n >= m && strcasecmp (text + n - m, end) == 0;
}

/* The one div that XHTML content comes in is no part of it (RFC 4287, 3.1.1.3). */
static const xmlNode *
inner_div (const xmlNode *node)
{
    const xmlNode *div = NULL;
    for (const xmlNode *n = node->children; n; n = n->next) {
        if (n->type == XML_ELEMENT_NODE && !div && strcmp ((const char *) n->name, "div") == 0)
            div = n;
        else if (n->type == XML_ELEMENT_NODE || (is_text (n) && !xmlIsBlankNode (n)))
            return node;
    }
    return div ? div : node;
}

static char *
construct_markup (const xmlNode *node, enum text_is text_is)
{
    struct buf out = { 0 };
    add_markup (&out, node, text_is);
    return buf_take (&out);
}

char *
value_construct (const xmlNode *node, enum value_kind *ret_kind)
{
    char *type = value_attribute (node, "type"), *mode = value_attribute (node, "mode");
    const char *t = type ? type : "text";
    bool text = strcasecmp (t, "text") == 0 || strcasecmp (t, "text/plain") == 0;
    bool html = strcasecmp (t, "html") == 0 || strcasecmp (t, "text/html") == 0;
    bool xml = ends_with (t, "xhtml") || ends_with (t, "+xml") || ends_with (t, "/xml");
    bool base64 =
        mode ? strcasecmp (mode, "base64") == 0
             : !text && !html && !xml && strchr (t, '/') && strncasecmp (t, "text/", 5) != 0;
    char *value = NULL;
    *ret_kind = text && !value_has_elements (node) ? VALUE_PLAIN : VALUE_HTML;
    if (base64) {
        char *coded = value_text (node);
        value = decode_base64 (coded);
        if (value)
            free (coded);
        else
            value = coded;
    } else if (xml) { /* there text is text even where no element stands beside it */
        value = construct_markup (inner_div (node), TEXT_IS_TEXT);
    } else {
        value = html ? construct_markup (node, TEXT_IS_MARKUP) : value_markup (node);
    }
    free (type);
    free (mode);
    return value;
}
