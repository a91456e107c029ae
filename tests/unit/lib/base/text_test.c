/* Numbers, buffers, times and log lines.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
numbers_are_whole_or_refused (void **state UNUSED)
{
    static const struct { const char *text; int64_t least, most; int expect; int64_t value; } cases[] = {
        { "0", 0, 10, 0, 0 },
        { "10", 0, 10, 0, 10 },
        { "007", 0, 10, 0, 7 },
        { "+5", 0, 10, 0, 5 },
        { "-3", -3, 10, 0, -3 },
        { "9223372036854775807", 0, INT64_MAX, 0, INT64_MAX },
        { "-9223372036854775808", INT64_MIN, 0, 0, INT64_MIN },
        { "11", 0, 10, -ERANGE, 0 },
        { "-1", 0, 10, -ERANGE, 0 },
        { "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
        { "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
        { "99999999999999999999999999", 0, 10, -ERANGE, 0 },
        { "", 0, 10, -EINVAL, 0 },
        { " 5", 0, 10, -EINVAL, 0 },
        { "5 ", 0, 10, -EINVAL, 0 },
        { "5x", 0, 10, -EINVAL, 0 },
        { "0x5", 0, 10, -EINVAL, 0 },
        { "5.0", 0, 10, -EINVAL, 0 },
        { "-", 0, 10, -EINVAL, 0 },
        { "+-5", -10, 10, -EINVAL, 0 },
        { "five", 0, 10, -EINVAL, 0 },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        int64_t value = 77;
        int r = num_parse (cases[i].text, cases[i].least, cases[i].most, &value);
        if (r != cases[i].expect || value != (r == 0 ? cases[i].value : 77))
            fail_msg ("\"%s\": %d", cases[i].text, r);
    }
}

static void
hash_is_the_published_one (void **state UNUSED)
{
    assert_true (num_hash ("", 0) == UINT64_C (0xcbf29ce484222325));
    assert_true (num_hash ("a", 1) == UINT64_C (0xaf63dc4c8601ec8c));
    assert_true (num_hash ("foobar", 6) == UINT64_C (0x85944171f73967e8));
}

static void
buffer_grows_and_keeps_a_nul_behind (void **state UNUSED)
{
    struct buf buf = { 0 };
    for (int i = 0; i < 5000; i++) {
        buf_add_char (&buf, (char) ('a' + i % 26));
        assert_int_equal (buf.data[buf.len], '\0');
    }
    assert_int_equal (buf.len, 5000);
    for (int i = 0; i < 5000; i++)
        assert_int_equal (buf.data[i], 'a' + i % 26);
    size_t room = buf.cap;
    buf_clear (&buf);
    assert_string_equal (buf.data, "");
    assert_int_equal (buf.cap, room);
    buf_fini (&buf);
    assert_null (buf.data);
    buf_fini (&buf);
}

static void
buffer_takes_any_bytes_and_formats (void **state UNUSED)
{
    struct buf buf = { 0 };
    buf_add (&buf, NULL, 0);
    assert_string_equal (buf.data, "");
    buf_add (&buf, "a\0b", 3);
    buf_add_str (&buf, "-");
    buf_printf (&buf, "%s%05d", "x", 42);
    buf_printf (&buf, "%s", "");
    assert_int_equal (buf.len, 10);
    assert_memory_equal (buf.data, "a\0b-x00042", 11);
    char *taken = buf_take (&buf);
    assert_memory_equal (taken, "a\0b-x00042", 11);
    assert_null (buf.data);
    assert_int_equal (buf.len + buf.cap, 0);
    free (taken);
    taken = buf_take (&buf);
    assert_string_equal (taken, "");
    free (taken);
    char long_text[3000];
    memset (long_text, 'y', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    buf_printf (&buf, "%s%s", long_text, long_text);
    assert_int_equal (buf.len, 2 * strlen (long_text));
    buf_fini (&buf);
}

static void
times_are_rfc_3339 (void **state UNUSED)
{
    static const struct { int64_t us; const char *expect; } cases[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 999, "1970-01-01T00:00:00.000Z" },
        { 1000, "1970-01-01T00:00:00.001Z" },
        { -1, "1969-12-31T23:59:59.999Z" },
        { -US_PER_S, "1969-12-31T23:59:59.000Z" },
        { INT64_C (1763347200000000), "2025-11-17T02:40:00.000Z" },
        { INT64_C (1763347203245999), "2025-11-17T02:40:03.245Z" },
        { INT64_C (1709164800000000), "2024-02-29T00:00:00.000Z" },
        { INT64_C (253402300799999999), "9999-12-31T23:59:59.999Z" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char text[CLOCK_TEXT_SIZE];
        assert_string_equal (clock_format (cases[i].us, text), cases[i].expect);
    }
    static const int64_t extremes[] = { INT64_MIN, INT64_MAX };
    for (size_t i = 0; i < COUNT_OF (extremes); i++) {
        char text[CLOCK_TEXT_SIZE];
        assert_true (strlen (clock_format (extremes[i], text)) >= 24);
    }
}

static void
clocks_agree_on_their_units (void **state UNUSED)
{
    int64_t ms = clock_mono_ms (), us = clock_mono_us ();
    assert_true (us / 1000 >= ms && us / 1000 - ms < 5000);
    assert_true (clock_wall_us () > INT64_C (1700000000000000));
}

static void
quoted_text_cannot_break_a_log_line (void **state UNUSED)
{
    static const struct { const char *text, *expect; } cases[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "a \"b\" \\c", "\"a \\\"b\\\" \\\\c\"" },
        { "a\nb\r\x1b[31m\x7f", "\"a\\x0ab\\x0d\\x1b[31m\\x7f\"" },
        { "na\xc3\xafve \xe2\x82\xac", "\"na\xc3\xafve \xe2\x82\xac\"" },
        { "\xc2\x9b" "2J", "\"\\xc2\\x9b2J\"" }, /* U+009B begins terminal sequences, as ESC [ does */
        { "\xff\xc3", "\"\\xff\\xc3\"" },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char out[LOG_QUOTE_SIZE];
        assert_string_equal (log_quote (cases[i].text, out), cases[i].expect);
    }
    char out[LOG_QUOTE_SIZE];
    assert_string_equal (log_quote (NULL, out), "\"\"");
}

static void
long_text_is_cut_at_a_letter (void **state UNUSED)
{
    static const char *const letters[] = { "a", "\"", "\n", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff" };
    for (size_t i = 0; i < COUNT_OF (letters); i++)
        for (size_t shift = 0; shift < 8; shift++) {
            struct buf text = { 0 };
            char *out = mem_alloc (LOG_QUOTE_SIZE); /* exactly: a sanitizer sees one byte too many */
            for (size_t j = 0; j < shift; j++)
                buf_add_char (&text, 'x');
            for (int j = 0; j < 400; j++)
                buf_add_str (&text, letters[i]);
            size_t size = strlen (log_quote (text.data, out));
            assert_true (size > LOG_QUOTE_SIZE - 12 && size < LOG_QUOTE_SIZE);
            assert_int_equal (out[size - 1], '"');
            assert_int_equal (utf8_valid_bytes (out, size), size);
            free (out);
            buf_fini (&text);
        }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (numbers_are_whole_or_refused),
        cmocka_unit_test (hash_is_the_published_one),
        cmocka_unit_test (buffer_grows_and_keeps_a_nul_behind),
        cmocka_unit_test (buffer_takes_any_bytes_and_formats),
        cmocka_unit_test (times_are_rfc_3339),
        cmocka_unit_test (clocks_agree_on_their_units),
        cmocka_unit_test (quoted_text_cannot_break_a_log_line),
        cmocka_unit_test (long_text_is_cut_at_a_letter),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
