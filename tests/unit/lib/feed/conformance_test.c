/* All documents of the conformance pack, if it lies beside the checkout: no crash, the right
 * format, the right
 * number of entries. Its own scorer compares the fields. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/feed.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PACK SOURCE_DIR "/../shared/feeds"
#define EXPECT ".expect.json"

static bool
read_file (const char *path, struct buf *out)
{
    FILE *file = fopen (path, "rb");
    if (!file)
        return false;
    char part[65536];
    size_t n;
    while ((n = fread (part, 1, sizeof part, file)) > 0)
        buf_add (out, part, n);
    fclose (file);
    return true;
}

static bool
read_document (const char *name, size_t name_bytes, struct buf *out)
{
    static const char *const endings[] = { "xml", "json" };
    bool found = false;
    for (size_t i = 0; i < COUNT_OF (endings) && !found; i++) {
        char *path = mem_printf ("%s/%.*s.%s", PACK, (int) name_bytes, name, endings[i]);
        found = read_file (path, out);
        free (path);
    }
    return found;
}

/* Whether the document named by the expectation's file is read as expected. */
static bool
check_case (const char *name)
{
    char *path = mem_printf ("%s/%s", PACK, name);
    json_t *expect = json_load_file (path, 0, NULL), *http = json_object_get (expect, "http");
    struct buf text = { 0 };
    assert_non_null (expect);
    assert_true (read_document (name, strlen (name) - strlen (EXPECT), &text));
    const struct feed_hints hints = {
        .url = json_string_value (json_object_get (http, "url")),
        .content_type = json_string_value (json_object_get (http, "content_type")),
    };
    struct feed *feed = NULL;
    char reason[FEED_REASON_SIZE];
    bool is_feed = feed_parse (text.data, text.len, &hints, &feed, reason) == 0;
    bool good = is_feed != json_is_true (json_object_get (expect, "error"));
    if (good && is_feed) {
        const char *format = json_string_value (json_object_get (expect, "format"));
        const json_t *count = json_object_get (expect, "entry_count");
        good = (!format || strcmp (format, feed_format_name (feed->format)) == 0) &&
               (!count || (size_t) json_integer_value (count) == feed->entry_count);
    }
    if (!good)
        print_message ("%s: format or number of entries is not as expected\n", name);
    feed_destroy (&feed);
    buf_fini (&text);
    json_decref (expect);
    free (path);
    return good;
}

static void
every_document_is_read (void **state UNUSED)
{
    DIR *dir = opendir (PACK);
    if (!dir) {
        print_message ("skipped: there is no folder %s\n", PACK);
        skip ();
    }
    size_t cases = 0, good = 0;
    for (struct dirent *item; (item = readdir (dir));) {
        size_t n = strlen (item->d_name), m = strlen (EXPECT);
        if (n <= m || strcmp (item->d_name + n - m, EXPECT) != 0)
            continue;
        cases++;
        good += check_case (item->d_name);
    }
    closedir (dir);
    print_message ("%zu of %zu documents\n", good, cases);
    assert_true (cases > 0);
    assert_int_equal (good, cases);
}

int
main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (every_document_is_read) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
