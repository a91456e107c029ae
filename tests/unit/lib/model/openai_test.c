/* The model client against a server in this process: what it sends, and what becomes of each kind
 * of answer.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/model.h"
#include "server.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT_MS 10000
#define KEY "sk-test-0123456789"

enum behaviour {
    GOOD,
    NO_SCHEMA, /* refuses response_format json_schema */
    NO_FORMAT, /* refuses any response_format */
    NO_TEMPERATURE,
    NO_BASE64,
    LIMITED,   /* 429 with a wish */
    ECHO_KEY,  /* 401, with the key in the message */
    CUT_SHORT, /* finish_reason length */
    ENDLESS,   /* a body past any limit */
    SLOW,
};

struct world {
    struct server *server;
    struct http *http;
    struct model_settings settings;
    char base_url[64];
    enum behaviour behaviour;
    atomic_int requests, now, most;
    char last_request[65536], last_authorization[128];
};

struct seen {
    int calls;
    enum model_outcome outcome;
    char reason[256], name[64], summaries[8][64];
    float vectors[8][4];
    size_t count, dimensions;
    int64_t retry_after_ms, tokens_in, tokens_out, duration_ms;
    double cost_usd;
    bool has_summaries, has_vectors;
};

/* ---- the server ---- */

static void
refuse (struct exchange *x, unsigned status, const char *message)
{
    x->status = status;
    buf_printf (&x->answer, "{\"error\":{\"message\":\"%s\",\"code\":%u}}", message, status);
}

/* Answers each article with "About TITLE (N bytes)", in reverse order. */
static void
summarise (struct exchange *x, const json_t *request, const char *finish)
{
    const json_t *messages = json_object_get (request, "messages");
    const char *user =
        json_string_value (json_object_get (json_array_get (messages, 1), "content"));
    json_t *input = json_loads (user ? user : "", 0, NULL), *list = json_array ();
    const json_t *articles = json_object_get (input, "articles");
    for (size_t i = json_array_size (articles); i-- > 0;) {
        const json_t *article = json_array_get (articles, i);
        char summary[128];
        snprintf (summary, sizeof summary, "About %s (%zu bytes)",
                  json_string_value (json_object_get (article, "title")),
                  json_string_length (json_object_get (article, "text")));
        json_array_append_new (
            list, json_pack ("{sOss}", "id", json_object_get (article, "id"), "summary", summary));
    }
    json_t *content = json_pack ("{so}", "summaries", list);
    char *text = json_dumps (content, 0);
    json_t *answer = json_pack ("{s[{sss{ss}}]s{sisisf}}", "choices", "finish_reason", finish,
                                "message", "content", text, "usage", "prompt_tokens", 11,
                                "completion_tokens", 5, "cost", 0.25);
    char *body = json_dumps (answer, 0);
    buf_add_str (&x->answer, body);
    free (body);
    free (text);
    json_decref (answer);
    json_decref (content);
    json_decref (input);
}

static void
encode (const float *vector, char out[32])
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[18] = { 0 };
    memcpy (bytes, vector, 16); /* the test machine is little-endian, as the wire is */
    for (size_t i = 0; i < 6; i++) {
        uint32_t word =
            (uint32_t) bytes[3 * i] << 16 | (uint32_t) bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
        for (size_t k = 0; k < 4; k++)
            out[4 * i + k] = letters[word >> (18 - 6 * k) & 63];
    }
    memcpy (out + 22, "==", 3);
}

/* Each text's vector is its length, its position, and two constants; given in reverse order. */
static void
embed (struct exchange *x, const json_t *request)
{
    const json_t *input = json_object_get (request, "input");
    const char *format = json_string_value (json_object_get (request, "encoding_format"));
    buf_add_str (&x->answer, "{\"data\":[");
    for (size_t i = json_array_size (input); i-- > 0;) {
        const float vector[4] = { (float) json_string_length (json_array_get (input, i)), (float) i,
                                  -1, 0.5F };
        char text[32];
        encode (vector, text);
        buf_printf (&x->answer, "{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", i);
        if (format && strcmp (format, "base64") == 0)
            buf_printf (&x->answer, "\"%s\"}%s", text, i ? "," : "");
        else
            buf_printf (&x->answer, "[%g, %g, %g, %g]}%s", (double) vector[0], (double) vector[1],
                        (double) vector[2], (double) vector[3], i ? "," : "");
    }
    buf_add_str (&x->answer, "],\"usage\":{\"prompt_tokens\":9,\"total_tokens\":9}}");
}

static bool
refused (const struct world *world, struct exchange *x, const json_t *request)
{
    const char *format =
        json_string_value (json_object_get (json_object_get (request, "response_format"), "type"));
    const char *encoding = json_string_value (json_object_get (request, "encoding_format"));
    if (world->behaviour == NO_SCHEMA && format && strcmp (format, "json_schema") == 0)
        refuse (x, 400, "response_format type json_schema is not supported");
    else if (world->behaviour == NO_FORMAT && format)
        refuse (x, 422, "unknown field response_format");
    else if (world->behaviour == NO_TEMPERATURE && json_object_get (request, "temperature"))
        refuse (x, 400, "Unsupported value: 'temperature' does not support 0.2 with this model");
    else if (world->behaviour == NO_BASE64 && encoding && strcmp (encoding, "base64") == 0)
        refuse (x, 400, "encoding_format base64 is not supported");
    else if (world->behaviour == LIMITED) {
        refuse (x, 429, "rate limit");
        exchange_add (x, "Retry-After", "3");
    } else if (world->behaviour == ECHO_KEY)
        refuse (x, 401, "no such key: " KEY);
    else
        return false;
    return true;
}

static void
answer (void *context, struct exchange *x)
{
    struct world *world = context;
    int now = atomic_fetch_add (&world->now, 1) + 1;
    if (now > atomic_load (&world->most))
        atomic_store (&world->most, now);
    atomic_fetch_add (&world->requests, 1);
    const char *authorization = exchange_header (x, "Authorization");
    snprintf (world->last_request, sizeof world->last_request, "%s", x->body);
    snprintf (world->last_authorization, sizeof world->last_authorization, "%s",
              authorization ? authorization : "");
    json_t *request = json_loads (x->body, 0, NULL);
    if (world->behaviour == SLOW)
        usleep (400 * 1000);
    if (!request)
        refuse (x, 400, "not JSON");
    else if (refused (world, x, request))
        ;
    else if (world->behaviour == ENDLESS)
        for (size_t i = 0; i < 9 * 1024; i++)
            buf_printf (&x->answer, "%1024s", "");
    else if (strcmp (x->path, "/v1/chat/completions") == 0)
        summarise (x, request, world->behaviour == CUT_SHORT ? "length" : "stop");
    else if (strcmp (x->path, "/v1/embeddings") == 0)
        embed (x, request);
    else
        refuse (x, 404, "no such page");
    json_decref (request);
    atomic_fetch_sub (&world->now, 1);
}

/* ---- helpers ---- */

static int
setup (void **state)
{
    struct world *world = MEM_NEW (struct world);
    const struct http_settings http = { .allow_private = true,
                                        .max_total = 16,
                                        .max_per_host = 16 };
    world->server = server_new (answer, world);
    world->http = http_new (&http);
    snprintf (world->base_url, sizeof world->base_url, "%s", server_url (world->server, "/v1/"));
    world->settings = (struct model_settings){ .base_url = world->base_url,
                                               .key = KEY "\n",
                                               .chat_name = "chat-1",
                                               .embedding_name = "embed-1",
                                               .dimensions = 4,
                                               .timeout_ms = 5000,
                                               .max_calls = 3,
                                               .max_summary_input_bytes = 10 };
    *state = world;
    return 0;
}

static int
teardown (void **state)
{
    struct world *world = *state;
    http_destroy (&world->http);
    server_destroy (&world->server);
    free (world);
    return 0;
}

static void
on_done (void *context, const struct model_reply *reply)
{
    struct seen *seen = context;
    seen->calls++;
    seen->outcome = reply->outcome;
    seen->count = reply->count;
    seen->dimensions = reply->dimensions;
    seen->retry_after_ms = reply->retry_after_ms;
    seen->duration_ms = reply->duration_ms;
    seen->tokens_in = reply->tokens_in;
    seen->tokens_out = reply->tokens_out;
    seen->cost_usd = reply->cost_usd;
    seen->has_summaries = reply->summaries != NULL;
    seen->has_vectors = reply->vectors != NULL;
    snprintf (seen->reason, sizeof seen->reason, "%s", reply->reason);
    snprintf (seen->name, sizeof seen->name, "%s", reply->name);
    for (size_t i = 0; reply->summaries && i < reply->count; i++)
        snprintf (seen->summaries[i], sizeof seen->summaries[i], "%s", reply->summaries[i]);
    if (reply->vectors && reply->dimensions == 4)
        memcpy (seen->vectors, reply->vectors, reply->count * 4 * sizeof (float));
}

static const struct model_text two[] = { { "\"First\"", "short", 5 },
                                         { "Second\n\x01", "no more than t\xc3\xa4n", 17 } };

static struct seen
summarise_two (struct world *world, struct model *model)
{
    struct seen seen = { 0 };
    model_summarise (model, two, 2, on_done, &seen);
    assert_true (run_until_done (world->http, LIMIT_MS));
    assert_int_equal (seen.calls, 1);
    return seen;
}

static struct seen
embed_two (struct world *world, struct model *model)
{
    static const struct model_text texts[] = { { NULL, "h\xc3\xa4llo\t\"\\", 9 },
                                               { "title", "text", 4 } };
    struct seen seen = { 0 };
    model_embed (model, texts, 2, on_done, &seen);
    assert_true (run_until_done (world->http, LIMIT_MS));
    assert_int_equal (seen.calls, 1);
    return seen;
}

static void
check_two_summaries (const struct seen *seen)
{
    assert_string_equal (seen->reason, "");
    assert_int_equal (seen->outcome, MODEL_OK);
    assert_int_equal (seen->count, 2);
    assert_string_equal (seen->summaries[0], "About \"First\" (5 bytes)");
    assert_string_equal (seen->summaries[1], "About Second\n\x01 (10 bytes)");
}

static void
check_two_vectors (const struct seen *seen)
{
    assert_string_equal (seen->reason, "");
    assert_int_equal (seen->outcome, MODEL_OK);
    assert_int_equal (seen->count, 2);
    assert_int_equal (seen->dimensions, 4);
    assert_true (seen->vectors[0][0] == 9 && seen->vectors[0][1] == 0 && seen->vectors[0][2] == -1);
    assert_true (seen->vectors[1][0] == 11 && seen->vectors[1][1] == 1
                 && seen->vectors[1][3] == 0.5F);
}

/* ---- tests ---- */

static void
summaries_come_back_in_the_order_asked (void **state)
{
    struct world *world = *state;
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = summarise_two (world, model);
    check_two_summaries (&seen);
    assert_string_equal (seen.name, "chat-1");
    assert_int_equal (seen.tokens_in, 11);
    assert_int_equal (seen.tokens_out, 5);
    assert_true (fabs (seen.cost_usd - 0.25) < 1e-9);
    assert_int_equal (seen.retry_after_ms, -1);
    assert_false (seen.has_vectors);
    assert_string_equal (world->last_authorization, "Bearer " KEY);
    assert_non_null (strstr (world->last_request, "\"json_schema\""));
    assert_non_null (strstr (world->last_request, "never instructions"));
    assert_non_null (strstr (world->last_request, "language of its article"));
    assert_string_equal (model_summary_name (model), "chat-1");
    model_destroy (&model);
    assert_null (model);
}

static void
a_language_is_asked_for (void **state)
{
    struct world *world = *state;
    world->settings.language = "de";
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = summarise_two (world, model);
    check_two_summaries (&seen);
    assert_non_null (strstr (world->last_request, "the code \\\"de\\\""));
    model_destroy (&model);
}

static void
texts_are_cut_between_letters (void **state)
{
    struct world *world = *state;
    struct model *model = model_new (&world->settings, world->http);
    /* the tenth byte is in the middle of a letter; then one that is no UTF-8 at all */
    const struct model_text texts[] = { { NULL, "123456789\xc3\xa4", 11 },
                                        { NULL,
                                          "a\xff"
                                          "b",
                                          3 } };
    struct seen seen = { 0 };
    model_summarise (model, texts, 2, on_done, &seen);
    assert_true (run_until_done (world->http, LIMIT_MS));
    assert_string_equal (seen.summaries[0], "About  (9 bytes)");
    assert_string_equal (seen.summaries[1], "About  (5 bytes)"); /* a, U+FFFD, b */
    model_destroy (&model);
}

static void
vectors_come_back_in_the_order_asked (void **state)
{
    struct world *world = *state;
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = embed_two (world, model);
    check_two_vectors (&seen);
    assert_string_equal (seen.name, "embed-1");
    assert_int_equal (seen.tokens_in, 9);
    assert_false (seen.has_summaries);
    assert_non_null (strstr (world->last_request, "\"base64\""));
    assert_null (strstr (world->last_request, "dimensions"));
    model_destroy (&model);
}

static void
dimensions_are_named_only_where_they_are_known (void **state)
{
    struct world *world = *state;
    static const struct {
        const char *name;
        bool setting, said;
    } rows[] = {
        { "text-embedding-3-small", false, true },
        { "openai/text-embedding-3-large", false, true },
        { "text-embedding-ada-002", false, false },
        { "my-text-embedding-3", false, false },
        { "embed-1", true, true },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        world->settings.embedding_name = rows[i].name;
        world->settings.send_dimensions = rows[i].setting;
        struct model *model = model_new (&world->settings, world->http);
        struct seen seen = embed_two (world, model);
        check_two_vectors (&seen);
        assert_int_equal (strstr (world->last_request, "\"dimensions\":4") != NULL, rows[i].said);
        model_destroy (&model);
    }
}

static void
what_a_server_does_not_take_is_left_out_and_remembered (void **state)
{
    struct world *world = *state;
    static const struct {
        enum behaviour behaviour;
        int first, later; /* requests that two calls take */
        const char *absent;
    } rows[] = {
        { GOOD, 1, 1, "\"json_object\"" },
        { NO_SCHEMA, 2, 1, "json_schema" },
        { NO_FORMAT, 3, 1, "response_format" },
        { NO_TEMPERATURE, 2, 1, "\"temperature\"" },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        world->behaviour = rows[i].behaviour;
        struct model *model = model_new (&world->settings, world->http);
        atomic_store (&world->requests, 0);
        struct seen seen = summarise_two (world, model);
        check_two_summaries (&seen);
        assert_int_equal (atomic_load (&world->requests), rows[i].first);
        assert_null (strstr (world->last_request, rows[i].absent));
        seen = summarise_two (world, model);
        check_two_summaries (&seen);
        assert_int_equal (atomic_load (&world->requests), rows[i].first + rows[i].later);
        model_destroy (&model);
    }
    world->behaviour = NO_BASE64;
    struct model *model = model_new (&world->settings, world->http);
    atomic_store (&world->requests, 0);
    struct seen seen = embed_two (world, model);
    check_two_vectors (&seen);
    seen = embed_two (world, model);
    check_two_vectors (&seen);
    assert_int_equal (atomic_load (&world->requests), 3);
    model_destroy (&model);
}

static void
outcomes_carry_reason_and_wish (void **state)
{
    struct world *world = *state;
    static const struct {
        enum behaviour behaviour;
        enum model_outcome outcome;
        int64_t retry_after_ms;
        const char *reason;
    } rows[] = {
        { LIMITED, MODEL_RETRY, 3000, "rate limit" },
        { ECHO_KEY, MODEL_REFUSED, -1, "no such key: ***" },
        { CUT_SHORT, MODEL_BAD, -1, "ran out of tokens" },
        { ENDLESS, MODEL_BAD, -1, "larger than" },
    };
    struct model *model = model_new (&world->settings, world->http);
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        world->behaviour = rows[i].behaviour;
        struct seen seen = summarise_two (world, model);
        assert_int_equal (seen.outcome, rows[i].outcome);
        assert_int_equal (seen.retry_after_ms, rows[i].retry_after_ms);
        assert_non_null (strstr (seen.reason, rows[i].reason));
        assert_null (strstr (seen.reason, KEY));
        assert_false (seen.has_summaries);
    }
    model_destroy (&model);
}

static void
a_server_that_is_away_is_tried_again (void **state)
{
    struct world *world = *state;
    world->behaviour = SLOW;
    world->settings.timeout_ms = 100;
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = summarise_two (world, model);
    assert_int_equal (seen.outcome, MODEL_RETRY);
    assert_non_null (strstr (seen.reason, "not finished within 0.1 s"));
    model_destroy (&model);
    server_destroy (&world->server);
    model = model_new (&world->settings, world->http);
    seen = summarise_two (world, model);
    assert_int_equal (seen.outcome, MODEL_RETRY);
    assert_non_null (strstr (seen.reason, "127.0.0.1"));
    model_destroy (&model);
}

static void
what_only_a_person_can_mend_is_refused (void **state)
{
    struct world *world = *state;
    char wrong[96];
    snprintf (wrong, sizeof wrong, "%s/v2", world->base_url);
    const struct {
        const char *base_url, *key;
    } rows[] = { { wrong, KEY },
                 { "ftp://a.example", KEY },
                 { world->base_url, "two\r\nX-Lines: 1" } };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        world->settings.base_url = rows[i].base_url;
        world->settings.key = rows[i].key;
        struct model *model = model_new (&world->settings, world->http);
        struct seen seen = embed_two (world, model);
        assert_int_equal (seen.outcome, MODEL_REFUSED);
        assert_true (seen.reason[0]);
        model_destroy (&model);
    }
}

static void
no_more_calls_than_allowed_are_under_way (void **state)
{
    struct world *world = *state;
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen[9] = { 0 };
    world->behaviour = SLOW;
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        model_summarise (model, two, 2, on_done, &seen[i]);
    assert_int_equal (http_active (world->http), 3);
    assert_true (run_until_done (world->http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        check_two_summaries (&seen[i]);
    assert_int_equal (atomic_load (&world->most), 3);
    model_destroy (&model);
}

static void
a_model_that_goes_calls_nobody (void **state)
{
    struct world *world = *state;
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = { 0 };
    world->behaviour = SLOW;
    for (int i = 0; i < 6; i++)
        model_summarise (model, two, 2, on_done, &seen);
    model_destroy (&model);
    assert_int_equal (http_active (world->http), 0);
    assert_true (run_until_done (world->http, LIMIT_MS));
    assert_int_equal (seen.calls, 0);
}

static void
no_key_means_no_header (void **state)
{
    struct world *world = *state;
    world->settings.key = "";
    struct model *model = model_new (&world->settings, world->http);
    struct seen seen = summarise_two (world, model);
    check_two_summaries (&seen);
    assert_string_equal (world->last_authorization, "");
    model_destroy (&model);
}

static void
the_local_model_answers_at_once (void **state UNUSED)
{
    const struct model_settings settings = { .base_url = "local" };
    struct model *model = model_new (&settings, NULL);
    static const char text[] =
        "The harbour of Lindow reopened on Monday after the storm. Two ships left in the morning.";
    const struct model_text texts[] = { { "Harbour", text, sizeof text - 1 },
                                        { "Only a title", "", 0 } };
    struct seen seen = { 0 };
    model_summarise (model, texts, 2, on_done, &seen);
    assert_int_equal (seen.calls, 1);
    assert_int_equal (seen.outcome, MODEL_OK);
    assert_non_null (strstr (seen.summaries[0], "harbour of Lindow"));
    assert_string_equal (seen.summaries[1], "Only a title");
    model_embed (model, texts, 2, on_done, &seen);
    assert_int_equal (seen.calls, 2);
    assert_int_equal (seen.outcome, MODEL_OK);
    assert_true (seen.has_vectors);
    assert_int_equal (seen.dimensions, 384);
    assert_string_equal (seen.name, model_embedding_name (model));
    const struct model_text nothing = { NULL, "", 0 };
    model_summarise (model, &nothing, 1, on_done, &seen);
    assert_int_equal (seen.outcome, MODEL_BAD);
    assert_false (seen.has_summaries);
    model_destroy (&model);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST (summaries_come_back_in_the_order_asked),
        WORLD_TEST (a_language_is_asked_for),
        WORLD_TEST (texts_are_cut_between_letters),
        WORLD_TEST (vectors_come_back_in_the_order_asked),
        WORLD_TEST (dimensions_are_named_only_where_they_are_known),
        WORLD_TEST (what_a_server_does_not_take_is_left_out_and_remembered),
        WORLD_TEST (outcomes_carry_reason_and_wish),
        WORLD_TEST (a_server_that_is_away_is_tried_again),
        WORLD_TEST (what_only_a_person_can_mend_is_refused),
        WORLD_TEST (no_more_calls_than_allowed_are_under_way),
        WORLD_TEST (a_model_that_goes_calls_nobody),
        WORLD_TEST (no_key_means_no_header),
        cmocka_unit_test (the_local_model_answers_at_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
