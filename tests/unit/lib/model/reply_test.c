/* What is made of every kind of answer a model server may give. SPDX-License-Identifier: MPL-2.0 */
#include "model/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
outcome_name (enum model_outcome outcome)
{
    static const char *const names[] = { "ok", "retry", "refused", "bad", "over budget" };
    return names[outcome];
}

static struct reply
read_summaries (long status, const char *body, size_t count)
{
    const struct reply_ask ask = {
        .status = status, .body = body, .bytes = strlen (body), .count = count
    };
    struct reply reply;
    reply_read_summaries (&ask, &reply);
    return reply;
}

static struct reply
read_vectors (long status, const char *body, size_t count, size_t dimensions)
{
    const struct reply_ask ask = { .status = status,
                                   .body = body,
                                   .bytes = strlen (body),
                                   .count = count,
                                   .dimensions = dimensions };
    struct reply reply;
    reply_read_vectors (&ask, &reply);
    return reply;
}

/* ---- errors ---- */

struct error_row {
    long status;
    const char *body;
    enum model_outcome outcome;
    const char *reason; /* part of it */
};

static const struct error_row errors[] = {
    /* by status alone */
    { 400, "", MODEL_BAD, "400" },
    { 401, "", MODEL_REFUSED, "key" },
    { 402, "", MODEL_REFUSED, "payment" },
    { 403, "", MODEL_REFUSED, "403" },
    { 404, "", MODEL_REFUSED, "model's name" },
    { 405, "<html>", MODEL_REFUSED, "base URL" },
    { 408, "", MODEL_RETRY, "408" },
    { 409, "", MODEL_RETRY, "409" },
    { 413, "", MODEL_BAD, "too large" },
    { 422, "", MODEL_BAD, "422" },
    { 425, "", MODEL_RETRY, "425" },
    { 429, "slow down", MODEL_RETRY, "too many" },
    { 500, "", MODEL_RETRY, "500" },
    { 502, "<html>Bad Gateway", MODEL_RETRY, "502" },
    { 503, "", MODEL_RETRY, "503" },
    { 504, "", MODEL_RETRY, "504" },
    { 529, "", MODEL_RETRY, "529" },
    { 301, "", MODEL_REFUSED, "base URL" },
    /* the shapes a message comes in */
    { 400, "{\"error\":{\"message\":\"too long\",\"code\":\"context_length_exceeded\"}}", MODEL_BAD,
      "too long" },
    { 500, "{\"error\":\"it broke\"}", MODEL_RETRY, "it broke" },
    { 422, "{\"detail\":\"no such field\"}", MODEL_BAD, "no such field" },
    { 422, "{\"detail\":[{\"loc\":[\"body\",\"input\"],\"msg\":\"field required\"}]}", MODEL_BAD,
      "field required" },
    { 503, "{\"message\":\"loading\"}", MODEL_RETRY, "loading" },
    { 400, "[{\"error\":{\"message\":\"wrapped\"}}]", MODEL_BAD, "wrapped" },
    { 502,
      "{\"error\":{\"message\":\"Provider returned error\",\"metadata\":{\"raw\":\"upstream "
      "died\"}}}",
      MODEL_RETRY, "upstream died" },
    { 400, "{\"error\":{\"message\":\"line\\none\\u0007\"}}", MODEL_BAD, "line one " },
    /* a code that says more than the status */
    { 429,
      "{\"error\":{\"message\":\"m\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_"
      "quota\"}}",
      MODEL_REFUSED, "m" },
    { 429, "{\"error\":{\"message\":\"m\",\"code\":\"billing_hard_limit_reached\"}}", MODEL_REFUSED,
      "m" },
    { 429,
      "{\"error\":{\"message\":\"You exceeded your current quota, check billing\",\"code\":429,"
      "\"status\":\"RESOURCE_EXHAUSTED\"}}",
      MODEL_RETRY, "quota" },
    { 429, "{\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}", MODEL_RETRY, "m" },
    { 403, "{\"error\":{\"message\":\"m\",\"code\":403,\"metadata\":{\"reasons\":[\"violence\"]}}}",
      MODEL_BAD, "m" },
    { 403, "{\"error\":{\"message\":\"Your input was flagged\"}}", MODEL_BAD, "flagged" },
    { 403, "{\"error\":{\"message\":\"requires moderation\",\"code\":403}}", MODEL_BAD,
      "moderation" },
    { 403, "{\"error\":{\"message\":\"Key limit exceeded\",\"code\":403}}", MODEL_REFUSED,
      "Key limit" },
    /* the meanings of 402 */
    { 402, "{\"error\":{\"message\":\"Insufficient credits. Add more\",\"code\":402}}", MODEL_REFUSED, "credits" },
    { 402, "{\"error\":{\"message\":\"Insufficient Balance\",\"code\":\"invalid_request_error\"}}", MODEL_REFUSED,
      "Balance" },
    { 402, "{\"error\":{\"message\":\"m\",\"metadata\":{\"limit_source\":\"openrouter_key_limit\"}}}",
      MODEL_REFUSED, "m" },
    { 402, "{\"error\":{\"message\":\"m\",\"metadata\":{\"limit_source\":\"openrouter_in_flight_budget\"}}}",
      MODEL_RETRY, "m" },
    { 402, "{\"error\":{\"message\":\"given your current in-flight requests\"}}", MODEL_RETRY, "in-flight" },
    { 402,
      "{\"error\":{\"message\":\"m\",\"metadata\":{\"reason\":\"weight_exceeds_budget\",\"limit_source\":"
      "\"openrouter_credits\"}}}",
      MODEL_OVER_BUDGET, "m" },
    { 402, "{\"error\":{\"message\":\"This request requires more credits, or fewer max_tokens.\"}}", MODEL_OVER_BUDGET,
      "max_tokens" },
    { 402, "{\"error\":{\"message\":\"Prompt tokens limit exceeded: 230799 > 91442.\"}}", MODEL_OVER_BUDGET, "230799" },
    { 200, "{\"error\":{\"message\":\"fewer max_tokens\",\"code\":402}}", MODEL_OVER_BUDGET, "402" },
    { 429, "{\"error\":{\"message\":\"in-flight requests\"}}", MODEL_RETRY, "429" },
    { 404, "{\"error\":{\"message\":\"model \\\"x\\\" not found\",\"code\":\"model_not_found\"}}",
      MODEL_REFUSED, "not found" },
    { 400, "{\"error\":{\"message\":\"API key not valid.\",\"code\":400}}", MODEL_REFUSED,
      "API key" },
    { 400, "{\"error\":{\"message\":\"x is not a valid model ID\",\"code\":400}}", MODEL_REFUSED,
      "model ID" },
    { 400, "{\"error\":{\"message\":\"m\",\"code\":\"content_filter\"}}", MODEL_BAD, "m" },
    /* errors inside a 200 */
    { 200, "{\"error\":{\"message\":\"m\",\"code\":429}}", MODEL_RETRY, "429" },
    { 200, "{\"error\":{\"message\":\"m\",\"code\":502}}", MODEL_RETRY, "502" },
    { 200, "{\"error\":{\"message\":\"m\",\"code\":\"401\"}}", MODEL_REFUSED, "401" },
    { 200, "{\"error\":{\"message\":\"m\",\"code\":402}}", MODEL_REFUSED, "402" },
    { 200, "{\"error\":{\"message\":\"m\",\"code\":400}}", MODEL_BAD, "400" },
    { 200, "{\"error\":{\"message\":\"m\",\"type\":\"overloaded_error\"}}", MODEL_RETRY, "m" },
    { 200, "{\"error\":{\"message\":\"m\",\"type\":\"authentication_error\"}}", MODEL_REFUSED,
      "m" },
    { 200, "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\"}}", MODEL_BAD, "m" },
    { 200, "{\"error\":\"the server is overloaded\"}", MODEL_RETRY, "overloaded" },
    { 200, "{\"error\":\"something else\"}", MODEL_BAD, "something else" },
    { 200, "{\"object\":\"error\",\"message\":\"m\",\"code\":500}", MODEL_RETRY, "m" },
    { 200, "{\"error\":{\"message\":\"m\",\"code\":503},\"choices\":[],\"data\":[]}", MODEL_RETRY,
      "503" },
    /* what is no answer at all */
    { 200, "", MODEL_RETRY, "empty" },
    { 200, " \n ", MODEL_RETRY, "empty" },
    { 200, "<!doctype html><title>Sign in</title>", MODEL_RETRY, "web page" },
    { 200, "certainly! here", MODEL_BAD, "not JSON" },
    { 200, "{\"cho", MODEL_BAD, "not JSON" },
    { 200, "{}", MODEL_BAD, "holds no" },
    { 200, "[]", MODEL_BAD, "holds no" },
    { 200, "null", MODEL_BAD, "" },
    { 200, "{\"choices\":{},\"data\":{}}", MODEL_BAD, "" },
    { 200, "{\"choices\":[],\"data\":[]}", MODEL_BAD, "" },
    { 200, "{\"choices\":[{}],\"data\":[{}]}", MODEL_BAD, "" },
};

static void
check_error (const struct error_row *row, struct reply *reply)
{
    if (reply->outcome != row->outcome || !strstr (reply->reason, row->reason) || !reply->reason[0])
        fail_msg ("%ld %s: %s, \"%s\"", row->status, row->body, outcome_name (reply->outcome),
                  reply->reason);
    assert_null (reply->summaries);
    assert_null (reply->vectors);
    reply_fini (reply);
}

static void
errors_are_classified (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (errors); i++) {
        struct reply reply = read_summaries (errors[i].status, errors[i].body, 1);
        check_error (&errors[i], &reply);
        reply = read_vectors (errors[i].status, errors[i].body, 1, 2);
        check_error (&errors[i], &reply);
    }
}

static void
wish_in_the_body_is_read (void **state UNUSED)
{
    static const struct {
        const char *wish;
        int64_t ms;
    } rows[] = { { "16.5", 16500 }, { "2", 2000 }, { "1e300", 86400000 }, { "0", 0 }, { "-1", 0 }, { "\"2\"", 0 } };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char body[256];
        snprintf (body, sizeof body,
                  "{\"error\":{\"message\":\"m\",\"code\":429,\"metadata\":{\"retry_after_seconds\":%s}}}",
                  rows[i].wish);
        struct reply reply = read_summaries (200, body, 1);
        assert_int_equal (reply.outcome, MODEL_RETRY);
        assert_int_equal (reply.retry_after_ms, rows[i].ms);
        reply_fini (&reply);
    }
}

static void
a_reason_never_shows_the_secret (void **state UNUSED)
{
    struct buf body = { 0 };
    buf_add_str (&body, "{\"error\":{\"message\":\"");
    for (int i = 0; i < 50; i++)
        buf_add_str (&body, "bad key sk-secret-123! ");
    buf_add_str (&body, "\",\"metadata\":{\"raw\":\"sk-secret-123\"}}}");
    const struct reply_ask ask = { .status = 401,
                                   .body = body.data,
                                   .bytes = body.len,
                                   .count = 1,
                                   .dimensions = 1,
                                   .secret = "sk-secret-123" };
    struct reply reply;
    reply_read_vectors (&ask, &reply);
    assert_int_equal (reply.outcome, MODEL_REFUSED);
    assert_non_null (strstr (reply.reason, "bad key ***!"));
    assert_null (strstr (reply.reason, "sk-"));
    reply_fini (&reply);
    buf_fini (&body);
}

static void
a_long_reason_is_cut_between_letters (void **state UNUSED)
{
    char body[1024] = "{\"error\":\"";
    size_t start = strlen (body);
    for (int shift = 0; shift < 2; shift++) {
        size_t at = start;
        if (shift)
            body[at++] = 'a';
        for (int i = 0; i < 200; i++, at += 2)
            memcpy (body + at, "\xc3\xa4", 2);
        memcpy (body + at, "\"}", 3);
        struct reply reply = read_summaries (500, body, 1);
        assert_true (strlen (reply.reason) >= sizeof reply.reason - 3);
        assert_int_equal (utf8_valid_bytes (reply.reason, strlen (reply.reason)),
                          strlen (reply.reason));
        reply_fini (&reply);
    }
}

static void
dislikes_are_noticed (void **state UNUSED)
{
    static const struct {
        long status;
        const char *body;
        unsigned dislikes;
    } rows[] = {
        { 400, "{\"error\":{\"message\":\"response_format json_schema is not supported\"}}",
          REPLY_DISLIKES_FORMAT },
        { 400, "{\"error\":{\"message\":\"no\",\"param\":\"response_format\"}}",
          REPLY_DISLIKES_FORMAT },
        { 422, "{\"detail\":[{\"loc\":[\"body\",\"response_format\"],\"msg\":\"extra field\"}]}",
          REPLY_DISLIKES_FORMAT },
        { 500, "{\"error\":\"Unsupported param: response_format\"}", REPLY_DISLIKES_FORMAT },
        { 400, "{\"error\":{\"message\":\"'temperature' does not support 0.2\"}}",
          REPLY_DISLIKES_TEMPERATURE },
        { 400, "{\"error\":{\"message\":\"encoding_format: base64 is unknown\"}}",
          REPLY_DISLIKES_ENCODING },
        { 400, "{\"error\":{\"message\":\"context too long\"}}", 0 },
        { 429, "{\"error\":{\"message\":\"response_format\"}}", 0 },
        { 401, "{\"error\":{\"message\":\"response_format\"}}", 0 },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct reply reply = read_summaries (rows[i].status, rows[i].body, 1);
        assert_int_equal (reply.dislikes, rows[i].dislikes);
        reply_fini (&reply);
    }
}

/* ---- summaries ---- */

/* A completion whose message has this text; text is written as JSON. given (free) */
static char *
completion (const char *text, const char *finish)
{
    struct buf out = { 0 };
    buf_printf (&out,
                "{\"choices\":[{\"finish_reason\":\"%s\",\"message\":{\"role\":\"assistant\","
                "\"content\":\"",
                finish);
    for (; *text; text++)
        if (*text == '"' || *text == '\\')
            buf_printf (&out, "\\%c", *text);
        else if (*text == '\n')
            buf_add_str (&out, "\\n");
        else
            buf_add_char (&out, *text);
    buf_add_str (
        &out, "\"}}],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":20,\"cost\":0.0015}}");
    return buf_take (&out);
}

#define EIGHT "{a} {b} {c} {d} {e} {f} {g} {h} "
#define TWO "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\"Two.\"}]}"

static void
good_summaries_are_taken (void **state UNUSED)
{
    static const char *const rows[] = {
        TWO,
        "{\"summaries\":[{\"id\":2,\"summary\":\"Two.\"},{\"id\":1,\"summary\":\"  One.\\n\"}]}",
        "```json\n" TWO "\n```",
        "```\n" TWO "\n```\nHope this helps!",
        "<think>" EIGHT EIGHT EIGHT EIGHT EIGHT "</think>" TWO,
        "<think>The ids are {1} and {2}. [sic]</think>\n" TWO,
        "<think>I answer " TWO " or {\"summaries\":[]}</think>" TWO,
        "First I look at the format: {\"summaries\":[{\"id\":1,\"summary\":\"...\"}]}. So:\n" TWO,
        "An example {\"summaries\":[{\"id\":1,\"summary\":\"x\"},{\"id\":2,\"summary\":\"y\"}]} "
        "and now " TWO,
        TWO "\n(That was {\"all\":true}.)",
        "[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\"Two.\"}]",
        "{\"summaries\":[{\"id\":\"1\",\"summary\":\"One.\"},{\"id\":\"2\",\"summary\":\"Two.\"}]}",
        "{\"note\":null,\"summaries\":[{\"id\":1,\"summary\":\"One.\",\"x\":1},{\"id\":2,"
        "\"summary\":\"Two.\"}]}",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char *body = completion (rows[i], "stop");
        struct reply reply = read_summaries (200, body, 2);
        if (reply.outcome != MODEL_OK)
            fail_msg ("%s: %s", rows[i], reply.reason);
        assert_int_equal (reply.count, 2);
        assert_string_equal (reply.summaries[0], "One.");
        assert_string_equal (reply.summaries[1], "Two.");
        assert_int_equal (reply.tokens_in, 100);
        assert_int_equal (reply.tokens_out, 20);
        assert_true (reply.cost_usd > 0.00149 && reply.cost_usd < 0.00151);
        reply_fini (&reply);
        free (body);
    }
}

static void
parts_of_a_message_are_joined (void **state UNUSED)
{
    struct reply reply =
        read_summaries (200,
                        "{\"choices\":[{\"message\":{\"content\":[{\"type\":\"text\",\"text\":\"{"
                        "\\\"summaries\\\":[{\\\"id\\\":1,\"},"
                        "{\"type\":\"text\",\"text\":\"\\\"summary\\\":\\\"One.\\\"}]}\"}]}}]}",
                        1);
    assert_int_equal (reply.outcome, MODEL_OK);
    assert_string_equal (reply.summaries[0], "One.");
    reply_fini (&reply);
}

static void
summaries_that_do_not_fit_are_bad (void **state UNUSED)
{
    static const char *const rows[] = {
        "",
        "I cannot do that.",
        "{\"summaries\":[]}",
        "{\"summaries\":{}}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":1,\"summary\":\"Two.\"}]}",
        "{\"summaries\":[{\"id\":0,\"summary\":\"One.\"},{\"id\":1,\"summary\":\"Two.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":3,\"summary\":\"Two.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":-9223372036854775808,\"summary\":"
        "\"Two.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\" \\n\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":null}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"summary\":\"Two.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":1.5,\"summary\":\"Two.\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\"Two.\"},{\"id\":3,"
        "\"summary\":\"x\"}]}",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\"Tw",
        "{\"summaries\":[{\"id\":1,\"summary\":\"One.\"},{\"id\":2,\"summary\":\"a\\u0000b\"}]}",
        "{\"summaries\":[1,2]}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char *body = completion (rows[i], "stop");
        struct reply reply = read_summaries (200, body, 2);
        if (reply.outcome != MODEL_BAD || !reply.reason[0])
            fail_msg ("%s: %s, %s", rows[i], outcome_name (reply.outcome), reply.reason);
        assert_null (reply.summaries);
        assert_int_equal (reply.tokens_in, 100); /* they cost all the same */
        reply_fini (&reply);
        free (body);
    }
}

static void
a_summary_of_any_length_is_not_taken (void **state UNUSED)
{
    struct buf text = { 0 };
    buf_add_str (&text, "{\"summaries\":[{\"id\":1,\"summary\":\"");
    for (size_t i = 0; i < REPLY_SUMMARY_MAX_BYTES; i++)
        buf_add_char (&text, 'a');
    for (int more = 0; more < 2; more++) {
        struct buf whole = { 0 };
        buf_printf (&whole, "%s%s\"}]}", text.data, more ? "a" : "");
        char *body = completion (whole.data, "stop");
        struct reply reply = read_summaries (200, body, 1);
        assert_int_equal (reply.outcome, more ? MODEL_BAD : MODEL_OK);
        reply_fini (&reply);
        free (body);
        buf_fini (&whole);
    }
    buf_fini (&text);
}

static void
unfinished_answers_are_told_apart (void **state UNUSED)
{
    static const struct {
        const char *finish;
        enum model_outcome outcome;
    } rows[] = { { "length", MODEL_BAD },
                 { "content_filter", MODEL_BAD },
                 { "error", MODEL_RETRY },
                 { "stop", MODEL_OK } };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char *body = completion (TWO, rows[i].finish);
        struct reply reply = read_summaries (200, body, 2);
        assert_int_equal (reply.outcome, rows[i].outcome);
        reply_fini (&reply);
        free (body);
    }
    struct reply reply = read_summaries (
        200, "{\"choices\":[{\"message\":{\"content\":null,\"refusal\":\"I won't\"}}]}", 1);
    assert_int_equal (reply.outcome, MODEL_BAD);
    assert_non_null (strstr (reply.reason, "I won't"));
    reply_fini (&reply);
    reply = read_summaries (
        200, "{\"choices\":[{\"error\":{\"code\":429,\"message\":\"m\"},\"message\":{}}]}", 1);
    assert_int_equal (reply.outcome, MODEL_RETRY);
    reply_fini (&reply);
}

/* ---- vectors ---- */

/* 1, -2, 0.5 and 0.25, 3, -4 as little-endian binary32 */
#define FIRST "AACAPwAAAMAAAAA/"
#define SECOND "AACAPgAAQEAAAIDA"
static const float expected[] = { 1, -2, 0.5F, 0.25F, 3, -4 };

static void
good_vectors_are_taken (void **state UNUSED)
{
    static const char *const rows[] = {
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":\"" SECOND
        "\"}]}",
        "{\"data\":[{\"index\":1,\"embedding\":\"" SECOND "\"},{\"index\":0,\"embedding\":\"" FIRST
        "\"}]}",
        "{\"data\":[{\"embedding\":\"" FIRST "\"},{\"embedding\":\"" SECOND "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":[1,-2,0.5]},{\"index\":1,\"embedding\":[ 2.5e-1 , "
        "3.0E0\n,\t-4 ]}]}",
        "{\"data\":[{\"index\":0,\"embedding\" : "
        "[1.000,-20e-1,0.005E+2]},{\"index\":1,\"embedding\":\n\"" SECOND "\"}],"
        "\"usage\":{\"prompt_tokens\":7}}",
        "{\"model\":\"embedding\",\"embedding\":null,\"x\\\"\":\"\\\\\",\"data\":[{\"index\":0,"
        "\"embedding\":\"" FIRST
        "\"},{\"embedding\":[0.25,3,-4],\"index\":1,\"object\":\"embedding\"}]}",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct reply reply = read_vectors (200, rows[i], 2, 3);
        if (reply.outcome != MODEL_OK)
            fail_msg ("%s: %s", rows[i], reply.reason);
        assert_int_equal (reply.count, 2);
        for (size_t k = 0; k < COUNT_OF (expected); k++)
            assert_true (reply.vectors[k] == expected[k]);
        reply_fini (&reply);
    }
}

static void
vectors_that_do_not_fit_are_bad (void **state UNUSED)
{
    static const char *const rows[] = {
        "{\"data\":[]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":0,\"embedding\":\"" SECOND
        "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":2,\"embedding\":\"" SECOND
        "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":-1,\"embedding\":\"" SECOND
        "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":\"1\",\"embedding\":\"" SECOND "\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":null}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":7}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":\"\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AACAPgAAQEA=\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AACAPgAAQEAAAIDAAA==\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AACAPgAAQEAAA*DA\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AAAAAAAAAAAAAAAA\"}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AACAfwAAQEAAAIDA\"}]}", /* inf */
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":\"AADAfwAAQEAAAIDA\"}]}", /* NaN */
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":[]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[0,0.0,-0]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":[1,2]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,3,4]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,NaN]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,null]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,\"3\"]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,3,]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2 3]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,1e99]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,3e]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[1,2,-]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST
        "\"},{\"index\":1,\"embedding\":[[1,2,3]]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"" FIRST "\"},{\"index\":1,\"embedding\":\"" SECOND,
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct reply reply = read_vectors (200, rows[i], 2, 3);
        if (reply.outcome != MODEL_BAD || !reply.reason[0])
            fail_msg ("%s: %s, %s", rows[i], outcome_name (reply.outcome), reply.reason);
        assert_null (reply.vectors);
        reply_fini (&reply);
    }
}

static void
vectors_of_another_size_are_refused (void **state UNUSED)
{
    static const char *const rows[] = {
        "{\"data\":[{\"index\":0,\"embedding\":[1,2]},{\"index\":1,\"embedding\":[1,2]}]}",
        "{\"data\":[{\"index\":1,\"embedding\":[1,2,3,4]},{\"index\":0,\"embedding\":[1,2,3,4]}]}",
        "{\"data\":[{\"index\":0,\"embedding\":\"AACAPwAAAMA=\"},{\"index\":1,\"embedding\":\"AACAPwAAAMA=\"}]}",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct reply reply = read_vectors (200, rows[i], 2, 3);
        if (reply.outcome != MODEL_REFUSED || !strstr (reply.reason, "3 are configured"))
            fail_msg ("%s: %s, %s", rows[i], outcome_name (reply.outcome), reply.reason);
        reply_fini (&reply);
    }
}

static void
numbers_come_out_as_strtof_reads_them (void **state UNUSED)
{
    static const char *const rows[] = {
        "0.1",
        "-0.017325464636087418",
        "0.9999999403953552",
        "1e-30",
        "3.4028234e38",
        "123456789.125",
        "1.17549435e-38",
        "0.00000000000000000000012345678901234567890",
        "12345678901234567890123e-10",
        "1e-7",
        "2.220446049250313e-16",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char body[256];
        snprintf (body, sizeof body, "{\"data\":[{\"index\":0,\"embedding\":[%s,1]}]}", rows[i]);
        struct reply reply = read_vectors (200, body, 1, 2);
        assert_int_equal (reply.outcome, MODEL_OK);
        float want = strtof (rows[i], NULL), error = reply.vectors[0] / want - 1;
        if (error > 1.2e-7F || error < -1.2e-7F)
            fail_msg ("%s: %.9g, not %.9g", rows[i], (double) reply.vectors[0], (double) want);
        reply_fini (&reply);
    }
}

static void
answers_cut_anywhere_are_never_taken (void **state UNUSED)
{
    static const char vectors[] =
        "{\"data\":[{\"index\":0,\"embedding\":[1,2,3]},{\"index\":1,\"embedding\":\"" SECOND
        "\"}]}";
    char *chat = completion (TWO, "stop");
    for (size_t bytes = 0; bytes < sizeof vectors - 1; bytes++) {
        char *cut = mem_copy (vectors, bytes);
        struct reply reply = read_vectors (200, cut, 2, 3);
        assert_int_not_equal (reply.outcome, MODEL_OK);
        reply_fini (&reply);
        free (cut);
    }
    for (size_t bytes = 0; chat[bytes]; bytes++) {
        char *cut = mem_copy (chat, bytes);
        struct reply reply = read_summaries (200, cut, 2);
        assert_int_not_equal (reply.outcome, MODEL_OK);
        reply_fini (&reply);
        free (cut);
    }
    free (chat);
}

static void
hostile_repetition_takes_no_long_time (void **state UNUSED)
{
    static const char *const rows[] = { "\"embedding\":[", "\"embedding\":\"\\\"", "\\\\\"",
                                        "{\"embedding\":\"\"," };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct buf body = { 0 };
        while (body.len < 2000000)
            buf_add_str (&body, rows[i]);
        int64_t start = clock_mono_ms ();
        struct reply reply = read_vectors (200, body.data, 100, 1536);
        assert_int_equal (reply.outcome, MODEL_BAD);
        assert_true (clock_mono_ms () - start < 2000);
        reply_fini (&reply);
        buf_fini (&body);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (errors_are_classified),
        cmocka_unit_test (wish_in_the_body_is_read),
        cmocka_unit_test (a_reason_never_shows_the_secret),
        cmocka_unit_test (a_long_reason_is_cut_between_letters),
        cmocka_unit_test (dislikes_are_noticed),
        cmocka_unit_test (good_summaries_are_taken),
        cmocka_unit_test (parts_of_a_message_are_joined),
        cmocka_unit_test (summaries_that_do_not_fit_are_bad),
        cmocka_unit_test (a_summary_of_any_length_is_not_taken),
        cmocka_unit_test (unfinished_answers_are_told_apart),
        cmocka_unit_test (good_vectors_are_taken),
        cmocka_unit_test (vectors_that_do_not_fit_are_bad),
        cmocka_unit_test (vectors_of_another_size_are_refused),
        cmocka_unit_test (numbers_come_out_as_strtof_reads_them),
        cmocka_unit_test (answers_cut_anywhere_are_never_taken),
        cmocka_unit_test (hostile_repetition_takes_no_long_time),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
