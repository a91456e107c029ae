/* SPDX-License-Identifier: MPL-2.0 */
#include "feed/feed_json.h"
#include "feed/schedule.h"

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

static void
set_seconds (json_t *object, const char *key, uint32_t seconds)
{
    if (seconds)
        json_object_set_new (object, key, json_integer (seconds));
}

static void
set_skipped (json_t *object, const struct feed *feed)
{
    json_t *hours = json_array (), *days = json_array ();
    for (unsigned hour = 0; hour < 24; hour++)
        if (feed->skip_hours >> hour & 1)
            json_array_append_new (hours, json_integer (hour));
    for (unsigned day = 0; day < 7; day++)
        if (feed->skip_days >> day & 1)
            json_array_append_new (days, json_string (schedule_day_name (day)));
    if (feed->skip_hours)
        json_object_set (object, "skipHours", hours);
    if (feed->skip_days)
        json_object_set (object, "skipDays", days);
    json_decref (hours);
    json_decref (days);
}

json_t *
feed_to_json (const struct feed *feed)
{
    json_t *object = json_object (), *entries = json_array ();
    set_text (object, "format", feed_format_name (feed->format));
    set_text (object, "title", feed->title);
    set_text (object, "link", feed->link);
    set_text (object, "language", feed->language);
    set_text (object, "hub", feed->hub);
    set_text (object, "self", feed->self);
    set_seconds (object, "ttlS", feed->ttl_s);
    set_seconds (object, "updatePeriodS", feed->update_period_s);
    set_skipped (object, feed);
    for (size_t i = 0; i < feed->entry_count; i++)
        json_array_append_new (entries, entry_to_json (&feed->entries[i]));
    json_object_set_new (object, "entries", entries);
    return object;
}
