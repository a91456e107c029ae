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
    for (size_t i = 1; i < COUNT_OF (expect); i++)
        assert_int_equal (schedule_backoff_s (SCHEDULE_TROUBLE, (int64_t) i, 3600, 0), expect[i]);
    assert_int_equal (schedule_backoff_s (SCHEDULE_TROUBLE, INT32_MAX, 3600, 0), 3600);
}

static void
a_refusal_waits_longer_and_is_asked_again_all_the_same (void **state UNUSED)
{
    static const int64_t expect[] = { 0, 300, 600, 1200, 2400, 4800, 9600, 19200, 21600, 21600 };
    for (size_t i = 1; i < COUNT_OF (expect); i++) {
        int64_t wait_s = schedule_backoff_s (SCHEDULE_REFUSAL, (int64_t) i, 3600, 0);
        assert_int_equal (wait_s, expect[i]);
        assert_true (wait_s > schedule_backoff_s (SCHEDULE_TROUBLE, (int64_t) i, 3600, 0));
    }
    assert_int_equal (schedule_backoff_s (SCHEDULE_REFUSAL, INT32_MAX, 60000, 0), 86400);
    assert_int_equal (schedule_backoff_s (SCHEDULE_REFUSAL, 1, 60, 0), 300);
}

static void
chance_takes_away_a_quarter_at_most (void **state UNUSED)
{
    for (uint64_t chance = 0; chance < 5000; chance++)
        assert_in_range (schedule_backoff_s (SCHEDULE_TROUBLE, 9, 3600, chance), 2700, 3600);
    assert_int_not_equal (schedule_backoff_s (SCHEDULE_TROUBLE, 9, 3600, 1), schedule_backoff_s (SCHEDULE_TROUBLE, 9, 3600, 2));
}

static void
statuses_that_pass_by_themselves_are_no_refusal (void **state UNUSED)
{
    static const struct { long status; enum schedule_failure expect; } cases[] = {
        { 0, SCHEDULE_TROUBLE },   { 200, SCHEDULE_TROUBLE }, { 400, SCHEDULE_REFUSAL }, { 401, SCHEDULE_REFUSAL },
        { 403, SCHEDULE_REFUSAL }, { 404, SCHEDULE_REFUSAL }, { 408, SCHEDULE_TROUBLE }, { 429, SCHEDULE_TROUBLE },
        { 451, SCHEDULE_REFUSAL }, { 500, SCHEDULE_TROUBLE }, { 503, SCHEDULE_TROUBLE },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++)
        assert_int_equal (schedule_failure_of (cases[i].status), cases[i].expect);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_failing_source_waits_twice_as_long_each_time_up_to_the_most),
        cmocka_unit_test (a_refusal_waits_longer_and_is_asked_again_all_the_same),
        cmocka_unit_test (statuses_that_pass_by_themselves_are_no_refusal),
        cmocka_unit_test (chance_takes_away_a_quarter_at_most),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
