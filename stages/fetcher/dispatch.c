/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/budget.h"

#define ROWS_PER_TURN 128
#define BACKLOG_FULL 64       /* waiting for the broker: nothing more is leased until it takes them */
/* Workers that died with it in hand: from here on it shares no call, and of all such one at a time is under way. So whoever dies
 * next tells which of them it was; those that were only beside it are soon done. */
#define CRASHES_ALONE "2"

/* A twin waits while the article of the same text is on its way to a summary, and then takes that one. Scalar subqueries, an array
 * and a bounded count: a plan that joins or counts the whole table, made while that was small, would be kept while it grows. */
#define SQL_TWIN_OF(w) "\"ArticleWork\" o WHERE o.id = " w ".\"twinOf\""
#define SQL_READY(w) \
    w ".state = 'pending' AND " w ".\"dueAt\" <= " DB_NOW " AND " w ".\"pageAt\" IS NULL" \
    " AND (" w ".\"twinOf\" IS NULL OR NOT coalesce ((SELECT o.summary IS NULL AND (o.state = 'leased'" \
    " OR (o.state = 'pending' AND o.\"dueAt\" <= " DB_NOW ")) FROM " SQL_TWIN_OF (w) "), FALSE))"
/* Of those that workers died with the one that is under way, or else the one whose turn it is. */
#define SQL_SUSPECT \
    "(SELECT s.id FROM \"ArticleWork\" s WHERE s.crashes >= " CRASHES_ALONE " AND s.state IN ('pending', 'leased')" \
    " AND (s.state = 'leased' OR (" SQL_READY ("s") ")) ORDER BY s.state = 'leased' DESC, s.id LIMIT 1)"
#define NEED(summary, bytes) BUDGET_NEED (summary, bytes, "$6", "$7", "$8")
static const char lease_sql[] =
    "UPDATE \"ArticleWork\" w SET state = 'leased', \"runId\" = $1, dispatches = dispatches + 1,"
    " \"leaseUntil\" = " DB_NOW " + $3::int * interval '1 second', reserved = " NEED ("w.summary", "octet_length (w.content)") ","
    " summary = coalesce (summary, (SELECT o.summary FROM " SQL_TWIN_OF ("w") "),"
    "  (SELECT a.summary FROM \"Article\" a WHERE a.id = w.\"twinOf\")),"
    " \"summaryModel\" = coalesce (\"summaryModel\", (SELECT o.\"summaryModel\" FROM " SQL_TWIN_OF ("w") "),"
    "  (SELECT a.\"summaryModel\" FROM \"Article\" a WHERE a.id = w.\"twinOf\"))"
    " WHERE id = ANY (ARRAY (SELECT id FROM ("
    "  SELECT id, sum (" NEED ("summary", "bytes") ") OVER (ORDER BY \"dueAt\", id) AS needed FROM ("
    "   SELECT id, \"dueAt\", summary, octet_length (content) AS bytes FROM \"ArticleWork\" w"
    "   WHERE " SQL_READY ("w")
    "   AND (crashes < " CRASHES_ALONE " OR id = " SQL_SUSPECT ")"
    "   AND EXISTS (SELECT 1 FROM \"JobRun\" WHERE id = $1 AND status = 'RUNNING')"
    "   ORDER BY \"dueAt\", id LIMIT least ($4::bigint, $2::bigint - (SELECT count (*) FROM (SELECT 1 FROM \"ArticleWork\""
    "    WHERE state = 'leased' ORDER BY \"leaseUntil\" LIMIT $2::bigint) l)) FOR UPDATE SKIP LOCKED) q) p"
    "  WHERE needed <= $5::float8))"
    " RETURNING w.id, source, url, title, author, " DB_US ("\"publishedAt\"") ", content, w.summary,"
    " \"summaryModel\", dispatches, crashes >= " CRASHES_ALONE;

static struct wire_bytes
field (const PGresult *rows, int row, int column)
{
    return (struct wire_bytes){ PQgetvalue (rows, row, column), (size_t) PQgetlength (rows, row, column) };
}

static void
bury (struct fetcher *self, const char *id, const char *reason)
{
    if (db_run (self->db, NULL, "UPDATE \"ArticleWork\" SET state = 'dead', reason = $2, \"leaseUntil\" = NULL WHERE id = $1",
                DB_VALUES (id, reason)) < 0)
        log_warn ("article=%s cannot be sent and not be marked: %s", id, db_error (self->db));
}

static void
send_row (struct fetcher *self, const PGresult *rows, int row)
{
    struct wire_article wire = {
        .header = { .run = self->run_id, .article = (uint64_t) db_int (rows, row, 0),
                    .attempt = (uint32_t) db_int (rows, row, 9) },
        .flags = *db_text (rows, row, 10) == 't' ? WIRE_ALONE : 0,
        .published_us = db_int (rows, row, 5),
        .source = field (rows, row, 1),
        .url = field (rows, row, 2),
        .title = field (rows, row, 3),
        .author = field (rows, row, 4),
        .content = field (rows, row, 6),
        .summary = field (rows, row, 7),
        .summary_model = field (rows, row, 8),
    };
    wire.header.deadline_us = clock_wall_us () + stage_settings (self->stage)->run_time_limit * US_PER_S;
    HISTORY ("dispatched article=%" PRIu64 " attempt=%u", wire.header.article, wire.header.attempt);
    int r = stage_dispatch (self->stage, &wire);
    if (r < 0)
        bury (self, db_text (rows, row, 0), r == -EMSGSIZE ? "too large for a message" : "a field is past its limit");
    self->dispatched++;
}

/* *ret_rows: articles that are leased now, within what is left of a budget. 0; -EAGAIN: later; -EIO. */
static int
lease (struct fetcher *self, PGresult **ret_rows)
{
    const struct settings *s = stage_settings (self->stage);
    struct budget budget = BUDGET_NONE;
    struct budget_values values;
    char window[24], lease[24], most[24];
    bool capped = budget_is_set (self);
    int r = FAULT_POINT ("leasing") ? -EIO : capped ? budget_begin (self, &budget) : 0;
    if (r < 0)
        return r;
    /* Until the first calls have told what a token costs, no more than these are under way. */
    int64_t batch = MIN_OF (s->summarizer_batch, (int64_t) ROWS_PER_TURN);
    snprintf (window, sizeof window, "%" PRId64, budget.priced ? s->fetcher_window : batch);
    snprintf (most, sizeof most, "%" PRId64, budget.priced ? ROWS_PER_TURN : batch);
    snprintf (lease, sizeof lease, "%" PRId64, s->delivery_lease);
    budget_values (self, &budget, &values);
    PGresult *rows = db_query (self->db, lease_sql, DB_VALUES (self->run, window, lease, most, values.room, values.summary_price,
                                                               values.embedding_price, values.max_input));
    bool kept = rows && (!capped || db_run (self->db, NULL, "COMMIT", 0, NULL) == 0);
    if (!kept || FAULT_DONE ("leased")) {
        if (capped)
            db_rollback (self->db);
        PQclear (rows);
        return -EIO;
    }
    if (capped)
        budget_end (self, &budget, PQntuples (rows));
    *ret_rows = rows;
    return 0;
}

void
dispatch_turn (struct fetcher *self)
{
    if (!self->active || clock_mono_ms () < self->halted_until_ms || stage_is_stopping (self->stage)
        || stage_backlog (self->stage) >= BACKLOG_FULL || !db_ready (self->db))
        return;
    int count;
    do {
        PGresult *rows;
        int r = lease (self, &rows);
        if (r == -EIO)
            log_warn ("nothing could be dispatched: %s", db_error (self->db));
        if (r < 0)
            return;
        count = PQntuples (rows);
        for (int i = 0; i < count; i++)
            send_row (self, rows, i);
        PQclear (rows);
    } while (count == ROWS_PER_TURN && stage_backlog (self->stage) < BACKLOG_FULL);
}

/* What ran out twice must not stand before all others again and again. */
void
dispatch_release_expired (struct fetcher *self)
{
    int64_t rows = 0;
    if (db_run (self->db, &rows, "UPDATE \"ArticleWork\" SET state = 'pending', \"leaseUntil\" = NULL, reserved = NULL,"
                " \"dueAt\" = CASE WHEN dispatches > 2 THEN " DB_NOW " ELSE \"dueAt\" END, reason = 'its lease ran out'"
                " WHERE id IN (SELECT id FROM \"ArticleWork\" WHERE state = 'leased' AND \"leaseUntil\" < " DB_NOW " FOR UPDATE SKIP LOCKED)", 0, NULL) < 0)
        log_warn ("expired leases could not be released: %s", db_error (self->db));
    else if (rows)
        log_warn ("leases ran out, dispatching again count=%" PRId64, rows);
}
