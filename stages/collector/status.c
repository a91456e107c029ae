/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"
#include "cron/cron.h"
#include "model/local.h"

#define RUNS_MOST 1000

json_t *
status_error (const char *code, const char *message)
{
    return json_pack ("{s:{s:s, s:s}}", "error", "code", code, "message", message);
}

static json_t *
unavailable (struct collector *self)
{
    return status_error ("unavailable", self->active ? db_error (self->db) : "another collector is active");
}

/* ---- status ---- */

static json_t *
last_run (struct collector *self)
{
    struct run *run = &self->run;
    char started[CLOCK_TEXT_SIZE];
    if (run->open) {
        int64_t age = clock_mono_ms () - run->started_ms;
        return json_pack ("{s:s, s:s, s:n, s:s, s:n, s:n, s:n, s:n, s:I}", "id", run->text, "startedAt",
                          clock_format (run->started_us, started), "completedAt", "status", "RUNNING",
                          "articlesProcessed", "embeddingsCreated", "durationMs", "errorMessage",
                          "timeSinceLastRunMs", (json_int_t) age);
    }
    json_t *newest = json_array_get (self->recent, 0);
    if (!newest)
        return json_null ();
    json_t *copy = json_copy (newest);
    struct tm tm = { 0 };
    const char *at = json_string_value (json_object_get (newest, "completedAt"));
    const char *rest = at ? strptime (at, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    int64_t ms = rest && *rest == '.' ? strtoll (rest + 1, NULL, 10) : 0;
    int64_t age = rest ? clock_wall_us () / 1000 - ((int64_t) timegm (&tm) * 1000 + ms) : 0;
    json_object_set_new (copy, "timeSinceLastRunMs", json_integer (MAX_OF (age, (int64_t) 0)));
    json_object_del (copy, "scheduled");
    return copy;
}

static json_t *
worker_counts (struct collector *self)
{
    json_t *counts = json_object ();
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        if (w->state == WIRE_ALIVE)
            json_object_set_new (counts, w->stage,
                                 json_integer (json_integer_value (json_object_get (counts, w->stage)) + 1));
    return counts;
}

/* By the workers themselves, who alone know: the models' names, joined, of those of the stage. otherwise: while none told; may be NULL */
static json_t *
model_of (struct collector *self, const char *stage, const char *otherwise)
{
    struct buf names = { 0 };
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers)) {
        const char *name = json_string_value (json_object_get (w->statistics, "model"));
        if (w->state != WIRE_ALIVE || !streq (w->stage, stage) || !name || (names.len && strstr (names.data, name)))
            continue;
        buf_printf (&names, "%s%s", names.len ? ", " : "", name);
    }
    const char *text = names.len ? names.data : otherwise;
    json_t *value = text ? json_string (text) : json_null ();
    buf_fini (&names);
    return value;
}

static json_t *
models (struct collector *self)
{
    const struct settings *set = stage_settings (self->stage);
    bool local = streq (set->model_base_url, "local");
    json_t *embedding = model_of (self, "embedder", local ? NULL : set->model_embedding);
    const char *name = json_string_value (embedding);
    return json_pack ("{s:o, s:o, s:b}", "summary", model_of (self, "summarizer", local ? LOCAL_SUMMARY_NAME : set->model_summary),
                      "embedding", embedding, "fallback", name && strstr (name, LOCAL_EMBED_NAME));
}

static json_t *
op_status (struct collector *self, const json_t *request UNUSED)
{
    const struct settings *set = stage_settings (self->stage);
    const struct statistics *s = &self->statistics;
    bool critical = s->consecutive_failures >= CRITICAL_FAILURES;
    int64_t closed = s->successful + s->failed;
    char *description = cron_describe (set->ticker_cron);
    const json_t *check = self->conservation;
    bool balanced = !json_is_false (json_object_get (check, "ok"));
    json_t *counts = worker_counts (self);
    bool ticking = json_object_get (counts, "ticker") != NULL;
    json_t *document = json_pack (
        "{s:b, s:{s:b, s:s, s:s, s:b}, s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:O, s:b, s:o, s:O?, s:O?, s:O?,"
        " s:{s:I, s:I, s:I}, s:o, s:O?, s:O?, s:s}",
        "healthy", self->active && !critical && balanced && db_connection (self->db) != NULL,
        "scheduler", "running", ticking, "cronExpression", set->ticker_cron, "description", description,
        "currentlyExecuting", self->run.open,
        "stats", "totalRuns", (json_int_t) s->total, "successfulRuns", (json_int_t) s->successful,
        "failedRuns", (json_int_t) s->failed, "consecutiveFailures", (json_int_t) s->consecutive_failures,
        "averageDurationMs", (json_int_t) (closed ? s->duration_sum_ms / (double) closed : 0),
        "lastRun", last_run (self), "recentRuns", self->recent, "critical", critical,
        "workers", counts, "inFlight", json_object_get (check, "leased"), "pending", json_object_get (check, "pending"),
        "dead", json_object_get (check, "dead"),
        "ticks", "ran", (json_int_t) s->ran, "skipped", (json_int_t) s->skipped, "missed", (json_int_t) s->missed,
        "model", models (self),
        "budget", self->budget.document, "conservation", check, "version", NEWSMILL_VERSION);
    free (description);
    return document;
}

/* ---- the other operations ---- */

static json_t *
op_runs (struct collector *self, const json_t *request)
{
    int64_t limit = json_integer_value (json_object_get (request, "limit"));
    char text[24];
    if (limit < 1 || limit > RUNS_MOST)
        limit = limit < 1 ? 20 : RUNS_MOST;
    snprintf (text, sizeof text, "%" PRId64, limit);
    json_t *runs = collector_json (self, "SELECT coalesce (json_agg (run), '[]') FROM (SELECT " SQL_RUN " AS run FROM"
                                   " \"JobRun\" ORDER BY \"startedAt\" DESC LIMIT $1) r", DB_VALUES (text));
    return runs ? json_pack ("{s:o}", "runs", runs) : unavailable (self);
}

static json_t *
op_run (struct collector *self, const json_t *request)
{
    const char *id = json_string_value (json_object_get (request, "id"));
    struct uuid uuid;
    if (!id || uuid_parse (id, &uuid) < 0)
        return status_error ("bad_request", "id must be a run's UUID");
    json_t *run = collector_json (self, "SELECT " SQL_RUN " FROM \"JobRun\" WHERE id = $1", DB_VALUES (id));
    if (!run)
        return db_connection (self->db) ? status_error ("not_found", "there is no such run") : unavailable (self);
    json_t *stages = collector_json (self, "SELECT coalesce (json_agg (to_jsonb (s) - 'runId'), '[]') FROM \"RunStage\" s"
                                     " WHERE \"runId\" = $1", DB_VALUES (id));
    json_t *sources = collector_json (self,
        "SELECT coalesce (json_agg (json_build_object ('url', s.url, 'title', s.title, 'state', r.state, 'status', r.status,"
        " 'discovered', r.discovered, 'duplicate', r.duplicate, 'intake', r.intake, 'skipped', r.skipped,"
        " 'durationMs', r.\"durationMs\", 'error', r.error) ORDER BY s.id), '[]')"
        " FROM \"RunSource\" r JOIN \"Source\" s ON s.id = r.\"sourceId\" WHERE r.\"runId\" = $1", DB_VALUES (id));
    json_object_set_new (run, "stages", stages ? stages : json_array ());
    json_object_set_new (run, "sources", sources ? sources : json_array ());
    return json_pack ("{s:o}", "run", run);
}

static json_t *
op_sources (struct collector *self, const json_t *request UNUSED)
{
    json_t *sources = collector_json (self,
        "SELECT coalesce (json_agg (json_build_object ('id', s.id, 'url', s.url, 'title', s.title, 'tags', s.tags,"
        " 'enabled', s.enabled, 'format', s.format, 'lastFetchAt', " SQL_TIME ("s.\"lastFetchAt\"") ","
        " 'lastSuccessAt', " SQL_TIME ("s.\"lastSuccessAt\"") ", 'lastStatus', s.\"lastStatus\", 'lastError', s.\"lastError\","
        " 'failures', s.failures, 'nextDueAt', " SQL_TIME ("s.\"nextDueAt\"") ", 'disabledReason', s.\"disabledReason\","
        " 'heldUntil', " SQL_TIME ("d.\"heldUntil\"") ", 'heldReason', d.reason, 'push', b.state, 'pushReason', b.reason,"
        " 'articles', coalesce (a.articles, 0))"
        " ORDER BY s.id), '[]') FROM \"Source\" s LEFT JOIN \"Domain\" d ON d.name = s.domain AND d.\"heldUntil\" > " DB_NOW
        " LEFT JOIN \"Subscription\" b ON b.\"sourceId\" = s.id"
        " LEFT JOIN (SELECT \"sourceId\", count (*) AS articles FROM \"Article\""
        " GROUP BY \"sourceId\") a ON a.\"sourceId\" = s.id", 0, NULL);
    return sources ? json_pack ("{s:o}", "sources", sources) : unavailable (self);
}

static json_t *
op_workers (struct collector *self, const json_t *request UNUSED)
{
    json_t *workers = json_array ();
    int64_t now = clock_mono_ms ();
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        json_array_append_new (workers, json_pack (
            "{s:s, s:s, s:s, s:I, s:s, s:I, s:I, s:I, s:O?}", "worker", w->name, "stage", w->stage, "host", w->host,
            "pid", (json_int_t) w->pid, "state", w->state == WIRE_ALIVE ? "alive" : "leaving",
            "held", (json_int_t) w->held_count, "ageMs", (json_int_t) (now - w->seen_ms),
            "clockSkewMs", (json_int_t) w->skew_ms, "statistics", w->statistics));
    return json_pack ("{s:o}", "workers", workers);
}

static json_t *
op_progress (struct collector *self, const json_t *request UNUSED)
{
    if (!self->run.open)
        return json_pack ("{s:n}", "run");
    json_t *run = collector_json (self,
        "SELECT json_build_object ('sourcesTotal', count (*), 'sourcesDone', count (*) FILTER (WHERE state NOT IN"
        " ('due', 'claimed')), 'intake', coalesce (sum (intake), 0),"
        " 'done', (SELECT count (*) FROM \"Article\" WHERE \"runId\" = $1 AND \"createdAt\" >= " SQL_RUN_BEGIN "),"
        " 'dead', (SELECT count (*) FROM \"ArticleWork\" WHERE state = 'dead'),"
        " 'pending', (SELECT count (*) FROM \"ArticleWork\" WHERE state = 'pending'),"
        " 'leased', (SELECT count (*) FROM \"ArticleWork\" WHERE state = 'leased'))"
        " FROM \"RunSource\" WHERE \"runId\" = $1", DB_VALUES (self->run.text));
    if (!run)
        return unavailable (self);
    char started[CLOCK_TEXT_SIZE];
    json_t *stages = json_object ();
    for (size_t i = 0; i < self->run.counts.count; i++) {
        const struct stage_count *c = &self->run.counts.stages[i];
        int64_t held = 0;
        for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
            held += streq (w->stage, c->name) ? (int64_t) w->held_count : 0;
        json_object_set_new (stages, c->name, json_pack ("{s:I, s:I, s:I}", "held", (json_int_t) held,
                                                         "done", (json_int_t) c->done, "failed", (json_int_t) c->failed));
    }
    json_object_set_new (run, "id", json_string (self->run.text));
    json_object_set_new (run, "startedAt", json_string (clock_format (self->run.started_us, started)));
    json_object_set_new (run, "elapsedMs", json_integer (clock_mono_ms () - self->run.started_ms));
    json_object_set_new (run, "stages", stages);
    return json_pack ("{s:o}", "run", run);
}

static json_t *
op_trigger (struct collector *self, const json_t *request UNUSED)
{
    json_t *opened = run_open (self, 0);
    const char *outcome = json_string_value (json_object_get (opened, "outcome"));
    bool joined = streq (outcome, "joined");
    json_t *reply = joined || streq (outcome, "opened")
        ? json_pack ("{s:O, s:b}", "run", json_object_get (opened, "run"), "joined", joined)
        : status_error ("unavailable", json_string_value (json_object_get (opened, "reason")));
    json_decref (opened);
    return reply;
}

static json_t *
op_open (struct collector *self, const json_t *request)
{
    int64_t scheduled = json_integer_value (json_object_get (request, "scheduled"));
    return scheduled > 0 ? run_open (self, scheduled) : status_error ("bad_request", "scheduled must be microseconds");
}

static json_t *
op_shutdown (struct collector *self, const json_t *request UNUSED)
{
    stage_stop (self->stage, EXIT_ASKED);
    return json_pack ("{s:b}", "ok", 1);
}

static const struct op {
    const char *name;
    json_t *(*answer) (struct collector *self, const json_t *request);
} ops[] = {
    { "status", op_status },     { "runs", op_runs },         { "run", op_run },   { "sources", op_sources },
    { "workers", op_workers },   { "progress", op_progress }, { "open", op_open }, { "trigger", op_trigger },
    { "shutdown", op_shutdown }, { "subscription", websub_secret }, { "intent", websub_intent },
    { "pushed", websub_pushed },
};

static json_t *
answer_request (struct collector *self, const char *bytes, size_t size)
{
    json_error_t fault;
    json_t *request = json_loadb (bytes, size, 0, &fault);
    json_t *reply = NULL;
    const char *name = json_string_value (json_object_get (request, "op"));
    if (!request)
        reply = json_pack ("{s:{s:s, s:o}}", "error", "code", "bad_request", "message",
                           json_sprintf ("the request is not JSON: %s", fault.text));
    else if (!name)
        reply = status_error ("bad_request", "the request must be an object with \"op\"");
    for (size_t i = 0; !reply && i < COUNT_OF (ops); i++)
        if (streq (ops[i].name, name))
            reply = ops[i].answer (self, request);
    if (!reply)
        reply = status_error ("unknown_op", "ops: status, runs, run, trigger, sources, workers, progress, shutdown");
    json_decref (request);
    return reply;
}

void
status_answer (struct collector *self)
{
    zmsg_t *message = zmsg_recv (self->router);
    zframe_t *body = message ? zmsg_last (message) : NULL;
    if (!body || zmsg_size (message) < 2) { /* an identity alone asks nothing */
        zmsg_destroy (&message);
        return;
    }
    json_t *reply = answer_request (self, (const char *) zframe_data (body), zframe_size (body));
    char *text = json_dumps (reply, JSON_COMPACT);
    zframe_reset (body, text, strlen (text));
    if (zmsg_send (&message, self->router) < 0)
        zmsg_destroy (&message); /* whoever asked is gone */
    free (text);
    json_decref (reply);
}
