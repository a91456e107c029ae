/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "db/array.h"
#include "text/similarity.h"

#define LINKS_A_TURN "100"
#define FORGET_MS INT64_C (3600000)

static void
forget (struct fetcher *self, const char *window)
{
    if (clock_mono_ms () < self->forget_at_ms)
        return;
    self->forget_at_ms = clock_mono_ms () + FORGET_MS;
    if (db_run (self->db, NULL, "DELETE FROM \"StoryPrint\" WHERE \"createdAt\" < " DB_NOW " - $1::interval AND linked",
                DB_VALUES (window)) < 0)
        log_warn ("old stories could not be forgotten: %s", db_error (self->db));
}

/* As a BIGINT[] in text, or NULL if it is too short to be like another. */
static void
add_bands (struct buf *array, const char *text)
{
    int64_t bands[SIMILARITY_BANDS];
    struct buf out = { 0 };
    bool known = text && similarity_bands (text, strlen (text), bands);
    for (size_t i = 0; i < SIMILARITY_BANDS && known; i++)
        buf_printf (&out, "%c%" PRId64, i ? ',' : '{', bands[i]);
    if (known)
        buf_add_char (&out, '}');
    db_array_add_text (array, out.data);
    buf_fini (&out);
}

/* Returns how many were linked, or -EIO. Scalar subqueries: joins would be merged, from the first article ever stored
 * up to these. */
static int64_t
link_some (struct fetcher *self, const char *window)
{
    struct buf ids = { 0 }, prints = { 0 };
    char alike[8];
    PGresult *texts = db_query (self->db, "SELECT \"workId\","
                                " coalesce ((SELECT content FROM \"ArticleWork\" WHERE id = \"workId\"),"
                                "  (SELECT content FROM \"Article\" WHERE id = \"workId\")) FROM \"StoryPrint\""
                                " WHERE NOT linked ORDER BY \"workId\" LIMIT " LINKS_A_TURN, 0, NULL);
    size_t count = texts ? (size_t) PQntuples (texts) : 0;
    snprintf (alike, sizeof alike, "%d", SIMILARITY_ALIKE);
    db_array_begin (&ids, DB_OID_INT8, count);
    db_array_begin (&prints, DB_OID_TEXT, count);
    for (int i = 0; i < (int) count; i++) {
        db_array_add_int8 (&ids, db_int (texts, i, 0));
        add_bands (&prints, db_text (texts, i, 1));
    }
    const struct db_value values[] = { { ids.data, ids.len }, { prints.data, prints.len }, { alike, DB_IS_TEXT }, { window, DB_IS_TEXT } };
    PGresult *linked = count ? db_query_values (self->db, "SELECT link_stories ($1::bigint[], $2::text[], $3::int, $4::interval)",
                                                COUNT_OF (values), values) : NULL;
    int64_t r = linked ? db_int (linked, 0, 0) : texts && !count ? 0 : -EIO;
    PQclear (texts);
    PQclear (linked);
    buf_fini (&ids);
    buf_fini (&prints);
    return r;
}

static void
on_story_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    char window[32];
    if (!db_ready (self->db) || stage_is_stopping (stage))
        return;
    snprintf (window, sizeof window, "%" PRId64 " hours", stage_settings (stage)->fetcher_story_window);
    int64_t linked = link_some (self, window);
    if (linked < 0) {
        log_warn ("stories could not be linked: %s", db_error (self->db));
        return;
    }
    self->unlinked = linked > 0;
    if (linked)
        stage_after (stage, 0, on_story_time, self);
    else
        forget (self, window);
}

void
story_begin (struct fetcher *self)
{
    if (self->unlinked)
        stage_after (self->stage, 0, on_story_time, self);
}
