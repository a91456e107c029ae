/* Which migrations there are, and what is filled in. SPDX-License-Identifier: MPL-2.0 */
#include "db/migrate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void
places_are_filled_in (void **state UNUSED)
{
    static const struct {
        const char *sql;
        int64_t dimensions;
        const char *filled;
    } rows[] = {
        { "", 1, "" },
        { "vector($DIMENSIONS)", 384, "vector(384)" },
        { "'$DIMENSIONS' $DIMENSIONS", 16000, "'16000' 16000" },
        { "$INDEX CREATE INDEX", MIGRATE_INDEX_MOST, " CREATE INDEX" },
        { "$INDEX CREATE INDEX", MIGRATE_INDEX_MOST + 1, "--  CREATE INDEX" },
        { "$1 $$body$$ $ $DIM $INDE", 7, "$1 $$body$$ $ $DIM $INDE" },
        { "costs 5$", 7, "costs 5$" },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        char *filled = migrate_fill (rows[i].sql, rows[i].dimensions);
        assert_string_equal (filled, rows[i].filled);
        free (filled);
    }
}

static void
the_newest_file_is_the_version_the_program_wants (void **state UNUSED)
{
    struct migration *list;
    size_t count;
    char reason[DB_REASON_SIZE] = "";
    int r = migrate_list (SOURCE_DIR "/sql", &list, &count, reason);
    assert_string_equal (reason, "");
    assert_int_equal (r, 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal (list[i].version, i + 1); /* no gaps */
    assert_int_equal (list[count - 1].version, MIGRATE_VERSION);
    migrate_free_list (&list, count);
    assert_null (list);
}

static void
put (const char *folder, const char *name)
{
    char *path = mem_printf ("%s/%s", folder, name);
    FILE *file = fopen (path, "w");
    assert_non_null (file);
    fclose (file);
    free (path);
}

static void
take_away (const char *folder, const char *name)
{
    char *path = mem_printf ("%s/%s", folder, name);
    assert_int_equal (unlink (path), 0);
    free (path);
}

static void
files_come_by_number_and_each_number_once (void **state UNUSED)
{
    static const char *const others[] = { "003_c.sql.old", "x_4.sql",    "README",
                                          "4.sql",         "0_zero.sql", "_5.sql" };
    char folder[] = "/tmp/migrate-test-XXXXXX", reason[DB_REASON_SIZE] = "";
    struct migration *list;
    size_t count;
    assert_non_null (mkdtemp (folder));
    for (size_t i = 0; i < COUNT_OF (others); i++)
        put (folder, others[i]);
    assert_int_equal (migrate_list (folder, &list, &count, reason), -EINVAL);
    put (folder, "010_b.sql");
    put (folder, "2_a.sql");
    assert_int_equal (migrate_list (folder, &list, &count, reason), 0);
    assert_int_equal (count, 2);
    assert_string_equal (list[0].name, "2_a.sql");
    assert_int_equal (list[1].version, 10);
    migrate_free_list (&list, count);
    put (folder, "0002_again.sql");
    assert_int_equal (migrate_list (folder, &list, &count, reason), -EINVAL);
    assert_non_null (strstr (reason, "0002_again.sql"));
    for (size_t i = 0; i < COUNT_OF (others); i++)
        take_away (folder, others[i]);
    take_away (folder, "010_b.sql");
    take_away (folder, "2_a.sql");
    take_away (folder, "0002_again.sql");
    assert_int_equal (rmdir (folder), 0);
    assert_int_equal (migrate_list (folder, &list, &count, reason), -EIO);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (places_are_filled_in),
        cmocka_unit_test (the_newest_file_is_the_version_the_program_wants),
        cmocka_unit_test (files_come_by_number_and_each_number_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
