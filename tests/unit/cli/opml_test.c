/* OPML in and out. SPDX-License-Identifier: MPL-2.0 */
#include "cli/opml.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct opml
parsed (const char *document)
{
    struct opml opml = { 0 };
    char reason[OPML_REASON_SIZE] = "";
    int r = opml_parse (document, strlen (document), &opml, reason);
    assert_string_equal (reason, "");
    assert_int_equal (r, 0);
    return opml;
}

static char *
tags_of (const struct opml_feed *feed)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < feed->tag_count; i++)
        buf_printf (&out, "%s%s", i ? "|" : "", feed->tags[i]);
    return buf_take (&out);
}

static void
check_feed (const struct opml *opml, size_t index, const char *url, const char *title,
            const char *tags)
{
    assert_true (index < opml->count);
    const struct opml_feed *feed = &opml->feeds[index];
    char *found = tags_of (feed);
    assert_string_equal (feed->url, url);
    if (title)
        assert_string_equal (feed->title, title);
    else
        assert_null (feed->title);
    assert_string_equal (found, tags);
    free (found);
}

static void
folders_and_categories_become_tags (void **state UNUSED)
{
    struct opml opml = parsed (
        "<?xml version='1.0'?><opml version='1.0'><head><title>x</title></head><body>"
        "<outline text='top' xmlUrl='https://a.example/feed'/>"
        "<outline text='News'><outline title='Deep &amp; low' text='D'>"
        "<outline text='short' title='The title' type='rss' xmlUrl=' http://b.example/ ' "
        "category='/x/y,z,News'/>"
        "</outline></outline>"
        "<outline><outline text='in a nameless folder' xmlurl='HTTPS://c.example/'/></outline>"
        "</body></opml>");
    assert_int_equal (opml.count, 3);
    check_feed (&opml, 0, "https://a.example/feed", "top", "");
    check_feed (&opml, 1, "http://b.example/", "The title", "News|Deep & low|x|y|z");
    check_feed (&opml, 2, "HTTPS://c.example/", "in a nameless folder", "");
    opml_fini (&opml);
}

static void
a_feed_in_two_folders_comes_once (void **state UNUSED)
{
    struct opml opml =
        parsed ("<opml><body><outline text='A'><outline xmlUrl='http://f.example/'/></outline>"
                "<outline text='B'><outline xmlUrl='http://f.example/'/></outline></body></opml>");
    assert_int_equal (opml.count, 1);
    check_feed (&opml, 0, "http://f.example/", NULL, "A|B");
    opml_fini (&opml);
}

static void
other_schemes_are_left_out (void **state UNUSED)
{
    struct opml opml =
        parsed ("<opml><body><outline xmlUrl='file:///etc/passwd'/><outline xmlUrl='javascript:1'/>"
                "<outline xmlUrl=''/><outline xmlUrl='http://f.example/'/></body></opml>");
    assert_int_equal (opml.count, 1);
    assert_int_equal (opml.skipped, 2);
    opml_fini (&opml);
}

static void
what_is_no_opml_is_refused (void **state UNUSED)
{
    static const char *const documents[] = {
        "",
        " ",
        "no xml",
        "<rss/>",
        "<opml><body>",
        "<opml><body><outline text=x/></body></opml>",
        "<!DOCTYPE opml [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><opml><body/></opml>",
        "<!DOCTYPE opml [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><opml><body>&e;</body></opml>",
    };
    for (size_t i = 0; i < COUNT_OF (documents); i++) {
        struct opml opml = { 0 };
        char reason[OPML_REASON_SIZE] = "";
        assert_int_equal (opml_parse (documents[i], strlen (documents[i]), &opml, reason),
                          -EBADMSG);
        assert_true (*reason);
        assert_int_equal (opml.count, 0);
    }
}

static void
too_much_is_refused (void **state UNUSED)
{
    struct buf document = { 0 };
    struct opml opml = { 0 };
    char reason[OPML_REASON_SIZE] = "";
    buf_add_str (&document, "<opml><body>");
    for (int i = 0; i <= OPML_FEEDS_MAX; i++)
        buf_printf (&document, "<outline xmlUrl='http://f.example/%d'/>", i);
    buf_add_str (&document, "</body></opml>");
    assert_int_equal (opml_parse (document.data, document.len, &opml, reason), -E2BIG);
    assert_int_equal (opml_parse (document.data, OPML_BYTES_MAX + 1, &opml, reason), -E2BIG);
    buf_fini (&document);
    assert_null (opml.feeds);
}

static void
what_is_written_reads_back_the_same (void **state UNUSED)
{
    static const char *const tags[] = { "News & views", "<deep>" };
    struct opml opml = { 0 };
    struct opml_feed *feed =
        opml_add (&opml, "https://a.example/?x=1&y=\"2\"", "Ti<t>le \"q\" \x01\xff");
    for (size_t i = 0; i < COUNT_OF (tags); i++)
        opml_add_tag (feed, tags[i], strlen (tags[i]));
    opml_add (&opml, "https://b.example/", NULL);
    feed = opml_add (&opml, "https://c.example/", "C");
    opml_add_tag (feed, tags[0], strlen (tags[0]));
    char *document = opml_format (&opml, "Mine & yours");
    struct opml again = parsed (document);
    assert_int_equal (again.count, 3);
    check_feed (&again, 0, "https://a.example/?x=1&y=\"2\"", "Ti<t>le \"q\"  \xef\xbf\xbd",
                "News & views|<deep>");
    check_feed (&again, 1, "https://c.example/", "C",
                "News & views"); /* in the folder of the first */
    check_feed (&again, 2, "https://b.example/", "https://b.example/", "");
    opml_fini (&again);
    opml_fini (&opml);
    free (document);
}

static void
the_bundled_list_is_whole (void **state UNUSED)
{
    FILE *file = fopen (SOURCE_DIR "/deploy/feeds.opml", "r");
    assert_non_null (file);
    char document[65536];
    size_t size = fread (document, 1, sizeof document - 1, file);
    fclose (file);
    document[size] = '\0';
    struct opml opml = parsed (document);
    assert_int_equal (opml.count, 25);
    assert_int_equal (opml.skipped, 0);
    for (size_t i = 0; i < opml.count; i++) {
        assert_true (strncmp (opml.feeds[i].url, "https://", 8) == 0);
        assert_non_null (opml.feeds[i].title);
        assert_int_equal (opml.feeds[i].tag_count, 1);
    }
    opml_fini (&opml);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (folders_and_categories_become_tags),
        cmocka_unit_test (a_feed_in_two_folders_comes_once),
        cmocka_unit_test (other_schemes_are_left_out),
        cmocka_unit_test (what_is_no_opml_is_refused),
        cmocka_unit_test (too_much_is_refused),
        cmocka_unit_test (what_is_written_reads_back_the_same),
        cmocka_unit_test (the_bundled_list_is_whole),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
