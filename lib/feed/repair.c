/* repair - makes XML of what publishers send. The prolog always goes: with the document type go
 * external and nested entities, and every attack built on them. Documents that then are not well
 * formed are rewritten: bare ampersands and angle brackets, HTML's entities, unquoted or repeated
 * attributes, tags that do not match, control characters, a cut-off end, any depth. One pass, no
 * recursion, linear in the input.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/impl.h"

#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <string.h>
#include <strings.h>

#define DEPTH_MAX 200           /* open elements; deeper tags are dropped, their text is kept */
#define ATTRIBUTES_MAX 64       /* of one element */
#define ATTRIBUTE_BYTES 65536   /* kept of one attribute's value */
#define NAME_BYTES 128          /* longer names are no names */
#define ROOT_SEARCH_BYTES 65536 /* how far the document's first tag is looked for */
#define ENTITY_VALUE_BYTES 1024 /* longest entity of the document's own that is used */
#define ENTITY_TOTAL_BYTES                                                                         \
    (1u << 20) /* of all the text that the document's own entities may give */

struct slice {
    const char *text;
    size_t bytes;
};

struct repair {
    const struct xml_body *body;
    const char *at, *end;
    struct buf *out;
    struct slice open[DEPTH_MAX];
    size_t depth, too_deep; /* too_deep: dropped start tags not closed yet */
    size_t run_bytes;       /* text since the last tag */
    size_t entity_bytes;    /* what the document's own entities gave so far */
    /* set once the end mark is known to be nowhere ahead, so that it is not looked for again and
     * again */
    bool no_comment_end, no_cdata_end, no_pi_end, no_quote[2];
};

static bool
is_name_start (char c)
{
    return isalpha ((unsigned char) c) || c == '_';
}

static bool
is_name_char (char c)
{
    return isalnum ((unsigned char) c) || (c && strchr ("_-.:", c));
}

static struct slice
read_name (const char *at, const char *end)
{
    const char *start = at;
    if (at < end && is_name_start (*at))
        while (at < end && is_name_char (*at) && at - start <= NAME_BYTES)
            at++;
    return (struct slice){ start, (size_t) (at - start) };
}

static bool
slice_is (struct slice slice, const char *text)
{
    return slice.bytes == strlen (text) && strncasecmp (slice.text, text, slice.bytes) == 0;
}

static bool
slice_equal (struct slice a, struct slice b)
{
    return a.bytes == b.bytes && strncasecmp (a.text, b.text, a.bytes) == 0;
}

static const char *
find (const char *from, const char *end, const char *mark)
{
    return from < end ? memmem (from, (size_t) (end - from), mark, strlen (mark)) : NULL;
}

static const char *
skip_space (const char *at, const char *end)
{
    while (at < end && isspace ((unsigned char) *at))
        at++;
    return at;
}

/* ---- the prolog ---- */

static void
read_entity (const char *at, const char *end, struct xml_body *body)
{
    struct slice name = read_name (skip_space (at, end), end);
    at = skip_space (name.text + name.bytes, end);
    if (!name.bytes || at >= end || (*at != '"' && *at != '\'') ||
        body->entity_count == REPAIR_ENTITIES_MAX)
        return;
    const char *close = memchr (at + 1, *at, (size_t) (end - at - 1));
    size_t bytes = close ? (size_t) (close - at - 1) : 0;
    if (close && bytes <= ENTITY_VALUE_BYTES)
        body->entities[body->entity_count++] =
            (struct xml_entity){ name.text, at + 1, name.bytes, bytes };
}

/* The end of a declaration, past its '>'; quotes hide what they hold. */
static const char *
declaration_end (const char *at, const char *end)
{
    char quote = '\0';
    for (; at < end; at++) {
        if (quote)
            quote = *at == quote ? '\0' : quote;
        else if (*at == '"' || *at == '\'')
            quote = *at;
        else if (*at == '>')
            return at + 1;
    }
    return end;
}

/* at stands behind "<!DOCTYPE". Returns what follows the document type. */
static const char *
read_doctype (const char *at, const char *end, struct xml_body *body)
{
    char quote = '\0';
    bool subset = false;
    while (at < end) {
        const char *comment;
        if (quote) {
            quote = *at == quote ? '\0' : quote;
        } else if (subset && end - at > 4 && memcmp (at, "<!--", 4) == 0 &&
                   (comment = find (at + 4, end, "-->"))) {
            at = comment + 3;
            continue;
        } else if (subset && *at == '<') {
            const char *close = declaration_end (at, end);
            if (close - at > 9 && memcmp (at, "<!ENTITY", 8) == 0)
                read_entity (at + 8, close, body);
            at = close;
            continue;
        } else if (*at == '"' || *at == '\'') {
            quote = *at;
        } else if (*at == '[') {
            subset = true;
        } else if (*at == ']') {
            subset = false;
        } else if (*at == '>' && !subset) {
            return at + 1;
        }
        at++;
    }
    return end;
}

void
repair_prolog (const char *text, size_t bytes, struct xml_body *ret_body)
{
    const char *at = text, *end = text + bytes;
    *ret_body = (struct xml_body){ 0 };
    while (at < end) {
        const char *tag = memchr (at, '<', (size_t) (end - at)), *close;
        if (!tag)
            break;
        if (end - tag > 9 && strncasecmp (tag, "<!DOCTYPE", 9) == 0)
            at = read_doctype (tag + 9, end, ret_body);
        else if (end - tag > 4 && memcmp (tag, "<!--", 4) == 0 &&
                 (close = find (tag + 4, end, "-->")))
            at = close + 3;
        else if (end - tag > 2 && tag[1] == '?' && (close = find (tag + 2, end, "?>")))
            at = close + 2;
        else {
            at = tag;
            break;
        }
    }
    ret_body->text = at;
    ret_body->bytes = (size_t) (end - at);
}

/* Whether at, on a '<', opens a feed: rss, feed or RDF, under any prefix. */
static bool
is_root (const char *at, const char *end)
{
    struct slice name = read_name (at + 1, end);
    const char *colon = name.bytes ? memchr (name.text, ':', name.bytes) : NULL;
    if (colon) {
        name.bytes -= (size_t) (colon + 1 - name.text);
        name.text = colon + 1;
    }
    return slice_is (name, "rss") || slice_is (name, "feed") || slice_is (name, "RDF");
}

/* Publishers put warnings of their server before the feed. */
static const char *
find_root (const char *start, const char *end)
{
    const char *limit = end - start > ROOT_SEARCH_BYTES ? start + ROOT_SEARCH_BYTES : end;
    const char *at = start;
    bool no_end = false; /* of a comment, anywhere ahead */
    while (at < limit && (at = memchr (at, '<', (size_t) (limit - at)))) {
        if (is_root (at, end))
            return at;
        bool comment = !no_end && end - at > 4 && memcmp (at, "<!--", 4) == 0;
        const char *close = comment ? find (at + 4, end, "-->") : NULL;
        no_end = no_end || (comment && !close);
        at = close ? close + 3 : at + 1;
    }
    return start;
}

/* ---- characters ---- */

static bool
is_xml_char (uint32_t point)
{
    return point == '\t' || point == '\n' || point == '\r' ||
           (point >= 0x20 && point != 0xfffe && point != 0xffff &&
            !(point >= 0xd800 && point <= 0xdfff) && point <= 0x10ffff);
}

static void
add_point (struct buf *out, uint32_t point)
{
    char encoded[5] = "";
    if (!is_xml_char (point))
        return;
    utf8_encode (point, encoded);
    buf_add_escaped (out, encoded);
}

/* A numeric reference behind "&#". Returns what follows it, or NULL if it is none. */
static const char *
read_number (const char *at, const char *end, uint32_t *ret_point)
{
    bool hex = at < end && (*at == 'x' || *at == 'X');
    at += hex;
    const char *digits = at;
    uint32_t point = 0;
    while (at < end && (hex ? isxdigit ((unsigned char) *at) : isdigit ((unsigned char) *at))) {
        int digit = isdigit ((unsigned char) *at) ? *at - '0' : (*at | 0x20) - 'a' + 10;
        point = point > 0x10ffff ? point : point * (hex ? 16u : 10u) + (uint32_t) digit;
        at++;
    }
    if (at == digits || at == end || *at != ';')
        return NULL;
    *ret_point = point;
    return at + 1;
}

static const struct xml_entity *
own_entity (const struct repair *r, struct slice name)
{
    for (size_t i = 0; i < r->body->entity_count; i++) {
        const struct xml_entity *e = &r->body->entities[i];
        if (e->name_bytes == name.bytes && memcmp (e->name, name.text, name.bytes) == 0)
            return e;
    }
    return NULL;
}

/* XML's own five, HTML's, and numbers. Returns what follows the reference, or NULL if it is none.
 */
static const char *
read_reference (const char *at, const char *end, uint32_t *ret_point)
{
    if (at + 1 < end && at[1] == '#')
        return read_number (at + 2, end, ret_point);
    struct slice name = read_name (at + 1, end);
    const char *after = name.text + name.bytes;
    if (!name.bytes || name.bytes > 16 || after == end || *after != ';')
        return NULL;
    char text[17];
    memcpy (text, name.text, name.bytes);
    text[name.bytes] = '\0';
    const htmlEntityDesc *known = htmlEntityLookup ((const xmlChar *) text);
    if (!known && strcmp (text, "apos") != 0)
        return NULL;
    *ret_point = known ? known->value : '\'';
    return after + 1;
}

/* An entity of the document's own is text without further entities: none nests. */
static const char *
add_own_entity (struct repair *r, const char *at, const char *end)
{
    struct slice name = read_name (at + 1, end);
    const char *after = name.text + name.bytes;
    const struct xml_entity *e =
        name.bytes && after < end && *after == ';' ? own_entity (r, name) : NULL;
    if (!e)
        return NULL;
    if (r->entity_bytes + e->value_bytes > ENTITY_TOTAL_BYTES)
        return after + 1;
    r->entity_bytes += e->value_bytes;
    for (const char *p = e->value, *stop = p + e->value_bytes; p < stop;) {
        uint32_t point = 0;
        const char *next = *p == '&' ? read_reference (p, stop, &point) : NULL;
        if (!next) {
            size_t n = utf8_decode (p, (size_t) (stop - p), &point);
            next = p + (n ? n : 1);
        }
        add_point (r->out, point);
        p = next;
    }
    return after + 1;
}

/* Adds text, with references read when it is no CDATA. */
static void
add_text (struct repair *r, const char *at, const char *end, bool references)
{
    while (at < end) {
        uint32_t point = 0;
        const char *next = NULL;
        if (*at == '&' && references) {
            next = add_own_entity (r, at, end);
            if (next) {
                at = next;
                continue;
            }
            next = read_reference (at, end, &point);
        }
        if (!next) {
            size_t n = utf8_decode (at, (size_t) (end - at), &point);
            next = at + (n ? n : 1);
            point = n ? point : 0;
        }
        add_point (r->out, point);
        at = next;
    }
}

/* Text between tags, of which FEED_FIELD_MAX bytes are kept. */
static void
add_run (struct repair *r, const char *end, bool references)
{
    if (r->depth && r->run_bytes < FEED_FIELD_MAX) {
        size_t bytes = MIN_OF ((size_t) (end - r->at), FEED_FIELD_MAX - r->run_bytes);
        add_text (r, r->at, r->at + bytes, references);
        r->run_bytes += bytes;
    }
    r->at = end;
}

/* ---- tags ---- */

/* HTML's elements without an end tag, less those that are also names in feeds. */
static bool
is_void (struct slice name)
{
    static const char *const names[] = { "br",   "img", "hr",    "input", "wbr",
                                         "area", "col", "embed", "param" };
    for (size_t i = 0; i < COUNT_OF (names); i++)
        if (slice_is (name, names[i]))
            return true;
    return false;
}

static void
close_until (struct repair *r, size_t depth)
{
    while (r->depth > depth) {
        struct slice name = r->open[--r->depth];
        buf_add_str (r->out, "</");
        buf_add (r->out, name.text, name.bytes);
        buf_add_char (r->out, '>');
    }
    r->run_bytes = 0;
}

/* The place of the innermost open element of this name, or depth if there is none. */
static size_t
find_open (const struct repair *r, struct slice name)
{
    for (size_t i = r->depth; i > 0; i--)
        if (slice_equal (r->open[i - 1], name))
            return i - 1;
    return r->depth;
}

static void
read_end_tag (struct repair *r)
{
    struct slice name = read_name (r->at + 2, r->end);
    const char *close = memchr (r->at, '>', (size_t) (r->end - r->at));
    r->at = close ? close + 1 : r->end;
    if (!name.bytes || is_void (name))
        return;
    if (r->too_deep) {
        r->too_deep--;
        return;
    }
    size_t place = find_open (r, name);
    if (place < r->depth)
        close_until (r, place);
}

/* The value of an attribute; at stands behind the '='. Returns what follows it. */
static const char *
read_value (struct repair *r, const char *at, struct slice *ret_value)
{
    at = skip_space (at, r->end);
    if (at < r->end && (*at == '"' || *at == '\'')) {
        bool *none = &r->no_quote[*at == '"'];
        const char *close = *none ? NULL : memchr (at + 1, *at, (size_t) (r->end - at - 1));
        *none = !close;
        if (close) {
            *ret_value = (struct slice){ at + 1, (size_t) (close - at - 1) };
            return close + 1;
        }
        at++;
    }
    const char *start = at;
    while (at < r->end && !isspace ((unsigned char) *at) && *at != '>' && *at != '<')
        at++;
    *ret_value = (struct slice){ start, (size_t) (at - start) };
    return at;
}

static void
add_attribute (struct repair *r, struct slice name, struct slice value)
{
    buf_add_char (r->out, ' ');
    buf_add (r->out, name.text, name.bytes);
    buf_add_str (r->out, "=\"");
    add_text (r, value.text, value.text + MIN_OF (value.bytes, (size_t) ATTRIBUTE_BYTES), true);
    buf_add_char (r->out, '"');
}

/* Adds each attribute once. Returns where the tag ends: on its '>', its "/>", the next '<', or the
 * end. */
static const char *
read_attributes (struct repair *r, const char *at, bool keep)
{
    struct slice seen[ATTRIBUTES_MAX];
    size_t count = 0;
    while (at < r->end && *at != '>' && *at != '<') {
        struct slice name = read_name (at, r->end), value = { "", 0 };
        if (!name.bytes) {
            if (*at == '/' && at + 1 < r->end && at[1] == '>')
                break;
            at++;
            continue;
        }
        at = skip_space (name.text + name.bytes, r->end);
        if (at < r->end && *at == '=')
            at = read_value (r, at + 1, &value);
        bool known = count == ATTRIBUTES_MAX || name.bytes > NAME_BYTES;
        for (size_t i = 0; i < count && !known; i++)
            known = slice_equal (seen[i], name);
        if (known || !keep)
            continue;
        seen[count++] = name;
        add_attribute (r, name, value);
    }
    return at;
}

static void
read_start_tag (struct repair *r, struct slice name)
{
    /* A new item in an open one means that the end of the open one is missing. */
    if ((slice_is (name, "item") || slice_is (name, "entry")) && !r->too_deep) {
        size_t place = find_open (r, name);
        if (place < r->depth)
            close_until (r, place);
    }
    bool keep = r->depth < DEPTH_MAX && !r->too_deep;
    size_t start = r->out->len;
    if (keep) {
        buf_add_char (r->out, '<');
        buf_add (r->out, name.text, name.bytes);
    }
    const char *at = read_attributes (r, name.text + name.bytes, keep);
    bool empty = is_void (name) || (at < r->end && *at == '/');
    bool cut = at == r->end;
    r->at = cut ? at : *at == '/' ? at + 2 : *at == '>' ? at + 1 : at;
    r->run_bytes = 0;
    if (cut && keep) {
        r->out->len = start;
    } else if (keep) {
        buf_add_str (r->out, empty ? "/>" : ">");
        if (!empty)
            r->open[r->depth++] = name;
    } else if (!empty) {
        r->too_deep++;
    }
}

/* Skips a construct that ends with mark; *none remembers that there is no such end ahead. */
static const char *
find_end (struct repair *r, size_t skip, const char *mark, bool *none)
{
    const char *close = *none ? NULL : find (r->at + skip, r->end, mark);
    *none = !close;
    return close;
}

static void
skip_declaration (struct repair *r)
{
    const char *close = NULL;
    if (r->at[1] == '?') {
        close = find_end (r, 2, "?>", &r->no_pi_end);
        r->at = close ? close + 2 : r->at;
    } else if (r->end - r->at > 4 && memcmp (r->at, "<!--", 4) == 0) {
        close = find_end (r, 4, "-->", &r->no_comment_end);
        r->at = close ? close + 3 : r->at;
    }
    if (!close) {
        close = memchr (r->at, '>', (size_t) (r->end - r->at));
        r->at = close ? close + 1 : r->end;
    }
}

static void
read_cdata (struct repair *r)
{
    const char *close = find_end (r, 9, "]]>", &r->no_cdata_end);
    r->at += 9;
    add_run (r, close ? close : r->end, false);
    if (close)
        r->at = close + 3;
}

static void
read_markup (struct repair *r)
{
    char next = r->end - r->at > 1 ? r->at[1] : '\0';
    struct slice name = read_name (r->at + 1, r->end);
    if (name.bytes && name.bytes <= NAME_BYTES)
        read_start_tag (r, name);
    else if (next == '/')
        read_end_tag (r);
    else if (r->end - r->at >= 9 && memcmp (r->at, "<![CDATA[", 9) == 0)
        read_cdata (r);
    else if (next == '!' || next == '?')
        skip_declaration (r);
    else
        add_run (r, r->at + 1, true); /* no tag at all: a '<' of the text */
}

/* Behind a tag of at most ATTRIBUTES_MAX attributes, where at stands. NULL: it has more. */
static const char *
tag_end (const char *at, const char *end)
{
    size_t count = 0;
    for (; at < end && *at != '>'; at++) {
        if (*at == '=' && ++count > ATTRIBUTES_MAX)
            return NULL;
        const char *close = *at == '"' || *at == '\'' ? memchr (at + 1, *at, (size_t) (end - at - 1)) : at;
        at = close ? close : end - 1; /* never closed: nothing counts behind it */
    }
    return at;
}

bool
repair_is_due (const struct xml_body *body)
{
    static const struct {
        const char *start, *end;
    } skipped[] = { { "<!--", "-->" }, { "<![CDATA[", "]]>" }, { "<?", "?>" } };
    const char *at = body->text, *end = at + body->bytes;
    while (at && at < end && (at = memchr (at, '<', (size_t) (end - at)))) {
        size_t i = 0, bytes = 0;
        for (; i < COUNT_OF (skipped); i++) {
            bytes = strlen (skipped[i].start);
            if ((size_t) (end - at) > bytes && memcmp (at, skipped[i].start, bytes) == 0)
                break;
        }
        if (i < COUNT_OF (skipped))
            at = find (at + bytes, end, skipped[i].end);
        else if (!(at = tag_end (at, end)))
            return true;
    }
    return false;
}

void
repair_xml (const struct xml_body *body, struct buf *out)
{
    const char *end = body->text + body->bytes;
    struct repair r = { .body = body, .at = find_root (body->text, end), .end = end, .out = out };
    size_t done = out->len;
    while (r.at < r.end) {
        const char *tag = memchr (r.at, '<', (size_t) (r.end - r.at));
        if (tag != r.at)
            add_run (&r, tag ? tag : r.end, true);
        else
            read_markup (&r);
        if (!r.depth && out->len > done) /* the root is closed: what follows is no part of it */
            break;
    }
    close_until (&r, 0);
}
