/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <time.h>

static int64_t
read_us (clockid_t id)
{
    struct timespec ts;
    clock_gettime (id, &ts);
    return (int64_t) ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int64_t
clock_wall_us (void)
{
    return read_us (CLOCK_REALTIME);
}

int64_t
clock_mono_us (void)
{
    return read_us (CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms (void)
{
    return clock_mono_us () / 1000;
}

const char *
clock_format (int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
    int64_t s = wall_us / US_PER_S, us = wall_us % US_PER_S;
    if (us < 0) {
        s--;
        us += US_PER_S;
    }
    time_t t = (time_t) s;
    struct tm tm;
    char day[24];
    if (!gmtime_r (&t, &tm) || !strftime (day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm))
        snprintf (out, CLOCK_TEXT_SIZE, "1970-01-01T00:00:00.000Z");
    else
        snprintf (out, CLOCK_TEXT_SIZE, "%s.%03dZ", day, (int) (us / 1000));
    return out;
}
