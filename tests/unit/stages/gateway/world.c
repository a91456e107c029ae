/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 10000

const char world_status[] =
    "{\"healthy\":true,  \"scheduler\":{\"running\":true,\"cronExpression\":\"*/1 * * * *\","
    "\"description\":\"Runs every 1 minute\",\"currentlyExecuting\":false},\"lastRun\":null,"
    "\"model\":{\"summary\":\"local/centroid\",\"embedding\":\"local/hash-384\",\"fallback\":true},"
    "\"recentRuns\":[{\"id\":\"x\",\"status\":\"FAILED\","
    "\"startedAt\":\"2025-11-17T02:40:00.000Z\","
    "\"errorMessage\":\"<script>alert('1')</script>\"}]}";

/* ---- the collector ---- */

static char *
answer_of (const char *question)
{
    json_t *document = json_loads (question, 0, NULL);
    const char *op = json_string_value (json_object_get (document, "op"));
    const char *id = json_string_value (json_object_get (document, "id"));
    char *answer = NULL;
    if (!op)
        answer = mem_dup ("{\"error\":{\"code\":\"bad_request\",\"message\":\"no op\"}}");
    else if (streq (op, "status"))
        answer = mem_dup (world_status);
    else if (streq (op, "trigger"))
        answer = mem_dup ("{\"run\":\"" TRIGGERED_ID "\",\"joined\":true}");
    else if (streq (op, "sources"))
        answer = mem_dup (
            "{\"error\":{\"code\":\"unavailable\",\"message\":\"the database is away\"}}");
    else if (id && streq (id, MISSING_ID))
        answer = mem_dup (
            "{\"error\":{\"code\":\"not_found\",\"message\":\"there is no such run\"}}");
    else if (id && streq (id, WRONG_ID))
        answer = mem_dup ("[\"no object\"]");
    else if (!id || !streq (id, SILENT_ID))
        answer = mem_printf ("{\"asked\":%s}", question);
    json_decref (document);
    return answer;
}

static void
answer_message (zsock_t *router, zmsg_t **message)
{
    char *question = zframe_strdup (zmsg_last (*message));
    char *answer = answer_of (question);
    if (answer) {
        zframe_reset (zmsg_last (*message), answer, strlen (answer));
        zmsg_send (message, router);
    } else
        zmsg_destroy (message);
    free (answer);
    free (question);
}

struct collector_wish {
    const char *endpoint;
    bool held_back;
};

static void
run_collector (zsock_t *pipe, void *arg)
{
    struct collector_wish wish = *(struct collector_wish *) arg;
    zsock_t *router = zsock_new (ZMQ_ROUTER);
    bool bound = zsock_bind (router, "%s", wish.endpoint) >= 0;
    zpoller_t *poller = zpoller_new (pipe, router, NULL);
    zmsg_t *first = NULL;
    int count = 0;
    zsock_signal (pipe, bound ? 0 : 1);
    for (bool over = false; !over;) {
        void *ready = zpoller_wait (poller, -1);
        if (ready == router) {
            zmsg_t *message = zmsg_recv (router);
            if (wish.held_back && count++ == 0) {
                first = message;
                continue;
            }
            count += !wish.held_back;
            answer_message (router, &message);
            if (first)
                answer_message (router, &first);
        } else {
            char *command = ready ? zstr_recv (pipe) : NULL;
            over = !command || streq (command, "$TERM");
            if (!over)
                zsock_send (pipe, "i", count);
            free (command);
        }
    }
    zmsg_destroy (&first);
    zpoller_destroy (&poller);
    zsock_destroy (&router);
}

void
world_collector_start (struct world *self, bool held_back)
{
    struct collector_wish wish = { self->endpoint, held_back };
    self->collector = zactor_new (run_collector, &wish);
    assert_non_null (self->collector);
}

void
world_collector_stop (struct world *self)
{
    zactor_destroy (&self->collector);
}

int
world_questions (struct world *self)
{
    int count = -1;
    zstr_send (self->collector, "COUNT");
    zsock_recv (self->collector, "i", &count);
    return count;
}

/* ---- the database ---- */

struct database_wish {
    int fd;
    bool talks;
};

static void
run_database (zsock_t *pipe, void *arg)
{
    struct database_wish wish = *(struct database_wish *) arg;
    static const char welcome[] = "R\0\0\0\x08\0\0\0\0" /* authenticated */
                                  "Z\0\0\0\x05I";       /* ready for a query */
    int clients[16], count = 0;
    zsock_signal (pipe, 0);
    for (;;) {
        zmq_pollitem_t items[] = { { zsock_resolve (pipe), 0, ZMQ_POLLIN, 0 },
                                   { NULL, wish.fd, ZMQ_POLLIN, 0 } };
        if (zmq_poll (items, 2, -1) < 0 || items[0].revents)
            break;
        char startup[512];
        int client = accept (wish.fd, NULL, NULL);
        if (client < 0 || count == COUNT_OF (clients))
            break;
        clients[count++] = client;
        if (wish.talks && read (client, startup, sizeof startup) > 8
            && write (client, welcome, sizeof welcome - 1) < 0)
            break;
    }
    while (count)
        close (clients[--count]);
    close (wish.fd);
}

zactor_t *
world_database_start (bool talks, char **ret_url)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    struct database_wish wish = { socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), talks };
    assert_int_equal (bind (wish.fd, (struct sockaddr *) &at, size), 0);
    assert_int_equal (listen (wish.fd, 8), 0);
    assert_int_equal (getsockname (wish.fd, (struct sockaddr *) &at, &size), 0);
    *ret_url = mem_printf ("postgresql://u@127.0.0.1:%u/d?sslmode=disable&gssencmode=disable",
                           (unsigned) ntohs (at.sin_port));
    return zactor_new (run_database, &wish);
}

/* ---- the gateway ---- */

void
world_open (struct world *self, const struct settings *wishes)
{
    signal (SIGPIPE, SIG_IGN);
    memset (self, 0, sizeof *self);
    strcpy (self->folder, "/tmp/gateway_test.XXXXXX");
    assert_non_null (mkdtemp (self->folder));
    snprintf (self->endpoint, sizeof self->endpoint, "ipc://%s/collector", self->folder);
    self->settings =
        (struct settings){ .database_url = "", .http_address = "127.0.0.1", .http_token = "" };
    if (wishes)
        self->settings = *wishes;
    self->settings.data_dir = self->folder;
    self->socket = zsock_new (ZMQ_DEALER);
    zsock_set_immediate (self->socket, 1);
    zsock_set_sndtimeo (self->socket, 0);
    zsock_set_reconnect_ivl (self->socket, 20);
    assert_int_equal (zsock_attach (self->socket, self->endpoint, false), 0);
    self->gateway = gateway_new (&self->settings, self->socket);
    assert_non_null (self->gateway);
    self->multi = curl_multi_init ();
}

void
world_close (struct world *self)
{
    static const char *const files[] = { "run/http.port", "run", "collector", "" };
    world_collector_stop (self);
    gateway_destroy (&self->gateway);
    zsock_destroy (&self->socket);
    curl_multi_cleanup (self->multi);
    for (size_t i = 0; i < COUNT_OF (files); i++) {
        char path[128];
        snprintf (path, sizeof path, "%s/%s", self->folder, files[i]);
        remove (path);
    }
}

/* ---- the client ---- */

static size_t
take (char *data, size_t size, size_t count, void *arg)
{
    buf_add (arg, data, size * count);
    return size * count;
}

void
world_begin (struct world *self, struct exchange *x)
{
    char *url = mem_printf ("%s%s", gateway_url (self->gateway), x->path);
    x->easy = curl_easy_init ();
    curl_easy_setopt (x->easy, CURLOPT_URL, url);
    curl_easy_setopt (x->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt (x->easy, CURLOPT_PRIVATE, x);
    curl_easy_setopt (x->easy, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt (x->easy, CURLOPT_HEADERDATA, &x->head);
    curl_easy_setopt (x->easy, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt (x->easy, CURLOPT_WRITEDATA, &x->answer);
    if (x->body || streq (x->method, "POST"))
        curl_easy_setopt (x->easy, CURLOPT_COPYPOSTFIELDS, x->body ? x->body : "");
    if (streq (x->method, "HEAD"))
        curl_easy_setopt (x->easy, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt (x->easy, CURLOPT_CUSTOMREQUEST, x->method);
    for (size_t i = 0; i < COUNT_OF (x->headers) && x->headers[i]; i++)
        x->list = curl_slist_append (x->list, x->headers[i]);
    curl_easy_setopt (x->easy, CURLOPT_HTTPHEADER, x->list);
    x->elapsed_ms = -clock_mono_ms ();
    curl_multi_add_handle (self->multi, x->easy);
    free (url);
}

static void
take_finished (struct world *self)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read (self->multi, &left)) != NULL;) {
        struct exchange *x = NULL;
        curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, (char **) &x);
        curl_easy_getinfo (message->easy_handle, CURLINFO_RESPONSE_CODE, &x->status);
        if (message->data.result != CURLE_OK)
            x->status = -(long) message->data.result;
        x->elapsed_ms += clock_mono_ms ();
        x->over = true;
        curl_multi_remove_handle (self->multi, x->easy);
    }
}

/* Waits no longer than the gateway said it may: a wrong wish shows as a time-out here. */
void
world_run_until (struct world *self, const bool *over)
{
    int64_t end = clock_mono_ms () + PATIENCE_MS;
    while (!*over && clock_mono_ms () < end) {
        int running;
        int64_t wait = gateway_run (self->gateway);
        curl_multi_perform (self->multi, &running);
        take_finished (self);
        if (*over)
            return;
        struct curl_waitfd fd = { .fd = gateway_fd (self->gateway), .events = CURL_WAIT_POLLIN };
        curl_multi_poll (self->multi, &fd, 1, (int) (wait < 0 ? PATIENCE_MS : wait), NULL);
    }
    assert_true (*over);
}

void
world_exchange (struct world *self, struct exchange *x)
{
    world_begin (self, x);
    world_run_until (self, &x->over);
}

void
exchange_fini (struct exchange *x)
{
    curl_easy_cleanup (x->easy);
    curl_slist_free_all (x->list);
    buf_fini (&x->head);
    buf_fini (&x->answer);
}
