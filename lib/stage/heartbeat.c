/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#define HELD_TOLD_MS 100
#define IDLE_TURNS 3           /* who has nothing to lose is heard of less often */

void
tell_soon (struct stage *self)
{
    if (!self->telling)
        loop_after (self->loop, HELD_TOLD_MS, heartbeat, NULL);
    self->telling = true;
}

void
heartbeat (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    self->telling = false;
    struct buf held = { 0 };
    for (const struct stage_article *a = self->first; a; a = a->next)
        wire_id_put (&held, a->wire.header.article);
    for (zframe_t *f = self->out.frames ? zlist_first (self->out.frames) : NULL; f; f = zlist_next (self->out.frames))
        buf_add (&held, zframe_data (f) + WIRE_ARTICLE_ID_OFFSET, 8); /* passed on, and not yet taken by the broker */
    if (self->started && self->def->held)
        self->def->held (self->state, &held);
    self->holding = held.len || self->busy;
    json_t *numbers = json_object ();
    if (self->started && self->def->statistics)
        self->def->statistics (self->state, numbers);
    if (self->in)
        json_object_set_new (numbers, "full", json_integer (!self->reading));
    json_object_set_new (numbers, "clockMs", json_integer (clock_wall_us () / 1000));
    char *statistics = json_dumps (numbers, JSON_COMPACT);
    struct wire_heartbeat message = {
        .stage = wire_text (self->def->name), .worker = wire_text (self->worker), .host = wire_text (self->host),
        .pid = (uint32_t) getpid (), .state = self->stopping ? WIRE_LEAVING : WIRE_ALIVE,
        .interval_ms = (uint32_t) self->settings.delivery_heartbeat * (self->holding ? 1 : IDLE_TURNS),
        .held = { held.data, held.len }, .statistics = wire_text (statistics),
    };
    /* Only the newest one matters: none is added to a queue that does not move. */
    if (zlist_size (self->results.frames) == 0 && !FAULT_POINT ("beating")
        && outbox_send (self, &self->results, WIRE_HEARTBEAT, &message) < 0)
        log_error ("heartbeat could not be encoded");
    free (statistics);
    json_decref (numbers);
    buf_fini (&held);
}

void
beat (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    links_check (self);
    bool idle = !self->busy && !self->holding && self->in_hand == 0;
    int64_t turn = clock_mono_ms () / (self->settings.delivery_heartbeat * IDLE_TURNS); /* together, as timers are */
    if (idle && turn == self->told_turn)
        return;
    self->told_turn = turn;
    heartbeat (self, NULL);
}

void
stage_set_busy (struct stage *self, bool busy)
{
    if (busy && !self->busy)
        tell_soon (self);
    self->busy = busy;
}
