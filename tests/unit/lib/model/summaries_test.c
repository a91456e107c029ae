/* Summaries of real pages and feeds, where they are at hand: none may hold a byline or a time stamp, or begin or end in
 * the middle of a sentence. What is looked for here knows nothing of the tables of lib/text. Skipped without the data.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/feed.h"
#include "model/local.h"
#include "page/page.h"
#include "text/html.h"

#include <ctype.h>
#include <glob.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/read_file.h"

#define SHARED SOURCE_DIR "/../shared/"

static const struct fault {
    const char *name, *pattern;
} faults[] = {
    { "byline", "(^|[.!?] )(By|Written by|Posted by|Von|Par|Por) [A-Z][a-z]+ [A-Z][a-z]+([.,|]| and |$)" },
    { "byline", "(This|The) (post|article|story|column) (was|is) (a guest post|written|contributed|posted) by" },
    { "byline", "(^|[.!?] )(Authors?|Writer|Reporting|Photos?|Foto|Image|Credit):" },
    { "author", "[A-Z][a-z]+ is an? ([a-z]+ )?(reporter|staff writer|columnist|correspondent) (for|at|covering|who) " },
    { "time stamp", "(^|[.!?] )(Last )?(Updated|Published|Posted|Modified)( on| at|:)? [A-Z0-9].*[0-9]" },
    { "time stamp", "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}" },
    { "time stamp", "(^|[.!?] )[A-Z][a-z]+ [0-9]{1,2}, [0-9]{4},? (at )?[0-9]{1,2}:[0-9]{2}" },
    { "time stamp", "(article|story|post) (was|has been) (first |originally |last )?(published|updated|posted)" },
    { "time stamp", "mis .{1,2} jour le [0-9]|[0-9]+[ -]min(ute)?s? (read|lesezeit)" },
    { "dateline", "\\((Reuters|AP|AFP|dpa|EFE|ANSA|CNN|Xinhua)\\)\\.? ?(-|\xe2\x80\x93|\xe2\x80\x94)" },
    { "dateline", "(^|[.!?] )[A-Z]{4,}(, [A-Z][A-Za-z. ]+)? (\xe2\x80\x94|\xe2\x80\x93|--?) [A-Z]" },
    { "call",
      "(^|[.!?] )(Read more|Scroll down|Sign up|Subscribe|Click here|Advertisement|Follow us|Share this|Related:)" },
    { "call", "(your inbox|uses cookies|affiliate commission|all rights reserved)" },
    { "bullet", "^[-*+\xe2\x80\xa2] " },
};

static regex_t compiled[COUNT_OF (faults)];

struct tally {
    size_t summaries, faults;
};

static void
tally_fault (struct tally *tally, const char *name, const char *what, const char *summary)
{
    print_message ("%s: %s: %s\n", name, what, summary);
    tally->faults++;
}

/* Whether text ends in a mark that ends sentences, and not in an ellipsis. */
static bool
ends_as_sentences_do (const char *text)
{
    static const char *const stops[] = {
        ".",           "!", "?", "\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f", "\xdb\x94", "\xd8\x9f", "\xe0\xa5\xa4",
        "\xe1\x81\x8b"
    };
    static const char *const closers[] = {
        "\"", "'", ")", "]", "\xe2\x80\x9d", "\xe2\x80\x99", "\xe2\x80\x9c", "\xc2\xbb", "\xe3\x80\x8d", "\xef\xbc\x89"
    };
    size_t bytes = strlen (text);
    for (size_t i = 0; i < COUNT_OF (closers); i++) {
        size_t length = strlen (closers[i]);
        if (bytes > length && !memcmp (text + bytes - length, closers[i], length)) {
            bytes -= length;
            i = SIZE_MAX; /* again from the first */
        }
    }
    if (bytes >= 2 && !memcmp (text + bytes - 2, "..", 2))
        return false;
    for (size_t i = 0; i < COUNT_OF (stops); i++)
        if (bytes >= strlen (stops[i]) && !memcmp (text + bytes - strlen (stops[i]), stops[i], strlen (stops[i])))
            return true;
    return false;
}

static bool
begins_within_a_sentence (const char *text)
{
    text += strspn (text, "\"'([");
    size_t word = strcspn (text, " ");
    for (size_t i = 1; i < word; i++)
        if (isupper ((unsigned char) text[i])) /* iPhone */
            return false;
    return islower ((unsigned char) *text) || (*text && strchr (",;:)]", *text));
}

/* must_end: the text is an article, so that there are sentences to choose from. */
static void
check (struct tally *tally, const char *name, const char *title, const char *text, bool must_end)
{
    char *summary = local_summarise (title, text, strlen (text));
    tally->summaries++;
    for (size_t i = 0; i < COUNT_OF (faults); i++)
        if (!regexec (&compiled[i], summary, 0, NULL, 0))
            tally_fault (tally, name, faults[i].name, summary);
    if (must_end && !ends_as_sentences_do (summary))
        tally_fault (tally, name, "no end", summary);
    if (must_end && begins_within_a_sentence (summary))
        tally_fault (tally, name, "no beginning", summary);
    if (strpbrk (text, "abcdefghijklmnopqrstuvwxyz") && !*summary)
        tally_fault (tally, name, "empty", summary);
    free (summary);
}

static void
check_page (struct tally *tally, const char *path)
{
    char reason[PAGE_REASON_SIZE];
    struct buf html = read_file (path);
    struct page *page = NULL;
    assert_int_equal (page_read (html.data ? html.data : "", html.len, NULL, &page, reason), 0);
    check (tally, strrchr (path, '/') + 1, page->title, page->text, true);
    page_destroy (&page);
    buf_fini (&html);
}

static char *
plain_text (const char *text)
{
    return !text ? mem_dup ("") : html_is_markup (text) ? html_to_text (text, strlen (text)) : mem_dup (text);
}

static void
check_feed (struct tally *tally, const char *path)
{
    char reason[FEED_REASON_SIZE];
    struct buf document = read_file (path);
    struct feed *feed = NULL;
    if (feed_parse (document.data ? document.data : "", document.len, NULL, &feed, reason) == 0) {
        for (size_t i = 0; i < feed->entry_count; i++) {
            const struct feed_entry *entry = &feed->entries[i];
            char *title = plain_text (entry->title), *content = plain_text (entry->content),
                 *teaser = plain_text (entry->summary);
            bool full = strlen (content) > 1500;
            check (tally, strrchr (path, '/') + 1, title, strlen (teaser) > strlen (content) ? teaser : content, full);
            free (title);
            free (content);
            free (teaser);
        }
        feed_destroy (&feed);
    }
    buf_fini (&document);
}

/* Checks all files that fit one of the patterns; returns how many there were. */
static size_t
check_all (struct tally *tally, const char *const *patterns, size_t count,
           void (*check_one) (struct tally *, const char *))
{
    glob_t found = { 0 };
    for (size_t i = 0; i < count; i++)
        (void) glob (patterns[i], i ? GLOB_APPEND : 0, NULL, &found); /* none found is told by the count */
    for (size_t i = 0; i < COUNT_OF (faults); i++)
        assert_int_equal (regcomp (&compiled[i], faults[i].pattern, REG_EXTENDED | REG_NOSUB), 0);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_one (tally, found.gl_pathv[i]);
    for (size_t i = 0; i < COUNT_OF (faults); i++)
        regfree (&compiled[i]);
    size_t files = found.gl_pathc;
    globfree (&found);
    return files;
}

static void
tally_judge (const struct tally *tally, size_t files, const char *what)
{
    if (!files) {
        print_message ("skipped: no %s beside the checkout\n", what);
        skip ();
    }
    print_message ("%zu %s, %zu summaries\n", files, what, tally->summaries);
    assert_int_equal (tally->faults, 0);
}

static void
pages_have_clean_summaries (void **state UNUSED)
{
    static const char *const patterns[] = { SHARED "extraction/*.html" };
    struct tally tally = { 0 };
    tally_judge (&tally, check_all (&tally, patterns, COUNT_OF (patterns), check_page), "pages");
}

/* Most of the pages are in an archive. */
static void
packed_pages_have_clean_summaries (void **state UNUSED)
{
    char folder[] = "/tmp/newsmill-pages-XXXXXX";
    assert_non_null (mkdtemp (folder));
    char *unpack = mem_printf ("tar xJf '%s' -C %s 2>/dev/null", SHARED "extraction/more.tar.xz", folder);
    char *pattern = mem_printf ("%s/*.html", folder), *empty = mem_printf ("rm -r %s", folder);
    const char *const patterns[] = { pattern };
    struct tally tally = { 0 };
    size_t files = system (unpack) ? 0 : check_all (&tally, patterns, COUNT_OF (patterns), check_page);
    assert_int_equal (system (empty), 0);
    free (unpack);
    free (pattern);
    free (empty);
    tally_judge (&tally, files, "pages in an archive");
}

static void
feeds_have_clean_summaries (void **state UNUSED)
{
    static const char *const patterns[] = { SHARED "feeds/*.xml", SHARED "feeds/*.json" };
    struct tally tally = { 0 };
    tally_judge (&tally, check_all (&tally, patterns, COUNT_OF (patterns), check_feed), "feeds");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (pages_have_clean_summaries),
        cmocka_unit_test (packed_pages_have_clean_summaries),
        cmocka_unit_test (feeds_have_clean_summaries),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
