/* UUIDs of version 7: their layout, their order, their text.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static int64_t
ms_of (const struct uuid *uuid)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | uuid->bytes[i];
    return ms;
}

static void
has_time_version_and_variant (void **state UNUSED)
{
    for (int i = 0; i < 1000; i++) {
        int64_t before = clock_wall_us () / 1000;
        struct uuid uuid = uuid_v7 ();
        int64_t after = clock_wall_us () / 1000;
        assert_true (before <= ms_of (&uuid) && ms_of (&uuid) <= after);
        assert_int_equal (uuid.bytes[6] >> 4, 7);
        assert_int_equal (uuid.bytes[8] >> 6, 2);
    }
}

static void
later_ones_sort_behind (void **state UNUSED)
{
    struct uuid last = uuid_v7 ();
    for (int i = 0; i < 20; i++) {
        nanosleep (&(struct timespec){ 0, 1100000 }, NULL);
        struct uuid next = uuid_v7 ();
        assert_true (memcmp (last.bytes, next.bytes, 16) < 0);
        last = next;
    }
}

static void
random_part_never_repeats (void **state UNUSED)
{
    struct uuid all[500];
    for (size_t i = 0; i < COUNT_OF (all); i++) {
        all[i] = uuid_v7 ();
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal (all[i].bytes + 8, all[j].bytes + 8, 8);
    }
}

static void
text_goes_both_ways (void **state UNUSED)
{
    static const char text[] = "019a8fae-f800-7a3c-9d12-0f1e2d3c4b5a";
    char back[UUID_TEXT_SIZE];
    struct uuid uuid, upper;
    assert_int_equal (uuid_parse (text, &uuid), 0);
    assert_int_equal (uuid.bytes[0], 0x01);
    assert_int_equal (uuid.bytes[15], 0x5a);
    assert_string_equal (uuid_format (&uuid, back), text);
    assert_int_equal (uuid_parse ("019A8FAE-F800-7A3C-9D12-0F1E2D3C4B5A", &upper), 0);
    assert_true (uuid_equal (&uuid, &upper));
    assert_false (uuid_is_nil (&uuid));
    assert_int_equal (uuid_parse ("00000000-0000-0000-0000-000000000000", &uuid), 0);
    assert_true (uuid_is_nil (&uuid));
}

static void
other_texts_are_refused (void **state UNUSED)
{
    static const char *const texts[] = {
        "", "019a8fae", "019a8fae-f800-7a3c-9d12-0f1e2d3c4b5", "019a8fae-f800-7a3c-9d12-0f1e2d3c4b5a0",
        "019a8faef8007a3c9d120f1e2d3c4b5a", "019a8fae-f800-7a3c-9d12_0f1e2d3c4b5a", "g19a8fae-f800-7a3c-9d12-0f1e2d3c4b5a",
        "019a8fae-f800-7a3c-9d12-0f1e2d3c4b5 ", "019a8faef-800-7a3c-9d12-0f1e2d3c4b5a", "------------------------------------",
    };
    struct uuid uuid = { { 9 } };
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        assert_int_equal (uuid_parse (texts[i], &uuid), -EINVAL);
    assert_int_equal (uuid.bytes[0], 9);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (has_time_version_and_variant),
        cmocka_unit_test (later_ones_sort_behind),
        cmocka_unit_test (random_part_never_repeats),
        cmocka_unit_test (text_goes_both_ways),
        cmocka_unit_test (other_texts_are_refused),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
