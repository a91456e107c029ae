/* summarizer - writes a summary for each article, several articles a model call. An article that comes with a summary
 * (a checkpoint of an earlier try) is passed on at once. See newsmill-summarizer.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/history.h"
#include "stage/model_stage.h"

static void
call (void *context, struct batch *batch)
{
    struct model_stage *self = context;
    size_t count = batch->count; /* the local model answers before the call returns, and the batch is gone then */
    struct model_text *texts = mem_alloc (batch->count * sizeof *texts);
    char **titles = mem_alloc (batch->count * sizeof *titles);
    for (size_t i = 0; i < count; i++) {
        const struct wire_article *wire = &((struct stage_article *) batch->items[i])->wire;
        titles[i] = mem_copy (wire->title.data, wire->title.size);
        texts[i] = (struct model_text){ titles[i], wire->content.data, wire->content.size };
        HISTORY ("asked call=%p.%d article=%" PRIu64, (void *) batch, batch->tries, wire->header.article);
    }
    model_summarise (self->model, texts, batch->count, batch_reply, batch);
    for (size_t i = 0; i < count; i++)
        free (titles[i]);
    free (titles);
    free (texts);
}

static void
take_outputs (void *context, struct batch *batch, const struct model_reply *reply)
{
    struct model_stage *self = context;
    for (size_t i = 0; i < batch->count; i++) {
        struct stage_article *article = batch->items[i];
        article->wire.summary = wire_text (reply->summaries[i]);
        article->wire.summary_model = wire_text (reply->name);
        stage_pass (self->stage, &article);
    }
}

static void
give_up (void *context, void *item, enum wire_class fault, const char *reason)
{
    struct model_stage *self = context;
    struct stage_article *article = item;
    if (fault == WIRE_NO_FAULT)
        stage_return (self->stage, &article);
    else
        stage_fail (self->stage, &article, fault, reason);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct model_stage *self = MEM_NEW (struct model_stage);
    *ret_state = self;
    struct batch_settings settings = { (size_t) s->summarizer_batch, (size_t) s->summarizer_calls, s->summarizer_linger,
                                       call, take_outputs, give_up, NULL };
    /* Two rounds: when all calls come back at once, the next round is in hand. */
    stage_set_capacity (stage, 2 * settings.max_calls * settings.max_items);
    return model_stage_open (stage, &settings, NULL, self);
}

static void
on_article (struct stage *stage, void *state, struct stage_article *article)
{
    struct model_stage *self = state;
    if (article->wire.summary.size)
        stage_pass (stage, &article);
    else
        batcher_add (self->batcher, article, &article->wire.header.run, article->wire.flags & WIRE_ALONE);
}

static void
on_statistics (void *state, json_t *numbers)
{
    const struct model_stage *self = state;
    json_object_set_new (numbers, "model", json_string (model_summary_name (self->model)));
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "summarizer",
        .in = WIRE_ARTICLES,
        .out = WIRE_SUMMARIES,
        .start = on_start,
        .on_article = on_article,
        .on_event = model_stage_event,
        .on_stop = model_stage_stop,
        .is_idle = model_stage_is_idle,
        .statistics = on_statistics,
        .finish = model_stage_finish,
    };
    return stage_main (&def, argc, argv);
}
