/* embedder - turns chunks into vectors, batches filled across articles. See newsmill-embedder.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/model_stage.h"

#define CAPACITY_ARTICLES 256     /* bounds the memory */

/* An article under way: its chunks travel in different calls and come back in any order. */
struct job {
    struct stage_article *article;
    float *vectors;           /* a row a chunk */
    char *model;              /* name of the one that answered */
    size_t open;              /* chunks not yet back */
    enum wire_class fault;    /* the gravest so far */
    bool returned;
    char reason[256];
    struct piece {
        struct job *job;
        size_t index;
    } pieces[];
};

struct embedder {
    struct model_stage base;
    size_t dimensions;
    size_t chunks, chunks_most; /* in hand; past two rounds of calls no article is taken: another embedder may have it */
};

static void
count_chunks (struct embedder *self, ptrdiff_t change)
{
    self->chunks += (size_t) change;
    stage_set_capacity (self->base.stage, self->chunks < self->chunks_most ? CAPACITY_ARTICLES : 0);
}

static void
call (void *context, struct batch *batch)
{
    struct embedder *self = context;
    struct model_text *texts = mem_alloc (batch->count * sizeof *texts);
    for (size_t i = 0; i < batch->count; i++) {
        const struct piece *piece = batch->items[i];
        const struct wire_article *wire = &piece->job->article->wire;
        struct wire_chunk chunk = wire_chunk_at (wire, piece->index);
        texts[i] = (struct model_text){ NULL, wire->content.data + chunk.byte_start, chunk.byte_end - chunk.byte_start };
    }
    model_embed (self->base.model, texts, batch->count, batch_reply, batch);
    free (texts);
}

static void
job_end (struct embedder *self, struct job *job)
{
    struct wire_article *wire = &job->article->wire;
    struct buf packed = { 0 };
    if (job->fault)
        stage_fail (self->base.stage, &job->article, job->fault, job->reason);
    else if (job->returned)
        stage_return (self->base.stage, &job->article);
    else {
        wire_vector_put (&packed, job->vectors, wire_chunk_count (wire) * self->dimensions);
        wire->dimensions = (uint32_t) self->dimensions;
        wire->embedding_model = wire_text (job->model);
        wire->vectors = (struct wire_bytes){ packed.data, packed.len };
        stage_pass (self->base.stage, &job->article);
    }
    buf_fini (&packed);
    free (job->vectors);
    free (job->model);
    free (job);
}

static void
take_outputs (void *context, struct batch *batch, const struct model_reply *reply)
{
    struct embedder *self = context;
    for (size_t i = 0; i < batch->count; i++) {
        const struct piece *piece = batch->items[i];
        struct job *job = piece->job;
        memcpy (job->vectors + piece->index * self->dimensions, reply->vectors + i * self->dimensions,
                self->dimensions * sizeof (float));
        if (!job->model)
            job->model = mem_dup (reply->name);
        if (--job->open == 0)
            job_end (self, job);
    }
    count_chunks (self, -(ptrdiff_t) batch->count);
}

static void
give_up (void *context, void *item, enum wire_class fault, const char *reason)
{
    struct embedder *self = context;
    struct job *job = ((struct piece *) item)->job;
    job->returned |= fault == WIRE_NO_FAULT;
    if (fault > job->fault) {
        job->fault = fault;
        snprintf (job->reason, sizeof job->reason, "%s", reason);
    }
    if (--job->open == 0)
        job_end (self, job);
    count_chunks (self, -1);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct embedder *self = MEM_NEW (struct embedder);
    *ret_state = self;
    self->dimensions = (size_t) s->model_dimensions;
    struct batch_settings settings = { (size_t) s->embedder_batch, (size_t) s->embedder_calls, s->embedder_linger,
                                       call, take_outputs, give_up, NULL };
    self->chunks_most = 2 * settings.max_calls * settings.max_items;
    stage_set_capacity (stage, CAPACITY_ARTICLES);
    return model_stage_open (stage, &settings, &self->base);
}

static void
on_article (struct stage *stage, void *state, struct stage_article *article)
{
    struct embedder *self = state;
    size_t count = wire_chunk_count (&article->wire);
    if (!count) {
        stage_fail (stage, &article, WIRE_BLAMED, "came without chunks");
        return;
    }
    struct job *job = mem_alloc (sizeof *job + count * sizeof job->pieces[0]);
    job->article = article;
    job->vectors = mem_alloc (count * self->dimensions * sizeof (float));
    job->open = count;
    /* The job may end with its last piece, inside this loop: nothing of it is touched after that. */
    struct uuid run = article->wire.header.run;
    bool alone = article->wire.flags & WIRE_ALONE;
    for (size_t i = 0; i < count; i++)
        job->pieces[i] = (struct piece){ job, i };
    count_chunks (self, (ptrdiff_t) count);
    for (size_t i = 0; i < count; i++)
        batcher_add (self->base.batcher, &job->pieces[i], &run, alone);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "embedder",
        .in = WIRE_CHUNKS,
        .out = WIRE_VECTORS,
        .start = on_start,
        .on_article = on_article,
        .on_event = model_stage_event,
        .on_stop = model_stage_stop,
        .is_idle = model_stage_is_idle,
        .finish = model_stage_finish,
    };
    return stage_main (&def, argc, argv);
}
