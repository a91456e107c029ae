/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

static struct stage_count *
stage_of (struct counts *counts, const struct wire_bytes *stage)
{
    for (size_t i = 0; i < counts->count; i++)
        if (wire_text_is (stage, counts->stages[i].name))
            return &counts->stages[i];
    if (counts->count < STAGE_COUNTS_MAX)
        counts->stages[counts->count++] = (struct stage_count){ 0 };
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
    if (result->outcome == WIRE_SPENT)
        add (&self->unbooked, result);
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

/* The run's figures are totals, the day's are added to what is there: the booking's number, once it is in, keeps them from
 * being added twice. What day it is the database says, as it does to those who ask what was spent. */
static const char write_sql[] =
    "WITH booking AS (INSERT INTO \"Setting\" AS b VALUES ('booking', $3::text) ON CONFLICT (name) DO UPDATE SET value = $3::text"
    "  WHERE b.value <> $3::text RETURNING 1),"
    " day AS (INSERT INTO \"Spend\" AS s SELECT (" DB_NOW ")::date, d.* FROM booking, json_to_recordset ($4::json) AS d"
    "  (stage text, calls bigint, \"tokensIn\" bigint, \"tokensOut\" bigint, cost float8, unpriced bigint)"
    "  ON CONFLICT (day, stage) DO UPDATE SET calls = s.calls + EXCLUDED.calls,"
    "  \"tokensIn\" = s.\"tokensIn\" + EXCLUDED.\"tokensIn\", \"tokensOut\" = s.\"tokensOut\" + EXCLUDED.\"tokensOut\","
    "  cost = s.cost + EXCLUDED.cost, unpriced = s.unpriced + EXCLUDED.unpriced)"
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
    char number[24];
    if (!self->booking.count) {
        self->booking = self->unbooked;
        self->unbooked.count = 0;
        self->booking_number = num_random ();
    }
    snprintf (number, sizeof number, "%" PRIu64, self->booking_number);
    json_t *run = rows_of (&self->run.counts), *day = rows_of (&self->booking);
    char *run_text = json_dumps (run, JSON_COMPACT), *day_text = json_dumps (day, JSON_COMPACT);
    const char *id = *self->run.text ? self->run.text : NULL;
    if (db_run (self->db, NULL, write_sql, DB_VALUES (id, run_text, number, day_text)) < 0)
        log_warn ("the figures of the stages could not be written: %s", db_error (self->db));
    else {
        self->booking.count = 0;
        self->counts_changed = self->unbooked.count > 0;
        if (self->counts_changed)
            collector_flush_soon (self);
        else
            write_settled (self);
    }
    free (run_text);
    free (day_text);
    json_decref (run);
    json_decref (day);
}

void
counts_load (struct collector *self)
{
    PGresult *r = db_query (self->db, "SELECT stage, calls, \"tokensIn\", \"tokensOut\", cost, done, failed, returned, \"busyMs\""
                            " FROM \"RunStage\" WHERE \"runId\" = $1", DB_VALUES (self->run.text));
    if (!r)
        log_warn ("the figures of the stages could not be read: %s", db_error (self->db));
    for (int i = 0; r && i < PQntuples (r); i++) {
        struct wire_bytes name = wire_text (db_text (r, i, 0));
        struct stage_count *c = stage_of (&self->run.counts, &name);
        c->calls = db_int (r, i, 1);
        c->tokens_in = db_int (r, i, 2);
        c->tokens_out = db_int (r, i, 3);
        c->cost = strtod (db_text (r, i, 4), NULL);
        c->done = db_int (r, i, 5);
        c->failed = db_int (r, i, 6);
        c->returned = db_int (r, i, 7);
        c->busy_ms = db_int (r, i, 8);
    }
    PQclear (r);
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
    PGresult *r = db_query (self->db, "SELECT \"pausedUntil\" > " DB_NOW ", " SQL_TIME ("\"pausedUntil\"") ", reason,"
                            " (SELECT coalesce (sum (CASE WHEN $1 THEN cost ELSE \"tokensIn\" + \"tokensOut\" END), 0)"
                            "  FROM \"Spend\" WHERE day = (" DB_NOW ")::date) FROM \"Budget\"",
                            DB_VALUES (streq (budget.unit, CONF_USD) ? "true" : "false"));
    if (!r || !PQntuples (r)) {
        PQclear (r);
        return;
    }
    const char *paused = db_text (r, 0, 0);
    self->budget.paused = paused && *paused == 't';
    json_decref (self->budget.document);
    self->budget.document = json_pack ("{s:f, s:s, s:f, s:b, s:s?, s:s?}", "limit", budget.limit, "unit", budget.unit,
                                       "spent", strtod (db_text (r, 0, 3), NULL), "paused", self->budget.paused,
                                       "pausedUntil", self->budget.paused ? db_text (r, 0, 1) : NULL,
                                       "reason", self->budget.paused ? db_text (r, 0, 2) : NULL);
    PQclear (r);
}
