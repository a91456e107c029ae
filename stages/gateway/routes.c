/* SPDX-License-Identifier: MPL-2.0 */
#include "routes.h"
#include "metrics.h"
#include "page.h"
#include "push.h"

#include <errno.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS_MAX 500
#define TEXT_OF_NUMBER(number) TEXT_OF (number)
#define TEXT_OF(token) #token
#define SUBSCRIPTION_BYTES 32
#define PUSH_MAX (1024 * 1024) /* bytes of what a hub pushes */

/* ---- replies ---- */

void
route_refuse (struct http_call *call, unsigned status, const char *code, const char *message)
{
    http_reply_json (call, status,
                     json_pack ("{s:{s:s, s:s}}", "error", "code", code, "message", message));
}

static unsigned
status_of_code (const char *code)
{
    static const struct {
        const char *code;
        unsigned status;
    } codes[] = {
        { "bad_request", MHD_HTTP_BAD_REQUEST }, { "not_found", MHD_HTTP_NOT_FOUND },
        { "conflict", MHD_HTTP_CONFLICT },       { "unavailable", MHD_HTTP_SERVICE_UNAVAILABLE },
        { "unknown_op", MHD_HTTP_BAD_GATEWAY }, /* a collector of another version */
    };
    for (size_t i = 0; i < COUNT_OF (codes); i++)
        if (strcmp (codes[i].code, code) == 0)
            return codes[i].status;
    return MHD_HTTP_INTERNAL_SERVER_ERROR;
}

static const char *
error_text (int error)
{
    switch (error) {
    case -ENOTCONN:
        return "the collector cannot be reached; is it running?";
    case -ECANCELED:
        return "the gateway is stopping";
    default:
        return "the collector does not answer";
    }
}

struct refusal {
    unsigned status;
    const char *code, *message;
};

/* Whether the collector answered the question; if not, what to say instead. */
static bool
is_answered (const struct route_answer *answer, struct refusal *ret_refusal)
{
    static const struct refusal no_object = { MHD_HTTP_BAD_GATEWAY, "bad_reply",
                                              "the collector's answer is not a JSON object" };
    const json_t *error = json_object_get (answer->document, "error");
    if (!answer->error && answer->document && !error)
        return true;
    if (answer->error)
        *ret_refusal = (struct refusal){ MHD_HTTP_SERVICE_UNAVAILABLE, "unavailable",
                                         error_text (answer->error) };
    else if (!answer->document)
        *ret_refusal = no_object;
    else {
        const char *code = json_string_value (json_object_get (error, "code"));
        const char *message = json_string_value (json_object_get (error, "message"));
        ret_refusal->code = code ? code : "internal";
        ret_refusal->message = message ? message : "the collector refused without a reason";
        ret_refusal->status = status_of_code (ret_refusal->code);
    }
    return false;
}

static const json_t *
document_of (const struct route_answer *answer)
{
    struct refusal refusal;
    return is_answered (answer, &refusal) ? answer->document : NULL;
}

/* The collector's words, byte for byte. */
static void
answer_document (struct http_call *call, const struct route_facts *facts)
{
    const struct route_answer *answer = &facts->answers[0];
    struct buf body = { 0 };
    struct refusal refusal;
    if (!is_answered (answer, &refusal)) {
        route_refuse (call, refusal.status, refusal.code, refusal.message);
        return;
    }
    buf_add (&body, answer->text, answer->size);
    http_reply (call, MHD_HTTP_OK, HTTP_JSON, &body);
}

static void
answer_trigger (struct http_call *call, const struct route_facts *facts)
{
    const struct route_answer *answer = &facts->answers[0];
    struct buf body = { 0 };
    struct refusal refusal;
    if (!is_answered (answer, &refusal)) {
        route_refuse (call, refusal.status, refusal.code, refusal.message);
        return;
    }
    const char *run = json_string_value (json_object_get (answer->document, "run"));
    struct uuid id;
    if (run && uuid_parse (run, &id) == 0) {
        char text[UUID_TEXT_SIZE], place[64];
        snprintf (place, sizeof place, "/api/runs/%s", uuid_format (&id, text));
        http_add_header (call, "Location", place);
    }
    buf_add (&body, answer->text, answer->size);
    http_reply (call, MHD_HTTP_ACCEPTED, HTTP_JSON, &body);
}

static void
answer_health (struct http_call *call, const struct route_facts *facts)
{
    json_int_t uptime_ms = (clock_wall_us () - facts->started_us) / 1000;
    http_reply_json (call, MHD_HTTP_OK,
                     json_pack ("{s:b, s:s, s:I}", "ok", 1, "version", NEWSMILL_VERSION, "uptimeMs",
                                MAX_OF (uptime_ms, (json_int_t) 0)));
}

static void
answer_readiness (struct http_call *call, const struct route_facts *facts)
{
    json_t *reasons = json_array ();
    struct refusal refusal;
    if (facts->stopping)
        json_array_append_new (reasons, json_string ("the gateway is stopping"));
    if (!is_answered (&facts->answers[0], &refusal))
        json_array_append_new (reasons, json_string (refusal.message));
    if (!facts->database_good) /* the log has the details: this answer is for everyone */
        json_array_append_new (
            reasons, json_string ("the database cannot be reached; the gateway's log says why"));
    bool ready = json_array_size (reasons) == 0;
    json_t *document = json_pack ("{s:b, s:O}", "ready", ready, "reasons", reasons);
    if (!ready) {
        struct buf all = { 0 };
        for (size_t i = 0; i < json_array_size (reasons); i++)
            buf_printf (&all, "%s%s", i ? "; " : "",
                        json_string_value (json_array_get (reasons, i)));
        json_object_set_new (document, "error",
                             json_pack ("{s:s, s:s}", "code", "unavailable", "message", all.data));
        buf_fini (&all);
    }
    json_decref (reasons);
    http_reply_json (call, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, document);
}

/* Answers even without a collector: that is what newsmill_up is for. */
static void
answer_metrics (struct http_call *call, const struct route_facts *facts)
{
    struct buf body = { 0 };
    metrics_write (&body, document_of (&facts->answers[0]), document_of (&facts->answers[1]));
    metrics_write_process (&body, facts->started_us, facts->answered);
    http_reply (call, MHD_HTTP_OK, METRICS_TYPE, &body);
}

static void
answer_page (struct http_call *call, const struct route_facts *facts)
{
    struct buf body = { 0 };
    struct refusal refusal = { .status = MHD_HTTP_OK };
    bool answered = is_answered (&facts->answers[0], &refusal);
    page_write (&body, answered ? facts->answers[0].document : NULL, refusal.message);
    http_reply (call, refusal.status, "text/html; charset=utf-8", &body);
}

/* ---- parameters ---- */

static const char *
prepare_runs (const struct http_call *call, json_t *question)
{
    const char *text = http_query (call, "limit");
    int64_t limit = 20;
    if (text && num_parse (text, 1, RUNS_MAX, &limit) < 0)
        return "limit must be a number from 1 to " TEXT_OF_NUMBER (RUNS_MAX);
    json_object_set_new (question, "limit", json_integer (limit));
    return NULL;
}

static const char *
prepare_run (const struct http_call *call, json_t *question)
{
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    if (uuid_parse (strrchr (http_path (call), '/') + 1, &id) < 0)
        return "not the id of a run: that is a UUID";
    json_object_set_new (question, "id", json_string (uuid_format (&id, text)));
    return NULL;
}

static const char *
prepare_trigger (const struct http_call *call, json_t *question UNUSED)
{
    const struct buf *body = http_body (call);
    json_t *document = body->len ? json_loadb (body->data, body->len, 0, NULL) : json_object ();
    bool good = json_is_object (document);
    json_decref (document);
    return good ? NULL : "the body must be empty or a JSON object";
}

/* ---- WebSub (w3.org/TR/websub) ---- */

/* The path's last part. 400 would tell a stranger more than that there is nothing. */
static void
put_subscription (const struct http_call *call, json_t *question)
{
    const char *id = strrchr (http_path (call), '/') + 1;
    size_t bytes = strlen (id);
    bool good = bytes == SUBSCRIPTION_BYTES && strspn (id, "0123456789abcdef") == bytes;
    json_object_set_new (question, "subscription", json_string (good ? id : ""));
}

static const char *
prepare_intent (const struct http_call *call, json_t *question)
{
    static const char *const names[][2] = { { "mode", "hub.mode" }, { "topic", "hub.topic" }, { "reason", "hub.reason" } };
    const char *lease_text = http_query (call, "hub.lease_seconds");
    int64_t lease = 0;
    put_subscription (call, question);
    for (size_t i = 0; i < COUNT_OF (names); i++) {
        const char *value = http_query (call, names[i][1]);
        json_object_set_new (question, names[i][0], json_string (value ? value : "")); /* what is no UTF-8 is left out */
    }
    if (lease_text && num_parse (lease_text, 0, INT32_MAX, &lease) < 0)
        return "hub.lease_seconds must be a number of seconds";
    json_object_set_new (question, "lease", json_integer (lease));
    const char *mode = http_query (call, "hub.mode"), *challenge = http_query (call, "hub.challenge");
    if (!mode)
        return "hub.mode is missing";
    if (strcmp (mode, "denied") != 0 && (!challenge || !*challenge))
        return "hub.challenge is missing";
    return NULL;
}

static void
answer_intent (struct http_call *call, const struct route_facts *facts)
{
    struct buf body = { 0 };
    struct refusal refusal;
    const char *challenge = http_query (call, "hub.challenge");
    if (!is_answered (&facts->answers[0], &refusal)) {
        route_refuse (call, refusal.status, refusal.code, refusal.message);
        return;
    }
    buf_add_str (&body, challenge ? challenge : "");
    http_reply (call, MHD_HTTP_OK, "text/plain; charset=utf-8", &body);
}

static const char *
prepare_push (const struct http_call *call, json_t *question)
{
    put_subscription (call, question);
    return NULL;
}

/* What was pushed is not read: that it came, signed, says that the feed has news. */
static bool
follow_push (const struct http_call *call, const struct route_facts *facts, json_t *question)
{
    const char *secret = json_string_value (json_object_get (document_of (&facts->answers[0]), "secret"));
    const struct buf *body = http_body (call);
    put_subscription (call, question);
    return secret && push_is_signed (http_header (call, "X-Hub-Signature"), secret, body->data, body->len);
}

/* A wrong signature is answered like a right one, as the standard asks, and nothing follows. */
static void
answer_push (struct http_call *call, const struct route_facts *facts)
{
    struct buf body = { 0 };
    struct refusal refusal;
    for (size_t i = 0; i < ROUTE_OPS_MAX; i++)
        if ((i == 0 || facts->answers[i].asked) && !is_answered (&facts->answers[i], &refusal)) {
            route_refuse (call, refusal.status, refusal.code, refusal.message);
            return;
        }
    http_reply (call, MHD_HTTP_ACCEPTED, "text/plain; charset=utf-8", &body);
}

/* ---- the table ---- */

static const struct route routes[] = {
    { .method = "GET", .path = "/", .ops = { "status" },
      .answer = answer_page, .help = "this page" },
    { .method = "GET", .path = "/api/job-status", .ops = { "status" },
      .answer = answer_document, .help = "health, schedule, statistics, recent runs" },
    { .method = "GET", .path = "/api/runs", .ops = { "runs" }, .prepare = prepare_runs,
      .answer = answer_document, .help = "the latest runs; ?limit=20" },
    { .method = "GET", .path = "/api/runs/*", .ops = { "run" }, .prepare = prepare_run,
      .answer = answer_document, .help = "one run with its stages and sources" },
    { .method = "POST", .path = "/api/runs", .ops = { "trigger" }, .prepare = prepare_trigger,
      .answer = answer_trigger, .help = "starts a run, or joins the one under way" },
    { .method = "GET", .path = "/api/sources", .ops = { "sources" },
      .answer = answer_document, .help = "the feeds and their health" },
    { .method = "GET", .path = "/api/workers", .ops = { "workers" },
      .answer = answer_document, .help = "the processes and what they hold" },
    { .method = "GET", .path = "/metrics", .ops = { "status", "workers" },
      .answer = answer_metrics, .help = "for Prometheus" },
    { .method = "GET", .path = "/healthz",
      .answer = answer_health, .help = "whether the gateway itself turns" },
    { .method = "GET", .path = "/readyz", .ops = { "status" }, .database = true,
      .answer = answer_readiness, .help = "whether collector and database can be reached" },
    { .method = "GET", .path = "/websub/*", .ops = { "intent" }, .open = true, .prepare = prepare_intent,
      .answer = answer_intent, .help = "for WebSub hubs: whether we mean a subscription" },
    { .method = "POST", .path = "/websub/*", .ops = { "subscription", "pushed" }, .open = true, .body_max = PUSH_MAX,
      .prepare = prepare_push, .follow = follow_push, .answer = answer_push, .help = "for WebSub hubs: a feed has news" },
};

const struct route *
route_list (size_t *ret_count)
{
    *ret_count = COUNT_OF (routes);
    return routes;
}

static bool
path_matches (const char *pattern, const char *path)
{
    size_t length = strlen (pattern);
    if (pattern[length - 1] != '*')
        return strcmp (pattern, path) == 0;
    return strncmp (pattern, path, length - 1) == 0 && path[length - 1]
           && !strchr (path + length - 1, '/');
}

static void
allow (char allowed[ROUTE_ALLOWED_SIZE], const char *method)
{
    size_t length = strlen (allowed);
    snprintf (allowed + length, ROUTE_ALLOWED_SIZE - length, "%s%s%s", length ? ", " : "", method,
              strcmp (method, "GET") == 0 ? ", HEAD" : "");
}

const struct route *
route_find (const char *method, const char *path, char ret_allowed[ROUTE_ALLOWED_SIZE])
{
    const char *wanted = strcmp (method, "HEAD") == 0 ? "GET" : method;
    *ret_allowed = '\0';
    for (size_t i = 0; i < COUNT_OF (routes); i++) {
        if (!path_matches (routes[i].path, path))
            continue;
        if (strcmp (routes[i].method, wanted) == 0)
            return &routes[i];
        allow (ret_allowed, routes[i].method);
    }
    return NULL;
}
