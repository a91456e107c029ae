/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/embedder/memory.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DIMENSIONS 4
#define PLENTY ((size_t) 1 << 20)

struct log {
    char text[256];
};

static void
note (void *context, void *waiter)
{
    struct log *log = context;
    strncat (log->text, (const char *) waiter, sizeof log->text - strlen (log->text) - 1);
}

static struct memory_entry *
ask (struct memory *memory, const char *heading, const char *text, const char *waiter, bool wanted_first)
{
    bool first;
    struct memory_entry *entry = memory_ask (memory, heading, text, strlen (text), (void *) (uintptr_t) waiter, &first);
    assert_int_equal (first, wanted_first);
    return entry;
}

static void
learn (struct memory *memory, struct memory_entry *entry, float value, const char *told)
{
    const float vector[DIMENSIONS] = { value, 1, 2, 3 };
    struct log log = { "" };
    memory_learn (memory, entry, vector, "a-model", note, &log);
    assert_string_equal (log.text, told);
}

static void
the_same_text_is_asked_for_once (void **state UNUSED)
{
    struct memory *memory = memory_new (DIMENSIONS, PLENTY);
    struct memory_entry *entry = ask (memory, NULL, "some words", "a", true);
    assert_null (memory_vector (entry));
    assert_ptr_equal (ask (memory, NULL, "some words", "b", false), entry);
    assert_ptr_equal (ask (memory, "", "some words", "c", false), entry);
    struct memory_entry *other = ask (memory, NULL, "other words", "x", true);
    learn (memory, entry, 7, "abc");
    assert_ptr_equal (ask (memory, NULL, "some words", "d", false), entry);
    assert_true (memory_vector (entry)[0] == 7 && memory_vector (entry)[3] == 3);
    assert_string_equal (memory_model (entry), "a-model");
    assert_null (memory_vector (other));
    learn (memory, other, 8, "x"); /* d had its answer at once */
    memory_destroy (&memory);
    assert_null (memory);
}

static void
a_heading_makes_another_text (void **state UNUSED)
{
    struct memory *memory = memory_new (DIMENSIONS, PLENTY);
    learn (memory, ask (memory, "Title", "words", "a", true), 1, "a");
    learn (memory, ask (memory, "Other", "words", "b", true), 2, "b");
    learn (memory, ask (memory, NULL, "Titlewords", "c", true), 3, "c");
    learn (memory, ask (memory, "Title\nwo", "rds", "d", true), 4, "d");
    assert_true (memory_vector (ask (memory, "Title", "words", "-", false))[0] == 1);
    assert_true (memory_vector (ask (memory, "Other", "words", "-", false))[0] == 2);
    memory_destroy (&memory);
}

static void
what_failed_is_forgotten_and_all_are_told (void **state UNUSED)
{
    struct memory *memory = memory_new (DIMENSIONS, PLENTY);
    struct log log = { "" };
    struct memory_entry *entry = ask (memory, NULL, "words", "a", true);
    ask (memory, NULL, "words", "b", false);
    memory_forget (memory, entry, note, &log);
    assert_string_equal (log.text, "ab");
    assert_int_equal (memory_bytes (memory), 0);
    learn (memory, ask (memory, NULL, "words", "c", true), 1, "c");
    memory_destroy (&memory);
}

static void
the_longest_unused_go_first_and_the_limit_holds (void **state UNUSED)
{
    struct memory *probe = memory_new (DIMENSIONS, PLENTY);
    learn (probe, ask (probe, NULL, "text 000", "-", true), 0, "-");
    size_t each = memory_bytes (probe);
    memory_destroy (&probe);

    struct memory *memory = memory_new (DIMENSIONS, 10 * each);
    char text[16];
    for (int i = 0; i < 100; i++) {
        snprintf (text, sizeof text, "text %03d", i);
        learn (memory, ask (memory, NULL, text, "-", true), (float) i, "-");
        assert_true (memory_bytes (memory) <= 10 * each);
        assert_true (memory_vector (ask (memory, NULL, "text 000", "-", false))[0] == 0); /* used, so kept */
    }
    assert_int_equal (memory_bytes (memory), 10 * each);
    for (int i = 91; i < 100; i++) {
        snprintf (text, sizeof text, "text %03d", i);
        assert_true (memory_vector (ask (memory, NULL, text, "-", false))[0] == (float) i);
    }
    ask (memory, NULL, "text 090", "-", true);
    memory_destroy (&memory);
}

static void
without_room_only_those_under_way_are_shared (void **state UNUSED)
{
    struct memory *memory = memory_new (DIMENSIONS, 0);
    struct memory_entry *entry = ask (memory, NULL, "words", "a", true);
    ask (memory, NULL, "words", "b", false);
    learn (memory, entry, 1, "ab");
    assert_int_equal (memory_bytes (memory), 0);
    ask (memory, NULL, "words", "c", true);
    memory_destroy (&memory);
}

struct again {
    struct memory *memory;
    int told;
};

/* Whoever is told may ask for the same text again, and for others that push it out. */
static void
ask_again (void *context, void *waiter UNUSED)
{
    struct again *again = context;
    again->told++;
    if (again->told == 1)
        learn (again->memory, ask (again->memory, NULL, "others", "x", true), 2, "x");
}

static void
who_is_told_may_ask_again (void **state UNUSED)
{
    const float vector[DIMENSIONS] = { 1 };
    struct again again = { .memory = memory_new (DIMENSIONS, 150) }; /* room for one */
    struct memory_entry *entry = ask (again.memory, NULL, "words", "a", true);
    ask (again.memory, NULL, "words", "b", false);
    memory_learn (again.memory, entry, vector, "a-model", ask_again, &again);
    assert_int_equal (again.told, 2);
    memory_destroy (&again.memory);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_same_text_is_asked_for_once),
        cmocka_unit_test (a_heading_makes_another_text),
        cmocka_unit_test (what_failed_is_forgotten_and_all_are_told),
        cmocka_unit_test (the_longest_unused_go_first_and_the_limit_holds),
        cmocka_unit_test (without_room_only_those_under_way_are_shared),
        cmocka_unit_test (who_is_told_may_ask_again),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
