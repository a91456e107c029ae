/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define CRASHES_MAX 3        /* quarantine */
#define RETRY_LEAST_S 5      /* doubles with each attempt */

void
ledger_fault (struct collector *self, uint64_t article, uint32_t attempt, const char *kind, const char *reason)
{
    json_array_append_new (self->faults, json_pack ("{s:I, s:I, s:s, s:s}", "id", (json_int_t) article, "attempt",
                                                    (json_int_t) attempt, "kind", kind, "reason", reason));
    self->changed = true;
}

static void
add_checkpoint (struct collector *self, const struct wire_result *result)
{
    json_t *summary = json_stringn (result->summary.data, result->summary.size);
    json_t *model = json_stringn (result->summary_model.data, result->summary_model.size);
    json_array_append_new (self->checkpoints, json_pack ("{s:I, s:o, s:o}", "id", (json_int_t) result->header.article,
                                                         "summary", summary, "model", model));
}

/* The article is stored already: its checkpoint is worth nothing any more. */
static void
drop_checkpoint (struct collector *self, uint64_t article)
{
    for (size_t i = json_array_size (self->checkpoints); i-- > 0;)
        if ((uint64_t) json_integer_value (json_object_get (json_array_get (self->checkpoints, i), "id")) == article) {
            json_array_remove (self->checkpoints, i);
            return;
        }
}

static const char *
fault_kind (const struct wire_result *result)
{
    if (result->outcome == WIRE_RETURNED)
        return "returned";
    switch ((enum wire_class) result->fault) {
    case WIRE_BLAMED:
        return "blamed";
    case WIRE_REFUSED:
        return "refused";
    case WIRE_TRANSIENT:
    case WIRE_NO_FAULT:
        break;
    }
    return "transient";
}

static void
take_failure (struct collector *self, const struct wire_result *result)
{
    char *reason = mem_printf ("%.*s: %.*s", (int) result->stage.size, result->stage.data, (int) result->reason.size,
                               result->reason.data);
    ledger_fault (self, result->header.article, result->header.attempt, fault_kind (result), reason);
    if (result->outcome == WIRE_FAILED && self->run.open) {
        self->run.transient |= result->fault == WIRE_TRANSIENT;
        snprintf (self->run.fault, sizeof self->run.fault, "%s", reason);
    }
    free (reason);
}

/* The provider gate, shared by all workers of the stage, and the breaker. */
static void
take_provider_word (struct collector *self, const struct wire_result *result)
{
    char stage[33], reason[REASON_SIZE];
    snprintf (stage, sizeof stage, "%.*s", (int) result->stage.size, result->stage.data);
    snprintf (reason, sizeof reason, "%.*s", (int) result->reason.size, result->reason.data);
    if (result->retry_after_ms)
        run_gate (self, stage, result->retry_after_ms, reason);
    if (result->fault == WIRE_REFUSED && self->run.open && !*self->run.refused) {
        snprintf (self->run.refused, sizeof self->run.refused, "%s", reason);
        snprintf (self->run.refused_stage, sizeof self->run.refused_stage, "%s", stage);
        log_error ("the model refused the %s, nothing more is dispatched in this run: %s", stage, reason);
        run_event (self, WIRE_BREAKER, stage, 0, reason);
    }
}

void
ledger_result (struct collector *self, const struct wire_result *result)
{
    workers_result (self, result);
    if (result->outcome != WIRE_SPENT)
        HISTORY ("heard article=%" PRIu64 " attempt=%u stage=%.*s outcome=%u", result->header.article, result->header.attempt,
                 (int) result->stage.size, result->stage.data, result->outcome);
    counts_add (self, result);
    switch ((enum wire_outcome) result->outcome) {
    case WIRE_DONE:
        if (result->summary.size && wire_text_is (&result->stage, "summarizer"))
            add_checkpoint (self, result);
        else if (wire_text_is (&result->stage, "writer")) {
            drop_checkpoint (self, result->header.article);
            budget_settle (self, result->header.article);
        }
        break;
    case WIRE_FAILED:
    case WIRE_RETURNED:
        take_failure (self, result);
        break;
    case WIRE_SPENT:
        take_provider_word (self, result);
        break;
    }
    self->changed = true;
}

#define STRING(x) #x
#define NUMBER(x) STRING (x)

/* A result of an older dispatch says nothing about the newer one: attempts must match (0: a heartbeat's, unknown). What is not
 * the article's fault leaves it its place in the queue; one that failed must not stand before all others again and again. */
static const char fault_sql[] =
    "UPDATE \"ArticleWork\" w SET"
    " attempts = attempts + (f.kind = 'blamed')::int,"
    " crashes = crashes + (f.kind = 'crashed')::int,"
    " state = CASE WHEN f.kind = 'blamed' AND attempts + 1 >= $2::int THEN 'dead'"
    "  WHEN f.kind = 'crashed' AND crashes + 1 >= " NUMBER (CRASHES_MAX) " THEN 'dead' ELSE 'pending' END,"
    " \"dueAt\" = CASE WHEN f.kind IN ('returned', 'crashed') THEN \"dueAt\" ELSE " DB_NOW " + " NUMBER (RETRY_LEAST_S)
    "  * CASE f.kind WHEN 'blamed' THEN 2 ^ least (attempts, 10) ELSE 1 END * interval '1 second' END,"
    " \"leaseUntil\" = NULL, reserved = NULL, reason = CASE WHEN f.kind = 'returned' THEN w.reason ELSE f.reason END"
    " FROM (SELECT DISTINCT ON (id) * FROM json_to_recordset ($1::json)"
    "  AS f (id bigint, attempt int, kind text, reason text) ORDER BY id, attempt DESC) f"
    " WHERE w.id = f.id AND w.state = 'leased' AND (f.attempt = 0 OR f.attempt = w.dispatches)";

static bool
write_faults (struct collector *self)
{
    char *text = json_dumps (self->faults, JSON_COMPACT), most[24];
    snprintf (most, sizeof most, "%" PRId64, stage_settings (self->stage)->delivery_max_attempts);
    bool ok = !FAULT_POINT ("writing") && db_run (self->db, NULL, fault_sql, DB_VALUES (text, most)) == 0;
    ok &= !FAULT_DONE ("written");
    if (ok)
        json_array_clear (self->faults);
    else
        log_warn ("results could not be written, they are kept: %s", db_error (self->db));
    free (text);
    return ok;
}

/* A row that the writer has in hand is not waited for: it needs no checkpoint any more. Arrays, as a join may read the
 * whole table. */
static const char checkpoint_sql[] =
    "WITH c AS MATERIALIZED (SELECT * FROM json_to_recordset ($1::json) AS c (id bigint, summary text, model text)),"
    " free AS MATERIALIZED (SELECT id FROM \"ArticleWork\" WHERE id = ANY (ARRAY (SELECT id FROM c)) AND state <> 'done'"
    "  AND summary IS NULL FOR NO KEY UPDATE SKIP LOCKED)"
    " UPDATE \"ArticleWork\" w SET summary = c.summary, \"summaryModel\" = c.model FROM c"
    " WHERE w.id = c.id AND w.id = ANY (ARRAY (SELECT id FROM free)) RETURNING w.id";

/* Others than the writer lock rows too, so what was not written is tried once more. */
static bool
write_checkpoints (struct collector *self)
{
    char *text = json_dumps (self->checkpoints, JSON_COMPACT);
    PGresult *rows = FAULT_POINT ("checkpointing") ? NULL : db_query (self->db, checkpoint_sql, DB_VALUES (text));
    bool ok = rows && !FAULT_DONE ("checkpointed");
    free (text);
    if (ok) {
        for (int i = 0; i < PQntuples (rows); i++)
            drop_checkpoint (self, (uint64_t) db_int (rows, i, 0));
        for (size_t i = json_array_size (self->checkpoints); i-- > 0;) {
            json_t *checkpoint = json_array_get (self->checkpoints, i);
            if (json_object_get (checkpoint, "tried"))
                json_array_remove (self->checkpoints, i);
            else
                json_object_set_new (checkpoint, "tried", json_true ());
        }
        if (json_array_size (self->checkpoints))
            collector_flush_soon (self);
    } else
        log_warn ("summaries could not be kept yet: %s", db_error (self->db));
    PQclear (rows);
    return ok;
}

void
ledger_flush (struct collector *self)
{
    if (!self->active || !collector_ready (self))
        return;
    if (json_array_size (self->checkpoints) && !write_checkpoints (self))
        return;
    counts_write (self);
    if (json_array_size (self->faults) && write_faults (self))
        run_event (self, WIRE_RUN_PROGRESS, "", 0, "");
}

/* With the seconds of a lease, and the milliseconds since it was taken or extended. */
#define LEASE_AGE " + $2::int * interval '1 second' - $3::int * interval '1 millisecond'"

/* What somebody has in hand, and what anybody had since then, as an array of SQL: "{1,2}". */
static void
put_held (const struct collector *self, int64_t since_ms, struct buf *out)
{
    buf_add_char (out, '{');
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        for (size_t i = 0; i < w->held_count; i++)
            buf_printf (out, "%s%" PRIu64, out->len > 1 ? "," : "", w->held[i]);
    for (size_t i = 0; i < self->seen_count; i++)
        if (self->seen[i].at_ms >= since_ms)
            buf_printf (out, "%s%" PRIu64, out->len > 1 ? "," : "", self->seen[i].article);
    buf_add_char (out, '}');
}

/* Between runs too: what a run at its limit left is under way. */
void
ledger_extend (struct collector *self)
{
    struct buf ids = { 0 };
    int64_t lease_s = stage_settings (self->stage)->delivery_lease;
    char lease[24], age[24];
    if (!collector_ready (self))
        return;
    put_held (self, INT64_MAX, &ids);
    snprintf (lease, sizeof lease, "%" PRId64, lease_s);
    snprintf (age, sizeof age, "%" PRId64, lease_s * 250);
    if (ids.len > 2
        && db_run (self->db, NULL, "UPDATE \"ArticleWork\" SET \"leaseUntil\" = " DB_NOW " + $2::int * interval '1 second'"
                   " WHERE id = ANY ($1::bigint[]) AND state = 'leased'"
                   " AND \"leaseUntil\" < " DB_NOW LEASE_AGE, DB_VALUES (ids.data, lease, age)) < 0)
        log_warn ("leases could not be extended: %s", db_error (self->db));
    buf_fini (&ids);
}

void
ledger_release_lost (struct collector *self, int64_t least_ms)
{
    struct buf ids = { 0 };
    char lease[24], least[24];
    int64_t rows = 0;
    if (!self->run.open || !collector_ready (self))
        return;
    put_held (self, clock_mono_ms () - least_ms, &ids);
    snprintf (lease, sizeof lease, "%" PRId64, stage_settings (self->stage)->delivery_lease);
    snprintf (least, sizeof least, "%" PRId64, least_ms);
    if (db_run (self->db, &rows, "UPDATE \"ArticleWork\" SET state = 'pending', \"leaseUntil\" = NULL, reserved = NULL,"
                " \"dueAt\" = CASE WHEN dispatches > 2 THEN " DB_NOW " ELSE \"dueAt\" END, reason = 'lost on its way'"
                " WHERE state = 'leased' AND id <> ALL ($1::bigint[]) AND \"leaseUntil\" < " DB_NOW LEASE_AGE,
                DB_VALUES (ids.data, lease, least)) < 0)
        log_warn ("articles that were lost on their way could not be released: %s", db_error (self->db));
    if (rows) {
        log_warn ("articles were lost on their way, dispatching again count=%" PRId64, rows);
        run_event (self, WIRE_RUN_PROGRESS, "", 0, "");
    }
    buf_fini (&ids);
}

void
ledger_check (struct collector *self)
{
    json_t *check = collector_json (self,
        "SELECT json_build_object ('discovered', l.discovered, 'duplicate', l.duplicate, 'intake', l.intake,"
        " 'skipped', l.skipped, 'dropped', l.dropped, 'done', s.done, 'dead', s.dead, 'pending', s.pending,"
        " 'leased', s.leased, 'ok', l.discovered = l.duplicate + l.intake + l.skipped"
        " AND l.intake = s.done + s.dead + s.pending + s.leased + l.dropped)"
        " FROM \"Ledger\" l, (SELECT count (*) FILTER (WHERE state = 'done') AS done,"
        " count (*) FILTER (WHERE state = 'dead') AS dead, count (*) FILTER (WHERE state = 'pending') AS pending,"
        " count (*) FILTER (WHERE state = 'leased') AS leased FROM \"ArticleWork\") s", 0, NULL);
    if (!check)
        return;
    if (!json_is_true (json_object_get (check, "ok"))) {
        char *text = json_dumps (check, JSON_COMPACT);
        log_error ("conservation is broken: %s", text);
        free (text);
    }
    json_decref (self->conservation);
    self->conservation = check;
}
