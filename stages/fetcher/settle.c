/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "stages/fetcher/settle.h"
#include "db/array.h"

#define SETTLE_MS 25    /* how long a source waits for others to be written with */
#define SETTLE_MOST 250 /* a statement */

enum column {
    RUN, SOURCE, STATE, STATUS, FAULT, OFF_REASON, WAIT_S, ETAG, LAST_MODIFIED, BODY_HASH, MOVED_TO, BYTES, DURATION_MS,
    COLUMNS
};
static const char settle_sql[] =
    "WITH got AS MATERIALIZED ("
    " SELECT * FROM unnest ($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::text[],"
    "  $9::text[], $10::bigint[], $11::text[], $12::bigint[], $13::bigint[])"
    "  AS g (run, id, state, status, error, off, wait, etag, modified, hash, moved, bytes, duration)"
    "), said AS (SELECT *, NULL AS title, NULL AS format, NULL::int AS hint, NULL::int AS gap, NULL::int AS hours,"
    "  NULL::int AS days FROM got WHERE error IS NULL"
    "), " SETTLE_READ ", failed AS ("
    " UPDATE \"Source\" s SET \"lastFetchAt\" = " DB_NOW ", \"lastStatus\" = got.status, \"lastError\" = got.error,"
    "  failures = failures + 1, \"nextDueAt\" = " DB_NOW " + got.wait * interval '1 second',"
    "  \"movedTo\" = NULL, moves = 0, enabled = enabled AND got.off IS NULL,"
    "  \"disabledReason\" = coalesce (got.off, \"disabledReason\")"
    "  FROM got WHERE s.id = got.id AND got.error IS NOT NULL"
    ") UPDATE \"RunSource\" r SET " SETTLE_STATE ("got.state") ", status = got.status, error = got.error, bytes = r.bytes + got.bytes,"
    "  \"durationMs\" = got.duration FROM got WHERE r.\"runId\" = got.run AND r.\"sourceId\" = got.id";

static void
on_settle_time (struct stage *stage UNUSED, void *arg)
{
    settle_flush (arg);
}

const char *
settle_state (const struct catch *caught)
{
    return caught->error ? "failed" : caught->unchanged ? "unchanged" : "fresh";
}

void
settle_add (struct fetch *fetch, const struct catch *caught)
{
    struct fetcher *self = fetch->fetcher;
    self->settled = mem_grow (self->settled, self->settled_count + 1, sizeof *self->settled);
    struct settled *last = &self->settled[self->settled_count++];
    *last = (struct settled){ .fetch = fetch, .caught = *caught };
    last->caught.error = last->error = mem_dup (caught->error);
    last->caught.etag = last->etag = mem_dup (caught->etag);
    last->caught.last_modified = last->last_modified = mem_dup (caught->last_modified);
    last->caught.moved_to = last->moved_to = mem_dup (caught->moved_to);
    if (self->settled_count == 1)
        stage_after (self->stage, SETTLE_MS, on_settle_time, self);
    if (self->settled_count >= SETTLE_MOST)
        settle_flush (self);
}

static void
put_columns (const struct fetcher *self, struct buf arrays[COLUMNS])
{
    static const bool is_number[COLUMNS] = { [SOURCE] = true, [STATUS] = true, [WAIT_S] = true, [BODY_HASH] = true,
                                             [BYTES] = true, [DURATION_MS] = true };
    for (int c = 0; c < COLUMNS; c++)
        db_array_begin (&arrays[c], c == RUN ? DB_OID_UUID : is_number[c] ? DB_OID_INT8 : DB_OID_TEXT, self->settled_count);
    for (size_t i = 0; i < self->settled_count; i++) {
        const struct fetch *fetch = self->settled[i].fetch;
        const struct catch *caught = &self->settled[i].caught;
        db_array_add (&arrays[RUN], fetch->run_id.bytes, sizeof fetch->run_id.bytes);
        db_array_add_int8 (&arrays[SOURCE], fetch->source_id);
        db_array_add_text (&arrays[STATE], settle_state (caught));
        db_array_add_positive (&arrays[STATUS], caught->status);
        db_array_add_text (&arrays[FAULT], caught->error);
        db_array_add_text (&arrays[OFF_REASON], caught->gone ? caught->error : NULL);
        db_array_add_int8 (&arrays[WAIT_S], caught->wait_s);
        db_array_add_text (&arrays[ETAG], caught->etag);
        db_array_add_text (&arrays[LAST_MODIFIED], caught->last_modified);
        db_array_add_int8 (&arrays[BODY_HASH], caught->body_hash);
        db_array_add_text (&arrays[MOVED_TO], caught->moved_to);
        db_array_add_int8 (&arrays[BYTES], (int64_t) caught->bytes);
        db_array_add_int8 (&arrays[DURATION_MS], caught->duration_ms);
    }
}

void
settle_flush (struct fetcher *self)
{
    struct buf arrays[COLUMNS] = { 0 };
    struct db_value values[COLUMNS];
    if (!self->settled_count)
        return;
    put_columns (self, arrays);
    for (int c = 0; c < COLUMNS; c++)
        values[c] = (struct db_value){ arrays[c].data, arrays[c].len };
    PGresult *result = db_ready (self->db) && !FAULT_POINT ("settling") ? db_query_values (self->db, settle_sql, COLUMNS, values) : NULL;
    if (FAULT_DONE ("settled")) {
        PQclear (result);
        result = NULL;
    }
    if (!result)
        log_warn ("what became of sources was not written, they are fetched again count=%zu: %s", self->settled_count,
                  db_error (self->db));
    for (size_t i = 0; result && i < self->settled_count; i++)
        if (!self->settled[i].caught.error)
            move_look (self->settled[i].fetch, self->settled[i].caught.moved_to);
    PQclear (result);
    for (int c = 0; c < COLUMNS; c++)
        buf_fini (&arrays[c]);
    settle_forget (self);
}

void
settle_forget (struct fetcher *self)
{
    for (size_t i = 0; i < self->settled_count; i++) {
        free (self->settled[i].error);
        free (self->settled[i].etag);
        free (self->settled[i].last_modified);
        free (self->settled[i].moved_to);
        fetch_free (self->settled[i].fetch);
    }
    free (self->settled);
    self->settled = NULL;
    self->settled_count = 0;
}
