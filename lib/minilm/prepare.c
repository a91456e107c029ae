/* prepare - reads weights as published and writes the prepared file. The format of the former: safetensors
 * (github.com/huggingface/safetensors, "Format"); of the vocabulary: tokenizer.json of Hugging Face's tokenizers.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_MAX (1 << 20)

/* ---- safetensors ---- */

struct source {
    const uint8_t *data; /* mapped */
    size_t bytes, begin; /* begin: of the tensors */
    json_t *header;
    char *reason;
};

static float
half (uint16_t bits)
{
    uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31)
        return NAN; /* or infinite: no number either way */
    float value = exponent ? ldexpf ((float) (fraction + 1024), (int) exponent - 25) : ldexpf ((float) fraction, -24);
    return bits >> 15 ? -value : value;
}

static int
source_open (struct source *self, const char *path, char *reason)
{
    struct stat status;
    uint64_t header_bytes = 0;
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    self->reason = reason;
    if (fd < 0 || fstat (fd, &status) < 0) {
        int r = -errno;
        snprintf (reason, MINILM_REASON, "cannot read %s: %s", path, strerror (errno));
        if (fd >= 0)
            close (fd);
        return r;
    }
    self->bytes = (size_t) status.st_size;
    void *data = self->bytes ? mmap (NULL, self->bytes, PROT_READ, MAP_PRIVATE, fd, 0) : MAP_FAILED;
    close (fd);
    if (data != MAP_FAILED) {
        self->data = data;
        if (self->bytes > sizeof header_bytes)
            memcpy (&header_bytes, self->data, sizeof header_bytes);
        self->begin = sizeof header_bytes + header_bytes;
        if (header_bytes > 0 && header_bytes < HEADER_MAX && self->begin <= self->bytes)
            self->header = json_loadb ((const char *) self->data + sizeof header_bytes, header_bytes, 0, NULL);
    }
    if (self->header)
        return 0;
    snprintf (reason, MINILM_REASON, "%s is no safetensors file", path);
    return -EBADMSG;
}

static void
source_close (struct source *self)
{
    if (self->data)
        munmap ((void *) (uintptr_t) self->data, self->bytes);
    json_decref (self->header);
}

static json_int_t
int_at (const json_t *entry, const char *key, size_t index)
{
    return json_integer_value (json_array_get (json_object_get (entry, key), index));
}

/* Of a tensor that has as many rows or more; columns 1: it may have that one dimension alone. */
static int
read_tensor (struct source *self, const char *name, size_t rows, size_t columns, float *out)
{
    const json_t *entry = json_object_get (self->header, name);
    const char *type = json_string_value (json_object_get (entry, "dtype"));
    json_int_t begin = int_at (entry, "data_offsets", 0), end = int_at (entry, "data_offsets", 1);
    size_t dimensions = json_array_size (json_object_get (entry, "shape")), each = type && strcmp (type, "F16") == 0 ? 2 : 4;
    json_int_t has_rows = int_at (entry, "shape", 0), has_columns = dimensions == 2 ? int_at (entry, "shape", 1) : 1;
    bool fits = type && (each == 2 || strcmp (type, "F32") == 0) && has_rows >= (json_int_t) rows && has_rows <= 2 * VOCABULARY
                && has_columns == (json_int_t) columns && begin >= 0 && end >= begin && (size_t) end <= self->bytes - self->begin
                && (size_t) (end - begin) == (size_t) has_rows * columns * each;
    if (!fits) {
        snprintf (self->reason, MINILM_REASON, "the weights are of another model: %s is not %zu by %zu numbers", name, rows, columns);
        return -EBADMSG;
    }
    const uint8_t *data = self->data + self->begin + begin;
    for (size_t i = 0; i < rows * columns; i++, data += each) {
        uint16_t bits;
        if (each == 4)
            memcpy (&out[i], data, 4);
        else {
            memcpy (&bits, data, 2);
            out[i] = half (bits);
        }
        if (!isfinite (out[i])) {
            snprintf (self->reason, MINILM_REASON, "%s has a value that is no number", name);
            return -EBADMSG;
        }
    }
    return 0;
}

/* A matrix and what is added to its products. */
static int
read_linear (struct source *self, const char *name, size_t rows, size_t columns, float *out, float *bias)
{
    char full[128];
    snprintf (full, sizeof full, "%s.weight", name);
    int r = read_tensor (self, full, rows, columns, out);
    snprintf (full, sizeof full, "%s.bias", name);
    return r < 0 ? r : read_tensor (self, full, rows, 1, bias);
}

static int
read_layer (struct source *self, size_t number, struct tensors *tensors)
{
    static const char *const parts[] = { "attention.self.query", "attention.self.key", "attention.self.value" };
    char name[96];
    int r = 0;
#define NAMED(part) (snprintf (name, sizeof name, "encoder.layer.%zu.%s", number, part), name)
    for (size_t i = 0; r == 0 && i < COUNT_OF (parts); i++)
        r = read_linear (self, NAMED (parts[i]), DIMENSIONS, DIMENSIONS,
                         tensors->layers[number].qkv + i * DIMENSIONS * DIMENSIONS, tensors->layers[number].qkv_bias + i * DIMENSIONS);
    if (r == 0)
        r = read_linear (self, NAMED ("attention.output.dense"), DIMENSIONS, DIMENSIONS, tensors->layers[number].out,
                         tensors->layers[number].out_bias);
    if (r == 0)
        r = read_linear (self, NAMED ("attention.output.LayerNorm"), DIMENSIONS, 1, tensors->layers[number].out_norm.weight,
                         tensors->layers[number].out_norm.bias);
    if (r == 0)
        r = read_linear (self, NAMED ("intermediate.dense"), UP_SIZE, DIMENSIONS, tensors->layers[number].up,
                         tensors->layers[number].up_bias);
    if (r == 0)
        r = read_linear (self, NAMED ("output.dense"), DIMENSIONS, UP_SIZE, tensors->layers[number].down,
                         tensors->layers[number].down_bias);
    if (r == 0)
        r = read_linear (self, NAMED ("output.LayerNorm"), DIMENSIONS, 1, tensors->layers[number].down_norm.weight,
                         tensors->layers[number].down_norm.bias);
#undef NAMED
    return r;
}

int
tensors_read (const char *path, struct tensors *tensors, char reason[MINILM_REASON])
{
    struct source source = { 0 };
    float types[DIMENSIONS];
    int r = source_open (&source, path, reason);
    if (r == 0)
        r = read_tensor (&source, "embeddings.word_embeddings.weight", VOCABULARY, DIMENSIONS, tensors->words);
    if (r == 0)
        r = read_tensor (&source, "embeddings.position_embeddings.weight", WINDOW, DIMENSIONS, tensors->positions);
    if (r == 0)
        r = read_tensor (&source, "embeddings.token_type_embeddings.weight", 1, DIMENSIONS, types);
    if (r == 0)
        r = read_linear (&source, "embeddings.LayerNorm", DIMENSIONS, 1, tensors->norm.weight, tensors->norm.bias);
    for (size_t i = 0; r == 0 && i < LAYERS; i++)
        r = read_layer (&source, i, tensors);
    for (size_t i = 0; r == 0 && i < WINDOW; i++)
        for (size_t j = 0; j < DIMENSIONS; j++)
            tensors->positions[i * DIMENSIONS + j] += types[j];
    source_close (&source);
    return r;
}

/* ---- the vocabulary ---- */

static int
no_vocabulary (char *reason, const char *path)
{
    snprintf (reason, MINILM_REASON, "%s is not the tokenizer of this model", path);
    return -EBADMSG;
}

int
vocabulary_read (const char *path, struct weights *weights, char reason[MINILM_REASON])
{
    json_error_t error;
    json_t *document = json_load_file (path, 0, &error), *id;
    json_t *vocabulary = json_object_get (json_object_get (document, "model"), "vocab");
    const char **tokens = mem_grow (NULL, VOCABULARY, sizeof *tokens), *token;
    bool ok = json_object_size (vocabulary) == VOCABULARY;
    size_t used = 0;
    memset (tokens, 0, VOCABULARY * sizeof *tokens);
    json_object_foreach (vocabulary, token, id) {
        json_int_t value = json_is_integer (id) ? json_integer_value (id) : -1;
        if (value >= 0 && value < VOCABULARY)
            tokens[value] = token;
    }
    for (size_t i = 0; ok && i < VOCABULARY; i++) {
        size_t bytes = tokens[i] ? strlen (tokens[i]) : 0;
        ok = bytes > 0 && used + bytes <= VOCABULARY_BYTES;
        if (!ok)
            break;
        memcpy (weights->vocabulary + used, tokens[i], bytes);
        used += bytes;
        weights->starts[i + 1] = (uint32_t) used;
        size_t slot = num_hash (tokens[i], bytes) % SLOTS;
        while (weights->slots[slot])
            slot = (slot + 1) % SLOTS;
        weights->slots[slot] = (uint16_t) (i + 1);
    }
    free (tokens);
    json_decref (document);
    return ok ? 0 : no_vocabulary (reason, path);
}

/* ---- the prepared file ---- */

static float
largest (const float *row, size_t count)
{
    float most = 1e-30f;
    for (size_t i = 0; i < count; i++)
        most = fmaxf (most, fabsf (row[i]));
    return most;
}

/* Of the sums of two neighbours of one sign: a kernel that adds up two products in 16 bits has 32767 for 255 times that. So no
 * pair may pass 128, of which rounding takes 1. */
static float
largest_pair (const float *row, size_t count)
{
    float most = 0;
    for (size_t i = 0; i < count; i += 2)
        if ((row[i] < 0) == (row[i + 1] < 0))
            most = fmaxf (most, fabsf (row[i] + row[i + 1]));
    return most;
}

/* step values stand together, stride apart from the next ones. */
static float
quantise_row (const float *row, size_t count, float most, int8_t *out, size_t step, size_t stride)
{
    for (size_t i = 0; i < count; i++)
        out[i / step * stride + i % step] = (int8_t) lrintf (row[i] / most * 127);
    return most / 127;
}

static void
quantise_linear (const float *values, size_t rows, size_t columns, int8_t *out, int32_t *sums, float *scales)
{
    for (size_t r = 0; r < rows; r++) {
        int8_t *first = out + r / BLOCK * BLOCK * columns + r % BLOCK * STEP;
        const float *row = values + r * columns;
        float most = fmaxf (largest (row, columns), largest_pair (row, columns));
        scales[r] = quantise_row (row, columns, most, first, STEP, BLOCK * STEP);
        sums[r] = 0;
        for (size_t i = 0; i < columns; i++)
            sums[r] += first[i / STEP * BLOCK * STEP + i % STEP];
    }
}

#define QUANTISE(part, rows, columns) do { \
    quantise_linear (from->part, rows, columns, to->part.values, to->part.sums, to->part.scales); \
    memcpy (to->part.bias, from->part##_bias, sizeof to->part.bias); \
} while (0)

static void
quantise (const struct tensors *tensors, struct weights *weights)
{
    for (size_t i = 0; i < VOCABULARY; i++) {
        const float *row = tensors->words + i * DIMENSIONS;
        weights->word_scales[i] = quantise_row (row, DIMENSIONS, largest (row, DIMENSIONS), weights->words + i * DIMENSIONS,
                                                DIMENSIONS, 0);
    }
    memcpy (weights->positions, tensors->positions, sizeof weights->positions);
    weights->norm = tensors->norm;
    for (size_t i = 0; i < LAYERS; i++) {
        const __typeof__ (tensors->layers[0]) *from = &tensors->layers[i];
        __typeof__ (weights->layers[0]) *to = &weights->layers[i];
        QUANTISE (qkv, QKV_SIZE, DIMENSIONS);
        QUANTISE (out, DIMENSIONS, DIMENSIONS);
        QUANTISE (up, UP_SIZE, DIMENSIONS);
        QUANTISE (down, DIMENSIONS, UP_SIZE);
        to->out_norm = from->out_norm;
        to->down_norm = from->down_norm;
    }
}

/* Beside path, then renamed, so that nobody sees half of it. */
static int
write_whole (const char *path, const struct weights *weights, char *reason)
{
    char *beside = mem_printf ("%s.XXXXXX", path);
    int fd = mkostemp (beside, O_CLOEXEC);
    const char *data = (const char *) weights;
    size_t done = 0;
    ssize_t n = 0;
    while (fd >= 0 && done < sizeof *weights && (n = write (fd, data + done, sizeof *weights - done)) > 0)
        done += (size_t) n;
    bool ok = fd >= 0 && done == sizeof *weights && fchmod (fd, 0644) == 0 && fsync (fd) == 0;
    int error = errno;
    if (fd >= 0 && close (fd) < 0 && ok) {
        ok = false;
        error = errno;
    }
    if (ok && rename (beside, path) < 0) {
        ok = false;
        error = errno;
    }
    if (!ok) {
        snprintf (reason, MINILM_REASON, "cannot write %s: %s", path, strerror (error));
        if (fd >= 0)
            unlink (beside);
    }
    free (beside);
    return ok ? 0 : -error;
}

int
minilm_prepare (const char *safetensors, const char *tokenizer, const char *licence, const char *path, char reason[MINILM_REASON])
{
    struct tensors *tensors = MEM_NEW (struct tensors);
    struct weights *weights = weights_new ();
    int r = tensors_read (safetensors, tensors, reason);
    if (r == 0)
        r = vocabulary_read (tokenizer, weights, reason);
    if (r == 0) {
        memcpy (weights->magic, WEIGHTS_MAGIC, sizeof weights->magic);
        weights->version = WEIGHTS_VERSION;
        snprintf (weights->name, sizeof weights->name, "%s", MINILM_NAME);
        snprintf (weights->licence, sizeof weights->licence, "%s", licence);
        quantise (tensors, weights);
        weights_sum (weights, weights->checksum);
        r = write_whole (path, weights, reason);
    }
    free (tensors);
    free (weights);
    return r;
}
