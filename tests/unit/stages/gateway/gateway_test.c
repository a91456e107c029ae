/* The gateway over real HTTP, with a collector and a database that do what a test wants.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world.h"

#include <unistd.h>

static const struct settings with_token = { .database_url = "",
                                            .http_address = "127.0.0.1",
                                            .http_token = "open sesame" };

static int
open_world (void **state)
{
    struct world *world = MEM_NEW (struct world);
    *state = world;
    world_open (world, NULL);
    world_collector_start (world, false);
    return 0;
}

static int
close_world (void **state)
{
    world_close (*state);
    free (*state);
    return 0;
}

static bool
has (const struct buf *buf, const char *text)
{
    return buf->data && strstr (buf->data, text) != NULL;
}

/* ---- routes ---- */

static const struct {
    const char *method, *path, *body, *header;
    long status;
    const char *in_answer, *in_head;
} cases[] = {
    { "GET", "/api/runs", NULL, NULL, 200, "\"limit\":20", "application/json" },
    { "GET", "/api/runs?limit=7", NULL, NULL, 200, "\"limit\":7", NULL },
    { "GET", "/api/runs?limit=0", NULL, NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/api/runs?limit=501", NULL, NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/api/runs?limit=", NULL, NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/api/runs/" TRIGGERED_ID, NULL, NULL, 200, "\"id\":\"" TRIGGERED_ID "\"", NULL },
    { "GET", "/api/runs/" MISSING_ID, NULL, NULL, 404, "\"not_found\"", NULL },
    { "GET", "/api/runs/42", NULL, NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/api/runs/", NULL, NULL, 404, "\"not_found\"", NULL },
    { "GET", "/api/runs/" TRIGGERED_ID "/x", NULL, NULL, 404, "\"not_found\"", NULL },
    { "GET", "/api/runs/%22%2c%22op%22:%22shutdown", NULL, NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/api/sources", NULL, NULL, 503, "the database is away", NULL },
    { "GET", "/api/workers", NULL, NULL, 200, "\"op\":\"workers\"", NULL },
    { "POST", "/api/runs", NULL, NULL, 202, "\"joined\":true",
      "Location: /api/runs/" TRIGGERED_ID },
    { "POST", "/api/runs", "{}", NULL, 202, "\"run\"", NULL },
    { "POST", "/api/runs", "{", NULL, 400, "\"bad_request\"", NULL },
    { "POST", "/api/runs", "[]", NULL, 400, "\"bad_request\"", NULL },
    { "GET", "/healthz", NULL, NULL, 200, "\"ok\":true", "nosniff" },
    { "GET", "/metrics", NULL, NULL, 200, "newsmill_up 1\n", "text/plain; version=0.0.4" },
    { "GET", "/", NULL, NULL, 200, "Runs every 1 minute",
      "Content-Security-Policy: default-src 'none'" },
    { "GET", "/nothing", NULL, NULL, 404, "\"not_found\"", "application/json" },
    { "DELETE", "/api/runs", NULL, NULL, 405, "\"method_not_allowed\"",
      "Allow: GET, HEAD, POST\r\n" },
    { "POST", "/metrics", NULL, NULL, 405, "\"method_not_allowed\"", "Allow: GET, HEAD\r\n" },
    { "GET", "/healthz", NULL, "Host: rebound.example", 403, "\"forbidden\"", NULL },
    { "POST", "/api/runs", NULL, "Origin: http://other.example", 403, "\"forbidden\"", NULL },
    { "POST", "/api/runs", NULL, "Sec-Fetch-Site: cross-site", 403, "\"forbidden\"", NULL },
    { "POST", "/api/runs", NULL, "X-Forwarded-For: 192.0.2.1", 403, "\"forbidden\"", NULL },
};

static void
every_route_answers_as_its_row_says (void **state)
{
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct exchange x = { .method = cases[i].method,
                              .path = cases[i].path,
                              .body = cases[i].body,
                              .headers = { cases[i].header } };
        world_exchange (*state, &x);
        if (x.status != cases[i].status || !has (&x.answer, cases[i].in_answer)
            || (cases[i].in_head && !has (&x.head, cases[i].in_head)))
            fail_msg ("case %zu %s %s: %ld\n%s\n%s", i, x.method, x.path, x.status, x.head.data,
                      x.answer.data ? x.answer.data : "");
        exchange_fini (&x);
    }
}

static void
status_is_the_collectors_byte_for_byte (void **state)
{
    struct exchange x = { .method = "GET", .path = "/api/job-status" };
    world_exchange (*state, &x);
    assert_int_equal (x.status, 200);
    assert_string_equal (x.answer.data, world_status);
    exchange_fini (&x);
}

static void
head_answers_with_the_length_and_no_body (void **state)
{
    char length[64];
    struct exchange x = { .method = "HEAD", .path = "/api/job-status" };
    world_exchange (*state, &x);
    snprintf (length, sizeof length, "Content-Length: %zu\r\n", strlen (world_status));
    assert_int_equal (x.status, 200);
    assert_true (has (&x.head, length));
    assert_int_equal (x.answer.len, 0);
    exchange_fini (&x);
}

static void
page_escapes_what_documents_say (void **state)
{
    struct exchange x = { .method = "GET", .path = "/" };
    world_exchange (*state, &x);
    assert_true (has (&x.answer, "&lt;script&gt;alert"));
    assert_false (has (&x.answer, "<script"));
    exchange_fini (&x);
}

static void
page_names_the_models_and_the_fallback_as_one (void **state)
{
    struct exchange x = { .method = "GET", .path = "/" };
    world_exchange (*state, &x);
    assert_true (has (&x.answer, "<code>local/centroid</code>"));
    assert_true (has (&x.answer, "<code>local/hash-384</code>, the fallback"));
    exchange_fini (&x);
}

static void
refused_requests_ask_nothing_of_the_collector (void **state)
{
    static const char *const headers[] = { "Host: rebound.example", "Origin: null",
                                           "Via: 1.1 proxy" };
    for (size_t i = 0; i < COUNT_OF (headers); i++) {
        struct exchange x = { .method = "POST", .path = "/api/runs", .headers = { headers[i] } };
        world_exchange (*state, &x);
        assert_int_equal (x.status, 403);
        exchange_fini (&x);
    }
    assert_int_equal (world_questions (*state), 0);
}

static void
post_needs_the_token_when_there_is_one (void **state UNUSED)
{
    static const struct {
        const char *header;
        long status;
    } tries[] = {
        { NULL, 401 },
        { "Authorization: Bearer open", 401 },
        { "Authorization: Basic open sesame", 401 },
        { "Authorization: Bearer open sesame", 202 },
    };
    struct world world;
    world_open (&world, &with_token);
    world_collector_start (&world, false);
    for (size_t i = 0; i < COUNT_OF (tries); i++) {
        struct exchange x = { .method = "POST",
                              .path = "/api/runs",
                              .headers = { tries[i].header } };
        world_exchange (&world, &x);
        assert_int_equal (x.status, tries[i].status);
        assert_true (has (&x.head, "WWW-Authenticate: Bearer") == (x.status == 401));
        exchange_fini (&x);
    }
    struct exchange shown = { .method = "GET", .path = "/api/job-status" };
    world_exchange (&world, &shown);
    assert_int_equal (shown.status, 200);
    exchange_fini (&shown);
    world_close (&world);
}

/* ---- limits ---- */

static void
body_past_the_limit_is_refused_and_read_to_its_end (void **state)
{
    static const char *const encodings[] = { NULL, "Transfer-Encoding: chunked" };
    char *body = mem_alloc (200001);
    memset (body, ' ', 200000);
    for (size_t i = 0; i < COUNT_OF (encodings); i++) {
        struct exchange x = {
            .method = "POST", .path = "/api/runs", .body = body, .headers = { encodings[i] }
        };
        world_exchange (*state, &x);
        assert_int_equal (x.status, 413);
        assert_true (has (&x.answer, "\"too_large\""));
        exchange_fini (&x);
    }
    free (body);
    assert_int_equal (world_questions (*state), 0);
}

/* ---- a collector that misbehaves ---- */

static void
answer_that_is_no_object_is_a_bad_gateway (void **state)
{
    struct exchange x = { .method = "GET", .path = "/api/runs/" WRONG_ID };
    world_exchange (*state, &x);
    assert_int_equal (x.status, 502);
    assert_true (has (&x.answer, "\"bad_reply\""));
    exchange_fini (&x);
}

static void
silence_ends_in_503_and_holds_up_nobody_else (void **state)
{
    struct exchange silent = { .method = "GET", .path = "/api/runs/" SILENT_ID };
    struct exchange other = { .method = "GET", .path = "/api/job-status" };
    world_begin (*state, &silent);
    world_exchange (*state, &other);
    assert_int_equal (other.status, 200);
    assert_false (silent.over);
    world_run_until (*state, &silent.over);
    assert_int_equal (silent.status, 503);
    assert_true (has (&silent.answer, "\"unavailable\""));
    assert_in_range (silent.elapsed_ms, 2900, 4000);
    exchange_fini (&silent);
    exchange_fini (&other);
}

static void
answers_in_another_order_reach_their_askers (void **state UNUSED)
{
    struct world world;
    struct exchange first = { .method = "GET", .path = "/api/runs?limit=1" };
    struct exchange second = { .method = "GET", .path = "/api/runs?limit=2" };
    world_open (&world, NULL);
    world_collector_start (&world, true);
    world_begin (&world, &first);
    world_begin (&world, &second);
    world_run_until (&world, &second.over);
    world_run_until (&world, &first.over);
    assert_true (has (&first.answer, "\"limit\":1"));
    assert_true (has (&second.answer, "\"limit\":2"));
    exchange_fini (&first);
    exchange_fini (&second);
    world_close (&world);
}

static void
what_was_answered_unavailable_is_not_asked_later (void **state UNUSED)
{
    struct world world;
    struct exchange x = { .method = "POST", .path = "/api/runs" };
    struct exchange later = { .method = "GET", .path = "/api/job-status" };
    world_open (&world, NULL);
    world_exchange (&world, &x);
    assert_int_equal (x.status, 503);
    assert_true (has (&x.answer, "cannot be reached"));
    world_collector_start (&world, false);
    world_exchange (&world, &later);
    assert_int_equal (later.status, 200);
    assert_int_equal (world_questions (&world), 1);
    exchange_fini (&x);
    exchange_fini (&later);
    world_close (&world);
}

static void
metrics_without_a_collector_say_so (void **state UNUSED)
{
    struct world world;
    struct exchange x = { .method = "GET", .path = "/metrics" };
    world_open (&world, NULL);
    world_exchange (&world, &x);
    assert_int_equal (x.status, 200);
    assert_true (has (&x.answer, "\nnewsmill_up 0\n"));
    assert_true (has (&x.answer, "\nprocess_resident_memory_bytes "));
    assert_false (has (&x.answer, "newsmill_runs_total"));
    exchange_fini (&x);
    world_close (&world);
}

static void
destroying_answers_who_still_waits (void **state UNUSED)
{
    struct world world;
    struct exchange x = { .method = "GET", .path = "/api/runs/" SILENT_ID };
    world_open (&world, NULL);
    world_collector_start (&world, false);
    world_begin (&world, &x);
    for (int i = 0; i < 200 && world_questions (&world) == 0; i++) {
        int running;
        gateway_run (world.gateway);
        curl_multi_perform (world.multi, &running);
        curl_multi_poll (world.multi, NULL, 0, 5, NULL);
    }
    assert_false (gateway_is_idle (world.gateway));
    gateway_quiesce (world.gateway);
    gateway_destroy (&world.gateway);
    for (int running = 1; running;) {
        curl_multi_perform (world.multi, &running);
        curl_multi_poll (world.multi, NULL, 0, 5, NULL);
    }
    assert_true (has (&x.answer, "the gateway is stopping"));
    curl_multi_remove_handle (world.multi, x.easy);
    exchange_fini (&x);
    world_close (&world);
}

/* ---- readiness ---- */

static void
check_readiness (const char *url, bool collector, struct exchange *x)
{
    struct world world;
    const struct settings wishes = { .database_url = url,
                                     .http_address = "127.0.0.1",
                                     .http_token = "" };
    struct exchange health = { .method = "GET", .path = "/healthz" };
    x->method = "GET";
    x->path = "/readyz";
    world_open (&world, &wishes);
    if (collector)
        world_collector_start (&world, false);
    world_begin (&world, x);
    world_exchange (&world, &health);
    assert_in_range (health.elapsed_ms, 0, 1000);
    world_run_until (&world, &x->over);
    exchange_fini (&health);
    world_close (&world);
}

static void
ready_when_collector_and_database_answer (void **state UNUSED)
{
    char *url;
    struct exchange x = { 0 };
    zactor_t *database = world_database_start (true, &url);
    check_readiness (url, true, &x);
    zactor_destroy (&database);
    assert_int_equal (x.status, 200);
    assert_string_equal (x.answer.data, "{\"ready\":true,\"reasons\":[]}\n");
    exchange_fini (&x);
    free (url);
}

static void
not_ready_while_the_database_keeps_silent (void **state UNUSED)
{
    char *url;
    struct exchange x = { 0 };
    zactor_t *database = world_database_start (false, &url);
    check_readiness (url, true, &x);
    zactor_destroy (&database);
    assert_int_equal (x.status, 503);
    assert_true (has (&x.answer, "database"));
    assert_false (has (&x.answer, "collector"));
    assert_in_range (x.elapsed_ms, 2000, 3500);
    exchange_fini (&x);
    free (url);
}

static void
not_ready_names_every_reason (void **state UNUSED)
{
    struct exchange x = { 0 };
    check_readiness ("postgresql://u@127.0.0.1:1/d", false, &x);
    assert_int_equal (x.status, 503);
    assert_true (has (&x.answer, "database"));
    assert_true (has (&x.answer, "collector"));
    exchange_fini (&x);
}

/* ---- the port ---- */

static void
port_file_holds_the_port_and_goes_with_the_gateway (void **state UNUSED)
{
    struct world world;
    char path[128], text[16] = "";
    world_open (&world, NULL);
    snprintf (path, sizeof path, "%s/run/http.port", world.folder);
    FILE *f = fopen (path, "re");
    assert_non_null (f);
    assert_non_null (fgets (text, sizeof text, f));
    fclose (f);
    text[strcspn (text, "\n")] = '\0';
    assert_string_equal (strrchr (gateway_url (world.gateway), ':') + 1, text);
    assert_string_not_equal (text, "0");
    gateway_destroy (&world.gateway);
    assert_int_not_equal (access (path, F_OK), 0);
    world_close (&world);
}

static void
taken_port_is_refused (void **state UNUSED)
{
    struct world world;
    int64_t port = 0;
    world_open (&world, NULL);
    assert_int_equal (num_parse (strrchr (gateway_url (world.gateway), ':') + 1, 1, 65535, &port),
                      0);
    struct settings settings = world.settings;
    settings.http_port = port;
    zsock_t *socket = zsock_new (ZMQ_DEALER);
    assert_null (gateway_new (&settings, socket));
    zsock_destroy (&socket);
    world_close (&world);
}

int
main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (every_route_answers_as_its_row_says, open_world,
                                         close_world),
        cmocka_unit_test_setup_teardown (status_is_the_collectors_byte_for_byte, open_world,
                                         close_world),
        cmocka_unit_test_setup_teardown (head_answers_with_the_length_and_no_body, open_world,
                                         close_world),
        cmocka_unit_test_setup_teardown (page_escapes_what_documents_say, open_world, close_world),
        cmocka_unit_test_setup_teardown (page_names_the_models_and_the_fallback_as_one, open_world, close_world),
        cmocka_unit_test_setup_teardown (refused_requests_ask_nothing_of_the_collector, open_world,
                                         close_world),
        cmocka_unit_test (post_needs_the_token_when_there_is_one),
        cmocka_unit_test_setup_teardown (body_past_the_limit_is_refused_and_read_to_its_end,
                                         open_world, close_world),
        cmocka_unit_test_setup_teardown (answer_that_is_no_object_is_a_bad_gateway, open_world,
                                         close_world),
        cmocka_unit_test_setup_teardown (silence_ends_in_503_and_holds_up_nobody_else, open_world,
                                         close_world),
        cmocka_unit_test (answers_in_another_order_reach_their_askers),
        cmocka_unit_test (what_was_answered_unavailable_is_not_asked_later),
        cmocka_unit_test (metrics_without_a_collector_say_so),
        cmocka_unit_test (destroying_answers_who_still_waits),
        cmocka_unit_test (ready_when_collector_and_database_answer),
        cmocka_unit_test (not_ready_while_the_database_keeps_silent),
        cmocka_unit_test (not_ready_names_every_reason),
        cmocka_unit_test (port_file_holds_the_port_and_goes_with_the_gateway),
        cmocka_unit_test (taken_port_is_refused),
    };
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    log_init ("gateway_test", getenv ("DEBUG") != NULL);
    return cmocka_run_group_tests (tests, NULL, NULL);
}
