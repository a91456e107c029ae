/* SPDX-License-Identifier: MPL-2.0 */
#include "model/terms.h"

#include <math.h>
#include <stdlib.h>

enum { PIECE_BYTES = 4, PIECES_MOST = 16 };

/* Measured on public retrieval sets: more drowns the words, less finds fewer relatives. */
static const float piece_weight = 0.35f;
static const uint64_t piece_salt =
    UINT64_C (0x9e3779b97f4a7c15); /* a piece is no word of its own */

void
terms_fini (struct terms *terms)
{
    free (terms->slots);
    *terms = (struct terms){ 0 };
}

/* The slot of a hash, or the empty one where it belongs. FNV's low bits are its best. */
static struct term *
slot_find (const struct terms *terms, uint64_t hash)
{
    size_t at = (size_t) hash & (terms->cap - 1);
    while (terms->slots[at].count > 0 && terms->slots[at].hash != hash)
        at = (at + 1) & (terms->cap - 1);
    return &terms->slots[at];
}

static void
terms_grow (struct terms *terms)
{
    struct terms bigger = { .cap = terms->cap ? terms->cap * 2 : 64, .count = terms->count };
    bigger.slots = mem_alloc (bigger.cap * sizeof *bigger.slots);
    for (size_t i = 0; i < terms->cap; i++)
        if (terms->slots[i].count > 0)
            *slot_find (&bigger, terms->slots[i].hash) = terms->slots[i];
    free (terms->slots);
    *terms = bigger;
}

static void
terms_add (struct terms *terms, uint64_t hash, float weight, float count)
{
    if (terms->count * 2 >= terms->cap)
        terms_grow (terms);
    struct term *slot = slot_find (terms, hash);
    if (!(slot->count > 0)) {
        *slot = (struct term){ .hash = hash, .weight = weight };
        terms->count++;
    }
    slot->count += count;
}

static void
pieces_add (struct terms *terms, const struct word *stem, float weight)
{
    if (stem->bytes <= PIECE_BYTES)
        return;
    size_t pieces = MIN_OF (stem->bytes - PIECE_BYTES + 1, (size_t) PIECES_MOST);
    for (size_t i = 0; i < pieces; i++)
        terms_add (terms, num_hash (stem->text + i, PIECE_BYTES) ^ piece_salt, weight * piece_weight, 1);
}

void
terms_read (struct terms *terms, struct stemmer *stemmer, const char *text, size_t bytes,
            enum terms_of of)
{
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, text, bytes);
    while (word_next (&reader, &word)) {
        if (of != TERMS_OF_ALL && word_is_stop (&word))
            continue;
        stemmer_apply (stemmer, &word);
        float weight = stem_weight (&word);
        terms_add (terms, num_hash (word.text, word.bytes), weight, 1);
        if (of == TERMS_OF_PIECES && !word.gram)
            pieces_add (terms, &word, weight);
    }
}

void
terms_merge (struct terms *terms, const struct terms *other)
{
    for (size_t i = 0; i < other->cap; i++)
        if (other->slots[i].count > 0)
            terms_add (terms, other->slots[i].hash, other->slots[i].weight, other->slots[i].count);
}

float
term_value (const struct term *term)
{
    return (1 + logf (term->count)) * term->weight;
}

float
terms_norm (const struct terms *terms)
{
    float sum = 0;
    for (size_t i = 0; i < terms->cap; i++)
        if (terms->slots[i].count > 0)
            sum += term_value (&terms->slots[i]) * term_value (&terms->slots[i]);
    return sqrtf (sum);
}

float
terms_dot (const struct terms *a, const struct terms *b)
{
    float dot = 0;
    for (size_t i = 0; i < a->cap; i++) {
        const struct term *term = &a->slots[i];
        const struct term *other = term->count > 0 && b->count ? slot_find (b, term->hash) : NULL;
        if (other && other->count > 0)
            dot += term_value (term) * term_value (other);
    }
    return dot;
}
