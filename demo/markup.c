/* markup - one writer per format. An entry's text goes as escaped HTML into RSS 2.0, as XHTML into
 * Atom, as CDATA into RSS 1.0 and as a string into JSON Feed, as sites out there do.
 * SPDX-License-Identifier: MPL-2.0 */
#include "demo/markup.h"
#include "demo/serve.h"

#include <string.h>

/* ---- text ---- */

void
markup_add_json (struct buf *out, const char *text)
{
    const char *run = text;
    buf_add_char (out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char) *text;
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_add (out, run, (size_t) (text - run));
        if (c >= 0x20)
            buf_printf (out, "\\%c", c);
        else
            buf_printf (out, "\\u%04x", c);
        run = text + 1;
    }
    buf_add (out, run, (size_t) (text - run));
    buf_add_char (out, '"');
}

static void
add_element (struct buf *out, const char *name, const char *text)
{
    buf_printf (out, "<%s>", name);
    buf_add_escaped (out, text);
    buf_printf (out, "</%s>\n", name);
}

static const char *
rfc3339 (int64_t time_s, char out[CLOCK_TEXT_SIZE])
{
    return clock_format (time_s * US_PER_S, out);
}

/* ---- RSS 2.0 ---- */

static void
add_rss_entry (struct buf *out, const struct markup_entry *entry)
{
    char date[SERVE_DATE_SIZE];
    buf_add_str (out, "<item>\n");
    add_element (out, "title", entry->title);
    add_element (out, "link", entry->url);
    buf_add_str (out, "<guid isPermaLink=\"false\">");
    buf_add_escaped (out, entry->id);
    buf_add_str (out, "</guid>\n");
    add_element (out, "pubDate", serve_date (entry->published_s, date));
    add_element (out, "dc:creator", entry->author);
    for (const char *const *category = entry->categories; *category; category++)
        add_element (out, "category", *category);
    if (entry->summary)
        add_element (out, "description", entry->summary);
    add_element (out, "content:encoded", entry->html);
    buf_add_str (out, "</item>\n");
}

static void
add_rss (struct buf *out, const struct markup_feed *feed)
{
    char date[SERVE_DATE_SIZE];
    buf_add_str (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\""
                      " xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
                      " xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n");
    add_element (out, "title", feed->title);
    add_element (out, "link", feed->home_url);
    add_element (out, "description", feed->description);
    buf_add_str (out, "<atom:link rel=\"self\" type=\"application/rss+xml\" href=\"");
    buf_add_escaped (out, feed->feed_url);
    buf_add_str (out, "\"/>\n");
    add_element (out, "lastBuildDate", serve_date (feed->updated_s, date));
    for (size_t i = 0; i < feed->count; i++)
        add_rss_entry (out, &feed->entries[i]);
    buf_add_str (out, "</channel>\n</rss>\n");
}

/* ---- Atom ---- */

static void
add_atom_link (struct buf *out, const char *rel, const char *url)
{
    buf_printf (out, "<link rel=\"%s\" href=\"", rel);
    buf_add_escaped (out, url);
    buf_add_str (out, "\"/>\n");
}

static void
add_atom_entry (struct buf *out, const struct markup_entry *entry)
{
    char date[CLOCK_TEXT_SIZE];
    buf_add_str (out, "<entry>\n");
    add_element (out, "title", entry->title);
    add_atom_link (out, "alternate", entry->url);
    add_element (out, "id", entry->id);
    add_element (out, "published", rfc3339 (entry->published_s, date));
    add_element (out, "updated", date);
    buf_add_str (out, "<author>");
    add_element (out, "name", entry->author);
    buf_add_str (out, "</author>\n");
    for (const char *const *category = entry->categories; *category; category++) {
        buf_add_str (out, "<category term=\"");
        buf_add_escaped (out, *category);
        buf_add_str (out, "\"/>\n");
    }
    if (entry->summary)
        add_element (out, "summary", entry->summary);
    buf_add_str (out, "<content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">");
    buf_add_str (out, entry->html);
    buf_add_str (out, "</div></content>\n</entry>\n");
}

static void
add_atom (struct buf *out, const struct markup_feed *feed)
{
    char date[CLOCK_TEXT_SIZE];
    buf_add_str (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<feed xmlns=\"http://www.w3.org/2005/Atom\">\n");
    add_element (out, "title", feed->title);
    add_element (out, "subtitle", feed->description);
    add_element (out, "id", feed->feed_url);
    add_atom_link (out, "self", feed->feed_url);
    add_atom_link (out, "alternate", feed->home_url);
    add_element (out, "updated", rfc3339 (feed->updated_s, date));
    for (size_t i = 0; i < feed->count; i++)
        add_atom_entry (out, &feed->entries[i]);
    buf_add_str (out, "</feed>\n");
}

/* ---- RSS 1.0 ---- */

/* Opens an element that is known by a URL: <name attribute="url">. */
static void
open_about (struct buf *out, const char *name, const char *attribute, const char *url,
            const char *end)
{
    buf_printf (out, "<%s %s=\"", name, attribute);
    buf_add_escaped (out, url);
    buf_printf (out, "\"%s\n", end);
}

static void
add_rdf_entry (struct buf *out, const struct markup_entry *entry)
{
    char date[CLOCK_TEXT_SIZE];
    open_about (out, "item", "rdf:about", entry->url, ">");
    add_element (out, "title", entry->title);
    add_element (out, "link", entry->url);
    if (entry->summary)
        add_element (out, "description", entry->summary);
    add_element (out, "dc:identifier", entry->id);
    add_element (out, "dc:creator", entry->author);
    add_element (out, "dc:date", rfc3339 (entry->published_s, date));
    for (const char *const *category = entry->categories; *category; category++)
        add_element (out, "dc:subject", *category);
    buf_add_str (out, "<content:encoded><![CDATA[");
    buf_add_str (out, entry->html); /* holds no "]]>": its ">" in text are escaped */
    buf_add_str (out, "]]></content:encoded>\n</item>\n");
}

static void
add_rdf (struct buf *out, const struct markup_feed *feed)
{
    char date[CLOCK_TEXT_SIZE];
    buf_add_str (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<rdf:RDF xmlns=\"http://purl.org/rss/1.0/\""
                      " xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\""
                      " xmlns:content=\"http://purl.org/rss/1.0/modules/content/\""
                      " xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n");
    open_about (out, "channel", "rdf:about", feed->feed_url, ">");
    add_element (out, "title", feed->title);
    add_element (out, "link", feed->home_url);
    add_element (out, "description", feed->description);
    add_element (out, "dc:date", rfc3339 (feed->updated_s, date));
    buf_add_str (out, "<items><rdf:Seq>\n");
    for (size_t i = 0; i < feed->count; i++)
        open_about (out, "rdf:li", "rdf:resource", feed->entries[i].url, "/>");
    buf_add_str (out, "</rdf:Seq></items>\n</channel>\n");
    for (size_t i = 0; i < feed->count; i++)
        add_rdf_entry (out, &feed->entries[i]);
    buf_add_str (out, "</rdf:RDF>\n");
}

/* ---- JSON Feed 1.1 ---- */

static void
add_member (struct buf *out, const char *name, const char *text)
{
    buf_printf (out, "\"%s\":", name);
    markup_add_json (out, text);
    buf_add_char (out, ',');
}

static void
add_json_entry (struct buf *out, const struct markup_entry *entry)
{
    char date[CLOCK_TEXT_SIZE];
    buf_add_char (out, '{');
    add_member (out, "id", entry->id);
    add_member (out, "url", entry->url);
    add_member (out, "title", entry->title);
    add_member (out, "date_published", rfc3339 (entry->published_s, date));
    buf_add_str (out, "\"authors\":[{\"name\":");
    markup_add_json (out, entry->author);
    buf_add_str (out, "}],\"tags\":[");
    for (const char *const *category = entry->categories; *category; category++) {
        if (category != entry->categories)
            buf_add_char (out, ',');
        markup_add_json (out, *category);
    }
    buf_add_str (out, "],");
    if (entry->summary)
        add_member (out, "summary", entry->summary);
    buf_add_str (out, "\"content_html\":");
    markup_add_json (out, entry->html);
    buf_add_char (out, '}');
}

static void
add_json (struct buf *out, const struct markup_feed *feed)
{
    buf_add_char (out, '{');
    add_member (out, "version", "https://jsonfeed.org/version/1.1");
    add_member (out, "title", feed->title);
    add_member (out, "description", feed->description);
    add_member (out, "home_page_url", feed->home_url);
    add_member (out, "feed_url", feed->feed_url);
    buf_add_str (out, "\"items\":[\n");
    for (size_t i = 0; i < feed->count; i++) {
        if (i)
            buf_add_str (out, ",\n");
        add_json_entry (out, &feed->entries[i]);
    }
    buf_add_str (out, "]}\n");
}

/* ---- all of them ---- */

static const struct {
    const char *content_type;
    void (*add) (struct buf *out, const struct markup_feed *feed);
} formats[MARKUP_FORMATS] = {
    [MARKUP_RSS] = { "application/rss+xml; charset=utf-8", add_rss },
    [MARKUP_ATOM] = { "application/atom+xml; charset=utf-8", add_atom },
    [MARKUP_RDF] = { "application/rdf+xml; charset=utf-8", add_rdf },
    [MARKUP_JSON] = { "application/feed+json; charset=utf-8", add_json },
};

void
markup_add_feed (struct buf *out, enum markup_format format, const struct markup_feed *feed)
{
    formats[format].add (out, feed);
}

const char *
markup_content_type (enum markup_format format)
{
    return formats[format].content_type;
}

void
markup_add_opml (struct buf *out, const char *title, const struct markup_outline *outlines,
                 size_t count)
{
    buf_add_str (out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n<head>");
    add_element (out, "title", title);
    buf_add_str (out, "</head>\n<body>\n");
    for (size_t i = 0; i < count; i++) {
        buf_add_str (out, "<outline type=\"rss\" text=\"");
        buf_add_escaped (out, outlines[i].title);
        buf_add_str (out, "\" title=\"");
        buf_add_escaped (out, outlines[i].title);
        buf_add_str (out, "\" xmlUrl=\"");
        buf_add_escaped (out, outlines[i].feed_url);
        buf_add_str (out, "\" htmlUrl=\"");
        buf_add_escaped (out, outlines[i].home_url);
        buf_add_str (out, "\"/>\n");
    }
    buf_add_str (out, "</body>\n</opml>\n");
}
