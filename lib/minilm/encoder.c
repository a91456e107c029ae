/* encoder - one window through the network. Compiled once for each kernel, named by KERNEL, with that processor's instructions:
 * loops without intrinsics are left to the compiler. Another processor's needs LANES, integers, dot and spread below.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"

#include <math.h>
#include <string.h>

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_ (a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_ (a)
#define INLINE static inline __attribute__ ((always_inline))

/* ---- what a processor brings: sums of four products of a byte without and a byte with sign, LANES at a time ---- */

#if defined __AVX512VNNI__
#include <immintrin.h>
#define LANES 16
#define TILE_ROWS 6
typedef __m512i integers;
#define dot(sum, a, b) (lanes) _mm512_dpbusd_epi32 ((integers) (sum), a, b)
#define spread(four) _mm512_set1_epi32 (four)
#define load(address) _mm512_load_si512 (address)
#define larger(a, b) _mm512_max_ps (a, b)
#elif defined __AVX2__
#include <immintrin.h>
#define LANES 8
#define TILE_ROWS 3
typedef __m256i integers;
#define dot(sum, a, b) ((sum) + (lanes) _mm256_madd_epi16 (_mm256_maddubs_epi16 (a, b), _mm256_set1_epi16 (1)))
#define spread(four) _mm256_set1_epi32 (four)
#define load(address) _mm256_load_si256 ((const __m256i *) (address))
#define larger(a, b) _mm256_max_ps (a, b)
#else
#define LANES 4
#define TILE_ROWS 1
typedef int32_t integers __attribute__ ((vector_size (16)));
typedef uint8_t without_sign __attribute__ ((vector_size (16)));
typedef int8_t with_sign __attribute__ ((vector_size (16)));
typedef int16_t products __attribute__ ((vector_size (32)));
typedef int32_t pairs __attribute__ ((vector_size (32)));
INLINE integers
dot (integers sum, integers a, integers b)
{
    pairs two = (pairs) (__builtin_convertvector ((without_sign) a, products) * __builtin_convertvector ((with_sign) b, products));
    two = (two << 16 >> 16) + (two >> 16);
    return sum + __builtin_shufflevector (two, two, 0, 2, 4, 6) + __builtin_shufflevector (two, two, 1, 3, 5, 7);
}
#define spread(four) ((integers){ four, four, four, four })
#define load(address) (*(const integers *) (const void *) (address))
#endif

#define LEVELS 254.99f /* of activations: 255, less what keeps a value that is rounded twice, for zero is rounded too, below 256 */
#define HALF_LEVELS 63 /* of keys and values, either side of 0: see prepare.c's largest_pair */
#define HEAD_VECTORS (HEAD_SIZE / LANES)

typedef float floats __attribute__ ((vector_size (4 * LANES)));
typedef float floats_anywhere __attribute__ ((vector_size (4 * LANES), aligned (4), may_alias));
typedef int32_t lanes __attribute__ ((vector_size (4 * LANES)));
#ifndef larger
INLINE floats
larger (floats a, floats b)
{
    lanes mask = a > b;
    return (floats) ((mask & (lanes) a) | (~mask & (lanes) b));
}
#endif

#define at(address) (*(const floats_anywhere *) (address))
#define put(address, vector) (*(floats_anywhere *) (address) = (vector))

#define ROWS_AT_ONCE 48 /* of what is only needed for a moment; a multiple of TILE_ROWS */

/* Keys or values of a head, as LINEAR has a matrix. */
struct packed {
    _Alignas (64) int8_t values[WINDOW * BLOCK];
    _Alignas (64) int32_t sums[WINDOW];
    float scales[WINDOW], bias[WINDOW];
};

/* value = (byte - zero) * scale */
struct scale {
    float scale;
    int32_t zero;
};

/* A scale a row. */
struct quantised {
    uint8_t values[WINDOW * UP_SIZE];
    struct scale scales[WINDOW];
};

struct scratch {
    _Alignas (64) float x[WINDOW * DIMENSIONS];
    _Alignas (64) float qkv[WINDOW * QKV_SIZE];
    _Alignas (64) float mixed[WINDOW * DIMENSIONS];
    _Alignas (64) float up[ROWS_AT_ONCE * UP_SIZE];
    _Alignas (64) float scores[ROWS_AT_ONCE * WINDOW];
    _Alignas (64) float transposed[HEAD_SIZE * WINDOW];
    struct quantised quantised;
    struct packed keys, values;
};

/* ---- element by element ---- */

typedef uint8_t bytes __attribute__ ((vector_size (LANES), aligned (1), may_alias));
INLINE void
put_bytes (uint8_t *address, lanes x)
{
#if LANES == 8 /* compilers would take them out one by one */
    typedef uint8_t all __attribute__ ((vector_size (32)));
    *(bytes *) address = __builtin_shufflevector ((all) x, (all) x, 0, 4, 8, 12, 16, 20, 24, 28);
#else
    *(bytes *) address = __builtin_convertvector (x, bytes);
#endif
}

INLINE floats
size_of (floats x)
{
    return (floats) ((lanes) x & 0x7fffffff);
}

INLINE float
largest (floats x)
{
    float most = x[0];
    for (int i = 1; i < LANES; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

INLINE float
total (floats x)
{
    float sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += x[i];
    return sum;
}

/* 2^x, for x <= 0; relative error 2e-7 (Cephes' polynomial of exp2f). */
INLINE floats
exp2_below (floats x)
{
    x = larger (x, (floats){ 0 } - 126.0f);
    lanes n = __builtin_convertvector (x - 0.5f, lanes);
    floats f = x - __builtin_convertvector (n, floats);
    floats p = 1.535336188319500e-4f * f + 1.339887440266574e-3f;
    p = p * f + 9.618437357674640e-3f;
    p = p * f + 5.550332471162809e-2f;
    p = p * f + 2.402264791363012e-1f;
    p = p * f + 6.931472028550421e-1f;
    p = p * f + 1.0f;
    return p * (floats) ((n + 127) << 23);
}

#define LOG2_E 1.44269504088896341f

/* x times the normal distribution function (Hendrycks and Gimpel, 2016); erf as in Abramowitz and Stegun, 7.1.26. */
static void
gelu (float *values, size_t count)
{
    for (float *end = values + count; values < end; values += LANES) {
        floats x = at (values), z = size_of (x) * 0.70710678118654752f;
        floats t = 1.0f / (1.0f + 0.3275911f * z);
        floats tail = ((((1.061405429f * t - 1.453152027f) * t + 1.421413741f) * t - 0.284496736f) * t + 0.254829592f) * t
                      * exp2_below (z * z * -LOG2_E) * 0.5f;
        /* x (1 - tail) above 0, x tail below */
        put (values, larger (x, (floats){ 0 }) - size_of (x) * tail);
    }
}

static void
normalise (float *x, const struct norm *norm)
{
    float sum = 0, squares = 0;
    for (size_t i = 0; i < DIMENSIONS; i++)
        sum += x[i];
    float mean = sum / DIMENSIONS;
    for (size_t i = 0; i < DIMENSIONS; i++)
        squares += (x[i] - mean) * (x[i] - mean);
    float scale = 1.0f / sqrtf (squares / DIMENSIONS + 1e-12f);
    for (size_t i = 0; i < DIMENSIONS; i++)
        x[i] = (x[i] - mean) * scale * norm->weight[i] + norm->bias[i];
}

/* Scores of one query to probabilities, as floats in place, or as bytes whose scale it returns; 0 from count on. */
INLINE struct scale
softmax (float *x, size_t count, size_t padded, uint8_t *out)
{
    const float factor = LOG2_E * 0.17677669529663688f; /* 1 / sqrt (HEAD_SIZE) */
    for (size_t i = count; i < padded; i++)
        x[i] = -1e30f;
    floats most = at (x), sum = { 0 };
    for (size_t i = LANES; i < padded; i += LANES)
        most = larger (most, at (x + i));
    float above = largest (most);
    for (size_t i = 0; i < padded; i += LANES) {
        floats value = exp2_below ((at (x + i) - above) * factor);
        if (out) {
            lanes level = __builtin_convertvector (value * LEVELS + 0.5f, lanes);
            value = __builtin_convertvector (level, floats);
            put_bytes (out + i, level);
        } else
            put (x + i, value);
        sum += value;
    }
    float scale = 1.0f / total (sum);
    for (size_t i = 0; !out && i < padded; i += LANES)
        put (x + i, at (x + i) * scale);
    return (struct scale){ scale, 0 };
}

static struct scale
quantise (const float *x, size_t count, uint8_t *out)
{
    floats least = { 0 }, most = { 0 }; /* zero is always a level, however near to each other the values are */
    for (size_t i = 0; i < count; i += LANES) {
        floats value = at (x + i);
        least = -larger (-least, -value);
        most = larger (most, value);
    }
    float low = -largest (-least), range = largest (most) - low + 1e-30f, factor = LEVELS / range;
    struct scale scale = { range / LEVELS, (int32_t) (0.5f - low * factor) };
    for (size_t i = 0; i < count; i += LANES) {
        floats value = at (x + i) * factor + ((float) scale.zero + 0.5f);
        put_bytes (out + i, __builtin_convertvector (value, lanes));
    }
    return scale;
}

/* ---- matrix products of bytes ---- */

struct job {
    const uint8_t *a;
    size_t a_stride;
    const struct scale *a_scales;
    const struct linear *b;
    float *out;
    size_t out_stride;
};

INLINE integers
spread_at (const uint8_t *address)
{
    int32_t four;
    memcpy (&four, address, sizeof four);
    return spread (four);
}

INLINE void
put_sums (const struct job *job, size_t row, size_t column, lanes sums)
{
    const struct linear *b = job->b;
    struct scale scale = job->a_scales[row];
    floats value = __builtin_convertvector (sums - *(const lanes *) (b->sums + column) * scale.zero, floats);
    put (job->out + row * job->out_stride + column, value * (at (b->scales + column) * scale.scale) + at (b->bias + column));
}

/* Each sum is a variable, for compilers keep an array of them in memory. */
#if TILE_ROWS == 6
#define EACH_ROW(X) X (0) X (1) X (2) X (3) X (4) X (5)
#elif TILE_ROWS == 3
#define EACH_ROW(X) X (0) X (1) X (2)
#else
#define EACH_ROW(X) X (0)
#endif
#define BEGIN(r) \
    lanes sum##r##0 = { 0 }, sum##r##1 = sum##r##0, sum##r##2 = sum##r##0, sum##r##3 = sum##r##0; \
    const uint8_t *a##r = job->a + MIN_OF (row + r, rows - 1) * job->a_stride;
#define GO_ON(r) { \
    integers both = spread_at (a##r + s * STEP); \
    sum##r##0 = dot (sum##r##0, both, w0); \
    sum##r##1 = dot (sum##r##1, both, w1); \
    if (wide) { \
        sum##r##2 = dot (sum##r##2, both, w2); \
        sum##r##3 = dot (sum##r##3, both, w3); \
    } \
}
#define END(r) \
    if (row + r < rows) { \
        put_sums (job, row + r, column, sum##r##0); \
        put_sums (job, row + r, column + LANES, sum##r##1); \
        if (wide) { \
            put_sums (job, row + r, column + 2 * LANES, sum##r##2); \
            put_sums (job, row + r, column + 3 * LANES, sum##r##3); \
        } \
    }

INLINE void
tile (const struct job *job, size_t rows, size_t row, size_t column, const bool wide)
{
    const struct linear *b = job->b;
    const size_t steps = b->columns / STEP;
    const int8_t *w = b->values + column / BLOCK * BLOCK * b->columns + column % BLOCK * STEP;
    const size_t next = !wide ? 0 : 2 * LANES == BLOCK ? BLOCK * b->columns : 2 * LANES * STEP;
    EACH_ROW (BEGIN)
    for (size_t s = 0; s < steps; s++, w += BLOCK * STEP) {
        integers w0 = load (w), w1 = load (w + LANES * STEP), w2 = load (w + next), w3 = load (w + next + LANES * STEP);
        EACH_ROW (GO_ON)
    }
    EACH_ROW (END)
}

/* Column by column, as those of a tile then stay in the nearest cache. */
static void
multiply (const struct job *job, size_t rows)
{
    for (size_t column = 0; column < job->b->rows; column += 4 * LANES)
        for (size_t row = 0; row < rows; row += TILE_ROWS)
            if (job->b->rows - column < 4 * LANES)
                tile (job, rows, row, column, false);
            else
                tile (job, rows, row, column, true);
}

/* ---- matrix products of floats, for what is exact ---- */

static void
product (const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t columns, size_t depth,
         float *out, size_t out_stride)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < columns; j++) {
            float sum = 0;
            for (size_t k = 0; k < depth; k++)
                sum += a[i * a_stride + k] * b[j * b_stride + k];
            out[i * out_stride + j] = sum;
        }
}

/* ---- the network ---- */

static void
apply (const struct network *network, struct quantised *q, const struct linear *linear, const float *in, size_t rows, float *out)
{
    size_t inputs = linear->columns, outputs = linear->rows;
    if (linear->exact) {
        network->product (in, inputs, linear->exact, inputs, rows, outputs, inputs, out, outputs);
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < outputs; i++)
                out[r * outputs + i] += linear->bias[i];
        return;
    }
    for (size_t r = 0; r < rows; r++)
        q->scales[r] = quantise (in + r * inputs, inputs, q->values + r * inputs);
    const struct job job = { q->values, inputs, q->scales, linear, out, outputs };
    multiply (&job, rows);
}

/* What takes each column of a head's rows to within HALF_LEVELS. */
INLINE void
find_factors (const float *x, size_t count, floats factors[HEAD_VECTORS])
{
    for (int v = 0; v < HEAD_VECTORS; v++) {
        floats most = { 0 };
        for (size_t j = 0; j < count; j++)
            most = larger (most, size_of (at (x + j * QKV_SIZE + v * LANES)));
        factors[v] = HALF_LEVELS / (most + 1e-30f);
    }
}

INLINE lanes
half_levels (const float *x, floats factor)
{
    return __builtin_convertvector (at (x) * factor + (HALF_LEVELS + 0.5f), lanes) - HALF_LEVELS;
}

/* Keys are the rows. Their columns' scales go to the queries. */
static void
pack_keys (const float *k, size_t count, size_t padded, struct packed *out, float scales[HEAD_SIZE])
{
    floats factors[HEAD_VECTORS];
    find_factors (k, count, factors);
    for (int v = 0; v < HEAD_VECTORS; v++)
        put (scales + v * LANES, 1.0f / factors[v]);
    for (size_t j = 0; j < count; j++) {
        uint8_t row[HEAD_SIZE];
        int8_t *first = out->values + j / BLOCK * BLOCK * HEAD_SIZE + j % BLOCK * STEP;
        for (int v = 0; v < HEAD_VECTORS; v++)
            put_bytes (row + v * LANES, half_levels (k + j * QKV_SIZE + v * LANES, factors[v]));
        for (size_t i = 0; i < HEAD_SIZE; i += STEP)
            memcpy (first + i * BLOCK, row + i, STEP);
    }
    for (size_t j = 0; j < padded; j += LANES) {
        const int8_t *first = out->values + j / BLOCK * BLOCK * HEAD_SIZE + j % BLOCK * STEP;
        lanes sum = { 0 };
        for (size_t i = 0; i < HEAD_SIZE; i += STEP)
            sum = dot (sum, spread (0x01010101), load (first + i * BLOCK));
        *(lanes *) (out->sums + j) = sum;
        put (out->scales + j, (floats){ 0 } + 1.0f);
        put (out->bias + j, (floats){ 0 });
    }
}

/* Values are the columns. */
static void
pack_values (const float *v, size_t count, struct packed *out)
{
    floats factors[HEAD_VECTORS];
    find_factors (v, count, factors);
    for (size_t j = 0; j < count; j += STEP)
        for (int i = 0; i < HEAD_VECTORS; i++) {
            lanes four = { 0 };
            for (size_t n = 0; n < STEP && j + n < count; n++)
                four |= (half_levels (v + (j + n) * QKV_SIZE + i * LANES, factors[i]) & 255) << (8 * (int) n);
            *(lanes *) (out->values + j * BLOCK + i * LANES * STEP) = four;
        }
    for (int i = 0; i < HEAD_VECTORS; i++) {
        put (out->scales + i * LANES, 1.0f / factors[i]);
        put (out->bias + i * LANES, (floats){ 0 });
        *(lanes *) (out->sums + i * LANES) = (lanes){ 0 };
    }
}

static struct scale
quantise_query (const float *q, const float *scales, uint8_t *out)
{
    float scaled[HEAD_SIZE];
    for (int v = 0; v < HEAD_VECTORS; v++)
        put (scaled + v * LANES, at (q + v * LANES) * at (scales + v * LANES));
    return quantise (scaled, HEAD_SIZE, out);
}

static void
attend_head (struct scratch *s, size_t count, size_t head)
{
    const float *q = s->qkv + head * HEAD_SIZE, *k = q + DIMENSIONS, *v = k + DIMENSIONS;
    size_t padded = (count + BLOCK - 1) / BLOCK * BLOCK;
    float scales[HEAD_SIZE];
    struct quantised *a = &s->quantised;
    const struct linear keys = { s->keys.values, s->keys.sums, s->keys.scales, s->keys.bias, NULL, padded, HEAD_SIZE };
    const struct linear values = { s->values.values, s->values.sums, s->values.scales, s->values.bias, NULL, HEAD_SIZE, padded };
    pack_keys (k, count, padded, &s->keys, scales);
    pack_values (v, count, &s->values);
    for (size_t first = 0; first < count; first += ROWS_AT_ONCE) {
        size_t rows = MIN_OF (count - first, (size_t) ROWS_AT_ONCE);
        float *out = s->mixed + first * DIMENSIONS + head * HEAD_SIZE;
        const struct job score = { a->values, HEAD_SIZE, a->scales, &keys, s->scores, WINDOW };
        const struct job mix = { a->values, WINDOW, a->scales, &values, out, DIMENSIONS };
        for (size_t r = 0; r < rows; r++)
            a->scales[r] = quantise_query (q + (first + r) * QKV_SIZE, scales, a->values + r * HEAD_SIZE);
        multiply (&score, rows);
        for (size_t r = 0; r < rows; r++)
            a->scales[r] = softmax (s->scores + r * WINDOW, count, padded, a->values + r * WINDOW);
        multiply (&mix, rows);
    }
}

static void
attend_head_exactly (const struct network *network, struct scratch *s, size_t count, size_t head)
{
    const float *q = s->qkv + head * HEAD_SIZE, *k = q + DIMENSIONS, *v = k + DIMENSIONS;
    size_t padded = (count + BLOCK - 1) / BLOCK * BLOCK;
    for (size_t j = 0; j < count; j++)
        for (size_t i = 0; i < HEAD_SIZE; i++)
            s->transposed[i * WINDOW + j] = v[j * QKV_SIZE + i];
    for (size_t first = 0; first < count; first += ROWS_AT_ONCE) {
        size_t rows = MIN_OF (count - first, (size_t) ROWS_AT_ONCE);
        float *out = s->mixed + first * DIMENSIONS + head * HEAD_SIZE;
        network->product (q + first * QKV_SIZE, QKV_SIZE, k, QKV_SIZE, rows, count, HEAD_SIZE, s->scores, WINDOW);
        for (size_t r = 0; r < rows; r++)
            softmax (s->scores + r * WINDOW, count, padded, NULL);
        network->product (s->scores, WINDOW, s->transposed, WINDOW, rows, HEAD_SIZE, count, out, DIMENSIONS);
    }
}

static void
add_and_normalise (float *x, const float *more, size_t rows, const struct norm *norm)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t i = 0; i < DIMENSIONS; i++)
            x[r * DIMENSIONS + i] += more[r * DIMENSIONS + i];
        normalise (x + r * DIMENSIONS, norm);
    }
}

static void
begin (const struct network *network, const uint16_t *ids, size_t count, float *x)
{
    for (size_t r = 0; r < count; r++, x += DIMENSIONS) {
        const float *position = network->positions + r * DIMENSIONS;
        size_t word = (size_t) ids[r] * DIMENSIONS;
        if (network->exact_words)
            for (size_t i = 0; i < DIMENSIONS; i++)
                x[i] = network->exact_words[word + i] + position[i];
        else
            for (size_t i = 0; i < DIMENSIONS; i++)
                x[i] = network->words[word + i] * network->word_scales[ids[r]] + position[i];
        normalise (x, network->norm);
    }
}

static void
encode (const struct network *network, const uint16_t *ids, size_t count, void *scratch, float out[DIMENSIONS])
{
    struct scratch *s = scratch;
    begin (network, ids, count, s->x);
    for (const struct layer *layer = network->layers; layer < network->layers + LAYERS; layer++) {
        apply (network, &s->quantised, &layer->qkv, s->x, count, s->qkv);
        for (size_t head = 0; head < HEADS; head++)
            if (network->exact_words)
                attend_head_exactly (network, s, count, head);
            else
                attend_head (s, count, head);
        apply (network, &s->quantised, &layer->out, s->mixed, count, s->qkv);
        add_and_normalise (s->x, s->qkv, count, layer->out_norm);
        for (size_t r = 0; r < count; r += ROWS_AT_ONCE) {
            size_t rows = MIN_OF (count - r, (size_t) ROWS_AT_ONCE);
            apply (network, &s->quantised, &layer->up, s->x + r * DIMENSIONS, rows, s->up);
            gelu (s->up, rows * UP_SIZE);
            apply (network, &s->quantised, &layer->down, s->up, rows, s->mixed + r * DIMENSIONS);
        }
        add_and_normalise (s->x, s->mixed, count, layer->down_norm);
    }
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < DIMENSIONS; i++)
            out[i] += s->x[r * DIMENSIONS + i] / (float) count;
}

const struct kernel PASTE (kernel_, KERNEL) = { TEXT (KERNEL), sizeof (struct scratch), encode, product };
