/* peak - how many 8-bit multiply-adds a second one core of this processor makes at most.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

#include <stdint.h>

/* The processor's time that this process has had, microseconds: what others do beside it hardly counts. */
int64_t cpu_us (void);

/* kernel: of lib/minilm. Billions a second of that time, over `seconds` of a loop that works on registers alone and whose instructions do not
 * wait for each other; 0 for a kernel that has no such instruction, or that this processor has not. */
double peak_measure (const char *kernel, double seconds);

#endif
