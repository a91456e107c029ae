/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/loop.h"

#include <poll.h>

#define WATCHES_MAX 192
#define TIMERS_MAX 32

/* The descriptor of a socket tells of a change once, and is silenced by whatever call on the socket takes notice of it
 * (zmq_getsockopt(3), ZMQ_FD). So a socket is asked when its descriptor calls, and again after each use of it. zmq_poll asks
 * all of them twice a turn, at a system call each. */
struct watch {
    zsock_t *socket; /* NULL: fd */
    int fd;          /* the socket's, if there is one */
    short events;
    bool used;       /* the socket, since it was asked and had nothing */
    bool ready;      /* in this turn */
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
        if (w->fn && w->socket == socket && (socket ? w->events == events : w->fd == fd))
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
    short events = (short) (writable ? POLLIN | POLLOUT : POLLIN);
    watch (self, (struct watch){ .fd = fd, .events = events, .fn = fn, .arg = arg });
}

void
loop_unwatch_fd (struct loop *self, int fd)
{
    unwatch (find (self, NULL, fd, 0));
}

void
loop_used (struct loop *self, const zsock_t *socket)
{
    for (size_t i = 0; i < self->watch_count; i++)
        if (self->watches[i].socket == socket)
            self->watches[i].used = true;
}

void
loop_watch_socket (struct loop *self, zsock_t *socket, bool writable, loop_fn *fn, void *arg)
{
    watch (self, (struct watch){ .socket = socket, .fd = zsock_fd (socket), .events = writable ? ZMQ_POLLOUT : ZMQ_POLLIN,
                                 .fn = fn, .arg = arg });
    loop_used (self, socket);
}

void
loop_unwatch_socket (struct loop *self, zsock_t *socket, bool writable)
{
    unwatch (find (self, socket, -1, writable ? ZMQ_POLLOUT : ZMQ_POLLIN));
}

/* By the clock that all processes of a machine share: what is due every second is due in all at once, and one waking does for
 * many timers, here and where their messages go. */
static int64_t
next_ms (int64_t now_ms, int64_t every_ms)
{
    return now_ms - now_ms % every_ms + every_ms;
}

static void
timer (struct loop *self, int64_t due_ms, int64_t every_ms, loop_fn *fn, void *arg)
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
    *slot = (struct timer){ due_ms, every_ms, fn, arg };
}

void
loop_timer (struct loop *self, int64_t every_ms, loop_fn *fn, void *arg)
{
    timer (self, next_ms (clock_mono_ms (), every_ms), every_ms, fn, arg);
}

void
loop_after (struct loop *self, int64_t after_ms, loop_fn *fn, void *arg)
{
    timer (self, clock_mono_ms () + after_ms, 0, fn, arg);
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
            t->due_ms = next_ms (now, due.every_ms);
        else
            t->fn = NULL;
        due.fn (self->context, due.arg);
    }
}

/* For all watches of the socket, as asking silences its descriptor for all. */
static void
look (struct loop *self, zsock_t *socket)
{
    int events = zsock_events (socket);
    for (size_t i = 0; i < self->watch_count; i++) {
        struct watch *w = &self->watches[i];
        if (w->socket == socket)
            w->used = w->ready = events & w->events;
    }
}

/* Returns how long there is to wait: not at all when a socket is known to be ready. */
static int64_t
begin_turn (struct loop *self)
{
    size_t kept = 0;
    bool any = false;
    for (size_t i = 0; i < self->watch_count; i++)
        if (self->watches[i].fn) {
            self->watches[kept] = self->watches[i];
            self->watches[kept++].ready = false;
        }
    self->watch_count = kept;
    for (size_t i = 0; i < kept; i++) {
        if (self->watches[i].used && !self->watches[i].ready)
            look (self, self->watches[i].socket);
        any |= self->watches[i].ready;
    }
    return any ? 0 : wait_ms (self);
}

void
loop_turn (struct loop *self)
{
    int64_t wait = begin_turn (self);
    size_t count = self->watch_count;
    struct pollfd fds[WATCHES_MAX];
    for (size_t i = 0; i < count; i++) {
        const struct watch *w = &self->watches[i];
        fds[i] = (struct pollfd){ w->fd, w->socket ? POLLIN : w->events, 0 };
    }
    int called = poll (fds, count, (int) wait);
    for (size_t i = 0; called > 0 && i < count; i++) {
        struct watch *w = &self->watches[i];
        if (fds[i].revents && !w->socket)
            w->ready = true;
        else if (fds[i].revents && !w->ready)
            look (self, w->socket);
    }
    for (size_t i = 0; i < count; i++) {
        struct watch *w = &self->watches[i];
        if (!w->ready || !w->fn)
            continue;
        zsock_t *socket = w->socket; /* the handler may give the watch up, or close the socket */
        w->fn (self->context, w->arg);
        if (socket)
            loop_used (self, socket);
    }
    run_timers (self);
}
