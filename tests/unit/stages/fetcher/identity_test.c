/* Which addresses are the same article.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stages/fetcher/fetcher.h"

static void
identity_is_what_a_page_shows (void **state UNUSED)
{
    static const struct { const char *url, *expect; } cases[] = {
        { "https://news.example/a", "news.example/a" },
        { "http://news.example/a", "news.example/a" },
        { "HTTPS://News.Example/A", "news.example/A" },
        { "https://news.example", "news.example/" },
        { "https://news.example:443/a", "news.example/a" },
        { "http://news.example:80/a", "news.example/a" },
        { "https://news.example:8443/a", "news.example:8443/a" },
        { "https://user:word@news.example/a", "news.example/a" },
        { "https://news.example/a#comments", "news.example/a" },
        { "https://news.example/a?id=7", "news.example/a?id=7" },
        { "https://news.example/a?id=7&utm_source=x", "news.example/a?id=7" },
        { "https://news.example/a?utm_source=x&id=7", "news.example/a?id=7" },
        { "https://news.example/a?utm_source=x&utm_medium=y", "news.example/a" },
        { "https://news.example/a?b=2&a=1", "news.example/a?b=2&a=1" },
        { "https://news.example/a?fbclid=1&gclid=2&_ga=3&mc_cid=4", "news.example/a" },
        { "https://news.example/a?FBCLID=1", "news.example/a" },
        { "https://news.example/a?gclids=1", "news.example/a?gclids=1" },
        { "https://news.example/a?xutm_source=1", "news.example/a?xutm_source=1" },
        { "https://news.example/a?id=utm_source", "news.example/a?id=utm_source" },
        { "https://news.example/a?utm_source", "news.example/a" },
        { "https://news.example/a?", "news.example/a" },
        { "https://news.example/a?&&id=7&", "news.example/a?id=7" },
        { "https://www.news.example/a", "news.example/a" },
        { "https://m.news.example/a", "news.example/a" },
        { "https://www.m.news.example/a", "news.example/a" },
        { "https://amp.news.example/a", "news.example/a" },
        { "https://m.example/a", "m.example/a" },
        { "https://news.example./a", "news.example/a" },
        { "https://news.example/a/", "news.example/a" },
        { "https://news.example/a/amp/", "news.example/a" },
        { "https://news.example/a/amp", "news.example/a" },
        { "https://news.example/amp/a", "news.example/a" },
        { "https://news.example/a.amp", "news.example/a" },
        { "https://news.example/lamp", "news.example/lamp" },
        { "https://news.example/a/amp.html", "news.example/a" },
        { "https://news.example/a?amp=1&id=2", "news.example/a?id=2" },
        { "https://news.example/a?outputType=amp", "news.example/a" },
        { "https://news.example/a/index.html", "news.example/a" },
        { "https://news.example/%7ejoe/%c3%a9", "news.example/~joe/%C3%A9" },
        { "https://news.example/\xc3\xa9", "news.example/%C3%A9" },
        { "https://news.example/a%2Fb", "news.example/a%2Fb" },
        { "https://news.example/100%", "news.example/100%" },
        { "https://a%ff.example/x", "a%FF.example/x" },
        { "ftp://news.example/a", NULL },
        { "file:///etc/passwd", NULL },
        { "javascript:alert(1)", NULL },
        { "mailto:a@b.example", NULL },
        { "", NULL },
        { "/a", NULL },
        { "https://", NULL },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *identity = identity_of_url (cases[i].url);
        const char *got = identity ? identity : "nothing", *expect = cases[i].expect ? cases[i].expect : "nothing";
        if (strcmp (got, expect) != 0)
            fail_msg ("%s: %s, not %s", cases[i].url, got, expect);
        free (identity);
    }
}

static void
a_guid_outlives_a_move_of_its_site (void **state UNUSED)
{
    static const struct { const char *guid, *source, *expect; } cases[] = {
        { "http://news.example/?p=7", "https://www.news.example/feed", "/?p=7" },
        { "https://news.example/?p=7", "http://news.example/feed", "/?p=7" },
        { "https://other.example/?p=7", "https://planet.example/feed", "https://other.example/?p=7" },
        { "tag:news.example,2026:7", "https://news.example/feed", "tag:news.example,2026:7" },
        { "7", "https://news.example/feed", "7" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *identity = identity_of_guid (cases[i].guid, cases[i].source);
        assert_string_equal (identity, cases[i].expect);
        free (identity);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (identity_is_what_a_page_shows),
        cmocka_unit_test (a_guid_outlives_a_move_of_its_site),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
