/* opml_fuzz - any bytes as OPML. What could be read is written and read again: the same feeds, in any order, for
 * folders are gathered.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/opml.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_text (const char *text)
{
    size_t bytes = strlen (text);
    if (!bytes || utf8_valid_bytes (text, bytes) != bytes)
        abort ();
}

static void
check_feed (const struct opml_feed *feed)
{
    check_text (feed->url);
    if (feed->title)
        check_text (feed->title);
    for (size_t i = 0; i < feed->tag_count; i++)
        check_text (feed->tags[i]);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    struct opml opml = { 0 }, again = { 0 };
    char reason[OPML_REASON_SIZE] = "";
    int r = opml_parse ((const char *) data, size, &opml, reason);
    if (r < 0) {
        if (!reason[0] || opml.count)
            abort ();
        return 0;
    }
    for (size_t i = 0; i < opml.count; i++)
        check_feed (&opml.feeds[i]);
    char *document = opml_format (&opml, "Feeds");
    if (opml_parse (document, strlen (document), &again, reason) < 0 || again.count != opml.count)
        abort ();
    free (document);
    opml_fini (&again);
    opml_fini (&opml);
    return 0;
}
