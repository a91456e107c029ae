/* Whole documents: each format, then what hostile ones must not do.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/feed_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const char rss[] =
    "<?xml version=\"1.0\"?><rss version=\"2.0\" "
    "xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" "
    "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel><title>News &amp;amp; "
    "more</title><item>"
    "<title>One &lt;i&gt;two&lt;/i&gt;</title><link>/a?b=1&amp;c=2</link><guid "
    "isPermaLink=\"false\">id-1</guid>"
    "<pubDate>Thu, 01 Jan 2004 19:48:21 "
    "GMT</pubDate><dc:date>2001-01-01</dc:date><dc:creator>Ada</dc:creator>"
    "<description>short</description><content:encoded><![CDATA[<p>long</p>]]></content:encoded>"
    "<category>x</category><category> x </category><category>y</category></item></channel></rss>";

static const char rdf[] = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" "
                          "xmlns=\"http://purl.org/rss/1.0/\" "
                          "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><channel "
                          "rdf:about=\"http://e.org/\"><title>RDF</title></channel>"
                          "<item "
                          "rdf:about=\"urn:1\"><title>One</title><link>http://e.org/1</"
                          "link><dc:date>2004-01-01T00:00:00Z</dc:date>"
                          "<dc:subject>x</dc:subject></item></rdf:RDF>";

static const char atom[] =
    "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:base=\"http://e.org/a/\"><title "
    "type=\"html\">&lt;b>A&lt;/b></title>"
    "<author><name>Feed Author</name></author><entry><title>1 &lt; 2 &amp;amp; "
    "&lt;b></title><id>urn:1</id>"
    "<link rel=\"self\" href=\"self\"/><link "
    "href=\"../b\"/><published>2004-01-01T01:00:00+01:00</published>"
    "<updated>2004-01-02T00:00:00Z</updated><summary>s</summary><content type=\"xhtml\">"
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">a &lt; <em class=\"x\">b</em><br/></div></content>"
    "<category term=\"x\"/></entry></feed>";

static const char json[] =
    "{\"version\":\"https://jsonfeed.org/version/"
    "1.1\",\"title\":\"J\",\"items\":[{\"id\":7,\"url\":\"x\","
    "\"title\":\"T\",\"content_html\":\"<p>c</p>\",\"content_text\":\"c\",\"summary\":\"s\","
    "\"date_published\":\"2004-01-01T00:00:00Z\",\"authors\":[{\"name\":\"Ada\"}],\"tags\":[\"x\","
    "5]},3]}";

static struct feed *
parse (const char *text)
{
    const struct feed_hints hints = { "http://e.org/feed.xml", NULL };
    char reason[FEED_REASON_SIZE];
    struct feed *feed = NULL;
    assert_int_equal (feed_parse (text, strlen (text), &hints, &feed, reason), 0);
    return feed;
}

static int64_t
at (const char *text)
{
    char now[CLOCK_TEXT_SIZE];
    int y, mo, d;
    assert_int_equal (sscanf (text, "%d-%d-%d", &y, &mo, &d), 3);
    for (int64_t day = 0; day < 30000; day++)
        if (strncmp (clock_format (day * 86400 * US_PER_S, now), text, 10) == 0)
            return day * 86400 * US_PER_S;
    return FEED_NO_DATE;
}

static void
reads_rss (void **state UNUSED)
{
    struct feed *feed = parse (rss);
    assert_int_equal (feed->format, FEED_RSS);
    assert_string_equal (feed->title, "News & more");
    assert_int_equal (feed->entry_count, 1);
    const struct feed_entry *e = feed->entries;
    assert_string_equal (e->title, "One two");
    assert_string_equal (e->url, "http://e.org/a?b=1&c=2");
    assert_string_equal (e->id, "id-1");
    assert_string_equal (e->author, "Ada");
    assert_string_equal (e->summary, "short");
    assert_string_equal (e->content, "<p>long</p>");
    assert_int_equal (e->published_us, at ("2004-01-01") + 71301 * US_PER_S);
    assert_true (e->updated_us == FEED_NO_DATE);
    assert_int_equal (e->category_count, 2);
    assert_string_equal (e->categories[1], "y");
    feed_destroy (&feed);
    assert_null (feed);
    feed_destroy (&feed);
}

static void
reads_rdf (void **state UNUSED)
{
    struct feed *feed = parse (rdf);
    assert_int_equal (feed->format, FEED_RDF);
    assert_string_equal (feed->title, "RDF");
    assert_int_equal (feed->entry_count, 1);
    assert_string_equal (feed->entries[0].id, "urn:1");
    assert_string_equal (feed->entries[0].url, "http://e.org/1");
    assert_int_equal (feed->entries[0].published_us, at ("2004-01-01"));
    assert_string_equal (feed->entries[0].categories[0], "x");
    feed_destroy (&feed);
}

static void
reads_atom (void **state UNUSED)
{
    struct feed *feed = parse (atom);
    assert_int_equal (feed->format, FEED_ATOM);
    assert_string_equal (feed->title, "A");
    assert_int_equal (feed->entry_count, 1);
    const struct feed_entry *e = feed->entries;
    assert_string_equal (e->title,
                         "1 < 2 &amp; <b>"); /* type="text": no markup, whatever it looks like */
    assert_string_equal (e->url, "http://e.org/b");
    assert_string_equal (e->author, "Feed Author");
    assert_string_equal (e->content, "a &lt; <em class=\"x\">b</em><br>");
    assert_int_equal (e->published_us, at ("2004-01-01"));
    assert_int_equal (e->updated_us, at ("2004-01-02"));
    feed_destroy (&feed);
}

static void
reads_json_feed (void **state UNUSED)
{
    struct feed *feed = parse (json);
    assert_int_equal (feed->format, FEED_JSON);
    assert_int_equal (feed->entry_count, 1);
    const struct feed_entry *e = feed->entries;
    assert_string_equal (e->id, "7");
    assert_string_equal (e->url, "http://e.org/x");
    assert_string_equal (e->content, "<p>c</p>");
    assert_string_equal (e->author, "Ada");
    assert_int_equal (e->category_count, 1);
    feed_destroy (&feed);
}

static void
writes_json (void **state UNUSED)
{
    struct feed *feed = parse (atom);
    json_t *object = feed_to_json (feed);
    char *text = json_dumps (object, JSON_COMPACT);
    assert_string_equal (text, "{\"format\":\"atom\",\"title\":\"A\",\"entries\":[{\"title\":\"1 < "
                               "2 &amp; <b>\",\"url\":\"http://e.org/b\","
                               "\"id\":\"urn:1\",\"published\":\"2004-01-01T00:00:00.000Z\","
                               "\"updated\":\"2004-01-02T00:00:00.000Z\","
                               "\"author\":\"Feed Author\",\"summary\":\"s\",\"content\":\"a &lt; "
                               "<em class=\\\"x\\\">b</em><br>\","
                               "\"categories\":[\"x\"]}]}");
    free (text);
    json_decref (object);
    feed_destroy (&feed);
}

static void
reads_what_a_feed_says_of_itself (void **state UNUSED)
{
    struct feed *feed = parse (
        "<rss xml:lang='x'><channel xmlns:atom='http://www.w3.org/2005/Atom' xmlns:s='http://purl.org/rss/1.0/modules/"
        "syndication/'><atom:link rel='self' href='/self'/><atom:link rel='hub' href='http://hub.e.org/'/><atom:link "
        "rel='hub' href='http://second.e.org/'/><link>/site</link><language>de-at</language><ttl>30</ttl><skipHours>"
        "<hour>1</hour><hour>23</hour><hour>x</hour></skipHours><skipDays><day>Monday</day></skipDays>"
        "<s:updateFrequency>2</s:updateFrequency><s:updatePeriod>hourly</s:updatePeriod></channel></rss>");
    assert_string_equal (feed->link, "http://e.org/site");
    assert_string_equal (feed->self, "http://e.org/self");
    assert_string_equal (feed->hub, "http://hub.e.org/");
    assert_string_equal (feed->language, "de-at");
    assert_int_equal (feed->ttl_s, 1800);
    assert_int_equal (feed->update_period_s, 1800);
    assert_int_equal (feed->skip_hours, 1u << 1 | 1u << 23);
    assert_int_equal (feed->skip_days, 1u << 1);
    json_t *object = feed_to_json (feed);
    assert_int_equal (json_integer_value (json_object_get (object, "ttlS")), 1800);
    assert_int_equal (json_array_size (json_object_get (object, "skipHours")), 2);
    json_decref (object);
    feed_destroy (&feed);

    feed = parse ("<feed xmlns='http://www.w3.org/2005/Atom' xml:lang='fr' xml:base='http://b.org/'><link href='a'/>"
                  "<link rel='hub' href='h'/><link rel='replies' href='r'/></feed>");
    assert_string_equal (feed->link, "http://b.org/a");
    assert_string_equal (feed->hub, "http://b.org/h");
    assert_string_equal (feed->language, "fr");
    assert_null (feed->self);
    feed_destroy (&feed);

    feed = parse ("{\"version\":\"https://jsonfeed.org/version/1.1\",\"home_page_url\":\"/\",\"feed_url\":\"f\","
                  "\"language\":\"en\",\"hubs\":[{\"type\":\"WebSub\",\"url\":\"http://hub.e.org/\"}],\"items\":[]}");
    assert_string_equal (feed->link, "http://e.org/");
    assert_string_equal (feed->self, "http://e.org/f");
    assert_string_equal (feed->hub, "http://hub.e.org/");
    assert_string_equal (feed->language, "en");
    feed_destroy (&feed);
}

static void
says_why_it_is_no_feed (void **state UNUSED)
{
    static const struct {
        const char *text, *reason;
    } samples[] = {
        { "", "empty" },
        { " \n", "empty" },
        { "just text", "neither XML nor JSON" },
        { "<!DOCTYPE html><html><body>no</body></html>", "<html>" },
        { "<opml version='2.0'/>", "<opml>" },
        { "{\"a\": 1}", "no items" },
        { "{\"a\":", "not JSON" },
    };
    for (size_t i = 0; i < COUNT_OF (samples); i++) {
        char reason[FEED_REASON_SIZE] = "";
        struct feed *feed = NULL;
        assert_int_equal (
            feed_parse (samples[i].text, strlen (samples[i].text), NULL, &feed, reason), -EBADMSG);
        assert_null (feed);
        assert_non_null (strstr (reason, samples[i].reason));
    }
}

/* ---- hostile documents ---- */

/* Entities that would grow a thousandfold with each of ten levels, and one that would read a file.
 */
static void
entities_neither_nest_nor_read_files (void **state UNUSED)
{
    struct buf text = { 0 };
    buf_add_str (&text, "<!DOCTYPE rss [<!ENTITY e0 \"ha\">");
    for (int level = 1; level < 10; level++) {
        buf_printf (&text, "<!ENTITY e%d \"", level);
        for (int i = 0; i < 100; i++)
            buf_printf (&text, "&e%d;", level - 1);
        buf_add_str (&text, "\">");
    }
    buf_add_str (&text, "<!ENTITY file SYSTEM \"file:///etc/passwd\"><!ENTITY % p SYSTEM "
                        "\"file:///etc/passwd\">%p;]>"
                        "<rss><channel><title>&e9;|&file;|&e0;</title></channel></rss>");
    struct feed *feed = parse (text.data);
    assert_non_null (feed->title);
    assert_true (strlen (feed->title) < 2000);
    assert_null (strstr (feed->title, "root"));
    assert_non_null (strstr (feed->title, "|&file;|ha"));
    feed_destroy (&feed);
    buf_fini (&text);
}

static void
limits_hold (void **state UNUSED)
{
    struct buf text = { 0 };
    buf_add_str (&text, "<rss><channel><title>");
    for (size_t i = 0; i < FEED_FIELD_MAX; i++)
        buf_add_str (&text, "\xc3\xa9");
    buf_add_str (&text, "</title>");
    for (int i = 0; i < FEED_ENTRIES_MAX + 5; i++)
        buf_printf (&text, "<item><category>%d</category></item>", i);
    buf_add_str (&text, "<item>");
    for (int i = 0; i < FEED_CATEGORIES_MAX + 5; i++)
        buf_printf (&text, "<category>%d</category>", i);
    buf_add_str (&text, "</item></channel></rss>");
    struct feed *feed = parse (text.data);
    assert_int_equal (strlen (feed->title), FEED_FIELD_MAX);
    assert_int_equal (feed->entry_count, FEED_ENTRIES_MAX);
    feed_destroy (&feed);

    buf_clear (&text);
    buf_add_str (&text, "<rss><item>");
    for (int i = 0; i < FEED_CATEGORIES_MAX + 5; i++)
        buf_printf (&text, "<category>%d</category>", i);
    feed = parse (text.data);
    assert_int_equal (feed->entries[0].category_count, FEED_CATEGORIES_MAX);
    feed_destroy (&feed);
    buf_fini (&text);
}

static void
too_long_a_document_is_refused (void **state UNUSED)
{
    size_t bytes = FEED_DOCUMENT_MAX + 1;
    char *data = mmap (NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_ptr_not_equal (data, MAP_FAILED);
    char reason[FEED_REASON_SIZE] = "";
    struct feed *feed = NULL;
    assert_int_equal (feed_parse (data, bytes, NULL, &feed, reason), -E2BIG);
    assert_non_null (strstr (reason, "bytes"));
    munmap (data, bytes);
}

static void
nul_bytes_and_bad_utf8_are_no_obstacle (void **state UNUSED)
{
    static const char text[] = "<rss><channel><title>a\0b\xff\xfe"
                               "c</title><item><title>t\0</title></item></channel></rss>";
    char reason[FEED_REASON_SIZE];
    struct feed *feed = NULL;
    assert_int_equal (feed_parse (text, sizeof text - 1, NULL, &feed, reason), 0);
    assert_int_equal (feed->entry_count, 1);
    assert_string_equal (feed->entries[0].title, "t");
    assert_int_equal (utf8_valid_bytes (feed->title, strlen (feed->title)), strlen (feed->title));
    feed_destroy (&feed);
}

/* Repeats of what makes careless parsers quadratic or recursive; the test's time limit judges. */
static void
repeats_cost_linear_time (void **state UNUSED)
{
    static const char *const pieces[] = {
        "<a>",
        "</a>",
        "<a b='",
        "<!--",
        "<![CDATA[",
        "<?",
        "&",
        "&a;",
        "<item>",
        "<a b=\"x\" ",
        "<a b",
        "<!DOCTYPE [",
        "]]>",
        "<a></b>",
        "<",
        "\xc3",
        "{",
        "[",
        "{\"items\":[",
        "<a xmlns:b='c'>",
        "<title><b>",
        "xml:base='a' ",
        "<a xml:base='../a/'>",
    };
    for (size_t i = 0; i < COUNT_OF (pieces); i++) {
        struct buf text = { 0 };
        buf_add_str (
            &text, pieces[i][0] == '{' || pieces[i][0] == '[' ? "" : "<rss><channel><item><link>");
        while (text.len < 1000000)
            buf_add_str (&text, pieces[i]);
        char reason[FEED_REASON_SIZE];
        struct feed *feed = NULL;
        int64_t start = clock_mono_ms ();
        int r = feed_parse (text.data, text.len, NULL, &feed, reason);
        assert_true (r == 0 || r == -EBADMSG);
        if (clock_mono_ms () - start > 5000)
            fail_msg ("a megabyte of \"%s\" took %lld ms", pieces[i],
                      (long long) (clock_mono_ms () - start));
        feed_destroy (&feed);
        buf_fini (&text);
    }
}

/* Each document cut at every length, its end against a page that must not be touched. */
static void
reads_no_byte_too_many (void **state UNUSED)
{
    static const char *const documents[] = { rss, rdf, atom, json };
    size_t page = (size_t) sysconf (_SC_PAGESIZE);
    char *pages = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal (pages, MAP_FAILED);
    assert_int_equal (mprotect (pages + page, page, PROT_NONE), 0);
    for (size_t i = 0; i < COUNT_OF (documents); i++) {
        size_t whole = strlen (documents[i]);
        assert_true (whole < page);
        for (size_t cut = 0; cut <= whole; cut++) {
            char *data = pages + page - cut, reason[FEED_REASON_SIZE];
            struct feed *feed = NULL;
            memcpy (data, documents[i], cut);
            int r = feed_parse (data, cut, NULL, &feed, reason);
            assert_true (r == -EBADMSG || (r == 0 && feed->entry_count <= 1));
            assert_true (cut < whole || r == 0);
            feed_destroy (&feed);
        }
    }
    munmap (pages, 2 * page);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_rss),
        cmocka_unit_test (reads_rdf),
        cmocka_unit_test (reads_atom),
        cmocka_unit_test (reads_json_feed),
        cmocka_unit_test (writes_json),
        cmocka_unit_test (reads_what_a_feed_says_of_itself),
        cmocka_unit_test (says_why_it_is_no_feed),
        cmocka_unit_test (entities_neither_nest_nor_read_files),
        cmocka_unit_test (limits_hold),
        cmocka_unit_test (too_long_a_document_is_refused),
        cmocka_unit_test (nul_bytes_and_bad_utf8_are_no_obstacle),
        cmocka_unit_test (repeats_cost_linear_time),
        cmocka_unit_test (reads_no_byte_too_many),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
