/* tree - HTML to a table of nodes. libxml2 parses; its events become rows, its own tree is never built.
 * What would make it lose the page or take for ever is taken out before, or stops it in time.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

#define PARSE_OPTIONS                                                                                                  \
    (HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC |       \
     XML_PARSE_HUGE) /* without HUGE it gives up at 256 levels */
#define ATTRIBUTES_MAX 256 /* of one tag: libxml2 compares each with all before it */
/* Depths of all tags added up, at which the rest of a page is given up: libxml2 looks through all open elements at many a
 * tag. Ten thousand elements at the depth of a bad page, thirty, make a third of a million. */
#define WORK_MAX ((size_t) 64 << 20)

struct reader {
    struct tree *tree;
    htmlParserCtxt *parser;
    size_t open; /* innermost open element */
    size_t work;
};

/* ---- names ---- */

static const struct tag_row {
    const char *name;
    enum tag tag;
} tag_rows[] = {
    { "a", TAG_A },
    { "address", TAG_ADDRESS },
    { "article", TAG_ARTICLE },
    { "aside", TAG_ASIDE },
    { "audio", TAG_HIDDEN },
    { "base", TAG_BASE },
    { "blockquote", TAG_BLOCKQUOTE },
    { "body", TAG_BODY },
    { "br", TAG_BR },
    { "button", TAG_BUTTON },
    { "canvas", TAG_HIDDEN },
    { "caption", TAG_CAPTION },
    { "center", TAG_BLOCK },
    { "code", TAG_CODE },
    { "datalist", TAG_HIDDEN },
    { "dd", TAG_DD },
    { "details", TAG_DETAILS },
    { "dialog", TAG_HIDDEN },
    { "dir", TAG_BLOCK },
    { "div", TAG_DIV },
    { "dl", TAG_DL },
    { "dt", TAG_DT },
    { "embed", TAG_HIDDEN },
    { "fieldset", TAG_BLOCK },
    { "figcaption", TAG_FIGCAPTION },
    { "figure", TAG_FIGURE },
    { "footer", TAG_FOOTER },
    { "form", TAG_FORM },
    { "frameset", TAG_BLOCK },
    { "h1", TAG_H1 },
    { "h2", TAG_H2 },
    { "h3", TAG_H3 },
    { "h4", TAG_H4 },
    { "h5", TAG_H5 },
    { "h6", TAG_H6 },
    { "head", TAG_HEAD },
    { "header", TAG_HEADER },
    { "hgroup", TAG_BLOCK },
    { "hr", TAG_BLOCK },
    { "html", TAG_HTML },
    { "iframe", TAG_HIDDEN },
    { "label", TAG_LABEL },
    { "legend", TAG_BLOCK },
    { "li", TAG_LI },
    { "link", TAG_LINK },
    { "main", TAG_MAIN },
    { "math", TAG_HIDDEN },
    { "menu", TAG_BLOCK },
    { "meta", TAG_META },
    { "meter", TAG_HIDDEN },
    { "nav", TAG_NAV },
    { "noembed", TAG_HIDDEN },
    { "noframes", TAG_HIDDEN },
    { "noscript", TAG_HIDDEN },
    { "object", TAG_HIDDEN },
    { "ol", TAG_OL },
    { "optgroup", TAG_HIDDEN },
    { "option", TAG_HIDDEN },
    { "p", TAG_P },
    { "picture", TAG_HIDDEN },
    { "pre", TAG_PRE },
    { "progress", TAG_HIDDEN },
    { "rp", TAG_HIDDEN },
    { "rt", TAG_HIDDEN },
    { "script", TAG_SCRIPT },
    { "search", TAG_HIDDEN },
    { "section", TAG_SECTION },
    { "select", TAG_HIDDEN },
    { "span", TAG_SPAN },
    { "style", TAG_HIDDEN },
    { "summary", TAG_BLOCK },
    { "svg", TAG_HIDDEN },
    { "table", TAG_TABLE },
    { "tbody", TAG_BLOCK },
    { "td", TAG_TD },
    { "template", TAG_HIDDEN },
    { "textarea", TAG_HIDDEN },
    { "tfoot", TAG_BLOCK },
    { "th", TAG_TH },
    { "thead", TAG_BLOCK },
    { "time", TAG_TIME },
    { "title", TAG_TITLE },
    { "tr", TAG_TR },
    { "ul", TAG_UL },
    { "video", TAG_HIDDEN },
};

static int
row_compare (const void *key, const void *row)
{
    return strcmp (key, ((const struct tag_row *) row)->name);
}

static enum tag
tag_of (const char *name)
{
    const struct tag_row *row = bsearch (name, tag_rows, COUNT_OF (tag_rows), sizeof *tag_rows, row_compare);
    return row ? row->tag : TAG_OTHER;
}

/* ---- building ---- */

static struct node *
add_node (struct tree *tree, enum tag tag, size_t parent)
{
    if (tree->count == tree->room) {
        tree->room = tree->room ? 2 * tree->room : 1024;
        tree->nodes = mem_grow (tree->nodes, tree->room, sizeof *tree->nodes);
    }
    struct node *node = &tree->nodes[tree->count++];
    *node = (struct node){ .tag = (uint8_t) tag, .parent = (uint32_t) parent, .text = (uint32_t) tree->text.len };
    return node;
}

static void
add_string (struct buf *buf, const char *text)
{
    buf_add (buf, text, strlen (text) + 1);
}

static void
spend (struct reader *reader)
{
    reader->work += (size_t) reader->parser->nameNr;
    if (reader->work > WORK_MAX)
        xmlStopParser (reader->parser);
}

static void
on_start (void *user, const xmlChar *name, const xmlChar **attributes)
{
    struct reader *reader = user;
    struct tree *tree = reader->tree;
    uint32_t offset = (uint32_t) tree->attributes.len;
    add_string (&tree->attributes, (const char *) name);
    for (; attributes && attributes[0]; attributes += 2) {
        if (!attributes[0][0])
            continue;
        add_string (&tree->attributes, (const char *) attributes[0]);
        add_string (&tree->attributes, attributes[1] ? (const char *) attributes[1] : "");
    }
    buf_add_char (&tree->attributes, '\0');
    add_node (tree, tag_of ((const char *) name), reader->open)->name = offset;
    reader->open = tree->count - 1;
    spend (reader);
}

static void
on_end (void *user, const xmlChar *name)
{
    struct reader *reader = user;
    struct tree *tree = reader->tree;
    if (reader->open == 0 || strcmp (tree_name (tree, reader->open), (const char *) name) != 0)
        return;
    struct node *node = &tree->nodes[reader->open];
    node->end = (uint32_t) tree->count;
    reader->open = node->parent;
}

static void
on_text (void *user, const xmlChar *text, int bytes)
{
    struct reader *reader = user;
    struct tree *tree = reader->tree;
    struct node *last = &tree->nodes[tree->count - 1];
    if (last->tag != TAG_TEXT || last->parent != reader->open) {
        last = add_node (tree, TAG_TEXT, reader->open);
        last->end = (uint32_t) tree->count;
    }
    buf_add (&tree->text, text, (size_t) bytes);
    last->text_bytes += (uint32_t) bytes;
}

/* Scripts and styles. Of these JSON alone is ever read. */
static void
on_raw (void *user, const xmlChar *text, int bytes)
{
    struct reader *reader = user;
    const char *type = tree_attribute (reader->tree, reader->open, "type");
    if (type && strstr (type, "ld+json"))
        on_text (user, text, bytes);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_ptr;
#else
typedef xmlError *error_ptr;
#endif

/* An end tag without its start costs a look through all open elements and has no event but this. */
static void
on_error (void *user, error_ptr error UNUSED)
{
    spend (user);
}

/* ---- before parsing ---- */

static bool
is_blank (char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

/* Blanks the attributes of the tag at `at` past ATTRIBUTES_MAX. Returns the tag's end, or where one cannot go on. */
static char *
limit_attributes (char *at, char *end)
{
    size_t count = 0;
    for (char quote = 0, before = 'a'; at < end; before = *at++) {
        if (quote ? *at == quote : *at == '>')
            if (!quote)
                break;
        if (quote && *at == quote)
            quote = 0;
        else if (!quote && (*at == '"' || *at == '\'') && before == '=')
            quote = *at;
        else if (!quote && *at == '<')
            return at - 1; /* the tag was none */
        count += !quote && is_blank (before) && !is_blank (*at);
        if (count > ATTRIBUTES_MAX)
            *at = ' ';
    }
    return at;
}

/* "<!-->" and "<!--->" are comments of their own (HTML, "comment start state"); libxml2 waits for another end. */
static void
blank_short_comment (char *at, char *end)
{
    static const char *const comments[] = { "<!-->", "<!--->" };
    for (size_t i = 0; i < COUNT_OF (comments); i++) {
        size_t bytes = strlen (comments[i]);
        if ((size_t) (end - at) >= bytes && memcmp (at, comments[i], bytes) == 0)
            memset (at, ' ', bytes);
    }
}

static void
prepare (char *html, size_t bytes)
{
    char *end = html + bytes;
    for (char *nul = html; (nul = memchr (nul, '\0', (size_t) (end - nul))) != NULL;)
        *nul = ' ';
    for (char *at = html; at < end && (at = memchr (at, '<', (size_t) (end - at))) != NULL; at++) {
        if (end - at > 1 && at[1] == '!')
            blank_short_comment (at, end);
        else if (end - at > 1 && ((at[1] | 0x20) >= 'a' && (at[1] | 0x20) <= 'z'))
            at = limit_attributes (at + 1, end);
        if (at == end)
            break;
    }
}

void
tree_read (char *html, size_t bytes, struct tree *tree)
{
    htmlSAXHandler events = {
        .startElement = on_start,
        .endElement = on_end,
        .characters = on_text,
        .ignorableWhitespace = on_text,
        .cdataBlock = on_raw,
        .serror = on_error,
        .initialized = XML_SAX2_MAGIC,
    };
    struct reader reader = { .tree = tree };
    *tree = (struct tree){ 0 };
    buf_reserve (&tree->attributes, bytes / 2 + 64);
    buf_reserve (&tree->text, bytes / 8 + 64);
    add_string (&tree->attributes, "");
    add_string (&tree->attributes, "");
    add_node (tree, TAG_OTHER, 0);
    prepare (html, bytes);
    if (bytes) {
        reader.parser = htmlCreateMemoryParserCtxt (html, (int) bytes);
        if (!reader.parser)
            abort (); /* memory is out */
        htmlCtxtUseOptions (reader.parser, PARSE_OPTIONS);
        xmlSwitchEncoding (reader.parser, XML_CHAR_ENCODING_UTF8);
        *reader.parser->sax = events;
        reader.parser->userData = &reader;
        htmlParseDocument (reader.parser);
        htmlFreeParserCtxt (reader.parser);
    }
    for (size_t i = reader.open;; i = tree->nodes[i].parent) { /* what the page left open */
        tree->nodes[i].end = (uint32_t) tree->count;
        if (i == 0)
            break;
    }
}

void
tree_fini (struct tree *tree)
{
    free (tree->nodes);
    buf_fini (&tree->text);
    buf_fini (&tree->attributes);
    *tree = (struct tree){ 0 };
}

const char *
tree_attribute (const struct tree *tree, size_t node, const char *name)
{
    const char *at = tree_name (tree, node);
    for (at += strlen (at) + 1; *at;) {
        const char *value = at + strlen (at) + 1;
        if (strcmp (at, name) == 0)
            return value;
        at = value + strlen (value) + 1;
    }
    return NULL;
}

char *
text_fold (const char *text, size_t bytes)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < bytes; i++) {
        if (!is_blank (text[i]))
            buf_add_char (&out, text[i]);
        else if (out.len && out.data[out.len - 1] != ' ')
            buf_add_char (&out, ' ');
    }
    char *folded = buf_take (&out), *trimmed = utf8_trim (folded, 0);
    free (folded);
    return trimmed;
}

char *
tree_text (const struct tree *tree, size_t node)
{
    uint32_t start = tree->nodes[node].text, end = tree->nodes[node].end;
    size_t past = end < tree->count ? tree->nodes[end].text : tree->text.len;
    return text_fold (tree->text.data + start, past - start);
}

bool
has_word (const char *list, const char *word)
{
    size_t bytes = strlen (word);
    for (const char *at = list; (at = strstr (at, word)) != NULL; at++)
        if ((at == list || is_blank (at[-1])) && (!at[bytes] || is_blank (at[bytes])))
            return true;
    return false;
}
