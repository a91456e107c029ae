/* newsmill model serve - the local embedding model behind `POST /v1/embeddings`, as OpenAI has it.
 *
 * One thread reads requests and answers them; others embed. A request waits in a queue, from which each of these threads takes a few of
 * its texts at a time and puts it back at the end: a large one is shared by all threads, and keeps no small one waiting for long.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/model.h"
#include "http/access.h"
#include "http/server.h"
#include "minilm/minilm.h"
#include "model/base64.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define BODY_MOST (4 * 1024 * 1024)
#define INPUTS_MOST 2048        /* texts of a request, as OpenAI has it */
#define REQUESTS_MOST 64        /* that come in, wait or are worked at; past it: 429 */
#define SLICE 4                 /* texts that a thread takes at once */
#define CALL_TIMEOUT_MS 300000
#define STOP_MS 30000           /* for requests under way when a stop is asked for */
#define ORIGINAL_NAME "sentence-transformers/all-MiniLM-L6-v2"

struct request {
    struct request *next;
    struct http_call *call;
    json_t *document;           /* holds the texts */
    struct minilm_text *texts;
    float *vectors;
    size_t count, taken, done;
    uint64_t tokens;
    bool base64;
    struct buf reply;
};

struct queue {
    struct request *first, **end;
};

struct serve;

struct worker {
    struct serve *serve;
    struct minilm *minilm;
    pthread_t thread;
    bool started;
};

struct serve {
    const struct settings *settings;
    struct http_server *http;
    int64_t created;            /* of the weights, seconds since 1970 */
    int ready_fd;               /* readable: something is answered */
    int signal_fd;
    size_t requests;            /* waiting or worked at */
    bool stopping;              /* takes no more */
    struct worker *workers;
    size_t worker_count;

    pthread_mutex_t lock;       /* of what follows, and of the counts in requests */
    pthread_cond_t some;
    struct queue waiting, answered;
    bool ending;                /* threads leave */
};

/* ---- queues ---- */

static void
queue_put (struct queue *queue, struct request *request)
{
    request->next = NULL;
    *queue->end = request;
    queue->end = &request->next;
}

static struct request *
queue_take (struct queue *queue)
{
    struct request *request = queue->first;
    if (request && !(queue->first = request->next))
        queue->end = &queue->first;
    return request;
}

static void
request_free (struct request *request)
{
    json_decref (request->document);
    buf_fini (&request->reply);
    free (request->texts);
    free (request->vectors);
    free (request);
}

/* ---- answers ---- */

static void
refuse (struct http_call *call, unsigned status, const char *code, const char *message)
{
    const char *type = status >= 500                           ? "server_error"
                       : status == MHD_HTTP_TOO_MANY_REQUESTS ? "rate_limit_error"
                                                              : "invalid_request_error";
    http_reply_json (call, status,
                     json_pack ("{s:{s:s, s:s, s:n, s:s}}", "error", "message", message, "type", type, "param", "code", code));
}

static void
refuse_stopping (struct http_call *call)
{
    http_add_header (call, "Connection", "close");
    refuse (call, MHD_HTTP_SERVICE_UNAVAILABLE, "stopping", "the server is stopping");
}

static void
add_vector (struct buf *out, const float *vector, bool base64)
{
    uint32_t bits[MINILM_DIMENSIONS];
    if (base64) {
        memcpy (bits, vector, sizeof bits);
        for (size_t i = 0; i < COUNT_OF (bits); i++)
            bits[i] = htole32 (bits[i]);
        buf_add_char (out, '"');
        base64_encode (bits, sizeof bits, out);
        buf_add_char (out, '"');
        return;
    }
    for (size_t i = 0; i < MINILM_DIMENSIONS; i++)
        buf_printf (out, "%c%.9g", i ? ',' : '[', (double) vector[i]);
    buf_add_char (out, ']');
}

static void
write_reply (struct request *self)
{
    struct buf *out = &self->reply;
    buf_add_str (out, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < self->count; i++) {
        buf_printf (out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "", i);
        add_vector (out, self->vectors + i * MINILM_DIMENSIONS, self->base64);
        buf_add_char (out, '}');
    }
    buf_printf (out, "],\"model\":\"" MINILM_NAME "\",\"usage\":{\"prompt_tokens\":%" PRIu64 ",\"total_tokens\":%" PRIu64 "}}\n",
                self->tokens, self->tokens);
}

/* ---- the threads that embed ---- */

static void *
work (void *context)
{
    struct worker *self = context;
    struct serve *serve = self->serve;
    pthread_mutex_lock (&serve->lock);
    for (;;) {
        struct request *request = serve->ending ? NULL : queue_take (&serve->waiting);
        if (serve->ending)
            break;
        if (!request) {
            pthread_cond_wait (&serve->some, &serve->lock);
            continue;
        }
        size_t from = request->taken, count = MIN_OF (request->count - from, (size_t) SLICE);
        request->taken += count;
        if (request->taken < request->count)
            queue_put (&serve->waiting, request);
        pthread_mutex_unlock (&serve->lock);
        uint64_t tokens = minilm_tokens (self->minilm);
        minilm_embed (self->minilm, request->texts + from, count, request->vectors + from * MINILM_DIMENSIONS);
        tokens = minilm_tokens (self->minilm) - tokens;
        pthread_mutex_lock (&serve->lock);
        request->tokens += tokens;
        request->done += count;
        if (request->done < request->count)
            continue;
        pthread_mutex_unlock (&serve->lock);
        write_reply (request); /* nobody else has it any more */
        pthread_mutex_lock (&serve->lock);
        queue_put (&serve->answered, request);
        (void) eventfd_write (serve->ready_fd, 1);
    }
    pthread_mutex_unlock (&serve->lock);
    return NULL;
}

static void
send_answers (struct serve *self)
{
    struct request *request;
    eventfd_t count;
    (void) eventfd_read (self->ready_fd, &count);
    for (;;) {
        pthread_mutex_lock (&self->lock);
        request = queue_take (&self->answered);
        pthread_mutex_unlock (&self->lock);
        if (!request)
            return;
        self->requests--;
        if (self->stopping)
            http_add_header (request->call, "Connection", "close");
        http_reply (request->call, MHD_HTTP_OK, HTTP_JSON, &request->reply);
        request_free (request);
    }
}

/* ---- requests ---- */

/* The texts of "input" into the request; NULL, or what is wrong. */
static const char *
read_input (struct request *self, const json_t *input)
{
    bool one = json_is_string (input);
    self->count = one ? 1 : json_array_size (input);
    if (!self->count)
        return "input must be a text or a list of texts, at least one";
    if (self->count > INPUTS_MOST)
        return "input has too many texts: at most 2048 a request";
    self->texts = mem_alloc (self->count * sizeof *self->texts);
    for (size_t i = 0; i < self->count; i++) {
        const json_t *text = one ? input : json_array_get (input, i);
        if (json_is_integer (text) || json_is_array (text))
            return "input must be texts: tokens are of another model's vocabulary";
        if (!json_is_string (text))
            return "input must be a text or a list of texts";
        self->texts[i] = (struct minilm_text){ json_string_value (text), json_string_length (text) };
    }
    return NULL;
}

static const char *
read_request (struct request *self)
{
    const json_t *format = json_object_get (self->document, "encoding_format"), *size = json_object_get (self->document, "dimensions");
    const char *name = json_string_value (format);
    if (!json_is_object (self->document))
        return "the body must be a JSON object";
    if (format && !json_is_null (format) && (!name || (strcmp (name, "float") != 0 && strcmp (name, "base64") != 0)))
        return "encoding_format must be float or base64";
    self->base64 = name && strcmp (name, "base64") == 0;
    if (size && !json_is_null (size) && (!json_is_integer (size) || json_integer_value (size) != MINILM_DIMENSIONS))
        return "dimensions must be 384, which all vectors of this model have";
    return read_input (self, json_object_get (self->document, "input"));
}

static bool
is_ours (const json_t *document)
{
    const char *name = json_string_value (json_object_get (document, "model"));
    return name && (strcmp (name, MINILM_NAME) == 0 || strcmp (name, ORIGINAL_NAME) == 0);
}

static void
take_embeddings (struct serve *self, struct http_call *call)
{
    const struct buf *body = http_body (call);
    json_error_t error = { .text = "" };
    struct request *request = MEM_NEW (struct request);
    request->call = call;
    request->document = json_loadb (body->data ? body->data : "", body->len, JSON_ALLOW_NUL, &error);
    const char *fault = request->document ? read_request (request) : "the body must be JSON, in UTF-8";
    if (!fault && !is_ours (request->document))
        refuse (call, MHD_HTTP_NOT_FOUND, "model_not_found", "the model here is " MINILM_NAME);
    else if (fault)
        refuse (call, MHD_HTTP_BAD_REQUEST, "bad_request", fault);
    else {
        request->vectors = mem_grow (NULL, request->count * MINILM_DIMENSIONS, sizeof *request->vectors);
        self->requests++;
        pthread_mutex_lock (&self->lock);
        queue_put (&self->waiting, request);
        pthread_cond_broadcast (&self->some);
        pthread_mutex_unlock (&self->lock);
        return;
    }
    request_free (request);
}

static void
answer_models (struct serve *self, struct http_call *call)
{
    http_reply_json (call, MHD_HTTP_OK,
                     json_pack ("{s:s, s:[{s:s, s:s, s:I, s:s}]}", "object", "list", "data", "id", MINILM_NAME, "object", "model",
                                "created", (json_int_t) self->created, "owned_by", "sentence-transformers"));
}

static void
answer_health (struct serve *self, struct http_call *call)
{
    http_reply_json (call, MHD_HTTP_OK, json_pack ("{s:s, s:s, s:i, s:I}", "status", "ok", "model", MINILM_NAME, "dimensions",
                                                   MINILM_DIMENSIONS, "requests", (json_int_t) self->requests));
}

static const struct route {
    const char *method, *path;
    void (*answer) (struct serve *self, struct http_call *call);
} routes[] = {
    { "POST", "/v1/embeddings", take_embeddings },
    { "GET", "/v1/models", answer_models },
    { "GET", "/health", answer_health },
};

/* *ret_method: of the route at that path, if its method is another. */
static const struct route *
find_route (const struct http_call *call, const char **ret_method)
{
    *ret_method = NULL;
    for (size_t i = 0; i < COUNT_OF (routes); i++) {
        if (strcmp (routes[i].path, http_path (call)) != 0)
            continue;
        if (strcmp (routes[i].method, http_method (call)) == 0)
            return &routes[i];
        *ret_method = routes[i].method;
    }
    return NULL;
}

static void
refuse_access (struct http_call *call, enum access_verdict verdict)
{
    if (verdict == ACCESS_NO_TOKEN) {
        http_add_header (call, "WWW-Authenticate", "Bearer realm=\"newsmill\"");
        refuse (call, MHD_HTTP_UNAUTHORIZED, "invalid_api_key", access_reason (verdict));
    } else
        refuse (call, MHD_HTTP_FORBIDDEN, "forbidden", access_reason (verdict));
}

static void
on_head (void *context, struct http_call *call)
{
    struct serve *self = context;
    const char *method;
    const struct route *route = find_route (call, &method);
    bool asks = route && route->answer == take_embeddings;
    const struct access_request request = {
        .changes = asks, /* costs something */
        .peer = http_peer (call),
        .host = http_header (call, "Host"),
        .origin = http_header (call, "Origin"),
        .fetch_site = http_header (call, "Sec-Fetch-Site"),
        .authorization = http_header (call, "Authorization"),
        .forwarded = http_header (call, "Forwarded") || http_header (call, "X-Forwarded-For") || http_header (call, "X-Real-IP")
                     || http_header (call, "Via"),
    };
    enum access_verdict verdict = access_check (&request, self->settings->http_token, http_server_is_loopback (self->http));
    if (asks)
        http_allow_body (call, BODY_MOST);
    if (verdict != ACCESS_GRANTED)
        refuse_access (call, verdict);
    else if (self->stopping)
        refuse_stopping (call);
    else if (method && !route) {
        http_add_header (call, "Allow", method);
        refuse (call, MHD_HTTP_METHOD_NOT_ALLOWED, "method_not_allowed", "that path has another method");
    } else if (!route)
        refuse (call, MHD_HTTP_NOT_FOUND, "not_found", "there is nothing at that path: vectors are at /v1/embeddings");
    else if (asks && http_server_calls (self->http) > REQUESTS_MOST) {
        http_add_header (call, "Retry-After", "1");
        refuse (call, MHD_HTTP_TOO_MANY_REQUESTS, "rate_limit_exceeded", "too many requests wait already");
    }
}

static void
on_call (void *context, struct http_call *call)
{
    const char *method;
    struct serve *self = context;
    if (self->stopping)
        refuse_stopping (call); /* its body came after the stop began */
    else
        find_route (call, &method)->answer (self, call);
}

/* ---- start and end ---- */

static int
start_workers (struct serve *self, const char *weights, size_t count)
{
    char reason[MINILM_REASON];
    self->workers = mem_alloc (count * sizeof *self->workers);
    self->worker_count = count;
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &self->workers[i];
        worker->serve = self;
        int r = minilm_open (weights, &worker->minilm, reason);
        if (r < 0) {
            cli_say ("%s", reason);
            return EXIT_TEMP;
        }
        r = pthread_create (&worker->thread, NULL, work, worker);
        if (r != 0) {
            cli_say ("cannot start a thread: %s", strerror (r));
            return EXIT_TEMP;
        }
        worker->started = true;
    }
    return 0;
}

static void
end_workers (struct serve *self)
{
    pthread_mutex_lock (&self->lock);
    self->ending = true;
    pthread_cond_broadcast (&self->some);
    pthread_mutex_unlock (&self->lock);
    for (size_t i = 0; i < self->worker_count; i++) {
        if (self->workers[i].started)
            pthread_join (self->workers[i].thread, NULL);
        minilm_close (&self->workers[i].minilm);
    }
    free (self->workers);
}

/* Every call must have its reply before the server goes. */
static void
refuse_waiting (struct serve *self)
{
    for (struct request *request; (request = queue_take (&self->waiting)) != NULL;) {
        refuse_stopping (request->call);
        request_free (request);
    }
}

static int
open_server (struct serve *self, const char *address, int64_t port)
{
    char reason[HTTP_REASON_SIZE];
    const struct http_server_config config = { .address = address, .port = port, .context = self, .on_head = on_head,
                                               .on_call = on_call, .refuse = refuse, .call_timeout_ms = CALL_TIMEOUT_MS };
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGINT);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGHUP);
    sigprocmask (SIG_BLOCK, &signals, NULL); /* before any thread is started */
    self->signal_fd = signalfd (-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    self->ready_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
    self->http = http_server_new (&config, reason);
    if (!self->http) {
        cli_say ("%s: --listen and --port name another place", reason);
        return EXIT_TEMP;
    }
    return 0;
}

/* Whether a signal came since the last look. */
static bool
was_signalled (struct serve *self)
{
    struct signalfd_siginfo info;
    return read (self->signal_fd, &info, sizeof info) == (ssize_t) sizeof info;
}

static void
run (struct serve *self)
{
    int64_t stop_by_ms = 0;
    for (;;) {
        int64_t wait = http_server_wait_ms (self->http);
        if (self->stopping) {
            int64_t left = MAX_OF (stop_by_ms - clock_mono_ms (), INT64_C (0));
            if (!left || http_server_calls (self->http) == 0)
                return;
            wait = wait < 0 ? left : MIN_OF (wait, left);
        }
        struct pollfd fds[] = { { http_server_fd (self->http), POLLIN, 0 }, { self->ready_fd, POLLIN, 0 },
                                { self->signal_fd, POLLIN, 0 } };
        (void) poll (fds, COUNT_OF (fds), wait < 0 ? -1 : (int) MIN_OF (wait, INT64_C (60000)));
        send_answers (self);
        http_server_run (self->http);
        if (!was_signalled (self))
            continue;
        if (self->stopping)
            return; /* asked twice */
        self->stopping = true;
        stop_by_ms = clock_mono_ms () + STOP_MS;
        http_server_quiesce (self->http);
        log_info ("stopping, requests=%zu are answered first", self->requests);
    }
}

int
model_serve (const struct settings *settings, const char *weights, const char *address, int64_t port, size_t threads)
{
    struct serve self = { .settings = settings, .ready_fd = -1, .signal_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER,
                          .some = PTHREAD_COND_INITIALIZER };
    struct stat st;
    self.waiting.end = &self.waiting.first;
    self.answered.end = &self.answered.first;
    self.created = stat (weights, &st) == 0 ? st.st_mtime : 0;
    if (!threads)
        threads = (size_t) MAX_OF (sysconf (_SC_NPROCESSORS_ONLN), 1L);
    int r = open_server (&self, address, port);
    r = r ? r : start_workers (&self, weights, threads);
    if (r == 0) {
        log_info (MINILM_NAME " at %s/v1 threads=%zu kernel=%s", http_server_url (self.http), threads,
                  minilm_kernel (self.workers[0].minilm));
        if (!http_server_is_loopback (self.http) && !*settings->http_token)
            log_warn ("http.token is not set: only this machine gets vectors");
        printf ("%s/v1\n", http_server_url (self.http));
        fflush (stdout);
        run (&self);
    }
    end_workers (&self);
    send_answers (&self);
    refuse_waiting (&self);
    http_server_destroy (&self.http);
    if (self.ready_fd >= 0)
        close (self.ready_fd);
    if (self.signal_fd >= 0)
        close (self.signal_fd);
    return r;
}
