/* schedule - when a feed wants to be asked, as its elements have it. Values in, values out.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_SCHEDULE_H
#define FEED_SCHEDULE_H

#include "base/base.h"

/* Texts: borrowed, may be NULL. What makes no sense is nothing: 0. */
uint32_t schedule_ttl_s (const char *minutes);                                 /* RSS ttl */
uint32_t schedule_period_s (const char *period, const char *frequency);        /* sy:updatePeriod, updateFrequency */
uint32_t schedule_hour_bit (const char *hour);                                 /* RSS skipHours: 0 to 23, or 24 for 0 */
uint8_t schedule_day_bit (const char *day);                                    /* RSS skipDays: "Monday", "mon" */
const char *schedule_day_name (unsigned day);                                  /* 0 is Sunday; within 0 to 6 */

#endif
