/* model - one interface, two implementations: `local`, answered here and now, and a server.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/model.h"
#include "model/local.h"
#include "model/openai.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model {
    struct model_settings settings;
    struct openai *openai; /* NULL: local */
};

struct model *
model_new (const struct model_settings *settings, struct http *http)
{
    struct model *model = MEM_NEW (struct model);
    model->settings = *settings;
    if (strcmp (settings->base_url, "local") != 0)
        model->openai = openai_new (settings, http);
    return model;
}

void
model_destroy (struct model **model)
{
    if (!*model)
        return;
    openai_destroy (&(*model)->openai);
    free (*model);
    *model = NULL;
}

const char *
model_embedding_name (const struct model *model)
{
    return model->openai ? model->settings.embedding_name : LOCAL_EMBED_NAME;
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

static void
embed_locally (const struct model_text *text, float *out)
{
    if (!text->title || !*text->title) {
        local_embed (text->text, text->bytes, out);
        return;
    }
    struct buf both = { 0 };
    buf_reserve (&both, strlen (text->title) + 2 + text->bytes);
    buf_add_str (&both, text->title);
    buf_add_str (&both, "\n\n");
    buf_add (&both, text->text, text->bytes);
    local_embed (both.data, both.len, out);
    buf_fini (&both);
}

void
model_embed (struct model *model, const struct model_text *texts, size_t count, model_done_fn *done,
             void *context)
{
    if (model->openai) {
        openai_embed (model->openai, texts, count, done, context);
        return;
    }
    int64_t start = clock_mono_ms ();
    float *vectors = mem_grow (NULL, count * LOCAL_DIMENSIONS, sizeof *vectors);
    for (size_t i = 0; i < count; i++)
        embed_locally (&texts[i], vectors + i * LOCAL_DIMENSIONS);
    const struct model_reply reply = { .retry_after_ms = -1,
                                       .duration_ms = clock_mono_ms () - start,
                                       .name = LOCAL_EMBED_NAME,
                                       .count = count,
                                       .vectors = vectors,
                                       .dimensions = LOCAL_DIMENSIONS };
    done (context, &reply);
    free (vectors);
}
