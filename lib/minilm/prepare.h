/* prepare - from the weights as published to the prepared file.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MINILM_PREPARE_H
#define MINILM_PREPARE_H

#include "minilm/impl.h"

/* In single precision. */
struct tensors {
    float words[VOCABULARY * DIMENSIONS];
    float positions[WINDOW * DIMENSIONS]; /* with the one token type that there is */
    struct norm norm;
    struct {
        float qkv[QKV_SIZE * DIMENSIONS], out[DIMENSIONS * DIMENSIONS], up[UP_SIZE * DIMENSIONS], down[DIMENSIONS * UP_SIZE];
        float qkv_bias[QKV_SIZE], out_bias[DIMENSIONS], up_bias[UP_SIZE], down_bias[DIMENSIONS];
        struct norm out_norm, down_norm;
    } layers[LAYERS];
};

/* Both: 0, or -errno with reason in words. */
MUST_CHECK int tensors_read (const char *safetensors, struct tensors *tensors, char reason[MINILM_REASON]);
/* The vocabulary, and what looks up in it. */
MUST_CHECK int vocabulary_read (const char *tokenizer, struct weights *weights, char reason[MINILM_REASON]);

#endif
