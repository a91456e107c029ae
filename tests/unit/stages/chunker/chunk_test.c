/* Chunks: the shared vectors where they are at hand, cases of our own, and on generated text the
 * properties that any right answer has, against a plain two-pass reading of the rule.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/chunker/chunk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

/* Text that ends at a page that can't be read, so that a step too far is seen. */
struct fence {
    char *page, *text;
    size_t mapped;
};

static struct fence
fence_new (const char *text, size_t bytes)
{
    size_t page = (size_t) sysconf (_SC_PAGESIZE);
    size_t room = (bytes + page - 1) / page * page + page;
    struct fence fence = { .mapped = room };
    fence.page = mmap (NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true (fence.page != MAP_FAILED);
    assert_int_equal (mprotect (fence.page + room - page, page, PROT_NONE), 0);
    fence.text = fence.page + room - page - bytes;
    if (bytes)
        memcpy (fence.text, text, bytes);
    return fence;
}

static void
fence_destroy (struct fence *fence)
{
    munmap (fence->page, fence->mapped);
}

/* ---- shared vectors ---- */

static json_t *
vectors_load (const char *name)
{
    char path[512];
    json_error_t error;
    snprintf (path, sizeof path, SOURCE_DIR "/../shared/chunking/%s", name);
    if (access (path, R_OK) != 0) {
        print_message ("skipped: %s is not here\n", path);
        skip ();
    }
    json_t *list = json_load_file (path, 0, &error);
    assert_non_null (list);
    assert_true (json_array_size (list) > 0);
    return list;
}

static size_t
number_of (const json_t *object, const char *key)
{
    return (size_t) json_integer_value (json_object_get (object, key));
}

static struct chunk_rule
rule_of (const json_t *one, bool cjk)
{
    return (struct chunk_rule){ .size = number_of (one, "size"),
                                .overlap = number_of (one, "overlap"),
                                .cjk = cjk };
}

static void
expect_offsets (const struct chunk *chunk, const json_t *expected)
{
    assert_int_equal (chunk->word_start, number_of (expected, "word_start"));
    assert_int_equal (chunk->word_count, number_of (expected, "word_count"));
    assert_int_equal (chunk->byte_start, number_of (expected, "byte_start"));
    assert_int_equal (chunk->byte_end, number_of (expected, "byte_end"));
}

static void
vector_check (const json_t *one, bool cjk)
{
    const json_t *expected = json_object_get (one, "expected");
    const char *text = json_string_value (json_object_get (one, "text"));
    size_t bytes = json_string_length (json_object_get (one, "text"));
    struct chunk_rule rule = rule_of (one, cjk);
    struct fence fence = fence_new (text, bytes);
    struct chunk *chunks;
    size_t count;
    assert_int_equal (chunk_split (fence.text, bytes, &rule, &chunks, &count), 0);
    if (count != json_array_size (expected))
        fail_msg ("%s: %zu chunks", json_string_value (json_object_get (one, "name")), count);
    for (size_t i = 0; i < count; i++) {
        const json_t *want = json_array_get (expected, i);
        const json_t *want_text = json_is_string (want) ? want : json_object_get (want, "text");
        assert_int_equal (chunks[i].byte_end - chunks[i].byte_start,
                          json_string_length (want_text));
        assert_memory_equal (fence.text + chunks[i].byte_start, json_string_value (want_text),
                             json_string_length (want_text));
        if (json_is_object (want))
            expect_offsets (&chunks[i], want);
    }
    free (chunks);
    fence_destroy (&fence);
}

static void
shared_vectors_hold_with_and_without_cjk (void **state UNUSED)
{
    json_t *list = vectors_load ("vectors.json");
    for (size_t i = 0; i < json_array_size (list); i++) {
        vector_check (json_array_get (list, i), true);
        vector_check (json_array_get (list, i), false);
    }
    json_decref (list);
}

static void
shared_rules_hold (void **state UNUSED)
{
    json_t *list = vectors_load ("rules.json");
    for (size_t i = 0; i < json_array_size (list); i++) {
        const json_t *one = json_array_get (list, i);
        vector_check (one,
                      strcmp (json_string_value (json_object_get (one, "name")), "chinese-mode-off")
                          != 0);
    }
    json_decref (list);
}

/* ---- our own cases ---- */

static const struct chunk_case {
    const char *name, *text;
    struct chunk_rule rule;
    const char *expected[8]; /* up to NULL */
} cases[] = {
    { "no words, no chunks", " \t\n\xe3\x80\x80", { 3, 1, 0, true }, { NULL } },
    { "a vertical tab and a form feed separate", "a\vb\fc", { 1, 0, 0, true }, { "a", "b", "c" } },
    { "next line and ogham space separate",
      "a\xc2\x85"
      "b\xe1\x9a\x80"
      "c",
      { 1, 0, 0, true },
      { "a", "b", "c" } },
    { "an information separator doesn't",
      "a\x1c"
      "b c",
      { 1, 0, 0, true },
      { "a\x1c"
        "b",
        "c" } },
    { "a long last word is kept whole", "a bbbbbbbbbb", { 1, 0, 0, true }, { "a", "bbbbbbbbbb" } },
    { "a long word is cut at max_bytes",
      "abcdefgh x",
      { 1, 0, 3, true },
      { "abc", "def", "gh", "x" } },
    { "a word of max_bytes isn't cut", "abc def", { 1, 0, 3, true }, { "abc", "def" } },
    { "cuts stand between code points",
      "a\xc3\xa9\xc3\xa9"
      "b",
      { 1, 0, 4, true },
      { "a\xc3\xa9",
        "\xc3\xa9"
        "b" } },
    { "a code point beyond max_bytes stays whole",
      "\xf0\x9f\x98\x80\xf0\x9f\x98\x80",
      { 1, 0, 3, true },
      { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" } },
    { "pieces count as words", "abcdef g", { 2, 1, 3, true }, { "abcdef", "def g" } },
    { "kana and Han count one by one",
      "\xe3\x82\xab\xe3\x82\xbf x",
      { 1, 0, 0, true },
      { "\xe3\x82\xab", "\xe3\x82\xbf", "x" } },
    { "half-width kana and plane 2 too",
      "\xef\xbd\xb6\xf0\xa0\x80\x80z",
      { 1, 0, 0, true },
      { "\xef\xbd\xb6", "\xf0\xa0\x80\x80", "z" } },
    { "an ideographic full stop is a word of the rest",
      "\xe5\xa5\xbd\xe3\x80\x82",
      { 1, 0, 0, true },
      { "\xe5\xa5\xbd", "\xe3\x80\x82" } },
    { "bytes that are no UTF-8 are parts of words",
      "a\xff\xc3 \xe3\x80",
      { 1, 0, 0, true },
      { "a\xff\xc3", "\xe3\x80" } },
    { "a cut space at the end is no space", "ab\xe3\x80", { 1, 0, 0, true }, { "ab\xe3\x80" } },
};

static void
own_cases_hold (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        const struct chunk_case *one = &cases[i];
        struct fence fence = fence_new (one->text, strlen (one->text));
        struct chunk *chunks;
        size_t count, k = 0;
        assert_int_equal (chunk_split (fence.text, strlen (one->text), &one->rule, &chunks, &count),
                          0);
        for (; one->expected[k]; k++) {
            size_t bytes = strlen (one->expected[k]);
            if (k >= count || chunks[k].byte_end - chunks[k].byte_start != bytes
                || memcmp (fence.text + chunks[k].byte_start, one->expected[k], bytes))
                fail_msg ("%s: chunk %zu of %zu differs", one->name, k, count);
        }
        if (count != k)
            fail_msg ("%s: %zu chunks instead of %zu", one->name, count, k);
        assert_true (count || !chunks);
        free (chunks);
        fence_destroy (&fence);
    }
}

static void
impossible_rules_are_refused_and_outputs_untouched (void **state UNUSED)
{
    static const struct chunk_rule rules[] = {
        { 0, 0, 0, true }, { 5, 5, 0, true }, { 5, 6, 0, true }, { 1, SIZE_MAX, 0, true }
    };
    struct chunk one, *chunks = &one;
    size_t count = 77;
    for (size_t i = 0; i < COUNT_OF (rules); i++)
        assert_int_equal (chunk_split ("a b", 3, &rules[i], &chunks, &count), -EINVAL);
    assert_ptr_equal (chunks, &one);
    assert_int_equal (count, 77);
}

static void
the_largest_rule_does_not_wrap (void **state UNUSED)
{
    static const struct chunk_rule rules[] = { { SIZE_MAX, 0, 0, true },
                                               { SIZE_MAX, SIZE_MAX - 1, 0, true } };
    for (size_t i = 0; i < COUNT_OF (rules); i++) {
        struct chunk *chunks;
        size_t count;
        assert_int_equal (chunk_split ("a b c", 5, &rules[i], &chunks, &count), 0);
        assert_int_equal (count, 1);
        assert_int_equal (chunks[0].word_count, 3);
        assert_int_equal (chunks[0].byte_end, 5);
        free (chunks);
    }
}

/* ---- properties on generated text ---- */

struct span {
    size_t start, end;
};

static uint32_t
random_next (uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static const char *const pieces[] = {
    "a",
    "bc",
    "d",
    " ",
    " ",
    "\n",
    "\xc2\xa0",
    "\xe2\x80\x83",
    "\xe3\x80\x80",
    "\xc3\xa9",
    "\xe4\xbb\x8a",
    "\xe3\x81\x82",
    "\xf0\xa0\x80\x80",
    "\xf0\x9f\x98\x80",
    "\xe2\x80\x8b",
    "\xed\x95\x9c",
    "\xff",
    "\xe3\x80",
    "\xc2",
};

static bool
is_white (uint32_t p)
{
    return (p >= 9 && p <= 13) || p == 0x20 || p == 0x85 || p == 0xa0 || p == 0x1680
        || (p >= 0x2000 && p <= 0x200a) || p == 0x2028 || p == 0x2029 || p == 0x202f || p == 0x205f
        || p == 0x3000;
}

/* All words of the text by a reading as plain as can be, for the code points that pieces hold. */
static size_t
words_list (const char *text, size_t bytes, bool cjk, struct span *out)
{
    size_t count = 0, start = SIZE_MAX;
    for (size_t at = 0; at < bytes;) {
        uint32_t point = 0xfffd;
        size_t step = utf8_decode (text + at, bytes - at, &point);
        step = step ? step : 1;
        bool white = is_white (point);
        bool alone = cjk && (point == 0x4eca || point == 0x3042 || point == 0x20000);
        if ((white || alone) && start != SIZE_MAX) {
            out[count++] = (struct span){ start, at };
            start = SIZE_MAX;
        }
        if (alone)
            out[count++] = (struct span){ at, at + step };
        else if (!white && start == SIZE_MAX)
            start = at;
        at += step;
    }
    if (start != SIZE_MAX)
        out[count++] = (struct span){ start, bytes };
    return count;
}

static void
properties_check (const char *text, size_t bytes, const struct chunk_rule *rule)
{
    static struct span words[4096];
    size_t total = words_list (text, bytes, rule->cjk, words);
    size_t step = rule->size - rule->overlap, count, expected;
    struct chunk *chunks;
    assert_int_equal (chunk_split (text, bytes, rule, &chunks, &count), 0);
    expected = !total ? 0 : total <= rule->size ? 1 : 1 + (total - rule->size + step - 1) / step;
    assert_int_equal (count, expected);
    for (size_t k = 0; k < count; k++) {
        size_t last = MIN_OF (k * step + rule->size, total) - 1;
        assert_int_equal (chunks[k].word_start, k * step);
        assert_int_equal (chunks[k].word_count, last + 1 - k * step);
        assert_int_equal (chunks[k].byte_start, words[k * step].start);
        assert_int_equal (chunks[k].byte_end, words[last].end);
        assert_true (!k || chunks[k].word_count > rule->overlap);
        assert_true (!k || chunks[k].byte_start > chunks[k - 1].byte_start);
        assert_true (!k || chunks[k].byte_end > chunks[k - 1].byte_end);
    }
    free (chunks);
}

static void
generated_text_keeps_every_property (void **state UNUSED)
{
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        struct buf text = { 0 };
        size_t parts = random_next (&seed) % 400;
        for (size_t i = 0; i < parts; i++)
            buf_add_str (&text, pieces[random_next (&seed) % COUNT_OF (pieces)]);
        size_t size = 1 + random_next (&seed) % 12;
        struct chunk_rule rule = { size, random_next (&seed) % size, 0, random_next (&seed) % 2 };
        struct fence fence = fence_new (text.data, text.len);
        properties_check (fence.text, text.len, &rule);
        fence_destroy (&fence);
        buf_fini (&text);
    }
}

static void
no_piece_is_longer_than_max_bytes (void **state UNUSED)
{
    uint32_t seed = 11;
    for (int round = 0; round < 500; round++) {
        struct buf text = { 0 };
        for (size_t i = 0; i < 200; i++)
            buf_add_str (&text, pieces[random_next (&seed) % COUNT_OF (pieces)]);
        struct chunk_rule rule = { 1, 0, 4 + random_next (&seed) % 8, true };
        struct chunk *chunks;
        size_t count, covered = 0, words = 0;
        static struct span plain[4096];
        assert_int_equal (chunk_split (text.data, text.len, &rule, &chunks, &count), 0);
        for (size_t k = 0; k < count; k++) {
            assert_true (chunks[k].byte_end - chunks[k].byte_start <= rule.max_bytes);
            covered += chunks[k].byte_end - chunks[k].byte_start;
        }
        for (size_t i = 0, n = words_list (text.data, text.len, true, plain); i < n; i++)
            words += plain[i].end - plain[i].start;
        assert_int_equal (covered, words);
        free (chunks);
        buf_fini (&text);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (shared_vectors_hold_with_and_without_cjk),
        cmocka_unit_test (shared_rules_hold),
        cmocka_unit_test (own_cases_hold),
        cmocka_unit_test (impossible_rules_are_refused_and_outputs_untouched),
        cmocka_unit_test (the_largest_rule_does_not_wrap),
        cmocka_unit_test (generated_text_keeps_every_property),
        cmocka_unit_test (no_piece_is_longer_than_max_bytes),
    };
    return cmocka_run_group_tests_name ("chunk", tests, NULL, NULL);
}
