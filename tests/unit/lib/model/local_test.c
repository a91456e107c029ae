/* The local summariser and embedder: what a summary may hold, and that likeness of texts is
 * likeness of vectors. SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char article[] =
    "By Jane Doe\nUpdated 3:14 PM ET, Nov 3, 2025\n\n"
    "VALMERE, Tuesday \xe2\x80\x93 The harbour bridge of Valmere was closed to lorries on Monday "
    "after engineers found "
    "cracks in two of its main girders. The cracks were found by a robot that crawls along the "
    "steel once a month.\n\n"
    "Scroll down for pictures\n\n"
    "Cars and buses may still cross the harbour bridge, but lorries must take the tunnel, eleven "
    "kilometres further "
    "north. Hauliers say that the detour costs them forty minutes a trip.\n\n"
    "Engineers found cracks in two of the main girders of the Valmere harbour bridge, and closed "
    "it to lorries.\n\n"
    "It rained. The weather in the port was otherwise calm, and gulls sat on the railings. The "
    "city will decide on "
    "Friday whether the girders of the bridge can be repaired before the winter.";

static char *
summary_of (const char *text)
{
    return local_summarise (text, strlen (text));
}

static size_t
count_of (const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr (at, part)); at += strlen (part))
        count++;
    return count;
}

static void
a_summary_is_three_whole_sentences_in_order_without_byline (void **state UNUSED)
{
    char *summary = summary_of (article);
    assert_ptr_equal (strstr (summary, "The harbour bridge of Valmere was closed"), summary);
    assert_int_equal (count_of (summary, "."), LOCAL_SUMMARY_SENTENCES);
    assert_int_equal (summary[strlen (summary) - 1], '.');
    static const char *const absent[] = { "Jane",      "Updated", "VALMERE", "Scroll",
                                          "It rained", "\n",      "  ",      "gulls" };
    for (size_t i = 0; i < COUNT_OF (absent); i++)
        assert_null (strstr (summary, absent[i]));
    free (summary);
}

static void
what_was_said_is_not_said_again (void **state UNUSED)
{
    char *summary = summary_of (article);
    assert_int_equal (count_of (summary, "two of its main girders"), 1);
    assert_int_equal (count_of (summary, "two of the main girders"), 0);
    free (summary);
}

static const struct summary_case {
    const char *text, *expected;
} cases[] = {
    { "", "" },
    { " \n\t ", "" },
    { "!!! ... ???", "" },
    { "Rain stopped play.", "Rain stopped play." },
    { "No full stop but a few words in a row", "No full stop but a few words in a row" },
    { "By Jane Doe", "By Jane Doe" },
    { "The mill by the river\nstopped turning on Monday.",
      "The mill by the river stopped turning on Monday." },
    { "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd\xe6\x88\x91\xe4\xbb"
      "\xac\xe5\x87\xba\xe5\x8e\xbb\xe3\x80\x82"
      "\xe6\x98\x8e\xe5\xa4\xa9\xe4\xbc\x9a\xe4\xb8\x8b\xe9\x9b\xa8\xe5\xa4\xa7\xe5\xae\xb6\xe5\x9c"
      "\xa8\xe5\xae\xb6\xe9\x87\x8c\xe3\x80\x82",
      "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd\xe6\x88\x91\xe4\xbb"
      "\xac\xe5\x87\xba\xe5\x8e\xbb\xe3\x80\x82"
      "\xe6\x98\x8e\xe5\xa4\xa9\xe4\xbc\x9a\xe4\xb8\x8b\xe9\x9b\xa8\xe5\xa4\xa7\xe5\xae\xb6\xe5\x9c"
      "\xa8\xe5\xae\xb6\xe9\x87\x8c\xe3\x80\x82" },
};

static void
short_and_odd_texts_are_given_as_they_are (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *summary = summary_of (cases[i].text);
        assert_string_equal (summary, cases[i].expected);
        free (summary);
    }
}

static size_t
chars_of (const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char) *text & 0xc0) != 0x80;
    return count;
}

/* Checks that a text of `unit` again and again is cut near 400 characters, before a unit, and
 * marked. */
static void
expect_cut (const char *unit)
{
    struct buf text = { 0 };
    for (int i = 0; i < 1000; i++)
        buf_add_str (&text, unit);
    char *summary = local_summarise (text.data, text.len);
    size_t bytes = strlen (summary);
    assert_int_equal (utf8_valid_bytes (summary, bytes), bytes);
    assert_in_range (chars_of (summary), 350, 401);
    assert_string_equal (summary + bytes - 3, "\xe2\x80\xa6");
    assert_memory_equal (summary, text.data, bytes - 3);
    assert_true (unit[strlen (unit) - 1] != ' ' || text.data[bytes - 3] == ' ');
    free (summary);
    buf_fini (&text);
}

static void
an_endless_sentence_is_cut_at_a_border (void **state UNUSED)
{
    expect_cut ("harbour ");
    expect_cut ("\xe5\xa5\xbd\xe5\xa4\xa9");
    expect_cut ("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1");
    expect_cut ("x");
}

static float
cosine_of (const char *one, const char *other)
{
    float a[LOCAL_DIMENSIONS], b[LOCAL_DIMENSIONS], dot = 0;
    local_embed (one, strlen (one), a);
    local_embed (other, strlen (other), b);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        dot += a[i] * b[i];
    return dot;
}

static void
every_vector_has_length_one (void **state UNUSED)
{
    static const char *const texts[] = {
        article, "bitcoin", "to be or not to be", "", "!!!", "\xff\xfe", "\xe5\xa5\xbd", "1 2 3",
    };
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        assert_true (fabsf (cosine_of (texts[i], texts[i]) - 1) < 1e-5f);
    }
    assert_true (fabsf (cosine_of ("", "!!!") - 1) < 1e-5f);
}

static void
related_texts_are_nearer_than_others (void **state UNUSED)
{
    static const struct {
        const char *query, *near, *far;
    } rows[] = {
        { "cracks in the bridge", article,
          "The central bank kept its interest rate at four percent on Tuesday." },
        { "mining bitcoins", "A bitcoin mine heats the pool.", "A gold rush began in the valley." },
        { "Closed bridges", "The bridge was closing.", "The school was opening." },
        { "cryptography", "a cryptographic proof", "a geographic atlas" },
        { "\xe4\xb8\x8a\xe6\xb5\xb7\xe5\xa4\xa9\xe6\xb0\x94",
          "\xe4\xbb\x8a\xe5\xa4\xa9\xe4\xb8\x8a\xe6\xb5\xb7\xe4\xb8\x8b\xe9\x9b\xa8",
          "\xe5\x8c\x97\xe4\xba\xac\xe7\x9a\x84\xe5\xa4\xa7\xe5\xad\xa6" },
        { "\xd1\x86\xd0\xb5\xd0\xbd\xd0\xb0 \xd0\xbd\xd0\xb5\xd1\x84\xd1\x82\xd0\xb8",
          "\xd0\x9d\xd0\x95\xd0\xa4\xd0\xa2\xd0\x98 \xd0\xbc\xd0\xb0\xd0\xbb\xd0\xbe",
          "\xd1\x84\xd1\x83\xd1\x82\xd0\xb1\xd0\xbe\xd0\xbb "
          "\xd1\x81\xd0\xb5\xd0\xb3\xd0\xbe\xd0\xb4\xd0\xbd\xd1\x8f" },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++)
        assert_true (cosine_of (rows[i].query, rows[i].near)
                     > cosine_of (rows[i].query, rows[i].far) + 0.1f);
}

static void
case_order_and_stop_words_do_not_matter (void **state UNUSED)
{
    assert_true (cosine_of ("The bridge over the harbour", "HARBOUR bridges") > 0.999f);
    assert_true (cosine_of ("bitcoin sequencer", "turnip gardening") < 0.5f);
}

/* Stored vectors are compared with vectors of a later build: the same text must always give the
 * same numbers. */
static void
vectors_stay_as_they_are (void **state UNUSED)
{
    float vector[LOCAL_DIMENSIONS];
    char seen[64] = "";
    local_embed ("fjord", 5, vector);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        if (fabsf (vector[i]) > 0.4f)
            snprintf (seen + strlen (seen), sizeof seen - strlen (seen), "%s%zu",
                      vector[i] < 0 ? " -" : " +", i);
    assert_string_equal (seen, " -14 -19 -99 +363");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_summary_is_three_whole_sentences_in_order_without_byline),
        cmocka_unit_test (what_was_said_is_not_said_again),
        cmocka_unit_test (short_and_odd_texts_are_given_as_they_are),
        cmocka_unit_test (an_endless_sentence_is_cut_at_a_border),
        cmocka_unit_test (every_vector_has_length_one),
        cmocka_unit_test (related_texts_are_nearer_than_others),
        cmocka_unit_test (case_order_and_stop_words_do_not_matter),
        cmocka_unit_test (vectors_stay_as_they_are),
    };
    return cmocka_run_group_tests_name ("local", tests, NULL, NULL);
}
