/* html - plain text of HTML. A tokenizer and no tree: what a reader sees depends on the kind of
 * each tag alone, never on how tags nest, so that one pass in linear time does for any input,
 * however deep or broken. Elements and character references are libxml2's tables.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/html.h"

#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE 16       /* longer names are names of nothing in the tables */
#define REFERENCE_BYTES 32 /* longest character reference looked at */

/* What a tag does to the text around it. */
enum tag_kind {
    TAG_INLINE,
    TAG_BLOCK,  /* a blank line around it */
    TAG_LINE,   /* starts a line */
    TAG_CELL,   /* a space between */
    TAG_PRE,    /* a block, white space counts within */
    TAG_RAW,    /* all up to its end tag is no markup and not shown */
    TAG_HIDDEN, /* what it holds is markup, not shown */
};

static const struct {
    const char *name;
    enum tag_kind kind;
} tags[] = {
    { "p", TAG_BLOCK },        { "br", TAG_LINE },          { "div", TAG_BLOCK },
    { "li", TAG_LINE },        { "tr", TAG_LINE },          { "td", TAG_CELL },
    { "th", TAG_CELL },        { "ul", TAG_BLOCK },         { "ol", TAG_BLOCK },
    { "h1", TAG_BLOCK },       { "h2", TAG_BLOCK },         { "h3", TAG_BLOCK },
    { "h4", TAG_BLOCK },       { "h5", TAG_BLOCK },         { "h6", TAG_BLOCK },
    { "hr", TAG_BLOCK },       { "blockquote", TAG_BLOCK }, { "table", TAG_BLOCK },
    { "section", TAG_BLOCK },  { "article", TAG_BLOCK },    { "header", TAG_BLOCK },
    { "footer", TAG_BLOCK },   { "main", TAG_BLOCK },       { "nav", TAG_BLOCK },
    { "aside", TAG_BLOCK },    { "figure", TAG_BLOCK },     { "figcaption", TAG_BLOCK },
    { "address", TAG_BLOCK },  { "center", TAG_BLOCK },     { "dl", TAG_BLOCK },
    { "dt", TAG_LINE },        { "dd", TAG_LINE },          { "form", TAG_BLOCK },
    { "fieldset", TAG_BLOCK }, { "details", TAG_BLOCK },    { "summary", TAG_BLOCK },
    { "dialog", TAG_BLOCK },   { "caption", TAG_LINE },     { "option", TAG_LINE },
    { "body", TAG_BLOCK },     { "html", TAG_BLOCK },       { "pre", TAG_PRE },
    { "script", TAG_RAW },     { "style", TAG_RAW },        { "title", TAG_RAW },
    { "textarea", TAG_RAW },   { "iframe", TAG_RAW },       { "noembed", TAG_RAW },
    { "noframes", TAG_RAW },   { "noscript", TAG_RAW },     { "template", TAG_HIDDEN },
    { "svg", TAG_HIDDEN },     { "canvas", TAG_HIDDEN },    { "object", TAG_HIDDEN },
    { "audio", TAG_HIDDEN },   { "video", TAG_HIDDEN },
};

/* HTML's elements that libxml2's table, which is of HTML 4, does not know. */
static const char *const newer[] = {
    "article", "aside",   "audio", "canvas",   "details", "figcaption", "figure",
    "footer",  "header",  "main",  "mark",     "nav",     "picture",    "section",
    "source",  "summary", "svg",   "template", "time",    "video",      "wbr",
};

/* What stands between the text so far and the next word. */
enum gap { GAP_NONE, GAP_SPACE, GAP_LINE, GAP_BLOCK };

struct reader {
    const char *at, *end;
    struct buf out;
    enum gap gap;
    size_t pre_depth;
    char hidden[NAME_SIZE]; /* the hidden element we are in, or empty */
    size_t hidden_depth;    /* of elements of that name */
    bool no_comment_end;    /* known not to come any more: not looked for again */
};

/* windows-1252, which numeric references from 128 to 159 mean (HTML, "numeric character reference
 * end state"). */
static const uint16_t western[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178,
};

static enum tag_kind
tag_kind (const char *name)
{
    for (size_t i = 0; i < COUNT_OF (tags); i++)
        if (strcmp (tags[i].name, name) == 0)
            return tags[i].kind;
    return TAG_INLINE;
}

static bool
is_known (const char *name)
{
    for (size_t i = 0; i < COUNT_OF (newer); i++)
        if (strcmp (newer[i], name) == 0)
            return true;
    return htmlTagLookup ((const xmlChar *) name) != NULL;
}

/* A name in lower case; empty if there is none or it is too long. Returns its bytes in the text. */
static size_t
read_name (const char *at, const char *end, char name[NAME_SIZE])
{
    size_t n = 0;
    name[0] = '\0';
    if (at == end || !isalpha ((unsigned char) *at))
        return 0;
    while (at + n < end && (isalnum ((unsigned char) at[n]) || strchr ("-_:", at[n])) && at[n])
        n++;
    for (size_t i = 0; i < n && n < NAME_SIZE; i++) {
        name[i] = (char) tolower ((unsigned char) at[i]);
        name[i + 1] = '\0';
    }
    return n;
}

/* ---- character references ---- */

static size_t
read_number (const char *at, const char *end, uint32_t *ret_point)
{
    const char *p = at + 2;
    bool hex = p < end && (*p == 'x' || *p == 'X');
    p += hex;
    const char *digits = p;
    uint32_t point = 0;
    for (; p < end && (hex ? isxdigit ((unsigned char) *p) : isdigit ((unsigned char) *p)); p++) {
        int digit = isdigit ((unsigned char) *p) ? *p - '0' : (*p | 0x20) - 'a' + 10;
        point = point > 0x10ffff ? point : point * (hex ? 16u : 10u) + (uint32_t) digit;
    }
    if (p == digits)
        return 0;
    if (point >= 0x80 && point < 0xa0)
        point = western[point - 0x80];
    *ret_point = point ? point : 0xfffd;
    return (size_t) (p - at) + (p < end && *p == ';');
}

/* Bytes of the reference at a '&' and its code point; 0 if it is none. */
static size_t
read_reference (const char *at, const char *end, uint32_t *ret_point)
{
    if (end - at > REFERENCE_BYTES)
        end = at + REFERENCE_BYTES;
    if (end - at < 3)
        return 0;
    if (at[1] == '#')
        return read_number (at, end, ret_point);
    char name[REFERENCE_BYTES];
    size_t n = 0;
    while (at + 1 + n < end && isalnum ((unsigned char) at[1 + n])) {
        name[n] = at[1 + n];
        n++;
    }
    name[n] = '\0';
    if (!n || at + 1 + n == end || at[1 + n] != ';')
        return 0;
    const htmlEntityDesc *known = htmlEntityLookup ((const xmlChar *) name);
    if (!known && strcmp (name, "apos") != 0)
        return 0;
    *ret_point = known ? known->value : '\'';
    return n + 2;
}

/* ---- text ---- */

static void
widen (struct reader *r, enum gap gap)
{
    r->gap = MAX_OF (r->gap, gap);
}

static bool
is_space (uint32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0xa0;
}

static void
add_gap (struct reader *r)
{
    static const char *const gaps[] = { "", " ", "\n", "\n\n" };
    if (r->out.len)
        buf_add_str (&r->out, gaps[r->gap]);
    r->gap = GAP_NONE;
}

static void
add_point (struct reader *r, uint32_t point)
{
    if (r->hidden[0] || point == 0xad || point == 0xfeff || (point < 0x20 && !is_space (point)))
        return;
    if (is_space (point)) {
        if (r->pre_depth && point != 0xa0)
            buf_add_char (&r->out, (char) point);
        else
            widen (r, GAP_SPACE);
        return;
    }
    add_gap (r);
    char encoded[4];
    buf_add (&r->out, encoded, utf8_encode (point, encoded));
}

/* Bytes that are a character of a word each, and the beginning of nothing else. */
static bool
is_plain (char c)
{
    return c > ' ' && c < 0x7f && c != '<' && c != '&' && c != ']';
}

/* The plain bytes ahead in one piece: nearly all of a text. */
static void
read_plain (struct reader *r)
{
    const char *start = r->at;
    while (r->at < r->end && is_plain (*r->at))
        r->at++;
    if (r->at == start || r->hidden[0])
        return;
    add_gap (r);
    buf_add (&r->out, start, (size_t) (r->at - start));
}

static void
read_text (struct reader *r)
{
    uint32_t point = 0;
    size_t n = *r->at == '&' ? read_reference (r->at, r->end, &point) : 0;
    if (!n)
        n = utf8_decode (r->at, (size_t) (r->end - r->at), &point);
    if (!n)
        n = 1, point = 0xfffd;
    add_point (r, point);
    r->at += n;
}

/* ---- tags ---- */

/* Past the '>' of the tag whose attributes start at `at`. A quote that is never closed hides
 * nothing. */
static const char *
tag_end (const char *at, const char *end)
{
    const char *first = memchr (at, '>', (size_t) (end - at));
    if (!first)
        return end;
    char quote = '\0', before = '\0';
    for (const char *p = at; p < end; p++) {
        if (quote) {
            if (*p == quote)
                quote = '\0';
        } else if ((*p == '"' || *p == '\'') && before == '=') {
            const char *close = memchr (p + 1, *p, (size_t) (end - p - 1));
            if (!close)
                return first + 1;
            quote = *p;
        } else if (*p == '>') {
            return p + 1;
        }
        before = isspace ((unsigned char) *p) ? before : *p;
    }
    return end;
}

/* Past the end tag of a raw element, or the end. */
static const char *
skip_raw (const char *at, const char *end, const char *name)
{
    size_t n = strlen (name);
    while ((at = memchr (at, '<', (size_t) (end - at)))) {
        if ((size_t) (end - at) >= n + 2 && at[1] == '/' && strncasecmp (at + 2, name, n) == 0)
            return tag_end (at, end);
        at++;
    }
    return end;
}

static void
start_tag (struct reader *r, const char *name, bool closed)
{
    switch (tag_kind (name)) {
    case TAG_BLOCK:
        widen (r, GAP_BLOCK);
        break;
    case TAG_LINE:
        widen (r, GAP_LINE);
        break;
    case TAG_CELL:
        widen (r, GAP_SPACE);
        break;
    case TAG_PRE:
        widen (r, GAP_BLOCK);
        r->pre_depth++;
        break;
    case TAG_RAW:
        if (!closed)
            r->at = skip_raw (r->at, r->end, name);
        widen (r, GAP_SPACE);
        break;
    case TAG_HIDDEN:
        if (!closed) {
            strcpy (r->hidden, name);
            r->hidden_depth = 1;
        }
        break;
    case TAG_INLINE:
        break;
    }
}

static void
end_tag (struct reader *r, const char *name)
{
    switch (tag_kind (name)) {
    case TAG_BLOCK:
        widen (r, GAP_BLOCK);
        break;
    case TAG_LINE:
        widen (r, GAP_LINE);
        break;
    case TAG_PRE:
        widen (r, GAP_BLOCK);
        r->pre_depth -= r->pre_depth > 0;
        break;
    case TAG_CELL:
        widen (r, GAP_SPACE);
        break;
    case TAG_RAW:
    case TAG_HIDDEN:
    case TAG_INLINE:
        break;
    }
}

static void
read_tag (struct reader *r)
{
    char name[NAME_SIZE];
    bool close = r->at[1] == '/';
    const char *start = r->at + 1 + close;
    size_t n = read_name (start, r->end, name);
    r->at = tag_end (start + n, r->end);
    bool closed = r->at - start >= 2 && r->at[-1] == '>' && r->at[-2] == '/';
    if (r->hidden[0]) {
        if (strcmp (name, r->hidden) != 0 || (closed && !close))
            return;
        r->hidden_depth += close ? (size_t) -1 : 1;
        if (!r->hidden_depth)
            r->hidden[0] = '\0';
        return;
    }
    if (close)
        end_tag (r, name);
    else
        start_tag (r, name, closed);
}

/* Comments, declarations, CDATA and processing instructions. CDATA's text is shown, as XHTML has
 * it. */
static void
read_declaration (struct reader *r)
{
    size_t left = (size_t) (r->end - r->at);
    if (left >= 9 && memcmp (r->at, "<![CDATA[", 9) == 0) {
        r->at += 9;
        return;
    }
    if (left >= 4 && memcmp (r->at, "<!--", 4) == 0 && !r->no_comment_end) {
        const char *close = memmem (r->at + 4, left - 4, "-->", 3);
        if (close) {
            r->at = close + 3;
            return;
        }
        r->no_comment_end = true;
    }
    const char *close = memchr (r->at, '>', left);
    r->at = close ? close + 1 : r->end;
}

static void
read_markup (struct reader *r)
{
    char next = r->end - r->at > 1 ? r->at[1] : '\0';
    if (isalpha ((unsigned char) next) ||
        (next == '/' && r->end - r->at > 2 && isalpha ((unsigned char) r->at[2])))
        read_tag (r);
    else if (next == '!' || next == '?' || next == '/')
        read_declaration (r);
    else
        read_text (r);
}

char *
html_to_text (const char *html, size_t bytes)
{
    struct reader r = { .at = html, .end = html + bytes };
    while (read_plain (&r), r.at < r.end) {
        if (*r.at == '<')
            read_markup (&r);
        else if (r.end - r.at >= 3 && memcmp (r.at, "]]>", 3) == 0)
            r.at += 3; /* the end of a CDATA section */
        else
            read_text (&r);
    }
    while (r.out.len && isspace ((unsigned char) r.out.data[r.out.len - 1]))
        r.out.data[--r.out.len] = '\0';
    return buf_take (&r.out);
}

static bool
has_references (const char *text)
{
    uint32_t point;
    for (const char *p = text, *end = text + strlen (text); (p = strchr (p, '&')); p++)
        if (read_reference (p, end, &point))
            return true;
    return false;
}

bool
html_has_tags (const char *text)
{
    const char *end = text + strlen (text), *last_close = strrchr (text, '>');
    for (const char *p = text; (p = strchr (p, '<')); p++) {
        char name[NAME_SIZE];
        if (strncmp (p, "<!--", 4) == 0 || strncmp (p, "<![CDATA[", 9) == 0)
            return true;
        const char *start = p + 1 + (p[1] == '/');
        size_t n = read_name (start, end, name);
        if (n && is_known (name) && strchr ("/> \t\r\n", start[n]) && start[n] &&
            last_close > start)
            return true;
    }
    return false;
}

bool
html_is_markup (const char *text)
{
    return has_references (text) || html_has_tags (text);
}
