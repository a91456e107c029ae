/* A public host may not lead the client to a private one. The public host is an address of this machine's in a network of the
 * test's own, which takes a kernel that lets it make one; skipped elsewhere.
 * SPDX-License-Identifier: MPL-2.0 */
#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PUBLIC "11.0.0.1"

struct seen {
    enum http_error error;
    char reason[256];
};

static const char *const targets[] = {
    "127.0.0.1",          "localhost",         "0.0.0.0",          "[::]",         "[::1]",        "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",    "2130706433",        "0x7f000001",       "0177.0.0.1",   "0x7f.1",       "127.1",
    "10.0.0.1",                   "192.168.1.1",      "172.16.0.1",   "169.254.169.254", "[fe80::1]",
    "[fc00::1]",          "[64:ff9b::7f00:1]", "[2002:7f00:1::1]", "100.64.0.1",   "224.0.0.1",    "[ff02::1]",
    "%31%32%37.0.0.1",    "a@127.0.0.1",       "www.localhost",
};

static bool
network_of_our_own (void)
{
    struct ifreq request = { .ifr_name = "lo" };
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (unshare (CLONE_NEWNET) < 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) < 0)
        return false;
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool done = fd >= 0 && ioctl (fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags |= IFF_UP;
    done = done && ioctl (fd, SIOCSIFFLAGS, &request) == 0;
    strcpy (request.ifr_name, "lo:1");
    inet_pton (AF_INET, PUBLIC, &address.sin_addr);
    memcpy (&request.ifr_addr, &address, sizeof address);
    done = done && ioctl (fd, SIOCSIFADDR, &request) == 0;
    if (fd >= 0)
        close (fd);
    return done;
}

static void
on_done (void *context, const struct http_response *response)
{
    struct seen *seen = context;
    seen->error = response->error;
    snprintf (seen->reason, sizeof seen->reason, "%s", response->reason);
}

static void
answer (void *context, struct exchange *x)
{
    unsigned number;
    if (sscanf (x->path, "/to/%u", &number) == 1) {
        x->status = 302;
        exchange_add (x, "Location", "http://%s:%u/secret", targets[number], server_port (*(struct server **) context));
    } else
        buf_add_str (&x->answer, "public");
}

static void
answer_secret (void *context UNUSED, struct exchange *x)
{
    buf_add_str (&x->answer, "secret");
}

static struct seen
get (struct http *http, const struct server *server, const char *path)
{
    struct seen seen = { 0 };
    char url[160];
    snprintf (url, sizeof url, "http://" PUBLIC ":%u%s", server_port (server), path);
    const struct http_request request = { .url = url, .max_body_bytes = 1000, .max_redirects = 5, .total_ms = 5000 };
    http_start (http, &request, on_done, &seen);
    assert_true (run_until_done (http, 10000));
    return seen;
}

static void
no_public_host_leads_to_a_private_one (void **state UNUSED)
{
    const struct http_settings settings = { .max_total = 4 };
    if (!network_of_our_own ())
        skip ();
    struct server *private_one = server_new (answer_secret, NULL);
    struct server *public_one = server_new_at (PUBLIC, answer, &private_one);
    struct http *http = http_new (&settings);
    struct seen seen = get (http, public_one, "/");
    assert_int_equal (seen.error, HTTP_OK); /* so it is the hop that is refused below */
    for (unsigned i = 0; i < COUNT_OF (targets); i++) {
        char path[32];
        snprintf (path, sizeof path, "/to/%u", i);
        seen = get (http, public_one, path);
        if (seen.error != HTTP_REFUSED_ADDRESS)
            fail_msg ("%s: error %d, %s", targets[i], (int) seen.error, seen.reason);
    }
    assert_int_equal (server_connections (private_one), 0);
    http_destroy (&http);
    server_destroy (&public_one);
    server_destroy (&private_one);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (no_public_host_leads_to_a_private_one),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
