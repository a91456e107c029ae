/* newsmill status - how the mill is doing, on one screen.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/runs.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
line (const char *name, const char *text)
{
    struct buf out = { 0 };
    size_t width = table_terminal_width ();
    buf_printf (&out, "%-10s ", name);
    table_fit (&out, text, width > 20 ? width - 11 : 0, TABLE_LEFT, false);
    puts (out.data);
    buf_fini (&out);
}

static void
print_health (const json_t *status)
{
    const json_t *stats = json_object_get (status, "stats"),
                 *last = json_object_get (status, "lastRun");
    int64_t failures = cli_int (stats, "consecutiveFailures");
    struct buf out = { 0 };
    if (json_is_true (json_object_get (status, "healthy")))
        buf_add_str (&out, "healthy");
    else
        buf_add_str (&out, json_is_true (json_object_get (status, "critical")) ? "CRITICAL"
                                                                               : "NOT healthy");
    if (failures)
        buf_printf (&out, ": %s %" PRId64 " in a row",
                    failures == 1 ? "the last run failed," : "runs failed,", failures);
    if (failures && *cli_text (last, "errorMessage"))
        buf_printf (&out, ": %s", cli_text (last, "errorMessage"));
    line ("newsmill", out.data);
    buf_fini (&out);
}

static void
print_schedule (const json_t *status)
{
    const json_t *scheduler = json_object_get (status, "scheduler"),
                 *ticks = json_object_get (status, "ticks");
    struct buf out = { 0 };
    buf_printf (&out, "%s (%s), %s", cli_text (scheduler, "description"),
                cli_text (scheduler, "cronExpression"),
                !json_is_true (json_object_get (scheduler, "running")) ? "no ticker is running"
                : json_is_true (json_object_get (scheduler, "currentlyExecuting"))
                    ? "a run is in progress"
                    : "waiting for the next run");
    line ("schedule", out.data);
    buf_clear (&out);
    if (ticks)
        buf_printf (&out, "%" PRId64 " ran, %" PRId64 " skipped, %" PRId64 " missed",
                    cli_int (ticks, "ran"), cli_int (ticks, "skipped"), cli_int (ticks, "missed"));
    if (out.len)
        line ("ticks", out.data);
    buf_fini (&out);
}

static void
print_runs (const json_t *status)
{
    const json_t *stats = json_object_get (status, "stats"),
                 *last = json_object_get (status, "lastRun");
    char span[CLI_SPAN_SIZE], ago[CLI_SPAN_SIZE], when[CLOCK_TEXT_SIZE];
    struct buf out = { 0 };
    buf_printf (&out, "%" PRId64 ": %" PRId64 " succeeded, %" PRId64 " failed; %s on average",
                cli_int (stats, "totalRuns"), cli_int (stats, "successfulRuns"),
                cli_int (stats, "failedRuns"),
                cli_span (json_object_get (stats, "averageDurationMs"), span));
    line ("runs", out.data);
    buf_clear (&out);
    if (!json_is_object (last))
        buf_add_str (&out, "none yet");
    else
        buf_printf (&out, "%s UTC, %s ago: %s, %" PRId64 " articles, %" PRId64 " embeddings%s%s",
                    cli_when (json_object_get (last, "startedAt"), when),
                    cli_span (json_object_get (last, "timeSinceLastRunMs"), ago),
                    cli_text (last, "status"), cli_int (last, "articlesProcessed"),
                    cli_int (last, "embeddingsCreated"),
                    json_is_number (json_object_get (last, "durationMs")) ? " in " : "",
                    cli_span (json_object_get (last, "durationMs"), span));
    line ("last run", out.data);
    buf_fini (&out);
}

static void
print_budget (const json_t *budget)
{
    struct buf out = { 0 };
    if (!json_is_object (budget))
        return;
    buf_printf (&out, "%.6g of %.6g %s spent today%s%s",
                json_number_value (json_object_get (budget, "spent")),
                json_number_value (json_object_get (budget, "limit")), cli_text (budget, "unit"),
                json_is_true (json_object_get (budget, "paused"))
                    ? "; articles wait until 00:00 UTC: "
                    : "",
                cli_text (budget, "reason"));
    line ("budget", out.data);
    buf_fini (&out);
}

static void
print_work (const json_t *status)
{
    const json_t *check = json_object_get (status, "conservation"),
                 *model = json_object_get (status, "model");
    const char *stage;
    json_t *count;
    struct buf out = { 0 };
    json_object_foreach (json_object_get (status, "workers"), stage, count)
        buf_printf (&out, "%s%s %" JSON_INTEGER_FORMAT, out.len ? ", " : "", stage,
                    json_integer_value (count));
    line ("workers", out.len ? out.data : "none");
    buf_clear (&out);
    if (json_is_object (check)) {
        buf_printf (
            &out,
            "%" PRId64 " done, %" PRId64 " pending, %" PRId64 " in flight, %" PRId64 " dead%s",
            cli_int (check, "done"), cli_int (check, "pending"), cli_int (check, "leased"),
            cli_int (check, "dead"), cli_int (check, "dead") ? " (`newsmill dead list`)" : "");
        line ("articles", out.data);
        line ("ledger", json_is_true (json_object_get (check, "ok"))
                            ? "balanced: every article is accounted for"
                            : "NOT balanced: see the collector's log");
    }
    print_budget (json_object_get (status, "budget"));
    buf_clear (&out);
    buf_printf (&out, "%s, %s%s", cli_text (model, "summary"),
                *cli_text (model, "embedding") ? cli_text (model, "embedding") : "no embedder has told yet",
                json_is_true (json_object_get (model, "fallback")) ? " (the fallback: `newsmill model pull`)" : "");
    line ("models", out.data);
    buf_fini (&out);
}

int
cmd_status (struct cli *cli, int argc, char **argv)
{
    json_t *status;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : cli_ask (cli, client_request ("status"), &status);
    if (r)
        return r;
    if (cli->json)
        cli_print_json (status);
    else {
        print_health (status);
        print_schedule (status);
        print_runs (status);
        print_work (status);
        const json_t *recent = json_object_get (status, "recentRuns");
        if (json_array_size (recent)) {
            putchar ('\n');
            runs_print (recent);
        }
    }
    json_decref (status);
    return 0;
}
