/* Chunks of any bytes under any rule. The first four bytes choose the rule.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/chunker/chunk.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes)
{
    if (bytes < 4)
        return 0;
    struct chunk_rule rule = { data[0] % 32, data[1] % 32, data[2] % 16, data[3] & 1 };
    struct chunk *chunks = NULL;
    size_t count = 0, words = 0;
    const char *text = (const char *) data + 4;
    bytes -= 4;
    int r = chunk_split (text, bytes, &rule, &chunks, &count);
    assert ((r == 0) == (rule.size > 0 && rule.overlap < rule.size));
    for (size_t k = 0; k < count; k++) {
        assert (chunks[k].byte_start < chunks[k].byte_end && chunks[k].byte_end <= bytes);
        assert (chunks[k].word_count <= rule.size && chunks[k].word_start <= words);
        assert (k + 1 == count || chunks[k].word_count == rule.size);
        assert (!k
                || (chunks[k].byte_start > chunks[k - 1].byte_start
                    && chunks[k].byte_end > chunks[k - 1].byte_end));
        assert (chunks[k].word_start + chunks[k].word_count > words);
        words = chunks[k].word_start + chunks[k].word_count;
    }
    free (chunks);
    return 0;
}
