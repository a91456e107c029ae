/* WIRE.md and the tables of wire.c say the same, and the example on the page is what the code writes.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/proto/vectors.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const kind_words[] = {
    [WIRE_U32] = "u32",   [WIRE_U64] = "u64",   [WIRE_I64] = "i64",
    [WIRE_F64] = "f64",   [WIRE_TEXT] = "text", [WIRE_BINARY] = "binary",
};

static char *page;

static int
open_page (void **state UNUSED)
{
    page = file_read ("proto/WIRE.md");
    return 0;
}

static int
close_page (void **state UNUSED)
{
    free (page);
    return 0;
}

/* The text between a heading and the next of the same or a higher level. given (free) */
static char *
section (const char *heading)
{
    char *start = mem_printf ("\n%s\n", heading);
    const char *from = strstr (page, start);
    if (!from)
        fail_msg ("the page has no section \"%s\"", heading);
    from += strlen (start);
    const char *to = from;
    size_t level = strspn (heading, "#");
    for (; (to = strstr (to, "\n#")) != NULL; to++)
        if (strspn (to + 1, "#") <= level)
            break;
    free (start);
    return mem_copy (from, to ? (size_t) (to - from) : strlen (from));
}

/* The cells of the next row whose second cell is `code`; moves *at behind it. The count of cells, 0 at the end. */
static size_t
next_field (char **at, char *cells[8])
{
    while (*at && **at) {
        char *line = *at, *end = strchr (line, '\n');
        *at = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        if (*line != '|')
            continue;
        size_t count = 0;
        char *save = NULL;
        for (char *cell = strtok_r (line, "|", &save); cell && count < 8; cell = strtok_r (NULL, "|", &save)) {
            cell += strspn (cell, " ");
            size_t size = strlen (cell);
            while (size && cell[size - 1] == ' ')
                cell[--size] = '\0';
            cells[count++] = cell;
        }
        if (count > 4 && cells[1][0] == '`')
            return count;
    }
    return 0;
}

static char *
limit_words (const struct wire_field *field)
{
    if (!field->most)
        return mem_dup ("-");
    return field->each ? mem_printf ("%" PRIu64 " by %u", field->most, (unsigned) field->each)
                       : mem_printf ("%" PRIu64, field->most);
}

static void
page_has_every_field_in_order_and_no_other (void **state UNUSED)
{
    size_t count;
    const struct wire_layout *layouts = wire_layouts (&count);
    for (size_t m = 0; m < count; m++) {
        const struct wire_layout *layout = &layouts[m];
        char *heading = mem_printf ("### %s (%d)", layout->name, (int) layout->type);
        char *text = section (heading), *at = text, *cells[8];
        for (size_t i = 0; i < layout->field_count; i++) {
            const struct wire_field *field = &layout->fields[i];
            char *name = mem_printf ("`%s`", field->name), *number = mem_printf ("%zu", i + 1);
            char *limit = limit_words (field);
            if (!next_field (&at, cells))
                fail_msg ("%s: the page has no field %s", heading, name);
            assert_string_equal (cells[0], number);
            assert_string_equal (cells[1], name);
            if (strcmp (cells[2], kind_words[field->kind]) != 0)
                fail_msg ("%s %s is %s, not %s", heading, name, kind_words[field->kind], cells[2]);
            if (strcmp (cells[3], limit) != 0)
                fail_msg ("%s %s has the limit %s, not %s", heading, name, limit, cells[3]);
            free (name);
            free (number);
            free (limit);
        }
        if (next_field (&at, cells))
            fail_msg ("%s: the page names %s, the code does not", heading, cells[1]);
        free (text);
        free (heading);
    }
}

static void
page_has_every_message_and_no_other (void **state UNUSED)
{
    size_t count, headings = 0;
    const struct wire_layout *layouts = wire_layouts (&count);
    char *text = section ("## Messages");
    for (const char *at = text; (at = strstr (at, "\n### ")) != NULL; at++)
        headings++;
    assert_int_equal (headings, count);
    for (size_t i = 0; i < count; i++) {
        char *row = mem_printf ("\n| %d | %s | ", (int) layouts[i].type, layouts[i].name);
        assert_non_null (strstr (text, row));
        free (row);
    }
    free (text);
}

static void
page_numbers_links_as_the_code_does (void **state UNUSED)
{
    char *text = section ("## Who talks to whom");
    for (int i = 0; i < WIRE_LINK_COUNT; i++) {
        char *row = mem_printf ("\n| %d | %s | %s | ", i, wire_link_name ((enum wire_link) i),
                                wire_link_fans_out ((enum wire_link) i) ? "PUB to XSUB" : "PUSH to PULL");
        if (!strstr (text, row))
            fail_msg ("the page has no row \"%s\"", row + 1);
        free (row);
    }
    free (text);
}

static void
page_numbers_outcomes_classes_states_and_kinds_as_the_code_does (void **state UNUSED)
{
    static const struct { const char *section, *name; int value; } words[] = {
        { "### RESULT (2)", "DONE", WIRE_DONE },
        { "### RESULT (2)", "FAILED", WIRE_FAILED },
        { "### RESULT (2)", "RETURNED", WIRE_RETURNED },
        { "### RESULT (2)", "SPENT", WIRE_SPENT },
        { "### RESULT (2)", "NO_FAULT", WIRE_NO_FAULT },
        { "### RESULT (2)", "TRANSIENT", WIRE_TRANSIENT },
        { "### RESULT (2)", "BLAMED", WIRE_BLAMED },
        { "### RESULT (2)", "REFUSED", WIRE_REFUSED },
        { "### HEARTBEAT (3)", "ALIVE", WIRE_ALIVE },
        { "### HEARTBEAT (3)", "LEAVING", WIRE_LEAVING },
        { "### EVENT (5)", "RUN_OPENED", WIRE_RUN_OPENED },
        { "### EVENT (5)", "RUN_PROGRESS", WIRE_RUN_PROGRESS },
        { "### EVENT (5)", "RUN_CLOSED", WIRE_RUN_CLOSED },
        { "### EVENT (5)", "GATE", WIRE_GATE },
        { "### EVENT (5)", "BREAKER", WIRE_BREAKER },
    };
    for (size_t i = 0; i < COUNT_OF (words); i++) {
        char *text = section (words[i].section), *row = mem_printf ("\n| %d | `%s` | ", words[i].value, words[i].name);
        if (!strstr (text, row))
            fail_msg ("%s has no row \"%s\"", words[i].section, row + 1);
        free (row);
        free (text);
    }
}

static void
page_states_the_sizes_of_the_code (void **state UNUSED)
{
    char *version = mem_printf ("version   = %%x%02x / %%x%02x\n", WIRE_VERSION_OLDEST, WIRE_VERSION);
    char *header = mem_printf ("Its %d bytes are the same in every message", WIRE_HEADER_BYTES);
    char *frame = mem_printf ("A message has at most %u bytes.", WIRE_FRAME_MAX);
    char *ports = mem_printf ("takes %d ports", 2 * WIRE_LINK_COUNT);
    assert_non_null (strstr (page, version));
    assert_non_null (strstr (page, header));
    assert_non_null (strstr (page, frame));
    assert_non_null (strstr (page, ports));
    free (version);
    free (header);
    free (frame);
    free (ports);
}

static void
example_is_the_golden_vector (void **state UNUSED)
{
    struct buf shown = { 0 }, golden = { 0 };
    char *text = section ("## An example");
    const char *from = strstr (text, "```hex\n"), *to = from ? strstr (from + 7, "```") : NULL;
    assert_non_null (to);
    hex_read (from + 7, (size_t) (to - from) - 7, &shown);
    vector_read ("event-gate", &golden);
    assert_int_equal (shown.len, golden.len);
    assert_memory_equal (shown.data, golden.data, golden.len);
    char *size = mem_printf (" %zu bytes:", golden.len);
    assert_non_null (strstr (text, size));
    free (size);
    free (text);
    buf_fini (&shown);
    buf_fini (&golden);
}

static void
every_file_of_vectors_is_tested (void **state UNUSED)
{
    DIR *folder = opendir (SOURCE_DIR "/proto/vectors");
    size_t files = 0;
    assert_non_null (folder);
    for (struct dirent *e; (e = readdir (folder)) != NULL;) {
        bool known = *e->d_name == '.';
        files += *e->d_name != '.';
        for (size_t i = 0; i < vector_count && !known; i++)
            known = strncmp (e->d_name, vectors[i].name, strlen (vectors[i].name)) == 0
                    && strcmp (e->d_name + strlen (vectors[i].name), ".hex") == 0;
        for (size_t i = 0; i < old_vector_count && !known; i++)
            known = strncmp (e->d_name, old_vectors[i].name, strlen (old_vectors[i].name)) == 0;
        if (!known)
            fail_msg ("no test knows proto/vectors/%s", e->d_name);
    }
    closedir (folder);
    assert_int_equal (files, vector_count + old_vector_count);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (page_has_every_field_in_order_and_no_other),
        cmocka_unit_test (page_has_every_message_and_no_other),
        cmocka_unit_test (page_numbers_links_as_the_code_does),
        cmocka_unit_test (page_numbers_outcomes_classes_states_and_kinds_as_the_code_does),
        cmocka_unit_test (page_states_the_sizes_of_the_code),
        cmocka_unit_test (example_is_the_golden_vector),
        cmocka_unit_test (every_file_of_vectors_is_tested),
    };
    return cmocka_run_group_tests (tests, open_page, close_page);
}
