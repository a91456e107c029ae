/* newsmill extract FILE - the plain text of an HTML page.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "text/html.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MOST ((size_t) 64 << 20)

int
cmd_extract (struct cli *cli, int argc, char **argv)
{
    struct buf page = { 0 };
    int r = cli_parse (&argc, argv, NULL, 0, 1, 1);
    if (r)
        return r;
    if ((r = cli_read_file (argv[1], FILE_MOST, &page)) < 0) {
        cli_say ("cannot read %s: %s", argv[1], strerror (-r));
        buf_fini (&page);
        return EXIT_USAGE;
    }
    char *clean = utf8_clean (page.data ? page.data : "", page.len, 0);
    char *text = html_to_text (clean, strlen (clean));
    if (cli->json) {
        json_t *document = json_pack ("{s:s}", "text", text);
        cli_print_json (document);
        json_decref (document);
    } else
        puts (text);
    free (text);
    free (clean);
    buf_fini (&page);
    return 0;
}
