/* Who shares a limit, and when one more request may go.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/domain.h"
#include "http/http.h"
#include "http/limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void
a_host_belongs_to_its_registrable_domain (void **state UNUSED)
{
    static const struct {
        const char *host, *expect;
    } cases[] = {
        { "example.com", "example.com" },       { "www.example.com", "example.com" },
        { "a.b.c.example.com", "example.com" }, { "WWW.Example.COM", "example.com" },
        { "www.example.com.", "example.com" },  { "feeds.example.co.uk", "example.co.uk" },
        { "example.co.uk", "example.co.uk" },   { "co.uk", "co.uk" },
        { "one.github.io", "one.github.io" },   { "a.one.github.io", "one.github.io" },
        { "www.city.kawasaki.jp", "city.kawasaki.jp" },
        { "www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn" },
        { "a.news.localhost", "news.localhost" },
        { "localhost", "localhost" },           { "127.0.0.1", "127.0.0.1" },
        { "10.1.2.3", "10.1.2.3" },             { "[2001:db8::1]", "[2001:db8::1]" },
        { "2001:db8::1", "2001:db8::1" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *domain = domain_of_host (cases[i].host);
        if (strcmp (domain, cases[i].expect) != 0)
            fail_msg ("%s: %s, not %s", cases[i].host, domain, cases[i].expect);
        free (domain);
    }
}

static void
an_address_of_the_web_has_a_domain_and_no_other_has (void **state UNUSED)
{
    char *domain = http_domain ("https://user@feeds.example.org:8443/a?b#c");
    assert_string_equal (domain, "example.org");
    free (domain);
    domain = http_domain ("http://0x7f.1/");
    assert_string_equal (domain, "127.0.0.1");
    free (domain);
    assert_null (http_domain ("ftp://example.org/"));
    assert_null (http_domain ("nothing"));
}

static void
what_has_no_registrable_domain_stands_alone (void **state UNUSED)
{
    static const struct { const char *domain; bool expect; } cases[] = {
        { "example.com", true }, { "news.localhost", true }, { "localhost", false }, { "127.0.0.1", false },
        { "[::1]", false },      { "co.uk", false },         { "github.io", false }, { "one.github.io", true },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++)
        assert_int_equal (domain_has_hosts (cases[i].domain), cases[i].expect);
}

static void
a_name_has_room_until_its_most_are_under_way (void **state UNUSED)
{
    struct limit_table table = { .most = 2 };
    struct limit *a = limit_hold (&table, "a"), *again = limit_hold (&table, "a"), *b = limit_hold (&table, "b");
    assert_ptr_equal (a, again);
    assert_ptr_not_equal (a, b);
    for (int i = 0; i < 2; i++) {
        assert_true (limit_has_room (&table, a));
        a->active++;
    }
    assert_false (limit_has_room (&table, again));
    assert_true (limit_has_room (&table, b));
    limit_leave (&table, &a);
    assert_null (a);
    assert_false (limit_has_room (&table, again));
    limit_leave (&table, &again);
    limit_leave (&table, &b);
    limit_leave (&table, &b);
    assert_null (table.first);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_host_belongs_to_its_registrable_domain),
        cmocka_unit_test (an_address_of_the_web_has_a_domain_and_no_other_has),
        cmocka_unit_test (what_has_no_registrable_domain_stands_alone),
        cmocka_unit_test (a_name_has_room_until_its_most_are_under_way),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
