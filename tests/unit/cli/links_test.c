/* Feeds that a page names. SPDX-License-Identifier: MPL-2.0 */
#include "cli/links.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define PAGE_URL "https://site.example/news/today?x=1"

/* Addresses and titles, "URL=TITLE", a blank between. */
static void
check_links (struct links *links, const char *wanted)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < links->count; i++)
        buf_printf (&out, "%s%s=%s", i ? " " : "", links->items[i].url, links->items[i].title ? links->items[i].title : "");
    char *text = buf_take (&out);
    assert_string_equal (text, wanted);
    free (text);
    links_fini (links);
    assert_int_equal (links->count, 0);
}

static void
check (const char *html, const char *wanted_named, const char *wanted_guessed)
{
    struct links named, guessed;
    links_read (html, strlen (html), PAGE_URL, &named, &guessed);
    check_links (&named, wanted_named);
    check_links (&guessed, wanted_guessed);
}

static void
link_elements_name_feeds (void **state UNUSED)
{
    check ("<link rel=alternate type=application/rss+xml href=/rss title='  The news '>", "https://site.example/rss=The news", "");
    check ("<HTML><HEAD><LINK REL='x Alternate' TYPE='Application/Atom+XML; charset=utf-8' HREF='a.atom'>",
           "https://site.example/news/a.atom=", "");
    check ("<link rel=alternate type=application/feed+json href=//cdn.example/f.json>", "https://cdn.example/f.json=", "");
    check ("<link rel=feed href=https://a.example/f>", "https://a.example/f=", "");
    check ("<body><div><p>late<link rel=alternate type=text/xml href=f></div>", "https://site.example/news/f=", "");
    check ("<link rel=alternate type=application/rss+xml href='/a?x=1&amp;y=2'>", "https://site.example/a?x=1&y=2=", "");
}

static void
other_links_are_not_meant (void **state UNUSED)
{
    check ("<link rel=alternate hreflang=de href=/de><link rel=stylesheet type=application/rss+xml href=/x>"
           "<link rel=alternates type=application/rss+xml href=/x><link rel=alternate type=application/rss+xml>"
           "<link rel=alternate type=application/rss+xml href=file:///x><link rel=alternate type=text/html href=/amp>"
           "<link rel=alternate type=application/json href=https://site.example/wp-json/x>"
           "<link rel=alternate type=text/xml href='https://site.example/oembed?format=xml'>",
           "", "");
    check ("", "", "");
    check ("\xff\xfe\x01<<<>", "", "");
}

static void
the_first_base_counts_from_where_it_stands (void **state UNUSED)
{
    check ("<base href='/root/'><base href='http://other.example/'><link rel=feed href=f>", "https://site.example/root/f=", "");
}

static void
each_address_comes_once (void **state UNUSED)
{
    check ("<link rel=feed href=/f title=A><link rel=feed href=https://site.example/f title=B>", "https://site.example/f=A", "");
}

static void
anchors_that_look_like_feeds_are_guesses (void **state UNUSED)
{
    check ("<a href=/about>x</a><a href='/feeds/all'>y</a><a href='https://press.example/RSS.xml'>z</a>"
           "<a href='https://feedly.example/'>no: the host alone</a><a>none</a>",
           "", "https://site.example/feeds/all= https://press.example/RSS.xml=");
}

static void
there_is_a_limit (void **state UNUSED)
{
    struct buf page = { 0 };
    struct links named, guessed;
    for (int i = 0; i < 1000; i++)
        buf_printf (&page, "<div><link rel=feed href=/%d>", i);
    links_read (page.data, page.len, PAGE_URL, &named, &guessed);
    assert_int_equal (named.count, LINKS_MAX);
    links_fini (&named);
    links_fini (&guessed);
    buf_fini (&page);
}

static void
usual_places_are_below_the_address_and_at_the_root (void **state UNUSED)
{
    struct links links = { 0 };
    links_add_usual (&links, "https://site.example/blog?x#y");
    assert_string_equal (links.items[0].url, "https://site.example/blog/feed");
    size_t below = links.count / 2;
    assert_string_equal (links.items[below].url, "https://site.example/feed");
    links_fini (&links);
    links_add_usual (&links, "http://site.example");
    assert_string_equal (links.items[0].url, "http://site.example/feed");
    assert_int_equal (links.count, below); /* the same places, once */
    links_fini (&links);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (link_elements_name_feeds),
        cmocka_unit_test (other_links_are_not_meant),
        cmocka_unit_test (the_first_base_counts_from_where_it_stands),
        cmocka_unit_test (each_address_comes_once),
        cmocka_unit_test (anchors_that_look_like_feeds_are_guesses),
        cmocka_unit_test (there_is_a_limit),
        cmocka_unit_test (usual_places_are_below_the_address_and_at_the_root),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
