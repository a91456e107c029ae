/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define BACKOFF_LEAST_S 60
#define DOUBLINGS_MOST INT64_C (10)

/* At once after the first failure, then twice as long with each, less up to a quarter by chance: those that failed together do not
 * come back together. */
int64_t
schedule_backoff_s (int64_t failures, int64_t most_s, uint64_t chance)
{
    if (failures < 2)
        return 0;
    int64_t wait_s = MIN_OF ((int64_t) BACKOFF_LEAST_S << MIN_OF (failures - 2, DOUBLINGS_MOST), most_s);
    return wait_s - (int64_t) (chance % (uint64_t) (wait_s / 4 + 1));
}
