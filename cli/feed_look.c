/* newsmill feed parse FILE: a feed as JSON. newsmill feed check URL: what the fetcher would make
 * of it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_look.h"
#include "cli/fetch.h"
#include "feed/feed_json.h"
#include "text/html.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t) 256 << 20)
#define FULL_TEXT_WORDS 120 /* a teaser has fewer */
#define NAME_WIDTH 12

/* ---- parse ---- */

static int
print_error (const char *reason)
{
    json_t *document = json_pack ("{s:s}", "error", reason);
    cli_print_json (document);
    json_decref (document);
    return 1;
}

int
feed_parse_file (struct cli *cli UNUSED, int argc, char **argv)
{
    struct feed_hints hints = { NULL, NULL };
    const struct cli_option options[] = { { .name = "url", .text = &hints.url },
                                          { .name = "content-type", .text = &hints.content_type } };
    char reason[FEED_REASON_SIZE] = "";
    struct buf text = { 0 };
    struct feed *feed = NULL;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 1, 1);
    if (r)
        return r;
    if ((r = cli_read_file (argv[1], FILE_MOST, &text)) < 0) {
        cli_say ("cannot read %s: %s", argv[1], strerror (-r));
        buf_fini (&text);
        return EXIT_USAGE;
    }
    if (feed_parse (text.data ? text.data : "", text.len, &hints, &feed, reason) < 0)
        r = print_error (reason);
    else {
        json_t *document = feed_to_json (feed);
        cli_print_json (document);
        json_decref (document);
        feed_destroy (&feed);
    }
    buf_fini (&text);
    return r;
}

/* ---- check ---- */

struct facts {
    size_t entries, dated, linked, full, teaser, empty;
    int64_t newest_us, oldest_us; /* FEED_NO_DATE: none */
    size_t words;                 /* of all entries together */
};

static size_t
count_words (const char *html)
{
    char *text = html_to_text (html, strlen (html));
    size_t count = 0;
    bool inside = false;
    for (const char *p = text; *p; p++) {
        bool blank = strchr (" \t\r\n", *p) != NULL;
        count += !blank && !inside;
        inside = !blank;
    }
    free (text);
    return count;
}

static void
add_entry (struct facts *facts, const struct feed_entry *entry)
{
    const char *body = entry->content ? entry->content : entry->summary;
    size_t words = body ? count_words (body) : 0;
    int64_t date = entry->published_us != FEED_NO_DATE ? entry->published_us : entry->updated_us;
    facts->entries++;
    facts->linked += entry->url != NULL;
    facts->words += words;
    facts->full += words >= FULL_TEXT_WORDS;
    facts->teaser += words > 0 && words < FULL_TEXT_WORDS;
    facts->empty += !words;
    if (date == FEED_NO_DATE)
        return;
    facts->dated++;
    if (facts->newest_us == FEED_NO_DATE || date > facts->newest_us)
        facts->newest_us = date;
    if (facts->oldest_us == FEED_NO_DATE || date < facts->oldest_us)
        facts->oldest_us = date;
}

static struct facts
gather (const struct feed *feed)
{
    struct facts facts = { .newest_us = FEED_NO_DATE, .oldest_us = FEED_NO_DATE };
    for (size_t i = 0; i < feed->entry_count; i++)
        add_entry (&facts, &feed->entries[i]);
    return facts;
}

static json_t *
date_value (int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    return wall_us == FEED_NO_DATE ? json_null () : json_string (clock_format (wall_us, text));
}

static void
print_check_json (const struct fetched *got, const struct feed *feed, const struct facts *facts)
{
    json_t *document = json_pack (
        "{s:s, s:s, s:I, s:s?, s:s?, s:s?, s:I, s:I, s:s, s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
        "s:o, s:o}",
        "url", got->url, "redirect", got->moved_permanently ? "permanent" : "none or temporary",
        "status", (json_int_t) got->status, "contentType", got->content_type, "etag", got->etag,
        "lastModified", got->last_modified, "bytes", (json_int_t) got->body.len, "durationMs",
        (json_int_t) got->duration_ms, "format", feed_format_name (feed->format), "title",
        feed->title, "entries", (json_int_t) facts->entries, "dated", (json_int_t) facts->dated,
        "linked", (json_int_t) facts->linked, "fullText", (json_int_t) facts->full, "teaser",
        (json_int_t) facts->teaser, "empty", (json_int_t) facts->empty, "words",
        (json_int_t) facts->words, "newest", date_value (facts->newest_us), "oldest",
        date_value (facts->oldest_us));
    cli_print_json (document);
    json_decref (document);
}

static void line (const char *name, const char *format, ...) PRINTF_LIKE (2, 3);

static void
line (const char *name, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    for (char *p = text; *p; p++) /* titles and headers come from outside */
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            *p = ' ';
    printf ("%-*s %s\n", NAME_WIDTH, name, text);
}

static void
print_dates (const struct facts *facts)
{
    char newest[CLOCK_TEXT_SIZE], oldest[CLOCK_TEXT_SIZE];
    if (!facts->dated)
        line ("dates", "none: articles count as published when they are found");
    else
        line ("dates", "%zu of %zu, from %s to %s", facts->dated, facts->entries,
              clock_format (facts->oldest_us, oldest), clock_format (facts->newest_us, newest));
}

static void
print_check (const char *url, const struct fetched *got, const struct feed *feed,
             const struct facts *facts)
{
    line ("feed", "%s, %s", feed_format_name (feed->format),
          feed->title ? feed->title : "without a title");
    if (strcmp (got->url, url) != 0)
        line ("address", "leads %s to %s", got->moved_permanently ? "for good" : "for now",
              got->url);
    line ("answer", "%ld, %s, %zu bytes in %" PRId64 " ms", got->status,
          got->content_type ? got->content_type : "no content type", got->body.len,
          got->duration_ms);
    line ("validators", "%s%s%s", got->etag ? "ETag" : "",
          got->etag && got->last_modified ? " and " : "",
          got->last_modified ? "Last-Modified"
          : got->etag        ? ""
                             : "none: the whole feed travels at every fetch");
    line ("entries", "%zu, %zu of them with an address", facts->entries, facts->linked);
    print_dates (facts);
    line ("text", "%zu in full, %zu teasers, %zu without; %zu words each on average", facts->full,
          facts->teaser, facts->empty, facts->entries ? facts->words / facts->entries : 0);
    line ("stored", "each new entry as one article; `newsmill feed add %s` takes the feed in", url);
    for (size_t i = 0; i < MIN_OF (feed->entry_count, (size_t) 5); i++)
        line (i ? "" : "newest", "%s",
              feed->entries[i].title ? feed->entries[i].title : "(no title)");
}

static int
judge (const struct cli *cli, const char *url, const struct fetched *got)
{
    char reason[FEED_REASON_SIZE] = "";
    struct feed *feed = NULL;
    if (got->error != HTTP_OK) {
        cli_say ("%s: %s", url, got->reason);
        return 1;
    }
    if (got->status != 200) {
        cli_say ("%s: the server answers %ld", url, got->status);
        return 1;
    }
    struct feed_hints hints = { got->url, got->content_type };
    if (feed_parse (got->body.data ? got->body.data : "", got->body.len, &hints, &feed, reason)
        < 0) {
        cli_say ("%s is no feed: %s (%s, %zu bytes)", url, reason,
                 got->content_type ? got->content_type : "no content type", got->body.len);
        return 1;
    }
    struct facts facts = gather (feed);
    if (cli->json)
        print_check_json (got, feed, &facts);
    else
        print_check (url, got, feed, &facts);
    feed_destroy (&feed);
    return 0;
}

int
feed_check (struct cli *cli, int argc, char **argv)
{
    struct fetched got;
    int r = cli_parse (&argc, argv, NULL, 0, 1, 1);
    r = r ? r : cli_load_live (cli);
    if (r)
        return r;
    fetch (&cli->settings, argv[1], (size_t) cli->settings.fetcher_max_body, &got);
    r = judge (cli, argv[1], &got);
    fetched_fini (&got);
    return r;
}
