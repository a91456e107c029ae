/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define DAY_US (INT64_C (86400) * US_PER_S)

static struct stage_count *
stage_of (struct counts *counts, const struct wire_bytes *stage)
{
    for (size_t i = 0; i < counts->count; i++)
        if (wire_text_is (stage, counts->stages[i].name))
            return &counts->stages[i];
    if (counts->count < STAGE_COUNTS_MAX)
        counts->count++;
    struct stage_count *count = &counts->stages[counts->count - 1];
    snprintf (count->name, sizeof count->name, "%.*s", (int) stage->size, stage->data);
    return count;
}

static void
add (struct counts *counts, const struct wire_result *result)
{
    struct stage_count *stage = stage_of (counts, &result->stage);
    stage->done += result->outcome == WIRE_DONE;
    stage->failed += result->outcome == WIRE_FAILED;
    stage->returned += result->outcome == WIRE_RETURNED;
    stage->busy_ms += result->duration_ms;
    stage->calls += result->calls;
    stage->tokens_in += (int64_t) result->tokens_in;
    stage->tokens_out += (int64_t) result->tokens_out;
    stage->unpriced += result->tokens_in + result->tokens_out && !result->priced && result->cost == 0;
    stage->cost += result->cost;
}

void
counts_add (struct collector *self, const struct wire_result *result)
{
    int64_t day = clock_wall_us () / DAY_US;
    if (day > self->day) { /* a clock that steps back adds to the day that was begun */
        counts_write (self);
        self->day = day;
        self->today = (struct counts){ 0 };
    }
    if (result->outcome == WIRE_SPENT)
        add (&self->today, result);
    if (*self->run.text && uuid_equal (&result->header.run, &self->run.id))
        add (&self->run.counts, result);
    self->counts_changed = true;
}

/* ---- in the database ---- */

static json_t *
rows_of (const struct counts *counts)
{
    json_t *rows = json_array ();
    for (size_t i = 0; i < counts->count; i++) {
        const struct stage_count *c = &counts->stages[i];
        json_array_append_new (rows, json_pack (
            "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I}", "stage", c->name, "done", (json_int_t) c->done,
            "failed", (json_int_t) c->failed, "returned", (json_int_t) c->returned, "calls", (json_int_t) c->calls,
            "tokensIn", (json_int_t) c->tokens_in, "tokensOut", (json_int_t) c->tokens_out, "cost", c->cost,
            "busyMs", (json_int_t) c->busy_ms, "unpriced", (json_int_t) c->unpriced));
    }
    return rows;
}

static const char *
day_text (const struct collector *self, char out[CLOCK_TEXT_SIZE])
{
    return db_time (self->day * DAY_US, out);
}

/* Totals, so that writing them twice does no harm. */
static const char write_sql[] =
    "WITH day AS (INSERT INTO \"Spend\" SELECT $3::timestamp::date, s.* FROM json_to_recordset ($4::json) AS s"
    "  (stage text, calls bigint, \"tokensIn\" bigint, \"tokensOut\" bigint, cost float8, unpriced bigint)"
    "  ON CONFLICT (day, stage) DO UPDATE SET calls = EXCLUDED.calls, \"tokensIn\" = EXCLUDED.\"tokensIn\","
    "  \"tokensOut\" = EXCLUDED.\"tokensOut\", cost = EXCLUDED.cost, unpriced = EXCLUDED.unpriced)"
    " INSERT INTO \"RunStage\" SELECT $1::uuid, r.* FROM json_to_recordset ($2::json) AS r"
    " (stage text, done int, failed int, returned int, calls int, \"tokensIn\" bigint, \"tokensOut\" bigint,"
    " cost float8, \"busyMs\" bigint) ON CONFLICT (\"runId\", stage) DO UPDATE SET done = EXCLUDED.done,"
    " failed = EXCLUDED.failed, returned = EXCLUDED.returned, calls = EXCLUDED.calls,"
    " \"tokensIn\" = EXCLUDED.\"tokensIn\", \"tokensOut\" = EXCLUDED.\"tokensOut\", cost = EXCLUDED.cost,"
    " \"busyMs\" = EXCLUDED.\"busyMs\"";

static void
write_settled (struct collector *self)
{
    struct buf *settled = &self->budget.settled;
    if (!settled->len)
        return;
    char *ids = mem_printf ("{%s}", settled->data);
    if (db_run (self->db, NULL, "UPDATE \"ArticleWork\" SET reserved = NULL WHERE id = ANY ($1::bigint[])", DB_VALUES (ids)) == 0)
        buf_clear (settled);
    else
        log_warn ("reservations could not be ended: %s", db_error (self->db));
    free (ids);
}

void
counts_write (struct collector *self)
{
    if (!self->counts_changed)
        return;
    self->counts_changed = false;
    char day[CLOCK_TEXT_SIZE];
    json_t *run = rows_of (&self->run.counts), *today = rows_of (&self->today);
    char *run_text = json_dumps (run, JSON_COMPACT), *today_text = json_dumps (today, JSON_COMPACT);
    if (db_run (self->db, NULL, write_sql, DB_VALUES (*self->run.text ? self->run.text : NULL, run_text, day_text (self, day),
                                                      today_text)) < 0) {
        log_warn ("the figures of the stages could not be written: %s", db_error (self->db));
        self->counts_changed = true;
    } else
        write_settled (self);
    free (run_text);
    free (today_text);
    json_decref (run);
    json_decref (today);
}

static void
load (struct collector *self, struct counts *counts, const char *sql, const char *key)
{
    *counts = (struct counts){ 0 };
    PGresult *r = db_query (self->db, sql, DB_VALUES (key));
    if (!r)
        log_warn ("the figures of the stages could not be read: %s", db_error (self->db));
    for (int i = 0; r && i < PQntuples (r); i++) {
        struct wire_bytes name = wire_text (db_text (r, i, 0));
        struct stage_count *c = stage_of (counts, &name);
        c->calls = db_int (r, i, 1);
        c->tokens_in = db_int (r, i, 2);
        c->tokens_out = db_int (r, i, 3);
        c->cost = strtod (db_text (r, i, 4), NULL);
        c->unpriced = db_int (r, i, 5);
        c->done = db_int (r, i, 6);
        c->failed = db_int (r, i, 7);
        c->returned = db_int (r, i, 8);
        c->busy_ms = db_int (r, i, 9);
    }
    PQclear (r);
}

void
counts_load (struct collector *self)
{
    char day[CLOCK_TEXT_SIZE];
    self->day = clock_wall_us () / DAY_US;
    load (self, &self->today, "SELECT stage, calls, \"tokensIn\", \"tokensOut\", cost, unpriced, 0, 0, 0, 0 FROM \"Spend\""
          " WHERE day = $1::timestamp::date", day_text (self, day));
    if (self->run.open)
        load (self, &self->run.counts, "SELECT stage, calls, \"tokensIn\", \"tokensOut\", cost, 0, done, failed, returned,"
              " \"busyMs\" FROM \"RunStage\" WHERE \"runId\" = $1", self->run.text);
    self->counts_changed = false;
}

/* ---- the budget of the day ---- */

void
budget_settle (struct collector *self, uint64_t article)
{
    if (*stage_settings (self->stage)->model_daily_budget)
        buf_printf (&self->budget.settled, "%s%" PRIu64, self->budget.settled.len ? "," : "", article);
}

/* Those whose settling a collector that died took with it. */
void
budget_sweep (struct collector *self)
{
    if (*stage_settings (self->stage)->model_daily_budget
        && db_run (self->db, NULL, "UPDATE \"ArticleWork\" w SET reserved = NULL WHERE reserved > 0 AND state <> 'leased'"
                   " AND NOT EXISTS (SELECT 1 FROM \"Article\" a WHERE a.id = w.id AND a.\"createdAt\" > " DB_NOW
                   " - interval '1 minute')", 0, NULL) < 0)
        log_warn ("reservations could not be ended: %s", db_error (self->db));
}

void
budget_look (struct collector *self)
{
    struct conf_budget budget;
    if (conf_parse_budget (stage_settings (self->stage)->model_daily_budget, &budget) < 0 || budget.limit == 0)
        return;
    double spent = 0;
    for (size_t i = 0; i < self->today.count; i++) {
        const struct stage_count *c = &self->today.stages[i];
        spent += streq (budget.unit, CONF_USD) ? c->cost : (double) (c->tokens_in + c->tokens_out);
    }
    PGresult *r = db_query (self->db, "SELECT \"pausedUntil\" > " DB_NOW ", " SQL_TIME ("\"pausedUntil\"") ", reason"
                            " FROM \"Budget\"", 0, NULL);
    if (!r || !PQntuples (r)) {
        PQclear (r);
        return;
    }
    const char *paused = db_text (r, 0, 0);
    self->budget.paused = paused && *paused == 't';
    json_decref (self->budget.document);
    self->budget.document = json_pack ("{s:f, s:s, s:f, s:b, s:s?, s:s?}", "limit", budget.limit, "unit", budget.unit,
                                       "spent", spent, "paused", self->budget.paused,
                                       "pausedUntil", self->budget.paused ? db_text (r, 0, 1) : NULL,
                                       "reason", self->budget.paused ? db_text (r, 0, 2) : NULL);
    PQclear (r);
}
