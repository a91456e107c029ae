/* model - one interface, two implementations: `local`, in this process, and a server.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/model.h"
#include "model/local.h"
#include "model/local_thread.h"
#include "model/openai.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model {
    struct model_settings settings;
    struct openai *openai;       /* NULL: local */
    struct local_thread *thread; /* of the embedding model; NULL: hashed words */
};

static void
open_weights (struct model *model)
{
    char reason[MINILM_REASON];
    model->thread = local_thread_new (model->settings.weights, reason);
    if (!model->thread)
        log_warn ("%s: vectors are those of hashed words (" LOCAL_EMBED_NAME "), which find less; newsmill model pull brings the model",
                  reason);
}

struct model *
model_new (const struct model_settings *settings, struct http *http)
{
    struct model *model = MEM_NEW (struct model);
    model->settings = *settings;
    if (strcmp (settings->base_url, "local") != 0)
        model->openai = openai_new (settings, http);
    else if (settings->weights)
        open_weights (model);
    return model;
}

void
model_destroy (struct model **model)
{
    if (!*model)
        return;
    openai_destroy (&(*model)->openai);
    local_thread_destroy (&(*model)->thread);
    free (*model);
    *model = NULL;
}

const char *
model_embedding_name (const struct model *model)
{
    return model->openai ? model->settings.embedding_name : model->thread ? MINILM_NAME : LOCAL_EMBED_NAME;
}

int
model_fd (const struct model *model)
{
    return model->thread ? local_thread_fd (model->thread) : -1;
}

void
model_hurry (struct model *model)
{
    if (model->thread)
        local_thread_hurry (model->thread);
}

void
model_turn (struct model *model)
{
    local_thread_turn (model->thread);
}

const char *
model_summary_name (const struct model *model)
{
    return model->openai ? model->settings.chat_name : LOCAL_SUMMARY_NAME;
}

void
model_summarise (struct model *model, const struct model_text *texts, size_t count,
                 model_done_fn *done, void *context)
{
    if (model->openai) {
        openai_summarise (model->openai, texts, count, done, context);
        return;
    }
    int64_t start = clock_mono_ms ();
    struct model_reply reply = { .retry_after_ms = -1, .name = LOCAL_SUMMARY_NAME, .count = count };
    char **summaries = mem_alloc (count * sizeof *summaries);
    for (size_t i = 0; i < count; i++) {
        summaries[i] = local_summarise (texts[i].title, texts[i].text, texts[i].bytes);
        if (!*summaries[i]) {
            reply.outcome = MODEL_BAD;
            snprintf (reply.reason, sizeof reply.reason,
                      "article %zu of %zu has neither words nor a title", i + 1, count);
        }
    }
    if (reply.outcome == MODEL_OK)
        reply.summaries = (const char *const *) summaries;
    reply.duration_ms = clock_mono_ms () - start;
    done (context, &reply);
    for (size_t i = 0; i < count; i++)
        free (summaries[i]);
    free (summaries);
}

void
model_embed (struct model *model, const struct model_text *texts, size_t count, model_done_fn *done,
             void *context)
{
    if (model->openai) {
        openai_embed (model->openai, texts, count, done, context);
        return;
    }
    if (model->thread) {
        local_thread_embed (model->thread, texts, count, done, context);
        return;
    }
    int64_t start = clock_mono_ms ();
    struct buf text = { 0 };
    float *vectors = mem_grow (NULL, count * LOCAL_DIMENSIONS, sizeof *vectors);
    for (size_t i = 0; i < count; i++) {
        buf_clear (&text);
        local_text_put (texts[i].title, texts[i].text, texts[i].bytes, &text);
        local_embed (text.data, text.len, vectors + i * LOCAL_DIMENSIONS);
    }
    const struct model_reply reply = { .retry_after_ms = -1,
                                       .duration_ms = clock_mono_ms () - start,
                                       .name = LOCAL_EMBED_NAME,
                                       .count = count,
                                       .vectors = vectors,
                                       .dimensions = LOCAL_DIMENSIONS };
    done (context, &reply);
    buf_fini (&text);
    free (vectors);
}
