/* reply - errors, usage and reasons: what every kind of answer may hold.
 * Servers agree on little here, so the HTTP status decides first, then the error's own code and
 * type, then words in its message. Only what is certain to need a person is MODEL_REFUSED: that
 * outcome stops a whole run.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/reply_parts.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HTTP_STATUS_OK 200
#define WAIT_MOST_S 86400.0

void
reply_fini (struct reply *reply)
{
    for (size_t i = 0; reply->summaries && i < reply->count; i++)
        free (reply->summaries[i]);
    free (reply->summaries);
    free (reply->vectors);
    *reply = (struct reply){ 0 };
}

/* ---- reasons ---- */

static void
add_without_secret (struct buf *out, const char *text, const char *secret)
{
    size_t secret_bytes = secret ? strlen (secret) : 0;
    const char *hit;
    while (secret_bytes && (hit = strstr (text, secret))) {
        buf_add (out, text, (size_t) (hit - text));
        buf_add_str (out, "***");
        text = hit + secret_bytes;
    }
    buf_add_str (out, text);
}

void
reply_fail (const struct reply_ask *ask, struct reply *reply, enum model_outcome outcome,
            const char *format, ...)
{
    struct buf text = { 0 }, shown = { 0 };
    char *line = NULL;
    va_list args;
    va_start (args, format);
    int n = vasprintf (&line, format, args);
    va_end (args);
    buf_add_str (&text, n < 0 ? "out of memory" : line);
    if (n >= 0)
        free (line);
    add_without_secret (&shown, text.data, ask->secret);
    for (char *p = shown.data; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            *p = ' ';
    char *clean = utf8_clean (shown.data, shown.len, sizeof reply->reason - 1);
    snprintf (reply->reason, sizeof reply->reason, "%s", clean);
    reply->outcome = outcome;
    free (clean);
    buf_fini (&shown);
    buf_fini (&text);
}

/* ---- classes ---- */

struct class_row {
    const char *word; /* lower case */
    enum model_outcome outcome;
};

/* Words in an error's code and type. The first that is found decides. */
static const struct class_row kinds[] = {
    { "insufficient_quota", MODEL_REFUSED },
    { "insufficient_credit", MODEL_REFUSED },
    { "insufficient_balance", MODEL_REFUSED },
    { "billing", MODEL_REFUSED },
    { "payment_required", MODEL_REFUSED },
    { "api_key", MODEL_REFUSED },
    { "authentication", MODEL_REFUSED },
    { "unauthorized", MODEL_REFUSED },
    { "unauthenticated", MODEL_REFUSED },
    { "account_deactivated", MODEL_REFUSED },
    { "model_not_found", MODEL_REFUSED },
    { "content_filter", MODEL_BAD },
    { "content_policy", MODEL_BAD },
    { "moderation", MODEL_BAD },
    { "context_length", MODEL_BAD },
    { "permission", MODEL_REFUSED },
    { "rate_limit", MODEL_RETRY },
    { "too_many_requests", MODEL_RETRY },
    { "resource_exhausted", MODEL_RETRY },
    { "overloaded", MODEL_RETRY },
    { "unavailable", MODEL_RETRY },
    { "timeout", MODEL_RETRY },
    { "server_error", MODEL_RETRY },
    { "internal", MODEL_RETRY },
    { "invalid_request", MODEL_BAD },
    { "bad_request", MODEL_BAD },
    { "badrequest", MODEL_BAD },
};

/* Words in a message, for an error that has no code anyone knows. */
static const struct class_row phrases[] = {
    { "api key not valid", MODEL_REFUSED },
    { "invalid api key", MODEL_REFUSED },
    { "incorrect api key", MODEL_REFUSED },
    { "insufficient credits", MODEL_REFUSED },
    { "not a valid model", MODEL_REFUSED },
    { "rate limit", MODEL_RETRY },
    { "too many requests", MODEL_RETRY },
    { "overloaded", MODEL_RETRY },
    { "temporarily", MODEL_RETRY },
    { "unavailable", MODEL_RETRY },
    { "try again", MODEL_RETRY },
    { "timed out", MODEL_RETRY },
    { "timeout", MODEL_RETRY },
    { "internal server error", MODEL_RETRY },
    { "internal error", MODEL_RETRY },
};

/* What a 402 is about when it is not the account's credit or the key's limit. OpenRouter holds back each call's dearest
 * price until it is settled ("in-flight spending budget"): calls that just end make room for more; and one that is too
 * dear by itself may do with fewer articles. See "Limits", openrouter.ai/docs/api_reference/limits, and for the words
 * github.com/QwenLM/qwen-code/issues/73. DeepSeek and others say 402 of an empty account alone. */
static const struct class_row payments[] = {
    { "in_flight_budget", MODEL_RETRY },
    { "in-flight requests", MODEL_RETRY },
    { "weight_exceeds_budget", MODEL_OVER_BUDGET },
    { "fewer max_tokens", MODEL_OVER_BUDGET },
    { "tokens limit exceeded", MODEL_OVER_BUDGET },
};

/* What makes a 403 a matter of the text and not of the key. */
static const char *const about_content[] = {
    "moderation",     "flagged",        "content_filter",
    "content_policy", "content policy", "content management policy",
    "safety",
};

struct status_row {
    long from, to;
    enum model_outcome outcome;
    const char *means;
};

static const struct status_row statuses[] = {
    { 300, 399, MODEL_REFUSED,
      "the server sends callers elsewhere: set the base URL to the new address" },
    { 400, 400, MODEL_BAD, "bad request" },
    { 401, 401, MODEL_REFUSED, "the key was not accepted" },
    { 402, 402, MODEL_REFUSED, "payment is required" },
    { 403, 403, MODEL_REFUSED, "not allowed" },
    { 404, 404, MODEL_REFUSED,
      "no such model or address: check the base URL and the model's name" },
    { 405, 405, MODEL_REFUSED, "no such address: check the base URL" },
    { 407, 407, MODEL_REFUSED, "a proxy wants a login" },
    { 408, 409, MODEL_RETRY, "not now" },
    { 410, 410, MODEL_REFUSED, "the model is gone" },
    { 413, 413, MODEL_BAD, "the request is too large" },
    { 425, 425, MODEL_RETRY, "too early" },
    { 429, 429, MODEL_RETRY, "too many requests" },
    { 400, 499, MODEL_BAD, "the request was not accepted" },
    { 500, 599, MODEL_RETRY, "the server failed" },
};

/* One error, whatever shape it came in. Pointers are into the JSON document, or NULL. */
struct problem {
    long status;    /* of HTTP, or the number an error inside a 200 names; else 200 */
    char kind[256]; /* its code and type in lower case */
    const char *message;
    const char *raw; /* what the provider behind the server said */
    const char *param;
    bool flagged; /* it carries the findings of a content check */
    int64_t retry_after_ms; /* 0: not said */
};

static const char *
text_of (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text && *text ? text : NULL;
}

static void
add_kind (struct problem *problem, const char *text)
{
    size_t at = strlen (problem->kind);
    if (at && at < sizeof problem->kind - 1)
        problem->kind[at++] = ' ';
    for (; text && *text && at < sizeof problem->kind - 1; text++)
        problem->kind[at++] = (char) tolower ((unsigned char) *text);
    problem->kind[at] = '\0';
}

static void
read_code (struct problem *problem, const json_t *code)
{
    int64_t number = json_is_integer (code) ? json_integer_value (code) : 0;
    if (json_is_string (code)) {
        add_kind (problem, json_string_value (code));
        if (num_parse (json_string_value (code), 0, 599, &number))
            number = 0;
    }
    if (problem->status == HTTP_STATUS_OK && number >= 400 && number <= 599)
        problem->status = (long) number;
}

/* error: an object or a text; of {"message"}, {"detail"} and the like, the object around it. */
static void
read_problem (const json_t *error, struct problem *problem)
{
    if (json_is_string (error)) {
        problem->message = json_string_value (error);
        return;
    }
    problem->message = text_of (error, "message");
    if (!problem->message)
        problem->message = text_of (error, "detail");
    problem->param = text_of (error, "param");
    const json_t *first = json_array_get (json_object_get (error, "detail"), 0);
    if (!problem->message && first) { /* [{"loc": ["body", "response_format"], "msg": ...}] */
        const json_t *place = json_object_get (first, "loc");
        problem->message = text_of (first, "msg");
        problem->param = json_string_value (json_array_get (place, json_array_size (place) - 1));
    }
    read_code (problem, json_object_get (error, "code"));
    add_kind (problem, text_of (error, "type"));
    add_kind (problem, text_of (error, "status"));
    const json_t *metadata = json_object_get (error, "metadata");
    problem->raw = text_of (metadata, "raw");
    add_kind (problem, text_of (metadata, "error_type"));
    add_kind (problem, text_of (metadata, "reason"));
    add_kind (problem, text_of (metadata, "limit_source"));
    problem->flagged =
        json_object_get (metadata, "reasons") || json_object_get (metadata, "flagged_input");
    double wait_s = json_number_value (json_object_get (metadata, "retry_after_seconds"));
    if (wait_s > 0)
        problem->retry_after_ms = (int64_t) (MIN_OF (wait_s, WAIT_MOST_S) * 1000);
}

static bool
has_word (const char *text, const char *word)
{
    return text && strcasestr (text, word);
}

static bool
find_class (const struct class_row *rows, size_t count, const char *text,
            enum model_outcome *ret_outcome)
{
    for (size_t i = 0; i < count; i++)
        if (has_word (text, rows[i].word)) {
            *ret_outcome = rows[i].outcome;
            return true;
        }
    return false;
}

static bool
is_about_content (const struct problem *problem)
{
    for (size_t i = 0; i < COUNT_OF (about_content); i++)
        if (has_word (problem->kind, about_content[i])
            || has_word (problem->message, about_content[i])
            || has_word (problem->raw, about_content[i]))
            return true;
    return problem->flagged;
}

static const struct status_row *
status_row_of (long status)
{
    for (size_t i = 0; i < COUNT_OF (statuses); i++)
        if (status >= statuses[i].from && status <= statuses[i].to)
            return &statuses[i];
    return NULL;
}

static enum model_outcome
classify (const struct problem *problem)
{
    const struct status_row *row = status_row_of (problem->status);
    enum model_outcome outcome;
    bool known = find_class (kinds, COUNT_OF (kinds), problem->kind, &outcome);
    if (!row) {
        if (known || find_class (phrases, COUNT_OF (phrases), problem->message, &outcome))
            return outcome;
        return MODEL_BAD;
    }
    /* A spent account hides behind 429, a wrong key or model behind 400. Their messages cannot
     * tell: some servers speak of "quota" and "billing" for a mere limit per minute. */
    if ((problem->status == 429 || row->outcome == MODEL_BAD) && known && outcome == MODEL_REFUSED)
        return MODEL_REFUSED;
    if (row->outcome == MODEL_BAD && !known
        && find_class (phrases, COUNT_OF (phrases), problem->message, &outcome)
        && outcome == MODEL_REFUSED)
        return MODEL_REFUSED;
    if (problem->status == 403 && is_about_content (problem))
        return MODEL_BAD;
    if (problem->status == 402
        && (find_class (payments, COUNT_OF (payments), problem->kind, &outcome)
            || find_class (payments, COUNT_OF (payments), problem->message, &outcome)))
        return outcome;
    return row->outcome;
}

static unsigned
find_dislikes (const struct problem *problem)
{
    static const long saying_so[] = { 400, 404, 422, 500, 501 };
    static const struct {
        const char *word;
        enum reply_dislike dislike;
    } words[] = {
        { "response_format", REPLY_DISLIKES_FORMAT },
        { "response format", REPLY_DISLIKES_FORMAT },
        { "json_schema", REPLY_DISLIKES_FORMAT },
        { "json_object", REPLY_DISLIKES_FORMAT },
        { "structured output", REPLY_DISLIKES_FORMAT },
        { "temperature", REPLY_DISLIKES_TEMPERATURE },
        { "encoding_format", REPLY_DISLIKES_ENCODING },
    };
    unsigned dislikes = 0;
    bool may = false;
    for (size_t i = 0; i < COUNT_OF (saying_so); i++)
        may |= problem->status == saying_so[i];
    for (size_t i = 0; may && i < COUNT_OF (words); i++)
        if (has_word (problem->message, words[i].word) || has_word (problem->raw, words[i].word)
            || has_word (problem->param, words[i].word))
            dislikes |= words[i].dislike;
    return dislikes;
}

static void
fail_with (const struct reply_ask *ask, const struct problem *problem, struct reply *reply)
{
    const struct status_row *row = status_row_of (problem->status);
    enum model_outcome outcome = classify (problem);
    const char *means = row ? row->means : "an error inside the answer";
    char number[32] = "";
    if (problem->status != HTTP_STATUS_OK)
        snprintf (number, sizeof number, " (%ld)", problem->status);
    reply->dislikes = find_dislikes (problem);
    reply->retry_after_ms = problem->retry_after_ms;
    reply_fail (ask, reply, outcome, "model server: %s%s%s%s%s%s", means, number,
                problem->message ? ": " : "", problem->message ? problem->message : "",
                problem->raw ? ": " : "", problem->raw ? problem->raw : "");
}

void
reply_read_error (const struct reply_ask *ask, const json_t *error, struct reply *reply)
{
    struct problem problem = { .status = ask->status };
    read_problem (error, &problem);
    fail_with (ask, &problem, reply);
}

static const json_t *
error_in (const json_t *root)
{
    if (json_is_array (root)) /* some wrap it: [{"error": ...}] */
        root = json_array_get (root, 0);
    const json_t *error = json_object_get (root, "error");
    const char *words = json_string_value (error);
    if (error && !json_is_null (error) && !json_is_false (error) && !(words && !*words))
        return error;
    const char *object = text_of (root, "object");
    return object && strcmp (object, "error") == 0 ? root : NULL;
}

static bool
fail_unreadable (const struct reply_ask *ask, struct reply *reply)
{
    size_t at = 0;
    while (at < ask->bytes && isspace ((unsigned char) ask->body[at]))
        at++;
    if (at == ask->bytes)
        reply_fail (ask, reply, MODEL_RETRY, "model server: an empty answer");
    else if (ask->body[at] == '<') /* from something in between, not from a model */
        reply_fail (ask, reply, MODEL_RETRY,
                    "model server: a web page instead of JSON: check the base URL");
    else
        reply_fail (ask, reply, MODEL_BAD, "model server: the answer is not JSON");
    return true;
}

bool
reply_is_error (const struct reply_ask *ask, const json_t *root, const char *wanted,
                struct reply *reply)
{
    const json_t *error = error_in (root);
    if (ask->status >= 200 && ask->status <= 299) {
        if (!root)
            return fail_unreadable (ask, reply);
        if (!error && json_object_get (root, wanted))
            return false;
        if (!error && !text_of (root, "message") && !json_object_get (root, "detail")) {
            reply_fail (ask, reply, MODEL_BAD, "model server: the answer holds no \"%s\"", wanted);
            return true;
        }
        struct reply_ask inside = *ask;
        inside.status = HTTP_STATUS_OK;
        reply_read_error (&inside, error ? error : root, reply);
        return true;
    }
    reply_read_error (ask, error ? error : root, reply);
    return true;
}

/* ---- usage ---- */

static int64_t
tokens_of (const json_t *usage, const char *key)
{
    int64_t tokens = json_integer_value (json_object_get (usage, key));
    return tokens > 0 && tokens <= INT32_MAX ? tokens : 0;
}

void
reply_read_usage (const json_t *root, struct reply *reply)
{
    const json_t *usage = json_object_get (root, "usage");
    reply->tokens_in = tokens_of (usage, "prompt_tokens");
    reply->tokens_out = tokens_of (usage, "completion_tokens");
    if (!reply->tokens_in && !reply->tokens_out)
        reply->tokens_in = tokens_of (usage, "total_tokens");
    const json_t *told = json_object_get (usage, "cost");
    double cost = json_number_value (told);
    reply->priced = json_is_number (told);
    reply->cost_usd = isfinite (cost) && cost > 0 ? cost : 0;
}
