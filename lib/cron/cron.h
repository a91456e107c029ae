/* cron - five-field schedules: minute hour day-of-month month day-of-week, UTC.
 * Lists, ranges, steps and names as in crontab(5); when both day fields are restricted, either may match.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CRON_CRON_H
#define CRON_CRON_H

#include "base/base.h"

struct cron {
    uint64_t minutes, hours, days, months, weekdays; /* a bit a value */
    bool any_day, any_weekday;                       /* the field was * */
};

MUST_CHECK int cron_parse (const char *text, struct cron *ret_cron); /* 0 or -EINVAL */
/* The first matching minute after wall_us, in microseconds; INT64_MAX if there is none within five years. */
int64_t cron_next (const struct cron *cron, int64_t wall_us);
/* "Runs every 1 minute", "Runs every day at 06:30 UTC", or the expression itself for what has no short name.
 * given (free) */
char *cron_describe (const char *text);

#endif
