/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/writer/store.h"
#include "base/fault.h"
#include "base/history.h"
#include "db/array.h"
#include "db/db.h"
#include "text/language.h"

#define RECONNECT_MS 500

/* It counts for the run that is open, or else for the last one: the one that dispatched it may have reached its limit before. */
static const char *const store_sql =
    "WITH run AS (SELECT coalesce ((SELECT id FROM \"JobRun\" WHERE status = 'RUNNING' LIMIT 1),"
    "  (SELECT id FROM \"JobRun\" ORDER BY \"startedAt\" DESC LIMIT 1), $2) AS id), work AS ("
    " UPDATE \"ArticleWork\" SET state = 'done', content = NULL, summary = NULL, \"summaryModel\" = NULL,"
    "  \"leaseUntil\" = NULL, reason = NULL, \"runId\" = (SELECT id FROM run)"
    " WHERE id = $1 AND state IN ('leased', 'pending')"
    " RETURNING id, \"sourceId\", source, url, title, author, \"publishedAt\", \"storyId\", replaces"
    "), older AS (" /* joined below, so that it is gone before the newer one with its address comes */
    " DELETE FROM \"Article\" a USING work WHERE a.id = work.replaces RETURNING a.id, a.\"storyId\""
    "), article AS ("
    " INSERT INTO \"Article\" (id, url, title, summary, content, source, author, \"publishedAt\", \"sourceId\", \"runId\","
    "  \"chunkCount\", \"summaryModel\", language, \"storyId\")"
    " SELECT work.id, url, title, $3, $4, source, author, \"publishedAt\", \"sourceId\", (SELECT id FROM run),"
    "  cardinality ($7), $5, $9, coalesce (work.\"storyId\", older.\"storyId\", work.id) FROM work LEFT JOIN older ON older.id = replaces"
    " ON CONFLICT (url) DO NOTHING RETURNING id"
    "), chunk AS ("
    " INSERT INTO \"ArticleChunk\" (\"articleId\", index, content, embedding, model)"
    " SELECT article.id, c.n - 1, c.content, c.embedding, $6"
    " FROM article, unnest ($7, $8) WITH ORDINALITY AS c (content, embedding, n)"
    " RETURNING 1) "
    "SELECT (SELECT count (*) FROM chunk), EXISTS (SELECT 1 FROM \"ArticleWork\" WHERE id = $1)";
enum { PARAMETERS = 9 };

struct lane {
    struct store *store;
    struct db *db;
    zlist_t *begun;       /* struct stage_article: sent, not yet answered, in order */
    unsigned vector_oid, vector_array_oid;
    bool open;
    int fd;               /* libpq forgets it when the connection breaks */
};

struct store {
    struct stage *stage;
    store_fn *done;
    void *context;
    size_t lane_count, in_flight;
    zlist_t *waiting;
    size_t begun;
    struct lane lanes[];
};

static void pump (struct store *self);
static void on_readable (struct stage *stage, void *arg);

static bool lane_open (struct lane *lane);

/* Before the first article comes: opening takes longer than storing. */
static void
open_lanes (struct stage *stage UNUSED, void *arg)
{
    struct store *self = arg;
    for (size_t i = 0; i < self->lane_count; i++)
        if (!self->lanes[i].open)
            (void) lane_open (&self->lanes[i]); /* tried again when an article needs it */
}

struct store *
store_new (struct stage *stage, size_t connections, size_t in_flight, store_fn *done, void *context)
{
    struct store *self = mem_alloc (sizeof *self + connections * sizeof self->lanes[0]);
    self->stage = stage;
    self->done = done;
    self->context = context;
    self->lane_count = connections;
    self->in_flight = in_flight;
    self->waiting = zlist_new ();
    for (size_t i = 0; i < connections; i++)
        self->lanes[i] = (struct lane){ .store = self, .begun = zlist_new (),
                                        .db = db_new (stage_settings (stage)->database_url, "writer") };
    stage_after (stage, 0, open_lanes, self);
    return self;
}

void
store_destroy (struct store **ref)
{
    struct store *self = *ref;
    if (!self)
        return;
    for (size_t i = 0; i < self->lane_count; i++) {
        db_destroy (&self->lanes[i].db);
        zlist_destroy (&self->lanes[i].begun);
    }
    zlist_destroy (&self->waiting);
    free (self);
    *ref = NULL;
}

size_t
store_count (const struct store *self)
{
    return zlist_size (self->waiting) + self->begun;
}

/* ---- opening ---- */

static int
prepare (struct lane *lane)
{
    PGresult *oids = db_query (lane->db, "SELECT oid, typarray FROM pg_type WHERE typname = 'vector'", 0, NULL);
    if (!oids)
        return -EIO;
    lane->vector_oid = PQntuples (oids) ? (unsigned) db_int (oids, 0, 0) : 0;
    lane->vector_array_oid = PQntuples (oids) ? (unsigned) db_int (oids, 0, 1) : 0;
    PQclear (oids);
    /* The first raises glibc's trim threshold in the server process for good: an HNSW insert otherwise gives its memory
     * back to the kernel after every row, which costs more than a third of it. */
    if (db_run (lane->db, NULL, "SELECT octet_length (repeat (repeat ('x', 1000), 30000))", 0, NULL) < 0
        || db_run (lane->db, NULL, "SET plan_cache_mode = force_generic_plan", 0, NULL) < 0)
        return -EIO;
    const Oid types[PARAMETERS] = { DB_OID_INT8, 2950, DB_OID_TEXT, DB_OID_TEXT, DB_OID_TEXT, DB_OID_TEXT, 1009, lane->vector_array_oid,
                                    DB_OID_TEXT };
    PGresult *prepared = PQprepare (db_connection (lane->db), "store", store_sql, PARAMETERS, types);
    bool ok = PQresultStatus (prepared) == PGRES_COMMAND_OK;
    if (!ok)
        log_error ("cannot prepare to store articles: %s", PQresultErrorMessage (prepared));
    PQclear (prepared);
    return ok ? 0 : -EIO;
}

static bool
lane_open (struct lane *lane)
{
    if (!db_ready (lane->db))
        return false;
    PGconn *connection = db_connection (lane->db);
    if (prepare (lane) < 0 || !PQenterPipelineMode (connection) || PQsetnonblocking (connection, 1) < 0) {
        db_lost (lane->db);
        return false;
    }
    lane->open = true;
    lane->fd = PQsocket (connection);
    stage_watch_fd (lane->store->stage, lane->fd, false, on_readable, lane);
    return true;
}

static void
try_again (struct stage *stage UNUSED, void *arg)
{
    pump (arg);
}

/* What was begun may or may not be stored: it is sent again, and changes nothing if it was. */
static void
lane_lost (struct lane *lane)
{
    struct store *self = lane->store;
    struct stage_article *article;
    log_warn ("a database connection broke, storing again what it had begun count=%zu", zlist_size (lane->begun));
    stage_unwatch_fd (self->stage, lane->fd);
    db_lost (lane->db);
    lane->open = false;
    while ((article = zlist_pop (lane->begun)) != NULL) {
        self->begun--;
        zlist_push (self->waiting, article);
    }
    stage_after (self->stage, RECONNECT_MS, try_again, self);
}

/* ---- sending ---- */

static void
put_texts (struct buf *out, const struct wire_article *wire)
{
    size_t count = wire_chunk_count (wire);
    db_array_begin (out, DB_OID_TEXT, count);
    for (size_t i = 0; i < count; i++) {
        struct wire_chunk chunk = wire_chunk_at (wire, i);
        db_array_add (out, wire->content.data + chunk.byte_start, chunk.byte_end - chunk.byte_start);
    }
}

/* An element is pgvector's vector_recv: int16 dimensions, int16 zero, the values as big-endian float4. */
static void
put_vectors (struct buf *out, const struct wire_article *wire, unsigned vector_oid)
{
    size_t count = wire_chunk_count (wire), bytes = wire->dimensions * (size_t) 4;
    struct buf vector = { 0 };
    uint32_t head = htobe32 (wire->dimensions << 16);
    db_array_begin (out, vector_oid, count);
    for (size_t i = 0; i < count; i++) {
        buf_clear (&vector);
        buf_add (&vector, &head, sizeof head);
        buf_add (&vector, wire->vectors.data + i * bytes, bytes);
        db_array_add (out, vector.data, vector.len);
    }
    buf_fini (&vector);
}

static const char *
language_of_article (const struct wire_article *wire)
{
    struct buf text = { 0 };
    buf_add (&text, wire->title.data, wire->title.size);
    buf_add_char (&text, '\n');
    buf_add (&text, wire->content.data, MIN_OF (wire->content.size, LANGUAGE_BYTES));
    const char *language = language_of (text.data, text.len);
    buf_fini (&text);
    return language;
}

static bool
lane_send (struct lane *lane, const struct wire_article *wire)
{
    PGconn *connection = db_connection (lane->db);
    uint64_t id = htobe64 (wire->header.article);
    const char *language = language_of_article (wire); /* NULL is NULL in the database as well */
    struct buf texts = { 0 }, vectors = { 0 };
    put_texts (&texts, wire);
    put_vectors (&vectors, wire, lane->vector_oid);
    const char *values[PARAMETERS] = { (const char *) &id, (const char *) wire->header.run.bytes, wire->summary.data,
                                       wire->content.data, wire->summary_model.data, wire->embedding_model.data,
                                       texts.data, vectors.data, language };
    const int lengths[PARAMETERS] = { 8, 16, (int) wire->summary.size, (int) wire->content.size,
                                      (int) wire->summary_model.size, (int) wire->embedding_model.size,
                                      (int) texts.len, (int) vectors.len, language ? (int) strlen (language) : 0 };
    static const int formats[PARAMETERS] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    bool ok = PQsendQueryPrepared (connection, "store", PARAMETERS, values, lengths, formats, 0)
              && PQpipelineSync (connection);
    buf_fini (&texts);
    buf_fini (&vectors);
    return ok;
}

static bool
lane_flush (struct lane *lane)
{
    PGconn *connection = db_connection (lane->db);
    int left = PQflush (connection);
    if (left < 0)
        return false;
    stage_watch_fd (lane->store->stage, lane->fd, left > 0, on_readable, lane);
    return true;
}

static struct lane *
shortest_lane (struct store *self)
{
    struct lane *best = NULL;
    for (size_t i = 0; i < self->lane_count; i++) {
        struct lane *lane = &self->lanes[i];
        if (!lane->open && !lane_open (lane))
            continue;
        if (!best || zlist_size (lane->begun) < zlist_size (best->begun))
            best = lane;
    }
    return best;
}

static void
pump (struct store *self)
{
    while (self->begun < self->in_flight && zlist_size (self->waiting)) {
        struct lane *lane = shortest_lane (self);
        if (!lane) {
            stage_after (self->stage, RECONNECT_MS, try_again, self);
            return;
        }
        struct stage_article *article = zlist_pop (self->waiting);
        zlist_append (lane->begun, article);
        self->begun++;
        if (FAULT_POINT ("storing") || !lane_send (lane, &article->wire) || !lane_flush (lane))
            lane_lost (lane);
    }
}

void
store_add (struct store *self, struct stage_article *article)
{
    zlist_append (self->waiting, article);
    pump (self);
}

void
store_stop (struct store *self)
{
    struct stage_article *article;
    const struct store_outcome outcome = { .returned = true };
    while ((article = zlist_pop (self->waiting)) != NULL)
        self->done (self->context, article, &outcome);
}

/* ---- answers ---- */

/* Whether the server, rather than the article, is at fault (PostgreSQL, appendix A: classes of SQLSTATE). */
static bool
is_transient (const char *sqlstate)
{
    static const char *const classes[] = { "08", "25", "40", "53", "55", "57", "58", "XX" };
    for (size_t i = 0; sqlstate && i < COUNT_OF (classes); i++)
        if (!strncmp (sqlstate, classes[i], 2))
            return true;
    return !sqlstate;
}

static void
take_answer (struct lane *lane, PGresult *result)
{
    struct store *self = lane->store;
    struct stage_article *article = zlist_pop (lane->begun);
    char reason[256];
    struct store_outcome outcome = { .reason = reason };
    self->begun--;
    if (PQresultStatus (result) == PGRES_TUPLES_OK && strcmp (db_text (result, 0, 1), "f") == 0) {
        /* Its intake went with a database that crashed, and is done again, as another article; or it was dropped. */
        log_debug ("article=%" PRIu64 " is not in the ledger", article->wire.header.article);
        outcome.returned = true;
    } else if (PQresultStatus (result) == PGRES_TUPLES_OK) {
        outcome.chunks = (uint32_t) db_int (result, 0, 0);
        HISTORY ("committed article=%" PRIu64 " chunks=%u", article->wire.header.article, outcome.chunks);
    } else {
        snprintf (reason, sizeof reason, "database: %s", PQresultErrorMessage (result));
        reason[strcspn (reason, "\n")] = '\0';
        outcome.fault = is_transient (PQresultErrorField (result, PG_DIAG_SQLSTATE)) ? WIRE_TRANSIENT : WIRE_BLAMED;
        log_warn ("article=%" PRIu64 " not stored: %s", article->wire.header.article, reason);
    }
    self->done (self->context, article, &outcome);
}

static void
on_readable (struct stage *stage UNUSED, void *arg)
{
    struct lane *lane = arg;
    PGconn *connection = db_connection (lane->db);
    if (!PQconsumeInput (connection) || !lane_flush (lane)) {
        lane_lost (lane);
        return;
    }
    while (!PQisBusy (connection)) {
        PGresult *result = PQgetResult (connection);
        if (!result && zlist_size (lane->begun) == 0)
            break;
        ExecStatusType status = result ? PQresultStatus (result) : PGRES_EMPTY_QUERY;
        if (status == PGRES_TUPLES_OK || status == PGRES_FATAL_ERROR) {
            if (PQstatus (connection) != CONNECTION_OK || FAULT_DONE ("stored")) {
                PQclear (result);
                lane_lost (lane);
                return;
            }
            take_answer (lane, result);
        }
        PQclear (result);
    }
    pump (lane->store);
}
