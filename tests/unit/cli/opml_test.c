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
        parsed ("<opml><body>\n<outline xmlUrl='file:///etc/passwd'/><outline xmlUrl='javascript:1'/>"
                "<outline xmlUrl='http://&#10;f.example/'/><outline xmlUrl='http://&#9;f.example/'/>"
                "<outline xmlUrl=''/><outline xmlUrl='/feed'/><outline xmlUrl='http:///x'/>"
                "<outline type='HTML+XPath' xmlUrl='http://page.example/'/>"
                "<outline xmlUrl='http://f.example/'/></body></opml>");
    assert_int_equal (opml.count, 1);
    assert_int_equal (opml.skipped, 7);
    assert_string_equal (opml.skipped_url, "file:///etc/passwd");
    assert_int_equal (opml.skipped_line, 2);
    opml_fini (&opml);
}

static void
addresses_are_put_right (void **state UNUSED)
{
    static const char *const cases[][2] = {
        { "http://a.example/", "http://a.example/" },
        { " \n HTTPS://A.example/x ", "HTTPS://A.example/x" },
        { "feed://a.example/rss", "http://a.example/rss" },
        { "feed:https://a.example/rss", "https://a.example/rss" },
        { "FEED://https://a.example/rss", "https://a.example/rss" },
        { "itpc://a.example/cast", "http://a.example/cast" },
        { "//a.example/rss", "http://a.example/rss" },
        { "http://a.example/?a=1&amp;b=2", "http://a.example/?a=1&b=2" },
        { "http://a.example/?a=1&amp;amp;b=2", "http://a.example/?a=1&b=2" },
        { "http://a.example/a b\"<>", "http://a.example/a%20b%22%3C%3E" },
        { "http://a.example/\xc3\xa4", "http://a.example/\xc3\xa4" },
        { "http://a.example/\xe4", NULL },
        { "http://a.example/\x01", NULL },
        { "http://", NULL },
        { "http:///path", NULL },
        { "feed:", NULL },
        { "a.example/rss", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *url = opml_web_address (cases[i][0]);
        if (cases[i][1])
            assert_string_equal (url, cases[i][1]);
        else
            assert_null (url);
        free (url);
    }
    char *address = mem_alloc (OPML_FIELD_MAX + 2);
    memset (address, 'x', OPML_FIELD_MAX + 1);
    memcpy (address, "http://", 7);
    assert_null (opml_web_address (address)); /* rather none than another */
    free (address);
}

static void
comments_are_left_out (void **state UNUSED)
{
    struct opml opml = parsed ("<opml><!-- <outline xmlUrl='http://a.example/'/> --><body>"
                               "<outline text='x' isComment='true'><outline xmlUrl='http://b.example/'/></outline>"
                               "<outline isComment='false' xmlUrl='http://c.example/'/></body></opml>");
    assert_int_equal (opml.count, 1);
    assert_int_equal (opml.skipped, 0);
    check_feed (&opml, 0, "http://c.example/", NULL, "");
    opml_fini (&opml);
}

/* How the programs that people come from write: Feedly and Inoreader, NetNewsWire, miniflux, FreshRSS, Thunderbird. */
static void
what_readers_export_is_read (void **state UNUSED)
{
    struct opml opml = parsed (
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"1.0\"><head><title>Ann's subscriptions</title></head><body>"
        "<outline text=\"Tech\" title=\"Tech\">"
        "<outline type=\"rss\" text=\"A\" title=\"A\" xmlUrl=\"https://a.example/f\" htmlUrl=\"https://a.example\"/></outline>"
        "</body></opml>");
    check_feed (&opml, 0, "https://a.example/f", "A", "Tech");
    opml_fini (&opml);
    opml = parsed ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- OPML generated by NetNewsWire -->\n<opml version=\"1.1\">"
                   "<head/><body><outline text=\"B\" title=\"B\" description=\"\" type=\"rss\" version=\"RSS\" htmlUrl=\"\" "
                   "xmlUrl=\"https://b.example/f\"/></body></opml>");
    check_feed (&opml, 0, "https://b.example/f", "B", "");
    opml_fini (&opml);
    opml = parsed ("<opml version=\"2.0\"><head><dateCreated>Mon, 01 Jan 2024 00:00:00 UTC</dateCreated></head><body>"
                   "<outline text=\"All\"><outline title=\"C\" text=\"C\" xmlUrl=\"https://c.example/?a=1&amp;b=2\" "
                   "htmlUrl=\"https://c.example\" description=\"d\"></outline></outline></body></opml>");
    check_feed (&opml, 0, "https://c.example/?a=1&b=2", "C", "All");
    opml_fini (&opml);
    opml = parsed ("<opml xmlns:frss=\"https://freshrss.org/opml\" version=\"2.0\"><body><outline text=\"Uncategorized\">"
                   "<outline text=\"D\" type=\"rss\" xmlUrl=\"https://d.example/f\" frss:priority=\"main\" frss:title=\"no\"/>"
                   "</outline></body></opml>");
    check_feed (&opml, 0, "https://d.example/f", "D", "Uncategorized");
    opml_fini (&opml);
    opml = parsed ("<opml version=\"1.0\" xmlns:fz=\"urn:forumzilla:\"><body><outline title=\"News\" text=\"News\">"
                   "<outline type=\"rss\" title=\"E\" text=\"E\" version=\"RSS\" fz:quickMode=\"false\" "
                   "fz:options='{&quot;version&quot;:2}' xmlUrl=\"https://e.example/f\"/></outline></body></opml>");
    check_feed (&opml, 0, "https://e.example/f", "E", "News");
    opml_fini (&opml);
}

static void
character_sets_are_read (void **state UNUSED)
{
    static const struct {
        const char *text;
        size_t bytes;
    } documents[] = {
#define DOCUMENT(text) { text, sizeof text - 1 }
        DOCUMENT ("\xef\xbb\xbf<?xml version='1.0'?><opml><body><outline text='\xc3\xa4' xmlUrl='http://a.example/'/></body></opml>"),
        DOCUMENT ("<?xml version='1.0' encoding='ISO-8859-1'?><opml><body><outline text='\xe4' xmlUrl='http://a.example/'/></body></opml>"),
        DOCUMENT ("<?xml version='1.0' encoding='UTF-8'?><opml><body><outline text='\xe4' xmlUrl='http://a.example/'/></body></opml>"),
        DOCUMENT ("<opml><body><outline text='&auml;' xmlUrl='http://a.example/'/></body></opml>"),
        DOCUMENT ("<?xml version='1.0' encoding='utf-8'?>\n\n<!DOCTYPE opml><OPML><BODY><OUTLINE TEXT='&#228;' XMLURL='http://a.example/'/></BODY></OPML>"),
    };
    for (size_t i = 0; i < COUNT_OF (documents); i++) {
        struct opml opml = { 0 };
        char reason[OPML_REASON_SIZE];
        assert_int_equal (opml_parse (documents[i].text, documents[i].bytes, &opml, reason), 0);
        check_feed (&opml, 0, "http://a.example/", "\xc3\xa4", "");
        opml_fini (&opml);
    }
    static const char ascii[] = "<?xml version='1.0' encoding='UTF-16'?><opml><outline text='x' xmlUrl='http://a.example/'/></opml>";
    char wide[2 + 2 * sizeof ascii] = "\xff\xfe";
    for (size_t i = 0; ascii[i]; i++)
        wide[2 + 2 * i] = ascii[i];
    struct opml opml = { 0 };
    char reason[OPML_REASON_SIZE];
    assert_int_equal (opml_parse (wide, 2 * sizeof ascii, &opml, reason), 0);
    check_feed (&opml, 0, "http://a.example/", "x", "");
    opml_fini (&opml);
}

/* Whole but not well-formed: read, and said. */
static void
tag_soup_is_repaired_and_said (void **state UNUSED)
{
    static const char *const documents[] = {
        "<opml><body>\n<outline text='A & B' xmlUrl='http://a.example/?x=1&y=2'/></body></opml>",
        "<opml><body>\n<outline text='A &amp; B' xmlUrl=http://a.example/?x=1&amp;y=2 /></body></opml>",
        "<opml><body>\n<outline text='A &amp; B' text='again' xmlUrl='http://a.example/?x=1&amp;y=2'></body></opml>",
    };
    for (size_t i = 0; i < COUNT_OF (documents); i++) {
        struct opml opml = { 0 };
        char reason[OPML_REASON_SIZE];
        assert_int_equal (opml_parse (documents[i], strlen (documents[i]), &opml, reason), 0);
        assert_non_null (strstr (reason, "repaired: line 2: "));
        check_feed (&opml, 0, "http://a.example/?x=1&y=2", "A & B", "");
        opml_fini (&opml);
    }
}

static void
what_is_no_opml_is_refused (void **state UNUSED)
{
    static const char *const documents[][2] = {
        { "", "empty" },
        { " \n", "empty" },
        { "no xml", "no xml" },
        { "{\"version\":\"https://jsonfeed.org/version/1\"}", "no XML" },
        { "<rss/>", "feed itself" },
        { "<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title></feed>", "feed itself" },
        { "<!DOCTYPE html><html><head><meta charset=utf-8><title>Not found</title><body><p>Gone<br>", "web page" },
        { "<svg/>", "<svg>" },
        { "<opml><body>", "the end is missing: line 1" },
        { "<opml><body>\n<outline xmlUrl='http://a.example/'/>\n<outline xmlUrl='http://b.exam", "the end is missing: line 3" },
        { "<!DOCTYPE opml [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;'>]><opml><body/></opml>", "entities" },
        { "<!DOCTYPE opml [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><opml><body>&e;</body></opml>", "entities" },
    };
    for (size_t i = 0; i < COUNT_OF (documents); i++) {
        struct opml opml = { 0 };
        char reason[OPML_REASON_SIZE] = "";
        assert_int_equal (opml_parse (documents[i][0], strlen (documents[i][0]), &opml, reason), -EBADMSG);
        if (!strstr (reason, documents[i][1]))
            fail_msg ("%s: %s", documents[i][0], reason);
        assert_int_equal (opml.count, 0);
    }
}

/* Ten megabytes, with each feed in two folders. */
static void
a_large_list_is_read (void **state UNUSED)
{
    struct buf document = { 0 };
    size_t wanted = 0;
    buf_add_str (&document, "<opml version='2.0'><body>");
    for (int round = 0; round < 2; round++) {
        buf_printf (&document, "<outline text='folder %d'>", round);
        for (wanted = 0; document.len < (size_t) (round + 1) * 5000000; wanted++)
            buf_printf (&document, "<outline type='rss' text='Feed number %zu' title='Feed number %zu' xmlUrl='https://host%zu.example"
                        "/feed.xml' htmlUrl='https://host%zu.example/'/>", wanted, wanted, wanted, wanted);
        buf_add_str (&document, "</outline>");
    }
    buf_add_str (&document, "</body></opml>");
    struct opml opml = parsed (document.data);
    assert_in_range (opml.count, wanted, wanted + 1);
    assert_int_equal (opml.feeds[0].tag_count, 2);
    opml_fini (&opml);
    buf_fini (&document);
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

/* Text of all kinds of letters, of those that markup uses, and of what neither UTF-8 nor XML has a place for. */
static char *
any_text (uint64_t *seed, size_t most)
{
    static const char *const letters[] = { "a", "B", "&", "<", ">", "\"", "'", "&amp;", "]]>", "<!--", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80",
                                           " ", "  ", "\t", "\n", "\x01", "\x7f", "\xff", "\xef\xbf\xbf", "\xef\xbf\xbe", "/", ",", "\xc2\x85", "%41" };
    struct buf out = { 0 };
    *seed = *seed * UINT64_C (6364136223846793005) + 1;
    size_t count = 1 + (*seed >> 33) % most;
    for (size_t i = 0; i < count; i++) {
        *seed = *seed * UINT64_C (6364136223846793005) + 1;
        buf_add_str (&out, letters[(*seed >> 33) % COUNT_OF (letters)]);
    }
    return buf_take (&out);
}

static void
check_same (struct opml *all, const struct opml_feed *feed)
{
    size_t count = all->count;
    const struct opml_feed *same = opml_add (all, feed->url, NULL);
    assert_int_equal (all->count, count);
    if (feed->title)
        assert_string_equal (same->title, feed->title);
    else
        assert_null (same->title);
    assert_int_equal (same->tag_count, feed->tag_count);
    for (size_t i = 0; i < feed->tag_count; i++)
        assert_string_equal (same->tags[i], feed->tags[i]);
}

static void
what_is_written_reads_back_the_same (void **state UNUSED)
{
    uint64_t seed = 7;
    for (int round = 0; round < 50; round++) {
        struct opml opml = { 0 };
        for (int i = 0; i < round; i++) {
            char *path = any_text (&seed, 20), *address = mem_printf ("https://%d.example/%s", i, path), *url = opml_web_address (address);
            char *title = any_text (&seed, 12);
            struct opml_feed *feed = opml_add (&opml, url ? url : "http://else.example/", i % 5 ? title : NULL);
            for (int t = i % 4; t > 0; t--) {
                char *tag = any_text (&seed, t == 1 ? 1 : 6);
                opml_add_tag (feed, tag, strlen (tag));
                free (tag);
            }
            free (path);
            free (address);
            free (url);
            free (title);
        }
        char *document = opml_format (&opml, "Mine & yours");
        struct opml again = parsed (document);
        assert_int_equal (again.count, opml.count);
        for (size_t i = 0; i < opml.count; i++)
            check_same (&again, &opml.feeds[i]);
        char *second = opml_format (&again, "Mine & yours");
        assert_string_equal (second, document);
        free (second);
        opml_fini (&again);
        opml_fini (&opml);
        free (document);
    }
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
    static const char *const outlets[] = {
        "CoinDesk", "Cointelegraph", "Decrypt", "The Block", "Bitcoin Magazine", "Blockworks", "DL News", "The Defiant",
        "CryptoSlate", "NewsBTC", "Bitcoinist", "U.Today", "BeInCrypto", "CryptoPotato", "Crypto Briefing", "AMBCrypto",
        "CoinGape", "Protos", "Unchained", "crypto.news", "Daily Hodl", "CryptoNews", "ZyCrypto", "CoinJournal",
        "Ethereum Foundation",
    };
    assert_int_equal (opml.skipped, 0);
    for (size_t i = 0; i < COUNT_OF (outlets); i++) {
        size_t at = 0;
        while (at < opml.count && strcmp (opml.feeds[at].title, outlets[i]) != 0)
            at++;
        if (at == opml.count)
            fail_msg ("%s is missing", outlets[i]);
    }
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
        cmocka_unit_test (addresses_are_put_right),
        cmocka_unit_test (comments_are_left_out),
        cmocka_unit_test (what_readers_export_is_read),
        cmocka_unit_test (character_sets_are_read),
        cmocka_unit_test (tag_soup_is_repaired_and_said),
        cmocka_unit_test (a_large_list_is_read),
        cmocka_unit_test (what_is_no_opml_is_refused),
        cmocka_unit_test (too_much_is_refused),
        cmocka_unit_test (what_is_written_reads_back_the_same),
        cmocka_unit_test (the_bundled_list_is_whole),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
