/* encoder - how fast lib/minilm reads, on one core, in one process; bench/minilm runs it for each row of its table. One line of JSON:
 * first_ms   wall clock from STARTED to the first vector
 * long       tokens a second of the processor's time, in texts of LONG_TOKENS
 * short      tokens a second, in questions of SHORT_TOKENS, one a call
 * split      tokens a second that the tokeniser finds, without the encoder
 * peak       billions of 8-bit multiply-adds a second that the core makes at most, see peak.h; 0: not known
 * core       what OpenBLAS takes the processor for
 * usage: encoder ROW PREPARED WEIGHTS STARTED SECONDS [TEXTS]
 *        encoder prepare PREPARED WEIGHTS
 *
 * ROW: a kernel of lib/minilm, "exact" (its single precision), or "openblas" (the same with cblas_sgemm for its products).
 * PREPARED, WEIGHTS: the prepared file and the folder with the published ones. STARTED: CLOCK_MONOTONIC when the process was started,
 * microseconds. SECONDS: for each measure. TEXTS: embeds as many long texts instead, says so, and waits for the end of its input.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"
#include "minilm/impl.h"
#include "peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_OPENBLAS
#include <cblas.h>
#endif

#define LONG_TOKENS 252 /* marks included */
#define SHORT_TOKENS 12
#define BATCH 8 /* long texts a call */

static const char *const words[] = { "mill", "river", "market", "bridge", "harbour", "council", "price", "winter", "the", "of" };

struct bench {
    struct minilm *model;
    double seconds;
    struct buf long_text, short_text;
};

static void
stop (const char *what, const char *why)
{
    fprintf (stderr, "encoder: %s: %s\n", what, why);
    exit (EXIT_USAGE);
}

/* Each word is one token. */
static void
write_text (struct buf *text, size_t tokens)
{
    for (size_t i = 0; i < tokens - 2; i++)
        buf_printf (text, "%s ", words[(i * i + 3 * i) % COUNT_OF (words)]);
}

#ifdef HAVE_OPENBLAS
static void
product (const float *a, size_t a_stride, const float *b, size_t b_stride, size_t rows, size_t columns, size_t depth, float *out,
         size_t out_stride)
{
    cblas_sgemm (CblasRowMajor, CblasNoTrans, CblasTrans, (blasint) rows, (blasint) columns, (blasint) depth, 1, a,
                 (blasint) a_stride, b, (blasint) b_stride, 0, out, (blasint) out_stride);
}

static const char *
use_openblas (struct minilm *model)
{
    minilm_use_product (model, product);
    return openblas_get_corename ();
}
#else
static const char *
use_openblas (struct minilm *model UNUSED)
{
    exit (EXIT_TEMP); /* bench/minilm says that it is absent */
}
#endif

static int
prepare (const char *prepared, const char *weights)
{
    char reason[MINILM_REASON], *safetensors = mem_printf ("%s/model.fp16.safetensors", weights);
    char *tokenizer = mem_printf ("%s/tokenizer.json", weights);
    if (minilm_prepare (safetensors, tokenizer, "", prepared, reason) < 0)
        stop ("prepare", reason);
    free (safetensors);
    free (tokenizer);
    return 0;
}

static void
open_row (struct bench *self, const char *row, const char *prepared, const char *weights)
{
    char reason[MINILM_REASON], *safetensors = mem_printf ("%s/model.fp16.safetensors", weights);
    char *tokenizer = mem_printf ("%s/tokenizer.json", weights);
    bool exact = strcmp (row, "openblas") == 0 || strcmp (row, "exact") == 0;
    if (!exact)
        setenv ("NEWSMILL_KERNEL", row, 1);
    int r = exact ? minilm_open_exact (safetensors, tokenizer, &self->model, reason) : minilm_open (prepared, &self->model, reason);
    if (r < 0)
        stop (row, reason);
    if (!exact && strcmp (minilm_kernel (self->model), row) != 0)
        exit (EXIT_TEMP);
    free (safetensors);
    free (tokenizer);
}

static void
embed (struct bench *self, const struct buf *text, size_t count)
{
    struct minilm_text texts[BATCH];
    float vectors[BATCH * MINILM_DIMENSIONS];
    for (size_t i = 0; i < count; i++)
        texts[i] = (struct minilm_text){ text->data, text->len };
    minilm_embed (self->model, texts, count, vectors);
}

/* Tokens a second. */
static double
measure (struct bench *self, const struct buf *text, size_t count)
{
    embed (self, text, count);
    uint64_t tokens = minilm_tokens (self->model);
    int64_t start = cpu_us (), spent = 0;
    for (; (double) spent < self->seconds * 1e6; spent = cpu_us () - start)
        embed (self, text, count);
    return (double) (minilm_tokens (self->model) - tokens) / (double) spent * 1e6;
}

static double
measure_split (struct bench *self)
{
    uint16_t ids[LONG_TOKENS];
    double tokens = 0;
    int64_t start = cpu_us (), spent = 0;
    for (; (double) spent < self->seconds * 1e6 / 4; spent = cpu_us () - start)
        tokens += (double) minilm_tokenise (self->model, self->long_text.data, self->long_text.len, ids, COUNT_OF (ids));
    return tokens / (double) spent * 1e6;
}

int
main (int argc, char **argv)
{
    struct bench self = { 0 };
    const char *core = "";
    int64_t started, texts = 0;
    if (argc == 4 && strcmp (argv[1], "prepare") == 0)
        return prepare (argv[2], argv[3]);
    if (argc < 6 || argc > 7 || num_parse (argv[4], 0, INT64_MAX, &started) < 0
        || (argc == 7 && num_parse (argv[6], 1, 1000000, &texts) < 0)) {
        fprintf (stderr, "usage: encoder ROW PREPARED WEIGHTS STARTED SECONDS [TEXTS]\n       encoder prepare PREPARED WEIGHTS\n");
        return EXIT_USAGE;
    }
    self.seconds = strtod (argv[5], NULL);
    write_text (&self.long_text, LONG_TOKENS);
    write_text (&self.short_text, SHORT_TOKENS);
    open_row (&self, argv[1], argv[2], argv[3]);
    if (strcmp (argv[1], "openblas") == 0)
        core = use_openblas (self.model);
    embed (&self, &self.short_text, 1);
    double first_ms = (double) (clock_mono_us () - started) / 1e3;
    if (minilm_tokens (self.model) != SHORT_TOKENS)
        stop ("the question", "is not of the length that it should have");
    if (texts) {
        for (int64_t i = 0; i < texts; i++)
            embed (&self, &self.long_text, 1);
        puts ("done");
        fflush (stdout);
        while (getchar () != EOF)
            ;
    } else {
        double fast = measure (&self, &self.long_text, BATCH), peak = peak_measure (argv[1], self.seconds / 2);
        double slow = measure (&self, &self.short_text, 1);
        printf ("{\"first_ms\": %.2f, \"long\": %.1f, \"short\": %.1f, \"split\": %.0f, \"peak\": %.2f, \"core\": \"%s\"}\n", first_ms,
                fast, slow, measure_split (&self), peak, core);
    }
    buf_fini (&self.long_text);
    buf_fini (&self.short_text);
    minilm_close (&self.model);
    return 0;
}
