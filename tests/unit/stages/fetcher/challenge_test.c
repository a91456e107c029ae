/* A page that wants a browser is told apart from a refusal.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stages/fetcher/fetcher.h"

static const char *
challenge (const char *server, const char *mitigated, const char *body)
{
    struct http_response response = { .status = 403, .server = server, .cf_mitigated = mitigated, .body = body,
                                      .body_bytes = strlen (body) };
    return challenge_of (&response);
}

static void
services_are_known_by_header_or_page (void **state UNUSED)
{
    assert_string_equal (challenge ("cloudflare", "challenge", ""), "Cloudflare");
    assert_string_equal (challenge ("cloudflare", NULL, "<html><title>Just a moment...</title>"), "Cloudflare");
    assert_string_equal (challenge ("Cloudflare", NULL, "<script src=\"/cdn-cgi/challenge-platform/h/b\">"), "Cloudflare");
    assert_string_equal (challenge ("nginx", NULL, "<script src='https://ct.captcha-delivery.com/c.js'>"), "DataDome");
    assert_string_equal (challenge (NULL, NULL, "<script id=\"anubis_challenge\">{}</script>"), "Anubis");
}

static void
a_plain_refusal_is_none (void **state UNUSED)
{
    assert_null (challenge ("cloudflare", NULL, "<title>Access denied | Error 1020</title>"));
    assert_null (challenge ("nginx", NULL, "<title>403 Forbidden</title>"));
    assert_null (challenge ("nginx", "block", ""));
    assert_null (challenge (NULL, NULL, "<p>Just a moment... and we wrote about it</p>"));
    assert_null (challenge ("nginx", NULL, "<title>Just a moment...</title>"));
    assert_null (challenge (NULL, NULL, ""));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (services_are_known_by_header_or_page),
        cmocka_unit_test (a_plain_refusal_is_none),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
