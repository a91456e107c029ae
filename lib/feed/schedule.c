/* SPDX-License-Identifier: MPL-2.0 */
#include "feed/schedule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TTL_MINUTES_MAX (366 * 24 * 60)
#define FREQUENCY_MAX 86400 /* times a period */
#define DAY_LETTERS 3       /* that an abbreviated day has at least */

static const char *const days[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
                                    "Thursday", "Friday", "Saturday" };

/* The number in text, or otherwise if that is none or out of limits. */
static int64_t
number (const char *text, int64_t least, int64_t most, int64_t otherwise)
{
    int64_t value = otherwise;
    char *trimmed = utf8_trim (text, 0);
    if (!trimmed || num_parse (trimmed, least, most, &value) < 0)
        value = otherwise;
    free (trimmed);
    return value;
}

uint32_t
schedule_ttl_s (const char *minutes)
{
    return (uint32_t) number (minutes, 1, TTL_MINUTES_MAX, 0) * 60;
}

/* By the module's defaults a period alone is once in it, a frequency alone is of a day. */
uint32_t
schedule_period_s (const char *period, const char *frequency)
{
    static const struct {
        const char *name;
        uint32_t seconds;
    } periods[] = {
        { "hourly", 3600 },          { "daily", 86400 },           { "weekly", 7 * 86400 },
        { "monthly", 30 * 86400u },  { "yearly", 365 * 86400u },
    };
    int64_t times = frequency ? number (frequency, 1, FREQUENCY_MAX, 0) : 1;
    char *name = utf8_trim (period ? period : "daily", 0);
    uint32_t seconds = 0;
    for (size_t i = 0; i < COUNT_OF (periods) && name && (period || frequency); i++)
        if (strcasecmp (periods[i].name, name) == 0)
            seconds = periods[i].seconds;
    free (name);
    return times ? seconds / (uint32_t) times : 0;
}

uint32_t
schedule_hour_bit (const char *hour)
{
    int64_t value = number (hour, 0, 24, -1);
    return value < 0 ? 0 : UINT32_C (1) << value % 24;
}

uint8_t
schedule_day_bit (const char *day)
{
    char *name = utf8_trim (day, 0);
    size_t bytes = name ? strlen (name) : 0;
    unsigned bit = 0;
    for (unsigned i = 0; i < COUNT_OF (days) && bytes >= DAY_LETTERS; i++)
        if (bytes <= strlen (days[i]) && strncasecmp (days[i], name, bytes) == 0)
            bit = 1u << i;
    free (name);
    return (uint8_t) bit;
}

const char *
schedule_day_name (unsigned day)
{
    return days[day];
}
