/* When a feed wants to be asked. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/schedule.h"

static void
ttl_is_in_minutes (void **state UNUSED)
{
    assert_int_equal (schedule_ttl_s (" 60\n"), 3600);
    assert_int_equal (schedule_ttl_s ("0"), 0);
    assert_int_equal (schedule_ttl_s ("-5"), 0);
    assert_int_equal (schedule_ttl_s ("99999999999999999999"), 0);
    assert_int_equal (schedule_ttl_s ("soon"), 0);
    assert_int_equal (schedule_ttl_s (NULL), 0);
}

static void
frequency_divides_the_period (void **state UNUSED)
{
    assert_int_equal (schedule_period_s ("hourly", NULL), 3600);
    assert_int_equal (schedule_period_s (" Hourly ", "2"), 1800);
    assert_int_equal (schedule_period_s ("weekly", "7"), 86400);
    assert_int_equal (schedule_period_s (NULL, "4"), 6 * 3600);
    assert_int_equal (schedule_period_s (NULL, NULL), 0);
    assert_int_equal (schedule_period_s ("daily", "0"), 0);
    assert_int_equal (schedule_period_s ("never", "1"), 0);
}

static void
hours_and_days_are_bits (void **state UNUSED)
{
    assert_int_equal (schedule_hour_bit ("0"), 1);
    assert_int_equal (schedule_hour_bit ("24"), 1);
    assert_int_equal (schedule_hour_bit (" 23 "), 1 << 23);
    assert_int_equal (schedule_hour_bit ("25"), 0);
    assert_int_equal (schedule_hour_bit (""), 0);
    assert_int_equal (schedule_day_bit ("Sunday"), 1);
    assert_int_equal (schedule_day_bit (" sat"), 1 << 6);
    assert_int_equal (schedule_day_bit ("S"), 0);
    assert_int_equal (schedule_day_bit ("Mondays"), 0);
    assert_string_equal (schedule_day_name (1), "Monday");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (ttl_is_in_minutes),
        cmocka_unit_test (frequency_divides_the_period),
        cmocka_unit_test (hours_and_days_are_bits),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
