/* The embedding model beside programs that are not ours: their ids and vectors stand in reference.json, which tests/reference
 * makes. Needs the weights as published; without them its tests are skipped.
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/minilm.h"
#include "model/base64.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define IDS_MAX 1024
#define EXACT_FROM 1e-5 /* of a component: both sides count in single precision, in another order */
#if defined __SANITIZE_ADDRESS__
#define TEXT_IDS_MAX 40 /* of texts whose vectors are looked at: sanitizers take twenty times as long */
#else
#define TEXT_IDS_MAX IDS_MAX
#endif
#define COSINE_MEAN 0.995
#define COSINE_LEAST 0.98

struct reference {
    struct minilm_text text; /* of the JSON document */
    uint16_t ids[IDS_MAX];
    size_t id_count;
    bool has_vector;
    float vector[MINILM_DIMENSIONS];
};

struct world {
    char folder[64]; /* of ours, removed at the end */
    char *prepared;
    char *safetensors, *tokenizer; /* NULL: not to be had */
    json_t *document;
    struct reference *list;
    size_t count;
};

static struct minilm *
open_exact (const struct world *w)
{
    struct minilm *model = NULL;
    char reason[MINILM_REASON];
    if (!w->safetensors)
        skip ();
    if (minilm_open_exact (w->safetensors, w->tokenizer, &model, reason) < 0)
        fail_msg ("%s", reason);
    return model;
}

/* kernel: NULL for the fastest. */
static struct minilm *
open_prepared (const struct world *w, const char *kernel)
{
    struct minilm *model = NULL;
    char reason[MINILM_REASON];
    if (!w->safetensors)
        skip ();
    if (kernel)
        assert_int_equal (setenv ("NEWSMILL_KERNEL", kernel, 1), 0);
    if (minilm_open (w->prepared, &model, reason) < 0)
        fail_msg ("%s", reason);
    assert_int_equal (unsetenv ("NEWSMILL_KERNEL"), 0);
    return model;
}

static double
cosine (const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < MINILM_DIMENSIONS; i++)
        sum += (double) a[i] * (double) b[i];
    return sum;
}

static void
ids_are_those_of_the_library (void **state)
{
    const struct world *w = *state;
    struct minilm *model = open_exact (w);
    for (size_t i = 0; i < w->count; i++) {
        const struct reference *r = &w->list[i];
        uint16_t ids[IDS_MAX];
        size_t count = minilm_tokenise (model, r->text.data, r->text.bytes, ids, IDS_MAX);
        for (size_t k = 0; k < MIN_OF (count, r->id_count); k++)
            if (ids[k] != r->ids[k])
                fail_msg ("sentence %zu: token %zu is %u, not %u", i, k, ids[k], r->ids[k]);
        if (count != r->id_count)
            fail_msg ("sentence %zu has %zu tokens, not %zu", i, count, r->id_count);
    }
    minilm_close (&model);
}

static void
ids_are_the_same_from_the_prepared_file (void **state)
{
    const struct world *w = *state;
    struct minilm *exact = open_exact (w), *prepared = open_prepared (w, NULL);
    for (size_t i = 0; i < w->count; i++) {
        uint16_t a[IDS_MAX], b[IDS_MAX];
        const struct minilm_text *text = &w->list[i].text;
        size_t count = minilm_tokenise (exact, text->data, text->bytes, a, IDS_MAX);
        assert_int_equal (minilm_tokenise (prepared, text->data, text->bytes, b, IDS_MAX), count);
        assert_memory_equal (a, b, count * sizeof *a);
    }
    minilm_close (&exact);
    minilm_close (&prepared);
}

static void
bytes_that_are_no_text_and_room_for_few_do_no_harm (void **state)
{
    static const struct {
        const char *text;
        size_t bytes;
    } alike[] = { { "ab", 2 }, { "a\xff" "b", 3 }, { "a\xef\xbf\xbd" "b", 5 }, { "ab\xe2\x82", 4 }, { "a\xed\xa0\x80" "b", 5 },
                  { "\xc0\x80" "ab", 4 }, { "a\0b", 3 } };
    struct minilm *model = open_exact (*state);
    uint16_t first[4], ids[4] = { 0 };
    size_t count = minilm_tokenise (model, "harbour bridge", 14, ids, 1);
    assert_int_equal (count, 2);
    assert_int_equal (ids[1], 0);
    assert_int_equal (minilm_tokenise (model, alike[0].text, alike[0].bytes, first, COUNT_OF (first)), 1);
    for (size_t i = 1; i < COUNT_OF (alike); i++) {
        assert_int_equal (minilm_tokenise (model, alike[i].text, alike[i].bytes, ids, COUNT_OF (ids)), 1);
        assert_int_equal (ids[0], first[0]);
    }
    minilm_close (&model);
}

static void
exact_vectors_are_those_of_the_engine (void **state)
{
    const struct world *w = *state;
    struct minilm *model = open_exact (w);
    for (size_t i = 0; i < w->count; i++) {
        const struct reference *r = &w->list[i];
        float vector[MINILM_DIMENSIONS];
        if (!r->has_vector || r->id_count > TEXT_IDS_MAX)
            continue;
        minilm_embed (model, &r->text, 1, vector);
        for (size_t k = 0; k < MINILM_DIMENSIONS; k++)
            if (!(fabsf (vector[k] - r->vector[k]) <= (float) EXACT_FROM))
                fail_msg ("sentence %zu: component %zu is %g, not %g", i, k, (double) vector[k], (double) r->vector[k]);
    }
    minilm_close (&model);
}

static void
vectors_point_where_the_engines_do (const struct world *w, const char *kernel)
{
    struct minilm *model = open_prepared (w, kernel);
    double sum = 0, least = 1;
    size_t count = 0;
    if (strcmp (minilm_kernel (model), kernel) != 0) {
        minilm_close (&model);
        print_message ("skipped: this processor has no %s\n", kernel);
        skip ();
    }
    for (size_t i = 0; i < w->count; i++) {
        const struct reference *r = &w->list[i];
        float vector[MINILM_DIMENSIONS];
        if (!r->has_vector || r->id_count > TEXT_IDS_MAX)
            continue;
        minilm_embed (model, &r->text, 1, vector);
        assert_true (fabs (cosine (vector, vector) - 1) < 1e-5);
        double found = cosine (vector, r->vector);
        sum += found;
        least = MIN_OF (least, found);
        count++;
    }
    print_message ("%s: cosine %.5f on average, %.5f at worst\n", kernel, sum / (double) count, least);
    assert_true (sum / (double) count >= COSINE_MEAN);
    assert_true (least >= COSINE_LEAST);
    minilm_close (&model);
}

static void
vectors_of_avx512vnni_point_where_the_engines_do (void **state)
{
    vectors_point_where_the_engines_do (*state, "avx512vnni");
}

static void
vectors_of_avx2_point_where_the_engines_do (void **state)
{
    vectors_point_where_the_engines_do (*state, "avx2");
}

static void
vectors_of_portable_code_point_where_the_engines_do (void **state)
{
    vectors_point_where_the_engines_do (*state, "portable");
}

static void
a_text_has_the_same_vector_alone_and_among_others (void **state)
{
    const struct world *w = *state;
    struct minilm *model = open_prepared (w, NULL);
    struct minilm_text *texts = mem_grow (NULL, w->count, sizeof *texts);
    float *all = mem_grow (NULL, w->count, MINILM_DIMENSIONS * sizeof *all), one[MINILM_DIMENSIONS];
    uint64_t tokens = minilm_tokens (model);
    size_t count = 0;
    for (size_t i = 0; i < w->count; i++)
        if (w->list[i].id_count <= TEXT_IDS_MAX)
            texts[count++] = w->list[i].text;
    minilm_embed (model, texts, count, all);
    uint64_t read = minilm_tokens (model) - tokens;
    for (size_t i = 0; i < count; i++) {
        minilm_embed (model, &texts[i], 1, one);
        assert_true (cosine (one, all + i * MINILM_DIMENSIONS) > 0.99999);
    }
    assert_int_equal (minilm_tokens (model) - tokens, 2 * read);
    free (texts);
    free (all);
    minilm_close (&model);
}

/* The last but two of the sentences fills a window, the next one has a token more. */
static void
a_token_more_than_a_window_holds_hardly_turns_a_vector (void **state)
{
    const struct world *w = *state;
    struct minilm *model = open_prepared (w, NULL);
    float vectors[2 * MINILM_DIMENSIONS];
    const struct reference *full = &w->list[w->count - 3];
    assert_int_equal (full[0].id_count, MINILM_WINDOW - 2);
    assert_int_equal (full[1].id_count, MINILM_WINDOW - 1);
    const struct minilm_text texts[] = { full[0].text, full[1].text };
    uint64_t tokens = minilm_tokens (model);
    minilm_embed (model, texts, 2, vectors);
    assert_int_equal (minilm_tokens (model) - tokens, MINILM_WINDOW + MINILM_WINDOW - 1 + 4);
    assert_true (cosine (vectors, vectors + MINILM_DIMENSIONS) > 0.9);
    minilm_close (&model);
}

/* ---- the weights, made ready once ---- */

/* Where tests/support/weights.py has them, without the end of line. given (free) */
static char *
weights_folder (void)
{
    struct buf line = { 0 };
    char part[256];
    FILE *script = popen (SOURCE_DIR "/tests/support/weights.py", "r");
    assert_non_null (script);
    while (fgets (part, sizeof part, script))
        buf_add_str (&line, part);
    if (pclose (script) != 0 || line.len == 0) {
        buf_fini (&line);
        return NULL;
    }
    line.data[strcspn (line.data, "\n")] = '\0';
    return buf_take (&line);
}

static void
read_reference (const json_t *row, struct reference *r)
{
    const json_t *text = json_object_get (row, "text"), *vector = json_object_get (row, "vector"), *id;
    size_t i;
    r->text = (struct minilm_text){ json_string_value (text), json_string_length (text) };
    assert_true (json_array_size (json_object_get (row, "ids")) <= IDS_MAX);
    json_array_foreach (json_object_get (row, "ids"), i, id)
        r->ids[r->id_count++] = (uint16_t) json_integer_value (id);
    r->has_vector = vector;
    if (!vector)
        return;
    uint8_t bytes[sizeof r->vector + 3];
    assert_int_equal (base64_decoded_bytes (json_string_value (vector), json_string_length (vector)), sizeof r->vector);
    assert_int_equal (base64_decode (json_string_value (vector), json_string_length (vector), bytes), 0);
    memcpy (r->vector, bytes, sizeof r->vector); /* as written on x86 and ARM alike: little-endian */
}

static int
set_up (void **state)
{
    struct world *w = MEM_NEW (struct world);
    json_error_t error;
    char reason[MINILM_REASON];
    *state = w;
    w->document = json_load_file (SOURCE_DIR "/tests/unit/lib/minilm/reference.json", JSON_ALLOW_NUL, &error);
    assert_non_null (w->document);
    w->count = json_array_size (w->document);
    assert_int_equal (w->count, 50);
    w->list = mem_alloc (w->count * sizeof *w->list);
    for (size_t i = 0; i < w->count; i++)
        read_reference (json_array_get (w->document, i), &w->list[i]);
    char *weights = weights_folder ();
    if (!weights)
        return 0;
    strcpy (w->folder, "/tmp/minilm_test.XXXXXX");
    assert_non_null (mkdtemp (w->folder));
    w->prepared = mem_printf ("%s/%s", w->folder, MINILM_FILE);
    w->safetensors = mem_printf ("%s/model.fp16.safetensors", weights);
    w->tokenizer = mem_printf ("%s/tokenizer.json", weights);
    free (weights);
    if (minilm_prepare (w->safetensors, w->tokenizer, "Apache-2.0", w->prepared, reason) < 0)
        fail_msg ("%s", reason);
    return 0;
}

static int
tear_down (void **state)
{
    struct world *w = *state;
    if (w->prepared) {
        unlink (w->prepared);
        rmdir (w->folder);
    }
    json_decref (w->document);
    free (w->list);
    free (w->prepared);
    free (w->safetensors);
    free (w->tokenizer);
    free (w);
    return 0;
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (ids_are_those_of_the_library),
        cmocka_unit_test (ids_are_the_same_from_the_prepared_file),
        cmocka_unit_test (bytes_that_are_no_text_and_room_for_few_do_no_harm),
        cmocka_unit_test (exact_vectors_are_those_of_the_engine),
        cmocka_unit_test (vectors_of_avx512vnni_point_where_the_engines_do),
        cmocka_unit_test (vectors_of_avx2_point_where_the_engines_do),
        cmocka_unit_test (vectors_of_portable_code_point_where_the_engines_do),
        cmocka_unit_test (a_text_has_the_same_vector_alone_and_among_others),
        cmocka_unit_test (a_token_more_than_a_window_holds_hardly_turns_a_vector),
    };
    return cmocka_run_group_tests (tests, set_up, tear_down);
}
