/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define DOUBLINGS_MOST INT64_C (16)
#define DAY_S INT64_C (86400)

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
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429 ? SCHEDULE_REFUSAL
                                                                                             : SCHEDULE_TROUBLE;
}

int64_t
schedule_backoff_s (enum schedule_failure kind, int64_t failures, int64_t most_s, uint64_t chance)
{
    most_s = MIN_OF (most_s * backoffs[kind].times_most, MAX_OF (most_s, DAY_S));
    int64_t doublings = MIN_OF (failures - 2, DOUBLINGS_MOST);
    int64_t wait_s = MIN_OF (failures < 2 ? backoffs[kind].first_s : backoffs[kind].second_s << doublings, most_s);
    return wait_s - (int64_t) (chance % (uint64_t) (wait_s / 4 + 1));
}
