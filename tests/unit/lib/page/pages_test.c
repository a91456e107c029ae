/* Real pages with the text that people found on them, where they are at hand: most of the words must come out, and few
 * others. Skipped without them.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "page/page.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/read_file.h"

#define PAGES SOURCE_DIR "/../shared/extraction/"
#define SLOTS 65536
#define LEAST 0.93 /* of recall and of precision, mean over the pages */

/* Counts the runs of four words, by their hash; returns how many there are. sign: 1 adds, -1 takes away what is there. */
static size_t
count_runs (const char *text, int *counts, int sign, size_t *ret_met)
{
    uint64_t last[4] = { 0 };
    size_t runs = 0, words = 0;
    for (const char *at = text; *(at += strspn (at, " \n\t|-")); at += strcspn (at, " \n\t")) {
        memmove (last, last + 1, 3 * sizeof *last);
        last[3] = num_hash (at, strcspn (at, " \n\t"));
        if (++words < 4)
            continue;
        int *count = &counts[num_hash (last, sizeof last) % SLOTS];
        *ret_met += sign < 0 && *count > 0;
        *count += sign > 0 ? 1 : *count > 0 ? -1 : 0;
        runs++;
    }
    return runs;
}

static void
real_pages_give_their_article (void **state UNUSED)
{
    static const char *const patterns[] = { PAGES "sh-*.html", PAGES "wcxb-*.html" };
    glob_t found = { 0 };
    for (size_t i = 0; i < COUNT_OF (patterns); i++)
        (void) glob (patterns[i], i ? GLOB_APPEND : 0, NULL, &found); /* none found is told by the count */
    if (found.gl_pathc == 0)
        skip ();
    double recall = 0, precision = 0;
    int *counts = mem_grow (NULL, SLOTS, sizeof *counts);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        char *truth_path = mem_printf ("%.*s.txt", (int) strlen (path) - 5, path), reason[PAGE_REASON_SIZE];
        struct buf html = read_file (path), truth = read_file (truth_path);
        struct page *page = NULL;
        assert_int_equal (page_read (html.data, html.len, NULL, &page, reason), 0);
        memset (counts, 0, SLOTS * sizeof *counts);
        size_t met = 0, wanted = count_runs (truth.data, counts, 1, &met), got = count_runs (page->text, counts, -1, &met);
        recall += wanted ? (double) met / (double) wanted : 1;
        precision += got ? (double) met / (double) got : 0;
        page_destroy (&page);
        buf_fini (&html);
        buf_fini (&truth);
        free (truth_path);
    }
    double pages = (double) found.gl_pathc;
    print_message ("%zu pages: recall %.3f, precision %.3f\n", found.gl_pathc, recall / pages, precision / pages);
    assert_true (recall / pages >= LEAST);
    assert_true (precision / pages >= LEAST);
    free (counts);
    globfree (&found);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (real_pages_give_their_article) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
