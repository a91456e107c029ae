/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#include <stdlib.h>

#define GAPS 20           /* of the newest entries */
#define GAPS_LEAST 2      /* fewer tell nothing */
#define MINUTE_S INT64_C (60)
#define HOUR_S INT64_C (3600)
#define YEAR_S (INT64_C (366) * 86400)
#define SLACK_S 10        /* a run gets to a source a few seconds sooner or later than the last one did */
#define THURSDAY 4        /* 1970-01-01 */
#define DOUBLINGS_MOST INT64_C (16)
#define DAY_S INT64_C (86400)

/* ---- what a feed says and shows ---- */

static int
newest_first (const void *a, const void *b)
{
    int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return x < y ? 1 : x > y ? -1 : 0;
}

static int64_t
median_gap_s (int64_t *dates, size_t count)
{
    if (count < GAPS_LEAST + 1)
        return 0;
    qsort (dates, count, sizeof *dates, newest_first);
    size_t gaps = MIN_OF (count - 1, (size_t) GAPS);
    for (size_t i = 0; i < gaps; i++)
        dates[i] -= dates[i + 1];
    qsort (dates, gaps, sizeof *dates, newest_first);
    return MIN_OF (MAX_OF (dates[gaps / 2] / US_PER_S, 1), YEAR_S);
}

struct schedule
schedule_of_feed (const struct feed *feed, int64_t now_us)
{
    int64_t *dates = mem_grow (NULL, feed->entry_count, sizeof *dates);
    size_t count = 0;
    for (size_t i = 0; i < feed->entry_count; i++) {
        const struct feed_entry *entry = &feed->entries[i];
        int64_t date = entry->published_us != FEED_NO_DATE ? entry->published_us : entry->updated_us;
        if (date != FEED_NO_DATE && date <= now_us)
            dates[count++] = date;
    }
    struct schedule schedule = { .hint_s = MIN_OF (MAX_OF (feed->ttl_s, feed->update_period_s), YEAR_S),
                                 .gap_s = median_gap_s (dates, count),
                                 .skip_hours = feed->skip_hours, .skip_days = feed->skip_days };
    free (dates);
    return schedule;
}

/* ---- a source that was read ---- */

static bool
is_skipped (const struct schedule *schedule, int64_t at_s)
{
    return schedule->skip_hours >> (at_s / HOUR_S % 24) & 1 || schedule->skip_days >> ((at_s / DAY_S + THURSDAY) % 7) & 1;
}

/* The first second from at_s on that the feed does not want to be left alone in, most_s at most. */
static int64_t
after_skipped_s (const struct schedule *schedule, int64_t at_s, int64_t most_s)
{
    while (at_s < most_s && is_skipped (schedule, at_s))
        at_s = at_s / HOUR_S * HOUR_S + HOUR_S;
    return MIN_OF (at_s, most_s);
}

int64_t
schedule_wait_s (const struct schedule_rules *rules, const struct schedule *schedule, int64_t fresh_s, int64_t now_s)
{
    int64_t wait_s = 0;
    if (rules->respect_hints)
        wait_s = MAX_OF (fresh_s, schedule->hint_s);
    if (rules->adaptive && schedule->gap_s)
        wait_s = MAX_OF (wait_s, MAX_OF (schedule->gap_s / 2, MINUTE_S));
    wait_s = MAX_OF (MIN_OF (wait_s, rules->max_s), rules->min_s);
    if (rules->respect_hints)
        wait_s = MAX_OF (after_skipped_s (schedule, now_s + wait_s, now_s + rules->max_s) - now_s, rules->min_s);
    return MAX_OF (wait_s - SLACK_S, INT64_C (0));
}

/* ---- a source that failed ---- */

/* Nobody is left out for good: a source that is repaired is found again within most_s, or times_most of it. */
static const struct {
    int64_t first_s, second_s; /* wait after the first failure, and after the second: from there on it doubles */
    int64_t times_most;        /* of fetcher.backoff_max, a day at most unless that is longer */
} backoffs[] = {
    [SCHEDULE_TROUBLE] = { 0, 60, 1 },
    [SCHEDULE_REFUSAL] = { 300, 600, 6 },
};

enum schedule_failure
schedule_failure_of (long status)
{
    return status >= 400 && status < 500 && status != 408 && status != 425 ? SCHEDULE_REFUSAL : SCHEDULE_TROUBLE;
}

int64_t
schedule_backoff_s (enum schedule_failure kind, int64_t failures, int64_t most_s, uint64_t chance)
{
    most_s = MIN_OF (most_s * backoffs[kind].times_most, MAX_OF (most_s, DAY_S));
    int64_t doublings = MIN_OF (failures - 2, DOUBLINGS_MOST);
    int64_t wait_s = MIN_OF (failures < 2 ? backoffs[kind].first_s : backoffs[kind].second_s << doublings, most_s);
    return wait_s - (int64_t) (chance % (uint64_t) (wait_s / 4 + 1));
}
