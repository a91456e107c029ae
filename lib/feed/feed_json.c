/* SPDX-License-Identifier: MPL-2.0 */
#include "feed/feed_json.h"

static void
set_text (json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new (object, key, json_string (text));
}

static void
set_date (json_t *object, const char *key, int64_t date_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (date_us != FEED_NO_DATE)
        set_text (object, key, clock_format (date_us, text));
}

static json_t *
entry_to_json (const struct feed_entry *entry)
{
    json_t *object = json_object ();
    set_text (object, "title", entry->title);
    set_text (object, "url", entry->url);
    set_text (object, "id", entry->id);
    set_date (object, "published", entry->published_us);
    set_date (object, "updated", entry->updated_us);
    set_text (object, "author", entry->author);
    set_text (object, "summary", entry->summary);
    set_text (object, "content", entry->content);
    if (entry->category_count) {
        json_t *list = json_array ();
        for (size_t i = 0; i < entry->category_count; i++)
            json_array_append_new (list, json_string (entry->categories[i]));
        json_object_set_new (object, "categories", list);
    }
    return object;
}

json_t *
feed_to_json (const struct feed *feed)
{
    json_t *object = json_object (), *entries = json_array ();
    set_text (object, "format", feed_format_name (feed->format));
    set_text (object, "title", feed->title);
    for (size_t i = 0; i < feed->entry_count; i++)
        json_array_append_new (entries, entry_to_json (&feed->entries[i]));
    json_object_set_new (object, "entries", entries);
    return object;
}
