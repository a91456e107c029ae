/* newsmill config - checks or shows the settings, with every origin applied: defaults, file,
 * environment.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *
value_of (const struct conf_row *row, const struct settings *settings)
{
    const char *at = (const char *) settings + row->offset, *text;
    int64_t number;
    switch (row->kind) {
    case CONF_INT:
    case CONF_BYTES:
        memcpy (&number, at, sizeof number);
        return json_integer (number);
    case CONF_BOOL:
        return json_boolean (*(const bool *)at);
    case CONF_SECRET:
        memcpy (&text, at, sizeof text);
        return json_string (text && *text ? "********" : "");
    case CONF_TEXT:
    case CONF_CHOICE:
    case CONF_BUDGET:
        break;
    }
    memcpy (&text, at, sizeof text);
    return json_string (text ? text : "");
}

static void
show_json (const struct settings *settings)
{
    size_t count;
    const struct conf_row *rows = conf_rows (&count);
    json_t *document = json_object ();
    for (size_t i = 0; i < count; i++)
        json_object_set_new (document, rows[i].key, value_of (&rows[i], settings));
    cli_print_json (document);
    json_decref (document);
}

int
cmd_config (struct cli *cli, int argc, char **argv)
{
    int r = cli_parse (&argc, argv, NULL, 0, 1, 1);
    if (r)
        return r;
    bool show = strcmp (argv[1], "show") == 0;
    if (!show && strcmp (argv[1], "check") != 0)
        return cli_usage (argv[0], "`newsmill config` has no action \"%s\"", argv[1]);
    if ((r = cli_load (cli)))
        return r;
    if (!show) {
        puts ("the settings are good");
        return 0;
    }
    if (cli->json) {
        show_json (&cli->settings);
        return 0;
    }
    struct buf out = { 0 };
    conf_show (&cli->settings, &out);
    fputs (out.data, stdout);
    buf_fini (&out);
    return 0;
}
