/* newsmill workers - who is alive and what it holds.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* "articles.in 12, articles.out 12", "model local/minilm-l6-v2" */
static char *
join_statistics (const json_t *statistics)
{
    struct buf out = { 0 };
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) (uintptr_t) statistics, name, value)
        if (json_is_number (value) && json_number_value (value) != 0)
            buf_printf (&out, "%s%s %.10g", out.len ? ", " : "", name, json_number_value (value));
        else if (json_is_string (value))
            buf_printf (&out, "%s%s %s", out.len ? ", " : "", name, json_string_value (value));
    return buf_take (&out);
}

int
cmd_workers (struct cli *cli, int argc, char **argv)
{
    static const struct table_column columns[] = {
        { "STAGE", TABLE_LEFT, 0 },   { "STATE", TABLE_LEFT, 0 },       { "HOLDS", TABLE_RIGHT, 0 },
        { "HEARD", TABLE_RIGHT, 0 },  { "HOST", TABLE_LEFT, 6 },        { "PID", TABLE_RIGHT, 0 },
        { "WORKER", TABLE_LEFT, 10 }, { "STATISTICS", TABLE_LEFT, 10 },
    };
    json_t *reply, *worker;
    size_t i;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : cli_ask (cli, client_request ("workers"), &reply);
    if (r)
        return r;
    struct table *table = table_new (columns, COUNT_OF (columns));
    json_array_foreach (json_object_get (reply, "workers"), i, worker) {
        char span[CLI_SPAN_SIZE],
            *statistics = join_statistics (json_object_get (worker, "statistics"));
        table_add (table, cli_text (worker, "stage"));
        table_add (table, cli_text (worker, "state"));
        table_addf (table, "%" PRId64, cli_int (worker, "held"));
        table_addf (table, "%s ago", cli_span (json_object_get (worker, "ageMs"), span));
        table_add (table, cli_text (worker, "host"));
        table_addf (table, "%" PRId64, cli_int (worker, "pid"));
        table_add (table, cli_text (worker, "worker"));
        table_add (table, statistics);
        free (statistics);
    }
    if (cli->json)
        cli_print_json (reply);
    else
        table_print (table);
    table_destroy (&table);
    json_decref (reply);
    return 0;
}
