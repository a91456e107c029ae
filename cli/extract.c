/* newsmill extract FILE - the article on an HTML page.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "page/page.h"
#include "text/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
print_json (const struct page *page)
{
    char time[CLOCK_TEXT_SIZE];
    bool dated = page->published_us != PAGE_NO_DATE;
    json_t *document = json_pack ("{s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:I}", "title", page->title, "author", page->author,
                                  "published", dated ? clock_format (page->published_us, time) : NULL, "canonical",
                                  page->canonical_url, "language", page->language, "text", page->text, "words",
                                  (json_int_t) word_count_text (page->text, strlen (page->text)));
    cli_print_json (document);
    json_decref (document);
}

int
cmd_extract (struct cli *cli, int argc, char **argv)
{
    struct page_hints hints = { NULL, NULL, NULL };
    const struct cli_option options[] = { { .name = "url", .text = &hints.url },
                                          { .name = "content-type", .text = &hints.content_type },
                                          { .name = "rules", .text = &hints.rules } };
    char reason[PAGE_REASON_SIZE] = "";
    struct buf html = { 0 };
    struct page *page = NULL;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 1, 1);
    if (r)
        return r;
    if ((r = cli_read_file (argv[1], PAGE_BYTES_MAX, &html)) < 0)
        cli_say ("cannot read %s: %s", argv[1], strerror (-r));
    else if ((r = page_read (html.data ? html.data : "", html.len, &hints, &page, reason)) < 0)
        cli_say ("%s: %s", argv[1], reason);
    else if (cli->json)
        print_json (page);
    else
        puts (page->text);
    page_destroy (&page);
    buf_fini (&html);
    return r < 0 ? EXIT_USAGE : 0;
}
