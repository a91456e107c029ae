/* The server alone: what its caller may rely on when it polls.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    struct http_server *http;
    struct http_call *call; /* waits for its reply */
    int client;
};

static void
ignore_head (void *context UNUSED, struct http_call *call UNUSED)
{
}

static void
keep_call (void *context, struct http_call *call)
{
    struct fixture *self = context;
    self->call = call;
}

static int
open_server (void **state)
{
    static struct fixture fixture;
    const struct http_server_config config = { .address = "127.0.0.1",
                                               .context = &fixture,
                                               .on_head = ignore_head,
                                               .on_call = keep_call };
    char reason[HTTP_REASON_SIZE];
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    memset (&fixture, 0, sizeof fixture);
    *state = &fixture;
    signal (SIGPIPE, SIG_IGN);
    fixture.http = http_server_new (&config, reason);
    if (!fixture.http)
        return -1;
    at.sin_port = htons (http_server_port (fixture.http));
    fixture.client = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect (fixture.client, (struct sockaddr *) &at, sizeof at);
}

static int
close_server (void **state)
{
    struct fixture *self = *state;
    close (self->client);
    http_server_destroy (&self->http);
    return 0;
}

/* Polls as the header asks for, and no more often; until a call waits or the client got bytes. */
static void
run (struct fixture *self)
{
    struct pollfd fds[] = { { http_server_fd (self->http), POLLIN, 0 }, { self->client, POLLIN, 0 } };
    for (int turn = 0; turn < 50 && !self->call && !fds[1].revents; turn++) {
        int64_t wait = http_server_wait_ms (self->http);
        assert_true (poll (fds, 2, wait < 0 || wait > 2000 ? 2000 : (int) wait) > 0 || wait == 0);
        http_server_run (self->http);
    }
}

static void
send_text (struct fixture *self, const char *text)
{
    assert_int_equal (write (self->client, text, strlen (text)), (ssize_t) strlen (text));
}

static void
reply_from_outside_the_loop_is_due_at_once (void **state)
{
    struct fixture *self = *state;
    for (int i = 0; i < 3; i++) { /* one connection: each finds it as the last one left it */
        struct buf body = { 0 };
        char answer[1024] = "";
        send_text (self, "GET /a?b=c HTTP/1.1\r\nHost: localhost\r\n\r\n");
        run (self);
        assert_non_null (self->call);
        assert_string_equal (http_path (self->call), "/a");
        assert_string_equal (http_query (self->call, "b"), "c");
        assert_true (sockaddr_is_loopback (http_peer (self->call)));
        assert_true (http_server_wait_ms (self->http) > 0); /* waiting costs nothing */
        buf_add_str (&body, "here it is");
        http_reply (self->call, 200, "text/plain", &body);
        self->call = NULL;
        assert_int_equal (http_server_wait_ms (self->http), 0);
        run (self);
        assert_true (read (self->client, answer, sizeof answer - 1) > 0);
        assert_non_null (strstr (answer, "\r\n\r\nhere it is"));
        assert_int_equal (http_server_calls (self->http), 0);
        assert_int_equal (http_server_answered (self->http, 2), i + 1);
    }
}

static void
head_byte_by_byte_is_one_call (void **state)
{
    static const char text[] = "POST /p HTTP/1.1\r\nHost: localhost\r\n"
                               "Content-Length: 4\r\n\r\nbody";
    struct fixture *self = *state;
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_null (self->call);
        assert_int_equal (write (self->client, text + i, 1), 1);
        struct pollfd fd = { http_server_fd (self->http), POLLIN, 0 };
        for (int turn = 0; turn < 3 && !self->call; turn++) {
            http_server_run (self->http); /* the first byte finds a connection to be accepted before it */
            poll (&fd, 1, turn == 0 ? 10 : 0);
        }
    }
    if (!self->call)
        run (self);
    assert_non_null (self->call);
    assert_int_equal (http_body (self->call)->len, 4);
    assert_memory_equal (http_body (self->call)->data, "body", 4);
    struct buf nothing = { 0 };
    http_reply (self->call, 204, "text/plain", &nothing);
}

static void
idle_server_asks_for_no_turn (void **state UNUSED)
{
    struct fixture fixture = { 0 };
    char reason[HTTP_REASON_SIZE];
    const struct http_server_config config = { .address = "::1",
                                               .context = &fixture,
                                               .on_head = ignore_head,
                                               .on_call = keep_call };
    struct http_server *http = http_server_new (&config, reason);
    if (!http)
        skip (); /* a machine without IPv6 */
    http_server_run (http);
    assert_int_equal (http_server_wait_ms (http), -1);
    assert_true (http_server_is_loopback (http));
    assert_memory_equal (http_server_url (http), "http://[::1]:", 13);
    http_server_destroy (&http);
}

static void
wrong_address_is_refused_with_a_reason (void **state UNUSED)
{
    char reason[HTTP_REASON_SIZE] = "";
    const struct http_server_config config = { .address = "192.0.2.1" }; /* documentation's: never ours */
    assert_null (http_server_new (&config, reason));
    assert_non_null (strstr (reason, "192.0.2.1"));
}

int
main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown (reply_from_outside_the_loop_is_due_at_once, open_server,
                                         close_server),
        cmocka_unit_test_setup_teardown (head_byte_by_byte_is_one_call, open_server, close_server),
        cmocka_unit_test (idle_server_asks_for_no_turn),
        cmocka_unit_test (wrong_address_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
