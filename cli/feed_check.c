/* newsmill feed check URL: what the fetcher would make of a feed, and what its publisher could do better, for people or for
 * programs. Nothing is stored.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_facts.h"
#include "cli/feed_find.h"
#include "cli/feed_look.h"
#include "cli/opml.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_WIDTH 12
#define LINE_WIDTH 80       /* of a line where the output is no terminal */
#define LINE_WIDTH_MOST 100 /* longer ones are hard to read */
#define SAMPLES 3           /* entries shown */

/* ---- for programs ---- */

static json_t *
date_value (int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    return wall_us == FEED_NO_DATE ? json_null () : json_string (clock_format (wall_us, text));
}

static json_t *
number_or_null (int64_t value, int64_t none)
{
    return value == none ? json_null () : json_integer ((json_int_t) value);
}

static json_t *
hints_value (const struct facts *self)
{
    const struct feed *feed = self->feed;
    return json_pack ("{s:o, s:o, s:o, s:s?, s:s?, s:s?, s:s?}", "ttlS", number_or_null (feed->ttl_s, 0), "updatePeriodS",
                      number_or_null (feed->update_period_s, 0), "maxAgeS", number_or_null (self->max_age_s, -1), "hub",
                      self->hub, "self", feed->self, "link", feed->link, "language", feed->language);
}

static json_t *
speed_value (const struct fetched *got, const char *compression)
{
    return json_pack ("{s:I, s:I, s:I, s:I, s:I, s:I, s:s?}", "lookupMs", (json_int_t) got->times.lookup_ms, "connectMs",
                      (json_int_t) got->times.connect_ms, "tlsMs", (json_int_t) got->times.secure_ms, "firstByteMs",
                      (json_int_t) got->times.first_byte_ms, "totalMs", (json_int_t) got->duration_ms, "wireBytes",
                      (json_int_t) got->wire_bytes, "compression", compression);
}

static json_t *
samples_value (const struct facts *self)
{
    json_t *samples = json_array ();
    for (size_t i = 0; i < MIN_OF (self->feed->entry_count, (size_t) SAMPLES); i++) {
        const struct feed_entry *entry = &self->feed->entries[i];
        json_array_append_new (samples, json_pack ("{s:s?, s:s?, s:o, s:s?, s:I}", "title", entry->title, "url", entry->url,
                                                   "published", date_value (facts_date (entry)), "author", entry->author,
                                                   "words", (json_int_t) self->words[i]));
    }
    return samples;
}

static void
print_json (const struct facts *self)
{
    const struct fetched *got = self->got;
    json_t *warnings = json_array ();
    for (size_t i = 0; i < self->warning_count; i++)
        json_array_append_new (warnings, json_string (self->warnings[i]));
    json_t *document = json_pack (
        "{s:s, s:s, s:s, s:I, s:I, s:s?, s:s?, s:s?, s:o, s:I, s:I, s:s, s:{s:s, s:s}, s:s?,"
        " s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}",
        "asked", self->asked, "url", got->url, "redirect",
        !got->redirects ? "none" : got->moved_permanently ? "permanent" : "temporary", "redirects",
        (json_int_t) got->redirects, "status", (json_int_t) got->status, "contentType", got->content_type, "etag", got->etag,
        "lastModified", got->last_modified, "again", number_or_null (self->again, 0), "bytes", (json_int_t) got->body.len,
        "durationMs", (json_int_t) got->duration_ms, "format", feed_format_name (self->feed->format), "encoding", "name",
        self->charset.name, "origin", self->charset.origin, "title", self->feed->title, "entries",
        (json_int_t) self->feed->entry_count, "dated", (json_int_t) self->dated, "linked", (json_int_t) self->linked,
        "fullText", (json_int_t) self->full, "teaser", (json_int_t) self->teaser, "empty", (json_int_t) self->empty, "words",
        (json_int_t) self->total, "medianWords", (json_int_t) self->median, "newest", date_value (self->newest_us), "oldest",
        date_value (self->oldest_us), "hints", hints_value (self), "speed", speed_value (got, self->compression), "stored",
        samples_value (self), "warnings", warnings);
    cli_print_json (document);
    json_decref (document);
}

/* ---- for people ---- */

static size_t
line_width (void)
{
    size_t width = table_terminal_width ();
    return width ? MIN_OF (width, (size_t) LINE_WIDTH_MOST) : LINE_WIDTH;
}

/* Words of text behind the name, on as many lines as they need; a word that is longer than a line has one of its own. */
static void
print_wrapped (const char *name, size_t indent, const char *text)
{
    size_t width = line_width (), column = indent;
    struct buf out = { 0 };
    table_fit (&out, name, indent, TABLE_LEFT, true);
    for (size_t n; *text; text += n) {
        text += strspn (text, " \t\r\n");
        n = strcspn (text, " \t\r\n");
        char *word = mem_copy (text, n);
        size_t needed = table_text_width (word);
        if (column > indent && column + 1 + needed > width) {
            buf_printf (&out, "\n%*s", (int) indent, "");
            column = indent;
        }
        if (n && column > indent) {
            buf_add_char (&out, ' ');
            column++;
        }
        table_fit (&out, word, 0, TABLE_LEFT, false);
        column += needed;
        free (word);
    }
    printf ("%s\n", out.data);
    buf_fini (&out);
}

static void field (const char *name, const char *format, ...) PRINTF_LIKE (2, 3);

static void
field (const char *name, const char *format, ...)
{
    struct buf label = { 0 };
    va_list args;
    char text[4096];
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    buf_printf (&label, "  %s", name);
    print_wrapped (label.data, NAME_WIDTH + 2, text);
    buf_fini (&label);
}

#define AGE_SIZE 40
static const char *
age_of (int64_t date_us, int64_t now_us, char out[AGE_SIZE])
{
    static const struct {
        int64_t most_s, unit_s;
        const char *name;
    } units[] = { { 120, 1, "s" }, { 7200, 60, "min" }, { 172800, 3600, "h" },
                { 2 * 365 * 86400, 86400, "days" }, { INT64_MAX, 365 * 86400, "years" } };
    int64_t age_s = (now_us - date_us) / US_PER_S, size_s = age_s < 0 ? -age_s : age_s;
    size_t i = 0;
    while (size_s >= units[i].most_s)
        i++;
    snprintf (out, AGE_SIZE, age_s < 0 ? "in %" PRId64 " %s" : "%" PRId64 " %s ago", size_s / units[i].unit_s, units[i].name);
    return out;
}

/* 1234567: "1.2 MB" */
static const char *
size_text (int64_t bytes, char out[AGE_SIZE])
{
    if (bytes < 1000)
        snprintf (out, AGE_SIZE, "%" PRId64 " bytes", bytes);
    else if (bytes < 1000000)
        snprintf (out, AGE_SIZE, "%.*f kB", bytes < 10000, (double) bytes / 1e3);
    else
        snprintf (out, AGE_SIZE, "%.1f MB", (double) bytes / 1e6);
    return out;
}

static void
print_document (const struct facts *self)
{
    static const char *const formats[] = { "none", "RSS", "RSS 1.0 (RDF)", "Atom", "JSON Feed" };
    const struct fetched *got = self->got;
    field ("format", "%s, %s by %s%s%s", formats[self->feed->format], self->charset.name, self->charset.origin,
           self->feed->language ? ", language " : "", self->feed->language ? self->feed->language : "");
    field ("answer", "%ld, %s", got->status, got->content_type ? got->content_type : "without a content type");
    if (got->redirects)
        field ("redirects", "%ld, %s, to %s", got->redirects, got->moved_permanently ? "for good" : "for now", got->url);
}

static void
print_entries (const struct facts *self)
{
    char newest[AGE_SIZE], oldest[AGE_SIZE], dated[64];
    size_t count = self->feed->entry_count;
    snprintf (dated, sizeof dated, self->dated == count ? "all" : "%zu of them", self->dated);
    if (!count)
        field ("entries", "none");
    else if (!self->dated)
        field ("entries", "%zu, none with a date", count);
    else
        field ("entries", "%zu, %s dated; newest %s, oldest %s", count, dated, age_of (self->newest_us, self->now_us, newest),
               age_of (self->oldest_us, self->now_us, oldest));
    if (!count)
        return;
    bool full = self->full > count / 2;
    field ("text", "%s, %zu words in the middle%s", full ? "full text" : self->median ? "teasers" : "none, titles only",
           self->median,
           full ? "; the articles' own pages would add little"
                : "; what is stored is this short, unless the articles' own pages are read");
}

static void
print_hints (const struct facts *self)
{
    const struct feed *feed = self->feed;
    struct buf out = { 0 };
    if (feed->ttl_s)
        buf_printf (&out, ", ttl %" PRIu32 " min", feed->ttl_s / 60);
    if (feed->update_period_s)
        buf_printf (&out, ", changes every %" PRIu32 " min", feed->update_period_s / 60);
    if (self->max_age_s >= 0)
        buf_printf (&out, ", max-age %" PRId64 " s", self->max_age_s);
    if (self->hub)
        buf_printf (&out, ", pushes by the hub %s", self->hub);
    field ("hints", "%s", out.len ? out.data + 2 : "none on when to ask again");
    buf_fini (&out);
}

static void
print_transport (const struct facts *self)
{
    const struct fetched *got = self->got;
    const struct http_times *t = &got->times;
    char wire[AGE_SIZE], whole[AGE_SIZE];
    bool any = got->etag || got->last_modified;
    field ("validators", "%s%s%s%s", got->etag ? "ETag" : "", got->etag && got->last_modified ? " and " : "",
           got->last_modified ? "Last-Modified" : any ? "" : "none",
           !any                 ? ""
           : self->again == 304 ? "; asked again with them: 304, nothing travelled"
           : self->again == 200 ? "; asked again with them: 200, all of it travelled again"
                                : "; asked again with them, it failed");
    print_hints (self);
    field ("speed", "%" PRId64 " ms: name %" PRId64 ", connection %" PRId64 ", first byte %" PRId64, got->duration_ms,
           t->lookup_ms, MAX_OF (t->connect_ms, t->secure_ms), t->first_byte_ms);
    size_text (got->wire_bytes, wire);
    size_text ((int64_t) got->body.len, whole);
    if (self->compression)
        field ("size", "%s by %s, of %s", wire, self->compression, whole);
    else
        field ("size", "%s, not compressed", whole);
}

static void
print_sample (const struct facts *self, size_t index)
{
    const struct feed_entry *entry = &self->feed->entries[index];
    char date[CLOCK_TEXT_SIZE] = "no date", words[32], number[8];
    if (facts_date (entry) != FEED_NO_DATE) {
        clock_format (facts_date (entry), date);
        date[10] = ' ';
        date[16] = '\0';
    }
    snprintf (words, sizeof words, "%zu words", self->words[index]);
    snprintf (number, sizeof number, "  %zu", index + 1);
    print_wrapped (number, 5, entry->title ? entry->title : "(its first words, for it has no title)");
    print_wrapped ("", 5, entry->url ? entry->url : "(no address)");
    char *line = mem_printf ("%s, %s, %s", date, entry->author ? entry->author : "no author", words);
    print_wrapped ("", 5, line);
    free (line);
}

static void
print_text (const struct facts *self)
{
    size_t count = MIN_OF (self->feed->entry_count, (size_t) SAMPLES);
    print_wrapped ("", 0, self->feed->title ? self->feed->title : "(a feed without a title)");
    print_wrapped ("", 0, self->asked);
    puts ("");
    print_document (self);
    print_entries (self);
    print_transport (self);
    if (count)
        printf ("\nWould be stored%s:\n", self->feed->entry_count > count ? ", the first of them" : "");
    for (size_t i = 0; i < count; i++)
        print_sample (self, i);
    puts (self->warning_count ? "\nWarnings:" : "\nNo warnings.");
    for (size_t i = 0; i < self->warning_count; i++)
        print_wrapped ("  !", 5, self->warnings[i]);
}

/* ---- */

/* A page instead of a feed: what feeds it has. */
static void
tell_page (const struct cli *cli, const struct fetched *got)
{
    struct found found = { 0 };
    feed_find_on_page (&cli->settings, got->url, got->content_type, &got->body, &found);
    for (size_t i = 0; i < found.count; i++)
        cli_say ("%s %s", i ? "or" : "perhaps you mean", found.feeds[i].url);
    found_fini (&found);
}

static int
judge (const struct cli *cli, const char *url, const struct fetched *got)
{
    char reason[FEED_REASON_SIZE] = "";
    struct feed *feed = NULL;
    struct feed_hints hints = { got->url, got->content_type };
    if (got->error != HTTP_OK) {
        cli_say ("%s cannot be fetched: %s", url, got->reason);
        return 1;
    }
    if (got->status != 200) {
        cli_say ("%s: the server answers %ld", got->url, got->status);
        return 1;
    }
    if (feed_parse (got->body.data ? got->body.data : "", got->body.len, &hints, &feed, reason) < 0) {
        cli_say ("%s is no feed: %s (%s, %zu bytes)", url, reason, got->content_type ? got->content_type : "no content type",
                 got->body.len);
        tell_page (cli, got);
        return 1;
    }
    struct facts facts = { .asked = url, .got = got, .feed = feed };
    facts_gather (&facts, &cli->settings);
    if (cli->json)
        print_json (&facts);
    else
        print_text (&facts);
    facts_fini (&facts);
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
    char *url = opml_web_address (argv[1]);
    if (!url) {
        cli_say ("\"%s\" is no http:// or https:// address", argv[1]);
        return EXIT_USAGE;
    }
    fetch (&cli->settings, url, (size_t) cli->settings.fetcher_max_body, &got);
    r = judge (cli, url, &got);
    fetched_fini (&got);
    free (url);
    return r;
}
