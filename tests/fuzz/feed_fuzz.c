/* feed_fuzz - any bytes as a feed. The first byte chooses what HTTP said of it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/feed_json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What the header promises of every text: valid UTF-8 within the limit, and something in it. */
static void
check_text (const char *text)
{
    size_t bytes = text ? strlen (text) : 1;
    if (!bytes || bytes > FEED_FIELD_MAX || (text && utf8_valid_bytes (text, bytes) != bytes))
        abort ();
}

static void
check_entry (const struct feed_entry *entry)
{
    check_text (entry->title);
    check_text (entry->url);
    check_text (entry->id);
    check_text (entry->author);
    check_text (entry->summary);
    check_text (entry->content);
    for (size_t i = 0; i < entry->category_count; i++)
        check_text (entry->categories[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static const struct feed_hints hints[] = {
        { NULL, NULL },
        { "http://example.com/a/b?c", "application/rss+xml" },
        { NULL, "text/xml; charset=windows-1251" },
        { "http://example.com", "text/xml; charset=iso-2022-jp" },
    };
    if (!size)
        return 0;
    struct feed *feed = NULL;
    char reason[FEED_REASON_SIZE] = "";
    int r = feed_parse ((const char *) data + 1, size - 1, &hints[data[0] % COUNT_OF (hints)],
                        &feed, reason);
    if (r < 0) {
        if (feed || !reason[0])
            abort ();
        return 0;
    }
    check_text (feed->title);
    for (size_t i = 0; i < feed->entry_count; i++)
        check_entry (&feed->entries[i]);
    json_t *json = feed_to_json (feed);
    if (json_array_size (json_object_get (json, "entries")) != feed->entry_count)
        abort ();
    json_decref (json);
    feed_destroy (&feed);
    return 0;
}
