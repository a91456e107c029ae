/* chunk - cuts a text into overlapping pieces of whole words.
 *
 * A word is a maximal run of code points that are not White_Space (the 25 of Unicode's PropList); with cjk on, each Han,
 * Hiragana and Katakana code point is a word of its own. Chunk k holds the words k*step up to k*step + size, where
 * step = size - overlap; the last chunk is the first that reaches the last word, and stays as short as it is.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CHUNKER_CHUNK_H
#define CHUNKER_CHUNK_H

#include "base/base.h"

struct chunk_rule {
    size_t size;      /* words a chunk, at least 1 */
    size_t overlap;   /* words shared with the chunk before; less than size */
    size_t max_bytes; /* a longer word is cut at code point borders, each piece a word; 0: never */
    bool cjk;         /* scripts without spaces count code points as words */
};

struct chunk {
    size_t word_start, word_count;
    size_t byte_start, byte_end; /* text[byte_start, byte_end) is the chunk */
};

/* text: borrowed; bytes that are no UTF-8 are parts of words. *ret_chunks: given (free); NULL when there are none.
 * 0, or -EINVAL for an impossible rule. One pass, no I/O, never blocks. */
MUST_CHECK int chunk_split (const char *text, size_t bytes, const struct chunk_rule *rule,
                            struct chunk **ret_chunks, size_t *ret_count);

#endif
