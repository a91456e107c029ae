/* serve - the server's loop, timers and answers.
 * SPDX-License-Identifier: MPL-2.0 */
#include "demo/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define CONNECTION_BYTES ((size_t) 128 << 10) /* big bodies arrive in few pieces */

struct timer {
    struct timer *next;
    int64_t due_us; /* monotonic */
    serve_timer_fn *fn;
    void *context;
};

struct serve {
    const struct serve_app *app;
    struct MHD_Daemon *daemon;
    struct timer *timers; /* soonest first */
    int epoll_fd, signal_fd;
    uint16_t port;
    bool stopping;
};

/* ---- timers ---- */

void
serve_after (struct serve *serve, int64_t delay_ms, serve_timer_fn *fn, void *context)
{
    struct timer *timer = MEM_NEW (struct timer);
    timer->due_us = clock_mono_us () + delay_ms * 1000;
    timer->fn = fn;
    timer->context = context;
    struct timer **at = &serve->timers;
    while (*at && (*at)->due_us <= timer->due_us)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static void
wake (void *connection)
{
    MHD_resume_connection (connection);
}

bool
serve_sleep (struct serve *serve, struct MHD_Connection *connection, int64_t delay_ms)
{
    if (serve->stopping)
        return false;
    MHD_suspend_connection (connection);
    serve_after (serve, delay_ms, wake, connection);
    return true;
}

static struct timer *
timer_pop (struct serve *serve)
{
    struct timer *timer = serve->timers;
    serve->timers = timer->next;
    return timer;
}

static void
run_timers (struct serve *serve)
{
    int64_t now_us = clock_mono_us ();
    while (serve->timers && serve->timers->due_us <= now_us) {
        struct timer *timer = timer_pop (serve);
        timer->fn (timer->context);
        free (timer);
    }
}

/* ---- requests ---- */

static struct serve_request *
request_new (struct serve *serve, struct MHD_Connection *connection, const char *method,
             const char *path)
{
    struct serve_request *request = MEM_NEW (struct serve_request);
    request->serve = serve;
    request->connection = connection;
    request->method = method;
    request->path = request->path_copy = mem_dup (path);
    return request;
}

static void
take_body (struct serve_request *request, const char *data, size_t bytes)
{
    if (bytes > SERVE_BODY_MAX - request->body.len)
        request->too_large = true;
    if (!request->too_large)
        buf_add (&request->body, data, bytes);
}

static void
handle (struct serve *serve, struct serve_request *request)
{
    request->handled = true;
    if (request->too_large)
        serve_answer_text (request, MHD_HTTP_CONTENT_TOO_LARGE, "text/plain", &(struct buf){ 0 });
    else
        serve->app->handle (serve->app->context, request);
}

static enum MHD_Result
on_access (void *context, struct MHD_Connection *connection, const char *path, const char *method,
           const char *version UNUSED, const char *data, size_t *data_bytes, void **slot)
{
    struct serve *serve = context;
    struct serve_request *request = *slot;
    if (!request) {
        *slot = request = request_new (serve, connection, method, path);
        if (serve->app->begin)
            serve->app->begin (serve->app->context, request);
        return MHD_YES;
    }
    if (*data_bytes) {
        take_body (request, data, *data_bytes);
        *data_bytes = 0;
        return MHD_YES;
    }
    if (request->hold_ms > 0) {
        int64_t hold_ms = request->hold_ms;
        request->hold_ms = 0;
        if (serve_sleep (serve, connection, hold_ms))
            return MHD_YES;
    }
    if (!request->handled) {
        handle (serve, request);
        if (request->delay_ms > 0 && !request->shared &&
            serve_sleep (serve, connection, request->delay_ms))
            return MHD_YES; /* called again after the sleep */
    }
    if (request->cut || !request->response)
        return MHD_NO;
    return MHD_queue_response (connection, request->status, request->response);
}

static void
on_completed (void *context, struct MHD_Connection *connection UNUSED, void **slot,
              enum MHD_RequestTerminationCode code UNUSED)
{
    struct serve *serve = context;
    struct serve_request *request = *slot;
    if (!request)
        return;
    if (serve->app->end)
        serve->app->end (serve->app->context, request);
    if (request->response && !request->shared)
        MHD_destroy_response (request->response);
    buf_fini (&request->body);
    free (request->path_copy);
    free (request);
    *slot = NULL;
}

/* ---- the server ---- */

static int
open_signals (struct serve *serve)
{
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGTERM);
    sigaddset (&set, SIGINT);
    if (sigprocmask (SIG_BLOCK, &set, NULL) < 0 || signal (SIGPIPE, SIG_IGN) == SIG_ERR)
        return -errno;
    serve->signal_fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return serve->signal_fd < 0 ? -errno : 0;
}

static int
open_daemon (struct serve *serve, uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons (port),
                                   .sin_addr = { .s_addr = htonl (serve->app->any_address ? INADDR_ANY : INADDR_LOOPBACK) } };
    errno = 0;
    serve->daemon = MHD_start_daemon (
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, port, NULL, NULL, on_access, serve,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *) &address, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, serve, MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_END);
    if (!serve->daemon)
        return errno ? -errno : -EIO;
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info (serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return -EIO;
    serve->epoll_fd = info->epoll_fd;
    info = MHD_get_daemon_info (serve->daemon, MHD_DAEMON_INFO_BIND_PORT);
    if (!info)
        return -EIO;
    serve->port = info->port;
    return 0;
}

int
serve_new (const struct serve_app *app, uint16_t port, struct serve **ret_serve)
{
    struct serve *serve = MEM_NEW (struct serve);
    serve->app = app;
    serve->signal_fd = -1;
    int r = open_signals (serve);
    if (r == 0)
        r = open_daemon (serve, port);
    if (r < 0)
        serve_destroy (&serve);
    else
        *ret_serve = serve;
    return r;
}

void
serve_destroy (struct serve **serve)
{
    struct serve *self = *serve;
    if (!self)
        return;
    self->stopping = true;
    while (self->timers) {
        struct timer *timer = timer_pop (self);
        if (timer->fn == wake) /* libmicrohttpd can't be stopped while connections sleep */
            timer->fn (timer->context);
        free (timer);
    }
    if (self->daemon) {
        MHD_run (self->daemon);
        MHD_stop_daemon (self->daemon);
    }
    if (self->signal_fd >= 0)
        close (self->signal_fd);
    free (self);
    *serve = NULL;
}

uint16_t
serve_port (const struct serve *serve)
{
    return serve->port;
}

void
serve_say_ready (const struct serve *serve)
{
    printf ("ready port=%u\n", (unsigned int) serve->port);
    fflush (stdout);
}

/* Milliseconds for poll, -1 for ever; rounded up, or it would spin through the last one. */
static int
poll_timeout_ms (struct serve *serve)
{
    int64_t timeout_ms = INT32_MAX;
    unsigned long long daemon_ms;
    if (MHD_get_timeout (serve->daemon, &daemon_ms) == MHD_YES && daemon_ms < INT32_MAX)
        timeout_ms = (int64_t) daemon_ms;
    if (serve->timers) {
        int64_t left_ms = (serve->timers->due_us - clock_mono_us () + 999) / 1000;
        timeout_ms = MIN_OF (timeout_ms, MAX_OF (left_ms, 0));
    }
    return timeout_ms == INT32_MAX ? -1 : (int) timeout_ms;
}

int
serve_run (struct serve *serve)
{
    struct pollfd fds[] = { { .fd = serve->epoll_fd, .events = POLLIN },
                            { .fd = serve->signal_fd, .events = POLLIN } };
    for (;;) {
        if (poll (fds, COUNT_OF (fds), poll_timeout_ms (serve)) < 0 && errno != EINTR)
            return -errno;
        if (fds[1].revents)
            return 0;
        run_timers (serve);
        if (MHD_run (serve->daemon) != MHD_YES)
            return -EIO;
    }
}

/* ---- answers ---- */

void
serve_header (struct MHD_Response *response, const char *name, const char *value)
{
    if (MHD_add_response_header (response, name, value) != MHD_YES)
        log_warn ("answering without the header %s", name);
}

struct MHD_Response *
serve_response (const char *content_type, struct buf *body)
{
    size_t bytes = body->len;
    struct MHD_Response *response =
        MHD_create_response_from_buffer (bytes, buf_take (body), MHD_RESPMEM_MUST_FREE);
    if (response && content_type)
        serve_header (response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    return response;
}

void
serve_answer (struct serve_request *request, unsigned int status, struct MHD_Response **response)
{
    request->status = status;
    request->response = *response;
    *response = NULL;
}

void
serve_answer_text (struct serve_request *request, unsigned int status, const char *content_type,
                   struct buf *body)
{
    struct MHD_Response *response = serve_response (content_type, body);
    serve_answer (request, status, &response);
}

void
serve_answer_redirect (struct serve_request *request, unsigned int status, const char *location)
{
    struct MHD_Response *response = serve_response (NULL, &(struct buf){ 0 });
    if (response)
        serve_header (response, MHD_HTTP_HEADER_LOCATION, location);
    serve_answer (request, status, &response);
}

void
serve_cut (struct serve_request *request)
{
    request->cut = true;
}

void
serve_delay (struct serve_request *request, int64_t delay_ms)
{
    request->delay_ms = delay_ms;
}

void
serve_hold (struct serve_request *request, int64_t hold_ms)
{
    request->hold_ms = hold_ms;
}

const char *
serve_argument (const struct serve_request *request, const char *name)
{
    return MHD_lookup_connection_value (request->connection, MHD_GET_ARGUMENT_KIND, name);
}

int
serve_argument_number (const struct serve_request *request, const char *name, int64_t least,
                       int64_t most, int64_t fallback, int64_t *ret_value)
{
    const char *text = serve_argument (request, name);
    if (text)
        return num_parse (text, least, most, ret_value);
    *ret_value = fallback;
    return 0;
}
