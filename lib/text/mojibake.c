/* SPDX-License-Identifier: MPL-2.0 */
#include "text/mojibake.h"

#include <string.h>

#define LEAST 3       /* different ones are no accident, when the signs themselves leave doubt */
#define GOOD_OF_BAD 2 /* so many times more than what speaks against it */

/* What windows-1252 makes of 0x80 to 0x9f; 0: nothing. */
static const uint16_t signs[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

/* The byte that windows-1252, or ISO 8859-1 with its controls, reads as this; 0: none above ASCII. */
static unsigned char
byte_of (uint32_t point)
{
    if (point >= 0x80 && point <= 0xff)
        return (unsigned char) point;
    for (size_t i = 0; point > 0xff && i < COUNT_OF (signs); i++)
        if (signs[i] == point)
            return (unsigned char) (0x80 + i);
    return 0;
}

/* Bytes of the sequence that a first byte opens; 0: it opens none. */
static size_t
sequence_bytes (unsigned char first)
{
    return first >= 0xc2 && first <= 0xdf ? 2 : first >= 0xe0 && first <= 0xef ? 3 : first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* What stands at text: a character that was encoded twice, or another. */
struct look {
    size_t bytes;  /* read; 0: not UTF-8 */
    size_t length; /* of what it was once; 0: it is another */
    char once[4];
};

static struct look
look_at (const char *text, size_t bytes)
{
    uint32_t point;
    struct look look = { .bytes = utf8_decode (text, bytes, &point) };
    size_t length = sequence_bytes (byte_of (point)), got = 1;
    look.once[0] = (char) byte_of (point);
    for (; got < length; got++) {
        size_t step = utf8_decode (text + look.bytes, bytes - look.bytes, &point);
        unsigned char byte = step ? byte_of (point) : 0;
        if (byte < 0x80 || byte > 0xbf)
            break;
        look.once[got] = (char) byte;
        look.bytes += step;
    }
    if (length && got == length && utf8_decode (look.once, length, &point) == length)
        look.length = length;
    return look;
}

/* Signs that may follow any letter: quotes, dashes, blanks, marks, fractions, by their byte in windows-1252. */
static bool
is_typographic (char once)
{
    return strchr ("\x82\x84\x85\x8b\x91\x92\x93\x94\x96\x97\x99\x9b\xa0\xaa\xab\xae\xba\xbb\xbc\xbd\xbe", once);
}

/* "Ã©" and "Â£", "â€", "ðŸ" leave no doubt; "Ã»" does, as a word may end before it. */
static bool
is_sure (const struct look *look)
{
    unsigned char first = (unsigned char) look->once[0], second = (unsigned char) look->once[1];
    return (first <= 0xc3 && second >= 0xa0 && !strchr ("\xa0\xab\xae\xbb", look->once[1])) || (first == 0xe2 && second == 0x80)
           || (first == 0xf0 && second == 0x9f);
}

static bool
is_likely (const struct look *look)
{
    for (size_t i = 1; i < look->length; i++)
        if (!is_typographic (look->once[i]))
            return true;
    return false;
}

static size_t
next_special (const char *text, size_t at, size_t bytes)
{
    while (at < bytes && (unsigned char) text[at] < 0x80)
        at++;
    return at;
}

/* Whatever else is not ASCII speaks against it: all that came the same way was encoded twice. */
static bool
is_twice (const char *text, size_t bytes)
{
    size_t good = 0, bad = 0;
    uint64_t ends = 0; /* last bytes seen */
    bool sure = false;
    for (size_t at = next_special (text, 0, bytes); at < bytes; at = next_special (text, at, bytes)) {
        struct look look = look_at (text + at, bytes - at);
        if (!look.bytes)
            return false;
        bad += !look.length;
        if (look.length && (is_sure (&look) || is_likely (&look))) {
            good++;
            ends |= UINT64_C (1) << (look.once[look.length - 1] & 0x3f);
            sure |= is_sure (&look);
        }
        at += look.bytes;
    }
    return (sure || __builtin_popcountll (ends) >= LEAST) && bad * GOOD_OF_BAD <= good;
}

bool
mojibake_repair (char *text)
{
    size_t bytes = strlen (text), out = 0;
    if (!is_twice (text, bytes))
        return false;
    for (size_t at = 0; at < bytes;) {
        struct look look = (unsigned char) text[at] < 0x80 ? (struct look){ .bytes = 1 } : look_at (text + at, bytes - at);
        if (look.length)
            memcpy (text + out, look.once, look.length);
        else
            memmove (text + out, text + at, look.bytes);
        out += look.length ? look.length : look.bytes;
        at += look.bytes;
    }
    text[out] = '\0';
    return true;
}
