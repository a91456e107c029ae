/* newsmill sources - the feeds and their health.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>

static bool
has_text (const json_t *source, const char *name)
{
    return json_is_string (json_object_get (source, name));
}

static const char *
state_of (const json_t *source)
{
    return !json_is_true (json_object_get (source, "enabled")) ? "off"
           : has_text (source, "heldUntil")                    ? "held"
           : cli_int (source, "failures")                      ? "failing"
           : has_text (source, "lastFetchAt")                  ? "good"
                                                               : "new";
}

static void
add_reason (struct table *table, const json_t *source)
{
    char when[CLOCK_TEXT_SIZE];
    int64_t failures = cli_int (source, "failures");
    if (!json_is_true (json_object_get (source, "enabled")))
        table_add (table, cli_text (source, "disabledReason"));
    else if (has_text (source, "heldUntil"))
        table_addf (table, "until %s: %s", cli_when (json_object_get (source, "heldUntil"), when),
                    cli_text (source, "heldReason"));
    else if (failures)
        table_addf (table, "%" PRId64 "x: %s", failures, cli_text (source, "lastError"));
    else
        table_add (table, cli_text (source, "lastError"));
}

static void
add_row (struct table *table, const json_t *source)
{
    char when[CLOCK_TEXT_SIZE];
    int64_t status = cli_int (source, "lastStatus");
    const char *title = cli_text (source, "title");
    table_addf (table, "%" PRId64, cli_int (source, "id"));
    table_add (table, *title ? title : cli_text (source, "url"));
    table_add (table, state_of (source));
    table_add (table, cli_text (source, "format"));
    if (status)
        table_addf (table, "%" PRId64, status);
    else
        table_add (table, "");
    table_addf (table, "%" PRId64, cli_int (source, "articles"));
    table_add (table, cli_when (json_object_get (source, "lastSuccessAt"), when));
    add_reason (table, source);
}

int
cmd_sources (struct cli *cli, int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "ID", TABLE_RIGHT, 0 },
        { "SOURCE", TABLE_LEFT, 16 },
        { "STATE", TABLE_LEFT, 0 },
        { "FORMAT", TABLE_LEFT, 0 },
        { "HTTP", TABLE_RIGHT, 0 },
        { "ARTICLES", TABLE_RIGHT, 0 },
        { "LAST SUCCESS (UTC)", TABLE_LEFT, 10 },
        { "ERROR", TABLE_LEFT, 10 },
    };
    json_t *reply, *source;
    size_t i;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : cli_ask (cli, client_request ("sources"), &reply);
    if (r)
        return r;
    const json_t *sources = json_object_get (reply, "sources");
    struct table *table = table_new (columns, COUNT_OF (columns));
    json_array_foreach (sources, i, source)
        add_row (table, source);
    if (cli->json)
        cli_print_json (reply);
    else if (!json_array_size (sources))
        puts ("no feeds; `newsmill feed add URL` adds one");
    else
        table_print (table);
    table_destroy (&table);
    json_decref (reply);
    return 0;
}
