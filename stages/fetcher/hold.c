/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "db/array.h"

#define FILL_MOST "5000" /* addresses a statement */
#define DAY_S INT64_C (86400)

/* ---- which domain a source is of ---- */

static int
fill (struct fetcher *self, const PGresult *sources)
{
    struct buf ids = { 0 }, domains = { 0 };
    size_t count = (size_t) PQntuples (sources);
    db_array_begin (&ids, DB_OID_INT8, count);
    db_array_begin (&domains, DB_OID_TEXT, count);
    for (int i = 0; i < PQntuples (sources); i++) {
        char *domain = http_domain (db_text (sources, i, 1));
        db_array_add_int8 (&ids, db_int (sources, i, 0));
        db_array_add_text (&domains, domain ? domain : ""); /* fetching it says what is wrong with the address */
        free (domain);
    }
    PGresult *result = db_query_values (self->db, "UPDATE \"Source\" s SET domain = f.domain"
                                        " FROM unnest ($1::bigint[], $2::text[]) AS f (id, domain) WHERE s.id = f.id",
                                        2, (struct db_value[]){ { ids.data, ids.len }, { domains.data, domains.len } });
    int r = result ? 0 : -EIO;
    PQclear (result);
    buf_fini (&ids);
    buf_fini (&domains);
    return r;
}

void
hold_fill_domains (struct fetcher *self)
{
    for (int count = 1, r = 0; count > 0 && r == 0;) {
        PGresult *sources = db_query (self->db, "SELECT id, url FROM \"Source\" WHERE domain IS NULL LIMIT " FILL_MOST, 0, NULL);
        count = sources ? PQntuples (sources) : 0;
        r = !sources ? -EIO : count ? fill (self, sources) : 0;
        if (r < 0)
            log_warn ("domains of new sources could not be written: %s", db_error (self->db));
        PQclear (sources);
    }
}

/* ---- pauses ---- */

/* Requests that have not begun are taken back, and are no longer part of the run. */
static void
withdraw (struct fetcher *self)
{
    struct buf ids = { 0 };
    for (struct fetch *fetch = zlistx_first (self->fetches); fetch; fetch = zlistx_next (self->fetches)) {
        if (!fetch->domain || !hold_is_on (self, fetch->domain) || !http_withdraw (self->http, fetch))
            continue;
        buf_printf (&ids, "%s%" PRId64, ids.len ? "," : "{", fetch->source_id);
        zlistx_delete (self->fetches, fetch->place);
        fetch_free (fetch);
    }
    if (!ids.len)
        return;
    buf_add_char (&ids, '}');
    if (db_run (self->db, NULL, "DELETE FROM \"RunSource\" WHERE \"runId\" = $1 AND state = 'claimed'"
                " AND \"sourceId\" = ANY ($2::bigint[])", DB_VALUES (self->run, ids.data)) < 0)
        log_warn ("sources of held domains could not be left out of the run: %s", db_error (self->db));
    buf_fini (&ids);
}

/* Yields whether the domain is held already: then others that were under way say the same. */
static const char hold_sql[] =
    "WITH past AS (DELETE FROM \"Domain\" WHERE \"heldUntil\" < " DB_NOW " AND name <> $1"
    "), held AS (INSERT INTO \"Domain\" AS d VALUES ($1, " DB_NOW " + $2::int * interval '1 second', $3)"
    "  ON CONFLICT (name) DO UPDATE SET \"heldUntil\" = greatest (d.\"heldUntil\", excluded.\"heldUntil\"),"
    "  reason = excluded.reason"
    ") SELECT count (*) FROM \"Domain\" WHERE name = $1 AND \"heldUntil\" > " DB_NOW;

static void
hold (struct fetcher *self, const char *url, int64_t wait_s, const char *reason)
{
    char seconds[24], quoted[LOG_QUOTE_SIZE];
    char *domain = http_domain (url);
    if (!domain)
        return;
    snprintf (seconds, sizeof seconds, "%" PRId64, wait_s);
    PGresult *result = db_query (self->db, hold_sql, DB_VALUES (domain, seconds, reason));
    if (!result)
        log_warn ("domain=%s asks for a pause of %s s that could not be written: %s", domain, seconds, db_error (self->db));
    else if (!db_int (result, 0, 0))
        log_warn ("domain=%s asks for a pause, none of its sources is fetched for %s s: %s", domain, seconds,
                  log_quote (reason, quoted));
    PQclear (result);
    hold_release (self);
    free (domain);
}

int64_t
hold_pause_s (const struct fetcher *self, int64_t retry_after_ms)
{
    return MIN_OF ((retry_after_ms + 999) / 1000, MAX_OF (stage_settings (self->stage)->fetcher_backoff_max, DAY_S));
}

void
hold_if_asked (struct fetcher *self, const struct http_response *response, const char *reason)
{
    if ((response->status == 429 || response->status == 503) && response->retry_after_ms > 0)
        hold (self, response->url, hold_pause_s (self, response->retry_after_ms), reason);
}

void
hold_release (struct fetcher *self)
{
    PGresult *held = db_query (self->db,
        "WITH held AS (SELECT name FROM \"Domain\" WHERE \"heldUntil\" > " DB_NOW
        "), out AS (DELETE FROM \"RunSource\" r USING \"Source\" s, held WHERE r.\"runId\" = $1 AND r.state = 'due'"
        "  AND s.id = r.\"sourceId\" AND held.name = s.domain) SELECT name FROM held", DB_VALUES (self->run));
    if (!held) {
        log_warn ("sources of held domains could not be left out of the run: %s", db_error (self->db));
        return;
    }
    zhashx_purge (self->held);
    for (int i = 0; i < PQntuples (held); i++)
        zhashx_insert (self->held, db_text (held, i, 0), self);
    PQclear (held);
    if (zhashx_size (self->held))
        withdraw (self);
}

bool
hold_is_on (void *fetcher, const char *domain)
{
    return zhashx_lookup (((struct fetcher *) fetcher)->held, domain) != NULL;
}
