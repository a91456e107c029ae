/* broker - the one address every process connects to: a bounded queue per work link, and fan-out of ticks and events.
 * It reads an input only when its queue has room, and keeps no truth: what dies with it is dispatched again.
 * See newsmill-broker.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/fault.h"
#include "curve/curve.h"
#include "stage/stage.h"

#include <fcntl.h>
#include <sys/file.h>

#define QUEUE_MAX 4096            /* messages of one link */
#define QUEUE_BYTES_MAX (64u << 20)
#define MOVES_PER_TURN 256        /* so that no link starves the others */
#define TELL_AGAIN_MS 1000

struct link {
    struct stage *stage;
    enum wire_link name;
    zsock_t *in, *out;
    zlist_t *queue;
    size_t queued_bytes;
    uint64_t received, sent, refused;
    int64_t told_ms; /* when a refusal was last logged */
    bool reading;
};

struct broker {
    struct link links[WIRE_LINK_COUNT];
    int lock_fd; /* -1: not needed */
};

static void on_room (struct stage *stage, void *arg);
static void on_message (struct stage *stage, void *arg);

static void
set_reading (struct link *self, bool reading)
{
    if (reading == self->reading)
        return;
    self->reading = reading;
    if (reading)
        stage_watch_socket (self->stage, self->in, on_message, self);
    else
        stage_unwatch_socket (self->stage, self->in);
}

static void
on_room (struct stage *stage, void *arg)
{
    struct link *self = arg;
    zframe_t *frame;
    for (int i = 0; i < MOVES_PER_TURN && (frame = zlist_first (self->queue)) != NULL; i++) {
        size_t bytes = zframe_size (frame);
        zframe_t *sent = frame;
        if (zframe_send (&sent, self->out, ZFRAME_DONTWAIT) < 0)
            break;
        zlist_pop (self->queue);
        self->queued_bytes -= bytes;
        self->sent++;
    }
    if (zlist_size (self->queue) == 0)
        stage_unwatch_room (stage, self->out);
    else
        stage_watch_room (stage, self->out, on_room, self);
    set_reading (self, zlist_size (self->queue) < QUEUE_MAX && self->queued_bytes < QUEUE_BYTES_MAX);
}

/* A result or heartbeat must be the sender's own; its role is known where the socket is encrypted (Role: lib/stage/zap.c). */
static bool
is_his_own (zframe_t *frame, const char *role)
{
    enum wire_type type;
    union wire_message message;
    if (wire_decode (zframe_data (frame), zframe_size (frame), &type, &message) < 0)
        return false;
    const struct wire_bytes *stage = type == WIRE_RESULT ? &message.result.stage : &message.heartbeat.stage;
    char *name = mem_copy (stage->data, stage->size);
    bool own = curve_has_role (role, name);
    free (name);
    return own;
}

static void
refuse (struct link *self, zframe_t *frame, const char *why)
{
    self->refused++;
    if (!log_is_due (&self->told_ms, TELL_AGAIN_MS))
        return;
    const char *name = zframe_meta (frame, "User-Id"), *address = zframe_meta (frame, "Peer-Address");
    log_warn ("refused a frame of %zu bytes on %s: %s, from=%s address=%s refused=%" PRIu64, zframe_size (frame),
              wire_link_name (self->name), why, name && *name ? name : "unknown", address ? address : "this machine",
              self->refused);
}

/* The next frame that may pass. *ret_any: whether there was one at all. given (zframe_destroy) */
static zframe_t *
receive (struct link *self, bool *ret_any)
{
    bool whole;
    zframe_t *frame = stage_receive_frame (self->in, &whole);
    *ret_any = frame != NULL;
    if (!frame)
        return NULL;
    const char *why = whole ? NULL : "several parts";
    int r = why ? 0 : wire_check (zframe_data (frame), zframe_size (frame), self->name);
    if (r < 0)
        why = wire_fault (r);
    const char *role = !why && self->name == WIRE_RESULTS ? zframe_meta (frame, "Role") : NULL;
    if (role && !is_his_own (frame, role))
        why = "it speaks for another stage than the sender's";
    if (!why)
        return frame;
    refuse (self, frame, why);
    zframe_destroy (&frame);
    return NULL;
}

static void
on_message (struct stage *stage, void *arg)
{
    struct link *self = arg;
    bool any = true;
    for (int i = 0; i < MOVES_PER_TURN && self->reading && any; i++) {
        zframe_t *frame = receive (self, &any);
        if (!frame)
            continue;
        bool first = zlist_size (self->queue) == 0;
        if (FAULT_POINT ("taking")) {
            zframe_destroy (&frame);
            continue;
        }
        self->received++;
        self->queued_bytes += zframe_size (frame);
        zlist_append (self->queue, frame);
        if (first || zlist_size (self->queue) >= QUEUE_MAX || self->queued_bytes >= QUEUE_BYTES_MAX)
            on_room (stage, self);
    }
}

static void
on_published (struct stage *stage, void *arg)
{
    struct link *self = arg;
    bool any = true;
    for (int i = 0; i < MOVES_PER_TURN && any; i++) {
        zframe_t *frame = receive (self, &any);
        if (!frame)
            continue;
        self->received++;
        self->sent++;
        zframe_send (&frame, self->out, ZFRAME_DONTWAIT); /* drops for a slow subscriber: ticks and events are repeated */
        zframe_destroy (&frame);
    }
    stage_used (stage, self->out);
}

static void
on_subscription (struct stage *stage, void *arg)
{
    struct link *self = arg;
    zframe_t *frame;
    for (int i = 0; i < MOVES_PER_TURN && (frame = zframe_recv_nowait (self->out)) != NULL; i++) {
        bool subscription = zframe_size (frame) && zframe_data (frame)[0] <= 1 && !zframe_more (frame);
        if (subscription) /* nothing else goes upstream */
            zframe_send (&frame, self->in, ZFRAME_DONTWAIT);
        zframe_destroy (&frame);
    }
    stage_used (stage, self->in);
}

static bool
link_open (struct link *self)
{
    bool fan = wire_link_fans_out (self->name);
    self->queue = zlist_new ();
    self->in = stage_bind_link (self->stage, fan ? ZMQ_XSUB : ZMQ_PULL, self->name, STAGE_IN);
    self->out = stage_bind_link (self->stage, fan ? ZMQ_XPUB : ZMQ_PUSH, self->name, STAGE_OUT);
    if (!self->in || !self->out)
        return false;
    if (fan) {
        stage_watch_socket (self->stage, self->in, on_published, self);
        stage_watch_socket (self->stage, self->out, on_subscription, self);
    } else
        set_reading (self, true);
    return true;
}

/* A second broker would take the ipc sockets away from the first without either noticing. */
static int
lock_folder (struct broker *self, const char *folder)
{
    char *path = mem_printf ("%s/broker.lock", folder);
    if (stage_make_folder (folder) < 0) {
        free (path);
        return -EACCES;
    }
    self->lock_fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int r = self->lock_fd < 0 || flock (self->lock_fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;
    if (r == -EWOULDBLOCK)
        log_error ("another broker serves %s", folder);
    else if (r < 0)
        log_error ("cannot lock %s: %s", path, strerror (-r));
    free (path);
    return r;
}

static int
on_start (struct stage *stage, void **ret_state)
{
    struct broker *self = MEM_NEW (struct broker);
    *ret_state = self;
    self->lock_fd = -1;
    const char *base = stage_settings (stage)->broker_endpoint;
    int r = strncmp (base, "ipc://", 6) == 0 ? lock_folder (self, base + 6) : 0;
    if (r < 0)
        return r;
    for (int i = 0; i < WIRE_LINK_COUNT; i++) {
        self->links[i].stage = stage;
        self->links[i].name = (enum wire_link) i;
        if (!link_open (&self->links[i]))
            return -EADDRINUSE;
    }
    return 0;
}

/* What waits here is in good hands: the heartbeat says so, and its leases live on. */
static void
on_held (void *state, struct buf *ids)
{
    struct broker *self = state;
    for (int i = 0; i <= WIRE_VECTORS; i++)
        for (zframe_t *f = zlist_first (self->links[i].queue); f; f = zlist_next (self->links[i].queue))
            if (zframe_size (f) >= WIRE_HEADER_BYTES && zframe_data (f)[WIRE_TYPE_OFFSET] == WIRE_ARTICLE)
                buf_add (ids, zframe_data (f) + WIRE_ARTICLE_ID_OFFSET, 8);
}

static void
put_number (json_t *numbers, const char *link, const char *what, uint64_t value)
{
    char name[64];
    snprintf (name, sizeof name, "%s.%s", link, what);
    json_object_set_new (numbers, name, json_integer ((json_int_t) value));
}

static void
on_statistics (void *state, json_t *numbers)
{
    struct broker *self = state;
    for (int i = 0; i < WIRE_LINK_COUNT; i++) {
        const struct link *link = &self->links[i];
        put_number (numbers, wire_link_name (link->name), "in", link->received);
        put_number (numbers, wire_link_name (link->name), "out", link->sent);
        put_number (numbers, wire_link_name (link->name), "queued", zlist_size (link->queue));
        put_number (numbers, wire_link_name (link->name), "refused", link->refused);
    }
}

static void
on_finish (struct stage *stage, void *state)
{
    struct broker *self = state;
    for (int i = 0; i < WIRE_LINK_COUNT; i++) {
        struct link *link = &self->links[i];
        zframe_t *frame;
        while (link->queue && (frame = zlist_pop (link->queue)) != NULL)
            zframe_destroy (&frame);
        zlist_destroy (&link->queue);
        stage_close (stage, &link->in);
        stage_close (stage, &link->out);
    }
    if (self->lock_fd >= 0)
        close (self->lock_fd);
    free (self);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "broker",
        .in = WIRE_NO_LINK,
        .out = WIRE_NO_LINK,
        .start = on_start,
        .held = on_held,
        .statistics = on_statistics,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
