/* What becomes of an entry's dates, links and texts. SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define DAY_US (86400 * US_PER_S)
#define YEAR_9999_US INT64_C (253402300799000000)

static struct entry
entry_of (const char *url, int64_t published_us, int64_t updated_us)
{
    struct feed_entry from = { .title = mem_dup ("t"), .url = mem_dup (url), .published_us = published_us,
                               .updated_us = updated_us };
    struct fetch fetch = { .source_id = 7, .url = from.url, .teaser_words = 2 };
    struct entry entry;
    assert_int_equal (entry_init (&entry, &fetch, &from), 0);
    assert_int_equal (entry.wants_page, !strncmp (entry.url, "http", 4));
    free (from.title);
    free (from.url);
    return entry;
}

static void
wrong_dates_count_as_none (void **state UNUSED)
{
    int64_t now = clock_wall_us (), past = now - DAY_US;
    const struct {
        int64_t published, updated, expect;
    } rows[] = {
        { past, FEED_NO_DATE, past },
        { past, now, past },
        { FEED_NO_DATE, past, past },
        { FEED_NO_DATE, FEED_NO_DATE, 0 },
        { now + DAY_US / 2, past, now + DAY_US / 2 }, /* a zone that is wrong */
        { now + 2 * DAY_US, FEED_NO_DATE, 0 },
        { now + 2 * DAY_US, past, past },
        { YEAR_9999_US, YEAR_9999_US, 0 },
        { INT64_MAX, FEED_NO_DATE, 0 },
        { 0, FEED_NO_DATE, 0 },
        { -DAY_US, past, past },
        { INT64_MIN + 1, FEED_NO_DATE, 0 },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct entry entry = entry_of ("http://a.example/", rows[i].published, rows[i].updated);
        if (entry.published_us != rows[i].expect)
            fail_msg ("row %zu: %" PRId64, i, entry.published_us);
        entry_fini (&entry);
    }
}

static void
only_web_addresses_are_kept (void **state UNUSED)
{
    static const struct {
        const char *url;
        bool kept;
    } rows[] = {
        { "http://a.example/1", true },      { "HTTPS://a.example/2?x=1#y", true }, { "javascript:alert(1)", false },
        { "JAVASCRIPT:alert(1)", false },    { "java\nscript:alert(1)", false },    { "data:text/html,x", false },
        { "file:///etc/passwd", false },     { "ftp://a.example/", false },         { "http://", false },
        { "//a.example/", false },           { "/a", false },                       { "", false },
        { "http://a.example/\nx", false },   { "\x01javascript:alert(1)", false },  { "blob:http://a.example/1", false },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct entry entry = entry_of (rows[i].url, FEED_NO_DATE, FEED_NO_DATE);
        if (rows[i].kept)
            assert_string_equal (entry.url, rows[i].url);
        else if (strncmp (entry.url, "urn:newsmill:", 13) != 0)
            fail_msg ("%s was kept as %s", rows[i].url, entry.url);
        entry_fini (&entry);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (wrong_dates_count_as_none),
        cmocka_unit_test (only_web_addresses_are_kept),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
