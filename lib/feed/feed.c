/* feed - the way in: charset, format, limits; and the cleaning that all formats share.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/impl.h"
#include "text/charset.h"
#include "text/html.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
feed_format_name (enum feed_format format)
{
    static const char *const names[] = { "none", "rss", "rdf", "atom", "json" };
    return (size_t) format < COUNT_OF (names) ? names[format] : names[0];
}

static void
entry_fini (struct feed_entry *entry)
{
    free (entry->title);
    free (entry->url);
    free (entry->id);
    free (entry->author);
    free (entry->summary);
    free (entry->content);
    for (size_t i = 0; i < entry->category_count; i++)
        free (entry->categories[i]);
    free (entry->categories);
}

void
feed_drop_entries (struct feed *feed)
{
    for (size_t i = 0; i < feed->entry_count; i++)
        entry_fini (&feed->entries[i]);
    free (feed->entries);
    feed->entries = NULL;
    feed->entry_count = 0;
}

void
feed_destroy (struct feed **feed)
{
    if (!feed || !*feed)
        return;
    feed_drop_entries (*feed);
    free ((*feed)->title);
    free ((*feed)->link);
    free ((*feed)->language);
    free ((*feed)->hub);
    free ((*feed)->self);
    free (*feed);
    *feed = NULL;
}

struct feed_entry *
feed_add_entry (struct feed *feed)
{
    size_t count = feed->entry_count;
    if (count == FEED_ENTRIES_MAX)
        return NULL;
    if ((count & (count - 1)) == 0) /* at powers of two: room for as many again */
        feed->entries = mem_grow (feed->entries, count ? count * 2 : 1, sizeof *feed->entries);
    struct feed_entry *entry = &feed->entries[feed->entry_count++];
    *entry = (struct feed_entry){ .published_us = FEED_NO_DATE, .updated_us = FEED_NO_DATE };
    return entry;
}

void
feed_entry_add_category (struct feed_entry *entry, const char *category)
{
    char *clean = feed_clean_line (category);
    bool drop = !clean || entry->category_count == FEED_CATEGORIES_MAX;
    for (size_t i = 0; i < entry->category_count && !drop; i++)
        drop = strcmp (entry->categories[i], clean) == 0;
    if (drop) {
        free (clean);
        return;
    }
    entry->categories =
        mem_grow (entry->categories, entry->category_count + 1, sizeof *entry->categories);
    entry->categories[entry->category_count++] = clean;
}

/* ---- cleaning ---- */

char *
feed_clean_text (const char *text)
{
    return utf8_trim (text, FEED_FIELD_MAX);
}

char *
feed_clean_line (const char *text)
{
    char *clean = feed_clean_text (text);
    if (!clean)
        return NULL;
    char *to = clean;
    for (const char *from = clean; *from; from++) {
        bool space = isspace ((unsigned char) *from);
        if (!space)
            *to++ = *from;
        else if (to > clean && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    return clean;
}

char *
feed_clean_title (const char *text)
{
    if (!text || !html_is_markup (text))
        return feed_clean_line (text);
    char *plain = html_to_text (text, strlen (text));
    char *line = feed_clean_line (plain);
    free (plain);
    return line ? line : feed_clean_line (text); /* "<3", or an image alone */
}

char *
feed_clean_headline (const char *text)
{
    return text && html_has_tags (text) ? feed_clean_title (text) : feed_clean_line (text);
}

/* The name beside an address, or NULL: text without the word that has the '@' and without what
 * brackets it. */
static char *
name_beside_address (const char *text)
{
    const char *at = strchr (text, '@');
    if (!at || at == text)
        return NULL;
    const char *start = at, *end = at;
    while (start > text && !strchr (" <([\"", start[-1]))
        start--;
    while (*end && !strchr (" >)]\"", *end))
        end++;
    struct buf name = { 0 };
    for (const char *p = text; *p; p++)
        if ((p < start || p >= end) && !strchr ("<>()[]\"", *p))
            buf_add_char (&name, *p);
    char *taken = buf_take (&name), *line = feed_clean_line (taken);
    free (taken);
    return line;
}

char *
feed_clean_author (const char *text)
{
    char *line = feed_clean_line (text);
    char *name = line && !html_has_tags (line) ? name_beside_address (line) : NULL;
    if (!name)
        return line;
    free (line);
    return name;
}

/* ---- the way in ---- */

static int
parse_text (struct buf *text, const char *url, struct feed *feed,
            char reason[FEED_REASON_SIZE])
{
    size_t at = 0;
    while (at < text->len && isspace ((unsigned char) text->data[at]))
        at++;
    if (at == text->len) {
        snprintf (reason, FEED_REASON_SIZE, "the document is empty");
        return -EBADMSG;
    }
    if (text->data[at] == '{' || text->data[at] == '[')
        return json_parse_feed (text->data + at, text->len - at, url, feed, reason);
    return xml_parse_feed (text, url, feed, reason);
}

static int
by_id (const void *a, const void *b)
{
    const struct feed_entry *const *left = a, *const *right = b;
    return strcmp ((*left)->id, (*right)->id);
}

static void
mark_shared_ids (struct feed *feed)
{
    struct feed_entry **order = mem_grow (NULL, feed->entry_count, sizeof *order);
    size_t count = 0;
    for (size_t i = 0; i < feed->entry_count; i++)
        if (feed->entries[i].id)
            order[count++] = &feed->entries[i];
    if (count)
        qsort (order, count, sizeof *order, by_id);
    for (size_t i = 1; i < count; i++)
        if (strcmp (order[i - 1]->id, order[i]->id) == 0)
            order[i - 1]->id_is_shared = order[i]->id_is_shared = true;
    free (order);
}

int
feed_parse (const char *data, size_t bytes, const struct feed_hints *hints, struct feed **ret_feed,
            char ret_reason[FEED_REASON_SIZE])
{
    if (bytes > FEED_DOCUMENT_MAX) {
        snprintf (ret_reason, FEED_REASON_SIZE, "the document has %zu bytes, more than %u", bytes,
                  FEED_DOCUMENT_MAX);
        return -E2BIG;
    }
    struct buf text = { 0 };
    struct feed *feed = MEM_NEW (struct feed);
    charset_to_utf8 (data, bytes, hints ? hints->content_type : NULL, &text);
    int r = parse_text (&text, hints && hints->url && hints->url[0] ? hints->url : NULL, feed, ret_reason);
    buf_fini (&text);
    if (r < 0) {
        feed_destroy (&feed);
        return r;
    }
    mark_shared_ids (feed);
    *ret_feed = feed;
    return 0;
}
