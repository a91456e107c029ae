/* minilm, inside: the prepared file, the model as the encoder sees it, and the encoder, compiled once for each kernel.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MINILM_IMPL_H
#define MINILM_IMPL_H

#include "minilm/minilm.h"

#define DIMENSIONS MINILM_DIMENSIONS
#define WINDOW MINILM_WINDOW
#define LAYERS 6
#define HEADS 12
#define HEAD_SIZE (DIMENSIONS / HEADS)
#define UP_SIZE (4 * DIMENSIONS)
#define QKV_SIZE (3 * DIMENSIONS)
#define VOCABULARY 30522
#define TOKEN_UNKNOWN 100
#define TOKEN_FIRST 101 /* [CLS] */
#define TOKEN_LAST 102  /* [SEP] */

/* ---- weights.c: the prepared file. It is this structure, little-endian, so a change of it is another version ---- */

#define WEIGHTS_MAGIC "newsmill MiniLM\n"
#define WEIGHTS_VERSION 1
#define SLOTS 65536 /* of the vocabulary's hash table; open addressing, by num_hash */
#define VOCABULARY_BYTES (256 * 1024)

/* Rows of a matrix stand in blocks of 32: of each, 4 values at a time, so that one load has those of 16 rows (or 8, or 4). */
#define BLOCK 32
#define STEP 4
#define LINEAR(rows, columns) struct { \
    int8_t values[(rows) * (columns)]; \
    int32_t sums[rows]; \
    float scales[rows], bias[rows]; \
}

struct norm {
    float weight[DIMENSIONS], bias[DIMENSIONS];
};

struct weights {
    char magic[16];
    uint32_t version;
    uint8_t checksum[32];                /* SHA-256 of all that follows */
    char name[64], licence[2048];
    uint32_t starts[VOCABULARY + 1];     /* of tokens, in vocabulary; each goes to where the next one starts */
    uint16_t slots[SLOTS];               /* id + 1; 0: empty */
    char vocabulary[VOCABULARY_BYTES];
    _Alignas (64) float word_scales[VOCABULARY];
    _Alignas (64) int8_t words[VOCABULARY * DIMENSIONS];
    float positions[WINDOW * DIMENSIONS]; /* with the one token type that there is */
    struct norm norm;
    struct {
        _Alignas (64) LINEAR (QKV_SIZE, DIMENSIONS) qkv;
        _Alignas (64) LINEAR (DIMENSIONS, DIMENSIONS) out;
        _Alignas (64) LINEAR (UP_SIZE, DIMENSIONS) up;
        _Alignas (64) LINEAR (DIMENSIONS, UP_SIZE) down;
        struct norm out_norm, down_norm;
    } layers[LAYERS];
};

struct weights *weights_new (void); /* zeroed, and aligned. given (free) */
/* Whether the file of so many bytes is one: 0, or -EBADMSG with reason. */
MUST_CHECK int weights_check (const struct weights *weights, size_t bytes, const char *path, char reason[MINILM_REASON]);
void weights_sum (const struct weights *weights, uint8_t checksum[32]);

/* ---- wordpiece.c ---- */

typedef void take_fn (void *context, uint16_t id);
/* Calls take for each token of the text. */
void wordpiece (const struct weights *weights, const char *text, size_t bytes, take_fn *take, void *context);

/* ---- encoder.c ---- */

/* out = a times b transposed, row by row: out[i][j] = sum of a[i][k] b[j][k]. Strides in floats. */
typedef void product_fn (const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t columns, size_t depth,
                         float *out, size_t out_stride);

struct linear {
    const int8_t *values;
    const int32_t *sums;
    const float *scales, *bias;
    const float *exact;                  /* rows x columns; NULL: by the four above */
    size_t rows, columns;                /* outputs, inputs */
};

struct layer {
    struct linear qkv, out, up, down;
    const struct norm *out_norm, *down_norm;
};

struct network {
    const int8_t *words;
    const float *word_scales;
    const float *exact_words;            /* NULL: by the two above */
    const float *positions;
    const struct norm *norm;
    struct layer layers[LAYERS];
    product_fn *product;                 /* for what is exact */
};

struct kernel {
    const char *name;
    size_t scratch_bytes;
    /* Adds the mean of the vectors of count tokens (at most WINDOW) to out. scratch: at 64 bytes, what it holds does not matter. */
    void (*encode) (const struct network *network, const uint16_t *ids, size_t count, void *scratch, float out[DIMENSIONS]);
    product_fn *product;
};

extern const struct kernel kernel_avx512vnni, kernel_avx2, kernel_portable;
/* The fastest that this machine has; name: that one, or NULL if it is unknown or not to be had here. */
const struct kernel *kernel_find (const char *name);

/* ---- minilm.c: for the benchmark ---- */

void minilm_use_product (struct minilm *self, product_fn *product); /* instead of the kernel's own, where it is exact */

#endif
