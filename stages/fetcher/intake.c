/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "stages/fetcher/settle.h"
#include "db/array.h"

/* The entries of a feed that are worth a row, and what became of the others. */
struct intake {
    struct entry *entries;
    size_t count;
    size_t past; /* of them, the first so many count as known from now on */
    int64_t discovered, skipped;
    bool update; /* changed ones are taken in anew */
};

/* Oldest first, as feeds list the newest first: so the queue runs in the order of events. */
static void
intake_init (struct intake *self, const struct fetch *fetch, const struct feed *feed)
{
    *self = (struct intake){ .discovered = (int64_t) feed->entry_count,
                             .update = stage_settings (fetch->fetcher->stage)->fetcher_update };
    self->entries = mem_grow (NULL, feed->entry_count, sizeof *self->entries);
    for (size_t i = feed->entry_count; i-- > 0;)
        if (entry_init (&self->entries[self->count], fetch, &feed->entries[i]) == 0)
            self->count++;
    self->skipped = self->discovered - (int64_t) self->count;
}

static void
intake_fini (struct intake *self)
{
    for (size_t i = 0; i < self->count; i++)
        entry_fini (&self->entries[i]);
    free (self->entries);
}

/* ---- the new ones of a feed ---- */

/* All keys of the first `count` entries, as an array. */
static void
put_keys (const struct intake *intake, size_t count, struct buf *array)
{
    size_t keys = 0;
    for (size_t i = 0; i < count; i++)
        keys += intake->entries[i].key_count;
    db_array_begin (array, DB_OID_TEXT, keys);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < intake->entries[i].key_count; k++)
            db_array_add_text (array, intake->entries[i].keys[k]);
}

static PGresult *
query_known (struct db *db, const struct intake *intake)
{
    struct buf keys = { 0 };
    put_keys (intake, intake->count, &keys);
    PGresult *known = db_query_values (db, intake->update ?
        "SELECT key, \"workId\", \"feedHash\" FROM \"ArticleKey\" LEFT JOIN \"ArticleWork\" w ON w.id = \"workId\""
        " AND state = 'done' WHERE key = ANY ($1::text[])"
        : "SELECT key FROM \"ArticleKey\" WHERE key = ANY ($1::text[])", 1, &(struct db_value){ keys.data, keys.len });
    buf_fini (&keys);
    return known;
}

/* Whether the stored article of this row has another text than the feed now. One still on its way stays as it is. */
static bool
has_changed (const PGresult *rows, int row, const struct entry *entry)
{
    return !PQgetisnull (rows, row, 2) && db_int (rows, row, 2) != entry->feed_hash;
}

static void
make_newer (struct entry *entry, size_t key, int64_t work)
{
    char *first = entry->keys[key];
    entry->keys[key] = entry->keys[0];
    entry->keys[0] = first; /* the one by which the older version is known */
    entry->replaces = work;
}

#define ROW_OF_FEED (-1)

/* Whether any of its keys was seen; if not, they are from now on, so that a feed that repeats itself adds nothing.
 * known: by key, the row that has it, or ROW_OF_FEED. */
static bool
is_known (zhashx_t *known, int *of_feed, const PGresult *rows, bool update, struct entry *entry)
{
    for (size_t k = 0; k < entry->key_count; k++) {
        const int *row = zhashx_lookup (known, entry->keys[k]);
        if (!row)
            continue;
        if (!update || *row == ROW_OF_FEED || !has_changed (rows, *row, entry))
            return true;
        make_newer (entry, k, db_int (rows, *row, 1));
        break;
    }
    for (size_t k = 0; k < entry->key_count; k++)
        zhashx_update (known, entry->keys[k], of_feed);
    return false;
}

/* Only the articles never seen before travel to the database, and with fetcher.update those that changed. 0 or -EIO. */
static int
drop_known (struct db *db, struct intake *self)
{
    PGresult *rows = query_known (db, self);
    if (!rows)
        return -EIO;
    zhashx_t *known = zhashx_new ();
    int count = PQntuples (rows), *numbers = mem_alloc (((size_t) count + 1) * sizeof *numbers);
    for (int n = 0; n < count; n++) {
        numbers[n] = n;
        zhashx_insert (known, db_text (rows, n, 0), &numbers[n]);
    }
    numbers[count] = ROW_OF_FEED;
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++)
        if (is_known (known, &numbers[count], rows, self->update, &self->entries[i]))
            entry_fini (&self->entries[i]);
        else
            self->entries[kept++] = self->entries[i];
    self->count = kept;
    zhashx_destroy (&known);
    free (numbers);
    PQclear (rows);
    return 0;
}

/* ---- the first reading of a source ---- */

static int
by_date (const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->published_us < y->published_us ? -1 : x->published_us > y->published_us;
}

/* Decides which entries of a source that was never read are old news: all but the newest `most`. */
static void
leave_past (struct intake *self, const struct fetch *fetch, size_t most)
{
    bool dated = true;
    char url[LOG_QUOTE_SIZE];
    if (!fetch->is_first || self->count <= most)
        return;
    for (size_t i = 0; i < self->count; i++)
        dated &= self->entries[i].published_us > 0;
    if (dated) /* else in the order of the feed, which most keep by date */
        qsort (self->entries, self->count, sizeof *self->entries, by_date);
    self->past = self->count - most;
    log_info ("source=%" PRId64 " url=%s is read for the first time, taking the newest %zu of %zu entries", fetch->source_id,
              log_quote (fetch->url, url), most, self->count);
}

/* ---- the transaction ---- */

/* One statement, so one transaction and one round trip: the keys and the work of what is new, the source's cursor and health,
 * the run's record of the source, and the running totals. */
enum parameter {
    RUN_ID, SOURCE_ID, SOURCE_NAME, STATE, STATUS, WAIT_S, ETAG, LAST_MODIFIED, BODY_HASH, TITLE, FORMAT, DISCOVERED,
    SKIPPED, BYTES, DURATION_MS,
    KEYS, URLS, TITLES, AUTHORS, PUBLISHED, CONTENTS, HASHES, WANT_PAGE, REPLACES, TWIN_OF, /* arrays: an element an article */
    ALIASES, ALIAS_OF,                                /* arrays: an article's further keys, and which article's */
    MOVED_TO, HINT_S, GAP_S, SKIP_HOURS, SKIP_DAYS,
    PAST_KEYS,                                        /* array: of old entries of a source that is read for the first time */
    PARAMETERS
};
static const char intake_sql[] =
    "WITH entry AS MATERIALIZED ("
    " SELECT nextval (pg_get_serial_sequence ('\"ArticleWork\"', 'id')) AS id, e.*"
    " FROM unnest ($16::text[], $17::text[], $18::text[], $19::text[], $20::bigint[], $21::text[], $22::bigint[],"
    "  $23::bigint[], $24::bigint[], $25::bigint[]) WITH ORDINALITY"
    "  AS e (key, url, title, author, published, content, hash, page, replaces, twin, n)"
    "), fresh AS ("
    " INSERT INTO \"ArticleKey\" (key, \"workId\") SELECT key, id FROM entry WHERE replaces IS NULL"
    "  ON CONFLICT DO NOTHING RETURNING \"workId\""
    "), newer AS ("
    " UPDATE \"ArticleKey\" k SET \"workId\" = e.id FROM entry e WHERE k.key = e.key AND k.\"workId\" = e.replaces"
    "  RETURNING k.\"workId\""
    "), taken AS ("
    " SELECT e.* FROM entry e JOIN (SELECT * FROM fresh UNION ALL SELECT * FROM newer) i ON \"workId\" = id"
    "), alias AS ("
    " INSERT INTO \"ArticleKey\" (key, \"workId\") SELECT a.key, id FROM taken"
    "  JOIN unnest ($26::text[], $27::bigint[]) AS a (key, n) USING (n)"
    "  ON CONFLICT (key) DO UPDATE SET \"workId\" = excluded.\"workId\""
    "  WHERE \"ArticleKey\".\"workId\" = (SELECT replaces FROM entry WHERE id = excluded.\"workId\")"
    "), print AS ("
    " INSERT INTO \"StoryPrint\" (\"workId\", \"storyId\", \"textHash\") SELECT id, id, hash FROM taken WHERE page = 0"
    "), work AS ("
    " INSERT INTO \"ArticleWork\" (id, \"sourceId\", source, url, title, author, \"publishedAt\", content, \"feedHash\","
    "  replaces, \"pageAt\", \"twinOf\") OVERRIDING SYSTEM VALUE SELECT id, $2::bigint, $3::text, url, title, author,"
    "  timestamp 'epoch' + published * interval '1 microsecond', content, hash, replaces,"
    "  CASE page WHEN 1 THEN " DB_NOW " END, CASE WHEN page = 1 THEN NULL"
    "   WHEN hash IN (SELECT \"textHash\" FROM \"StoryPrint\" WHERE \"textHash\" = ANY ($22::bigint[]))"
    "    THEN twin_of (hash, content)"
    "   WHEN twin IS NOT NULL THEN (SELECT e.id FROM entry e WHERE e.n = taken.twin) END"
    "  FROM taken ORDER BY taken.id RETURNING 1"
    "), past AS ("
    " INSERT INTO \"ArticleKey\" (key, \"workId\") SELECT key, 0 FROM unnest ($33::text[]) AS p (key) ON CONFLICT DO NOTHING"
    "), counted AS (SELECT count (*)::int AS intake FROM work"
    "), said AS (SELECT $2::bigint AS id, $5::int AS status, $6::int AS wait, $7::text AS etag, $8::text AS modified,"
    "  $9::bigint AS hash, $10::text AS title, $11::text AS format, $28::text AS moved,"
    "  $29::int AS hint, $30::int AS gap, $31::int AS hours, $32::int AS days"
    "), " SETTLE_READ ", record AS ("
    " UPDATE \"RunSource\" r SET " SETTLE_STATE ("$4::text") ", status = $5, discovered = discovered + $12::int,"
    "  skipped = skipped + $13::int, bytes = bytes + $14, \"durationMs\" = $15, intake = r.intake + counted.intake,"
    "  duplicate = duplicate + $12 - $13 - counted.intake, error = NULL"
    "  FROM counted WHERE \"runId\" = $1 AND \"sourceId\" = $2"
    "), total AS ("
    " UPDATE \"Ledger\" l SET discovered = l.discovered + $12, skipped = l.skipped + $13, intake = l.intake + counted.intake,"
    "  duplicate = l.duplicate + $12 - $13 - counted.intake FROM counted WHERE $12 > 0"
    ") SELECT intake FROM counted";

/* The number, from 1, of an entry before the i-th that has its text; 0: none. */
static int64_t
first_like (const struct entry *entries, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (entries[k].feed_hash == entries[i].feed_hash && streq (entries[k].content, entries[i].content))
            return (int64_t) k + 1;
    return 0;
}

static void
put_entries (const struct intake *intake, struct buf arrays[PARAMETERS])
{
    const struct entry *entries = intake->entries + intake->past;
    size_t count = intake->count - intake->past, aliases = 0;
    for (size_t i = 0; i < count; i++)
        aliases += entries[i].key_count - 1;
    for (int p = KEYS; p <= TWIN_OF; p++)
        db_array_begin (&arrays[p], p == PUBLISHED || p >= HASHES ? DB_OID_INT8 : DB_OID_TEXT, count);
    db_array_begin (&arrays[ALIASES], DB_OID_TEXT, aliases);
    db_array_begin (&arrays[ALIAS_OF], DB_OID_INT8, aliases);
    for (size_t i = 0; i < count; i++) {
        const struct entry *e = &entries[i];
        db_array_add_text (&arrays[KEYS], e->keys[0]);
        db_array_add_text (&arrays[URLS], e->url);
        db_array_add_text (&arrays[TITLES], e->title);
        db_array_add_text (&arrays[AUTHORS], *e->author ? e->author : NULL);
        db_array_add_positive (&arrays[PUBLISHED], e->published_us);
        db_array_add_text (&arrays[CONTENTS], e->content);
        db_array_add_int8 (&arrays[HASHES], e->feed_hash);
        db_array_add_int8 (&arrays[WANT_PAGE], e->wants_page);
        db_array_add_positive (&arrays[REPLACES], e->replaces);
        db_array_add_positive (&arrays[TWIN_OF], first_like (entries, i));
        for (size_t k = 1; k < e->key_count; k++) {
            db_array_add_text (&arrays[ALIASES], e->keys[k]);
            db_array_add_int8 (&arrays[ALIAS_OF], (int64_t) i + 1);
        }
    }
}

static struct db_value
text (const char *value)
{
    return (struct db_value){ value, DB_IS_TEXT };
}

static struct db_value
number (int64_t value, char out[24])
{
    snprintf (out, 24, "%" PRId64, value);
    return text (out);
}

/* What is about to be taken in; whether it was shows what follows. */
static void
note_entries (const struct fetch *fetch UNUSED, const struct intake *intake)
{
    for (size_t i = intake->past; i < intake->count; i++)
        HISTORY ("taking source=%" PRId64 " hash=%" PRIx64 " url=%s", fetch->source_id,
                 num_hash (intake->entries[i].content, strlen (intake->entries[i].content)), intake->entries[i].url);
}

static int
store (struct fetch *fetch, const struct catch *caught, const struct intake *intake, int64_t *ret_new)
{
    struct db *db = fetch->fetcher->db;
    char numbers[PARAMETERS][24];
    struct buf arrays[PARAMETERS] = { 0 };
    struct db_value values[PARAMETERS] = {
        [RUN_ID] = text (fetch->run),
        [SOURCE_ID] = number (fetch->source_id, numbers[SOURCE_ID]),
        [SOURCE_NAME] = text (fetch->title ? fetch->title : fetch->url),
        [STATE] = text (settle_state (caught)),
        [STATUS] = caught->status ? number (caught->status, numbers[STATUS]) : text (NULL),
        [WAIT_S] = number (caught->wait_s, numbers[WAIT_S]),
        [ETAG] = text (caught->etag),
        [LAST_MODIFIED] = text (caught->last_modified),
        [BODY_HASH] = number (caught->body_hash, numbers[BODY_HASH]),
        [TITLE] = text (fetch->title),
        [FORMAT] = text (caught->feed ? feed_format_name (caught->feed->format) : NULL),
        [DISCOVERED] = number (intake->discovered, numbers[DISCOVERED]),
        [SKIPPED] = number (intake->skipped, numbers[SKIPPED]),
        [BYTES] = number ((int64_t) caught->bytes, numbers[BYTES]),
        [DURATION_MS] = number (caught->duration_ms, numbers[DURATION_MS]),
        [MOVED_TO] = text (caught->moved_to),
        [HINT_S] = number (fetch->schedule.hint_s, numbers[HINT_S]),
        [GAP_S] = number (fetch->schedule.gap_s, numbers[GAP_S]),
        [SKIP_HOURS] = number (fetch->schedule.skip_hours, numbers[SKIP_HOURS]),
        [SKIP_DAYS] = number (fetch->schedule.skip_days, numbers[SKIP_DAYS]),
    };
    note_entries (fetch, intake);
    put_entries (intake, arrays);
    put_keys (intake, intake->past, &arrays[PAST_KEYS]);
    for (int p = 0; p < PARAMETERS; p++)
        if (arrays[p].data)
            values[p] = (struct db_value){ arrays[p].data, arrays[p].len };
    PGresult *result = db_query_values (db, intake_sql, PARAMETERS, values);
    for (int p = 0; p < PARAMETERS; p++)
        buf_fini (&arrays[p]);
    if (!result)
        return -EIO;
    *ret_new = db_int (result, 0, 0);
    HISTORY ("taken source=%" PRId64, fetch->source_id);
    for (size_t i = intake->past; i < intake->count; i++)
        fetch->fetcher->pages_due |= intake->entries[i].wants_page;
    PQclear (result);
    return 0;
}

int
intake_commit (struct fetch *fetch, const struct catch *caught, int64_t *ret_new)
{
    struct db *db = fetch->fetcher->db;
    struct intake intake = { 0 };
    intake_init (&intake, fetch, caught->feed);
    int r = !db_ready (db) ? -EIO : intake.count ? drop_known (db, &intake) : 0;
    if (r == 0)
        leave_past (&intake, fetch, (size_t) stage_settings (fetch->fetcher->stage)->fetcher_first_intake);
    if (r == 0)
        r = FAULT_POINT ("intake") ? -EIO : store (fetch, caught, &intake, ret_new);
    if (FAULT_DONE ("taken"))
        r = -EIO;
    if (r < 0)
        log_warn ("source=%" PRId64 " was not taken in: %s", fetch->source_id, db_error (db));
    intake_fini (&intake);
    return r;
}
