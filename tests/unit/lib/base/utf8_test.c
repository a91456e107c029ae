/* UTF-8 as RFC 3629 has it, on bytes behind which nothing can be read.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/guard.h"

static struct guard guard;

static int
open_guard (void **state UNUSED)
{
    guard = guard_open (4096);
    return 0;
}

static int
close_guard (void **state UNUSED)
{
    guard_close (&guard);
    return 0;
}

static void
every_code_point_survives (void **state UNUSED)
{
    for (uint32_t point = 0; point <= 0x110000; point++) {
        char code[4];
        uint32_t back = 0;
        size_t size = utf8_encode (point, code);
        bool legal = point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
        if (utf8_decode (code, size, &back) != size || back != (legal ? point : 0xfffd))
            fail_msg ("U+%04X became U+%04X", (unsigned) point, (unsigned) back);
    }
}

static void
lengths_are_the_shortest (void **state UNUSED)
{
    static const struct { uint32_t point; size_t size; } cases[] = {
        { 0, 1 }, { 0x7f, 1 }, { 0x80, 2 }, { 0x7ff, 2 }, { 0x800, 3 }, { 0xffff, 3 }, { 0x10000, 4 }, { 0x10ffff, 4 },
    };
    char code[4];
    for (size_t i = 0; i < COUNT_OF (cases); i++)
        assert_int_equal (utf8_encode (cases[i].point, code), cases[i].size);
}

static void
illegal_sequences_are_refused (void **state UNUSED)
{
    static const char *const cases[] = {
        "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xc3", "\xe2\x82",
        "\xf0\x9f\x98", "\xc3(", "\xe2(\xac", "\xe2\x82(", "\xf0\x9f\x98(",
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        size_t size = strlen (cases[i]);
        uint32_t point = 7;
        if (utf8_decode (guard_put (&guard, cases[i], size), size, &point) != 0 || point != 7)
            fail_msg ("case %zu is taken", i);
        assert_int_equal (utf8_valid_bytes (guard_put (&guard, cases[i], size), size), 0);
    }
    assert_int_equal (utf8_decode (guard_put (&guard, "", 0), 0, &(uint32_t){ 0 }), 0);
}

/* The scan goes by words of eight: a fault must be found at every distance from a word's border, and from the end. */
static void
fault_is_found_at_every_place (void **state UNUSED)
{
    for (size_t size = 1; size <= 40; size++)
        for (size_t at = 0; at < size; at++) {
            char text[40];
            memset (text, 'a', sizeof text);
            assert_int_equal (utf8_valid_bytes (guard_put (&guard, text, size), size), size);
            text[at] = (char) 0xff;
            assert_int_equal (utf8_valid_bytes (guard_put (&guard, text, size), size), at);
            text[at] = (char) 0xc3; /* a lead byte, followed by a letter or by the end */
            assert_int_equal (utf8_valid_bytes (guard_put (&guard, text, size), size), at);
        }
}

static void
cut_letters_end_the_valid_part (void **state UNUSED)
{
    static const char text[] = "abc\xf0\x9f\x98\x80" "def\xe2\x82\xac";
    static const size_t borders[] = { 0, 1, 2, 3, 3, 3, 3, 7, 8, 9, 10, 10, 10, 13 };
    for (size_t size = 0; size < sizeof text; size++)
        assert_int_equal (utf8_valid_bytes (guard_put (&guard, text, size), size), borders[size]);
}

static void
clean_text_is_what_databases_take (void **state UNUSED)
{
    static const struct { const char *text; size_t size, most; const char *expect; } cases[] = {
        { "", 0, 0, "" },
        { "plain", 5, 0, "plain" },
        { "na\xc3\xafve", 6, 0, "na\xc3\xafve" },
        { "a\0b", 3, 0, "ab" },
        { "\0", 1, 0, "" },
        { "a\xff" "b", 3, 0, "a\xef\xbf\xbd" "b" },
        { "a\xc3", 2, 0, "a\xef\xbf\xbd" },
        { "abcdef", 6, 3, "abc" },
        { "abcdef", 6, 6, "abcdef" },
        { "ab\xc3\xa9", 4, 3, "ab" },
        { "ab\xc3\xa9", 4, 4, "ab\xc3\xa9" },
        { "ab\xf0\x9f\x98\x80", 6, 5, "ab" },
        { "a\xff", 2, 3, "a" }, /* U+FFFD needs three bytes, two are left */
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *clean = utf8_clean (guard_put (&guard, cases[i].text, cases[i].size), cases[i].size, cases[i].most);
        assert_string_equal (clean, cases[i].expect);
        free (clean);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (every_code_point_survives),
        cmocka_unit_test (lengths_are_the_shortest),
        cmocka_unit_test (illegal_sequences_are_refused),
        cmocka_unit_test (fault_is_found_at_every_place),
        cmocka_unit_test (cut_letters_end_the_valid_part),
        cmocka_unit_test (clean_text_is_what_databases_take),
    };
    return cmocka_run_group_tests (tests, open_guard, close_guard);
}
