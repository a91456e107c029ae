/* Which hop of a redirect is taken, without any network. SPDX-License-Identifier: MPL-2.0 */
#include "http/transfer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void
only_safe_hops_are_taken (void **state UNUSED)
{
    static const struct {
        const char *from, *to;
        enum http_error error;
    } rows[] = {
        { "http://a.example/", "http://b.example/", HTTP_OK },
        { "http://a.example/", "https://a.example/", HTTP_OK },
        { "https://a.example/", "https://b.example/", HTTP_OK },
        { "https://a.example/", "http://a.example/", HTTP_REDIRECTS },
        { "https://a.example/", "http://b.example:443/x", HTTP_REDIRECTS },
    };
    const struct http_settings settings = { 0 };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        const struct http_request request = { .url = rows[i].from, .max_redirects = 1 };
        struct transfer *transfer = transfer_new (&request, &settings);
        struct url next;
        assert_int_equal (url_read (rows[i].to, &next), 0);
        assert_int_equal (transfer_may_go (transfer, &next), rows[i].error == HTTP_OK);
        assert_int_equal (transfer->failed, rows[i].error);
        assert_int_equal (transfer->reason[0] != 0, rows[i].error != HTTP_OK);
        url_fini (&next);
        transfer_destroy (&transfer);
        assert_null (transfer);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (only_safe_hops_are_taken),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
