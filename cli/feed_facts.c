/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_facts.h"
#include "text/html.h"
#include "text/url.h"
#include "text/words.h"

#include <inttypes.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FULL_TEXT_WORDS 120 /* a teaser has fewer */
#define DAY_US (86400 * US_PER_S)
#define OLDEST_US (INT64_C (820454400) * US_PER_S) /* 1996: there were no feeds before */

/* ---- entries ---- */

/* What would be stored: the fuller of content and summary. */
static size_t
words_of (const struct feed_entry *entry)
{
    const char *texts[] = { entry->content, entry->summary };
    size_t most = 0;
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        char *text = texts[i] ? html_to_text (texts[i], strlen (texts[i])) : NULL;
        most = MAX_OF (most, text ? word_count_text (text, strlen (text)) : 0);
        free (text);
    }
    return most;
}

int64_t
facts_date (const struct feed_entry *entry)
{
    return entry->published_us != FEED_NO_DATE ? entry->published_us : entry->updated_us;
}

static void
add_date (struct facts *self, int64_t date)
{
    if (date == FEED_NO_DATE)
        return;
    self->dated++;
    self->future += date > self->now_us + DAY_US / 24;
    self->ancient += date < OLDEST_US;
    self->newest_us = MAX_OF (self->newest_us, date);
    self->oldest_us = self->oldest_us == FEED_NO_DATE ? date : MIN_OF (self->oldest_us, date);
}

static void
add_entry (struct facts *self, const struct feed_entry *entry, size_t index)
{
    size_t words = words_of (entry);
    self->words[index] = words;
    self->total += words;
    self->full += words >= FULL_TEXT_WORDS;
    self->teaser += words > 0 && words < FULL_TEXT_WORDS;
    self->empty += !words;
    self->linked += entry->url != NULL;
    self->identified += entry->id != NULL;
    add_date (self, facts_date (entry));
}

static int
compare_texts (const void *a, const void *b)
{
    return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static int
compare_sizes (const void *a, const void *b)
{
    size_t x = *(const size_t *) a, y = *(const size_t *) b;
    return x < y ? -1 : x > y;
}

/* Entries whose id an earlier one has. */
static size_t
count_repeated (const struct feed *feed)
{
    const char **ids = mem_alloc ((feed->entry_count + 1) * sizeof *ids);
    size_t count = 0, repeated = 0;
    for (size_t i = 0; i < feed->entry_count; i++)
        if (feed->entries[i].id)
            ids[count++] = feed->entries[i].id;
    qsort (ids, count, sizeof (const char *), compare_texts);
    for (size_t i = 1; i < count; i++)
        repeated += strcmp (ids[i - 1], ids[i]) == 0;
    free (ids);
    return repeated;
}

static size_t
median_of (const size_t *values, size_t count)
{
    size_t *sorted = mem_alloc ((count + 1) * sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort (sorted, count, sizeof *sorted, compare_sizes);
    size_t median = sorted[count / 2];
    free (sorted);
    return median;
}

/* Entries whose links need the feed's address to mean something: read once more without it. */
static size_t
count_relative (const struct fetched *got)
{
    struct feed_hints hints = { NULL, got->content_type };
    struct feed *feed = NULL;
    char reason[FEED_REASON_SIZE];
    size_t relative = 0;
    if (feed_parse (got->body.data, got->body.len, &hints, &feed, reason) < 0)
        return 0;
    for (size_t i = 0; i < feed->entry_count; i++)
        relative += feed->entries[i].url && !url_is_absolute (feed->entries[i].url);
    feed_destroy (&feed);
    return relative;
}

/* ---- the document and the answer ---- */

static void
check_form (struct facts *self, const struct buf *text)
{
    if (self->feed->format == FEED_JSON)
        return;
    xmlDoc *document = xmlReadMemory (text->data, (int) text->len, NULL, "UTF-8",
                                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
    const xmlError *error = xmlGetLastError ();
    if (!document && error && error->message)
        snprintf (self->broken, sizeof self->broken, "line %d: %.*s", error->line, (int) MIN_OF (strcspn (error->message, "\n"), (size_t) 120),
                  error->message);
    xmlFreeDoc (document);
}

/* RFC 9111, 5.2.2: in seconds; no-cache and no-store are 0. */
static int64_t
max_age_of (const char *headers)
{
    char *control = http_header_value (headers, "Cache-Control"), digits[16] = "";
    const char *at = control ? strcasestr (control, "max-age=") : NULL;
    int64_t age = -1;
    if (at) {
        at += strlen ("max-age=");
        at += *at == '"';
        snprintf (digits, sizeof digits, "%.*s", (int) MIN_OF (strspn (at, "0123456789"), sizeof digits - 1), at);
    }
    if (control && (strcasestr (control, "no-cache") || strcasestr (control, "no-store")))
        age = 0;
    else if (num_parse (digits, 0, INT64_MAX, &age) < 0)
        age = -1;
    free (control);
    return age;
}

/* Whether the validators do what they are for: asked again with them. */
static void
ask_again (struct facts *self, const struct settings *settings)
{
    const struct fetched *got = self->got;
    char *none_match = got->etag ? mem_printf ("If-None-Match: %s", got->etag) : NULL;
    char *since = got->last_modified ? mem_printf ("If-Modified-Since: %s", got->last_modified) : NULL;
    const char *headers[4] = { FETCH_ACCEPT };
    size_t count = 1;
    if (none_match)
        headers[count++] = none_match;
    if (since)
        headers[count++] = since;
    struct fetch_wish wish = { got->url, headers, (size_t) settings->fetcher_max_body };
    struct fetched again = { 0 };
    if (count > 1) {
        fetch_all (settings, &wish, 1, &again);
        self->again = again.error == HTTP_OK ? again.status : -1;
        fetched_fini (&again);
    }
    free (none_match);
    free (since);
}

/* ---- warnings ---- */

static void warn (struct facts *self, const char *format, ...) PRINTF_LIKE (2, 3);

static void
warn (struct facts *self, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    if (self->warning_count < WARNINGS_MAX)
        self->warnings[self->warning_count++] = mem_dup (text);
}

static void
judge_answer (struct facts *self)
{
    const struct fetched *got = self->got;
    if (got->moved_permanently)
        warn (self, "it has moved for good: subscribe to %s", got->url);
    if (strncasecmp (got->url, "http://", 7) == 0)
        warn (self, "it travels unencrypted: anyone on the way can read and change it");
    if (got->content_type && strncasecmp (got->content_type, "text/html", 9) == 0)
        warn (self, "it is served as text/html: some readers will take it for a page");
    if (!got->etag && !got->last_modified)
        warn (self, "neither ETag nor Last-Modified: the whole feed travels at every fetch");
    else if (self->again != 304)
        warn (self, "its validators do nothing: asked with them, it answers %s, not 304", self->again == 200 ? "200" : "otherwise");
    if (*self->broken)
        warn (self, "not well-formed XML (%s); it was repaired", self->broken);
}

static void
judge_entries (struct facts *self)
{
    size_t count = self->feed->entry_count;
    if (!self->feed->title)
        warn (self, "it has no title");
    if (!count)
        warn (self, "it has no entries");
    else if (!self->dated)
        warn (self, "no entry has a date: articles will count as published when they are found");
    else if (self->dated < count)
        warn (self, "without a date that can be read: %zu of %zu entries", count - self->dated, count);
    if (self->future)
        warn (self, "dated in the future: %zu of %zu entries", self->future, count);
    if (self->ancient)
        warn (self, "dated before there were feeds: %zu of %zu entries", self->ancient, count);
    if (self->repeated)
        warn (self, "with the guid of another: %zu of %zu entries, told apart by their addresses alone", self->repeated,
              count);
    if (self->relative)
        warn (self, "with a relative link: %zu of %zu entries, completed with the feed's address", self->relative, count);
    if (self->linked < count)
        warn (self, "without an address: %zu of %zu entries%s", count - self->linked, count,
              self->identified < count ? ", and not all have a guid" : "");
    if (self->empty)
        warn (self, "without text: %zu of %zu entries, whose titles will be stored as it", self->empty, count);
}

/* ---- all facts ---- */

void
facts_gather (struct facts *self, const struct settings *settings)
{
    struct buf text = { 0 };
    const struct fetched *got = self->got;
    size_t count = self->feed->entry_count;
    self->now_us = clock_wall_us ();
    self->newest_us = self->oldest_us = FEED_NO_DATE;
    self->words = mem_alloc ((count + 1) * sizeof *self->words);
    charset_read (got->body.data, got->body.len, got->content_type, &text, &self->charset);
    check_form (self, &text);
    buf_fini (&text);
    for (size_t i = 0; i < count; i++)
        add_entry (self, &self->feed->entries[i], i);
    self->median = median_of (self->words, count);
    self->repeated = count_repeated (self->feed);
    self->relative = count_relative (got);
    self->max_age_s = max_age_of (got->headers);
    self->compression = http_header_value (got->headers, "Content-Encoding");
    self->hub = self->feed->hub ? mem_dup (self->feed->hub) : http_header_link (got->headers, "hub");
    ask_again (self, settings);
    judge_answer (self);
    judge_entries (self);
}

void
facts_fini (struct facts *self)
{
    for (size_t i = 0; i < self->warning_count; i++)
        free (self->warnings[i]);
    free (self->words);
    free (self->compression);
    free (self->hub);
}
