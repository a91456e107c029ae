/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/loop.h"

#define WATCHES_MAX 192
#define TIMERS_MAX 32

struct watch {
    zsock_t *socket; /* NULL: fd */
    int fd;
    short events;
    loop_fn *fn;     /* NULL: removed */
    void *arg;
};

struct timer {
    int64_t due_ms, every_ms; /* every 0: once */
    loop_fn *fn;              /* NULL: free */
    void *arg;
};

struct loop {
    void *context;
    struct watch watches[WATCHES_MAX];
    size_t watch_count;
    struct timer timers[TIMERS_MAX];
};

struct loop *
loop_new (void *context)
{
    struct loop *self = MEM_NEW (struct loop);
    self->context = context;
    return self;
}

void
loop_destroy (struct loop **loop)
{
    free (*loop);
    *loop = NULL;
}

static struct watch *
find (struct loop *self, zsock_t *socket, int fd, short events)
{
    for (size_t i = 0; i < self->watch_count; i++) {
        struct watch *w = &self->watches[i];
        if (w->fn && w->socket == socket && w->fd == fd && (!socket || w->events == events))
            return w;
    }
    return NULL;
}

static void
watch (struct loop *self, struct watch wish)
{
    struct watch *w = find (self, wish.socket, wish.fd, wish.events);
    if (!w) {
        assert (self->watch_count < WATCHES_MAX);
        w = &self->watches[self->watch_count++];
    }
    *w = wish;
}

static void
unwatch (struct watch *w)
{
    if (w)
        w->fn = NULL; /* the slot goes after the turn, so that handlers may remove others */
}

void
loop_watch_fd (struct loop *self, int fd, bool writable, loop_fn *fn, void *arg)
{
    short events = (short) (writable ? ZMQ_POLLIN | ZMQ_POLLOUT : ZMQ_POLLIN);
    watch (self, (struct watch){ NULL, fd, events, fn, arg });
}

void
loop_unwatch_fd (struct loop *self, int fd)
{
    unwatch (find (self, NULL, fd, 0));
}

void
loop_watch_socket (struct loop *self, zsock_t *socket, bool writable, loop_fn *fn, void *arg)
{
    watch (self, (struct watch){ socket, -1, writable ? ZMQ_POLLOUT : ZMQ_POLLIN, fn, arg });
}

void
loop_unwatch_socket (struct loop *self, zsock_t *socket, bool writable)
{
    unwatch (find (self, socket, -1, writable ? ZMQ_POLLOUT : ZMQ_POLLIN));
}

static void
timer (struct loop *self, int64_t after_ms, int64_t every_ms, loop_fn *fn, void *arg)
{
    struct timer *slot = NULL;
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        struct timer *t = &self->timers[i];
        if (t->fn == fn && t->arg == arg && t->every_ms == every_ms) {
            slot = t;
            break;
        }
        if (!t->fn && !slot)
            slot = t;
    }
    assert (slot);
    *slot = (struct timer){ clock_mono_ms () + after_ms, every_ms, fn, arg };
}

void
loop_timer (struct loop *self, int64_t every_ms, loop_fn *fn, void *arg)
{
    timer (self, every_ms, every_ms, fn, arg);
}

void
loop_after (struct loop *self, int64_t after_ms, loop_fn *fn, void *arg)
{
    timer (self, after_ms, 0, fn, arg);
}

static int64_t
wait_ms (const struct loop *self)
{
    int64_t now = clock_mono_ms (), least = 60000;
    for (size_t i = 0; i < TIMERS_MAX; i++)
        if (self->timers[i].fn)
            least = MIN_OF (least, self->timers[i].due_ms - now);
    return MAX_OF (least, (int64_t) 0);
}

static void
run_timers (struct loop *self)
{
    int64_t now = clock_mono_ms ();
    for (size_t i = 0; i < TIMERS_MAX; i++) {
        struct timer *t = &self->timers[i], due = *t;
        if (!due.fn || due.due_ms > now)
            continue;
        if (due.every_ms)
            t->due_ms = now + due.every_ms;
        else
            t->fn = NULL;
        due.fn (self->context, due.arg);
    }
}

void
loop_turn (struct loop *self)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->watch_count; i++)
        if (self->watches[i].fn)
            self->watches[kept++] = self->watches[i];
    self->watch_count = kept;

    zmq_pollitem_t items[WATCHES_MAX];
    for (size_t i = 0; i < kept; i++) {
        const struct watch *w = &self->watches[i];
        items[i] = (zmq_pollitem_t){ w->socket ? zsock_resolve (w->socket) : NULL, w->fd, w->events, 0 };
    }
    int ready = zmq_poll (items, (int) kept, (long) wait_ms (self));
    for (size_t i = 0; ready > 0 && i < kept; i++)
        if (items[i].revents && self->watches[i].fn)
            self->watches[i].fn (self->context, self->watches[i].arg);
    run_timers (self);
}
