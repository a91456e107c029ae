/* When a source is due again.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stages/fetcher/fetcher.h"

static void
a_failing_source_waits_twice_as_long_each_time_up_to_the_most (void **state UNUSED)
{
    static const int64_t expect[] = { 0, 0, 60, 120, 240, 480, 960, 1920, 3600, 3600 };
    for (size_t i = 0; i < COUNT_OF (expect); i++)
        assert_int_equal (schedule_backoff_s ((int64_t) i, 3600, 0), expect[i]);
    assert_int_equal (schedule_backoff_s (INT32_MAX, 3600, 0), 3600);
}

static void
chance_takes_away_a_quarter_at_most (void **state UNUSED)
{
    for (uint64_t chance = 0; chance < 5000; chance++) {
        int64_t wait_s = schedule_backoff_s (9, 3600, chance);
        assert_in_range (wait_s, 2700, 3600);
    }
    assert_int_not_equal (schedule_backoff_s (9, 3600, 1), schedule_backoff_s (9, 3600, 2));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_failing_source_waits_twice_as_long_each_time_up_to_the_most),
        cmocka_unit_test (chance_takes_away_a_quarter_at_most),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
