/* model - an OpenAI-compatible server: a summary that names its article's mark, and vectors that
 * depend on the text alone. The rules in force decide which answers come out wrong.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"
#include "scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CHAT_ITEMS_MAX 1000
#define EMBED_ITEMS_MAX 2048 /* as OpenAI's */
#define DIMENSIONS_MAX 16384
#define STALL_MS 60000
#define DRIP_MS 1000
#define WRONG_ID 1000

struct chat_item {
    int64_t id;
    struct scan_text title;
    struct article *article; /* whose mark stands in it, or NULL */
};

/* ---- what both calls share ---- */

static struct rule
call_begin (struct world *world, enum target target, const struct serve_request *request,
            size_t items)
{
    struct stats *stats = &world->stats;
    struct rule rule = rules_take (&world->rules[target], request->body.data, request->body.len);
    bool wrong = rule.fault != FAULT_NONE;
    if (stats->calls[target] < CALLS_MAX)
        stats->log[target][stats->calls[target]] = (struct call){ clock_mono_ms (), items, wrong };
    stats->calls[target]++;
    stats->items[target] += items;
    stats->wrong[target] += wrong;
    return rule;
}

static bool
wants_method_and_body (struct serve_request *request)
{
    if (strcmp (request->method, "POST") != 0)
        world_answer_error (request, MHD_HTTP_METHOD_NOT_ALLOWED, "use POST");
    else if (request->body.len == 0)
        world_answer_error (request, MHD_HTTP_BAD_REQUEST, "the body is empty");
    else
        return true;
    return false;
}

static void
answer_status (struct serve_request *request, const struct rule *rule)
{
    struct buf body = { 0 };
    if (rule->body) {
        buf_add_str (&body, rule->body);
        world_answer_json (request, rule->status, &body);
    } else
        world_answer_error (request, rule->status, "as the test asked for");
    if (rule->retry_after_s >= 0 && request->response) {
        char *seconds = mem_printf ("%lld", (long long) rule->retry_after_s);
        serve_header (request->response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
        free (seconds);
    }
}

/* Answers a call whose fault leaves no room for content. False: it has content. */
static bool
answer_fault (struct serve_request *request, const struct rule *rule)
{
    if (rule->fault == FAULT_STATUS)
        answer_status (request, rule);
    else if (rule->fault == FAULT_CUT)
        serve_cut (request);
    else
        return false;
    return true;
}

/* body: taken */
static void
answer_content (struct serve_request *request, const struct rule *rule, struct buf *body)
{
    struct MHD_Response *response =
        drip_response (request, body, rule->fault == FAULT_DRIP ? DRIP_MS : 0, rule->fault == FAULT_TORN);
    if (response)
        serve_header (response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    serve_answer (request, MHD_HTTP_OK, &response);
}

/* Counts a call that held the article. */
static void
count_article (struct article *article, enum target target, enum fault fault)
{
    bool done = fault == FAULT_NONE || fault == FAULT_SHUFFLED || fault == FAULT_UNPRICED
                || fault == FAULT_STALL || fault == FAULT_DRIP || fault == FAULT_CUT || fault == FAULT_TORN;
    if (!article)
        return;
    article->tries[target]++;
    article->answers[target] += done;
}

/* Which item stands at a place of the answer. */
static size_t
item_at (const struct rule *rule, size_t place, size_t count)
{
    return rule->fault == FAULT_SHUFFLED ? count - 1 - place : place;
}

static size_t
answered_count (const struct rule *rule, size_t count)
{
    return rule->fault == FAULT_COUNT && count > 0 ? count - 1 : count;
}

static void
add_usage (struct buf *out, const struct rule *rule, size_t bytes_in, size_t bytes_out,
           double cost_in, double cost_out)
{
    size_t in = bytes_in / 4 + 1, tokens_out = bytes_out / 4;
    buf_printf (out, "\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,\"total_tokens\":%zu",
                in, tokens_out, in + tokens_out);
    if (rule->fault != FAULT_UNPRICED)
        buf_printf (out, ",\"cost\":%.9f",
                    (double) in * cost_in + (double) tokens_out * cost_out);
    buf_add_char (out, '}');
}

/* ---- chat: the request ---- */

/* A message's content if it is the user's. */
static void
read_message (struct scan *scan, struct scan_text *ret_content)
{
    struct scan_text role = { .data = "" }, content = { .data = "" };
    for (scan_open (scan, '{'); scan_more (scan, '}');) {
        struct scan_text key = scan_key (scan);
        if (scan_is (&key, "role"))
            role = scan_string (scan);
        else if (scan_is (&key, "content") && scan_at_string (scan))
            content = scan_string (scan);
        else
            scan_skip (scan);
    }
    if (scan_is (&role, "user"))
        *ret_content = content;
}

/* The last user message, unescaped. */
static bool
read_chat (const struct serve_request *request, struct scan_text *ret_model,
           struct buf *ret_content)
{
    struct scan scan = { .at = request->body.data, .end = request->body.data + request->body.len };
    struct scan_text content = { .data = "" };
    for (scan_open (&scan, '{'); scan_more (&scan, '}');) {
        struct scan_text key = scan_key (&scan);
        if (scan_is (&key, "model"))
            *ret_model = scan_string (&scan);
        else if (scan_is (&key, "messages"))
            for (scan_open (&scan, '['); scan_more (&scan, ']');)
                read_message (&scan, &content);
        else
            scan_skip (&scan);
    }
    return scan_done (&scan) && ret_model->bytes && content.bytes &&
           scan_unescape (ret_content, &content);
}

static struct chat_item
read_item (struct scan *scan, struct news *news)
{
    struct chat_item item = { .title = { .data = "" } };
    struct scan_text text = { .data = "" };
    for (scan_open (scan, '{'); scan_more (scan, '}');) {
        struct scan_text key = scan_key (scan);
        if (scan_is (&key, "id"))
            item.id = scan_integer (scan);
        else if (scan_is (&key, "title"))
            item.title = scan_string (scan);
        else if (scan_is (&key, "text"))
            text = scan_string (scan);
        else
            scan_skip (scan);
    }
    item.article = news_find (news, item.title.data, item.title.bytes);
    if (!item.article)
        item.article = news_find (news, text.data, text.bytes);
    return item;
}

/* items: room for CHAT_ITEMS_MAX. False if the content is not as agreed. */
static bool
read_articles (struct news *news, const struct buf *content, struct chat_item *items,
               size_t *ret_count)
{
    struct scan scan = { .at = content->data, .end = content->data + content->len };
    size_t count = 0;
    for (scan_open (&scan, '{'); scan_more (&scan, '}');) {
        struct scan_text key = scan_key (&scan);
        if (!scan_is (&key, "articles")) {
            scan_skip (&scan);
            continue;
        }
        for (scan_open (&scan, '['); scan_more (&scan, ']');) {
            if (count == CHAT_ITEMS_MAX)
                return false;
            items[count++] = read_item (&scan, news);
        }
    }
    *ret_count = count;
    return scan_done (&scan) && count > 0;
}

/* ---- chat: the answer ---- */

static void
add_summary (struct buf *out, const struct chat_item *item, const struct rule *rule)
{
    struct buf text = { 0 };
    buf_printf (&text, "The report filed as %s, \"",
                item->article ? item->article->mark : "an article without a mark");
    if (!scan_unescape (&text, &item->title))
        buf_add_str (&text, "?");
    buf_add_str (&text, "\", tells at some length how officials, experts and residents look at the"
                        " matter, what it has cost so far and who is expected to decide on it in"
                        " the weeks to come.");
    buf_printf (out, "{\"id\":%lld,\"summary\":",
                (long long) item->id + (rule->fault == FAULT_IDS ? WRONG_ID : 0));
    markup_add_json (out, text.data);
    buf_add_char (out, '}');
    buf_fini (&text);
}

static void
add_summaries (struct buf *out, const struct chat_item *items, size_t count,
               const struct rule *rule)
{
    size_t answered = answered_count (rule, count);
    buf_add_str (out, "{\"summaries\":[");
    for (size_t i = 0; i < answered; i++) {
        if (i)
            buf_add_char (out, ',');
        add_summary (out, &items[item_at (rule, i, answered)], rule);
    }
    buf_add_str (out, "]}");
    if (rule->fault == FAULT_TRUNCATED) {
        out->len = utf8_valid_bytes (out->data, out->len / 2);
        out->data[out->len] = '\0';
    }
}

static void
answer_chat (struct serve_request *request, const struct scan_text *model,
             const struct chat_item *items, size_t count, const struct rule *rule)
{
    struct buf content = { 0 }, body = { 0 };
    add_summaries (&content, items, count, rule);
    buf_add_str (&body, "{\"id\":\"chatcmpl-fake\",\"object\":\"chat.completion\",");
    buf_printf (&body, "\"created\":%lld,\"model\":\"", (long long) (clock_wall_us () / US_PER_S));
    buf_add (&body, model->data, model->bytes);
    buf_add_str (&body, "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                        "\"content\":");
    markup_add_json (&body, content.data);
    buf_printf (&body, "},\"finish_reason\":\"%s\"}],",
                rule->fault == FAULT_TRUNCATED ? "length" : "stop");
    add_usage (&body, rule, request->body.len, content.len, 0.15e-6, 0.6e-6);
    buf_add_str (&body, "}\n");
    buf_fini (&content);
    answer_content (request, rule, &body);
}

void
model_on_chat (struct world *world, struct serve_request *request, const char *rest UNUSED)
{
    struct scan_text model = { .data = "" };
    struct buf content = { 0 };
    size_t count = 0;
    if (!wants_method_and_body (request))
        return;
    struct chat_item *items = mem_alloc (CHAT_ITEMS_MAX * sizeof *items);
    bool right = read_chat (request, &model, &content) &&
                 read_articles (&world->news, &content, items, &count);
    struct rule rule = call_begin (world, TARGET_CHAT, request, count);
    serve_delay (request, world->settings.chat_ms + world->settings.chat_item_ms * (int64_t) count);
    if (rule.fault == FAULT_STALL)
        serve_delay (request, STALL_MS);
    else if (rule.fault == FAULT_STATUS || !right)
        serve_delay (request, 0);
    for (size_t i = 0; i < count; i++)
        count_article (items[i].article, TARGET_CHAT, rule.fault);
    if (!answer_fault (request, &rule)) {
        if (right)
            answer_chat (request, &model, items, count, &rule);
        else
            world_answer_error (request, MHD_HTTP_BAD_REQUEST,
                                "wanted: model, messages, and articles in the last user message");
    }
    free (items);
    buf_fini (&content);
}

/* ---- embeddings: the request ---- */

struct embed_call {
    struct scan_text model;
    uint64_t hashes[EMBED_ITEMS_MAX]; /* of the texts */
    struct article *articles[EMBED_ITEMS_MAX]; /* likewise; NULL: without a mark */
    size_t count, dimensions;
    bool base64;
};

static bool
read_input (struct scan *scan, struct news *news, struct embed_call *call, struct buf *scratch)
{
    struct scan_text text = scan_string (scan);
    if (call->count == EMBED_ITEMS_MAX || text.bytes == 0)
        return false;
    if (text.escaped) {
        buf_clear (scratch);
        if (!scan_unescape (scratch, &text))
            return false;
        text = (struct scan_text){ .data = scratch->data, .bytes = scratch->len };
    }
    call->articles[call->count] = news_find (news, text.data, text.bytes);
    call->hashes[call->count++] = num_hash (text.data, text.bytes);
    return true;
}

static bool
read_inputs (struct scan *scan, struct news *news, struct embed_call *call)
{
    struct buf scratch = { 0 };
    bool right = true;
    if (scan_at_string (scan))
        right = read_input (scan, news, call, &scratch);
    else
        for (scan_open (scan, '['); right && scan_more (scan, ']');)
            right = read_input (scan, news, call, &scratch);
    buf_fini (&scratch);
    return right;
}

static bool
read_embed (const struct serve_request *request, struct news *news, struct embed_call *call)
{
    struct scan scan = { .at = request->body.data, .end = request->body.data + request->body.len };
    bool right = true;
    for (scan_open (&scan, '{'); right && scan_more (&scan, '}');) {
        struct scan_text key = scan_key (&scan);
        if (scan_is (&key, "model"))
            call->model = scan_string (&scan);
        else if (scan_is (&key, "input"))
            right = read_inputs (&scan, news, call);
        else if (scan_is (&key, "dimensions")) {
            int64_t dimensions = scan_integer (&scan);
            right = dimensions >= 1 && dimensions <= DIMENSIONS_MAX;
            call->dimensions = right ? (size_t) dimensions : 0;
        } else if (scan_is (&key, "encoding_format")) {
            struct scan_text format = scan_string (&scan);
            call->base64 = scan_is (&format, "base64");
            right = call->base64 || scan_is (&format, "float");
        } else
            scan_skip (&scan);
    }
    return right && scan_done (&scan) && call->model.bytes && call->count > 0;
}

/* ---- embeddings: the answer ---- */

/* Numbers spread evenly by direction enough for an index to have its usual work. */
static void
make_vector (uint64_t hash, float *vector, size_t dimensions)
{
    uint64_t state = hash;
    double squares = 0;
    for (size_t i = 0; i < dimensions; i += 2) {
        uint64_t random = prose_random (&state);
        for (size_t k = i; k < MIN_OF (i + 2, dimensions); k++, random >>= 32) {
            vector[k] = (float) (int32_t) (uint32_t) random * 0x1p-31F;
            squares += (double) vector[k] * (double) vector[k];
        }
    }
    float scale = (float) (1 / sqrt (squares));
    for (size_t i = 0; i < dimensions; i++)
        vector[i] *= scale;
}

static void
add_base64 (struct buf *out, const float *vector, size_t dimensions)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *) vector;
    size_t bytes = dimensions * sizeof *vector;
    buf_reserve (out, bytes / 3 * 4 + 6);
    char *at = out->data + out->len;
    *at++ = '"';
    for (size_t i = 0; i < bytes; i += 3, at += 4) {
        size_t left = bytes - i;
        unsigned int three = (unsigned int) in[i] << 16;
        three |= left > 1 ? (unsigned int) in[i + 1] << 8 : 0;
        three |= left > 2 ? in[i + 2] : 0;
        at[0] = digits[three >> 18];
        at[1] = digits[three >> 12 & 63];
        at[2] = left > 1 ? digits[three >> 6 & 63] : '=';
        at[3] = left > 2 ? digits[three & 63] : '=';
    }
    *at++ = '"';
    *at = '\0';
    out->len = (size_t) (at - out->data);
}

/* One number as [-]0.ddddddd: printf would be most of a call's cost. */
static void
add_float (struct buf *out, float value)
{
    if (isnan (value)) {
        buf_add_str (out, "NaN"); /* as Python's json writes it */
        return;
    }
    char text[] = "-0.0000000";
    int32_t rest = (int32_t) lroundf (fabsf (value) * 1e7F);
    text[1] = (char) ('0' + rest / 10000000 % 10);
    for (size_t i = sizeof text - 2; i > 2; i--, rest /= 10)
        text[i] = (char) ('0' + rest % 10);
    buf_add (out, signbit (value) ? text : text + 1, strlen (text) - !signbit (value));
}

static void
add_floats (struct buf *out, const float *vector, size_t dimensions)
{
    buf_reserve (out, dimensions * 12);
    for (size_t i = 0; i < dimensions; i++) {
        buf_add_char (out, i ? ',' : '[');
        add_float (out, vector[i]);
    }
    buf_add_char (out, ']');
}

static void
add_embeddings (struct buf *out, const struct embed_call *call, const struct rule *rule)
{
    size_t answered = answered_count (rule, call->count);
    size_t dimensions =
        rule->fault == FAULT_DIMENSIONS ? (call->dimensions + 1) / 2 : call->dimensions;
    float *vector = mem_alloc ((dimensions + 1) * sizeof *vector);
    for (size_t i = 0; i < answered; i++) {
        size_t index = item_at (rule, i, answered);
        make_vector (call->hashes[index], vector, dimensions);
        if (rule->fault == FAULT_NAN && index == 0)
            vector[0] = NAN;
        buf_printf (out, "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i ? "," : "",
                    index + (rule->fault == FAULT_IDS ? WRONG_ID : 0));
        if (call->base64)
            add_base64 (out, vector, dimensions);
        else
            add_floats (out, vector, dimensions);
        buf_add_char (out, '}');
    }
    free (vector);
}

static void
answer_embed (struct serve_request *request, const struct embed_call *call, const struct rule *rule)
{
    struct buf body = { 0 };
    buf_reserve (&body, call->count * (call->dimensions * (call->base64 ? 6 : 11) + 64) + 256);
    buf_add_str (&body, "{\"object\":\"list\",\"data\":[");
    add_embeddings (&body, call, rule);
    buf_add_str (&body, "],\"model\":\"");
    buf_add (&body, call->model.data, call->model.bytes);
    buf_add_str (&body, "\",");
    add_usage (&body, rule, request->body.len, 0, 0.02e-6, 0);
    buf_add_str (&body, "}\n");
    answer_content (request, rule, &body);
}

void
model_on_embed (struct world *world, struct serve_request *request, const char *rest UNUSED)
{
    if (!wants_method_and_body (request))
        return;
    struct embed_call *call = MEM_NEW (struct embed_call);
    call->dimensions = (size_t) world->settings.dimensions;
    bool right = read_embed (request, &world->news, call);
    struct rule rule = call_begin (world, TARGET_EMBED, request, call->count);
    for (size_t i = 0; i < call->count; i++)
        count_article (call->articles[i], TARGET_EMBED, rule.fault);
    serve_delay (request,
                 world->settings.embed_ms + world->settings.embed_item_ms * (int64_t) call->count);
    if (rule.fault == FAULT_STALL)
        serve_delay (request, STALL_MS);
    else if (rule.fault == FAULT_STATUS || !right)
        serve_delay (request, 0);
    if (!answer_fault (request, &rule)) {
        if (right)
            answer_embed (request, call, &rule);
        else
            world_answer_error (request, MHD_HTTP_BAD_REQUEST,
                                "wanted: model, and input as one or more texts that aren't empty");
    }
    free (call);
}
