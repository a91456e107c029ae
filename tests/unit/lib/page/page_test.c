/* Pages made for one question each: what stays, what goes, what libxml2 trips over, what a page says of itself, rules.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../guard.h"
#include "page/page.h"

#include <errno.h>
#include <string.h>

#define P1 "The council met on Tuesday, and after a long debate it voted to build the bridge over the river."
#define P2 "Work begins in the spring, said the mayor, who had asked for it since the flood of the year before."
#define P3 "It will cost nine million, half of it paid by the state, and is to be opened within three years."
#define STORY "<p>" P1 "</p><p>" P2 "</p><p>" P3 "</p>"

static struct page *
read_bytes (const char *html, size_t bytes, const struct page_hints *hints)
{
    struct page *page = NULL;
    char reason[PAGE_REASON_SIZE] = "";
    if (page_read (html, bytes, hints, &page, reason) != 0)
        fail_msg ("%s", reason);
    return page;
}

static void
expect_text (const char *html, const char *rules, const char *expect)
{
    struct page_hints hints = { NULL, NULL, rules };
    struct page *page = read_bytes (html, strlen (html), &hints);
    assert_string_equal (page->text, expect);
    page_destroy (&page);
}

static void
the_article_stays_and_the_rest_goes (void **state UNUSED)
{
    static const char *const around[] = {
        "<nav><ul><li><a href=/>Home</a><li><a href=/a>About us and all that we do here</a></ul></nav>",
        "<div class=share-bar><a href=#>Share this story with your friends on the network</a></div>",
        "<aside><p>The weather will be fine, and the trains are late again as they were on all days.</p></aside>",
        "<figure><img><figcaption>The river, seen from the old mill on a day in June by our man.</figcaption></figure>",
        "<div class=newsletter-box><p>Get our best stories in your inbox, every day of the week, for free.</p></div>",
        "<div id=comments><p>I have always said so, and nobody has ever listened to me, not even once.</p></div>",
        "<form><label>Search the whole of this site, with all of its pages, for words</label></form>",
        "<div class=cookie-note><p>This site uses cookies, and there is nothing at all that you can do.</p></div>",
        "<div class=author-bio><p>Jane Roe writes about bridges and rivers and has done so for many years.</p></div>",
        "<div style='display: none'><p>This was never shown to anybody, and it never will be shown at all.</p></div>",
        "<script>var s = '<p>not text, but it looks so</p>';</script><style>p { color: red }</style>",
        "<footer><p>All of this belongs to us, and copying it will be punished by all means.</p></footer>",
        "<div class=related><h3>Related</h3><ul><li><a href=1>Bridge falls down in the north of town</a></ul></div>",
    };
    for (size_t i = 0; i < 3 * COUNT_OF (around); i++) {
        const char *part = around[i / 3], *before = i % 3 == 0 ? part : "", *within = i % 3 == 1 ? part : "";
        char *html = mem_printf ("<html><body>%s<div class=article-body>" STORY "%s</div>%s</body></html>", before, within,
                                 i % 3 == 2 ? part : "");
        expect_text (html, NULL, P1 "\n\n" P2 "\n\n" P3);
        free (html);
    }
}

static void
kinds_of_block_stay_readable (void **state UNUSED)
{
    static const struct {
        const char *html, *expect;
    } kinds[] = {
        { "<h2>The cost</h2><p>" P1 "</p>", "The cost\n\n" P1 },
        { "<ul><li>one bridge of stone.</li><li><p>two of wood.</p></li></ul>", "- one bridge of stone.\n\n- two of wood." },
        { "<ol><li>one bridge of stone.<li>two of wood.</ol>", "- one bridge of stone.\n- two of wood." },
        { "<blockquote>" P1 "</blockquote>", P1 },
        { "<table><tr><th>Year<th>Cost<tr><td>2024<td>9</table>", "Year | Cost\n2024 | 9" },
        { "<pre>\nint a;\n    int b;</pre>", "int a;\n    int b;" },
        { "<p>one line of it,<br>and the next one.</p>", "one line of it,\nand the next one." },
        { "<div>" P1 "<br><br>" P3 "</div>", P1 "\n\n" P3 },
        { "<p>a&nbsp;b \n\t c\xe2\x80\x8b" "d.</p>", "a b cd." },
    };
    for (size_t i = 0; i < COUNT_OF (kinds); i++) {
        char *html = mem_printf ("<body><article>" STORY "%s<p>" P2 "</p></article></body>", kinds[i].html);
        char *expect = mem_printf (P1 "\n\n" P2 "\n\n" P3 "\n\n%s\n\n" P2, kinds[i].expect);
        expect_text (html, NULL, expect);
        free (html);
        free (expect);
    }
}

/* What libxml2 trips over. */
static void
no_trap_loses_the_article (void **state UNUSED)
{
    static const struct {
        const char *before;
    } traps[] = {
        { "<!-->" },                              /* a comment of its own, not the start of one */
        { "<!--->" },
        { "<p>" },                                /* not closed by the block that follows */
        { "<button><div>Menu</button>" },         /* </button> does not close it over an open <div> */
        { "<meta charset=iso-8859-1>" },
    };
    for (size_t i = 0; i < COUNT_OF (traps); i++) {
        char *html = mem_printf ("<html><body>%s<article>" STORY "</article></body></html>", traps[i].before);
        expect_text (html, NULL, P1 "\n\n" P2 "\n\n" P3);
        free (html);
    }
    expect_text ("<meta charset=iso-8859-1><article>" STORY "<p>Caf\xc3\xa9 and \xe2\x80\x9cquotes\xe2\x80\x9d here.</p></article>",
                 NULL, P1 "\n\n" P2 "\n\n" P3 "\n\nCafé and “quotes” here.");
    expect_text ("<meta charset=iso-8859-1><article>" STORY "<p>Caf\xe9 and \x93quotes\x94 here.</p></article>", NULL,
                 P1 "\n\n" P2 "\n\n" P3 "\n\nCafé and “quotes” here.");
}

static struct page *
read_repeated (const char *unit, size_t count, const char *tail)
{
    struct buf html = { 0 };
    for (size_t i = 0; i < count; i++)
        buf_add_str (&html, unit);
    buf_add_str (&html, tail);
    int64_t start = clock_mono_ms ();
    struct page *page = read_bytes (html.data, html.len, NULL);
    assert_true (clock_mono_ms () - start < 20000); /* with sanitizers; not the seconds but the hours count */
    buf_fini (&html);
    return page;
}

static void
depth_and_mass_end_in_time (void **state UNUSED)
{
    struct page *page = read_repeated ("<div>", 400, STORY);
    assert_string_equal (page->text, P1 "\n\n" P2 "\n\n" P3);
    page_destroy (&page);
    static const char *const units[] = { "<b>", "<div>", "</x>", "<table><tr><td>", "<b></x>", "<a b=\"", "<!--", "&#1;", "<p a",
                                         "<ul><li>", "<svg>", "<body>", "<p class='share menu nav'>x" };
    for (size_t i = 0; i < COUNT_OF (units); i++) {
        page = read_repeated (units[i], 60000, "");
        page_destroy (&page);
    }
    struct buf tag = { 0 };
    buf_add_str (&tag, "<p");
    for (size_t i = 0; i < 100000; i++)
        buf_printf (&tag, " a%zu=1", i);
    buf_add_str (&tag, ">" STORY);
    page = read_repeated (tag.data, 1, "");
    assert_non_null (strstr (page->text, P2));
    page_destroy (&page);
    buf_fini (&tag);
}

static const char whole[] =
    "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>The bridge - News</title>"
    "<link rel=canonical href=/news/bridge><meta property=og:title content='A bridge &amp; a river'>"
    "<script type='application/ld+json'>{\"@context\":\"https://schema.org\",\"@graph\":[{\"@type\":\"Person\",\"@id\":\"#j\","
    "\"name\":\"Jane Roe\"},{\"@type\":\"NewsArticle\",\"headline\":\"The bridge\nis built\",\"author\":[{\"@id\":\"#j\"},"
    "{\"name\":\"John Doe\"}],\"datePublished\":\"2024-05-06T07:08:09+02:00\"}]}</script></head>"
    "<body><article>" STORY "<ul><li>a.<li>b.</ul><pre>x\n y</pre></article></body></html>";

static void
what_the_page_says_of_itself_is_read (void **state UNUSED)
{
    struct page_hints hints = { "https://example.org/a/b?c", "text/html", NULL };
    struct page *page = read_bytes (whole, strlen (whole), &hints);
    char time[CLOCK_TEXT_SIZE];
    assert_string_equal (page->title, "The bridge is built");
    assert_string_equal (page->author, "Jane Roe, John Doe");
    assert_string_equal (page->canonical_url, "https://example.org/news/bridge");
    assert_string_equal (page->language, "en");
    assert_string_equal (clock_format (page->published_us, time), "2024-05-06T05:08:09.000Z");
    page_destroy (&page);
}

static void
what_cannot_be_trusted_is_unknown (void **state UNUSED)
{
    static const char html[] =
        "<head><link rel=canonical href=/><meta property=article:author content='https://example.org/jane'>"
        "<meta name=date content='next Tuesday'></head><time datetime=2001-02-03>long ago</time>" STORY;
    struct page_hints hints = { "https://example.org/a/b", NULL, NULL };
    struct page *page = read_bytes (html, strlen (html), &hints);
    assert_null (page->title);
    assert_null (page->author);
    assert_null (page->canonical_url);
    assert_null (page->language);
    assert_true (page->published_us == PAGE_NO_DATE);
    page_destroy (&page);
}

static void
a_body_for_machines_stands_in_for_a_missing_one (void **state UNUSED)
{
    struct buf html = { 0 };
    buf_add_str (&html, "<script type=application/ld+json>{\"@type\":\"Article\",\"articleBody\":\"");
    for (int i = 0; i < 10; i++)
        buf_add_str (&html, P1 " ");
    buf_add_str (&html, "\"}</script><div id=app>Loading, please wait a moment.</div>");
    struct page *page = read_bytes (html.data, html.len, NULL);
    assert_int_equal (strncmp (page->text, P1, strlen (P1)), 0);
    page_destroy (&page);
    buf_fini (&html);
}

static void
rules_come_first (void **state UNUSED)
{
    static const char html[] = "<body><div id=a class='x body'><p>" P1 "</p><p class=ad data-k='v w'>" P2 "</p></div>"
                               "<article>" STORY STORY "</article></body>";
    expect_text (html, "keep: #a", P1 "\n\n" P2);
    expect_text (html, "keep: div.body p; drop: .ad", P1);
    expect_text (html, "keep: .none, [class] ; drop: [data-k=\"v w\"]", P1);
    expect_text (html, "drop: article p, p[data-k]", P1);
    expect_text (html, "", P1 "\n\n" P2 "\n\n" P3 "\n\n" P1 "\n\n" P2 "\n\n" P3);
    expect_text (html, "keep: #missing", P1 "\n\n" P2 "\n\n" P3 "\n\n" P1 "\n\n" P2 "\n\n" P3);
}

static void
wrong_rules_are_refused_with_a_reason (void **state UNUSED)
{
    static const struct {
        const char *rules, *reason;
    } wrong[] = {
        { "article", "\"keep:\" or \"drop:\" is expected, at byte 8 of the rules" },
        { "keep: ", "a name is missing, at byte 7 of the rules" },
        { "keep: a > b", "\">\" is not understood: tags, .classes, #ids, [attributes] and descendants are, at byte 9 of the rules" },
        { "drop: [a", "\"]\" is missing, at byte 9 of the rules" },
        { "drop: [a=\"b]", "a quotation mark is not closed, at byte 11 of the rules" },
        { "drop: a,, b", "a name is missing, at byte 9 of the rules" },
        { "keep: a; take: b", "\"keep:\" or \"drop:\" is expected, at byte 14 of the rules" },
    };
    char reason[PAGE_REASON_SIZE];
    for (size_t i = 0; i < COUNT_OF (wrong); i++) {
        assert_int_equal (page_rules_check (wrong[i].rules, reason), -EINVAL);
        assert_string_equal (reason, wrong[i].reason);
    }
    struct page *page = NULL;
    struct page_hints hints = { NULL, NULL, "keep" };
    assert_int_equal (page_read ("", 0, &hints, &page, reason), -EINVAL);
    assert_null (page);
    assert_int_equal (page_rules_check ("keep: a .b#c[d][e=f], *; drop: g", reason), 0);
    assert_int_equal (page_rules_check ("", reason), 0);
}

static void
a_page_may_be_cut_anywhere (void **state UNUSED)
{
    struct guard guard = guard_open (sizeof whole);
    for (size_t bytes = 0; bytes < sizeof whole; bytes++) {
        struct page *page = read_bytes (guard_put (&guard, whole, bytes), bytes, NULL);
        assert_int_equal (utf8_valid_bytes (page->text, strlen (page->text)), strlen (page->text));
        page_destroy (&page);
    }
    guard_close (&guard);
}

static void
bytes_that_are_no_text_do_no_harm (void **state UNUSED)
{
    static const char html[] = "<article>" STORY "<p>a\0b\xff\xfe\xed\xa0\x80 c, and so on to the end.</p></article>";
    struct page *page = read_bytes (html, sizeof html - 1, NULL);
    assert_non_null (strstr (page->text, P3));
    assert_int_equal (utf8_valid_bytes (page->text, strlen (page->text)), strlen (page->text));
    page_destroy (&page);
    page = read_bytes ("", 0, NULL);
    assert_string_equal (page->text, "");
    page_destroy (&page);
    char reason[PAGE_REASON_SIZE];
    assert_int_equal (page_read ("", PAGE_BYTES_MAX + 1, NULL, &page, reason), -E2BIG);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_article_stays_and_the_rest_goes),
        cmocka_unit_test (kinds_of_block_stay_readable),
        cmocka_unit_test (no_trap_loses_the_article),
        cmocka_unit_test (depth_and_mass_end_in_time),
        cmocka_unit_test (what_the_page_says_of_itself_is_read),
        cmocka_unit_test (what_cannot_be_trusted_is_unknown),
        cmocka_unit_test (a_body_for_machines_stands_in_for_a_missing_one),
        cmocka_unit_test (rules_come_first),
        cmocka_unit_test (wrong_rules_are_refused_with_a_reason),
        cmocka_unit_test (a_page_may_be_cut_anywhere),
        cmocka_unit_test (bytes_that_are_no_text_do_no_harm),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
