/* newsmill feed parse FILE: a feed as JSON.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_look.h"
#include "feed/feed_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t) 256 << 20)

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
