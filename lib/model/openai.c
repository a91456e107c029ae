/* openai - calls to an OpenAI-compatible server.
 * A call's life: waiting (max_calls are under way) -> sent -> answered, or sent again without
 * something that the server said it does not take (a JSON schema, a temperature, base64), which is
 * remembered for all later calls.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/openai.h"
#include "model/reply.h"
#include "model/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHAT_MAX_BYTES (8 * 1024 * 1024)
#define EMBEDDINGS_MAX_BYTES (64 * 1024 * 1024)
#define CONNECT_MAX_MS 10000
#define HEADERS_MAX 4

struct call {
    struct call *next;
    struct openai *openai;
    bool embed;
    size_t count;
    struct buf body;           /* stays while it is sent: there is no other copy */
    size_t begun_bytes;        /* of body, before what depends on the shape */
    struct request_shape sent; /* how it was asked last */
    int64_t duration_ms;       /* of all tries */
    model_done_fn *done;
    void *context;
};

struct openai {
    struct model_settings settings;
    struct http *http;
    char *chat_url, *embeddings_url, *key, *authorization;
    const char *headers[HEADERS_MAX];
    enum request_format format; /* the best that the server takes, as far as is known */
    bool temperature, base64, ask_usage, send_dimensions;
    struct call *waiting, **waiting_end, *sent;
    size_t sent_count;
};

static void send_call (struct call *call);

/* ---- calls ---- */

static void
call_free (struct call *call)
{
    buf_fini (&call->body);
    free (call);
}

static void
unlink_sent (struct call *call)
{
    struct call **link = &call->openai->sent;
    while (*link != call)
        link = &(*link)->next;
    *link = call->next;
    call->openai->sent_count--;
}

static void
send_waiting (struct openai *openai)
{
    size_t most = openai->settings.max_calls ? openai->settings.max_calls : SIZE_MAX;
    while (openai->waiting && openai->sent_count < most) {
        struct call *call = openai->waiting;
        openai->waiting = call->next;
        if (!openai->waiting)
            openai->waiting_end = &openai->waiting;
        call->next = openai->sent;
        openai->sent = call;
        openai->sent_count++;
        send_call (call);
    }
}

static void
call_add (struct call *call)
{
    struct openai *openai = call->openai;
    *openai->waiting_end = call;
    openai->waiting_end = &call->next;
    send_waiting (openai);
}

/* ---- answers ---- */

/* Remembers what the server does not take. True when asking again, without it, makes sense. */
static bool
learn (struct openai *openai, const struct call *call, unsigned dislikes)
{
    bool again = false;
    if (!call->embed && (dislikes & REPLY_DISLIKES_FORMAT)
        && call->sent.format != REQUEST_FORMAT_NONE) {
        /* Another call may have learnt it meanwhile; never climb back. */
        openai->format = MAX_OF (openai->format, call->sent.format + 1);
        again = true;
    }
    if (!call->embed && (dislikes & REPLY_DISLIKES_TEMPERATURE) && call->sent.temperature) {
        openai->temperature = false;
        again = true;
    }
    if (call->embed && (dislikes & REPLY_DISLIKES_ENCODING) && call->sent.base64) {
        openai->base64 = false;
        again = true;
    }
    return again;
}

static void
read_answer (const struct call *call, const struct http_response *response, struct reply *reply)
{
    const struct openai *openai = call->openai;
    const struct reply_ask ask = { .status = response->status,
                                   .body = response->body,
                                   .bytes = response->body_bytes,
                                   .count = call->count,
                                   .dimensions = openai->settings.dimensions,
                                   .secret = openai->key };
    if (call->embed)
        reply_read_vectors (&ask, reply);
    else
        reply_read_summaries (&ask, reply);
}

static enum model_outcome
outcome_of_transport (enum http_error error)
{
    switch (error) {
    case HTTP_OK:
        return MODEL_OK;
    case HTTP_BAD_URL:
    case HTTP_REFUSED_ADDRESS:
        return MODEL_REFUSED;
    case HTTP_TOO_LARGE:
        return MODEL_BAD;
    case HTTP_DNS:
    case HTTP_CONNECT:
    case HTTP_TLS:
    case HTTP_TIMEOUT:
    case HTTP_REDIRECTS:
    case HTTP_HELD:
    case HTTP_BROKEN:
        break;
    }
    return MODEL_RETRY;
}

static void
hand_back (struct call *call, const struct http_response *response, const struct reply *read)
{
    const struct openai *openai = call->openai;
    struct model_reply reply = { .outcome = read->outcome,
                                 .retry_after_ms = response->retry_after_ms >= 0 ? response->retry_after_ms
                                                   : read->retry_after_ms > 0   ? read->retry_after_ms
                                                                                : -1,
                                 .duration_ms = call->duration_ms,
                                 .tokens_in = read->tokens_in,
                                 .tokens_out = read->tokens_out,
                                 .cost_usd = read->cost_usd,
                                 .priced = read->priced,
                                 .count = call->count,
                                 .summaries = (const char *const *) read->summaries,
                                 .vectors = read->vectors,
                                 .dimensions = call->embed ? openai->settings.dimensions : 0 };
    reply.name = call->embed ? openai->settings.embedding_name : openai->settings.chat_name;
    snprintf (reply.reason, sizeof reply.reason, "%s", read->reason);
    call->done (call->context, &reply);
}

static void
on_response (void *context, const struct http_response *response)
{
    struct call *call = context;
    struct openai *openai = call->openai;
    struct reply read = { 0 };
    call->duration_ms += response->duration_ms;
    if (response->error) {
        read.outcome = outcome_of_transport (response->error);
        snprintf (read.reason, sizeof read.reason, "model server: %.230s", response->reason);
    } else
        read_answer (call, response, &read);
    if (read.dislikes && learn (openai, call, read.dislikes)) {
        reply_fini (&read);
        send_call (call);
        return;
    }
    unlink_sent (call);
    send_waiting (openai); /* before the caller's work: the server need not wait for it */
    hand_back (call, response, &read);
    reply_fini (&read);
    call_free (call);
}

/* ---- requests ---- */

static void
end_body (struct call *call)
{
    const struct openai *openai = call->openai;
    call->sent = (struct request_shape){ .format = openai->format,
                                         .temperature = openai->temperature,
                                         .ask_usage = openai->ask_usage,
                                         .base64 = openai->base64 };
    if (openai->send_dimensions)
        call->sent.dimensions = openai->settings.dimensions;
    call->body.len = call->begun_bytes;
    if (call->embed)
        request_end_embedding (&call->body, &call->sent);
    else
        request_end_chat (&call->body, &call->sent);
}

static void
send_call (struct call *call)
{
    struct openai *openai = call->openai;
    end_body (call);
    const struct http_request request = {
        .url = call->embed ? openai->embeddings_url : openai->chat_url,
        .body = call->body.data,
        .body_bytes = call->body.len,
        .body_stays = true,
        .headers = openai->headers,
        .connect_ms = CONNECT_MAX_MS,
        .total_ms = openai->settings.timeout_ms,
        .max_body_bytes = call->embed ? EMBEDDINGS_MAX_BYTES : CHAT_MAX_BYTES,
    };
    http_start (openai->http, &request, on_response, call);
}

static struct call *
call_new (struct openai *openai, size_t count, model_done_fn *done, void *context)
{
    struct call *call = MEM_NEW (struct call);
    call->openai = openai;
    call->count = count;
    call->done = done;
    call->context = context;
    return call;
}

void
openai_summarise (struct openai *openai, const struct model_text *texts, size_t count,
                  model_done_fn *done, void *context)
{
    struct call *call = call_new (openai, count, done, context);
    const struct model_settings *settings = &openai->settings;
    request_begin_chat (&call->body, settings->chat_name, settings->language, texts, count,
                        settings->max_summary_input_bytes);
    call->begun_bytes = call->body.len;
    call_add (call);
}

void
openai_embed (struct openai *openai, const struct model_text *texts, size_t count,
              model_done_fn *done, void *context)
{
    struct call *call = call_new (openai, count, done, context);
    call->embed = true;
    request_begin_embedding (&call->body, openai->settings.embedding_name, texts, count);
    call->begun_bytes = call->body.len;
    call_add (call);
}

/* ---- the object ---- */

/* Only these models shorten their vectors on request; others refuse the word. */
static bool
takes_dimensions (const char *name)
{
    static const char family[] = "text-embedding-3";
    const char *slash = strrchr (name, '/');
    return strncmp (slash ? slash + 1 : name, family, sizeof family - 1) == 0;
}

static char *
address_of (const char *base_url, const char *path)
{
    size_t bytes = strlen (base_url);
    while (bytes && base_url[bytes - 1] == '/')
        bytes--;
    return mem_printf ("%.*s%s", (int) bytes, base_url, path);
}

/* A key read from a file may end in a line break. */
static char *
key_of (const char *key)
{
    static const char blank[] = " \t\r\n";
    if (!key)
        return NULL;
    key += strspn (key, blank);
    size_t bytes = strlen (key);
    while (bytes && strchr (blank, key[bytes - 1]))
        bytes--;
    return bytes ? mem_copy (key, bytes) : NULL;
}

struct openai *
openai_new (const struct model_settings *settings, struct http *http)
{
    struct openai *openai = MEM_NEW (struct openai);
    size_t headers = 0;
    openai->settings = *settings;
    openai->http = http;
    openai->waiting_end = &openai->waiting;
    openai->temperature = openai->base64 = true;
    openai->ask_usage = strstr (settings->base_url, "openrouter.ai") != NULL;
    openai->send_dimensions =
        settings->send_dimensions || takes_dimensions (settings->embedding_name);
    openai->chat_url = address_of (settings->base_url, "/chat/completions");
    openai->embeddings_url = address_of (settings->base_url, "/embeddings");
    openai->key = key_of (settings->key);
    openai->headers[headers++] = "Content-Type: application/json";
    openai->headers[headers++] = "Accept: application/json";
    if (openai->key) {
        openai->authorization = mem_printf ("Authorization: Bearer %s", openai->key);
        openai->headers[headers++] = openai->authorization;
    }
    return openai;
}

static void
free_calls (struct call *call, struct http *http)
{
    struct call *next;
    for (; call; call = next) {
        next = call->next;
        if (http)
            http_cancel (http, call);
        call_free (call);
    }
}

void
openai_destroy (struct openai **openai)
{
    struct openai *o = *openai;
    if (!o)
        return;
    free_calls (o->waiting, NULL);
    free_calls (o->sent, o->http);
    free (o->chat_url);
    free (o->embeddings_url);
    if (o->key)
        explicit_bzero (o->key, strlen (o->key));
    if (o->authorization)
        explicit_bzero (o->authorization, strlen (o->authorization));
    free (o->key);
    free (o->authorization);
    free (o);
    *openai = NULL;
}
