/* Tables as a terminal shows them. SPDX-License-Identifier: MPL-2.0 */
#include "cli/table.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
columns_are_aligned (void **state UNUSED)
{
    static const struct table_column columns[] = { { "NAME", TABLE_LEFT, 0 },
                                                   { "N", TABLE_RIGHT, 0 },
                                                   { "NOTE", TABLE_LEFT, 0 } };
    struct table *table = table_new (columns, COUNT_OF (columns));
    struct buf out = { 0 };
    table_add (table, "a");
    table_addf (table, "%d", 5);
    table_add (table, "first");
    table_add (table, "longer");
    table_addf (table, "%d", 1234);
    table_add (table, NULL);
    table_format (table, 0, &out);
    assert_string_equal (out.data, "NAME       N  NOTE\n"
                                   "a          5  first\n"
                                   "longer  1234\n");
    buf_fini (&out);
    table_destroy (&table);
    assert_null (table);
    table_destroy (&table);
}

static size_t
widest_line (const char *text)
{
    size_t widest = 0;
    for (size_t n; *text; text += n + (text[n] == '\n')) {
        n = strcspn (text, "\n");
        char *line = mem_copy (text, n);
        widest = MAX_OF (widest, table_text_width (line));
        free (line);
    }
    return widest;
}

static void
lines_fit_as_long_as_columns_may_shrink (void **state UNUSED)
{
    static const struct table_column columns[] = { { "ID", TABLE_LEFT, 0 },
                                                   { "TITLE", TABLE_LEFT, 8 },
                                                   { "WHY", TABLE_LEFT, 6 } };
    struct table *table = table_new (columns, COUNT_OF (columns));
    struct buf out = { 0 };
    table_add (table, "0123456789");
    table_add (table, "a title that is far too long for this");
    table_add (table, "and a reason, likewise");
    for (size_t width = 30; width < 80; width++) {
        buf_clear (&out);
        table_format (table, width, &out);
        assert_true (widest_line (out.data) <= width);
        assert_non_null (strstr (out.data, "0123456789"));
    }
    buf_clear (&out);
    table_format (table, 5, &out); /* what may not shrink stays */
    assert_int_equal (widest_line (out.data), 10 + 2 + 8 + 2 + 6);
    buf_fini (&out);
    table_destroy (&table);
}

static void
text_is_cut_at_letters (void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t width;
        enum table_align align;
        const char *fitted;
    } rows[] = {
        { "abc", 5, TABLE_LEFT, "abc  " },
        { "abc", 5, TABLE_RIGHT, "  abc" },
        { "abcdef", 4, TABLE_LEFT, "abc\xe2\x80\xa6" },
        { "abcdef", 6, TABLE_LEFT, "abcdef" },
        { "abcdef", 0, TABLE_LEFT, "abcdef" },
        { "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", 3, TABLE_LEFT, "\xc3\xa4\xc3\xb6\xe2\x80\xa6" },
        { "\xe6\x96\xb0\xe8\x81\x9e\xe7\xa4\xbe", 4, TABLE_LEFT,
          "\xe6\x96\xb0\xe2\x80\xa6 " }, /* wide letters */
        { "", 2, TABLE_LEFT, "  " },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct buf out = { 0 };
        table_fit (&out, rows[i].text, rows[i].width, rows[i].align, true);
        assert_string_equal (out.data, rows[i].fitted);
        buf_fini (&out);
    }
}

static void
outside_text_cannot_steer_the_terminal (void **state UNUSED)
{
    struct buf out = { 0 };
    table_fit (&out,
               "a\033[2Jb\nc\x7f\xc2\x9b"
               "d\xe2\x80\xae"
               "e\xff",
               0, TABLE_LEFT, false);
    assert_string_equal (out.data, "a [2Jb c  d e\xef\xbf\xbd");
    buf_fini (&out);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (columns_are_aligned),
        cmocka_unit_test (lines_fit_as_long_as_columns_may_shrink),
        cmocka_unit_test (text_is_cut_at_letters),
        cmocka_unit_test (outside_text_cannot_steer_the_terminal),
    };
    if (!setlocale (LC_CTYPE, "C.UTF-8"))
        return 1;
    return cmocka_run_group_tests (tests, NULL, NULL);
}
