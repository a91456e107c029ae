/* Everything that comes from a document is escaped, for feeds and providers have a say in it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page.h"
#include "routes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RELOAD_S 10
#define RUNS_SHOWN 10

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<title>newsmill</title>\n"
    "<style>\n"
    ":root { --line: #d5d9de; --dim: #5c6670; --good: #17753a; --bad: #b3261e; --busy: #8a5a00; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --line: #3a4149; --dim: #9aa5b1; --good: #5fc98a; --bad: #ff8a80;"
    " --busy: #f0b95a; } }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;"
    " padding: 0 1rem; }\n"
    "h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }\n"
    "p { margin: .25rem 0; } .dim { color: var(--dim); }\n"
    ".good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }\n"
    "dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem;"
    " margin: 0; }\n"
    "dl div { border: 1px solid var(--line); border-radius: .4rem; padding: .5rem .75rem; }\n"
    "dt { color: var(--dim); font-size: .85rem; }\n"
    "dd { margin: 0; font-size: 1.25rem; font-variant-numeric: tabular-nums;"
    " overflow-wrap: anywhere; }\n"
    ".scroll { overflow-x: auto; }\n"
    "table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }\n"
    "th, td { text-align: left; padding: .3rem .75rem .3rem 0;"
    " border-bottom: 1px solid var(--line); vertical-align: top; }\n"
    "th { color: var(--dim); font-weight: normal; font-size: .85rem; }\n"
    "td.number, th.number { text-align: right; }\n"
    "code { font-size: .9rem; }\n"
    "</style>\n";

/* ---- pieces ---- */

static void
put_text (struct buf *out, const char *text)
{
    buf_add_escaped (out, text ? text : "");
}

/* A number with thin marks between thousands, any text as it is, a dash for nothing. */
static void
put_value (struct buf *out, const json_t *value)
{
    if (json_is_integer (value)) {
        char digits[32];
        int length = snprintf (digits, sizeof digits, "%" JSON_INTEGER_FORMAT,
                               json_integer_value (value));
        for (int i = 0; i < length; i++) {
            if (i && digits[i - 1] != '-' && (length - i) % 3 == 0)
                buf_add_str (out, "&#8239;");
            buf_add_char (out, digits[i]);
        }
    } else if (json_is_real (value))
        buf_printf (out, "%.10g", json_real_value (value));
    else if (json_is_string (value))
        put_text (out, json_string_value (value));
    else if (json_is_boolean (value))
        buf_add_str (out, json_is_true (value) ? "yes" : "no");
    else
        buf_add_str (out, "&#8211;");
}

static void
put_duration (struct buf *out, const json_t *ms)
{
    double n = json_number_value (ms);
    if (!json_is_number (ms))
        buf_add_str (out, "&#8211;");
    else if (n < 1000)
        buf_printf (out, "%.0f ms", n);
    else if (n < 120 * 1000)
        buf_printf (out, "%.1f s", n / 1000);
    else
        buf_printf (out, "%.0f min", n / 60000);
}

/* "2025-11-17T02:40:00.000Z" as "2025-11-17 02:40:00" */
static void
put_time (struct buf *out, const json_t *time)
{
    const char *text = json_string_value (time);
    if (text && strlen (text) >= 19 && text[10] == 'T') {
        char short_text[20];
        snprintf (short_text, sizeof short_text, "%.10s %.8s", text, text + 11);
        put_text (out, short_text);
    } else
        put_value (out, time);
}

static void
put_tile (struct buf *out, const char *name, const json_t *value)
{
    buf_printf (out, "<div><dt>%s</dt><dd>", name);
    put_value (out, value);
    buf_add_str (out, "</dd></div>\n");
}

static json_t *
member (const json_t *document, const char *object, const char *key)
{
    return json_object_get (json_object_get (document, object), key);
}

static void
put_tiles (struct buf *out, const char *title, const json_t *document, const char *object,
           const char *const (*tiles)[2], size_t count)
{
    if (!json_is_object (json_object_get (document, object)))
        return;
    buf_printf (out, "<h2>%s</h2>\n<dl>\n", title);
    for (size_t i = 0; i < count; i++)
        put_tile (out, tiles[i][0], member (document, object, tiles[i][1]));
    buf_add_str (out, "</dl>\n");
}

/* ---- sections ---- */

static void
put_health (struct buf *out, const json_t *status)
{
    bool healthy = json_is_true (json_object_get (status, "healthy"));
    bool critical = json_is_true (json_object_get (status, "critical"));
    bool executing = json_is_true (member (status, "scheduler", "currentlyExecuting"));
    bool running = json_is_true (member (status, "scheduler", "running"));
    const char *verdict = critical ? "Critical: several runs failed in a row" : "Not healthy";
    if (healthy && !critical)
        verdict = "Healthy";
    buf_printf (out, "<p><strong class=\"%s\">%s</strong>%s</p>\n",
                healthy && !critical ? "good" : "bad", verdict,
                executing ? " &#183; <span class=\"busy\">a run is under way</span>" : "");
    buf_add_str (out, "<p class=\"dim\">");
    put_text (out, json_string_value (member (status, "scheduler", "description")));
    buf_add_str (out, " (<code>");
    put_text (out, json_string_value (member (status, "scheduler", "cronExpression")));
    buf_printf (out, "</code>, UTC)%s</p>\n", running ? "" : "; the scheduler is stopped");
}

static void
put_run (struct buf *out, const json_t *run)
{
    const char *id = json_string_value (json_object_get (run, "id"));
    const char *status = json_string_value (json_object_get (run, "status"));
    const char *class = "busy";
    if (status && strcmp (status, "RUNNING") != 0)
        class = strcmp (status, "SUCCESS") == 0 ? "good" : "bad";
    buf_add_str (out, "<tr><td><a href=\"/api/runs/");
    put_text (out, id);
    buf_add_str (out, "\">");
    put_time (out, json_object_get (run, "startedAt"));
    buf_printf (out, "</a></td><td class=\"%s\">", class);
    put_text (out, status);
    buf_add_str (out, "</td><td class=\"number\">");
    put_value (out, json_object_get (run, "articlesProcessed"));
    buf_add_str (out, "</td><td class=\"number\">");
    put_value (out, json_object_get (run, "embeddingsCreated"));
    buf_add_str (out, "</td><td class=\"number\">");
    put_duration (out, json_object_get (run, "durationMs"));
    buf_add_str (out, "</td><td>");
    put_text (out, json_string_value (json_object_get (run, "errorMessage")));
    buf_add_str (out, "</td></tr>\n");
}

static void
put_runs (struct buf *out, const json_t *status)
{
    const json_t *runs = json_object_get (status, "recentRuns");
    size_t i;
    json_t *run;
    buf_add_str (out, "<h2>Recent runs</h2>\n");
    if (json_array_size (runs) == 0) {
        buf_add_str (out, "<p class=\"dim\">None yet.</p>\n");
        return;
    }
    buf_add_str (
        out, "<div class=\"scroll\"><table>\n<tr><th>Started (UTC)</th><th>Status</th>"
             "<th class=\"number\">Articles</th><th class=\"number\">Embeddings</th>"
             "<th class=\"number\">Time</th><th>Error</th></tr>\n");
    json_array_foreach (runs, i, run) {
        if (i == RUNS_SHOWN)
            break;
        put_run (out, run);
    }
    buf_add_str (out, "</table></div>\n");
}

static void
put_workers (struct buf *out, const json_t *status)
{
    json_t *workers = json_object_get (status, "workers"), *count;
    const char *stage;
    if (json_object_size (workers) == 0)
        return;
    buf_add_str (out, "<h2>Processes</h2>\n<p>");
    const char *between = "";
    json_object_foreach (workers, stage, count) {
        buf_add_str (out, between);
        put_text (out, stage);
        buf_add_str (out, "&nbsp;");
        put_value (out, count);
        between = " &#183; ";
    }
    buf_add_str (out, "</p>\n");
}

static void
put_models (struct buf *out, const json_t *status)
{
    if (!json_is_object (json_object_get (status, "model")))
        return;
    buf_add_str (out, "<p class=\"dim\">Summaries by <code>");
    put_value (out, member (status, "model", "summary"));
    buf_add_str (out, "</code>, vectors by <code>");
    put_value (out, member (status, "model", "embedding"));
    buf_add_str (out, json_is_true (member (status, "model", "fallback"))
                          ? "</code>, the fallback for want of weights</p>\n" : "</code></p>\n");
}

static void
put_facts (struct buf *out, const json_t *status)
{
    static const char *const stats[][2] = {
        { "Runs", "totalRuns" },
        { "Successful", "successfulRuns" },
        { "Failed", "failedRuns" },
        { "Failures in a row", "consecutiveFailures" },
        { "Average, ms", "averageDurationMs" },
    };
    static const char *const articles[][2] = {
        { "Stored", "done" },
        { "Pending", "pending" },
        { "In the pipeline", "leased" },
        { "Dead letters", "dead" },
        { "Seen in feeds", "discovered" },
        { "Known already", "duplicate" },
        { "Taken in", "intake" },
        { "All accounted for", "ok" },
    };
    static const char *const ticks[][2] = { { "Ran", "ran" },
                                            { "Skipped", "skipped" },
                                            { "Missed", "missed" } };
    static const char *const budget[][2] = {
        { "Spent", "spent" },
        { "Of", "limit" },
        { "In", "unit" },
        { "Waits for midnight", "paused" },
    };
    put_health (out, status);
    put_models (out, status);
    put_tiles (out, "Budget of the day", status, "budget", budget, COUNT_OF (budget));
    put_tiles (out, "Runs", status, "stats", stats, COUNT_OF (stats));
    put_tiles (out, "Articles", status, "conservation", articles, COUNT_OF (articles));
    put_tiles (out, "Ticks", status, "ticks", ticks, COUNT_OF (ticks));
    put_workers (out, status);
    put_runs (out, status);
}

static void
put_endpoints (struct buf *out)
{
    size_t count;
    const struct route *routes = route_list (&count);
    buf_add_str (out, "<h2>Endpoints</h2>\n<div class=\"scroll\"><table>\n");
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];
        size_t length = strlen (route->path);
        bool link = strcmp (route->method, "GET") == 0 && route->path[length - 1] != '*';
        buf_printf (out, "<tr><td><code>%s</code></td><td><code>", route->method);
        if (link)
            buf_printf (out, "<a href=\"%s\">%s</a>", route->path, route->path);
        else
            buf_printf (out, "%.*s%s", (int) (route->path[length - 1] == '*' ? length - 1 : length),
                        route->path, route->path[length - 1] == '*' ? "ID" : "");
        buf_printf (out, "</code></td><td>%s</td></tr>\n", route->help);
    }
    buf_add_str (out, "</table></div>\n");
}

void
page_write (struct buf *out, const json_t *status, const char *reason)
{
    char now[CLOCK_TEXT_SIZE];
    buf_add_str (out, head);
    buf_printf (
        out, "<meta http-equiv=\"refresh\" content=\"%d\">\n</head>\n<body>\n<h1>newsmill</h1>\n",
        RELOAD_S);
    if (status)
        put_facts (out, status);
    else {
        buf_add_str (out, "<p><strong class=\"bad\">No status</strong>: ");
        put_text (out, reason);
        buf_add_str (out, "</p>\n");
    }
    put_endpoints (out);
    buf_printf (
        out,
        "<p class=\"dim\">newsmill %s &#183; %.19sZ &#183; reloads every %d s</p>\n"
        "</body>\n</html>\n",
        NEWSMILL_VERSION, clock_format (clock_wall_us (), now), RELOAD_S);
}
