/* base64 - RFC 4648. Decoding takes the standard and the URL-safe alphabet, with or without padding.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/base64.h"

#include <errno.h>

#define XX 0xff /* no digit; all digits have the top bit clear */

static const uint8_t digits[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, 62, XX, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX,
    XX, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, 63,
    XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
};

#undef XX

static size_t
without_padding (const char *text, size_t bytes)
{
    if (bytes % 4 == 0)
        for (int i = 0; i < 2 && bytes > 0 && text[bytes - 1] == '='; i++)
            bytes--;
    return bytes;
}

size_t
base64_decoded_bytes (const char *text, size_t bytes)
{
    bytes = without_padding (text, bytes);
    return bytes / 4 * 3 + bytes % 4 * 3 / 4;
}

int
base64_decode (const char *text, size_t bytes, uint8_t *out)
{
    const uint8_t *in = (const uint8_t *) text;
    bytes = without_padding (text, bytes);
    uint32_t faults = 0; /* looked at once in the end: the loop stays free of branches */
    const uint8_t *end = in + bytes / 4 * 4;
    for (; in < end; in += 4, out += 3) {
        uint32_t a = digits[in[0]], b = digits[in[1]], c = digits[in[2]], d = digits[in[3]];
        faults |= a | b | c | d;
        uint32_t word = a << 18 | b << 12 | c << 6 | d;
        out[0] = (uint8_t) (word >> 16);
        out[1] = (uint8_t) (word >> 8);
        out[2] = (uint8_t) word;
    }
    size_t rest = bytes % 4;
    if (rest == 1)
        return -EINVAL;
    uint32_t word = 0;
    for (size_t i = 0; i < rest; i++) {
        faults |= digits[in[i]];
        word |= (uint32_t) digits[in[i]] << (18 - 6 * i);
    }
    for (size_t i = 0; i + 1 < rest; i++)
        out[i] = (uint8_t) (word >> (16 - 8 * i));
    return faults & 0x80 ? -EINVAL : 0;
}

void
base64_encode (const void *data, size_t bytes, struct buf *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *in = data;
    buf_reserve (out, (bytes + 2) / 3 * 4);
    for (size_t at = 0; at < bytes; at += 3) {
        size_t left = MIN_OF (bytes - at, (size_t) 3);
        uint32_t word = 0;
        for (size_t i = 0; i < left; i++)
            word |= (uint32_t) in[at + i] << (16 - 8 * i);
        char four[4];
        for (size_t i = 0; i < 4; i++)
            four[i] = i <= left ? letters[word >> (18 - 6 * i) & 63] : '=';
        buf_add (out, four, sizeof four);
    }
}
