/* The local embedder. A stem adds plus or minus its weight to a few of the dimensions, chosen by
 * its hash. SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"
#include "model/terms.h"

#include <math.h>
#include <string.h>

enum { HASHES = 4 }; /* signed hashes a stem */

/* The output function of splitmix64: every bit of the result depends on every bit of x. */
static uint64_t
hash_mix (uint64_t x)
{
    x += UINT64_C (0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C (0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void
vector_add (const struct terms *terms, float out[LOCAL_DIMENSIONS])
{
    for (size_t i = 0; i < terms->cap; i++) {
        if (!(terms->slots[i].count > 0))
            continue;
        float value = term_value (&terms->slots[i]);
        uint64_t hash = terms->slots[i].hash;
        for (int k = 0; k < HASHES; k++) {
            hash = hash_mix (hash);
            out[(hash >> 1) % LOCAL_DIMENSIONS] += hash & 1 ? value : -value;
        }
    }
}

static bool
vector_normalise (float out[LOCAL_DIMENSIONS])
{
    double sum = 0;
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        sum += (double) out[i] * (double) out[i];
    if (sum <= 0)
        return false;
    double scale = 1 / sqrt (sum);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        out[i] = (float) (out[i] * scale);
    return true;
}

void
local_text_put (const char *title, const char *text, size_t bytes, struct buf *out)
{
    if (title && *title)
        buf_printf (out, "%s\n\n", title);
    buf_add (out, text, bytes);
}

void
local_embed (const char *text, size_t bytes, float out[LOCAL_DIMENSIONS])
{
    struct stemmer *stemmer = stemmer_new ();
    struct terms terms = { 0 };
    terms_read (&terms, stemmer, text, bytes, TERMS_OF_PIECES);
    if (!terms.count) /* "To be, or not to be" */
        terms_read (&terms, stemmer, text, bytes, TERMS_OF_ALL);
    memset (out, 0, LOCAL_DIMENSIONS * sizeof *out);
    vector_add (&terms, out);
    if (!vector_normalise (out))
        out[0] = 1;
    terms_fini (&terms);
    stemmer_destroy (&stemmer);
}
