/* server - see server.h. SPDX-License-Identifier: MPL-2.0 */
#include "server.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK "127.0.0.1"

struct server {
    struct MHD_Daemon *daemon;
    server_answer_fn *answer;
    void *context;
    unsigned port;
    atomic_uint connections;
    char url[512];
};

static unsigned
port_of (int fd)
{
    struct sockaddr_in address = { 0 };
    socklen_t bytes = sizeof address;
    if (getsockname (fd, (struct sockaddr *) &address, &bytes))
        abort ();
    return ntohs (address.sin_port);
}

static int
listen_at (const char *where)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (inet_pton (AF_INET, where, &address.sin_addr) != 1)
        abort ();
    int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) || listen (fd, 64))
        abort ();
    return fd;
}

static enum MHD_Result
send_answer (struct server *server, struct exchange *exchange)
{
    exchange->status = 200;
    server->answer (server->context, exchange);
    char *bytes = mem_copy (exchange->answer.data, exchange->answer.len);
    struct MHD_Response *response =
        MHD_create_response_from_buffer (exchange->answer.len, bytes, MHD_RESPMEM_MUST_FREE);
    for (size_t i = 0; i < exchange->headers; i++) {
        MHD_add_response_header (response, exchange->names[i], exchange->values[i]);
        free (exchange->values[i]);
    }
    enum MHD_Result result = MHD_queue_response (exchange->connection, exchange->status, response);
    MHD_destroy_response (response);
    buf_fini (&exchange->answer);
    return result;
}

static enum MHD_Result
on_request (void *context, struct MHD_Connection *connection, const char *url, const char *method,
            const char *version UNUSED, const char *data, size_t *data_bytes, void **state)
{
    struct buf *body = *state;
    if (!body) {
        *state = MEM_NEW (struct buf);
        return MHD_YES;
    }
    if (*data_bytes) {
        buf_add (body, data, *data_bytes);
        *data_bytes = 0;
        return MHD_YES;
    }
    struct exchange exchange = { .method = method,
                                 .path = url,
                                 .body = body->data ? body->data : "",
                                 .body_bytes = body->len,
                                 .connection = connection };
    return send_answer (context, &exchange);
}

static void
on_completed (void *context UNUSED, struct MHD_Connection *connection UNUSED, void **state,
              enum MHD_RequestTerminationCode code UNUSED)
{
    if (*state) {
        buf_fini (*state);
        free (*state);
    }
}

static void
on_connection (void *context, struct MHD_Connection *connection UNUSED, void **state UNUSED,
               enum MHD_ConnectionNotificationCode code)
{
    struct server *server = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        atomic_fetch_add (&server->connections, 1);
}

struct server *
server_new_at (const char *address, server_answer_fn *answer, void *context)
{
    struct server *server = MEM_NEW (struct server);
    server->answer = answer;
    server->context = context;
    int fd = listen_at (address);
    server->port = port_of (fd);
    server->daemon = MHD_start_daemon (
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request,
        server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
    if (!server->daemon)
        abort ();
    return server;
}

struct server *
server_new (server_answer_fn *answer, void *context)
{
    return server_new_at (LOOPBACK, answer, context);
}

void
server_destroy (struct server **server)
{
    if (!*server)
        return;
    MHD_stop_daemon ((*server)->daemon);
    free (*server);
    *server = NULL;
}

unsigned
server_port (const struct server *server)
{
    return server->port;
}

unsigned
server_connections (const struct server *server)
{
    return atomic_load (&server->connections);
}

const char *
server_url (struct server *server, const char *path)
{
    snprintf (server->url, sizeof server->url, "http://127.0.0.1:%u%s", server->port, path);
    return server->url;
}

const char *
exchange_header (const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value (exchange->connection, MHD_HEADER_KIND, name);
}

void
exchange_add (struct exchange *exchange, const char *name, const char *format, ...)
{
    char value[1024];
    va_list args;
    va_start (args, format);
    vsnprintf (value, sizeof value, format, args);
    va_end (args);
    if (exchange->headers == EXCHANGE_HEADERS_MAX)
        abort ();
    exchange->names[exchange->headers] = name;
    exchange->values[exchange->headers++] = mem_dup (value);
}

/* ---- raw ---- */

struct raw_server {
    int fd, stop[2];
    const char *text;
    size_t bytes;
    int hold_ms, drip_ms;
    pthread_t thread;
};

static void
serve_raw (struct raw_server *server, int fd)
{
    char request[4096];
    struct pollfd stop = { .fd = server->stop[0], .events = POLLIN };
    const char *gap = server->drip_ms ? strstr (server->text, "\r\n\r\n") : NULL;
    size_t at_once = gap ? (size_t) (gap - server->text) + 4 : server->bytes;
    if (read (fd, request, sizeof request) >= 0 && write (fd, server->text, at_once) == (ssize_t) at_once) {
        for (size_t at = at_once; at < server->bytes && !poll (&stop, 1, server->drip_ms); at++)
            if (send (fd, server->text + at, 1, MSG_NOSIGNAL) != 1)
                break;
        poll (&stop, 1, server->hold_ms);
    }
    close (fd);
}

static void *
run_raw (void *context)
{
    struct raw_server *server = context;
    struct pollfd fds[2] = { { .fd = server->fd, .events = POLLIN },
                             { .fd = server->stop[0], .events = POLLIN } };
    while (poll (fds, 2, -1) > 0 && !fds[1].revents) {
        int fd = accept (server->fd, NULL, NULL);
        if (fd >= 0)
            serve_raw (server, fd);
    }
    return NULL;
}

struct raw_server *
raw_server_new_slow (const char *text, size_t bytes, int drip_ms)
{
    struct raw_server *server = raw_server_new (text, bytes, 0);
    server->drip_ms = drip_ms; /* before anybody connects */
    return server;
}

struct raw_server *
raw_server_new (const char *text, size_t bytes, int hold_ms)
{
    struct raw_server *server = MEM_NEW (struct raw_server);
    *server = (struct raw_server){ .text = text, .bytes = bytes, .hold_ms = hold_ms };
    server->fd = listen_at (LOOPBACK);
    if (pipe (server->stop) || pthread_create (&server->thread, NULL, run_raw, server))
        abort ();
    return server;
}

void
raw_server_destroy (struct raw_server **server)
{
    if (!*server)
        return;
    close ((*server)->stop[1]);
    pthread_join ((*server)->thread, NULL);
    close ((*server)->stop[0]);
    close ((*server)->fd);
    free (*server);
    *server = NULL;
}

unsigned
raw_server_port (const struct raw_server *server)
{
    return port_of (server->fd);
}

bool
run_until_done (struct http *http, int64_t limit_ms)
{
    int64_t end = clock_mono_ms () + limit_ms;
    while (http_active (http) > 0) {
        struct pollfd fd = { .fd = http_fd (http), .events = POLLIN };
        int64_t left = end - clock_mono_ms ();
        if (left <= 0 || poll (&fd, 1, (int) left) < 0)
            return false;
        http_turn (http);
    }
    return true;
}
