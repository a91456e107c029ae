/* Which texts are alike.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/similarity.h"

#include <stdlib.h>
#include <string.h>

/* `count` words; each `every`th (0: none) is another than in the plain text. */
static char *
text_of (unsigned seed, size_t count, size_t every)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1103515245u + 12345u;
        if (every && i % every == every - 1)
            buf_printf (&out, "other%zu ", i);
        else
            buf_printf (&out, "w%u ", seed >> 16);
    }
    return buf_take (&out);
}

static size_t
shared (const char *a, const char *b)
{
    int64_t bands_a[SIMILARITY_BANDS], bands_b[SIMILARITY_BANDS];
    size_t count = 0;
    assert_true (similarity_bands (a, strlen (a), bands_a));
    assert_true (similarity_bands (b, strlen (b), bands_b));
    for (size_t i = 0; i < SIMILARITY_BANDS; i++)
        for (size_t k = 0; k < SIMILARITY_BANDS; k++)
            count += bands_a[i] == bands_b[k];
    return count;
}

static void
the_same_words_are_the_same (void **state UNUSED)
{
    char *a = text_of (1, 300, 0);
    char *b = mem_printf ("  %s\n", a);
    assert_int_equal (shared (a, b), SIMILARITY_BANDS);
    free (a);
    free (b);
}

static void
a_release_with_other_head_and_foot_is_alike (void **state UNUSED)
{
    for (unsigned seed = 1; seed < 50; seed++) {
        char *body = text_of (seed, 400, 0);
        char *a = mem_printf ("NEW YORK, from our correspondent. %s About the company: it is old.", body);
        char *b = mem_printf ("%s This article was first published elsewhere, read more there. All rights reserved.", body);
        assert_true (shared (a, b) >= SIMILARITY_ALIKE);
        free (body);
        free (a);
        free (b);
    }
}

static void
other_texts_are_not (void **state UNUSED)
{
    size_t alike = 0;
    for (unsigned seed = 1; seed < 200; seed++) {
        char *a = text_of (seed, 400, 0), *b = text_of (seed + 1000, 400, 0), *other = text_of (seed, 400, 4);
        assert_int_equal (shared (a, b), 0);
        alike += shared (a, other) >= SIMILARITY_ALIKE; /* J is 1/3: they share one run of two */
        free (a);
        free (b);
        free (other);
    }
    assert_true (alike <= 4);
}

static void
short_texts_tell_nothing (void **state UNUSED)
{
    int64_t bands[SIMILARITY_BANDS];
    char *text = text_of (1, SIMILARITY_WORDS_LEAST - 1, 0), *longer = text_of (1, SIMILARITY_WORDS_LEAST, 0);
    assert_false (similarity_bands (text, strlen (text), bands));
    assert_true (similarity_bands (longer, strlen (longer), bands));
    assert_false (similarity_bands ("", 0, bands));
    free (text);
    free (longer);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_same_words_are_the_same),
        cmocka_unit_test (a_release_with_other_head_and_foot_is_alike),
        cmocka_unit_test (other_texts_are_not),
        cmocka_unit_test (short_texts_tell_nothing),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
