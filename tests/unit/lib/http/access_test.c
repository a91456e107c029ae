/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/access.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL "127.0.0.1"
#define REMOTE "192.0.2.7"
#define CHANGE(name) .changes = true, .host = name
#define LOCAL_CHANGE CHANGE ("localhost:3001")

static const struct {
    const char *peer;
    struct access_request request;
    const char *token;
    bool loopback;
    enum access_verdict verdict;
} cases[] = {
    /* DNS rebinding */
    { LOCAL, { .host = "localhost:3001" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "LOCALHOST" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "mill.localhost:3001" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "127.0.0.1:3001" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "127.9.9.9" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "[::1]:3001" }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = NULL }, "", true, ACCESS_GRANTED },
    { LOCAL, { .host = "evil.example" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "evil.example:3001" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "localhost.evil.example" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "evillocalhost" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "127.0.0.1.evil.example" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "10.0.0.1" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "[::1" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = "[2001:db8::1]" }, "", true, ACCESS_WRONG_HOST },
    { LOCAL, { .host = ".localhost" }, "", true, ACCESS_WRONG_HOST },
    { REMOTE, { .host = "news.example" }, "", false, ACCESS_GRANTED },
    /* without a token: this machine alone */
    { LOCAL, { CHANGE ("localhost") }, "", true, ACCESS_GRANTED },
    { "::1", { CHANGE ("localhost") }, "", true, ACCESS_GRANTED },
    { "::ffff:127.0.0.1", { CHANGE ("news.example") }, "", false, ACCESS_GRANTED },
    { REMOTE, { CHANGE ("news.example") }, "", false, ACCESS_NOT_LOCAL },
    { "::ffff:192.0.2.7", { CHANGE ("news.example") }, "", false, ACCESS_NOT_LOCAL },
    { NULL, { CHANGE ("news.example") }, "", false, ACCESS_NOT_LOCAL },
    { LOCAL, { CHANGE ("localhost"), .forwarded = true }, "", true, ACCESS_NOT_LOCAL },
    { LOCAL, { CHANGE ("localhost"), .authorization = "Bearer x" }, "", true, ACCESS_GRANTED },
    /* other sites' pages */
    { LOCAL, { LOCAL_CHANGE, .origin = "http://localhost:3001" }, "", true, ACCESS_GRANTED },
    { LOCAL, { LOCAL_CHANGE, .origin = "http://localhost:8080" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { LOCAL_CHANGE, .origin = "http://evil.example" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { LOCAL_CHANGE, .origin = "null" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { CHANGE (NULL), .origin = "http://localhost" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { CHANGE ("localhost"), .fetch_site = "same-origin" }, "", true, ACCESS_GRANTED },
    { LOCAL, { CHANGE ("localhost"), .fetch_site = "none" }, "", true, ACCESS_GRANTED },
    { LOCAL, { CHANGE ("localhost"), .fetch_site = "same-site" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { CHANGE ("localhost"), .fetch_site = "cross-site" }, "", true, ACCESS_CROSS_SITE },
    { LOCAL, { .host = "localhost", .fetch_site = "cross-site" }, "", true, ACCESS_GRANTED },
    /* with a token: whoever has it */
    { REMOTE, { CHANGE ("h"), .authorization = "Bearer secret" }, "secret", false, ACCESS_GRANTED },
    { REMOTE, { CHANGE ("h"), .authorization = "bearer  secret" },
      "secret", false, ACCESS_GRANTED },
    { REMOTE, { CHANGE ("h"), .authorization = "Bearer secret", .forwarded = true },
      "secret", false, ACCESS_GRANTED },
    { LOCAL, { CHANGE ("localhost") }, "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "" }, "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "Bearer " },
      "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "Bearer secre" },
      "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "Bearer secretsecret" }, "secret", true,
      ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "Bearer Secret" },
      "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("localhost"), .authorization = "secret" }, "secret", true, ACCESS_NO_TOKEN },
    { LOCAL, { CHANGE ("evil.example"), .authorization = "Bearer secret" }, "secret", true,
      ACCESS_WRONG_HOST },
    { REMOTE, { .host = "h" }, "secret", false, ACCESS_GRANTED },
};

static struct sockaddr_storage
address_of (const char *text)
{
    struct sockaddr_storage storage = { 0 };
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton (AF_INET, text, &v4.sin_addr) == 1)
        memcpy (&storage, &v4, sizeof v4);
    else if (inet_pton (AF_INET6, text, &v6.sin6_addr) == 1)
        memcpy (&storage, &v6, sizeof v6);
    return storage;
}

static void
each_request_gets_its_verdict (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct access_request request = cases[i].request;
        struct sockaddr_storage peer = address_of (cases[i].peer ? cases[i].peer : "");
        request.peer = cases[i].peer ? (struct sockaddr *) &peer : NULL;
        enum access_verdict verdict = access_check (&request, cases[i].token, cases[i].loopback);
        if (verdict != cases[i].verdict)
            fail_msg ("case %zu, host %s: verdict %d, not %d", i, request.host ? request.host : "-",
                      (int) verdict, (int) cases[i].verdict);
    }
}

int
main (void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test (each_request_gets_its_verdict) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
