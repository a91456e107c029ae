/* newsmill runs - the latest runs, or one of them in detail.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/runs.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>

void
runs_print (const json_t *runs)
{
    static const struct table_column columns[] = {
        { "STARTED (UTC)", TABLE_LEFT, 0 }, { "STATUS", TABLE_LEFT, 0 },
        { "ARTICLES", TABLE_RIGHT, 0 },     { "EMBEDDINGS", TABLE_RIGHT, 0 },
        { "TOOK", TABLE_RIGHT, 0 },         { "RUN", TABLE_LEFT, 36 },
        { "ERROR", TABLE_LEFT, 10 },
    };
    struct table *table = table_new (columns, COUNT_OF (columns));
    size_t i;
    json_t *run;
    json_array_foreach (runs, i, run) {
        char when[CLOCK_TEXT_SIZE], span[CLI_SPAN_SIZE];
        table_add (table, cli_when (json_object_get (run, "startedAt"), when));
        table_add (table, cli_text (run, "status"));
        table_addf (table, "%" PRId64, cli_int (run, "articlesProcessed"));
        table_addf (table, "%" PRId64, cli_int (run, "embeddingsCreated"));
        table_add (table, cli_span (json_object_get (run, "durationMs"), span));
        table_add (table, cli_text (run, "id"));
        table_add (table, cli_text (run, "errorMessage"));
    }
    table_print (table);
    table_destroy (&table);
}

static void
print_stages (const json_t *stages)
{
    static const struct table_column columns[] = {
        { "STAGE", TABLE_LEFT, 0 },       { "DONE", TABLE_RIGHT, 0 },
        { "FAILED", TABLE_RIGHT, 0 },     { "RETURNED", TABLE_RIGHT, 0 },
        { "CALLS", TABLE_RIGHT, 0 },      { "TOKENS IN", TABLE_RIGHT, 0 },
        { "TOKENS OUT", TABLE_RIGHT, 0 }, { "COST", TABLE_RIGHT, 0 },
    };
    static const char *const numbers[] = { "done",  "failed",   "returned",
                                           "calls", "tokensIn", "tokensOut" };
    struct table *table = table_new (columns, COUNT_OF (columns));
    size_t i;
    json_t *stage;
    json_array_foreach (stages, i, stage) {
        table_add (table, cli_text (stage, "stage"));
        for (size_t j = 0; j < COUNT_OF (numbers); j++)
            table_addf (table, "%" PRId64, cli_int (stage, numbers[j]));
        table_addf (table, "%.4f", json_number_value (json_object_get (stage, "cost")));
    }
    if (json_array_size (stages)) {
        putchar ('\n');
        table_print (table);
    }
    table_destroy (&table);
}

static void
print_sources (const json_t *sources)
{
    static const struct table_column columns[] = {
        { "SOURCE", TABLE_LEFT, 16 },  { "STATE", TABLE_LEFT, 0 }, { "HTTP", TABLE_RIGHT, 0 },
        { "ENTRIES", TABLE_RIGHT, 0 }, { "NEW", TABLE_RIGHT, 0 },  { "TOOK", TABLE_RIGHT, 0 },
        { "ERROR", TABLE_LEFT, 10 },
    };
    struct table *table = table_new (columns, COUNT_OF (columns));
    size_t i;
    json_t *source;
    json_array_foreach (sources, i, source) {
        char span[CLI_SPAN_SIZE];
        table_add (table, *cli_text (source, "title") ? cli_text (source, "title")
                                                      : cli_text (source, "url"));
        table_add (table, cli_text (source, "state"));
        if (cli_int (source, "status"))
            table_addf (table, "%" PRId64, cli_int (source, "status"));
        else
            table_add (table, "");
        table_addf (table, "%" PRId64, cli_int (source, "discovered"));
        table_addf (table, "%" PRId64, cli_int (source, "intake"));
        table_add (table, cli_span (json_object_get (source, "durationMs"), span));
        table_add (table, cli_text (source, "error"));
    }
    if (json_array_size (sources)) {
        putchar ('\n');
        table_print (table);
    }
    table_destroy (&table);
}

static int
show_run (struct cli *cli, const char *id)
{
    json_t *reply;
    int r = cli_ask (cli, json_pack ("{s:s, s:s}", "op", "run", "id", id), &reply);
    if (r)
        return r;
    json_t *run = json_object_get (reply, "run");
    if (cli->json)
        cli_print_json (run);
    else {
        json_t *alone = json_pack ("[O]", run);
        runs_print (alone);
        json_decref (alone);
        print_stages (json_object_get (run, "stages"));
        print_sources (json_object_get (run, "sources"));
    }
    json_decref (reply);
    return 0;
}

int
cmd_runs (struct cli *cli, int argc, char **argv)
{
    int64_t limit = 20;
    const struct cli_option options[] = {
        { .name = "limit", .number = &limit, .least = 1, .most = 1000 }
    };
    json_t *reply;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 0, 1);
    if (r)
        return r;
    if (argc == 2)
        return show_run (cli, argv[1]);
    r = cli_ask (cli, json_pack ("{s:s, s:I}", "op", "runs", "limit", (json_int_t) limit), &reply);
    if (r)
        return r;
    const json_t *runs = json_object_get (reply, "runs");
    if (cli->json)
        cli_print_json (reply);
    else if (!json_array_size (runs))
        puts ("no runs yet");
    else
        runs_print (runs);
    json_decref (reply);
    return 0;
}
