/* Cache-Control, Expires, Date and Age, as publishers write them.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/fresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#define NOW_S 1763347200 /* Mon, 17 Nov 2025 02:40:00 GMT */

static void
answers_say_how_long_they_are_fresh (void **state UNUSED)
{
    static const struct {
        const char *headers[8]; /* name, value, ... */
        int64_t expect;
    } cases[] = {
        { { "Cache-Control", "max-age=300" }, 300 },
        { { "cache-control", "public, MAX-AGE=300 , must-revalidate" }, 300 },
        { { "Cache-Control", "max-age=\"300\"" }, 300 },
        { { "Cache-Control", "private=\"a, max-age=9\", max-age=300" }, 300 },
        { { "Cache-Control", "x=\"\\\"max-age=9,\", max-age=300" }, 300 },
        { { "Cache-Control", "s-maxage=9, max-age=300" }, 300 },
        { { "Cache-Control", "max-age=600", "Cache-Control", "max-age=300" }, 300 },
        { { "Cache-Control", "max-age=300", "Age", "100" }, 200 },
        { { "Cache-Control", "max-age=300", "Age", "1000" }, 0 },
        { { "Cache-Control", "max-age=300", "Age", "old" }, 300 },
        { { "Cache-Control", "max-age=300, no-cache" }, 0 },
        { { "Cache-Control", "no-store" }, 0 },
        { { "Cache-Control", "max-age=99999999999999999999" }, FRESH_MAX_S },
        { { "Cache-Control", "max-age=-1" }, FRESH_UNKNOWN },
        { { "Cache-Control", "max-age=" }, FRESH_UNKNOWN },
        { { "Cache-Control", "max-age" }, FRESH_UNKNOWN },
        { { "Cache-Control", "xmax-age=5, max-agex=5" }, FRESH_UNKNOWN },
        { { "Cache-Control", "\"" }, FRESH_UNKNOWN },
        { { "Cache-Control", ",,;=," }, FRESH_UNKNOWN },
        { { "Expires", "Mon, 17 Nov 2025 02:50:00 GMT", "Date", "Mon, 17 Nov 2025 02:40:00 GMT" }, 600 },
        { { "Expires", "Mon, 17 Nov 2025 02:50:00 GMT", "Date", "Mon, 17 Nov 2025 02:45:00 GMT" }, 300 },
        { { "Expires", "Mon, 17 Nov 2025 02:50:00 GMT" }, 600 },
        { { "Expires", "Mon, 17 Nov 2014 02:50:00 GMT" }, 0 },
        { { "Expires", "0" }, 0 },
        { { "Expires", "-1" }, 0 },
        { { "Expires", "Mon, 17 Nov 2025 02:50:00 GMT", "Cache-Control", "max-age=5" }, 5 },
        { { "Date", "Mon, 17 Nov 2025 02:40:00 GMT" }, FRESH_UNKNOWN },
        { { NULL }, FRESH_UNKNOWN },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct fresh fresh = FRESH_NONE;
        const char *const *h = cases[i].headers;
        for (; *h; h += 2)
            fresh_take (&fresh, h[0], strlen (h[0]), h[1]);
        if (fresh_left_s (&fresh, NOW_S) != cases[i].expect)
            fail_msg ("case %zu: %lld, not %lld", i, (long long) fresh_left_s (&fresh, NOW_S), (long long) cases[i].expect);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (answers_say_how_long_they_are_fresh),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
