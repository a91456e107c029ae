/* terms - the hashed stems of a text and how often they occur: what the local summariser and
 * embedder count with. SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_TERMS_H
#define MODEL_TERMS_H

#include "base/base.h"
#include "text/words.h"

struct term {
    uint64_t hash;
    float count;  /* 0: an empty slot */
    float weight; /* how much the stem says, see stem_weight */
};

/* A hash table, zero-initialised is empty. Its users walk slots[0, cap) and pass over empty ones.
 */
struct terms {
    struct term *slots;
    size_t cap, count; /* cap: 0 or a power of two */
};

enum terms_of {
    TERMS_OF_STEMS,  /* all words but stop words */
    TERMS_OF_PIECES, /* likewise, and stems' runs of four bytes, which let relatives of a word meet
                      */
    TERMS_OF_ALL,    /* stop words too */
};

void terms_fini (struct terms *terms);
void terms_read (struct terms *terms, struct stemmer *stemmer, const char *text, size_t bytes,
                 enum terms_of of);
/* Adds the terms of another text, as often as they occur there. */
void terms_merge (struct terms *terms, const struct terms *other);
/* A term's weight in a vector: its count damped by the logarithm, times what it says. */
float term_value (const struct term *term);
/* Length of the vector. */
float terms_norm (const struct terms *terms);
/* Product of two vectors; takes time by the size of the first. Over both lengths it is the cosine. */
float terms_dot (const struct terms *a, const struct terms *b);

#endif
