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
        { 403, SCHEDULE_REFUSAL }, { 404, SCHEDULE_REFUSAL }, { 408, SCHEDULE_TROUBLE }, { 429, SCHEDULE_REFUSAL },
        { 451, SCHEDULE_REFUSAL }, { 500, SCHEDULE_TROUBLE }, { 503, SCHEDULE_TROUBLE },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++)
        assert_int_equal (schedule_failure_of (cases[i].status), cases[i].expect);
}

#define NOON INT64_C (1763380800) /* Mon, 17 Nov 2025 12:00:00 GMT */

static const struct schedule_rules every_run = { .max_s = 21600 }, hints = { .respect_hints = true, .max_s = 21600 },
                                   adaptive = { .adaptive = true, .max_s = 21600 };

static void
a_desk_asks_in_each_run_unless_it_is_told_otherwise (void **state UNUSED)
{
    struct schedule schedule = { 3600, 7200, UINT32_MAX, 0x7f };
    assert_int_equal (schedule_wait_s (&every_run, &schedule, 3600, NOON), 0);
    const struct schedule_rules floor = { .min_s = 300, .max_s = 21600 };
    assert_int_equal (schedule_wait_s (&floor, &schedule, 3600, NOON), 290);
}

static void
hints_are_kept_within_bounds (void **state UNUSED)
{
    struct schedule none = { 0 }, ttl = { .hint_s = 1800 };
    assert_int_equal (schedule_wait_s (&hints, &none, -1, NOON), 0);
    assert_int_equal (schedule_wait_s (&hints, &none, 300, NOON), 290);
    assert_int_equal (schedule_wait_s (&hints, &none, 5, NOON), 0);
    assert_int_equal (schedule_wait_s (&hints, &ttl, 300, NOON), 1790);
    assert_int_equal (schedule_wait_s (&hints, &ttl, 3600, NOON), 3590);
    assert_int_equal (schedule_wait_s (&hints, &none, INT64_C (366) * 86400, NOON), 21590);
}

static void
skipped_hours_and_days_are_left_out (void **state UNUSED)
{
    struct schedule lunch = { .skip_hours = 1u << 12 | 1u << 13 }, monday = { .skip_days = 1 << 1 },
                    always = { .skip_hours = UINT32_MAX }, sunday = { .skip_days = 1 };
    assert_int_equal (schedule_wait_s (&hints, &lunch, -1, NOON + 600), 2 * 3600 - 600 - 10);
    assert_int_equal (schedule_wait_s (&hints, &lunch, -1, NOON - 3600), 0);
    assert_int_equal (schedule_wait_s (&hints, &lunch, 3600, NOON - 3600), 3 * 3600 - 10);
    assert_int_equal (schedule_wait_s (&hints, &monday, -1, NOON + 8 * 3600), 4 * 3600 - 10);
    assert_int_equal (schedule_wait_s (&hints, &monday, -1, NOON), 21590); /* twelve hours are past the bound */
    assert_int_equal (schedule_wait_s (&hints, &always, -1, NOON), 21590);
    assert_int_equal (schedule_wait_s (&hints, &sunday, -1, NOON), 0);
    assert_int_equal (schedule_wait_s (&hints, &sunday, -1, NOON - 86400 + 11 * 3600), 3600 - 10);
    assert_int_equal (schedule_wait_s (&adaptive, &lunch, -1, NOON), 0);
}

static void
an_adaptive_interval_is_half_a_gap (void **state UNUSED)
{
    struct schedule fast = { .gap_s = 5 }, slow = { .gap_s = 7200 }, dead = { .gap_s = 86400 * 90 }, unknown = { 0 };
    assert_int_equal (schedule_wait_s (&adaptive, &fast, -1, NOON), 50);
    assert_int_equal (schedule_wait_s (&adaptive, &slow, 86400, NOON), 3590);
    assert_int_equal (schedule_wait_s (&adaptive, &dead, -1, NOON), 21590);
    assert_int_equal (schedule_wait_s (&adaptive, &unknown, -1, NOON), 0);
}

static struct schedule
of_dates (const int64_t *hours_ago, size_t count)
{
    struct feed_entry entries[64] = { 0 };
    struct feed feed = { .entries = entries, .entry_count = count, .ttl_s = 60, .update_period_s = 3600, .skip_hours = 3,
                         .skip_days = 5 };
    for (size_t i = 0; i < count; i++) {
        entries[i].published_us = i % 2 ? FEED_NO_DATE : (NOON - hours_ago[i] * 3600) * US_PER_S;
        entries[i].updated_us = i % 2 ? (NOON - hours_ago[i] * 3600) * US_PER_S : FEED_NO_DATE;
    }
    return schedule_of_feed (&feed, NOON * US_PER_S);
}

static void
gaps_are_those_of_the_newest_entries (void **state UNUSED)
{
    struct schedule s = of_dates ((const int64_t[]){ 9, 1, 3, 5, 7 }, 5); /* in any order */
    assert_int_equal (s.gap_s, 2 * 3600);
    assert_int_equal (s.hint_s, 3600);
    assert_int_equal (s.skip_hours, 3);
    assert_int_equal (s.skip_days, 5);
    assert_int_equal (of_dates ((const int64_t[]){ 1, 2, 3, 1000 }, 4).gap_s, 3600);
    assert_int_equal (of_dates ((const int64_t[]){ 1, 2 }, 2).gap_s, 0);
    assert_int_equal (of_dates (NULL, 0).gap_s, 0);
    assert_int_equal (of_dates ((const int64_t[]){ 5, 5, 5, 5 }, 4).gap_s, 1);
    assert_int_equal (of_dates ((const int64_t[]){ -5, -7, -9, 1 }, 4).gap_s, 0); /* the future tells nothing */
    assert_int_equal (of_dates ((const int64_t[]){ 1, 900000, 9000000, 17000000 }, 4).gap_s, 366 * 86400);
    int64_t many[60];
    for (int64_t i = 0; i < 60; i++)
        many[i] = i < 21 ? i : 100 * i;
    assert_int_equal (of_dates (many, 60).gap_s, 3600);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_failing_source_waits_twice_as_long_each_time_up_to_the_most),
        cmocka_unit_test (a_refusal_waits_longer_and_is_asked_again_all_the_same),
        cmocka_unit_test (statuses_that_pass_by_themselves_are_no_refusal),
        cmocka_unit_test (a_desk_asks_in_each_run_unless_it_is_told_otherwise),
        cmocka_unit_test (hints_are_kept_within_bounds),
        cmocka_unit_test (skipped_hours_and_days_are_left_out),
        cmocka_unit_test (an_adaptive_interval_is_half_a_gap),
        cmocka_unit_test (gaps_are_those_of_the_newest_entries),
        cmocka_unit_test (chance_takes_away_a_quarter_at_most),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
