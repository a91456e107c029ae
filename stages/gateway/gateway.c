/* Each call becomes a job: it asks the collector what its route needs, waits for all of it, and
 * replies.
 * SPDX-License-Identifier: MPL-2.0 */
#include "gateway.h"
#include "http/access.h"
#include "ask.h"
#include "http/server.h"
#include "probe.h"
#include "routes.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

struct job {
    struct job *next_probed; /* waits for a verdict on the database */
    struct gateway *gateway;
    struct http_call *call;
    const struct route *route;
    size_t waiting; /* answers that are yet to come */
    bool followed;  /* the route was asked whether there is one more question */
    struct slot {
        struct job *job;
        char *text;
        struct route_answer answer;
    } slots[ROUTE_OPS_MAX];
};

struct gateway {
    const struct settings *settings;
    int epoll_fd; /* holds all other descriptors: whoever runs the gateway polls just this one */
    struct http_server *http;
    struct ask *ask;
    struct probe *probe;
    struct job *probed;
    bool stopping;
    int64_t started_us;
    char *port_file;
    uint64_t refused;
};

/* ---- jobs ---- */

static bool job_follow (struct job *job, const struct route_facts *facts);

static void
job_finish (struct job *job)
{
    struct gateway *self = job->gateway;
    struct route_facts facts = { .database_good = probe_is_good (self->probe),
                                 .stopping = self->stopping,
                                 .started_us = self->started_us };
    for (unsigned i = 0; i < COUNT_OF (facts.answered); i++)
        facts.answered[i] = http_server_answered (self->http, i);
    for (size_t i = 0; i < ROUTE_OPS_MAX; i++)
        facts.answers[i] = job->slots[i].answer;
    if (job_follow (job, &facts))
        return;
    job->route->answer (job->call, &facts);
    for (size_t i = 0; i < ROUTE_OPS_MAX; i++) {
        json_decref (job->slots[i].answer.document);
        free (job->slots[i].text);
    }
    free (job);
}

static void
job_take (struct job *job)
{
    if (--job->waiting == 0)
        job_finish (job);
}

static void
on_answer (void *arg, int error, const char *text, size_t size)
{
    struct slot *slot = arg;
    json_t *document = error ? NULL : json_loadb (text, size, 0, NULL);
    if (document && !json_is_object (document)) {
        json_decref (document);
        document = NULL;
    }
    slot->text = error ? NULL : mem_copy (text, size);
    slot->answer = (struct route_answer){ true, error, slot->text, size, document };
    job_take (slot->job);
}

static void
on_probed (void *arg)
{
    struct gateway *self = arg;
    struct job *job = self->probed, *next;
    for (self->probed = NULL; job; job = next) {
        next = job->next_probed;
        job_take (job);
    }
}

static void
job_ask (struct job *job, size_t i, json_t *question)
{
    json_object_set_new (question, "op", json_string (job->route->ops[i]));
    char *text = json_dumps (question, JSON_COMPACT);
    job->slots[i].job = job;
    job->waiting++;
    ask_send (job->gateway->ask, text, on_answer, &job->slots[i]);
    free (text);
    json_decref (question);
}

static size_t
ops_count (const struct route *route)
{
    size_t count = 0;
    while (count < ROUTE_OPS_MAX && route->ops[count])
        count++;
    return count;
}

/* Whether one more question was asked, so that the job goes on. */
static bool
job_follow (struct job *job, const struct route_facts *facts)
{
    json_t *question;
    if (!job->route->follow || job->followed)
        return false;
    job->followed = true;
    question = json_object ();
    if (!job->route->follow (job->call, facts, question)) {
        json_decref (question);
        return false;
    }
    job_ask (job, ops_count (job->route) - 1, question);
    return true;
}

static void
job_begin (struct gateway *self, struct http_call *call, const struct route *route)
{
    json_t *question = json_object ();
    const char *fault = route->prepare ? route->prepare (call, question) : NULL;
    if (fault) {
        json_decref (question);
        route_refuse (call, MHD_HTTP_BAD_REQUEST, "bad_request", fault);
        return;
    }
    struct job *job = MEM_NEW (struct job);
    *job = (struct job){ .gateway = self, .call = call, .route = route, .waiting = 1 };
    for (size_t i = 0; i < ops_count (route) - (route->follow != NULL); i++)
        job_ask (job, i, i == 0 ? json_incref (question) : json_object ());
    json_decref (question);
    if (route->database && !probe_is_fresh (self->probe)) {
        job->waiting++;
        job->next_probed = self->probed;
        self->probed = job;
        probe_begin (self->probe);
    }
    job_take (job); /* the 1 from above, which kept it whole up to here */
}

/* ---- calls ---- */

static void
refuse_access (struct gateway *self, struct http_call *call, enum access_verdict verdict)
{
    char path[LOG_QUOTE_SIZE];
    self->refused++;
    log_debug ("refused %s %s: %s", http_method (call), log_quote (http_path (call), path),
               access_reason (verdict));
    if (verdict == ACCESS_NO_TOKEN) {
        http_add_header (call, "WWW-Authenticate", "Bearer realm=\"newsmill\"");
        route_refuse (call, MHD_HTTP_UNAUTHORIZED, "unauthorized", access_reason (verdict));
    } else
        route_refuse (call, MHD_HTTP_FORBIDDEN, "forbidden", access_reason (verdict));
}

static void
on_head (void *context, struct http_call *call)
{
    struct gateway *self = context;
    char allowed[ROUTE_ALLOWED_SIZE];
    const struct route *route = route_find (http_method (call), http_path (call), allowed);
    const struct access_request request = {
        .changes = route && strcmp (route->method, "GET") != 0,
        .peer = http_peer (call),
        .host = http_header (call, "Host"),
        .origin = http_header (call, "Origin"),
        .fetch_site = http_header (call, "Sec-Fetch-Site"),
        .authorization = http_header (call, "Authorization"),
        .forwarded = http_header (call, "Forwarded") || http_header (call, "X-Forwarded-For")
                     || http_header (call, "X-Real-IP") || http_header (call, "Via"),
    };
    enum access_verdict verdict = route && route->open
                                      ? ACCESS_GRANTED
                                      : access_check (&request, self->settings->http_token,
                                                      http_server_is_loopback (self->http));
    if (route && route->body_max)
        http_allow_body (call, route->body_max);
    if (verdict != ACCESS_GRANTED)
        refuse_access (self, call, verdict);
    else if (!route && *allowed) {
        http_add_header (call, "Allow", allowed);
        route_refuse (call, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed",
                      "that path has other methods");
    } else if (!route)
        route_refuse (call, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at that path");
}

static void
on_call (void *context, struct http_call *call)
{
    char allowed[ROUTE_ALLOWED_SIZE];
    job_begin (context, call, route_find (http_method (call), http_path (call), allowed));
}

/* ---- the port, for whoever started this with port 0 ---- */

static void
write_port_file (struct gateway *self)
{
    char *run = mem_printf ("%s/run", self->settings->data_dir);
    char *draft = mem_printf ("%s/http.port.%d", run, (int) getpid ());
    self->port_file = mem_printf ("%s/http.port", run);
    mkdir (self->settings->data_dir, 0755);
    mkdir (run, 0755);
    int fd = open (draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool written = fd >= 0 && dprintf (fd, "%u\n", (unsigned) http_server_port (self->http)) > 0;
    if (fd >= 0 && close (fd) < 0)
        written = false;
    if (!written || rename (draft, self->port_file) < 0) /* whole or not at all */
        log_warn ("cannot write %s, going on without: %s", self->port_file, strerror (errno));
    free (draft);
    free (run);
}

/* Another gateway on the same folder may have written its own since. */
static void
remove_port_file (struct gateway *self)
{
    char text[16] = "";
    int64_t port = 0;
    int fd = open (self->port_file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t size = read (fd, text, sizeof text - 1);
    close (fd);
    text[size > 0 ? strcspn (text, "\n") : 0] = '\0';
    if (num_parse (text, 1, UINT16_MAX, &port) == 0 && port == http_server_port (self->http))
        unlink (self->port_file);
}

/* ---- the whole ---- */

static int
watch (struct gateway *self, int fd)
{
    struct epoll_event event = { .events = EPOLLIN };
    return epoll_ctl (self->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int
open_all (struct gateway *self, zsock_t *collector)
{
    char reason[HTTP_REASON_SIZE];
    const struct http_server_config config = { .address = self->settings->http_address,
                                               .port = self->settings->http_port,
                                               .context = self,
                                               .on_head = on_head,
                                               .on_call = on_call,
                                               .refuse = route_refuse };
    self->ask = ask_new (collector);
    self->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
    self->probe = probe_new (self->settings->database_url, self->epoll_fd, on_probed, self);
    self->http = http_server_new (&config, reason);
    if (!self->http) {
        log_error ("%s: http.address and http.port name another place", reason);
        return -EIO;
    }
    if (self->epoll_fd < 0 || watch (self, http_server_fd (self->http)) < 0
        || watch (self, ask_fd (self->ask)) < 0) {
        log_error ("cannot poll: %s", strerror (errno));
        return -EIO;
    }
    return 0;
}

struct gateway *
gateway_new (const struct settings *settings, zsock_t *collector)
{
    struct gateway *self = MEM_NEW (struct gateway);
    self->settings = settings;
    self->started_us = clock_wall_us ();
    if (open_all (self, collector) < 0) {
        gateway_destroy (&self);
        return NULL;
    }
    write_port_file (self);
    log_info ("listening on %s", http_server_url (self->http));
    if (!http_server_is_loopback (self->http) && !*settings->http_token)
        log_info ("http.token is not set: runs can be triggered from this machine only");
    return self;
}

void
gateway_destroy (struct gateway **ref)
{
    struct gateway *self = *ref;
    *ref = NULL;
    if (!self)
        return;
    self->stopping = true;
    if (self->port_file)
        remove_port_file (self);
    ask_destroy (&self->ask);
    if (self->probed)
        on_probed (self); /* with the last verdict there was: their answer is "stopping" anyway */
    http_server_destroy (&self->http);
    probe_destroy (&self->probe);
    if (self->epoll_fd >= 0)
        close (self->epoll_fd);
    free (self->port_file);
    free (self);
}

int
gateway_fd (const struct gateway *self)
{
    return self->epoll_fd;
}

static int64_t
sooner (int64_t a, int64_t b)
{
    return a < 0 ? b : b < 0 ? a : MIN_OF (a, b);
}

int64_t
gateway_run (struct gateway *self)
{
    probe_run (self->probe);
    ask_run (self->ask);
    http_server_run (self->http);
    ask_run (self->ask); /* sends what the calls just asked, and must come last: see ask_fd */
    return sooner (probe_wait_ms (self->probe),
                   sooner (ask_wait_ms (self->ask), http_server_wait_ms (self->http)));
}

void
gateway_quiesce (struct gateway *self)
{
    self->stopping = true;
    http_server_quiesce (self->http);
}

bool
gateway_is_idle (const struct gateway *self)
{
    return http_server_calls (self->http) == 0;
}

void
gateway_statistics (const struct gateway *self, json_t *numbers)
{
    uint64_t answered = 0;
    for (unsigned i = 0; i <= 5; i++)
        answered += http_server_answered (self->http, i);
    json_object_set_new (numbers, "http.answered", json_integer ((json_int_t) answered));
    json_object_set_new (numbers, "http.failed",
                         json_integer ((json_int_t) http_server_answered (self->http, 5)));
    json_object_set_new (numbers, "http.refused", json_integer ((json_int_t) self->refused));
    json_object_set_new (numbers, "http.under_way",
                         json_integer ((json_int_t) http_server_calls (self->http)));
}

const char *
gateway_url (const struct gateway *self)
{
    return http_server_url (self->http);
}
