/* The local models on any bytes: a summary is valid UTF-8 of bounded length, a vector is finite and
 * of length 1. SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"
#include "text/sentence.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes);

static void
sentences_check (const char *text, size_t bytes)
{
    struct sentence *list;
    size_t count = sentence_split (text, bytes, &list);
    for (size_t i = 0; i < count; i++) {
        assert (list[i].start < list[i].end && list[i].end <= bytes);
        assert (!i || list[i].start >= list[i - 1].end);
    }
    free (list);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t bytes)
{
    const char *text = (const char *) data;
    float vector[LOCAL_DIMENSIONS];
    double sum = 0;
    sentences_check (text, bytes);
    char *summary = local_summarise (NULL, text, bytes);
    size_t length = strlen (summary);
    assert (utf8_valid_bytes (summary, length) == length);
    assert (length <= LOCAL_SUMMARY_SENTENCES * 4 * 401 + 4);
    free (summary);
    local_embed (text, bytes, vector);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        sum += (double) vector[i] * (double) vector[i];
    assert (fabs (sum - 1) < 1e-4);
    return 0;
}
