/* embedder - turns chunks into vectors, batches filled across articles. See newsmill-embedder.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/history.h"
#include "model/weights.h"
#include "stage/model_stage.h"
#include "stages/embedder/memory.h"

#define CAPACITY_ARTICLES 256     /* bounds the memory */
/* A call of the model in this process costs nothing, and they come one after the other: vectors need not wait for many, nor a stop. */
#define LOCAL_BATCH 4
#define LOCAL_CALLS 2

/* An article under way: its chunks travel in different calls and come back in any order. */
struct job {
    struct stage_article *article;
    char *heading;            /* put before each chunk for the model; NULL: nothing */
    float *vectors;           /* a row a chunk */
    char *model;              /* name of the one that answered */
    size_t open;              /* chunks not yet back */
    enum wire_class fault;    /* the gravest so far */
    bool returned;
    char reason[256];
    struct piece {
        struct job *job;
        size_t index;
        struct memory_entry *entry; /* of its text while it waits there; NULL: it is in a call of its own */
    } pieces[];
};

struct embedder {
    struct model_stage base;
    struct memory *memory;
    uint64_t reused;            /* chunks whose vector was not asked of the model */
    size_t dimensions;
    size_t chunks, chunks_most; /* in hand; past two rounds of calls no article is taken: another embedder may have it */
};

static void
count_chunks (struct embedder *self, ptrdiff_t change)
{
    self->chunks += (size_t) change;
    stage_set_capacity (self->base.stage, self->chunks < self->chunks_most ? CAPACITY_ARTICLES : 0);
}

static struct model_text
text_of (const struct piece *piece)
{
    const struct wire_article *wire = &piece->job->article->wire;
    struct wire_chunk chunk = wire_chunk_at (wire, piece->index);
    return (struct model_text){ piece->job->heading, wire->content.data + chunk.byte_start,
                                chunk.byte_end - chunk.byte_start };
}

static void
call (void *context, struct batch *batch)
{
    struct embedder *self = context;
    struct model_text *texts = mem_alloc (batch->count * sizeof *texts);
    for (size_t i = 0; i < batch->count; i++) {
        const struct piece *piece = batch->items[i];
        texts[i] = text_of (piece);
        HISTORY ("asked call=%p.%d article=%" PRIu64 " chunk=%zu", (void *) batch, batch->tries,
                 piece->job->article->wire.header.article, piece->index);
    }
    model_embed (self->base.model, texts, batch->count, batch_reply, batch);
    free (texts);
}

/* ---- the end of a piece, and of its article with the last ---- */

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
    free (job->heading);
    free (job->vectors);
    free (job->model);
    free (job);
}

static void
piece_end (struct embedder *self, struct piece *piece)
{
    if (--piece->job->open == 0)
        job_end (self, piece->job);
    count_chunks (self, -1);
}

struct outcome {
    struct embedder *self;
    const float *vector;     /* NULL: there is none, for this reason */
    const char *model;
    enum wire_class fault;   /* WIRE_NO_FAULT: handed back */
    const char *reason;
};

static void
settle (void *context, void *waiter)
{
    const struct outcome *outcome = context;
    struct embedder *self = outcome->self;
    struct piece *piece = waiter;
    struct job *job = piece->job;
    if (outcome->vector) {
        memcpy (job->vectors + piece->index * self->dimensions, outcome->vector, self->dimensions * sizeof (float));
        if (!job->model)
            job->model = mem_dup (outcome->model);
    } else if (outcome->fault == WIRE_NO_FAULT)
        job->returned = true;
    else if (outcome->fault > job->fault) {
        job->fault = outcome->fault;
        snprintf (job->reason, sizeof job->reason, "%s", outcome->reason);
    }
    piece_end (self, piece);
}

static void
take_outputs (void *context, struct batch *batch, const struct model_reply *reply)
{
    struct embedder *self = context;
    struct outcome outcome = { .self = self, .model = reply->name };
    for (size_t i = 0; i < batch->count; i++) {
        struct piece *piece = batch->items[i];
        outcome.vector = reply->vectors + i * self->dimensions;
        if (piece->entry)
            memory_learn (self->memory, piece->entry, outcome.vector, reply->name, settle, &outcome);
        else
            settle (&outcome, piece);
    }
}

static void
give_up (void *context, void *item, enum wire_class fault, const char *reason)
{
    struct embedder *self = context;
    struct piece *piece = item;
    struct outcome outcome = { .self = self, .fault = fault, .reason = reason };
    if (piece->entry)
        memory_forget (self->memory, piece->entry, settle, &outcome);
    else
        settle (&outcome, piece);
}

/* ---- the beginning ---- */

/* What the setting has the model read before each chunk; what is stored has nothing of it. given (free), or NULL */
static char *
heading_of (const struct embedder *self, const struct wire_article *wire)
{
    const char *prefix = stage_settings (self->base.stage)->embedder_prefix;
    struct buf heading = { 0 };
    if (streq (prefix, "none"))
        return NULL;
    buf_add (&heading, wire->title.data, wire->title.size);
    if (streq (prefix, "title_source") && wire->source.size) {
        buf_add_str (&heading, heading.len ? "\n" : "");
        buf_add (&heading, wire->source.data, wire->source.size);
    }
    return heading.len ? buf_take (&heading) : NULL;
}

/* To the model, or to what is known, or to wait for one who asked the model for the same. An article that travels alone
 * shares no call with others, so it waits for none. */
static void
piece_begin (struct embedder *self, struct piece *piece, const struct uuid *run, bool alone)
{
    struct model_text text = text_of (piece);
    bool first = true;
    struct memory_entry *entry =
        alone ? NULL : memory_ask (self->memory, text.title, text.text, text.bytes, piece, &first);
    if (first) {
        piece->entry = entry;
        batcher_add (self->base.batcher, piece, run, alone);
        return;
    }
    self->reused++;
    if (memory_vector (entry)) {
        struct outcome outcome = { .self = self, .vector = memory_vector (entry), .model = memory_model (entry) };
        settle (&outcome, piece);
    }
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct embedder *self = MEM_NEW (struct embedder);
    *ret_state = self;
    self->dimensions = (size_t) s->model_dimensions;
    size_t batch = (size_t) s->embedder_batch, calls = (size_t) s->embedder_calls;
    if (streq (s->model_base_url, "local")) {
        batch = MIN_OF (batch, (size_t) LOCAL_BATCH);
        calls = MIN_OF (calls, (size_t) LOCAL_CALLS);
    }
    struct batch_settings settings = { batch, calls, s->embedder_linger, call, take_outputs, give_up, NULL };
    self->memory = memory_new (self->dimensions, (size_t) s->embedder_memory);
    self->chunks_most = 2 * settings.max_calls * settings.max_items;
    stage_set_capacity (stage, CAPACITY_ARTICLES);
    char *weights = model_weights_find (s->model_weights, s->data_dir);
    if (!weights) /* the log says then what is missing, and where */
        weights = model_weights_place (s->model_weights, s->data_dir);
    int r = model_stage_open (stage, &settings, weights, &self->base);
    free (weights);
    return r;
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
    job->heading = heading_of (self, &article->wire);
    job->open = count;
    /* The job may end with its last piece, inside this loop: nothing of it is touched after that. */
    struct uuid run = article->wire.header.run;
    bool alone = article->wire.flags & WIRE_ALONE;
    for (size_t i = 0; i < count; i++)
        job->pieces[i] = (struct piece){ job, i, NULL };
    count_chunks (self, (ptrdiff_t) count);
    for (size_t i = 0; i < count; i++)
        piece_begin (self, &job->pieces[i], &run, alone);
}

static void
on_statistics (void *state, json_t *numbers)
{
    const struct embedder *self = state;
    json_object_set_new (numbers, "model", json_string (model_embedding_name (self->base.model)));
    json_object_set_new (numbers, "reused", json_integer ((json_int_t) self->reused));
    json_object_set_new (numbers, "memory_bytes", json_integer ((json_int_t) memory_bytes (self->memory)));
}

static void
on_finish (struct stage *stage, void *state)
{
    memory_destroy (&((struct embedder *) state)->memory);
    model_stage_finish (stage, state);
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
        .statistics = on_statistics,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
