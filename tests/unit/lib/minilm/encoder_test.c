/* Of the encoder, what a mean over tokens hides: single values as bytes.
 * SPDX-License-Identifier: MPL-2.0 */
#define KERNEL test
#include "minilm/encoder.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* The least and the largest value, and with them zero, lie between two levels. */
static void
values_between_two_levels_stay_where_they_are (void **state UNUSED)
{
    for (int k = 0; k < 255; k++) {
        float row[HEAD_SIZE] = { -((float) k + 0.5f), 254.5f - (float) k };
        uint8_t levels[HEAD_SIZE];
        struct scale scale = quantise (row, HEAD_SIZE, levels);
        for (int i = 0; i < HEAD_SIZE; i++)
            if (fabsf ((float) (levels[i] - scale.zero) * scale.scale - row[i]) > scale.scale)
                fail_msg ("%g became %d, where zero is %d", (double) row[i], levels[i], scale.zero);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (values_between_two_levels_stay_where_they_are) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
