/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#define RESULTS_KEPT_MAX 100000 /* while the broker is away; past it the oldest go: leases cover for them */
#define RESULTS_LINGER_MS 5    /* in groups they cost a third: each wakes two threads of the broker and one of the collector */
#define READS_PER_TURN 64
#define TOLD_BEFORE_MS 50      /* for a heartbeat to leave */

/* ---- sending ---- */

void
outbox_flush (void *context, void *arg)
{
    struct stage *self = context;
    struct outbox *box = arg;
    zframe_t *frame;
    while ((frame = zlist_first (box->frames)) != NULL) {
        zframe_t *sent = frame;
        if (zframe_send (&sent, box->socket, ZFRAME_DONTWAIT) < 0) {
            loop_watch_socket (self->loop, box->socket, true, outbox_flush, box);
            return;
        }
        zlist_pop (box->frames);
    }
    loop_unwatch_socket (self->loop, box->socket, true);
}

static int
outbox_add (struct outbox *box, enum wire_type type, const void *message)
{
    struct buf bytes = { 0 };
    int r = wire_encode (type, message, &bytes);
    if (r == 0)
        zlist_append (box->frames, zframe_new (bytes.data, bytes.len));
    buf_fini (&bytes);
    return r;
}

int
outbox_send (struct stage *self, struct outbox *box, enum wire_type type, const void *message)
{
    int r = outbox_add (box, type, message);
    if (r == 0 && zlist_size (box->frames) == 1)
        outbox_flush (self, box);
    return r;
}

void
outbox_open (struct stage *self, struct outbox *box, int type, enum wire_link link)
{
    box->frames = zlist_new ();
    box->socket = stage_connect_link (self, type, link, STAGE_IN);
}

void
outbox_close (struct stage *self, struct outbox *box)
{
    zframe_t *frame;
    while (box->frames && (frame = zlist_pop (box->frames)) != NULL)
        zframe_destroy (&frame);
    zlist_destroy (&box->frames);
    stage_close (self, &box->socket);
}

void
stage_report (struct stage *self, struct wire_result *result)
{
    if (FAULT_POINT ("reporting"))
        return;
    /* Whatever was cut to fit a buffer on the way may end inside a letter. */
    char *reason = utf8_clean (result->reason.data ? result->reason.data : "", result->reason.size, WIRE_REASON_MAX);
    result->reason = wire_text (reason);
    result->stage = wire_text (self->def->name);
    result->worker = wire_text (self->worker);
    if (zlist_size (self->results.frames) >= RESULTS_KEPT_MAX) {
        zframe_t *oldest = zlist_pop (self->results.frames);
        zframe_destroy (&oldest);
    }
    if (outbox_add (&self->results, WIRE_RESULT, result) < 0)
        log_error ("article=%" PRIu64 " result could not be encoded", result->header.article);
    else if (zlist_size (self->results.frames) == 1)
        loop_after (self->loop, RESULTS_LINGER_MS, outbox_flush, &self->results);
    result->reason = wire_text (NULL);
    free (reason);
}

size_t
stage_backlog (const struct stage *self)
{
    return zlist_size (self->out.frames);
}

int
stage_dispatch (struct stage *self, const struct wire_article *article)
{
    return outbox_send (self, &self->out, WIRE_ARTICLE, article);
}

void
stage_publish (struct stage *self, enum wire_link link, enum wire_type type, const void *message)
{
    struct outbox *box = &self->publish[link == WIRE_EVENTS];
    if (outbox_send (self, box, type, message) < 0)
        log_error ("a message for %s could not be encoded", wire_link_name (link));
}

/* ---- receiving ---- */

zframe_t *
stage_receive_frame (zsock_t *socket, bool *ret_whole)
{
    zframe_t *frame = zframe_recv_nowait (socket);
    *ret_whole = frame && !zframe_more (frame);
    while (frame && zsock_rcvmore (socket)) {
        zframe_t *rest = zframe_recv_nowait (socket);
        zframe_destroy (&rest);
    }
    return frame;
}

/* A whole single-frame message that decodes as one of the wanted type; NULL when there is none. given (zframe_destroy) */
static zframe_t *
receive (struct stage *self, zsock_t *socket, enum wire_type wanted, union wire_message *ret_message)
{
    bool whole;
    zframe_t *frame = stage_receive_frame (socket, &whole);
    if (!frame)
        return NULL;
    enum wire_type type = wanted;
    int r = !whole ? -EBADMSG : wire_decode (zframe_data (frame), zframe_size (frame), &type, ret_message);
    if (r == 0 && type == wanted)
        return frame;
    self->frames_refused++;
    log_warn ("refused a frame of %zu bytes: %s refused=%" PRIu64, zframe_size (frame),
              !whole ? "several parts" : wire_fault (r < 0 ? r : -EPROTOTYPE), self->frames_refused);
    zframe_destroy (&frame);
    return zframe_new_empty ();
}

/* Not handed back at once: from a host whose clock is ahead it would come again and again. */
static void
too_late (struct stage *self, struct stage_article **article, int64_t seconds)
{
    char reason[STAGE_REASON_SIZE];
    snprintf (reason, sizeof reason, "came %" PRId64 " s after its run's deadline by the clock of %s: if this is often so, set that "
              "clock (NTP)", seconds, self->host);
    log_warn ("article=%" PRIu64 " %s", (*article)->wire.header.article, reason);
    stage_fail (self, article, WIRE_TRANSIENT, reason);
}

static void
begin_article (struct stage *self, struct stage_article *article)
{
    if (self->stopping) {
        stage_return (self, &article);
        return;
    }
    FAULT_POISON (article->wire.title.data, article->wire.title.size);
    self->def->on_article (self, self->state, article);
    update_input (self);
}

static void
begin_told (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    struct stage_article *article;
    while ((article = zlist_first (self->told)) != NULL) {
        int64_t wait_ms = article->since_ms + TOLD_BEFORE_MS - clock_mono_ms ();
        if (wait_ms > 0) {
            loop_after (self->loop, wait_ms, begin_told, NULL);
            return;
        }
        zlist_pop (self->told);
        begin_article (self, article);
    }
}

void
on_input (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    bool tell_now = false;
    for (int i = 0; i < READS_PER_TURN && self->reading; i++) {
        union wire_message message;
        zframe_t *frame = receive (self, self->in, WIRE_ARTICLE, &message);
        if (!frame)
            break;
        if (!zframe_size (frame)) {
            zframe_destroy (&frame);
            continue;
        }
        if (FAULT_POINT ("receiving")) {
            zframe_destroy (&frame);
            continue;
        }
        struct stage_article *article = article_new (self, frame, &message.article);
        int64_t deadline_us = message.header.deadline_us;
        if (deadline_us && clock_wall_us () > deadline_us) {
            too_late (self, &article, (clock_wall_us () - deadline_us) / US_PER_S);
            continue;
        }
        tell_soon (self);
        /* Whoever had it before may have died of it. Then this process does too, and by having told it is known of what. */
        if (message.header.attempt > 1) {
            tell_now = true;
            zlist_append (self->told, article);
            update_input (self);
        } else
            begin_article (self, article);
    }
    if (tell_now) {
        outbox_flush (self, &self->results);
        heartbeat (self, NULL);
        begin_told (self, NULL);
    }
}

void
on_events (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    union wire_message message;
    zframe_t *frame;
    while ((frame = receive (self, self->events, WIRE_EVENT, &message)) != NULL) {
        if (zframe_size (frame) && self->started && self->def->on_event)
            self->def->on_event (self, self->state, &message.event);
        zframe_destroy (&frame);
    }
}

void
on_ticks (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    union wire_message message;
    zframe_t *frame;
    while ((frame = receive (self, self->ticks, WIRE_TICK, &message)) != NULL) {
        if (zframe_size (frame) && self->started && !self->stopping)
            self->def->on_tick (self, self->state, &message.tick);
        zframe_destroy (&frame);
    }
}

zsock_t *
open_input (struct stage *self, int type, enum wire_link link, loop_fn *fn)
{
    zsock_t *socket = stage_connect_link (self, type, link, STAGE_OUT);
    if (socket && type == ZMQ_SUB)
        zsock_set_subscribe (socket, "");
    if (socket && fn)
        loop_watch_socket (self->loop, socket, false, fn, NULL);
    return socket;
}
