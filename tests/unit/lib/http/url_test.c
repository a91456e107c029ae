/* What counts as a URL, and what is seen in it. SPDX-License-Identifier: MPL-2.0 */
#include "http/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void
urls_are_normalised (void **state UNUSED)
{
    static const struct {
        const char *text, *normal, *host, *origin;
        bool tls;
    } rows[] = {
        { "http://a.example", "http://a.example/", "a.example", "http://a.example:80", false },
        { "HTTPS://a.example:443/x#top", "https://a.example:443/x", "a.example",
          "https://a.example:443", true },
        { "https://a.example/a b?q=\xc3\xa4", "https://a.example/a%20b?q=%c3%a4", "a.example",
          "https://a.example:443", true },
        { "http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/", "[2001:db8::1]",
          "http://[2001:db8::1]:8080", false },
        { "http://a.example/b/../c", "http://a.example/c", "a.example", "http://a.example:80",
          false },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct url url;
        assert_int_equal (url_read (rows[i].text, &url), 0);
        assert_string_equal (url.host, rows[i].host);
        assert_string_equal (url.origin, rows[i].origin);
        assert_int_equal (url.tls, rows[i].tls);
        assert_int_equal (strcasecmp (url.text, rows[i].normal), 0);
        url_fini (&url);
        assert_null (url.text);
    }
}

static void
what_is_not_http_is_refused (void **state UNUSED)
{
    static const char *const rows[] = {
        "",
        "a.example",
        "/feed.xml",
        "ftp://a.example/",
        "file:///etc/passwd",
        "gopher://a.example/",
        "http://",
        "http://a b.com",
        "javascript:1",
        "http://a.example:99999/",
        "data:,x",
        "unix:///run/x",
        "http://a.example/\nX: y",
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct url url = { 0 };
        if (url_read (rows[i], &url) == 0)
            fail_msg ("\"%s\" is taken as %s", rows[i], url.text);
    }
}

static void
endless_urls_are_refused (void **state UNUSED)
{
    char text[URL_MAX_BYTES + 2];
    struct url url = { 0 };
    memset (text, 'a', sizeof text);
    memcpy (text, "http://a/", 9);
    text[URL_MAX_BYTES] = '\0';
    assert_int_equal (url_read (text, &url), 0);
    url_fini (&url);
    text[URL_MAX_BYTES] = 'a';
    text[URL_MAX_BYTES + 1] = '\0';
    assert_int_not_equal (url_read (text, &url), 0);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (urls_are_normalised),
        cmocka_unit_test (what_is_not_http_is_refused),
        cmocka_unit_test (endless_urls_are_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
