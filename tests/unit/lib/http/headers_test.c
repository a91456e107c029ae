/* Values out of headers. SPDX-License-Identifier: MPL-2.0 */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
check (char *found, const char *wanted)
{
    if (wanted)
        assert_string_equal (found, wanted);
    else
        assert_null (found);
    free (found);
}

static void
values_are_found_by_name (void **state UNUSED)
{
    static const char headers[] = "Content-Type: text/xml\nX-A:\nETag:\t\"x\"\ncache-control:  max-age=5\nETag: \"y\"\nlast: z";
    check (http_header_value (headers, "etag"), "\"x\"");
    check (http_header_value (headers, "Cache-Control"), "max-age=5");
    check (http_header_value (headers, "x-a"), "");
    check (http_header_value (headers, "last"), "z");
    check (http_header_value (headers, "Content"), NULL);
    check (http_header_value (headers, "text/xml"), NULL);
    check (http_header_value ("", "x"), NULL);
}

static void
links_are_found_by_relation (void **state UNUSED)
{
    static const struct {
        const char *headers, *rel, *wanted;
    } cases[] = {
        { "Link: <https://hub.example/>; rel=\"hub\"", "hub", "https://hub.example/" },
        { "link: </a>; rel=self, </b>; rel=hub", "hub", "/b" },
        { "Link: </a>; rel=self\nX: y\nLink: </b>; rel=hub", "hub", "/b" },
        { "Link: </a>; title=\"x, <y>; rel=hub\"; rel=\"self\", </b>;rel=\"next HUB\"", "self", "/a" },
        { "Link: </b>;rel=\"next HUB\";x=y", "hub", "/b" },
        { "Link: <https://h.example/?a,b>; rel=hub", "hub", "https://h.example/?a,b" },
        { "Link: </a>; xrel=hub", "hub", NULL },
        { "Link: </a>; rel=hubs", "hub", NULL },
        { "Link: </a>; rel=\"", "hub", NULL },
        { "Link: </a>", "hub", NULL },
        { "Link: </a", "hub", NULL },
        { "Link: <", "hub", NULL },
        { "Link:", "hub", NULL },
        { "Link: x, </a>; rel=hub", "hub", NULL },
        { "X-Link: </a>; rel=hub", "hub", NULL },
        { "", "hub", NULL },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++)
        check (http_header_link (cases[i].headers, cases[i].rel), cases[i].wanted);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (values_are_found_by_name),
        cmocka_unit_test (links_are_found_by_relation),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
