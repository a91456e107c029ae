/* chunk - see chunk.h. Reads the text once; keeps no word positions: a chunk is opened at the start
 * of its first word and closed at the end of its last, so that only the chunks themselves take
 * memory. SPDX-License-Identifier: MPL-2.0 */
#include "stages/chunker/chunk.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a byte can be without decoding. Only eight kinds of lead byte can begin white space or an
 * ideograph, so that ASCII and most alphabets are passed byte by byte. A continuation byte never
 * begins anything. */
enum byte_class { BYTE_WORD, BYTE_SPACE, BYTE_LOOK };

static const uint8_t byte_classes[256] = {
    [0x09] = BYTE_SPACE, [0x0a] = BYTE_SPACE, [0x0b] = BYTE_SPACE, [0x0c] = BYTE_SPACE,
    [0x0d] = BYTE_SPACE, [0x20] = BYTE_SPACE,
    [0xc2] = BYTE_LOOK, /* 0085, 00a0 */
    [0xe1] = BYTE_LOOK, /* 1680 */
    [0xe2] = BYTE_LOOK, /* 2000-205f */
    [0xe3] = BYTE_LOOK, /* 3000-3fff: ideographic space, kana, Han */
    [0xe4] = BYTE_LOOK, [0xe5] = BYTE_LOOK, [0xe6] = BYTE_LOOK, [0xe7] = BYTE_LOOK,
    [0xe8] = BYTE_LOOK, [0xe9] = BYTE_LOOK, /* 4000-9fff: Han */
    [0xef] = BYTE_LOOK, /* f900-faff: Han; ff66-ff9d: kana */
    [0xf0] = BYTE_LOOK, /* 20000-3ffff: Han */
};

struct splitter {
    const char *text;
    const struct chunk_rule *rule;
    struct chunk *chunks;
    size_t opened, closed, cap; /* chunks; opened is at least closed */
    size_t until_open;          /* words before the next chunk begins */
    size_t until_close;         /* words before the oldest open chunk is full; at least 1 */
    size_t words, last_end;     /* words so far, and where the last one ended */
};

/* A code point above ASCII. */
static bool
point_is_space (uint32_t point)
{
    switch (point) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
        return true;
    default:
        return point >= 0x2000 && point <= 0x200a;
    }
}

static bool
point_is_cjk (uint32_t point)
{
    if (point >= 0x4e00 && point <= 0x9fff)
        return true;
    if (point < 0x3005)
        return false;
    return point == 0x3005 || point == 0x3007 || (point >= 0x3040 && point <= 0x30ff)
        || (point >= 0x31f0 && point <= 0x31ff) || (point >= 0x3400 && point <= 0x4dbf)
        || (point >= 0xf900 && point <= 0xfaff) || (point >= 0xff66 && point <= 0xff9d)
        || (point >= 0x20000 && point <= 0x3ffff);
}

static void
chunk_open (struct splitter *self, size_t byte_start)
{
    if (self->opened == self->cap) {
        self->cap = self->cap ? self->cap * 2 : 8;
        self->chunks = mem_grow (self->chunks, self->cap, sizeof *self->chunks);
    }
    self->chunks[self->opened++] =
        (struct chunk){ .word_start = self->words, .byte_start = byte_start };
    self->until_open = self->rule->size - self->rule->overlap;
}

static void
chunk_close (struct splitter *self)
{
    struct chunk *chunk = &self->chunks[self->closed++];
    chunk->word_count = self->words - chunk->word_start;
    chunk->byte_end = self->last_end;
    self->until_close = self->rule->size - self->rule->overlap;
}

static void
word_count (struct splitter *self, size_t start, size_t end)
{
    if (!self->until_open)
        chunk_open (self, start);
    self->until_open--;
    self->words++;
    self->last_end = end;
    if (!--self->until_close)
        chunk_close (self);
}

/* Cuts an overlong word; a code point longer than max_bytes stays whole. */
static void
word_cut (struct splitter *self, size_t start, size_t end)
{
    size_t max_bytes = self->rule->max_bytes;
    size_t piece = start;
    for (size_t at = start; at < end;) {
        uint32_t point;
        size_t step = utf8_decode (self->text + at, end - at, &point);
        step = step ? step : 1;
        if (at > piece && at + step - piece > max_bytes) {
            word_count (self, piece, at);
            piece = at;
        }
        at += step;
    }
    word_count (self, piece, end);
}

static inline void
word_add (struct splitter *self, size_t start, size_t end)
{
    if (self->rule->max_bytes && end - start > self->rule->max_bytes)
        word_cut (self, start, end);
    else
        word_count (self, start, end);
}

/* Where the bytes end that are surely parts of a word: eight at a time while there are eight. A
 * byte is taken as unsure if it is below 0x21 or above 0x7f; the lowest flag is exact, borrows
 * reach only higher ones. */
static size_t
plain_end (const unsigned char *text, size_t at, size_t bytes)
{
    const uint64_t ones = UINT64_C (0x0101010101010101);
    for (uint64_t eight; bytes - at >= sizeof eight; at += sizeof eight) {
        memcpy (&eight, text + at, sizeof eight);
        eight = le64toh (eight);
        uint64_t unsure = (((eight - ones * 0x21) & ~eight) | eight) & (ones * 0x80);
        if (unsure)
            return at + (size_t) __builtin_ctzll (unsure) / 8;
    }
    while (at < bytes && text[at] > 0x20 && text[at] < 0x80)
        at++;
    return at;
}

/* A valid sequence with a lead byte of e5 to e9 is an ideograph from 5000 to 9fff. */
static inline bool
is_plain_han (const unsigned char *text, size_t at, size_t bytes)
{
    return text[at] >= 0xe5 && text[at] <= 0xe9 && bytes - at >= 3 && (text[at + 1] & 0xc0) == 0x80
        && (text[at + 2] & 0xc0) == 0x80;
}

enum point_kind { POINT_OF_WORD, POINT_SPACE, POINT_ALONE };

static inline enum point_kind
point_read (const struct splitter *self, size_t at, size_t bytes, size_t *ret_step)
{
    const unsigned char *text = (const unsigned char *) self->text;
    uint32_t point = 0;
    *ret_step = 1;
    if (byte_classes[text[at]] != BYTE_LOOK)
        return byte_classes[text[at]] == BYTE_SPACE ? POINT_SPACE : POINT_OF_WORD;
    *ret_step = 3;
    if (self->rule->cjk && is_plain_han (text, at, bytes))
        return POINT_ALONE;
    size_t step = utf8_decode (self->text + at, bytes - at, &point);
    *ret_step = step ? step : 1;
    if (!step)
        return POINT_OF_WORD;
    if (point_is_space (point))
        return POINT_SPACE;
    return self->rule->cjk && point_is_cjk (point) ? POINT_ALONE : POINT_OF_WORD;
}

static void
words_read (struct splitter *self, size_t bytes)
{
    const unsigned char *text = (const unsigned char *) self->text;
    size_t start = 0, at = 0, step; /* [start, at) is the word being read */
    while (at < bytes) {
        if (text[at] < 0x80)
            at = plain_end (text, at, bytes);
        else
            while (at < bytes && byte_classes[text[at]] == BYTE_WORD)
                at++;
        if (at == bytes)
            break;
        enum point_kind kind = point_read (self, at, bytes, &step);
        if (kind == POINT_OF_WORD) {
            at += step;
            continue;
        }
        if (at > start)
            word_add (self, start, at);
        if (kind == POINT_ALONE)
            word_count (self, at, at + step);
        start = at += step;
    }
    if (at > start)
        word_add (self, start, at);
}

int
chunk_split (const char *text, size_t bytes, const struct chunk_rule *rule,
             struct chunk **ret_chunks, size_t *ret_count)
{
    if (!rule->size || rule->overlap >= rule->size)
        return -EINVAL;
    struct splitter self = { .text = text, .rule = rule, .until_close = rule->size };
    words_read (&self, bytes);
    /* The chunk after the last full one exists only if a word came since; those begun after it
     * repeat what it holds. */
    if (self.words && (!self.closed || self.chunks[self.closed - 1].byte_end < self.last_end))
        chunk_close (&self);
    if (!self.closed) {
        free (self.chunks);
        self.chunks = NULL;
    }
    *ret_chunks = self.chunks;
    *ret_count = self.closed;
    return 0;
}
