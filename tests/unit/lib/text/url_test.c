/* Links against their base. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/url.h"

#include <stdlib.h>

static const char base[] = "http://a/b/c/d;p?q";

static void
resolves_as_rfc3986_says (void **state UNUSED)
{
    /* RFC 3986, 5.4.1 and 5.4.2 */
    static const struct {
        const char *reference, *expect;
    } samples[] = {
        { "g:h", "g:h" },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q#s" },
        { "g?y#s", "http://a/b/c/g?y#s" },
        { ";x", "http://a/b/c/;x" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { "..g", "http://a/b/c/..g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/../h", "http://a/b/c/h" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
    };
    for (size_t i = 0; i < COUNT_OF (samples); i++) {
        char *url = url_resolve (base, samples[i].reference);
        assert_string_equal (url, samples[i].expect);
        free (url);
    }
}

static void
passes_what_it_cannot_resolve (void **state UNUSED)
{
    static const struct {
        const char *base, *reference, *expect;
    } samples[] = {
        { NULL, "/a/b", "/a/b" },
        { "", " x ", "x" },
        { "http://a/", "HTTPS://B/c d", "HTTPS://B/c d" },
        { "http://a", "b", "http://a/b" },
        { "a/b", "c", "a/c" },
        { "\xdc/", "c", "\xef\xbf\xbd/c" },
    };
    for (size_t i = 0; i < COUNT_OF (samples); i++) {
        char *url = url_resolve (samples[i].base, samples[i].reference);
        assert_string_equal (url, samples[i].expect);
        free (url);
    }
    assert_null (url_resolve (base, " \n"));
    assert_null (url_resolve (base, NULL));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (resolves_as_rfc3986_says),
        cmocka_unit_test (passes_what_it_cannot_resolve),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
