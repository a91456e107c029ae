/* See peak.h. In assembly: a compiler would find that the same product is taken again and again.
 * SPDX-License-Identifier: MPL-2.0 */
#include "peak.h"

#include "base/base.h"

#include <string.h>
#include <time.h>

int64_t
cpu_us (void)
{
    struct timespec now;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

#if defined(__x86_64__)

#define ROUNDS 1000000 /* between two looks at the clock */
#define CHAINS 12      /* sums at once: more than two units with five cycles of latency can be busy with */

static void
run_avx512vnni (void)
{
    uint64_t rounds = ROUNDS;
    __asm__ volatile ("1:\n"
                      ".irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                      "vpdpbusd %%zmm0, %%zmm1, %%zmm\\n\n"
                      ".endr\n"
                      "dec %0\n"
                      "jnz 1b\n"
                      "vzeroupper\n"
                      : "+r"(rounds)
                      :
                      : "cc", "xmm0", "xmm1", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
                        "xmm14", "xmm15");
}

static void
run_avx2 (void)
{
    uint64_t rounds = ROUNDS;
    __asm__ volatile ("1:\n"
                      ".irp n, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
                      "vpmaddubsw %%ymm0, %%ymm1, %%ymm2\n"
                      "vpmaddwd %%ymm1, %%ymm2, %%ymm2\n"
                      "vpaddd %%ymm2, %%ymm\\n, %%ymm\\n\n"
                      ".endr\n"
                      "dec %0\n"
                      "jnz 1b\n"
                      "vzeroupper\n"
                      : "+r"(rounds)
                      :
                      : "cc", "xmm0", "xmm1", "xmm2", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                        "xmm13", "xmm14", "xmm15");
}

double
peak_measure (const char *kernel, double seconds)
{
    void (*run) (void) = NULL;
    double lanes = 0; /* products a chain a round */
    if (strcmp (kernel, "avx512vnni") == 0 && __builtin_cpu_supports ("avx512vnni")) {
        run = run_avx512vnni;
        lanes = 64;
    } else if (strcmp (kernel, "avx2") == 0 && __builtin_cpu_supports ("avx2")) {
        run = run_avx2;
        lanes = 32;
    }
    if (!run)
        return 0;
    int64_t start = cpu_us (), spent = 0;
    double done = 0;
    for (; (double) spent < seconds * 1e6; spent = cpu_us () - start) {
        run ();
        done += ROUNDS * CHAINS * lanes;
    }
    return done / (double) spent / 1e3;
}

#else

double
peak_measure (const char *kernel UNUSED, double seconds UNUSED)
{
    return 0;
}

#endif
