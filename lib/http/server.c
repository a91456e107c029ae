/* The server on libmicrohttpd in its external epoll mode. A call that waits for others is suspended
 * and resumed by its reply; suspended connections are out of the daemon's sight, so waiting costs
 * nothing. Time limits are kept here, by connection, and not by the daemon's idle time-out: that
 * one starts anew with every byte, and a client that sends one byte now and then would hold a
 * connection for ever.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/server.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISCARD_MAX (1024 * 1024) /* bytes of a body read only to be able to refuse it, */
#define DISCARD_TIMES 4           /* and so many times what is allowed */
#define BACKLOG 128
#define HEADERS_MAX 4

struct peer { /* a connection */
    struct peer *previous, *next;
    int fd;
    int64_t deadline_ms; /* monotonic */
};

struct http_server {
    struct http_server_config config;
    struct MHD_Daemon *daemon;
    int listen_fd, epoll_fd;
    bool loopback, resumed; /* resumed: since the last run */
    uint16_t port;
    char *url;
    struct peer *peers;
    size_t calls;
    uint64_t answered[6];
};

struct http_call {
    struct http_server *http;
    struct MHD_Connection *connection;
    const char *method;
    char *path;
    struct buf body;
    size_t body_max, discarded;
    bool suspended, replied, too_large;
    int64_t since_ms;
    unsigned status;
    struct MHD_Response *response;
    size_t header_count;
    struct {
        const char *name;
        char *value;
    } headers[HEADERS_MAX];
};

static const struct {
    const char *name, *value;
} headers_always[] = {
    { "Cache-Control", "no-store" },
    { "X-Content-Type-Options", "nosniff" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Resource-Policy", "same-origin" },
    { "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none';"
      " frame-ancestors 'none'" },
};

/* ---- connections and their deadlines ---- */

static struct peer *
peer_of (struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info (
        connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void
set_deadline (struct MHD_Connection *connection, int64_t timeout_ms)
{
    struct peer *peer = peer_of (connection);
    if (peer)
        peer->deadline_ms = clock_mono_ms () + timeout_ms;
}

static void
on_connection (void *context, struct MHD_Connection *connection, void **peer_ref,
               enum MHD_ConnectionNotificationCode code)
{
    struct http_server *self = context;
    struct peer *peer = *peer_ref;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        peer = MEM_NEW (struct peer);
        peer->fd =
            MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        peer->deadline_ms = clock_mono_ms () + HTTP_IDLE_TIMEOUT_MS;
        peer->next = self->peers;
        if (self->peers)
            self->peers->previous = peer;
        self->peers = *peer_ref = peer;
    } else if (peer) {
        if (peer->previous)
            peer->previous->next = peer->next;
        else
            self->peers = peer->next;
        if (peer->next)
            peer->next->previous = peer->previous;
        free (peer);
        *peer_ref = NULL;
    }
}

/* The daemon learns of it as of a client that hung up. */
static void
cut_overdue (struct http_server *self)
{
    int64_t now = clock_mono_ms ();
    for (struct peer *peer = self->peers; peer; peer = peer->next)
        if (peer->deadline_ms <= now) {
            shutdown (peer->fd, SHUT_RDWR);
            peer->deadline_ms = now + self->config.call_timeout_ms;
        }
}

/* ---- calls ---- */

static struct http_call *
call_new (struct http_server *self, struct MHD_Connection *connection, const char *method,
          const char *path)
{
    struct http_call *call = MEM_NEW (struct http_call);
    call->http = self;
    call->connection = connection;
    call->method = method;
    call->path = mem_dup (path);
    call->body_max = HTTP_BODY_MAX;
    call->since_ms = clock_mono_ms ();
    self->calls++;
    return call;
}

static void
call_destroy (struct http_call **ref)
{
    struct http_call *call = *ref;
    *ref = NULL;
    if (!call)
        return;
    call->http->calls--;
    if (call->response)
        MHD_destroy_response (call->response);
    for (size_t i = 0; i < call->header_count; i++)
        free (call->headers[i].value);
    buf_fini (&call->body);
    free (call->path);
    free (call);
}

const char *
http_method (const struct http_call *call)
{
    return call->method;
}

const char *
http_path (const struct http_call *call)
{
    return call->path;
}

const char *
http_header (const struct http_call *call, const char *name)
{
    return MHD_lookup_connection_value (call->connection, MHD_HEADER_KIND, name);
}

const char *
http_query (const struct http_call *call, const char *name)
{
    const char *value = NULL;
    size_t size = 0;
    if (MHD_lookup_connection_value_n (call->connection, MHD_GET_ARGUMENT_KIND, name, strlen (name),
                                       &value, &size)
        != MHD_YES)
        return NULL;
    return value ? value : "";
}

const struct sockaddr *
http_peer (const struct http_call *call)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info (
        call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

const struct buf *
http_body (const struct http_call *call)
{
    return &call->body;
}

void
http_allow_body (struct http_call *call, size_t bytes)
{
    call->body_max = bytes;
}

void
http_add_header (struct http_call *call, const char *name, const char *value)
{
    if (call->header_count == HEADERS_MAX)
        return;
    call->headers[call->header_count].name = name;
    call->headers[call->header_count++].value = mem_dup (value);
}

void
http_reply (struct http_call *call, unsigned status, const char *type, struct buf *body)
{
    size_t size = body->len;
    call->response = MHD_create_response_from_buffer (size, buf_take (body), MHD_RESPMEM_MUST_FREE);
    call->status = status;
    call->replied = true;
    for (size_t i = 0; call->response && i < COUNT_OF (headers_always); i++)
        (void) MHD_add_response_header (call->response, headers_always[i].name,
                                        headers_always[i].value);
    for (size_t i = 0; call->response && i < call->header_count; i++)
        (void) MHD_add_response_header (call->response, call->headers[i].name,
                                        call->headers[i].value);
    if (call->response)
        (void) MHD_add_response_header (call->response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    if (call->suspended) {
        call->suspended = false;
        call->http->resumed = true;
        MHD_resume_connection (call->connection);
    }
}

void
http_reply_json (struct http_call *call, unsigned status, json_t *document)
{
    struct buf body = { 0 };
    char *text = json_dumps (document, JSON_COMPACT);
    buf_add_str (&body, text ? text : "{}");
    buf_add_char (&body, '\n');
    free (text);
    json_decref (document);
    http_reply (call, status, HTTP_JSON, &body);
}

static enum MHD_Result
send_reply (struct http_call *call)
{
    char quoted[LOG_QUOTE_SIZE];
    log_debug ("%s %s status=%u elapsed_ms=%" PRId64, call->method, log_quote (call->path, quoted),
               call->status, clock_mono_ms () - call->since_ms);
    call->http->answered[MIN_OF (call->status / 100, 5u)]++;
    if (!call->response)
        return MHD_NO;
    return MHD_queue_response (call->connection, call->status, call->response);
}

static size_t
discard_max (const struct http_call *call)
{
    return DISCARD_MAX + DISCARD_TIMES * call->body_max;
}

/* A refused body is read all the same, up to a limit: closing with bytes unread resets the
 * connection, and the client might never see why. One that waits for our consent to send it gets
 * the refusal instead. */
static bool
may_reply_at_head (const struct http_call *call)
{
    const char *length = http_header (call, "Content-Length");
    int64_t size = 0;
    if (http_header (call, "Expect"))
        return true;
    return length && (num_parse (length, 0, INT64_MAX, &size) < 0 || size > (int64_t) discard_max (call));
}

static void
refuse_too_large (struct http_call *call)
{
    char message[80];
    snprintf (message, sizeof message, "the body is larger than %zu bytes", call->body_max);
    call->http->config.refuse (call, MHD_HTTP_CONTENT_TOO_LARGE, "too_large", message);
}

static enum MHD_Result
take_head (struct http_call *call)
{
    const char *length = http_header (call, "Content-Length");
    int64_t size = 0;
    set_deadline (call->connection, call->http->config.call_timeout_ms);
    call->http->config.on_head (call->http->config.context, call);
    if (!call->replied && length
        && (num_parse (length, 0, INT64_MAX, &size) < 0 || size > (int64_t) call->body_max))
        refuse_too_large (call);
    if (call->replied && may_reply_at_head (call))
        return send_reply (call);
    return MHD_YES;
}

static enum MHD_Result
take_body (struct http_call *call, const char *data, size_t *size)
{
    if (call->replied || call->too_large || *size > call->body_max - call->body.len) {
        call->too_large = true;
        call->discarded += *size;
        if (call->discarded > discard_max (call))
            return MHD_NO;
    } else
        buf_add (&call->body, data, *size);
    *size = 0;
    return MHD_YES;
}

/* The daemon's: once with the head, then with each piece of the body, then with nothing more,
 * and again when resumed. */
static enum MHD_Result
on_access (void *context, struct MHD_Connection *connection, const char *url, const char *method,
           const char *version UNUSED, const char *data, size_t *size, void **call_ref)
{
    struct http_server *self = context;
    struct http_call *call = *call_ref;
    if (!call) {
        *call_ref = call = call_new (self, connection, method, url);
        return take_head (call);
    }
    if (*size)
        return take_body (call, data, size);
    if (!call->replied && call->too_large)
        refuse_too_large (call);
    if (!call->replied) {
        self->config.on_call (self->config.context, call);
        if (!call->replied) {
            call->suspended = true;
            MHD_suspend_connection (connection);
            return MHD_YES;
        }
    }
    return send_reply (call);
}

static void
on_completed (void *context UNUSED, struct MHD_Connection *connection, void **call_ref,
              enum MHD_RequestTerminationCode code UNUSED)
{
    struct http_call *call = *call_ref;
    set_deadline (connection, HTTP_IDLE_TIMEOUT_MS);
    call_destroy (&call);
    *call_ref = NULL;
}

PRINTF_LIKE (2, 0)
static void
on_daemon_log (void *context UNUSED, const char *format, va_list args)
{
    char text[512], quoted[LOG_QUOTE_SIZE];
    if (!log_debug_on ())
        return;
    vsnprintf (text, sizeof text, format, args);
    text[strcspn (text, "\r\n")] = '\0';
    log_debug ("http: %s", log_quote (text, quoted));
}

/* ---- listening ---- */

bool
sockaddr_is_loopback (const struct sockaddr *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address && address->sa_family == AF_INET) {
        memcpy (&v4, address, sizeof v4);
        return ntohl (v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (!address || address->sa_family != AF_INET6)
        return false;
    memcpy (&v6, address, sizeof v6);
    return IN6_IS_ADDR_LOOPBACK (&v6.sin6_addr)
           || (IN6_IS_ADDR_V4MAPPED (&v6.sin6_addr) && v6.sin6_addr.s6_addr[12] == 127);
}

static int
listen_at (const struct addrinfo *at)
{
    int one = 1;
    int fd = socket (at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind (fd, at->ai_addr, at->ai_addrlen) < 0 || listen (fd, BACKLOG) < 0) {
        int r = -errno;
        close (fd);
        return r;
    }
    return fd;
}

static void
keep_place (struct http_server *self)
{
    struct sockaddr_storage at;
    socklen_t size = sizeof at;
    char host[NI_MAXHOST] = "?", service[NI_MAXSERV] = "0";
    if (getsockname (self->listen_fd, (struct sockaddr *) &at, &size) < 0)
        return;
    int64_t port = 0;
    if (getnameinfo ((struct sockaddr *) &at, size, host, sizeof host, service, sizeof service,
                     NI_NUMERICHOST | NI_NUMERICSERV)
            == 0
        && num_parse (service, 0, UINT16_MAX, &port) == 0)
        self->port = (uint16_t) port;
    self->loopback = sockaddr_is_loopback ((struct sockaddr *) &at);
    self->url = mem_printf (at.ss_family == AF_INET6 ? "http://[%s]:%u" : "http://%s:%u", host,
                            (unsigned) self->port);
}

static int
open_listener (struct http_server *self, char ret_reason[HTTP_REASON_SIZE])
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                                    .ai_socktype = SOCK_STREAM };
    const char *address = self->config.address;
    char service[8];
    struct addrinfo *found = NULL;
    snprintf (service, sizeof service, "%u", (unsigned) (uint16_t) self->config.port);
    int r = getaddrinfo (*address ? address : NULL, service, &hints, &found);
    if (r != 0) {
        snprintf (ret_reason, HTTP_REASON_SIZE, "cannot find the address %s: %s", address,
                  gai_strerror (r));
        return -EINVAL;
    }
    r = -EADDRNOTAVAIL;
    for (const struct addrinfo *at = found; at && r < 0; at = at->ai_next)
        r = listen_at (at);
    freeaddrinfo (found);
    if (r < 0) {
        snprintf (ret_reason, HTTP_REASON_SIZE, "cannot listen on %s port %s: %s", address, service,
                  strerror (-r));
        return r;
    }
    self->listen_fd = r;
    keep_place (self);
    return 0;
}

static struct MHD_Daemon *
start_daemon (struct http_server *self)
{
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, self->listen_fd, NULL },
        { MHD_OPTION_CONNECTION_LIMIT, HTTP_CONNECTIONS_MAX, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_HEAD_MAX, NULL },
        { MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    return MHD_start_daemon (MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
                             self->port, NULL, NULL, on_access, self, MHD_OPTION_EXTERNAL_LOGGER,
                             on_daemon_log, NULL, MHD_OPTION_NOTIFY_CONNECTION, on_connection, self,
                             MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_ARRAY,
                             options, MHD_OPTION_END);
}

struct http_server *
http_server_new (const struct http_server_config *config, char ret_reason[HTTP_REASON_SIZE])
{
    struct http_server *self = MEM_NEW (struct http_server);
    self->config = *config;
    if (!self->config.call_timeout_ms)
        self->config.call_timeout_ms = HTTP_CALL_TIMEOUT_MS;
    self->listen_fd = -1;
    if (open_listener (self, ret_reason) < 0) {
        http_server_destroy (&self);
        return NULL;
    }
    self->daemon = start_daemon (self);
    const union MHD_DaemonInfo *info =
        self->daemon ? MHD_get_daemon_info (self->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        snprintf (ret_reason, HTTP_REASON_SIZE, "cannot start the HTTP server on %s", self->url);
        http_server_destroy (&self);
        return NULL;
    }
    self->epoll_fd = info->epoll_fd;
    return self;
}

void
http_server_quiesce (struct http_server *self)
{
    int fd = MHD_quiesce_daemon (self->daemon);
    if (fd >= 0)
        close (fd);
    self->listen_fd = -1;
}

void
http_server_destroy (struct http_server **ref)
{
    struct http_server *self = *ref;
    *ref = NULL;
    if (!self)
        return;
    if (self->daemon) {
        (void) MHD_run (self->daemon);  /* what was answered last still goes out */
        MHD_stop_daemon (self->daemon); /* closes the listener */
    } else if (self->listen_fd >= 0)
        close (self->listen_fd);
    free (self->url);
    free (self);
}

int
http_server_fd (const struct http_server *self)
{
    return self->epoll_fd;
}

void
http_server_run (struct http_server *self)
{
    cut_overdue (self);
    self->resumed = false;
    (void) MHD_run (self->daemon);
}

int64_t
http_server_wait_ms (struct http_server *self)
{
    MHD_UNSIGNED_LONG_LONG daemon_ms;
    int64_t now = clock_mono_ms (), due = INT64_MAX;
    if (self->resumed)
        return 0; /* the daemon tells of it neither by its descriptor nor by its time-out */
    for (const struct peer *peer = self->peers; peer; peer = peer->next)
        due = MIN_OF (due, peer->deadline_ms);
    if (MHD_get_timeout (self->daemon, &daemon_ms) == MHD_YES)
        due = MIN_OF (due, now + (int64_t) MIN_OF (daemon_ms, 60000ULL));
    return due == INT64_MAX ? -1 : MAX_OF (due - now, INT64_C (0));
}

uint16_t
http_server_port (const struct http_server *self)
{
    return self->port;
}

const char *
http_server_url (const struct http_server *self)
{
    return self->url;
}

bool
http_server_is_loopback (const struct http_server *self)
{
    return self->loopback;
}

size_t
http_server_calls (const struct http_server *self)
{
    return self->calls;
}

uint64_t
http_server_answered (const struct http_server *self, unsigned class)
{
    return class < COUNT_OF (self->answered) ? self->answered[class] : 0;
}
