/* minilm - sentence vectors by all-MiniLM-L6-v2, in process: a BERT encoder of 6 layers, mean pooling, vectors of length 1.
 *
 * Wang et al., "MiniLM: Deep Self-Attention Distillation", 2020; Devlin et al., "BERT", 2018; Reimers and Gurevych,
 * "Sentence-BERT", 2019. Weights are 8-bit integers with a scale a row, in a file that minilm_prepare writes once: it is mapped
 * read-only, so all processes share it. Activations are quantised a token at a time, as in Dettmers et al., "LLM.int8()", 2022.
 * Kernels are chosen at run time by what the processor has.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MINILM_MINILM_H
#define MINILM_MINILM_H

#include "base/base.h"

#define MINILM_NAME "local/minilm-l6-v2" /* kept beside each vector */
#define MINILM_FILE "minilm-l6-v2.weights" /* what the prepared file is called, wherever it lies */
#define MINILM_DIMENSIONS 384
#define MINILM_WINDOW 256  /* tokens that are read at once, both marks included; longer texts are read window by window */
#define MINILM_REASON 256

/* As published: see minilm_prepare. */
#define MINILM_FP16_SHA256 "6638f625a0a60bdaa1e34c5fee0a17c705f13b98b43a7973e9d366106a55273d"
#define MINILM_TOKENIZER_SHA256 "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"

struct minilm;

/* path: of a prepared file. Reads all of it once, for its checksum. 0, or with reason in words ("... is cut short"): -ENOENT no
 * such file, -EBADMSG damaged, of another version or something else altogether, another -errno. given (minilm_close) */
MUST_CHECK int minilm_open (const char *path, struct minilm **ret_minilm, char reason[MINILM_REASON]);
/* In single precision, from what minilm_prepare reads: slow, and 90 MB of its own. It is what the other is measured by. */
MUST_CHECK int minilm_open_exact (const char *safetensors, const char *tokenizer, struct minilm **ret_minilm,
                                  char reason[MINILM_REASON]);
void minilm_close (struct minilm **minilm);

struct minilm_text {
    const char *data;  /* UTF-8; what is not well-formed counts as U+FFFD. Borrowed */
    size_t bytes;
};

/* Fills out with count vectors of MINILM_DIMENSIONS, each of length 1, for any text, the empty one too. A longer text has windows of
 * equal size, whose means are averaged. Blocks for as long as it takes, a millisecond a dozen tokens or so. One thread an object
 * at a time. */
void minilm_embed (struct minilm *self, const struct minilm_text *texts, size_t count, float *out);
/* Tokens read by all calls until now, marks included. */
uint64_t minilm_tokens (const struct minilm *self);
/* Ids of the text's first tokens, at most max, without marks; returns how many there would be. */
size_t minilm_tokenise (const struct minilm *self, const char *text, size_t bytes, uint16_t *ids, size_t max);

/* "avx512vnni", "avx2", "portable": the fastest that this processor has, unless $NEWSMILL_KERNEL names one that it has. */
const char *minilm_kernel (const struct minilm *self);
/* The licence under which the weights are given, as the file has it. */
const char *minilm_licence (const struct minilm *self);

/* Reads the weights as published (safetensors of F16 or F32, with the Hugging Face tokenizer.json) and writes the prepared file,
 * whole or not at all. The same weights give the same bytes. Does not check where they are from: that is the caller's.
 * licence: text that goes into the file. 0, or -errno (-EBADMSG: not those weights) with reason in words. Blocks for a second. */
MUST_CHECK int minilm_prepare (const char *safetensors, const char *tokenizer, const char *licence, const char *path,
                               char reason[MINILM_REASON]);

#endif
