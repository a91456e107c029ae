/* Schedules: what is one, when it is due, how it is told.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cron/cron.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t
at (const char *text)
{
    struct tm tm = { 0 };
    assert_non_null (strptime (text, "%Y-%m-%d %H:%M:%S", &tm));
    return (int64_t) timegm (&tm) * US_PER_S;
}

static void
good_ones_are_taken (void **state UNUSED)
{
    static const char *const texts[] = {
        "* * * * *", "*/1 * * * *", "*/59 * * * *", "0 0 1 1 0", "59 23 31 12 7", "0,15,30,45 * * * *", "0-30/10 * * * *",
        "5/20 * * * *", "0 9-17 * * mon-fri", "0 0 1 JAN,Jul *", "  0\t0  * * Sun  ", "0 0 * * 0,6", "1-1 * * * *",
    };
    struct cron cron;
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        if (cron_parse (texts[i], &cron) != 0)
            fail_msg ("\"%s\" is refused", texts[i]);
}

static void
bad_ones_are_refused (void **state UNUSED)
{
    static const char *const texts[] = {
        "", " ", "*", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 0 *",
        "* * * 13 *", "* * * * 8", "-1 * * * *", "*/0 * * * *", "*/60 * * * *", "*/ * * * *", "*/x * * * *", "5- * * * *",
        "-5 * * * *", "9-5 * * * *", "1,,2 * * * *", ",1 * * * *", "1, * * * *", "1.5 * * * *", "a * * * *", "* * * foo *",
        "* * * * monday", "mon * * * *", "1-2-3 * * * *", "*5 * * * *", "99999999999999999999 * * * *", "@daily", "* * * * *\n",
    };
    struct cron cron;
    memset (&cron, 0x5a, sizeof cron);
    const struct cron before = cron;
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        if (cron_parse (texts[i], &cron) != -EINVAL)
            fail_msg ("\"%s\" is taken", texts[i]);
    assert_memory_equal (&cron, &before, sizeof cron);
    char text[1000];
    memset (text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal (cron_parse (text, &cron), -EINVAL);
}

static void
next_minute_is_the_first_that_matches (void **state UNUSED)
{
    static const struct { const char *cron, *from, *expect; } cases[] = {
        { "* * * * *", "2025-11-17 02:40:00", "2025-11-17 02:41:00" },
        { "* * * * *", "2025-11-17 02:40:59", "2025-11-17 02:41:00" },
        { "* * * * *", "2025-12-31 23:59:30", "2026-01-01 00:00:00" },
        { "*/15 * * * *", "2025-11-17 02:44:59", "2025-11-17 02:45:00" },
        { "*/15 * * * *", "2025-11-17 02:45:00", "2025-11-17 03:00:00" },
        { "10-20/5 * * * *", "2025-11-17 02:20:00", "2025-11-17 03:10:00" },
        { "5/20 * * * *", "2025-11-17 02:25:00", "2025-11-17 02:45:00" },
        { "30 6 * * *", "2025-11-17 06:30:00", "2025-11-18 06:30:00" },
        { "30 6 * * *", "2025-11-17 06:29:59", "2025-11-17 06:30:00" },
        { "0 0 1 * *", "2025-01-31 12:00:00", "2025-02-01 00:00:00" },
        { "0 0 31 * *", "2025-01-31 00:00:00", "2025-03-31 00:00:00" },
        { "0 12 29 2 *", "2025-03-01 00:00:00", "2028-02-29 12:00:00" },
        { "0 12 29 2 *", "2028-02-29 12:00:00", "2032-02-29 12:00:00" },
        { "0 0 * * 0", "2025-11-17 00:00:00", "2025-11-23 00:00:00" },
        { "0 0 * * 7", "2025-11-17 00:00:00", "2025-11-23 00:00:00" },
        { "0 0 * * sat,sun", "2025-11-17 00:00:00", "2025-11-22 00:00:00" },
        { "0 9 * * 1-5", "2025-11-21 09:00:00", "2025-11-24 09:00:00" },
        { "0 0 * jun mon", "2025-11-17 00:00:00", "2026-06-01 00:00:00" },
        { "0 0 25 dec *", "2025-12-25 00:00:00", "2026-12-25 00:00:00" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct cron cron;
        char text[CLOCK_TEXT_SIZE];
        assert_int_equal (cron_parse (cases[i].cron, &cron), 0);
        int64_t next = cron_next (&cron, at (cases[i].from));
        if (next != at (cases[i].expect))
            fail_msg ("%s after %s is %s", cases[i].cron, cases[i].from, clock_format (next, text));
    }
}

/* crontab(5): two restricted day fields are joined by "or", a * leaves the other alone. */
static void
either_of_two_day_fields_is_enough (void **state UNUSED)
{
    static const struct { const char *cron; const char *expect[3]; } cases[] = {
        { "0 0 13 * 5", { "2025-11-13 00:00:00", "2025-11-14 00:00:00", "2025-11-21 00:00:00" } },
        { "0 0 13 * *", { "2025-11-13 00:00:00", "2025-12-13 00:00:00", "2026-01-13 00:00:00" } },
        { "0 0 * * 5", { "2025-11-14 00:00:00", "2025-11-21 00:00:00", "2025-11-28 00:00:00" } },
        { "0 0 */2 * 5", { "2025-11-21 00:00:00", "2025-12-05 00:00:00", "2025-12-19 00:00:00" } },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        struct cron cron;
        int64_t t = at ("2025-11-12 00:00:00");
        assert_int_equal (cron_parse (cases[i].cron, &cron), 0);
        for (size_t j = 0; j < 3; j++) {
            t = cron_next (&cron, t);
            char text[CLOCK_TEXT_SIZE];
            if (t != at (cases[i].expect[j]))
                fail_msg ("%s: %s, not %s", cases[i].cron, clock_format (t, text), cases[i].expect[j]);
        }
    }
}

static void
day_that_never_comes_has_no_next (void **state UNUSED)
{
    static const char *const texts[] = { "0 0 30 2 *", "0 0 31 4,6,9,11 *" };
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        struct cron cron;
        assert_int_equal (cron_parse (texts[i], &cron), 0);
        assert_true (cron_next (&cron, at ("2025-11-17 00:00:00")) == INT64_MAX);
    }
}

/* Against the slow way: minute by minute. */
static void
no_minute_is_left_out (void **state UNUSED)
{
    static const char *const texts[] = { "7-59/13 */5 * * *", "0 3 1,15 * mon", "59 23 * 2 *", "*/7 1-3 28-31 * *" };
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        struct cron cron;
        assert_int_equal (cron_parse (texts[i], &cron), 0);
        int64_t from = at ("2024-02-20 00:00:30"), next = cron_next (&cron, from);
        for (int64_t t = at ("2024-02-20 00:01:00"); t < at ("2024-03-20 00:00:00"); t += 60 * US_PER_S) {
            time_t s = (time_t) (t / US_PER_S);
            struct tm tm;
            gmtime_r (&s, &tm);
            bool day = cron.days >> tm.tm_mday & 1, weekday = cron.weekdays >> tm.tm_wday & 1;
            bool due = (cron.any_day || cron.any_weekday ? day && weekday : day || weekday)
                       && (cron.minutes >> tm.tm_min & 1) && (cron.hours >> tm.tm_hour & 1)
                       && (cron.months >> (tm.tm_mon + 1) & 1);
            assert_int_equal (due, t == next);
            if (due)
                next = cron_next (&cron, t);
        }
    }
}

static void
description_is_plain_english (void **state UNUSED)
{
    static const struct { const char *cron, *expect; } cases[] = {
        { "*/1 * * * *", "Runs every 1 minute" },
        { "* * * * *", "Runs every 1 minute" },
        { "*/5 * * * *", "Runs every 5 minutes" },
        { "15 * * * *", "Runs every hour at minute 15" },
        { "0 */2 * * *", "Runs every 2 hours at minute 0" },
        { "0 */1 * * *", "Runs every hour at minute 0" },
        { "30 6 * * *", "Runs every day at 06:30 UTC" },
        { "0 9 * * 1-5", "Runs Monday to Friday at 09:00 UTC" },
        { "0 9 * * Mon-Fri", "Runs Monday to Friday at 09:00 UTC" },
        { "0 9 * * 0", "Runs on weekday 0 at 09:00 UTC" },
        { "0 9 1 * *", "Runs on the schedule 0 9 1 * * (UTC)" },
        { "*/5,3 * * * *", "Runs on the schedule */5,3 * * * * (UTC)" },
        { "0 */2,5 * * *", "Runs on the schedule 0 */2,5 * * * (UTC)" },
        { "0,30 * * * *", "Runs on the schedule 0,30 * * * * (UTC)" },
        { "*/5 9-17 * * *", "Runs on the schedule */5 9-17 * * * (UTC)" },
        { "nonsense", "Not a schedule: nonsense" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *text = cron_describe (cases[i].cron);
        assert_string_equal (text, cases[i].expect);
        free (text);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (good_ones_are_taken),
        cmocka_unit_test (bad_ones_are_refused),
        cmocka_unit_test (next_minute_is_the_first_that_matches),
        cmocka_unit_test (either_of_two_day_fields_is_enough),
        cmocka_unit_test (day_that_never_comes_has_no_next),
        cmocka_unit_test (no_minute_is_left_out),
        cmocka_unit_test (description_is_plain_english),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
