/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define ROWS_PER_TURN 128
#define BACKLOG_FULL 64       /* waiting for the broker: nothing more is leased until it takes them */
#define CRASHES_ALONE 2       /* workers that died with it in hand: from here on it travels alone */

/* A twin waits while the article of the same text is on its way to a summary, and then takes that one. Scalar
 * subqueries, an array and a bounded count: a plan that joins or counts the whole table, made while that was small,
 * would be kept while it grows. */
#define SQL_TWIN_OF_W "\"ArticleWork\" o WHERE o.id = w.\"twinOf\""
static const char lease_sql[] =
    "UPDATE \"ArticleWork\" w SET state = 'leased', \"runId\" = $1, dispatches = dispatches + 1,"
    " \"leaseUntil\" = " DB_NOW " + $3::int * interval '1 second',"
    " summary = coalesce (summary, (SELECT o.summary FROM " SQL_TWIN_OF_W "),"
    "  (SELECT a.summary FROM \"Article\" a WHERE a.id = w.\"twinOf\")),"
    " \"summaryModel\" = coalesce (\"summaryModel\", (SELECT o.\"summaryModel\" FROM " SQL_TWIN_OF_W "),"
    "  (SELECT a.\"summaryModel\" FROM \"Article\" a WHERE a.id = w.\"twinOf\"))"
    " WHERE id = ANY (ARRAY (SELECT id FROM \"ArticleWork\" w"
    "  WHERE state = 'pending' AND \"dueAt\" <= " DB_NOW " AND \"pageAt\" IS NULL"
    "  AND (\"twinOf\" IS NULL OR NOT coalesce ((SELECT o.summary IS NULL AND (o.state = 'leased'"
    "   OR (o.state = 'pending' AND o.\"dueAt\" <= " DB_NOW ")) FROM " SQL_TWIN_OF_W "), FALSE))"
    "  AND EXISTS (SELECT 1 FROM \"JobRun\" WHERE id = $1 AND status = 'RUNNING')"
    "  ORDER BY \"dueAt\", id LIMIT least ($4::bigint, $2::bigint - (SELECT count (*) FROM"
    "   (SELECT 1 FROM \"ArticleWork\" WHERE state = 'leased' ORDER BY \"leaseUntil\" LIMIT $2::bigint) l))"
    "  FOR UPDATE SKIP LOCKED))"
    " RETURNING w.id, source, url, title, author, " DB_US ("\"publishedAt\"") ", content, w.summary,"
    " \"summaryModel\", dispatches, crashes";

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
        .flags = db_int (rows, row, 10) >= CRASHES_ALONE ? WIRE_ALONE : 0,
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
    int r = stage_dispatch (self->stage, &wire);
    if (r < 0)
        bury (self, db_text (rows, row, 0), r == -EMSGSIZE ? "too large for a message" : "a field is past its limit");
    self->dispatched++;
}

void
dispatch_turn (struct fetcher *self)
{
    const struct settings *s = stage_settings (self->stage);
    char window[24], lease[24], most[24];
    if (!self->active || clock_mono_ms () < self->halted_until_ms || stage_is_stopping (self->stage)
        || stage_backlog (self->stage) >= BACKLOG_FULL || !db_ready (self->db))
        return;
    snprintf (window, sizeof window, "%" PRId64, s->fetcher_window);
    snprintf (lease, sizeof lease, "%" PRId64, s->delivery_lease);
    snprintf (most, sizeof most, "%d", ROWS_PER_TURN);
    int count;
    do {
        if (FAULT_POINT ("leasing"))
            return;
        PGresult *rows = db_query (self->db, lease_sql, DB_VALUES (self->run, window, lease, most));
        if (FAULT_DONE ("leased")) {
            PQclear (rows);
            return;
        }
        if (!rows) {
            log_warn ("nothing could be dispatched: %s", db_error (self->db));
            return;
        }
        count = PQntuples (rows);
        for (int i = 0; i < count; i++)
            send_row (self, rows, i);
        PQclear (rows);
    } while (count == ROWS_PER_TURN && stage_backlog (self->stage) < BACKLOG_FULL);
}

void
dispatch_release_expired (struct fetcher *self)
{
    int64_t rows = 0;
    if (db_run (self->db, &rows, "UPDATE \"ArticleWork\" SET state = 'pending', \"leaseUntil\" = NULL,"
                " reason = 'its lease ran out' WHERE id IN (SELECT id FROM \"ArticleWork\" WHERE state = 'leased'"
                " AND \"leaseUntil\" < " DB_NOW " FOR UPDATE SKIP LOCKED)", 0, NULL) < 0)
        log_warn ("expired leases could not be released: %s", db_error (self->db));
    else if (rows)
        log_warn ("leases ran out, dispatching again count=%" PRId64, rows);
}
