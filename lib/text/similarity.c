/* SPDX-License-Identifier: MPL-2.0 */
#include "text/similarity.h"
#include "text/words.h"

#define ROWS 4 /* hashes of a band */
#define HASHES (SIMILARITY_BANDS * ROWS)
#define RUN_WORDS 3

/* The finalizer of splitmix64 (Steele, Lea, Flood, 2014): any change of the input changes half of the output's bits. */
static uint64_t
mix (uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C (0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static void
take_run (uint64_t run, const uint64_t factors[HASHES], uint32_t least[HASHES])
{
    for (size_t i = 0; i < HASHES; i++) {
        uint32_t hash = (uint32_t) ((run * factors[i]) >> 32); /* multiply-shift (Dietzfelbinger et al., 1997) */
        least[i] = MIN_OF (least[i], hash);
    }
}

bool
similarity_bands (const char *text, size_t bytes, int64_t ret_bands[SIMILARITY_BANDS], size_t *ret_words)
{
    struct word_reader reader;
    struct word word;
    uint64_t factors[HASHES], last[RUN_WORDS] = { 0 };
    uint32_t least[HASHES];
    size_t words = 0, grams = 0;
    for (size_t i = 0; i < HASHES; i++) {
        factors[i] = mix (i + 1) | 1;
        least[i] = UINT32_MAX;
    }
    word_reader_init (&reader, text, bytes);
    while (word_next (&reader, &word)) {
        last[0] = last[1];
        last[1] = last[2];
        last[2] = mix (num_hash (word.text, word.bytes));
        if (++words >= RUN_WORDS)
            take_run (mix (last[0] ^ mix (last[1] ^ mix (last[2]))), factors, least);
        grams += word.gram;
    }
    *ret_words = words - grams / 2;
    if (words < SIMILARITY_WORDS_LEAST)
        return false;
    for (size_t band = 0; band < SIMILARITY_BANDS; band++) {
        uint64_t hash = mix (band + 1); /* the same hashes in another band are no match */
        for (size_t row = 0; row < ROWS; row++)
            hash = mix (hash ^ least[band * ROWS + row]);
        ret_bands[band] = (int64_t) hash;
    }
    return true;
}
