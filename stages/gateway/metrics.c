/* Families whose samples are known beforehand are rows of a table; those with a sample a stage, a
 * link or a worker are collected first, for all samples of a family must stand together.
 * SPDX-License-Identifier: MPL-2.0 */
#include "metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum unit { AS_IT_IS, MILLISECONDS, TIME };

/* Rows of one name follow each other; the first of them says type and help. */
static const struct row {
    const char *name, *label, *value; /* label NULL: none */
    const char *path;                 /* in the status document */
    enum unit unit;
    const char *type, *help;
} rows[] = {
    { "newsmill_healthy", NULL, NULL, "healthy", AS_IT_IS,
      "gauge", "Whether the mill calls itself healthy." },
    { "newsmill_critical", NULL, NULL, "critical", AS_IT_IS,
      "gauge", "Whether so many runs failed in a row that someone should look." },
    { "newsmill_executing", NULL, NULL, "scheduler.currentlyExecuting", AS_IT_IS,
      "gauge", "Whether a run is under way." },
    { "newsmill_runs_total", "status", "success", "stats.successfulRuns", AS_IT_IS,
      "counter", "Runs that ended, by status." },
    { "newsmill_runs_total", "status", "failed", "stats.failedRuns", AS_IT_IS, NULL, NULL },
    { "newsmill_last_run_timestamp_seconds", NULL, NULL, "lastRun.completedAt", TIME,
      "gauge", "When the last run that ended did so." },
    { "newsmill_last_run_duration_seconds", NULL, NULL, "lastRun.durationMs", MILLISECONDS,
      "gauge", "How long the last run that ended took." },
    { "newsmill_run_duration_average_seconds", NULL, NULL, "stats.averageDurationMs", MILLISECONDS,
      "gauge", "How long a run takes on average." },
    { "newsmill_consecutive_failures", NULL, NULL, "stats.consecutiveFailures", AS_IT_IS,
      "gauge", "Runs that failed in a row, up to now." },
    { "newsmill_articles", "state", "done", "conservation.done", AS_IT_IS,
      "gauge", "Articles in the ledger, by state." },
    { "newsmill_articles", "state", "dead", "conservation.dead", AS_IT_IS, NULL, NULL },
    { "newsmill_articles", "state", "pending", "conservation.pending", AS_IT_IS, NULL, NULL },
    { "newsmill_articles", "state", "leased", "conservation.leased", AS_IT_IS, NULL, NULL },
    { "newsmill_discovered_total", NULL, NULL, "conservation.discovered", AS_IT_IS,
      "counter", "Entries seen in feeds." },
    { "newsmill_duplicate_total", NULL, NULL, "conservation.duplicate", AS_IT_IS,
      "counter", "Entries that were known already." },
    { "newsmill_intake_total", NULL, NULL, "conservation.intake", AS_IT_IS,
      "counter", "Entries taken into the ledger." },
    { "newsmill_passed_over_total", NULL, NULL, "conservation.skipped", AS_IT_IS,
      "counter", "Entries seen with neither address nor text." },
    { "newsmill_dropped_total", NULL, NULL, "conservation.dropped", AS_IT_IS,
      "counter", "Dead letters that were thrown away." },
    { "newsmill_budget_limit", NULL, NULL, "budget.limit", AS_IT_IS,
      "gauge", "What models may take a day, in the unit of model.daily_budget." },
    { "newsmill_budget_spent", NULL, NULL, "budget.spent", AS_IT_IS,
      "gauge", "What models took today (UTC), in the same unit." },
    { "newsmill_budget_paused", NULL, NULL, "budget.paused", AS_IT_IS,
      "gauge", "Whether articles wait for the next day, because that is spent." },
    { "newsmill_conservation_ok", NULL, NULL, "conservation.ok", AS_IT_IS,
      "gauge", "Whether every entry seen is accounted for." },
    { "newsmill_ticks_total", "outcome", "ran", "ticks.ran", AS_IT_IS,
      "counter", "Ticks of the clock, by what became of them." },
    { "newsmill_ticks_total", "outcome", "skipped", "ticks.skipped", AS_IT_IS, NULL, NULL },
    { "newsmill_ticks_total", "outcome", "missed", "ticks.missed", AS_IT_IS, NULL, NULL },
};

/* ---- the text format ---- */

static void
put_head (struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf (out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
put_label (struct buf *out, const char *label, const char *value)
{
    buf_printf (out, "%s=\"", label);
    for (; *value; value++)
        if (*value == '\n')
            buf_add_str (out, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_printf (out, "\\%c", *value);
        else
            buf_add_char (out, *value);
    buf_add_char (out, '"');
}

static void
put_sample (struct buf *out, const char *name, const char *label, const char *value, double number)
{
    buf_add_str (out, name);
    if (label) {
        buf_add_char (out, '{');
        put_label (out, label, value);
        buf_add_char (out, '}');
    }
    buf_printf (out, " %.15g\n", number);
}

/* ---- values out of documents ---- */

static const json_t *
look_up (const json_t *document, const char *path)
{
    char key[64];
    for (; document && *path; path += *path == '.') {
        size_t length = strcspn (path, ".");
        snprintf (key, sizeof key, "%.*s", (int) length, path);
        document = json_object_get (document, key);
        path += length;
    }
    return document;
}

/* "2025-11-17T02:40:00.123Z" */
static bool
read_time (const char *text, double *ret_seconds)
{
    struct tm tm = { 0 };
    const char *rest = strptime (text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t thousandths = 0;
    if (!rest)
        return false;
    if (*rest == '.' && strlen (rest) == 5) {
        const char digits[] = { rest[1], rest[2], rest[3], '\0' };
        if (num_parse (digits, 0, 999, &thousandths) < 0)
            return false;
        rest += 4;
    }
    *ret_seconds = (double) timegm (&tm) + (double) thousandths / 1000;
    return strcmp (rest, "Z") == 0;
}

static bool
read_value (const json_t *value, enum unit unit, double *ret_number)
{
    if (unit == TIME)
        return json_is_string (value) && read_time (json_string_value (value), ret_number);
    if (json_is_boolean (value))
        *ret_number = json_is_true (value);
    else if (json_is_number (value))
        *ret_number = json_number_value (value) / (unit == MILLISECONDS ? 1000 : 1);
    else
        return false;
    return true;
}

/* While a run is under way it is the status document's last one; the figures are about the last
 * that ended, so that they don't come and go. borrowed; NULL if none ended */
static json_t *
last_ended (const json_t *status)
{
    json_t *run = json_object_get (status, "lastRun");
    size_t i = 0;
    const json_t *recent = json_object_get (status, "recentRuns");
    while (run && !json_is_string (json_object_get (run, "completedAt")))
        run = json_array_get (recent, i++);
    return run;
}

static void
put_rows (struct buf *out, const json_t *status)
{
    static const char of_run[] = "lastRun.";
    const struct row *head = NULL, *said = NULL;
    const json_t *run = last_ended (status);
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        double number;
        bool about_run = strncmp (rows[i].path, of_run, sizeof of_run - 1) == 0;
        const json_t *value = about_run ? look_up (run, rows[i].path + sizeof of_run - 1)
                                        : look_up (status, rows[i].path);
        if (rows[i].help)
            head = &rows[i];
        if (!read_value (value, rows[i].unit, &number))
            continue;
        if (said != head)
            put_head (out, head->name, head->type, head->help);
        said = head;
        put_sample (out, rows[i].name, rows[i].label, rows[i].value, number);
    }
}

/* One family with a sample for each member of an object of numbers. */
static void
put_object (struct buf *out, const char *name, const char *help, const char *label, json_t *numbers)
{
    const char *key;
    json_t *value;
    bool said = false;
    json_object_foreach (numbers, key, value) {
        double number;
        if (!read_value (value, AS_IT_IS, &number))
            continue;
        if (!said)
            put_head (out, name, "gauge", help);
        said = true;
        put_sample (out, name, label, key, number);
    }
}

static void
add_to (json_t *numbers, const char *key, double more)
{
    json_object_set_new (numbers, key,
                         json_real (json_number_value (json_object_get (numbers, key)) + more));
}

/* What all workers together hold by stage, and what waits in the broker by link. */
static void
put_workers (struct buf *out, const json_t *workers)
{
    static const char tail[] = ".queued";
    json_t *held = json_object (), *queued = json_object ();
    size_t i;
    json_t *worker, *value;
    json_array_foreach (json_object_get (workers, "workers"), i, worker) {
        const char *stage = json_string_value (json_object_get (worker, "stage")), *key;
        if (!stage)
            continue;
        add_to (held, stage, json_number_value (json_object_get (worker, "held")));
        if (strcmp (stage, "broker") != 0)
            continue;
        json_object_foreach (json_object_get (worker, "statistics"), key, value) {
            size_t length = strlen (key);
            if (length < sizeof tail || strcmp (key + length - (sizeof tail - 1), tail) != 0)
                continue;
            char *link = mem_copy (key, length - (sizeof tail - 1));
            add_to (queued, link, json_number_value (value));
            free (link);
        }
    }
    put_object (out, "newsmill_held_articles", "Articles in workers' hands, by stage.", "stage",
                held);
    put_object (out, "newsmill_queue_messages", "Messages that wait in the broker, by link.",
                "link", queued);
    json_decref (held);
    json_decref (queued);
}

void
metrics_write (struct buf *out, const json_t *status, const json_t *workers)
{
    put_head (out, "newsmill_up", "gauge", "Whether the collector answers.");
    put_sample (out, "newsmill_up", NULL, NULL, status ? 1 : 0);
    put_head (out, "newsmill_build_info", "gauge", "The gateway's version.");
    put_sample (out, "newsmill_build_info", "version", NEWSMILL_VERSION, 1);
    put_rows (out, status);
    put_object (out, "newsmill_workers", "Processes that report, by stage.", "stage",
                json_object_get (status, "workers"));
    put_workers (out, workers);
}

/* ---- this process ---- */

static double
resident_bytes (void)
{
    long long pages[2] = { 0, 0 };
    FILE *f = fopen ("/proc/self/statm", "re");
    if (f && fscanf (f, "%lld %lld", &pages[0], &pages[1]) != 2)
        pages[1] = 0;
    if (f)
        fclose (f);
    return (double) pages[1] * (double) sysconf (_SC_PAGESIZE);
}

static double
open_descriptors (void)
{
    DIR *folder = opendir ("/proc/self/fd");
    int count = -1; /* the one that looks */
    if (!folder)
        return 0;
    for (const struct dirent *entry; (entry = readdir (folder)) != NULL;)
        count += *entry->d_name != '.';
    closedir (folder);
    return count;
}

static double
cpu_seconds (void)
{
    struct rusage usage = { 0 };
    getrusage (RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / (double) US_PER_S;
}

static void
put_one (struct buf *out, const char *name, const char *type, const char *help, double number)
{
    put_head (out, name, type, help);
    put_sample (out, name, NULL, NULL, number);
}

void
metrics_write_process (struct buf *out, int64_t started_us, const uint64_t answered[6])
{
    static const char *const classes[] = { NULL, NULL, "2xx", "3xx", "4xx", "5xx" };
    struct rlimit limit = { 0 };
    put_head (out, "newsmill_http_replies_total", "counter",
              "Replies of this gateway, by class of status.");
    for (size_t i = 2; i < COUNT_OF (classes); i++)
        put_sample (out, "newsmill_http_replies_total", "class", classes[i], (double) answered[i]);
    put_one (out, "process_cpu_seconds_total", "counter", "CPU time of the gateway.",
             cpu_seconds ());
    put_one (out, "process_resident_memory_bytes", "gauge", "Resident memory of the gateway.",
             resident_bytes ());
    put_one (out, "process_start_time_seconds", "gauge", "When the gateway started.",
             (double) started_us / (double) US_PER_S);
    put_one (out, "process_open_fds", "gauge", "Open descriptors of the gateway.",
             open_descriptors ());
    if (getrlimit (RLIMIT_NOFILE, &limit) == 0)
        put_one (out, "process_max_fds", "gauge", "Descriptors the gateway may open.",
                 (double) limit.rlim_cur);
}
