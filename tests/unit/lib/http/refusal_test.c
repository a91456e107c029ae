/* Private addresses are refused however they are written, in the first request and behind a redirect.
 * SPDX-License-Identifier: MPL-2.0 */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LIMIT_MS 10000

static const char *const hosts[] = {
    "127.0.0.1", "localhost", "[::1]", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "2130706433", "127.1", "0",
    "0.0.0.0", "%31%32%37.0.0.1", "[::]", "[::127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]", "public.example@127.0.0.1",
    /* where clouds keep their secrets */
    "169.254.169.254", "2852039166", "0251.0376.0251.0376", "0xa9fea9fe", "0xa9.0376.43518", "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]", "100.100.100.200",
    "10.0.0.1", "192.168.0.1", "172.16.0.1", "[fe80::1]",
};

struct seen {
    enum http_error error;
    char reason[256], body[64];
};

struct world {
    const char *to;   /* the host that /there leads to */
    unsigned port;
    atomic_int pages; /* asked for */
};

static void
on_done (void *context, const struct http_response *response)
{
    struct seen *seen = context;
    seen->error = response->error;
    snprintf (seen->reason, sizeof seen->reason, "%s", response->reason);
    snprintf (seen->body, sizeof seen->body, "%s", response->body);
}

static struct seen
get (const char *host, unsigned port, const char *path)
{
    const struct http_settings settings = { .max_total = 4, .max_per_host = 4 };
    struct http *http = http_new (&settings);
    char url[128];
    struct seen seen = { 0 };
    snprintf (url, sizeof url, "http://%s:%u%s", host, port, path);
    const struct http_request request = { .url = url, .max_body_bytes = 1000, .max_redirects = 5, .total_ms = 5000 };
    assert_non_null (http);
    http_start (http, &request, on_done, &seen);
    assert_true (run_until_done (http, LIMIT_MS));
    http_destroy (&http);
    return seen;
}

static void
answer (void *context, struct exchange *x)
{
    struct world *world = context;
    if (strcmp (x->path, "/there") == 0) {
        x->status = 302;
        exchange_add (x, "Location", "http://%s:%u/page", world->to, world->port);
        return;
    }
    atomic_fetch_add (&world->pages, 1);
    buf_add_str (&x->answer, "the page");
}

static void
private_addresses_are_refused_after_dns (void **state UNUSED)
{
    struct world world = { 0 };
    struct server *server = server_new (answer, &world);
    for (size_t i = 0; i < COUNT_OF (hosts); i++) {
        struct seen seen = get (hosts[i], server_port (server), "/page");
        if (seen.error != HTTP_REFUSED_ADDRESS)
            fail_msg ("%s: error %d, %s", hosts[i], (int) seen.error, seen.reason);
    }
    assert_int_equal (server_connections (server), 0);
    server_destroy (&server);
}

static bool
add_address (int fd, const char *name, const char *address)
{
    struct ifreq request = { .ifr_flags = 0 };
    struct sockaddr_in in = { .sin_family = AF_INET };
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", name);
    assert_int_equal (inet_pton (AF_INET, address, &in.sin_addr), 1);
    memcpy (&request.ifr_addr, &in, sizeof in);
    return ioctl (fd, SIOCSIFADDR, &request) == 0;
}

static bool
raise_loopback (int fd)
{
    struct ifreq request = { .ifr_name = "lo" };
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl (fd, SIOCSIFFLAGS, &request) == 0;
}

/* Goes into a network of its own, where a public address and the metadata service's are this machine's. False: this
 * process may not. */
static bool
enter_network (void)
{
    if (unshare (CLONE_NEWNET) < 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ready = fd >= 0 && raise_loopback (fd) && add_address (fd, "lo:1", "9.9.9.9")
                 && add_address (fd, "lo:2", "169.254.169.254");
    if (fd >= 0)
        close (fd);
    return ready;
}

/* The server stands at a public address, so that the first hop is allowed, and where the redirects lead to, so that
 * nothing but the refusal keeps the client away from it. */
static void
redirects_to_private_addresses_are_refused (void **state UNUSED)
{
    if (!enter_network ())
        skip ();
    struct world world = { .to = "9.9.9.9" };
    struct server *server = server_new_at ("0.0.0.0", answer, &world);
    world.port = server_port (server);
    assert_string_equal (get ("9.9.9.9", world.port, "/there").body, "the page");
    assert_int_equal (atomic_load (&world.pages), 1);
    for (size_t i = 0; i < COUNT_OF (hosts); i++) {
        world.to = hosts[i];
        struct seen seen = get ("9.9.9.9", world.port, "/there");
        if (seen.error != HTTP_REFUSED_ADDRESS)
            fail_msg ("%s: error %d, %s", hosts[i], (int) seen.error, seen.reason);
        assert_string_equal (seen.body, "");
    }
    assert_int_equal (atomic_load (&world.pages), 1);
    server_destroy (&server);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (private_addresses_are_refused_after_dns),
        cmocka_unit_test (redirects_to_private_addresses_are_refused), /* last: it leaves the network */
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
