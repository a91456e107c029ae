/* openai - a model behind any OpenAI-compatible server: chat completions and embeddings. Inside
 * lib/model alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_OPENAI_H
#define MODEL_OPENAI_H

#include "model/model.h"

struct openai;

struct openai *openai_new (const struct model_settings *settings, struct http *http);
void openai_destroy (struct openai **openai); /* cuts calls without calling back */
void openai_summarise (struct openai *openai, const struct model_text *texts, size_t count,
                       model_done_fn *done, void *context);
void openai_embed (struct openai *openai, const struct model_text *texts, size_t count,
                   model_done_fn *done, void *context);

#endif
