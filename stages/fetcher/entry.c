/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "text/html.h"
#include "text/mojibake.h"
#include "text/words.h"

#define URL_MAX 2000          /* B-tree entries are bounded; a longer address is replaced by a urn */
#define TITLE_MAX 2000
#define AUTHOR_MAX 1000
#define TITLE_FROM_TEXT 100
#define DATE_AHEAD_US (86400 * US_PER_S) /* as far as zones and clocks go wrong; past that it is no date of an article */

static char *
plain_text (const char *text, size_t max)
{
    if (!text)
        return mem_dup ("");
    char *plain = mem_dup (text);
    mojibake_repair (plain); /* before its entities become characters that nothing happened to */
    if (html_is_markup (plain)) {
        char *markup = plain;
        plain = html_to_text (markup, strlen (markup));
        free (markup);
    }
    char *clean = utf8_clean (plain, strlen (plain), max);
    free (plain);
    return clean;
}

static bool
has_words (const char *text)
{
    return text[strspn (text, " \t\r\n")] != '\0';
}

/* The fuller of content and summary; the title when there is neither. */
static char *
best_text (const struct feed_entry *entry)
{
    char *content = plain_text (entry->content, ARTICLE_CONTENT_MAX), *summary = plain_text (entry->summary, ARTICLE_CONTENT_MAX);
    bool summary_is_fuller = strlen (summary) > strlen (content);
    char *best = summary_is_fuller ? summary : content;
    free (summary_is_fuller ? content : summary);
    if (has_words (best))
        return best;
    free (best);
    return plain_text (entry->title, ARTICLE_CONTENT_MAX);
}

/* key: taken */
static void
add_key (struct entry *entry, char *key)
{
    if (strlen (key) > IDENTITY_MAX) {
        char *hash = mem_printf ("hash:%016" PRIx64 "%zu", num_hash (key, strlen (key)), strlen (key));
        free (key);
        key = hash;
    }
    assert (entry->key_count < ENTRY_KEYS_MAX);
    entry->keys[entry->key_count++] = key;
}

/* The address first, then the guid, which is only unique within its source. */
static void
find_keys (struct entry *entry, const struct fetch *fetch, const struct feed_entry *from)
{
    char *address = from->url ? identity_of_url (from->url) : NULL;
    if (address)
        add_key (entry, address);
    if (from->id && *from->id && !from->id_is_shared) {
        char *guid = identity_of_guid (from->id, fetch->url);
        add_key (entry, mem_printf ("guid:%" PRId64 ":%s", fetch->source_id, guid));
        if (!streq (guid, from->id)) /* as it is, too: after a move its site is no longer the source's */
            add_key (entry, mem_printf ("guid:%" PRId64 ":%s", fetch->source_id, from->id));
        free (guid);
    }
    if (!entry->key_count)
        add_key (entry, mem_printf ("text:%" PRId64 ":%016" PRIx64, fetch->source_id,
                                    num_hash (entry->content, strlen (entry->content))));
    entry->url = address && strlen (from->url) <= URL_MAX
                 ? utf8_clean (from->url, strlen (from->url), URL_MAX)
                 : mem_printf ("urn:newsmill:%016" PRIx64, num_hash (entry->keys[0], strlen (entry->keys[0])));
}

static char *
find_title (const struct feed_entry *from, const char *text)
{
    char *title = plain_text (from->title, TITLE_MAX);
    if (has_words (title))
        return title;
    free (title);
    return utf8_clean (text, strcspn (text, "\n"), TITLE_FROM_TEXT);
}

int64_t
entry_date (int64_t date_us)
{
    return date_us > 0 && date_us <= clock_wall_us () + DATE_AHEAD_US ? date_us : 0;
}

int
entry_init (struct entry *self, const struct fetch *fetch, const struct feed_entry *from)
{
    char *text = best_text (from);
    if (!has_words (text)) {
        free (text);
        return -ENODATA;
    }
    *self = (struct entry){ .content = text, .title = find_title (from, text),
                            .author = plain_text (from->author, AUTHOR_MAX) };
    find_keys (self, fetch, from);
    self->feed_hash = print_hash (self->title, self->content);
    self->wants_page = !strncmp (self->url, "http", 4)
                       && word_count_most (self->content, strlen (self->content), fetch->teaser_words) < fetch->teaser_words;
    self->published_us = entry_date (from->published_us);
    if (!self->published_us)
        self->published_us = entry_date (from->updated_us);
    return 0;
}

void
entry_fini (struct entry *self)
{
    for (size_t i = 0; i < self->key_count; i++)
        free (self->keys[i]);
    free (self->url);
    free (self->title);
    free (self->author);
    free (self->content);
}
