/* SPDX-License-Identifier: MPL-2.0 */
#include "text/similarity.h"
#include "text/words.h"

#define ROWS 4 /* bins of a band */
#define BINS (SIMILARITY_BANDS * ROWS)
#define BIN_SHIFT 58 /* the hash's upper bits are its bin: log2 of BINS of them */
#define RUN_WORDS 3
#define EMPTY UINT64_MAX

/* The finalizer of splitmix64 (Steele, Lea, Flood, 2014): any change of the input changes half of the output's bits. */
static uint64_t
mix (uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C (0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* An empty bin takes what the next full one has, marked by the distance, so that it tells as much as a full one would. */
static void
fill_bins (const uint64_t least[BINS], uint64_t filled[BINS])
{
    for (size_t i = 0; i < BINS; i++) {
        size_t far = 0;
        while (least[(i + far) % BINS] == EMPTY)
            far++;
        filled[i] = least[(i + far) % BINS] + far;
    }
}

bool
similarity_bands (const char *text, size_t bytes, int64_t ret_bands[SIMILARITY_BANDS])
{
    struct word_reader reader;
    struct word word;
    uint64_t least[BINS], filled[BINS], last[RUN_WORDS] = { 0 };
    size_t words = 0;
    for (size_t i = 0; i < BINS; i++)
        least[i] = EMPTY;
    word_reader_init (&reader, text, bytes);
    while (word_next (&reader, &word)) {
        last[0] = last[1];
        last[1] = last[2];
        last[2] = mix (num_hash (word.text, word.bytes));
        if (++words < RUN_WORDS)
            continue;
        uint64_t run = mix (last[0] ^ mix (last[1] ^ mix (last[2])));
        uint64_t *bin = &least[run >> BIN_SHIFT];
        *bin = MIN_OF (*bin, run);
    }
    if (words < SIMILARITY_WORDS_LEAST)
        return false;
    fill_bins (least, filled);
    for (size_t band = 0; band < SIMILARITY_BANDS; band++) {
        uint64_t hash = mix (band + 1); /* the same hashes in another band are no match */
        for (size_t row = 0; row < ROWS; row++)
            hash = mix (hash ^ filled[band * ROWS + row]);
        ret_bands[band] = (int64_t) hash;
    }
    return true;
}
