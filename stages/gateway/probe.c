/* Apart from lib/db, whose calls may block for seconds: a gateway that asks for the database must
 * still answer others.
 * SPDX-License-Identifier: MPL-2.0 */
#include "probe.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

struct probe {
    const char *url;
    int epoll_fd, watched_fd; /* watched_fd: -1 for none */
    void (*done) (void *arg);
    void *arg;
    short watched_for;
    bool wanted;        /* begun, not yet connecting */
    PGconn *connection; /* while connecting */
    int64_t deadline_ms, verdict_ms;
    bool good, said_bad;
};

struct probe *
probe_new (const char *url, int epoll_fd, void (*done) (void *arg), void *arg)
{
    struct probe *self = MEM_NEW (struct probe);
    *self = (struct probe){
        .url = url, .epoll_fd = epoll_fd, .watched_fd = -1, .done = done, .arg = arg
    };
    return self;
}

/* Before libpq closes the descriptor: its number may be another's right after. */
static void
unwatch (struct probe *self)
{
    if (self->watched_fd >= 0)
        epoll_ctl (self->epoll_fd, EPOLL_CTL_DEL, self->watched_fd, NULL);
    self->watched_fd = -1;
}

static void
watch (struct probe *self, short events)
{
    struct epoll_event event = { .events = events & POLLOUT ? EPOLLOUT : EPOLLIN };
    int fd = PQsocket (self->connection);
    self->watched_for = events;
    if (fd >= 0 && epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0)
        self->watched_fd = fd;
}

void
probe_destroy (struct probe **ref)
{
    struct probe *self = *ref;
    *ref = NULL;
    if (!self)
        return;
    unwatch (self);
    PQfinish (self->connection);
    free (self);
}

static void
conclude (struct probe *self, bool good, const char *reason)
{
    char quoted[LOG_QUOTE_SIZE];
    if (!good && !self->said_bad)
        log_warn ("database cannot be reached: %s", log_quote (reason, quoted));
    else if (good && self->said_bad)
        log_info ("database can be reached again");
    self->said_bad = !good;
    self->good = good;
    self->wanted = false;
    self->verdict_ms = clock_mono_ms ();
    unwatch (self);
    PQfinish (self->connection);
    self->connection = NULL;
    self->done (self->arg);
}

void
probe_begin (struct probe *self)
{
    if (self->wanted || self->connection)
        return;
    self->wanted = true;
    self->deadline_ms = clock_mono_ms () + PROBE_TIMEOUT_MS;
}

bool
probe_is_fresh (const struct probe *self)
{
    return self->verdict_ms && clock_mono_ms () - self->verdict_ms < PROBE_FRESH_MS;
}

bool
probe_is_good (const struct probe *self)
{
    return self->good;
}

static void
start_connecting (struct probe *self)
{
    const char *const names[] = { "dbname", "fallback_application_name", NULL };
    const char *const values[] = { self->url, "gateway", NULL };
    self->wanted = false;
    if (*self->url)
        self->connection = PQconnectStartParams (names, values, 1);
    if (!self->connection)
        conclude (self, false, *self->url ? "out of memory" : "database.url is not set");
    else if (PQstatus (self->connection) == CONNECTION_BAD)
        conclude (self, false, PQerrorMessage (self->connection));
    else
        watch (self, POLLOUT); /* what libpq wants to see before it is polled the first time */
}

static void
go_on (struct probe *self)
{
    struct pollfd ready = { .fd = self->watched_fd, .events = self->watched_for };
    if (poll (&ready, 1, 0) <= 0)
        return; /* libpq takes a call before its time for a finished connect */
    unwatch (self);
    switch (PQconnectPoll (self->connection)) {
    case PGRES_POLLING_OK:
        conclude (self, true, NULL);
        break;
    case PGRES_POLLING_READING:
        watch (self, POLLIN);
        break;
    case PGRES_POLLING_WRITING:
        watch (self, POLLOUT);
        break;
    default:
        conclude (self, false, PQerrorMessage (self->connection));
    }
}

void
probe_run (struct probe *self)
{
    if (self->wanted)
        start_connecting (self);
    else if (self->connection && clock_mono_ms () >= self->deadline_ms)
        conclude (self, false, "it does not answer");
    else if (self->connection)
        go_on (self);
}

int64_t
probe_wait_ms (const struct probe *self)
{
    if (!self->wanted && !self->connection)
        return -1;
    return self->wanted ? 0 : MAX_OF (self->deadline_ms - clock_mono_ms (), INT64_C (0));
}
