/* weights - the prepared file, checked before anything in it is trusted.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"

#include <errno.h>
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

/* A checksum tells of accidents. What would lead out of bounds is looked at beside it. */
static bool
is_sound (const struct weights *w)
{
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
