/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "text/html.h"

#define URL_MAX 2000          /* B-tree entries are bounded; a longer address is replaced by a urn */
#define TITLE_MAX 2000
#define AUTHOR_MAX 1000
#define CONTENT_MAX (1u << 20)
#define TITLE_FROM_TEXT 100
#define KEY_MAX 2000          /* likewise, by its hash */
#define BACKOFF_LEAST_S 60

struct counts {
    int64_t discovered, duplicate, intake, skipped;
};

/* ---- one entry ---- */

static char *
plain_text (const char *text, size_t max)
{
    char *plain = !text ? mem_dup ("") : html_is_markup (text) ? html_to_text (text, strlen (text)) : mem_dup (text);
    char *clean = utf8_clean (plain, strlen (plain), max);
    free (plain);
    return clean;
}

static bool
has_words (const char *text)
{
    return text[strspn (text, " \t\r\n")] != '\0';
}

/* The fuller of content and summary; the title when there is neither. */
static char *
entry_text (const struct feed_entry *entry)
{
    char *content = plain_text (entry->content, CONTENT_MAX), *summary = plain_text (entry->summary, CONTENT_MAX);
    bool summary_is_fuller = strlen (summary) > strlen (content);
    char *best = summary_is_fuller ? summary : content;
    free (summary_is_fuller ? content : summary);
    if (has_words (best))
        return best;
    free (best);
    return plain_text (entry->title, CONTENT_MAX);
}

static char *
bounded_key (char *key)
{
    if (strlen (key) <= KEY_MAX)
        return key;
    char *hash = mem_printf ("hash:%016" PRIx64 "%zu", num_hash (key, strlen (key)), strlen (key));
    free (key);
    return hash;
}

static bool
guid_is_shared (const struct feed *feed, const char *guid)
{
    int count = 0;
    for (size_t i = 0; i < feed->entry_count && count < 2; i++)
        count += feed->entries[i].id && streq (feed->entries[i].id, guid);
    return count > 1;
}

/* The address first, then the guid, which is only unique within its source. */
static json_t *
entry_keys (const struct fetch *fetch, const struct feed *feed, const struct feed_entry *entry, const char *text)
{
    json_t *keys = json_array ();
    char *address = entry->url ? identity_of_url (entry->url) : NULL;
    if (address) {
        address = bounded_key (address);
        json_array_append_new (keys, json_string (address));
    }
    if (entry->id && *entry->id && !guid_is_shared (feed, entry->id)) {
        char *guid = bounded_key (mem_printf ("guid:%" PRId64 ":%s", fetch->source_id, entry->id));
        json_array_append_new (keys, json_string (guid));
        free (guid);
    }
    if (!json_array_size (keys) && has_words (text)) {
        char *hash = mem_printf ("text:%" PRId64 ":%016" PRIx64, fetch->source_id, num_hash (text, strlen (text)));
        json_array_append_new (keys, json_string (hash));
        free (hash);
    }
    free (address);
    return keys;
}

static char *
entry_title (const struct feed_entry *entry, const char *text)
{
    char *title = plain_text (entry->title, TITLE_MAX);
    if (has_words (title))
        return title;
    free (title);
    return utf8_clean (text, strcspn (text, "\n"), TITLE_FROM_TEXT);
}

static json_t *
entry_row (const struct fetch *fetch, const struct feed *feed, const struct feed_entry *entry)
{
    char *text = entry_text (entry), when[CLOCK_TEXT_SIZE];
    json_t *keys = entry_keys (fetch, feed, entry, text), *row = NULL;
    if (has_words (text) && json_array_size (keys)) {
        const char *first = json_string_value (json_array_get (keys, 0));
        bool is_address = entry->url && strncmp (first, "guid:", 5) && strncmp (first, "text:", 5);
        char *title = entry_title (entry, text), *author = plain_text (entry->author, AUTHOR_MAX);
        char *url = is_address && strlen (entry->url) <= URL_MAX ? utf8_clean (entry->url, strlen (entry->url), URL_MAX)
                    : mem_printf ("urn:newsmill:%016" PRIx64, num_hash (first, strlen (first)));
        int64_t published = entry->published_us != FEED_NO_DATE ? entry->published_us : entry->updated_us;
        row = json_pack ("{s:O, s:s, s:s, s:s?, s:s?, s:s}", "keys", keys, "url", url, "title", title,
                         "author", *author ? author : NULL,
                         "published", published > 0 ? db_time (published, when) : NULL, "content", text);
        free (title);
        free (author);
        free (url);
    }
    json_decref (keys);
    free (text);
    return row;
}

/* ---- the new ones of a feed ---- */

static json_t *
known_keys (struct fetcher *self, const json_t *rows)
{
    json_t *all = json_array (), *row, *key;
    size_t i, j;
    json_array_foreach (rows, i, row)
        json_array_foreach (json_object_get (row, "keys"), j, key)
            json_array_append (all, key);
    char *text = json_dumps (all, JSON_COMPACT);
    PGresult *result = db_query (self->db, "SELECT key FROM \"ArticleKey\" WHERE key IN (SELECT json_array_elements_text ($1))",
                                 DB_VALUES (text));
    free (text);
    json_decref (all);
    if (!result)
        return NULL;
    json_t *known = json_object ();
    for (int n = 0; n < PQntuples (result); n++)
        json_object_set_new (known, db_text (result, n, 0), json_true ());
    PQclear (result);
    return known;
}

/* Whether any of its keys was seen; if not, they are from now on, so that a feed that repeats itself adds nothing. */
static bool
is_known (json_t *known, const json_t *row)
{
    json_t *key;
    size_t i;
    json_array_foreach (json_object_get (row, "keys"), i, key)
        if (json_object_get (known, json_string_value (key)))
            return true;
    json_array_foreach (json_object_get (row, "keys"), i, key)
        json_object_set_new (known, json_string_value (key), json_true ());
    return false;
}

static const char insert_sql[] =
    "WITH entry AS MATERIALIZED ("
    " SELECT nextval (pg_get_serial_sequence ('\"ArticleWork\"', 'id')) AS id, e.* FROM json_to_recordset ($1::json)"
    "  AS e (keys text[], url text, title text, author text, published timestamp, content text)"
    "), fresh AS ("
    " INSERT INTO \"ArticleKey\" (key, \"workId\") SELECT keys[1], id FROM entry ON CONFLICT DO NOTHING RETURNING \"workId\""
    "), alias AS ("
    " INSERT INTO \"ArticleKey\" (key, \"workId\") SELECT k, id FROM entry JOIN fresh ON \"workId\" = id,"
    "  unnest (keys[2:]) AS k ON CONFLICT DO NOTHING) "
    "INSERT INTO \"ArticleWork\" (id, \"sourceId\", source, url, title, author, \"publishedAt\", content)"
    " OVERRIDING SYSTEM VALUE SELECT id, $2, $3, url, title, author, published, content"
    " FROM entry JOIN fresh ON \"workId\" = id";

/* Oldest first, as feeds list the newest first: so the queue runs in the order of events. */
static int
insert_new (struct fetch *fetch, const struct feed *feed, struct counts *counts)
{
    struct fetcher *self = fetch->fetcher;
    json_t *rows = json_array (), *fresh = json_array (), *row;
    char source_id[24];
    int64_t inserted = 0;
    size_t n;
    for (size_t i = feed->entry_count; i-- > 0;) {
        row = entry_row (fetch, feed, &feed->entries[i]);
        counts->discovered++;
        if (row)
            json_array_append_new (rows, row);
        else
            counts->skipped++;
    }
    json_t *known = known_keys (self, rows);
    int r = known ? 0 : -EIO;
    if (known)
        json_array_foreach (rows, n, row)
            if (!is_known (known, row))
                json_array_append (fresh, row);
    if (r == 0 && json_array_size (fresh)) {
        char *text = json_dumps (fresh, JSON_COMPACT);
        const char *title = fetch->title ? fetch->title : fetch->url;
        snprintf (source_id, sizeof source_id, "%" PRId64, fetch->source_id);
        r = db_run (self->db, &inserted, insert_sql, DB_VALUES (text, source_id, title));
        free (text);
    }
    counts->intake = inserted;
    counts->duplicate = counts->discovered - counts->skipped - inserted;
    json_decref (rows);
    json_decref (fresh);
    json_decref (known);
    return r;
}

/* ---- the cursor, the health, the run's record ---- */

static int64_t
wait_s (const struct fetch *fetch, const struct catch *caught)
{
    int64_t most = stage_settings (fetch->fetcher->stage)->fetcher_backoff_max;
    if (caught->retry_after_ms >= 0)
        return MIN_OF (caught->retry_after_ms / 1000 + 1, MAX_OF (most, (int64_t) 86400));
    if (!caught->error || fetch->failures == 0)
        return 0;
    int64_t wait = MIN_OF ((int64_t) BACKOFF_LEAST_S << MIN_OF (fetch->failures - 1, INT64_C (10)), most);
    return wait - (int64_t) (num_random () % (uint64_t) (wait / 4 + 1));
}

static int
update_source (struct fetch *fetch, const struct catch *caught)
{
    char id[24], wait[24], status[24], hash[24];
    snprintf (id, sizeof id, "%" PRId64, fetch->source_id);
    snprintf (wait, sizeof wait, "%" PRId64, wait_s (fetch, caught));
    snprintf (status, sizeof status, "%ld", caught->status);
    snprintf (hash, sizeof hash, "%" PRId64, caught->body_hash);
    const char *code = caught->status ? status : NULL;
    if (caught->error)
        return db_run (fetch->fetcher->db, NULL, "UPDATE \"Source\" SET \"lastFetchAt\" = " DB_NOW ", \"lastStatus\" = $2,"
                       " \"lastError\" = $3, failures = failures + 1, \"nextDueAt\" = " DB_NOW " + $4::int * interval '1 second'"
                       " WHERE id = $1", DB_VALUES (id, code, caught->error, wait));
    return db_run (fetch->fetcher->db, NULL, "UPDATE \"Source\" SET \"lastFetchAt\" = " DB_NOW ", \"lastSuccessAt\" = " DB_NOW ","
                   " \"lastStatus\" = $2, \"lastError\" = NULL, failures = 0, \"nextDueAt\" = " DB_NOW ", etag = coalesce ($3, etag),"
                   " \"lastModified\" = coalesce ($4, \"lastModified\"), \"bodyHash\" = $5, title = coalesce (title, $6),"
                   " format = coalesce ($7, format) WHERE id = $1",
                   DB_VALUES (id, code, caught->etag, caught->last_modified, hash, fetch->title,
                              caught->feed ? feed_format_name (caught->feed->format) : NULL));
}

static int
update_run (struct fetch *fetch, const struct catch *caught, const struct counts *counts)
{
    char id[24];
    snprintf (id, sizeof id, "%" PRId64, fetch->source_id);
    json_t *row = json_pack ("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s?}",
                             "state", caught->error ? "failed" : caught->unchanged ? "unchanged" : "fresh",
                             "status", (json_int_t) caught->status, "discovered", (json_int_t) counts->discovered,
                             "duplicate", (json_int_t) counts->duplicate, "intake", (json_int_t) counts->intake,
                             "skipped", (json_int_t) counts->skipped, "bytes", (json_int_t) caught->bytes,
                             "ms", (json_int_t) caught->duration_ms, "error", caught->error);
    char *text = json_dumps (row, JSON_COMPACT);
    int r = db_run (fetch->fetcher->db, NULL,
        "UPDATE \"RunSource\" s SET state = r.state, status = nullif (r.status, 0), discovered = r.discovered,"
        " duplicate = r.duplicate, intake = r.intake, skipped = r.skipped, bytes = r.bytes, \"durationMs\" = r.ms,"
        " error = r.error FROM json_to_record ($3::json) AS r (state text, status int, discovered int, duplicate int,"
        " intake int, skipped int, bytes bigint, ms int, error text) WHERE \"runId\" = $1 AND \"sourceId\" = $2",
        DB_VALUES (fetch->run, id, text));
    if (r == 0 && counts->discovered)
        r = db_run (fetch->fetcher->db, NULL,
            "UPDATE \"Ledger\" l SET discovered = l.discovered + r.discovered, duplicate = l.duplicate + r.duplicate,"
            " intake = l.intake + r.intake, skipped = l.skipped + r.skipped FROM json_to_record ($1::json)"
            " AS r (discovered int, duplicate int, intake int, skipped int)", DB_VALUES (text));
    free (text);
    json_decref (row);
    return r;
}

int
intake_commit (struct fetch *fetch, const struct catch *caught, int64_t *ret_new)
{
    struct db *db = fetch->fetcher->db;
    struct counts counts = { 0 };
    int r = db_ready (db) ? db_run (db, NULL, "BEGIN", 0, NULL) : -EIO;
    if (r == 0 && caught->feed)
        r = insert_new (fetch, caught->feed, &counts);
    if (r == 0)
        r = update_source (fetch, caught);
    if (r == 0)
        r = update_run (fetch, caught, &counts);
    if (r == 0)
        r = db_run (db, NULL, "COMMIT", 0, NULL);
    if (r < 0) {
        log_warn ("source=%" PRId64 " was not taken in: %s", fetch->source_id, db_error (db));
        if (db_connection (db) && db_run (db, NULL, "ROLLBACK", 0, NULL) < 0)
            db_lost (db);
        return r;
    }
    *ret_new = counts.intake;
    return 0;
}
