/* writer - stores each finished article in one transaction: the article, its chunks with vectors, and the ledger's
 * `done`. A second copy of an article changes nothing. See newsmill-writer.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/writer/store.h"

struct writer {
    struct stage *stage;
    struct store *store;
};

static void
on_stored (void *context, struct stage_article *article, const struct store_outcome *outcome)
{
    struct writer *self = context;
    if (outcome->returned)
        stage_return (self->stage, &article);
    else if (outcome->fault == WIRE_NO_FAULT)
        stage_done (self->stage, &article, outcome->chunks);
    else
        stage_fail (self->stage, &article, outcome->fault, outcome->reason);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct writer *self = MEM_NEW (struct writer);
    *ret_state = self;
    self->stage = stage;
    self->store = store_new (stage, (size_t) s->writer_connections, (size_t) s->writer_in_flight, on_stored, self);
    stage_set_capacity (stage, 2 * (size_t) s->writer_in_flight);
    return 0;
}

static void
on_article (struct stage *stage, void *state, struct stage_article *article)
{
    struct writer *self = state;
    const struct wire_article *wire = &article->wire;
    if (!wire->summary.size || !wire->vectors.size)
        stage_fail (stage, &article, WIRE_BLAMED, "came without summary or vectors");
    else if (wire->dimensions != (uint32_t) stage_settings (stage)->model_dimensions)
        stage_fail (stage, &article, WIRE_BLAMED, "its vectors have other dimensions than the database");
    else
        store_add (self->store, article);
}

static bool
is_idle (void *state)
{
    return store_count (((struct writer *) state)->store) == 0;
}

static void
on_stop (struct stage *stage UNUSED, void *state)
{
    store_stop (((struct writer *) state)->store);
}

static void
on_finish (struct stage *stage UNUSED, void *state)
{
    struct writer *self = state;
    store_destroy (&self->store);
    free (self);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "writer",
        .in = WIRE_VECTORS,
        .out = WIRE_NO_LINK,
        .database = &stage_postgres,
        .start = on_start,
        .on_article = on_article,
        .on_stop = on_stop,
        .is_idle = is_idle,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
