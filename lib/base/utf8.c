/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <ctype.h>
#include <string.h>

size_t
utf8_decode (const char *text, size_t bytes, uint32_t *ret_point)
{
    const unsigned char *p = (const unsigned char *) text;
    if (!bytes)
        return 0;
    if (p[0] < 0x80) {
        *ret_point = p[0];
        return 1;
    }
    size_t length;
    uint32_t point, least;
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        length = 2, point = p[0] & 0x1f, least = 0x80;
    else if (p[0] >= 0xe0 && p[0] <= 0xef)
        length = 3, point = p[0] & 0x0f, least = 0x800;
    else if (p[0] >= 0xf0 && p[0] <= 0xf4)
        length = 4, point = p[0] & 0x07, least = 0x10000;
    else
        return 0;
    if (bytes < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (p[i] & 0x3f);
    }
    if (point < least || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return 0;
    *ret_point = point;
    return length;
}

size_t
utf8_encode (uint32_t point, char out[4])
{
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        point = 0xfffd;
    if (point < 0x80) {
        out[0] = (char) point;
        return 1;
    }
    size_t length = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char) (0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (char) (lead[length] | point);
    return length;
}

/* Bytes at the start that are ASCII, by words of eight. */
static size_t
ascii_bytes (const char *text, size_t bytes)
{
    size_t at = 0;
    uint64_t word;
    for (; at + sizeof word <= bytes; at += sizeof word) {
        memcpy (&word, text + at, sizeof word);
        if (word & UINT64_C (0x8080808080808080))
            break;
    }
    while (at < bytes && (unsigned char) text[at] < 0x80)
        at++;
    return at;
}

size_t
utf8_valid_bytes (const char *text, size_t bytes)
{
    size_t at = 0;
    uint32_t point;
    while ((at += ascii_bytes (text + at, bytes - at)) < bytes) {
        size_t step = utf8_decode (text + at, bytes - at, &point);
        if (!step)
            break;
        at += step;
    }
    return at;
}

char *
utf8_clean (const char *text, size_t bytes, size_t max_bytes)
{
    if ((!max_bytes || bytes <= max_bytes) && !memchr (text, 0, bytes) && utf8_valid_bytes (text, bytes) == bytes)
        return mem_copy (text, bytes); /* nearly always */
    struct buf out = { 0 };
    buf_reserve (&out, max_bytes ? MIN_OF (bytes, max_bytes) : bytes);
    for (size_t at = 0; at < bytes;) {
        uint32_t point = 0xfffd;
        size_t step = utf8_decode (text + at, bytes - at, &point);
        char code[4];
        size_t length = utf8_encode (step ? point : 0xfffd, code);
        if (max_bytes && out.len + length > max_bytes)
            break;
        if (!step || point)
            buf_add (&out, code, length);
        at += step ? step : 1;
    }
    return buf_take (&out);
}

char *
utf8_trim (const char *text, size_t max_bytes)
{
    if (!text)
        return NULL;
    while (isspace ((unsigned char) *text))
        text++;
    size_t bytes = strlen (text);
    while (bytes && isspace ((unsigned char) text[bytes - 1]))
        bytes--;
    return bytes ? utf8_clean (text, bytes, max_bytes) : NULL;
}
