/* weights - the prepared file, checked before anything in it is trusted.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"

#include <errno.h>
#include <math.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct weights *
weights_new (void)
{
    struct weights *weights = aligned_alloc (_Alignof (struct weights), sizeof *weights);
    if (!weights) {
        log_error ("out of memory");
        abort ();
    }
    return memset (weights, 0, sizeof *weights);
}

void
weights_sum (const struct weights *weights, uint8_t checksum[32])
{
    size_t from = offsetof (struct weights, checksum) + sizeof weights->checksum;
    SHA256 ((const uint8_t *) weights + from, sizeof *weights - from, checksum);
}

#define NUMBER_MAX 1e4f /* far above what there is, and too small for products of the whole network to overflow */

static bool
are_numbers (const float *values, size_t count)
{
    bool ok = true;
    for (size_t i = 0; i < count; i++)
        ok &= fabsf (values[i]) < NUMBER_MAX; /* false for what is no number */
    return ok;
}

static bool
is_norm (const struct norm *norm)
{
    return are_numbers (norm->weight, DIMENSIONS) && are_numbers (norm->bias, DIMENSIONS);
}

static bool
are_sums (const int32_t *sums, size_t rows, size_t columns)
{
    const int32_t most = (int32_t) columns * 128;
    bool ok = true;
    for (size_t i = 0; i < rows; i++)
        ok &= sums[i] >= -most && sums[i] <= most;
    return ok;
}

#define IS_LINEAR(part, rows, columns) \
    (are_sums (layer->part.sums, rows, columns) && are_numbers (layer->part.scales, rows) && are_numbers (layer->part.bias, rows))

static bool
are_layers (const struct weights *w)
{
    bool ok = true;
    for (const __typeof__ (w->layers[0]) *layer = w->layers; ok && layer < w->layers + LAYERS; layer++)
        ok = IS_LINEAR (qkv, QKV_SIZE, DIMENSIONS) && IS_LINEAR (out, DIMENSIONS, DIMENSIONS) && IS_LINEAR (up, UP_SIZE, DIMENSIONS)
             && IS_LINEAR (down, DIMENSIONS, UP_SIZE) && is_norm (&layer->out_norm) && is_norm (&layer->down_norm);
    return ok;
}

/* A checksum tells of accidents. What would lead out of bounds, or numbers out of theirs, is looked at beside it. */
static bool
is_sound (const struct weights *w)
{
    if (!are_numbers (w->word_scales, VOCABULARY) || !are_numbers (w->positions, COUNT_OF (w->positions)) || !is_norm (&w->norm)
        || !are_layers (w))
        return false;
    if (!memchr (w->name, '\0', sizeof w->name) || !memchr (w->licence, '\0', sizeof w->licence) || w->starts[0] != 0)
        return false;
    for (size_t i = 0; i < VOCABULARY; i++)
        if (w->starts[i + 1] < w->starts[i] || w->starts[i + 1] > VOCABULARY_BYTES)
            return false;
    size_t empty = 0;
    for (size_t i = 0; i < SLOTS; i++) {
        empty += w->slots[i] == 0;
        if (w->slots[i] > VOCABULARY)
            return false;
    }
    return empty > 0;
}

int
weights_check (const struct weights *w, size_t bytes, const char *path, char reason[MINILM_REASON])
{
    uint8_t checksum[32];
    if (bytes < offsetof (struct weights, checksum) || memcmp (w->magic, WEIGHTS_MAGIC, sizeof w->magic) != 0)
        snprintf (reason, MINILM_REASON, "%s is no file of weights that newsmill prepared", path);
    else if (w->version != WEIGHTS_VERSION)
        snprintf (reason, MINILM_REASON, "%s is of version %u, this program reads version %u", path, w->version, WEIGHTS_VERSION);
    else if (bytes != sizeof *w)
        snprintf (reason, MINILM_REASON, "%s has %zu bytes, not %zu: it is %s", path, bytes, sizeof *w,
                  bytes < sizeof *w ? "cut short" : "longer than it was");
    else {
        weights_sum (w, checksum);
        if (memcmp (checksum, w->checksum, sizeof checksum) == 0 && is_sound (w))
            return 0;
        snprintf (reason, MINILM_REASON, "%s is damaged: its checksum is wrong", path);
    }
    return -EBADMSG;
}
