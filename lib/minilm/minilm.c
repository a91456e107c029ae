/* minilm - opens a model and has texts go through it, window by window.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"
#include "minilm/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct minilm {
    struct weights *weights;
    bool mapped;             /* else both are on the heap */
    struct tensors *tensors; /* NULL: by the weights */
    struct network network;
    const struct kernel *kernel;
    void *scratch;
    uint64_t tokens;
};

/* ---- kernels ---- */

static bool
always (void)
{
    return true;
}

#if defined __x86_64__
static bool
has_avx512vnni (void)
{
    return __builtin_cpu_supports ("avx512vnni") && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq")
           && __builtin_cpu_supports ("avx512vl");
}

static bool
has_avx2 (void)
{
    return __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma");
}
#endif

const struct kernel *
kernel_find (const char *name)
{
    static const struct {
        const struct kernel *kernel;
        bool (*is_here) (void);
    } kernels[] = {
#if defined __x86_64__
        { &kernel_avx512vnni, has_avx512vnni }, { &kernel_avx2, has_avx2 },
#endif
        { &kernel_portable, always },
    };
    for (size_t i = 0; i < COUNT_OF (kernels); i++)
        if ((!name || strcmp (name, kernels[i].kernel->name) == 0) && kernels[i].is_here ())
            return kernels[i].kernel;
    return NULL;
}

/* ---- opening ---- */

#define LINEAR_OF(part, outputs, inputs) (struct linear){ \
    from->part.values, from->part.sums, from->part.scales, exact ? exact->part##_bias : from->part.bias, exact ? exact->part : NULL, \
    outputs, inputs \
}

static void
connect_layer (const struct weights *weights, const struct tensors *tensors, size_t number, struct layer *layer)
{
    const __typeof__ (weights->layers[0]) *from = &weights->layers[number];
    const __typeof__ (tensors->layers[0]) *exact = tensors ? &tensors->layers[number] : NULL;
    layer->qkv = LINEAR_OF (qkv, QKV_SIZE, DIMENSIONS);
    layer->out = LINEAR_OF (out, DIMENSIONS, DIMENSIONS);
    layer->up = LINEAR_OF (up, UP_SIZE, DIMENSIONS);
    layer->down = LINEAR_OF (down, DIMENSIONS, UP_SIZE);
    layer->out_norm = exact ? &exact->out_norm : &from->out_norm;
    layer->down_norm = exact ? &exact->down_norm : &from->down_norm;
}

static struct minilm *
new_of (struct weights *weights, bool mapped, struct tensors *tensors)
{
    const char *name = getenv ("NEWSMILL_KERNEL");
    struct minilm *self = MEM_NEW (struct minilm);
    struct network *network = &self->network;
    self->weights = weights;
    self->mapped = mapped;
    self->tensors = tensors;
    self->kernel = kernel_find (name);
    if (!self->kernel) {
        self->kernel = kernel_find (NULL);
        log_warn ("NEWSMILL_KERNEL=%s is not to be had here, %s is used", name, self->kernel->name);
    }
    self->scratch = aligned_alloc (64, self->kernel->scratch_bytes);
    if (!self->scratch)
        abort ();
    network->words = weights->words;
    network->word_scales = weights->word_scales;
    network->exact_words = tensors ? tensors->words : NULL;
    network->positions = tensors ? tensors->positions : weights->positions;
    network->norm = tensors ? &tensors->norm : &weights->norm;
    network->product = self->kernel->product;
    for (size_t i = 0; i < LAYERS; i++)
        connect_layer (weights, tensors, i, &network->layers[i]);
    return self;
}

int
minilm_open (const char *path, struct minilm **ret_minilm, char reason[MINILM_REASON])
{
    struct stat status;
    int fd = open (path, O_RDONLY | O_CLOEXEC), r = fd < 0 || fstat (fd, &status) < 0 ? -errno : 0;
    size_t bytes = r == 0 ? (size_t) status.st_size : 0;
    void *data = bytes ? mmap (NULL, bytes, PROT_READ, MAP_SHARED, fd, 0) : NULL;
    if (data == MAP_FAILED)
        r = -errno;
    if (fd >= 0)
        close (fd);
    if (r < 0) {
        snprintf (reason, MINILM_REASON, "cannot read %s: %s", path, strerror (-r));
        return r;
    }
    r = weights_check (data, bytes, path, reason);
    if (r < 0) {
        if (bytes)
            munmap (data, bytes);
        return r;
    }
    *ret_minilm = new_of (data, true, NULL);
    return 0;
}

int
minilm_open_exact (const char *safetensors, const char *tokenizer, struct minilm **ret_minilm, char reason[MINILM_REASON])
{
    struct tensors *tensors = MEM_NEW (struct tensors);
    struct weights *weights = weights_new ();
    int r = tensors_read (safetensors, tensors, reason);
    if (r == 0)
        r = vocabulary_read (tokenizer, weights, reason);
    if (r < 0) {
        free (tensors);
        free (weights);
        return r;
    }
    *ret_minilm = new_of (weights, false, tensors);
    return 0;
}

void
minilm_close (struct minilm **minilm)
{
    struct minilm *self = *minilm;
    if (!self)
        return;
    if (self->mapped)
        munmap (self->weights, sizeof *self->weights);
    else
        free (self->weights);
    free (self->tensors);
    free (self->scratch);
    free (self);
    *minilm = NULL;
}

const char *
minilm_kernel (const struct minilm *self)
{
    return self->kernel->name;
}

const char *
minilm_licence (const struct minilm *self)
{
    return self->weights->licence;
}

uint64_t
minilm_tokens (const struct minilm *self)
{
    return self->tokens;
}

void
minilm_use_product (struct minilm *self, product_fn *product)
{
    self->network.product = product;
}

/* ---- texts ---- */

struct ids {
    uint16_t *out;
    size_t max, count;
};

static void
count_id (void *context, uint16_t id)
{
    struct ids *ids = context;
    if (ids->count < ids->max)
        ids->out[ids->count] = id;
    ids->count++;
}

size_t
minilm_tokenise (const struct minilm *self, const char *text, size_t bytes, uint16_t *ids, size_t max)
{
    struct ids all = { ids, max, 0 };
    wordpiece (self->weights, text, bytes, count_id, &all);
    return all.count;
}

static void
make_unit (float vector[DIMENSIONS])
{
    float length = 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        length += vector[i] * vector[i];
    length = sqrtf (length);
    /* No text has no vector; weights that are none of ours might, and what follows may rely on it. */
    bool ok = isfinite (length) && length > 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        vector[i] = ok ? vector[i] / length : (float) (i == 0);
}

/* Adds the mean of the window's tokens to out. */
static void
add_window (struct minilm *self, const uint16_t *ids, size_t count, float out[DIMENSIONS])
{
    uint16_t window[WINDOW];
    window[0] = TOKEN_FIRST;
    memcpy (window + 1, ids, count * sizeof *ids);
    window[count + 1] = TOKEN_LAST;
    self->kernel->encode (&self->network, window, count + 2, self->scratch, out);
    self->tokens += count + 2;
}

/* Windows are as few as will do, and of one size: of windows that fill, the last would count for more than its few words say. */
static void
embed (struct minilm *self, const struct minilm_text *text, float out[DIMENSIONS])
{
    size_t count = minilm_tokenise (self, text->data, text->bytes, NULL, 0);
    size_t windows = MAX_OF ((count + WINDOW - 3) / (WINDOW - 2), (size_t) 1);
    uint16_t *ids = mem_grow (NULL, count + 1, sizeof *ids);
    minilm_tokenise (self, text->data, text->bytes, ids, count);
    memset (out, 0, DIMENSIONS * sizeof *out);
    for (size_t i = 0; i < windows; i++) {
        size_t from = count * i / windows, to = count * (i + 1) / windows;
        add_window (self, ids + from, to - from, out);
    }
    free (ids);
    make_unit (out);
}

void
minilm_embed (struct minilm *self, const struct minilm_text *texts, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++)
        embed (self, &texts[i], out + i * DIMENSIONS);
}
