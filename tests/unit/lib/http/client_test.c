/* The HTTP client against a server in this process: what it hands back, what it refuses, what it
 * bounds.
 * SPDX-License-Identifier: MPL-2.0 */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MS 10000

/* What came back, copied out of the borrowed response. */
struct seen {
    int calls;
    enum http_error error;
    long status;
    char reason[256], url[512], body[512], type[64], etag[64], modified[64];
    size_t body_bytes;
    bool moved_permanently;
    int64_t retry_after_ms, duration_ms;
    struct http *again; /* start another request from the callback */
};

struct world {
    struct server *server, *other;
    struct http *http;
    atomic_int now, most; /* requests in the server at once */
};

static void
copy (char *out, size_t bytes, const char *text)
{
    snprintf (out, bytes, "%s", text ? text : "(none)");
}

static void
on_done (void *context, const struct http_response *response)
{
    struct seen *seen = context;
    seen->calls++;
    seen->error = response->error;
    seen->status = response->status;
    seen->body_bytes = response->body_bytes;
    seen->moved_permanently = response->moved_permanently;
    seen->retry_after_ms = response->retry_after_ms;
    seen->duration_ms = response->duration_ms;
    copy (seen->reason, sizeof seen->reason, response->reason);
    copy (seen->url, sizeof seen->url, response->url);
    copy (seen->body, sizeof seen->body, response->body);
    copy (seen->type, sizeof seen->type, response->content_type);
    copy (seen->etag, sizeof seen->etag, response->etag);
    copy (seen->modified, sizeof seen->modified, response->last_modified);
    assert_int_equal (response->body[response->body_bytes], '\0');
    if (seen->again) {
        struct http *http = seen->again;
        seen->again = NULL;
        const struct http_request request = { .url = response->url, .max_body_bytes = 1000 };
        http_start (http, &request, on_done, seen);
    }
}

/* ---- the server's pages ---- */

static void
bomb (struct exchange *x)
{
    /* 512 KiB of zeros, gzipped */
    static const unsigned char head[] = { 0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,   0x02,
                                          0x03, 0xed, 0xc1, 0x81, 0,    0,    0,    0,   0xc3,
                                          0xa0, 0xf9, 0x53, 0xdf, 0xe0, 0x04, 0x55, 0x01 };
    static const unsigned char tail[] = {
        0x7c, 0x03, 0xac, 0x0a, 0x66, 0x75, 0x00, 0x00, 0x08, 0x00
    };
    unsigned char all[543] = { 0 };
    memcpy (all, head, sizeof head);
    memcpy (all + sizeof all - sizeof tail, tail, sizeof tail);
    buf_add (&x->answer, all, sizeof all);
    exchange_add (x, "Content-Encoding", "gzip");
}

static const char *const other_schemes[] = {
    "file:///etc/passwd", "FILE:/etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:70/x", "dict://127.0.0.1/", "data:,x",
    "javascript:alert(1)", "ldap://127.0.0.1/",
};

static void
redirect (struct world *world, struct exchange *x)
{
    unsigned status;
    int hops;
    if (sscanf (x->path, "/hops/%d/%u", &hops, &status) == 2) {
        x->status = status;
        exchange_add (x, "Location", hops > 1 ? "/hops/%d/%u" : "../../page", hops - 1, status);
    } else if (strcmp (x->path, "/circle/a") == 0 || strcmp (x->path, "/circle/b") == 0) {
        x->status = 302;
        exchange_add (x, "Location", strcmp (x->path, "/circle/a") == 0 ? "b" : "a");
    } else if (sscanf (x->path, "/to/scheme/%u", &status) == 1) {
        x->status = 302;
        exchange_add (x, "Location", "%s", other_schemes[status]);
    } else if (sscanf (x->path, "/to/user/%u", &status) == 1) {
        x->status = 302;
        exchange_add (x, "Location", "http://eve:guess@127.0.0.1:%u/echo",
                      server_port (status ? world->other : world->server));
    } else if (sscanf (x->path, "/to/other/%u", &status) == 1) {
        x->status = status;
        exchange_add (x, "Location", "http://127.0.0.1:%u/echo", server_port (world->other));
    } else if (strcmp (x->path, "/to/slow") == 0) {
        x->status = 302;
        exchange_add (x, "Location", "http://127.0.0.1:%u/wait/40", server_port (world->other));
    } else if (sscanf (x->path, "/to/self/%u", &status) == 1) {
        x->status = status;
        exchange_add (x, "Location", "/echo");
    } else if (strcmp (x->path, "/mixed") == 0) {
        x->status = 301;
        exchange_add (x, "Location", "/hops/1/302");
    }
}

static void
echo (struct exchange *x)
{
    static const char *const names[] = { "Authorization", "Cookie",     "X-Api-Key",    "Accept",
                                         "If-None-Match", "User-Agent", "Content-Type", "Expect" };
    buf_printf (&x->answer, "%s %s|", x->method, x->body);
    for (size_t i = 0; i < COUNT_OF (names); i++) {
        const char *value = exchange_header (x, names[i]);
        if (value)
            buf_printf (&x->answer, "%s=%s|", names[i], value);
    }
}

static void
busy (struct world *world, int ms)
{
    int now = atomic_fetch_add (&world->now, 1) + 1, most = atomic_load (&world->most);
    while (now > most && !atomic_compare_exchange_weak (&world->most, &most, now))
        ;
    usleep ((useconds_t) ms * 1000);
    atomic_fetch_sub (&world->now, 1);
}

static void
answer (void *context, struct exchange *x)
{
    struct world *world = context;
    int ms;
    if (strcmp (x->path, "/page") == 0) {
        buf_add_str (&x->answer, "the page");
        exchange_add (x, "Content-Type", "text/html; charset=utf-8");
        exchange_add (x, "ETag", "\"abc\"");
        exchange_add (x, "Last-Modified", "Mon, 17 Nov 2025 02:40:00 GMT");
        if (exchange_header (x, "If-None-Match"))
            x->status = 304, buf_clear (&x->answer);
    } else if (strcmp (x->path, "/echo") == 0)
        echo (x);
    else if (strcmp (x->path, "/bomb") == 0)
        bomb (x);
    else if (strcmp (x->path, "/large") == 0)
        for (int i = 0; i < 1000; i++)
            buf_add_str (&x->answer, "0123456789");
    else if (sscanf (x->path, "/wait/%d", &ms) == 1) {
        busy (world, ms);
        buf_add_str (&x->answer, "late");
    } else if (strcmp (x->path, "/retry/seconds") == 0)
        x->status = 429, exchange_add (x, "Retry-After", "7");
    else if (strcmp (x->path, "/retry/ms") == 0) {
        x->status = 429;
        exchange_add (x, "retry-after-ms", "250");
        exchange_add (x, "Retry-After", "1");
    } else if (strcmp (x->path, "/retry/date") == 0) {
        time_t then = time (NULL) + 60;
        struct tm tm;
        char date[64];
        strftime (date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r (&then, &tm));
        x->status = 503, exchange_add (x, "Retry-After", "%s", date);
    } else if (strcmp (x->path, "/retry/past") == 0)
        x->status = 503, exchange_add (x, "Retry-After", "Mon, 17 Nov 2014 02:40:00 GMT");
    else if (strcmp (x->path, "/retry/nonsense") == 0)
        x->status = 503, exchange_add (x, "Retry-After", "-5 or so");
    else
        redirect (world, x);
}

static struct http *
client_with (size_t max_total, size_t max_per_host, size_t max_per_domain)
{
    const struct http_settings settings = { .user_agent = "newsmill-test/1",
                                            .allow_private = true,
                                            .max_total = max_total,
                                            .max_per_host = max_per_host,
                                            .max_per_domain = max_per_domain };
    struct http *http = http_new (&settings);
    assert_non_null (http);
    return http;
}

static struct http *
client (size_t max_total, size_t max_per_host)
{
    return client_with (max_total, max_per_host, 0);
}

static int
setup (void **state)
{
    struct world *world = MEM_NEW (struct world);
    world->server = server_new (answer, world);
    world->other = server_new (answer, world);
    world->http = client (16, 8);
    *state = world;
    return 0;
}

static int
teardown (void **state)
{
    struct world *world = *state;
    http_destroy (&world->http);
    assert_null (world->http);
    server_destroy (&world->server);
    server_destroy (&world->other);
    free (world);
    return 0;
}

static struct seen
get_with (struct http *http, const struct http_request *request)
{
    struct seen seen = { 0 };
    http_start (http, request, on_done, &seen);
    assert_int_equal (seen.calls, 0);
    assert_int_equal (http_active (http), 1);
    assert_true (run_until_done (http, LIMIT_MS));
    assert_int_equal (seen.calls, 1);
    return seen;
}

static struct seen
get (struct world *world, const char *path, size_t max_body_bytes, long max_redirects)
{
    const struct http_request request = { .url = server_url (world->server, path),
                                          .max_body_bytes = max_body_bytes,
                                          .max_redirects = max_redirects,
                                          .connect_ms = 5000,
                                          .total_ms = 5000 };
    return get_with (world->http, &request);
}

/* ---- tests ---- */

static void
a_page_arrives_with_its_headers (void **state)
{
    struct seen seen = get (*state, "/page", 1000, 0);
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.status, 200);
    assert_string_equal (seen.body, "the page");
    assert_int_equal (seen.body_bytes, 8);
    assert_string_equal (seen.type, "text/html; charset=utf-8");
    assert_string_equal (seen.etag, "\"abc\"");
    assert_string_equal (seen.modified, "Mon, 17 Nov 2025 02:40:00 GMT");
    assert_int_equal (seen.retry_after_ms, -1);
    assert_false (seen.moved_permanently);
}

static void
a_conditional_get_sees_304 (void **state)
{
    struct world *world = *state;
    const char *const headers[] = { "If-None-Match: \"abc\"", NULL };
    const struct http_request request = { .url = server_url (world->server, "/page"),
                                          .headers = headers,
                                          .max_body_bytes = 1000,
                                          .max_redirects = 5 };
    struct seen seen = get_with (world->http, &request);
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.status, 304);
    assert_int_equal (seen.body_bytes, 0);
    assert_string_equal (seen.body, "");
}

static void
a_body_is_posted_whole (void **state)
{
    struct world *world = *state;
    const char *const headers[] = { "Content-Type: application/json", NULL };
    const struct http_request request = { .url = server_url (world->server, "/echo"),
                                          .headers = headers,
                                          .body = "{\"a\":1}xx",
                                          .body_bytes = 7,
                                          .max_body_bytes = 1000 };
    struct seen seen = get_with (world->http, &request);
    assert_string_equal (
        seen.body,
        "POST {\"a\":1}|Accept=*/*|User-Agent=newsmill-test/1|Content-Type=application/json|");
}

static void
redirects_are_followed_and_counted (void **state)
{
    struct world *world = *state;
    char page[64];
    snprintf (page, sizeof page, "%s", server_url (world->server, "/page"));
    struct seen seen = get (world, "/hops/3/301", 1000, 3);
    assert_int_equal (seen.error, HTTP_OK);
    assert_string_equal (seen.body, "the page");
    assert_string_equal (seen.url, page);
    assert_true (seen.moved_permanently);
    assert_true (get (world, "/hops/2/308", 1000, 3).moved_permanently);
    seen = get (world, "/hops/2/302", 1000, 3);
    assert_string_equal (seen.body, "the page");
    assert_false (seen.moved_permanently);
    seen = get (world, "/mixed", 1000, 3);
    assert_string_equal (seen.url, page);
    assert_false (seen.moved_permanently);
    seen = get (world, "/hops/4/301", 1000, 3);
    assert_int_equal (seen.error, HTTP_REDIRECTS);
    assert_non_null (strstr (seen.reason, "127.0.0.1: more than 3"));
}

static void
no_redirect_is_followed_when_none_is_allowed (void **state)
{
    struct seen seen = get (*state, "/hops/1/302", 1000, 0);
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.status, 302);
}

static void
circles_and_other_schemes_are_refused (void **state)
{
    struct seen seen = get (*state, "/circle/a", 1000, 50);
    assert_int_equal (seen.error, HTTP_REDIRECTS);
    assert_non_null (strstr (seen.reason, "circle"));
    for (unsigned i = 0; i < COUNT_OF (other_schemes); i++) {
        char path[32];
        snprintf (path, sizeof path, "/to/scheme/%u", i);
        seen = get (*state, path, 1000, 50);
        if (seen.error != HTTP_BAD_URL || seen.body_bytes)
            fail_msg ("%s: error %d, %s", other_schemes[i], (int) seen.error, seen.reason);
    }
}

static void
a_password_in_the_url_stays_with_its_host (void **state)
{
    struct world *world = *state;
    char url[80];
    static const struct {
        const char *path, *expect;
    } rows[] = {
        { "/to/self/302", "Authorization=Basic bWU6c2VjcmV0|" },
        { "/to/other/302", NULL },
        { "/to/user/0", "Authorization=Basic bWU6c2VjcmV0|" }, /* ours, not what the redirect says */
        { "/to/user/1", NULL },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        snprintf (url, sizeof url, "http://me:secret@127.0.0.1:%u%s", server_port (world->server), rows[i].path);
        const struct http_request request = { .url = url, .max_body_bytes = 1000, .max_redirects = 1 };
        struct seen seen = get_with (world->http, &request);
        assert_int_equal (seen.error, HTTP_OK);
        if (rows[i].expect)
            assert_non_null (strstr (seen.body, rows[i].expect));
        else
            assert_null (strstr (seen.body, "Authorization"));
        assert_null (strstr (seen.url, "eve"));
    }
}

static void
secrets_stay_with_the_host_they_are_for (void **state)
{
    struct world *world = *state;
    const char *const headers[] = {
        "Authorization: Bearer k", "Cookie: c", "X-Api-Key: a", "Accept: text/x",
        "If-None-Match: \"e\"",    NULL
    };
    static const struct {
        const char *path, *body, *expect;
    } rows[] = {
        { "/to/self/302", NULL,
          "GET |Authorization=Bearer "
          "k|Cookie=c|X-Api-Key=a|Accept=text/x|If-None-Match=\"e\"|User-Agent=newsmill-test/1|" },
        { "/to/other/302", NULL,
          "GET |Accept=text/x|If-None-Match=\"e\"|User-Agent=newsmill-test/1|" },
        { "/to/other/303", "data",
          "GET |Accept=text/x|If-None-Match=\"e\"|User-Agent=newsmill-test/1|" },
        { "/to/other/307", "data",
          "POST "
          "data|Accept=text/x|If-None-Match=\"e\"|User-Agent=newsmill-test/"
          "1|Content-Type=application/x-www-form-urlencoded|" },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        const struct http_request request = { .url = server_url (world->server, rows[i].path),
                                              .headers = headers,
                                              .body = rows[i].body,
                                              .body_bytes = rows[i].body ? 4 : 0,
                                              .max_body_bytes = 1000,
                                              .max_redirects = 1 };
        struct seen seen = get_with (world->http, &request);
        assert_string_equal (seen.body, rows[i].expect);
    }
}

static void
bodies_past_their_limit_are_cut_off (void **state)
{
    struct seen seen = get (*state, "/large", 10000, 0);
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.body_bytes, 10000);
    seen = get (*state, "/large", 9999, 0);
    assert_int_equal (seen.error, HTTP_TOO_LARGE);
    assert_int_equal (seen.body_bytes, 0);
    assert_non_null (strstr (seen.reason, "9999 bytes"));
}

static void
a_gzip_bomb_is_cut_off (void **state)
{
    struct seen seen = get (*state, "/bomb", 512 * 1024, 0);
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.body_bytes, 512 * 1024);
    seen = get (*state, "/bomb", 512 * 1024 - 1, 0);
    assert_int_equal (seen.error, HTTP_TOO_LARGE);
}

static void
slow_servers_run_into_the_total_time (void **state)
{
    struct world *world = *state;
    const struct http_request request = { .url = server_url (world->server, "/wait/1500"),
                                          .max_body_bytes = 1000,
                                          .total_ms = 200 };
    struct seen seen = get_with (world->http, &request);
    assert_int_equal (seen.error, HTTP_TIMEOUT);
    assert_non_null (strstr (seen.reason, "not finished within 0.2 s"));
    assert_in_range (seen.duration_ms, 200, 1400);
}

static struct seen
get_raw (struct world *world, const char *text, int hold_ms, int64_t idle_ms)
{
    struct raw_server *raw = raw_server_new (text, strlen (text), hold_ms);
    char url[64];
    snprintf (url, sizeof url, "http://127.0.0.1:%u/", raw_server_port (raw));
    const struct http_request request = {
        .url = url, .max_body_bytes = 1000, .idle_ms = idle_ms, .total_ms = 9000
    };
    struct seen seen = get_with (world->http, &request);
    raw_server_destroy (&raw);
    return seen;
}

static struct seen
get_slow (struct world *world, const char *text, int drip_ms, int64_t min_rate)
{
    struct raw_server *raw = raw_server_new_slow (text, strlen (text), drip_ms);
    char url[64];
    snprintf (url, sizeof url, "http://127.0.0.1:%u/", raw_server_port (raw));
    const struct http_request request = { .url = url, .max_body_bytes = 1000, .total_ms = 8000, .idle_ms = 3000,
                                          .min_rate = min_rate, .rate_after_ms = 500 };
    struct seen seen = get_with (world->http, &request);
    raw_server_destroy (&raw);
    return seen;
}

static void
dripping_servers_run_into_the_least_rate (void **state)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    char text[200];
    snprintf (text, sizeof text, "%s%0*d", head, 100, 0);
    struct seen seen = get_slow (*state, text, 60, 100);
    assert_int_equal (seen.error, HTTP_TIMEOUT);
    assert_non_null (strstr (seen.reason, "too slow"));
    assert_in_range (seen.duration_ms, 400, 4000);
    seen = get_slow (*state, text, 5, 10); /* faster than that */
    assert_int_equal (seen.error, HTTP_OK);
    assert_int_equal (seen.body_bytes, 100);
    snprintf (text, sizeof text, "%s%0*d", head, 10, 0);
    seen = get_slow (*state, text, 20, 100); /* slow, but soon over */
    assert_int_equal (seen.error, HTTP_OK);
    seen = get_slow (*state, text, 100, 0); /* no rate asked for */
    assert_int_equal (seen.error, HTTP_OK);
}

static void
silent_servers_run_into_the_idle_time (void **state)
{
    struct seen seen = get_raw (*state, "", 60000, 1000);
    assert_int_equal (seen.error, HTTP_TIMEOUT);
    assert_non_null (strstr (seen.reason, "sent nothing"));
    assert_true (seen.duration_ms < 6000);
}

static void
broken_answers_are_told_apart_from_good_ones (void **state)
{
    static const char *const rows[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes ",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nxxxx",
        "\x15\x03\x01 this is no HTTP",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct seen seen = get_raw (*state, rows[i], 0, 0);
        if (seen.error != HTTP_BROKEN)
            fail_msg ("row %zu: error %d, %s", i, (int) seen.error, seen.reason);
        assert_ptr_equal (strstr (seen.reason, "127.0.0.1: "), seen.reason);
    }
}

static void
endless_headers_are_cut_off (void **state)
{
    struct buf text = { 0 };
    buf_add_str (&text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 4000; i++) /* fewer than the 5000 that libcurl itself takes since 8.12 */
        buf_printf (&text, "X-%05d: %0100d\r\n", i, i);
    struct seen seen = get_raw (*state, text.data, 0, 0);
    buf_fini (&text);
    assert_int_equal (seen.error, HTTP_TOO_LARGE);
    assert_non_null (strstr (seen.reason, "KiB of headers"));
}

static void
one_header_without_end_is_cut_off (void **state)
{
    struct buf text = { 0 };
    buf_add_str (&text, "HTTP/1.1 200 OK\r\nX-Long: ");
    while (text.len < 1 << 20)
        buf_add_str (&text, "long and longer ");
    buf_add_str (&text, "\r\n\r\n");
    struct seen seen = get_raw (*state, text.data, 0, 0);
    buf_fini (&text);
    assert_int_equal (seen.error, HTTP_TOO_LARGE);
    assert_non_null (strstr (seen.reason, "header"));
}

/* What is kept of an answer's headers is sent back one day. */
static void
headers_with_control_characters_count_as_absent (void **state)
{
    struct seen seen = get_raw (*state, "HTTP/1.1 200 OK\r\nETag: \"a\rX-Evil: 1\"\r\nLast-Modified: \x7f\r\n"
                                        "Content-Type: a\tb\r\nContent-Length: 2\r\n\r\nok", 0, 0);
    assert_int_equal (seen.error, HTTP_OK);
    assert_string_equal (seen.body, "ok");
    assert_string_equal (seen.etag, "(none)");
    assert_string_equal (seen.modified, "(none)");
    assert_string_equal (seen.type, "a\tb");
}

static void
a_closed_port_and_an_unknown_name_are_told_apart (void **state)
{
    struct world *world = *state;
    struct raw_server *raw = raw_server_new ("", 0, 0);
    char url[160];
    snprintf (url, sizeof url, "http://127.0.0.1:%u/", raw_server_port (raw));
    raw_server_destroy (&raw);
    struct http_request request = { .url = url, .max_body_bytes = 1000, .total_ms = 5000 };
    struct seen seen = get_with (world->http, &request);
    assert_int_equal (seen.error, HTTP_CONNECT);
    assert_non_null (strstr (seen.reason, "refused"));
    snprintf (url, sizeof url, "http://%080d.example/", 1); /* a label may have 63 bytes */
    seen = get_with (world->http, &request);
    assert_int_equal (seen.error, HTTP_DNS);
}

static void
wrong_requests_fail_in_a_later_turn (void **state)
{
    struct world *world = *state;
    const char *const split[] = { "X: a\r\nY: b", NULL };
    const struct http_request rows[] = {
        { .url = NULL },
        { .url = "ftp://a.example/" },
        { .url = "nonsense" },
        { .url = "http://127.0.0.1/", .headers = split },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct seen seen = get_with (world->http, &rows[i]);
        assert_int_equal (seen.error, HTTP_BAD_URL);
        assert_true (seen.reason[0]);
    }
}

static void
retry_after_is_read_in_every_form (void **state)
{
    static const struct {
        const char *path;
        int64_t least, most;
    } rows[] = {
        { "/retry/seconds", 7000, 7000 }, { "/retry/ms", 250, 250 },
        { "/retry/date", 55000, 60000 },  { "/retry/past", 0, 0 },
        { "/retry/nonsense", -1, -1 },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct seen seen = get (*state, rows[i].path, 1000, 0);
        assert_int_equal (seen.error, HTTP_OK);
        if (seen.retry_after_ms < rows[i].least || seen.retry_after_ms > rows[i].most)
            fail_msg ("%s: %lld", rows[i].path, (long long) seen.retry_after_ms);
    }
}

static void
many_requests_share_few_connections (void **state)
{
    struct world *world = *state;
    struct http *http = client (6, 3);
    struct seen seen[60] = { 0 };
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        const struct http_request request = { .url = server_url (
                                                  i % 2 ? world->server : world->other, "/wait/5"),
                                              .max_body_bytes = 1000,
                                              .total_ms = 5000 };
        http_start (http, &request, on_done, &seen[i]);
    }
    assert_int_equal (http_active (http), COUNT_OF (seen));
    assert_true (run_until_done (http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        assert_int_equal (seen[i].calls, 1);
        assert_int_equal (seen[i].error, HTTP_OK);
        assert_string_equal (seen[i].body, "late");
    }
    http_destroy (&http);
    assert_in_range (atomic_load (&world->most), 2, 6);
    assert_in_range (server_connections (world->server), 1, 3);
    assert_in_range (server_connections (world->other), 1, 3);
}

static void
no_more_requests_than_allowed_are_under_way (void **state)
{
    struct world *world = *state;
    struct http *http = client (2, 8);
    struct seen seen[8] = { 0 };
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        const struct http_request request = {
            .url = server_url (i % 2 ? world->server : world->other, "/wait/30"),
            .max_body_bytes = 1000
        };
        http_start (http, &request, on_done, &seen[i]);
    }
    assert_true (run_until_done (http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        assert_string_equal (seen[i].body, "late");
    http_destroy (&http);
    assert_int_equal (atomic_load (&world->most), 2);
}

static void
hosts_of_one_domain_share_a_limit (void **state)
{
    struct world *world = *state;
    struct http *http = client_with (16, 8, 2);
    struct seen seen[9] = { 0 };
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        char url[80];
        snprintf (url, sizeof url, "http://host%zu.news.localhost:%u/wait/30", i, server_port (world->server));
        const struct http_request request = { .url = url, .max_body_bytes = 1000 };
        http_start (http, &request, on_done, &seen[i]);
    }
    assert_true (run_until_done (http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        assert_string_equal (seen[i].body, "late");
    http_destroy (&http);
    assert_int_equal (atomic_load (&world->most), 2);
}

static void
limits_hold_where_redirects_lead (void **state)
{
    struct world *world = *state;
    struct http *http = client (16, 2);
    struct seen seen[12] = { 0 };
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        char url[80]; /* hosts of their own, which all lead to one */
        snprintf (url, sizeof url, "http://site%zu.localhost:%u/to/slow", i, server_port (world->server));
        const struct http_request request = { .url = url, .max_body_bytes = 1000, .max_redirects = 1, .total_ms = 200 };
        http_start (http, &request, on_done, &seen[i]);
    }
    assert_true (run_until_done (http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        assert_string_equal (seen[i].body, "late"); /* and the wait for room is no time of theirs */
    http_destroy (&http);
    assert_int_equal (atomic_load (&world->most), 2);
}

static bool
is_held (void *context, const char *domain)
{
    return strcmp (domain, context) == 0;
}

static void
no_redirect_leads_to_a_held_domain (void **state)
{
    struct world *world = *state;
    char held[] = "127.0.0.1";
    const struct http_settings settings = { .allow_private = true, .is_held = is_held, .context = held };
    struct http *http = http_new (&settings);
    char url[80];
    snprintf (url, sizeof url, "http://site.localhost:%u/to/slow", server_port (world->server));
    const struct http_request request = { .url = url, .max_body_bytes = 1000, .max_redirects = 1 };
    struct seen seen = get_with (http, &request);
    assert_int_equal (seen.error, HTTP_HELD);
    assert_non_null (strstr (seen.reason, "127.0.0.1 asked for a pause"));
    assert_int_equal (server_connections (world->other), 0);
    http_destroy (&http);
}

static void
what_has_not_begun_is_taken_back (void **state)
{
    struct world *world = *state;
    struct http *http = client (8, 1);
    struct seen begun = { 0 }, waiting = { 0 };
    const struct http_request request = { .url = server_url (world->server, "/wait/50"), .max_body_bytes = 1000 };
    http_start (http, &request, on_done, &begun);
    http_start (http, &request, on_done, &waiting);
    assert_false (http_withdraw (http, &begun));
    assert_true (http_withdraw (http, &waiting));
    assert_false (http_withdraw (http, &waiting));
    assert_true (run_until_done (http, LIMIT_MS));
    assert_int_equal (begun.calls, 1);
    assert_int_equal (waiting.calls, 0);
    http_destroy (&http);
}

static void
waiting_in_the_queue_costs_no_time (void **state)
{
    struct world *world = *state;
    struct http *http = client (8, 1);
    struct seen seen[5] = { 0 };
    for (size_t i = 0; i < COUNT_OF (seen); i++) {
        const struct http_request request = { .url = server_url (world->server, "/wait/200"),
                                              .max_body_bytes = 1000,
                                              .total_ms = 600 };
        http_start (http, &request, on_done, &seen[i]);
    }
    assert_true (run_until_done (http, LIMIT_MS));
    for (size_t i = 0; i < COUNT_OF (seen); i++)
        assert_int_equal (seen[i].error, HTTP_OK);
    http_destroy (&http);
}

static void
cancelled_requests_call_nobody (void **state)
{
    struct world *world = *state;
    struct http *http = client (2, 1);
    struct seen dropped = { 0 }, kept = { 0 };
    const struct http_request slow = { .url = server_url (world->server, "/wait/100"),
                                       .max_body_bytes = 1000 };
    http_start (http, &slow, on_done, &dropped);
    http_start (http, &slow, on_done, &dropped);
    http_start (http, &slow, on_done, &kept);
    const struct http_request wrong = { .url = "nonsense" };
    http_start (http, &wrong, on_done, &dropped);
    assert_int_equal (http_active (http), 4);
    http_cancel (http, &dropped);
    assert_int_equal (http_active (http), 1);
    assert_true (run_until_done (http, LIMIT_MS));
    assert_int_equal (dropped.calls, 0);
    assert_int_equal (kept.calls, 1);
    assert_int_equal (kept.error, HTTP_OK);
    http_start (http, &slow, on_done, &dropped);
    http_destroy (&http);
    assert_int_equal (dropped.calls, 0);
}

static void
a_callback_may_start_another_request (void **state)
{
    struct world *world = *state;
    struct seen seen = { .again = world->http };
    const struct http_request request = { .url = server_url (world->server, "/page"),
                                          .max_body_bytes = 1000 };
    http_start (world->http, &request, on_done, &seen);
    assert_true (run_until_done (world->http, LIMIT_MS));
    assert_int_equal (seen.calls, 2);
    assert_string_equal (seen.body, "the page");
}

static void
an_idle_client_is_not_readable (void **state)
{
    struct world *world = *state;
    get (world, "/page", 1000, 0);
    int ready = 1;
    for (int i = 0; i < 50 && ready == 1; i++) { /* what libcurl still has to do after the answer */
        struct pollfd fd = { .fd = http_fd (world->http), .events = POLLIN };
        ready = poll (&fd, 1, 20);
        http_turn (world->http);
    }
    assert_int_equal (ready, 0);
}

#define WORLD_TEST(name) cmocka_unit_test_setup_teardown (name, setup, teardown)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST (a_page_arrives_with_its_headers),
        WORLD_TEST (a_conditional_get_sees_304),
        WORLD_TEST (a_body_is_posted_whole),
        WORLD_TEST (redirects_are_followed_and_counted),
        WORLD_TEST (no_redirect_is_followed_when_none_is_allowed),
        WORLD_TEST (circles_and_other_schemes_are_refused),
        WORLD_TEST (secrets_stay_with_the_host_they_are_for),
        WORLD_TEST (bodies_past_their_limit_are_cut_off),
        WORLD_TEST (a_gzip_bomb_is_cut_off),
        WORLD_TEST (slow_servers_run_into_the_total_time),
        WORLD_TEST (dripping_servers_run_into_the_least_rate),
        WORLD_TEST (a_password_in_the_url_stays_with_its_host),
        WORLD_TEST (silent_servers_run_into_the_idle_time),
        WORLD_TEST (broken_answers_are_told_apart_from_good_ones),
        WORLD_TEST (endless_headers_are_cut_off),
        WORLD_TEST (one_header_without_end_is_cut_off),
        WORLD_TEST (headers_with_control_characters_count_as_absent),
        WORLD_TEST (a_closed_port_and_an_unknown_name_are_told_apart),
        WORLD_TEST (wrong_requests_fail_in_a_later_turn),
        WORLD_TEST (retry_after_is_read_in_every_form),
        WORLD_TEST (many_requests_share_few_connections),
        WORLD_TEST (no_more_requests_than_allowed_are_under_way),
        WORLD_TEST (hosts_of_one_domain_share_a_limit),
        WORLD_TEST (limits_hold_where_redirects_lead),
        WORLD_TEST (no_redirect_leads_to_a_held_domain),
        WORLD_TEST (what_has_not_begun_is_taken_back),
        WORLD_TEST (waiting_in_the_queue_costs_no_time),
        WORLD_TEST (cancelled_requests_call_nobody),
        WORLD_TEST (a_callback_may_start_another_request),
        WORLD_TEST (an_idle_client_is_not_readable),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
