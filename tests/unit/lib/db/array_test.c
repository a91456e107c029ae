/* The bytes, as array_send in PostgreSQL's arrayfuncs.c writes them. SPDX-License-Identifier: MPL-2.0 */
#include "db/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void
expect (struct buf *array, const char *bytes, size_t count)
{
    assert_int_equal (array->len, count);
    assert_memory_equal (array->data, bytes, count);
    buf_fini (array);
}
#define EXPECT(array, bytes) expect (array, bytes, sizeof (bytes) - 1)

static void
an_empty_array_has_no_dimension (void **state UNUSED)
{
    struct buf array = { 0 };
    db_array_begin (&array, DB_OID_TEXT, 0);
    EXPECT (&array, "\0\0\0\0" "\0\0\0\0" "\0\0\0\x19");
}

static void
texts_and_nulls_go_by_length (void **state UNUSED)
{
    struct buf array = { 0 };
    db_array_begin (&array, DB_OID_TEXT, 3);
    db_array_add_text (&array, "{\",}");
    db_array_add_text (&array, NULL);
    db_array_add_text (&array, "");
    EXPECT (&array, "\0\0\0\1" "\0\0\0\0" "\0\0\0\x19" "\0\0\0\3" "\0\0\0\1"
                    "\0\0\0\4{\",}" "\xff\xff\xff\xff" "\0\0\0\0");
}

static void
numbers_are_big_endian (void **state UNUSED)
{
    struct buf array = { 0 };
    db_array_begin (&array, DB_OID_INT8, 2);
    db_array_add_int8 (&array, 258);
    db_array_add_int8 (&array, -2);
    EXPECT (&array, "\0\0\0\1" "\0\0\0\0" "\0\0\0\x14" "\0\0\0\2" "\0\0\0\1"
                    "\0\0\0\x8" "\0\0\0\0\0\0\1\2" "\0\0\0\x8" "\xff\xff\xff\xff\xff\xff\xff\xfe");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (an_empty_array_has_no_dimension),
        cmocka_unit_test (texts_and_nulls_go_by_length),
        cmocka_unit_test (numbers_are_big_endian),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
