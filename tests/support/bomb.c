/* bomb - a gzip file that is small until it is unpacked, written by hand in one block of fixed
 * Huffman codes (RFC 1951, 1952). What it unpacks to is a sound feed with a right checksum, so that
 * a reader without a limit swallows it whole and reports no error.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <string.h>

#define CRC_POLYNOMIAL UINT32_C (0xedb88320)
#define MATCH_BYTES 258 /* the longest copy of earlier bytes that a code can say */

static const char head[] =
    "<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>Bomb</title>"
    "<item><guid>bomb-1</guid><title>Boom</title><description>Blanks";
static const char tail[] = "end here.</description></item></channel></rss>";

/* ---- bits ---- */

struct bits {
    struct buf *out;
    uint32_t held;
    unsigned int count;
};

static void
add_bits (struct bits *bits, uint32_t value, unsigned int count)
{
    bits->held |= value << bits->count;
    for (bits->count += count; bits->count >= 8; bits->count -= 8, bits->held >>= 8)
        buf_add_char (bits->out, (char) (bits->held & 0xff));
}

/* Huffman codes stand with their first bit first. */
static void
add_code (struct bits *bits, uint32_t code, unsigned int count)
{
    for (unsigned int i = count; i-- > 0;)
        add_bits (bits, code >> i & 1, 1);
}

static void
add_literals (struct bits *bits, const char *text)
{
    for (; *text; text++) /* ASCII: codes of eight bits */
        add_code (bits, 0x30 + (uint32_t) (unsigned char) *text, 8);
}

static void
add_blanks (struct bits *bits, size_t count)
{
    add_literals (bits, " ");
    for (count--; count >= MATCH_BYTES; count -= MATCH_BYTES) {
        add_code (bits, 0xc5, 8); /* length 258 */
        add_code (bits, 0, 5);    /* from one byte back */
    }
    for (; count > 0; count--)
        add_literals (bits, " ");
}

/* ---- checksum ---- */

static uint32_t
crc_byte (uint32_t crc, unsigned char byte)
{
    crc ^= byte;
    for (int i = 0; i < 8; i++)
        crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
    return crc;
}

static uint32_t
crc_text (uint32_t crc, const char *text)
{
    for (; *text; text++)
        crc = crc_byte (crc, (unsigned char) *text);
    return crc;
}

/* a times b modulo the polynomial, in the checksum's order of bits. */
static uint32_t
crc_times (uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (uint32_t bit = UINT32_C (1) << 31; bit; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b >> 1 ^ (b & 1 ? CRC_POLYNOMIAL : 0);
    }
    return product;
}

/* Past `count` blanks in a few steps: one blank turns crc into crc * factor + term, and two such
 * turns in a row are again one of that kind. */
static uint32_t
crc_blanks (uint32_t crc, size_t count)
{
    uint32_t factor = UINT32_C (1) << 23, term = crc_byte (0, ' ');
    for (; count; count >>= 1) {
        if (count & 1)
            crc = crc_times (crc, factor) ^ term;
        term ^= crc_times (term, factor);
        factor = crc_times (factor, factor);
    }
    return crc;
}

void
bomb_build (struct buf *out, size_t blanks)
{
    static const unsigned char header[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255 };
    struct bits bits = { .out = out };
    buf_add (out, header, sizeof header);
    add_bits (&bits, 3, 3); /* the last block, fixed codes */
    add_literals (&bits, head);
    add_blanks (&bits, blanks);
    add_literals (&bits, tail);
    add_code (&bits, 0, 7); /* the end */
    if (bits.count)
        add_bits (&bits, 0, 8 - bits.count);
    uint32_t crc = crc_text (crc_blanks (crc_text (UINT32_MAX, head), blanks), tail) ^ UINT32_MAX;
    uint32_t bytes = (uint32_t) (strlen (head) + blanks + strlen (tail));
    for (unsigned int i = 0; i < 32; i += 8)
        add_bits (&bits, crc >> i & 0xff, 8);
    for (unsigned int i = 0; i < 32; i += 8)
        add_bits (&bits, bytes >> i & 0xff, 8);
}
