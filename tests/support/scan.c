/* scan - the reader.
 * SPDX-License-Identifier: MPL-2.0 */
#include "scan.h"

#include <string.h>

#define DEPTH_MAX 32

static void
skip_blanks (struct scan *scan)
{
    while (scan->at < scan->end && memchr (" \t\r\n", *scan->at, 4))
        scan->at++;
}

static void
expect (struct scan *scan, char c)
{
    skip_blanks (scan);
    if (scan->bad || scan->at == scan->end || *scan->at != c)
        scan->bad = true;
    else
        scan->at++;
}

void
scan_open (struct scan *scan, char bracket)
{
    expect (scan, bracket);
    scan->fresh = true;
}

bool
scan_more (struct scan *scan, char bracket)
{
    skip_blanks (scan);
    bool fresh = scan->fresh;
    scan->fresh = false;
    if (!scan->bad && scan->at < scan->end && *scan->at == bracket) {
        scan->at++;
        return false;
    }
    if (!fresh)
        expect (scan, ',');
    return !scan->bad;
}

struct scan_text
scan_string (struct scan *scan)
{
    struct scan_text text = { .data = "" };
    expect (scan, '"');
    if (scan->bad)
        return text;
    const char *at = scan->at, *end = scan->end;
    while (at < end && *at != '"' && (unsigned char) *at >= 0x20) {
        if (*at == '\\') {
            text.escaped = true;
            at++;
            if (at == end)
                break;
        }
        at++;
    }
    if (at >= end || *at != '"') {
        scan->bad = true;
        return (struct scan_text){ .data = "" };
    }
    text.data = scan->at;
    text.bytes = (size_t) (at - scan->at);
    scan->at = at + 1;
    return text;
}

struct scan_text
scan_key (struct scan *scan)
{
    struct scan_text key = scan_string (scan);
    expect (scan, ':');
    return key;
}

/* A number or a word. */
static void
skip_bare (struct scan *scan)
{
    const char *start = scan->at;
    while (scan->at < scan->end && *scan->at && strchr ("+-.0123456789Eaeflnrstu", *scan->at))
        scan->at++;
    size_t bytes = (size_t) (scan->at - start);
    bool number = bytes > 0 && strchr ("-0123456789", *start);
    bool word = (bytes == 4 && (!memcmp (start, "true", 4) || !memcmp (start, "null", 4))) ||
                (bytes == 5 && !memcmp (start, "false", 5));
    if (!number && !word)
        scan->bad = true;
}

static void
skip_value (struct scan *scan, int depth)
{
    skip_blanks (scan);
    if (scan->bad || scan->at == scan->end || depth > DEPTH_MAX)
        scan->bad = true;
    else if (*scan->at == '"')
        (void) scan_string (scan);
    else if (*scan->at == '{')
        for (scan_open (scan, '{'); scan_more (scan, '}'); skip_value (scan, depth + 1))
            (void) scan_key (scan);
    else if (*scan->at == '[')
        for (scan_open (scan, '['); scan_more (scan, ']');)
            skip_value (scan, depth + 1);
    else
        skip_bare (scan);
}

void
scan_skip (struct scan *scan)
{
    skip_value (scan, 0);
}

int64_t
scan_integer (struct scan *scan)
{
    skip_blanks (scan);
    const char *start = scan->at;
    skip_bare (scan);
    char digits[24] = "";
    int64_t value = 0;
    size_t bytes = (size_t) (scan->at - start);
    if (!scan->bad && bytes < sizeof digits)
        memcpy (digits, start, bytes);
    if (num_parse (digits, INT32_MIN, INT32_MAX, &value) < 0)
        scan->bad = true;
    return value;
}

bool
scan_at_string (struct scan *scan)
{
    skip_blanks (scan);
    return !scan->bad && scan->at < scan->end && *scan->at == '"';
}

bool
scan_done (struct scan *scan)
{
    skip_blanks (scan);
    return !scan->bad && scan->at == scan->end;
}

bool
scan_is (const struct scan_text *text, const char *word)
{
    return text->bytes == strlen (word) && memcmp (text->data, word, text->bytes) == 0;
}

/* ---- escapes ---- */

/* Four hex digits, or -1. */
static int32_t
hex4 (const char *at, const char *end)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    int32_t value = 0;
    if (end - at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const char *digit = at[i] ? strchr (digits, at[i]) : NULL;
        if (!digit)
            return -1;
        value = value * 16 + (int32_t) ((digit - digits) % 16);
    }
    return value;
}

/* at: behind the "\u". Returns what was read, 0 if it is wrong. */
static size_t
unescape_point (struct buf *out, const char *at, const char *end)
{
    int32_t point = hex4 (at, end);
    size_t used = 4;
    if (point < 0)
        return 0;
    if (point >= 0xd800 && point < 0xdc00 && end - at >= 10 && at[4] == '\\' && at[5] == 'u') {
        int32_t low = hex4 (at + 6, end);
        if (low >= 0xdc00 && low < 0xe000) {
            point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
            used = 10;
        }
    }
    char bytes[4];
    buf_add (out, bytes, utf8_encode ((uint32_t) point, bytes));
    return used;
}

bool
scan_unescape (struct buf *out, const struct scan_text *text)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = text->data, *end = at + text->bytes;
    buf_reserve (out, text->bytes);
    while (at < end) {
        const char *stop = memchr (at, '\\', (size_t) (end - at));
        buf_add (out, at, (size_t) ((stop ? stop : end) - at));
        if (!stop)
            break;
        at = stop + 2; /* scan_string saw to it that something follows */
        const char *plain = stop[1] ? strchr (from, stop[1]) : NULL;
        size_t used = stop[1] == 'u' ? unescape_point (out, at, end) : 0;
        if (plain)
            buf_add_char (out, to[plain - from]);
        else if (used)
            at += used;
        else
            return false;
    }
    return true;
}
