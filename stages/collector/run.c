/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define UNRECORDED_MAX 100
#define GATE_REPEAT_MS 200             /* well within the time that a worker listens before its first call */
#define BACKOFF_LEAST_MS INT64_C (90000)   /* lets one tick of a minute pass */
#define BACKOFF_MOST_MS INT64_C (900000)
#define SLOW_MS INT64_C (20000) /* slow pages and the like keep the next run waiting no longer; it has what comes of them */

/* ---- words to the world ---- */

void
run_event (struct collector *self, enum wire_event_kind kind, const char *stage, int64_t until_us, const char *reason)
{
    char *clean = utf8_clean (reason, strlen (reason), WIRE_REASON_MAX);
    struct wire_event event = { .header.run = self->run.id, .kind = kind, .stage = wire_text (stage),
                                .until_us = until_us, .reason = wire_text (clean) };
    stage_publish (self->stage, WIRE_EVENTS, WIRE_EVENT, &event);
    free (clean);
}

void
run_repeat_tick (struct collector *self)
{
    struct wire_tick tick = { .header.run = self->run.id, .scheduled_us = self->run.scheduled_us };
    if (self->run.open && !self->run.confirmed)
        stage_publish (self->stage, WIRE_TICKS, WIRE_TICK, &tick);
}

void
run_repeat_refusal (struct collector *self)
{
    if (self->run.open && *self->run.refused)
        run_event (self, WIRE_BREAKER, self->run.refused_stage, 0, self->run.refused);
}

static void
repeat_gates (struct stage *stage, void *arg)
{
    struct collector *self = arg;
    for (size_t i = 0; i < self->gate_count;) {
        const struct gate *gate = &self->gates[i];
        int64_t wait_ms = gate->until_ms - clock_mono_ms ();
        if (wait_ms <= 0) {
            self->gates[i] = self->gates[--self->gate_count];
            continue;
        }
        run_event (self, WIRE_GATE, gate->stage, clock_wall_us () + wait_ms * 1000, gate->reason);
        i++;
    }
    if (self->gate_count)
        stage_after (stage, GATE_REPEAT_MS, repeat_gates, self);
}

void
run_gate (struct collector *self, const char *stage, int64_t wait_ms, const char *reason)
{
    int64_t until_ms = clock_mono_ms () + wait_ms;
    size_t at = 0;
    while (at < self->gate_count && !streq (self->gates[at].stage, stage))
        at++;
    if (at == GATES_MAX)
        return;
    struct gate *gate = &self->gates[at];
    if (at == self->gate_count) {
        self->gate_count++;
        *gate = (struct gate){ 0 };
        snprintf (gate->stage, sizeof gate->stage, "%s", stage);
    }
    if (until_ms > gate->until_ms) {
        gate->until_ms = until_ms;
        snprintf (gate->reason, sizeof gate->reason, "%s", reason);
    }
    repeat_gates (self->stage, self);
}

/* ---- at start ---- */

json_t *
collector_json (struct collector *self, const char *sql, size_t count, const char *const *values)
{
    PGresult *result = db_query (self->db, sql, count, values);
    const char *text = result && PQntuples (result) ? db_text (result, 0, 0) : NULL;
    json_t *json = text ? json_loads (text, JSON_DECODE_ANY, NULL) : NULL;
    PQclear (result);
    return json;
}

static void
load_statistics (struct collector *self)
{
    struct statistics *s = &self->statistics;
    PGresult *r = db_query (self->db,
        "SELECT count (*), count (*) FILTER (WHERE status = 'SUCCESS'), count (*) FILTER (WHERE status = 'FAILED'),"
        " coalesce (sum (\"durationMs\"), 0)::bigint, count (*) FILTER (WHERE status = 'FAILED' AND \"startedAt\" >"
        "  coalesce ((SELECT max (\"startedAt\") FROM \"JobRun\" WHERE status = 'SUCCESS'), '-infinity'))"
        " FROM \"JobRun\" WHERE status <> 'RUNNING'", 0, NULL);
    if (r)
        *s = (struct statistics){ .total = db_int (r, 0, 0), .successful = db_int (r, 0, 1), .failed = db_int (r, 0, 2),
                                  .duration_sum_ms = (double) db_int (r, 0, 3), .consecutive_failures = db_int (r, 0, 4) };
    PQclear (r);
    r = db_query (self->db, "SELECT count (*) FILTER (WHERE outcome = 'ran'), count (*) FILTER (WHERE outcome = 'skipped'),"
                  " count (*) FILTER (WHERE outcome = 'missed') FROM \"Tick\"", 0, NULL);
    if (r) {
        s->ran = db_int (r, 0, 0);
        s->skipped = db_int (r, 0, 1);
        s->missed = db_int (r, 0, 2);
    }
    PQclear (r);
}

static void
load_recent (struct collector *self)
{
    json_t *recent = collector_json (self, "SELECT json_agg (run) FROM (SELECT " SQL_RUN " AS run FROM \"JobRun\""
                                     " WHERE status <> 'RUNNING' ORDER BY \"startedAt\" DESC LIMIT 10) r", 0, NULL);
    json_decref (self->recent);
    self->recent = json_is_array (recent) ? recent : json_array ();
}

static void
begin (struct collector *self, struct uuid id, int64_t started_us, int64_t scheduled_us)
{
    self->run = (struct run){ .open = true, .id = id, .started_us = started_us, .scheduled_us = scheduled_us };
    self->run.started_ms = clock_mono_ms () - (clock_wall_us () - started_us) / 1000;
    uuid_format (&id, self->run.text);
}

/* One run is open at a time: another was interrupted, or its opening was committed unheard. */
#define SQL_INTERRUPT "UPDATE \"JobRun\" SET status = 'FAILED', \"completedAt\" = " DB_NOW ", \"durationMs\" = 0," \
    " \"articlesProcessed\" = 0, \"embeddingsCreated\" = 0, \"errorMessage\" = 'interrupted, a later run was opened'" \
    " WHERE status = 'RUNNING'"

void
run_load (struct collector *self)
{
    struct uuid id;
    if (db_run (self->db, NULL, SQL_INTERRUPT " AND id <> (SELECT id FROM \"JobRun\" WHERE status = 'RUNNING'"
                " ORDER BY \"startedAt\" DESC LIMIT 1)", 0, NULL) < 0)
        log_warn ("old runs could not be closed: %s", db_error (self->db));
    PGresult *open = db_query (self->db, "SELECT id, " DB_US ("\"startedAt\"") " FROM \"JobRun\""
                               " WHERE status = 'RUNNING'", 0, NULL);
    if (open && PQntuples (open) && uuid_parse (db_text (open, 0, 0), &id) == 0) {
        begin (self, id, db_int (open, 0, 1), 0);
        counts_load (self);
        log_info ("adopted the open run=%s", self->run.text);
    }
    PQclear (open);
    self->late = true; /* for all that is known */
    load_statistics (self);
    load_recent (self);
}

/* ---- opening ---- */

static void
record_tick (struct collector *self, int64_t scheduled_us, const char *outcome, const char *run, const char *reason)
{
    char at[CLOCK_TEXT_SIZE];
    int64_t rows = 0;
    if (db_run (self->db, &rows, "INSERT INTO \"Tick\" (\"scheduledAt\", outcome, \"runId\", reason)"
                " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                DB_VALUES (db_time (scheduled_us, at), outcome, run, reason)) < 0)
        log_warn ("a tick could not be written down: %s", db_error (self->db));
    if (rows && streq (outcome, "ran"))
        self->statistics.ran++;
    if (rows && streq (outcome, "skipped"))
        self->statistics.skipped++;
}

static json_t *
answer (const char *outcome, const char *run, const char *reason)
{
    return json_pack ("{s:s, s:s, s:s?}", "outcome", outcome, "run", run, "reason", reason);
}

static void
tell_failure (struct collector *self, const char *message)
{
    struct statistics *s = &self->statistics;
    s->total++;
    s->failed++;
    s->consecutive_failures++;
    self->failed_ms = clock_mono_ms ();
    log_line (LOG_LEVEL_ERROR, "JOB", "❌ Background job failed: %s", message);
    if (s->consecutive_failures == CRITICAL_FAILURES)
        log_line (LOG_LEVEL_ERROR, "JOB", "🚨 CRITICAL: Background job has failed %" PRId64 " times consecutively!",
                  s->consecutive_failures);
}

static void
remember (struct collector *self, json_t *run)
{
    json_array_insert (self->recent, 0, run);
    while (json_array_size (self->recent) > RECENT_RUNS)
        json_array_remove (self->recent, RECENT_RUNS);
}

/* The run failed before it could be written down: kept here until the database is back. */
static json_t *
fail_unrecorded (struct collector *self, int64_t scheduled_us)
{
    char started[CLOCK_TEXT_SIZE], id[UUID_TEXT_SIZE];
    struct uuid uuid = uuid_v7 ();
    char *message = mem_printf ("the database is away: %s", db_error (self->db));
    json_t *run = json_pack ("{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:s, s:I}", "id", uuid_format (&uuid, id),
                             "startedAt", clock_format (clock_wall_us (), started), "completedAt", started,
                             "status", "FAILED", "articlesProcessed", 0, "embeddingsCreated", 0, "durationMs", 0,
                             "errorMessage", message, "scheduled", (json_int_t) scheduled_us);
    tell_failure (self, message);
    if (json_array_size (self->unrecorded) < UNRECORDED_MAX)
        json_array_append (self->unrecorded, run);
    remember (self, run);
    json_decref (run);
    free (message);
    return answer ("failed", id, "the database is away");
}

static void
record_the_unrecorded (struct collector *self)
{
    size_t i;
    json_t *run;
    json_array_foreach (self->unrecorded, i, run) {
        const char *id = json_string_value (json_object_get (run, "id"));
        const char *started = json_string_value (json_object_get (run, "startedAt"));
        const char *message = json_string_value (json_object_get (run, "errorMessage"));
        int64_t scheduled_us = json_integer_value (json_object_get (run, "scheduled"));
        if (db_run (self->db, NULL, "INSERT INTO \"JobRun\" (id, \"startedAt\", \"completedAt\", status,"
                    " \"articlesProcessed\", \"embeddingsCreated\", \"durationMs\", \"errorMessage\")"
                    " VALUES ($1, $2::timestamptz AT TIME ZONE 'UTC', $2::timestamptz AT TIME ZONE 'UTC', 'FAILED', 0, 0, 0, $3)"
                    " ON CONFLICT DO NOTHING", DB_VALUES (id, started, message)) < 0)
            return;
        if (scheduled_us)
            record_tick (self, scheduled_us, "ran", id, message);
    }
    json_array_clear (self->unrecorded);
}

/* Those that are due, or of them this one alone (0: all). One that was read in this run already is read again. 0 or -EIO */
static int
add_sources (struct collector *self, int64_t source)
{
    char only[24];
    snprintf (only, sizeof only, "%" PRId64, source);
    return db_run (self->db, NULL, "INSERT INTO \"RunSource\" AS r (\"runId\", \"sourceId\", place) SELECT $1::uuid, id,"
                   " row_number () OVER (PARTITION BY domain ORDER BY id) FROM \"Source\" WHERE enabled AND \"nextDueAt\" <= " DB_NOW
                   " AND $2::bigint IN (0, id)"
                   " AND NOT EXISTS (SELECT 1 FROM \"Domain\" WHERE name = domain AND \"heldUntil\" > " DB_NOW ")"
                   " ON CONFLICT (\"runId\", \"sourceId\") DO UPDATE SET again = r.state = 'claimed' AND $2::bigint <> 0,"
                   "  state = CASE r.state WHEN 'claimed' THEN r.state ELSE 'due' END",
                   DB_VALUES (self->run.text, only));
}

static int
write_open (struct collector *self)
{
    char started[CLOCK_TEXT_SIZE];
    const char *id = self->run.text;
    db_time (self->run.started_us, started);
    if (FAULT_POINT ("opening") || db_run (self->db, NULL, "BEGIN", 0, NULL) < 0) {
        log_debug ("a run could not be opened: %s", db_error (self->db));
        return -EIO;
    }
    if (db_run (self->db, NULL, SQL_INTERRUPT " AND id <> $1", DB_VALUES (id)) == 0
        && db_run (self->db, NULL, "INSERT INTO \"JobRun\" (id, \"startedAt\", status) VALUES ($1, $2, 'RUNNING')"
                   " ON CONFLICT DO NOTHING", DB_VALUES (id, started)) == 0
        && add_sources (self, self->run.only) == 0
        && db_run (self->db, NULL, "COMMIT", 0, NULL) == 0 && !FAULT_DONE ("opened"))
        return 0;
    db_rollback (self->db);
    log_warn ("a run could not be opened: %s", db_error (self->db));
    return -EIO;
}

/* After CRITICAL_FAILURES in a row ticks are let pass, twice as long with each further failure. A trigger always runs. */
static bool
is_backing_off (struct collector *self)
{
    int64_t more = self->statistics.consecutive_failures - CRITICAL_FAILURES;
    if (more < 0 || !self->failed_ms)
        return false;
    int64_t wait_ms = MIN_OF (BACKOFF_LEAST_MS << MIN_OF (more, INT64_C (10)), BACKOFF_MOST_MS);
    return clock_mono_ms () - self->failed_ms < wait_ms;
}

/* What the last run left under way at its limit was stored since, and counts for it. */
static void
count_again (struct collector *self)
{
    int64_t rows = 0;
    if (!self->late)
        return;
    if (db_run (self->db, &rows, "UPDATE \"JobRun\" r SET \"articlesProcessed\" = c.articles, \"embeddingsCreated\" = c.chunks FROM"
                " (SELECT l.id, count (a.id) AS articles, coalesce (sum (a.\"chunkCount\"), 0) AS chunks FROM (SELECT id, \"createdAt\""
                "   FROM \"JobRun\" WHERE status <> 'RUNNING' ORDER BY \"startedAt\" DESC LIMIT 1) l LEFT JOIN \"Article\" a"
                "  ON a.\"runId\" = l.id AND a.\"createdAt\" >= l.\"createdAt\" - interval '1 minute' GROUP BY l.id) c"
                " WHERE r.id = c.id AND r.\"articlesProcessed\" <> c.articles", 0, NULL) < 0) {
        log_warn ("the last run could not be counted again: %s", db_error (self->db));
        return;
    }
    self->late = false;
    if (rows)
        load_recent (self);
}

/* only: see struct run. The database is there. */
static json_t *
open_new (struct collector *self, int64_t scheduled_us, int64_t only)
{
    ledger_flush (self); /* the last words on the run before */
    count_again (self);
    begin (self, uuid_v7 (), clock_wall_us (), scheduled_us);
    self->run.only = only;
    /* The first to notice that the server was restarted: once more, on a new connection. */
    if (write_open (self) < 0 && (!collector_ready (self) || write_open (self) < 0)) {
        self->run.open = false;
        return fail_unrecorded (self, scheduled_us);
    }
    if (scheduled_us)
        record_tick (self, scheduled_us, "ran", self->run.text, NULL);
    log_line (LOG_LEVEL_INFO, "JOB", "🔄 Background job started");
    log_debug ("run=%s opened", self->run.text);
    run_event (self, WIRE_RUN_OPENED, "", 0, "");
    if (!scheduled_us)
        run_repeat_tick (self);
    return answer ("opened", self->run.text, NULL);
}

/* A run for one source must not cost the others their turn: it becomes one for all. */
static bool
widen (struct collector *self, int64_t scheduled_us)
{
    if (!self->run.open || !self->run.only || add_sources (self, 0) < 0)
        return false;
    self->run.only = 0;
    self->run.scheduled_us = scheduled_us;
    if (scheduled_us)
        record_tick (self, scheduled_us, "ran", self->run.text, NULL);
    return true;
}

json_t *
run_open (struct collector *self, int64_t scheduled_us)
{
    if (!self->active)
        return answer ("standby", "", "another collector is active");
    if (self->run.open && scheduled_us && scheduled_us == self->run.scheduled_us)
        return answer ("opened", self->run.text, NULL);
    if (self->draining)
        return answer ("stopping", self->run.open ? self->run.text : "", "newsmill is stopping");
    if (!collector_ready (self))
        return self->run.open ? answer ("joined", self->run.text, "a run is in progress, and the database is away")
                              : fail_unrecorded (self, scheduled_us);
    record_the_unrecorded (self);
    if (scheduled_us && !self->run.open && is_backing_off (self)) {
        record_tick (self, scheduled_us, "skipped", NULL, "backing off after failures in a row");
        log_line (LOG_LEVEL_INFO, "JOB", "tick skipped, backing off after %" PRId64 " failures in a row",
                  self->statistics.consecutive_failures);
        return answer ("skipped", "", "backing off after failures in a row");
    }
    if (widen (self, scheduled_us))
        return answer (scheduled_us ? "opened" : "joined", self->run.text, NULL);
    if (self->run.open) {
        if (scheduled_us) {
            record_tick (self, scheduled_us, "skipped", self->run.text, "a run was in progress");
            log_line (LOG_LEVEL_INFO, "JOB", "tick skipped, a run is in progress run=%s", self->run.text);
        }
        return answer ("joined", self->run.text, "a run is in progress");
    }
    return open_new (self, scheduled_us, 0);
}

json_t *
run_open_for (struct collector *self, int64_t source)
{
    if (self->draining)
        return status_error ("unavailable", "newsmill is stopping");
    if (!collector_ready (self))
        return status_error ("unavailable", db_error (self->db));
    if (!self->active)
        return status_error ("unavailable", "another collector is active");
    if (!self->run.open && is_backing_off (self)) /* it is due, and read in the next run */
        return status_error ("unavailable", "backing off after failures in a row");
    bool joined = self->run.open;
    json_t *opened = joined ? NULL : open_new (self, 0, source);
    bool failed = joined ? add_sources (self, source) < 0
                         : !streq (json_string_value (json_object_get (opened, "outcome")), "opened");
    json_decref (opened);
    return failed ? status_error ("unavailable", db_error (self->db))
                  : json_pack ("{s:s, s:b}", "run", self->run.text, "joined", joined);
}

/* ---- following and closing ---- */

/* How a run stands, as the ledger knows it. */
struct standing {
    int64_t sources_open, sources_claimed, sources, sources_failed, intake, stored, chunks;
    int64_t waiting; /* for a page, those that are to be tried again too; read with what is stored */
    bool leased, due; /* whether there are any */
    bool slow;       /* pages to be fetched now, or articles that workers died with, which go one at a time */
    bool paused;     /* the day's budget is spent */
    bool gated;      /* a provider wants no calls */
    char source_error[REASON_SIZE];
};

/* Asked after each group of results, whatever the backlog: nothing is counted, and the orders have an index give the
 * first of each. */
static int
read_standing (struct collector *self, struct standing *ret)
{
    PGresult *r = db_query (self->db,
        "SELECT count (*) FILTER (WHERE state IN ('due', 'claimed')), count (*) FILTER (WHERE state <> 'due'), count (*),"
        " count (*) FILTER (WHERE state = 'failed'), coalesce (sum (intake), 0),"
        " (SELECT id FROM \"ArticleWork\" WHERE state = 'leased' ORDER BY \"leaseUntil\" LIMIT 1),"
        " (SELECT id FROM \"ArticleWork\" WHERE state = 'pending' AND \"dueAt\" <= " DB_NOW " AND \"pageAt\" IS NULL"
        "  AND crashes < 2 ORDER BY \"dueAt\", id LIMIT 1),"
        " (SELECT id FROM \"ArticleWork\" WHERE state = 'pending' AND \"dueAt\" <= " DB_NOW " AND \"pageAt\" IS NOT NULL"
        "  ORDER BY \"pageAt\" LIMIT 1),"
        " (SELECT id FROM \"ArticleWork\" WHERE crashes >= 2 AND state IN ('pending', 'leased') AND state = 'pending'"
        "  AND \"dueAt\" <= " DB_NOW " LIMIT 1),"
        " max (error) FROM \"RunSource\" WHERE \"runId\" = $1", DB_VALUES (self->run.text));
    if (!r)
        return -EIO;
    *ret = (struct standing){
        .sources_open = db_int (r, 0, 0), .sources_claimed = db_int (r, 0, 1), .sources = db_int (r, 0, 2),
        .sources_failed = db_int (r, 0, 3), .intake = db_int (r, 0, 4), .leased = db_text (r, 0, 5) != NULL,
        .due = db_text (r, 0, 6) != NULL, .slow = db_text (r, 0, 7) || db_text (r, 0, 8),
    };
    if (db_text (r, 0, 9))
        snprintf (ret->source_error, sizeof ret->source_error, "%s", db_text (r, 0, 9));
    PQclear (r);
    return 0;
}

/* Counted again from the stored articles, so that a restart of any process leaves the figures right. By the database's clock
 * on both sides: ours may be wrong. */
static int
read_stored (struct collector *self, struct standing *standing)
{
    PGresult *r = db_query (self->db, "SELECT count (*), coalesce (sum (\"chunkCount\"), 0),"
                            " (SELECT count (*) FROM \"ArticleWork\" WHERE \"pageAt\" IS NOT NULL) FROM \"Article\""
                            " WHERE \"runId\" = $1 AND \"createdAt\" >= " SQL_RUN_BEGIN,
                            DB_VALUES (self->run.text));
    if (!r)
        return -EIO;
    standing->stored = db_int (r, 0, 0);
    standing->chunks = db_int (r, 0, 1);
    standing->waiting = db_int (r, 0, 2);
    standing->gated = self->gate_count > 0;
    PQclear (r);
    return 0;
}

/* Why the run failed, or an empty text. */
static void
judge (const struct run *run, const struct standing *s, bool late, char *out, size_t size)
{
    *out = '\0';
    if (*run->refused)
        snprintf (out, size, "the model refused: %s", run->refused);
    else if (!run->only && s->sources && s->sources_failed == s->sources)
        snprintf (out, size, "no source could be read (%" PRId64 " tried), as: %s", s->sources, s->source_error);
    else if (run->database_lost_ms)
        snprintf (out, size, "the database was away for %" PRId64 " ms during the run", run->database_lost_ms);
    else if (s->intake > s->waiting && !s->stored && !s->paused)
        snprintf (out, size, "%" PRId64 " new articles were found and none could be stored%s%s%s", s->intake,
                  late ? " within the time limit" : "", *run->fault ? ": " : "", run->fault);
    else if (s->gated && run->transient && !s->stored)
        snprintf (out, size, "no article could be stored: %s", run->fault);
}

static void
close_run (struct collector *self, struct standing *standing, bool late)
{
    char error[REASON_SIZE + 256], completed[CLOCK_TEXT_SIZE], stored[24], chunks[24], duration[24];
    if (FAULT_POINT ("closing") || read_stored (self, standing) < 0)
        return;
    int64_t now_us = clock_wall_us (), duration_ms = clock_mono_ms () - self->run.started_ms;
    judge (&self->run, standing, late, error, sizeof error);
    error[utf8_valid_bytes (error, strlen (error))] = '\0'; /* it was cut to fit */
    snprintf (stored, sizeof stored, "%" PRId64, standing->stored);
    snprintf (chunks, sizeof chunks, "%" PRId64, standing->chunks);
    snprintf (duration, sizeof duration, "%" PRId64, duration_ms);
    json_t *row = collector_json (self, "UPDATE \"JobRun\" SET status = $2, \"completedAt\" = $3, \"articlesProcessed\" = $4,"
                                  " \"embeddingsCreated\" = $5, \"durationMs\" = $6, \"errorMessage\" = $7 WHERE id = $1"
                                  " RETURNING " SQL_RUN,
                                  DB_VALUES (self->run.text, *error ? "FAILED" : "SUCCESS", db_time (now_us, completed),
                                             stored, chunks, duration, *error ? error : NULL));
    if (FAULT_DONE ("closed")) {
        json_decref (row);
        row = NULL;
    }
    if (!row) {
        log_warn ("the run could not be closed yet: %s", db_error (self->db));
        return;
    }
    if (db_run (self->db, NULL, "DELETE FROM \"RunSource\" WHERE state = 'unchanged' AND \"runId\" <> $1",
                DB_VALUES (self->run.text)) < 0)
        log_warn ("old source records could not be removed: %s", db_error (self->db));
    HISTORY ("closed run=%s articles=%s chunks=%s", self->run.text, stored, chunks);
    remember (self, row);
    json_decref (row);
    self->statistics.duration_sum_ms += (double) duration_ms;
    if (*error)
        tell_failure (self, error);
    else {
        self->statistics.total++;
        self->statistics.successful++;
        if (self->statistics.consecutive_failures >= CRITICAL_FAILURES)
            log_line (LOG_LEVEL_INFO, "JOB", "recovered after %" PRId64 " failures", self->statistics.consecutive_failures);
        self->statistics.consecutive_failures = 0;
        log_line (LOG_LEVEL_INFO, "JOB", "✅ Background job completed: %s articles, %s embeddings in %sms", stored, chunks,
                  duration);
    }
    self->run.open = false;
    self->late = late;
    run_event (self, WIRE_RUN_CLOSED, "", 0, error);
    ledger_check (self);
}

/* Out of time. What this run leased is under way, and the next one waits for it: dispatched once more it would be summarised
 * twice. What had a whole run's time goes back; and everything when all who could have it leave, too. */
static void
hand_back (struct collector *self)
{
    int64_t rows = 0;
    if (self->draining && workers_stay (self))
        return; /* the next collector goes on where this one was */
    const char *except = self->draining ? NULL : self->run.text;
    if (db_run (self->db, &rows, "UPDATE \"ArticleWork\" SET state = 'pending', \"leaseUntil\" = NULL, reserved = NULL"
                " WHERE state = 'leased' AND \"runId\" IS DISTINCT FROM $1::uuid", DB_VALUES (except)) < 0)
        log_warn ("leases could not be handed back: %s", db_error (self->db));
    else if (rows)
        log_info ("leases handed back count=%" PRId64, rows);
}

void
run_follow (struct collector *self)
{
    struct run *run = &self->run;
    int64_t now = clock_mono_ms ();
    struct standing standing;
    if (!run->open)
        return;
    if (!collector_ready (self) || read_standing (self, &standing) < 0) {
        if (!run->database_away_ms)
            run->database_away_ms = now;
        return;
    }
    if (run->database_away_ms) {
        run->database_lost_ms += MAX_OF (now - run->database_away_ms, INT64_C (1));
        run->database_away_ms = 0;
    }
    budget_look (self);
    standing.paused = self->budget.paused;
    standing.due &= !standing.paused;
    run->confirmed |= standing.sources_claimed > 0 || standing.sources == 0;
    bool late = now - run->started_ms > stage_settings (self->stage)->run_time_limit * 1000
                || (self->draining && now > self->drain_until_ms);
    bool read = standing.sources_open == 0 && !standing.leased, done = read && !standing.due;
    if (done && !run->slow_ms)
        run->slow_ms = now;
    bool waited = !standing.slow || now - run->slow_ms > SLOW_MS;
    bool over = (done && waited) || (read && *run->refused);
    if (late && !over)
        hand_back (self);
    if (over || late) {
        ledger_flush (self);
        close_run (self, &standing, late);
    }
}
