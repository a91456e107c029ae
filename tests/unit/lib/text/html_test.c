/* HTML as a reader sees it. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/html.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct sample {
    const char *html, *expect;
};

static void
check (const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char *text = html_to_text (samples[i].html, strlen (samples[i].html));
        assert_string_equal (text, samples[i].expect);
        free (text);
    }
}

static void
shows_text_in_blocks (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "", "" },
        { "plain", "plain" },
        { "<p>One <b>two</b>\n  three</p><p>four</p>", "One two three\n\nfour" },
        { "a<br>b<br/>c", "a\nb\nc" },
        { "<ul><li>a</li><li>b</li></ul>c", "a\nb\n\nc" },
        { "<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc" },
        { "<pre>a\n  b</pre>c", "a\n  b\n\nc" },
        { "wo<wbr>rd <i>it</i>alic", "word italic" },
        { "<DIV>a</DIV >b", "a\n\nb" },
        { "<svg><title>no</title><svg></svg>no</svg>a", "a" },
        { "<noscript>no</noscript>a<template><p>no</p></template>", "a" },
    };
    check (samples, COUNT_OF (samples));
}

static void
decodes_references_once (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "a &amp; b &lt;c&gt; &eacute;&#233;&#xE9;", "a & b <c> ééé" },
        { "&amp;lt; &amp;amp;", "&lt; &amp;" },
        { "&#147;x&#148; &#128;", "“x” €" },
        { "AT&T &nosuch; &; &#; &#x;", "AT&T &nosuch; &; &#; &#x;" },
        { "a&nbsp;&nbsp;b&#0;c&#1114112;&#xd800;", "a b\xef\xbf\xbd"
                                                   "c\xef\xbf\xbd\xef\xbf\xbd" },
        { "don&apos;t &hellip;", "don't …" },
    };
    check (samples, COUNT_OF (samples));
}

static void
drops_what_is_not_shown (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "a<script>if (1 < 2) '<p>x</p>'</script>b", "a b" },
        { "<style>p > a {}</style>a", "a" },
        { "<title>t</title><body>a", "a" },
        { "a<!-- <p>x</p> -->b<!doctype html><?php x ?>c", "abc" },
        { "a<script>never closed", "a" },
        { "<a href=\"x>y\" title='>'>link</a>", "link" },
        { "<![CDATA[a <b>b</b>]]>", "a b" },
    };
    check (samples, COUNT_OF (samples));
}

static void
survives_what_is_broken (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "1 < 2 <= 3 <", "1 < 2 <= 3 <" },
        { "a<b", "a" },
        { "<a href=\"open>text</a>", "text" },
        { "<!-- open <p>x", "x" },
        { "</p>a</div></pre>b", "a\n\nb" },
        { "a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd" },
        { "<", "<" },
        { "</", "" },
    };
    check (samples, COUNT_OF (samples));
    char *text = html_to_text ("a\0b", 3);
    assert_string_equal (text, "ab");
    free (text);
}

static void
tells_markup_from_text (void **state UNUSED)
{
    assert_true (html_is_markup ("a <b>c</b>"));
    assert_true (html_is_markup ("a<br/>"));
    assert_true (html_is_markup ("R&amp;D"));
    assert_true (html_is_markup ("&#8217;"));
    assert_false (html_is_markup (""));
    assert_false (html_is_markup ("R&D; 1 < 2 > 0"));
    assert_false (html_is_markup ("vector<T> and <unknown>"));
    assert_false (html_is_markup ("cut <b"));
}

/* A megabyte of each; the test's time limit judges a quadratic one. */
static void
repeats_cost_linear_time (void **state UNUSED)
{
    static const char *const pieces[] = { "<b>",     "<div>",     "</i>",     "<!--",
                                          "<a b=\"", "<a b='\"",  "<script>", "<svg>",
                                          "&",       "<![CDATA[", "<",        "<p",
                                          "</",      "<pre>\n",   "&#",       "<a b=c='" };
    for (size_t i = 0; i < COUNT_OF (pieces); i++) {
        struct buf html = { 0 };
        while (html.len < 1000000)
            buf_add_str (&html, pieces[i]);
        int64_t start = clock_mono_ms ();
        char *text = html_to_text (html.data, html.len);
        (void) html_is_markup (html.data); /* for its time alone */
        if (clock_mono_ms () - start > 5000)
            fail_msg ("a megabyte of %s took %lld ms", pieces[i],
                      (long long) (clock_mono_ms () - start));
        assert_true (strlen (text) <= 3 * html.len);
        free (text);
        buf_fini (&html);
    }
}

static void
reads_no_byte_too_many (void **state UNUSED)
{
    static const char html[] = "<p class=\"a\">x &eacute; &#xe9;</p><!-- c "
                               "--><script>s</script><![CDATA[d]]><br/>\xc3\xa9";
    size_t page = (size_t) sysconf (_SC_PAGESIZE);
    char *pages = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal (pages, MAP_FAILED);
    assert_int_equal (mprotect (pages + page, page, PROT_NONE), 0);
    for (size_t cut = 0; cut < sizeof html; cut++) {
        char *data = pages + page - cut;
        memcpy (data, html, cut);
        char *text = html_to_text (data, cut);
        assert_int_equal (utf8_valid_bytes (text, strlen (text)), strlen (text));
        free (text);
    }
    munmap (pages, 2 * page);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (shows_text_in_blocks),    cmocka_unit_test (decodes_references_once),
        cmocka_unit_test (drops_what_is_not_shown), cmocka_unit_test (survives_what_is_broken),
        cmocka_unit_test (tells_markup_from_text),  cmocka_unit_test (repeats_cost_linear_time),
        cmocka_unit_test (reads_no_byte_too_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
