/* WebSub's subscriber (w3.org/TR/websub): what is asked of hubs. That a hub was asked is written down first, with the time of the
 * next try; so an answer decides nothing, and no request is lost or sent by two fetchers. What hubs ask back goes to the gateway
 * and from there to the collector, which makes the subscription active.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "text/url.h"

#define TURN_MS 5000
#define ASKED_AT_ONCE "20"
#define BACKOFF_LEAST_S "60"      /* doubled with each try in a row */
#define BACKOFF_MOST_S "86400"
#define LEAVES_MOST "5"           /* tries to unsubscribe, before the hub is left to find out */
#define ANSWER_MOST 65536
#define FIELD_MOST 2000           /* bytes of a hub's or a topic's address */
#define REASON_MOST 200

static bool
is_on (const struct fetcher *self)
{
    return *stage_settings (self->stage)->websub_callback != '\0';
}

/* ---- asking ---- */

struct asking {
    struct fetcher *fetcher;
    char *id, *hub;
};

static void
note_refusal (struct fetcher *self, const struct asking *asking, const char *reason)
{
    char hub[LOG_QUOTE_SIZE], quoted[LOG_QUOTE_SIZE];
    char *clean = utf8_clean (reason, strlen (reason), REASON_MOST);
    log_debug ("hub=%s did not take a request: %s", log_quote (asking->hub, hub), log_quote (clean, quoted));
    if (db_ready (self->db)
        && db_run (self->db, NULL, "UPDATE \"Subscription\" SET reason = $2, state = CASE WHEN state = 'requested' THEN 'refused'"
                   " ELSE state END WHERE id = $1", DB_VALUES (asking->id, clean)) < 0)
        log_warn ("a hub's refusal could not be written down: %s", db_error (self->db));
    free (clean);
}

/* Any 2xx: the hub asks back before anything holds. */
static void
on_answer (void *context, const struct http_response *response)
{
    struct asking *asking = context;
    char reason[REASON_MOST];
    if (response->error != HTTP_OK)
        note_refusal (asking->fetcher, asking, response->reason);
    else if (response->status < 200 || response->status > 299) {
        snprintf (reason, sizeof reason, "HTTP %ld: %.*s", response->status,
                  (int) MIN_OF (strcspn (response->body, "\r\n"), (size_t) REASON_MOST - 20), response->body);
        note_refusal (asking->fetcher, asking, reason);
    }
    free (asking->id);
    free (asking->hub);
    free (asking);
}

static void
add_field (struct buf *form, const char *name, const char *value)
{
    buf_printf (form, "%s%s=", form->len ? "&" : "", name);
    for (; *value; value++)
        if (strchr ("-._~", *value) || (*value >= '0' && *value <= '9') || ((*value | 0x20) >= 'a' && (*value | 0x20) <= 'z'))
            buf_add_char (form, *value);
        else
            buf_printf (form, "%%%02X", (unsigned char) *value);
}

static void
ask (struct fetcher *self, const char *id, const char *hub, const char *topic, const char *secret, bool wanted)
{
    const struct settings *s = stage_settings (self->stage);
    static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded", NULL };
    struct asking *asking = MEM_NEW (struct asking);
    struct buf form = { 0 };
    char lease[24], *callback = mem_printf ("%s/websub/%s", s->websub_callback, id);
    *asking = (struct asking){ self, mem_dup (id), mem_dup (hub) };
    snprintf (lease, sizeof lease, "%" PRId64, s->websub_lease);
    add_field (&form, "hub.mode", wanted ? "subscribe" : "unsubscribe");
    add_field (&form, "hub.topic", topic);
    add_field (&form, "hub.callback", callback);
    if (wanted) {
        add_field (&form, "hub.lease_seconds", lease);
        add_field (&form, "hub.secret", secret);
    }
    struct http_request request = {
        .url = hub, .body = form.data, .body_bytes = form.len, .headers = headers, .connect_ms = s->fetcher_connect_timeout,
        .total_ms = s->fetcher_timeout, .idle_ms = s->fetcher_idle_timeout, .max_body_bytes = ANSWER_MOST,
        .max_redirects = s->fetcher_max_redirects,
    };
    http_start (self->http, &request, on_answer, asking);
    buf_fini (&form);
    free (callback);
}

/* Those that are due, and those whose source is gone or off: they are to end. */
static const char claim_sql[] =
    "WITH due AS (SELECT b.id, s.id IS NOT NULL AS wanted FROM \"Subscription\" b"
    "  LEFT JOIN \"Source\" s ON s.id = b.\"sourceId\" AND s.enabled"
    "  WHERE b.\"dueAt\" <= " DB_NOW " OR (s.id IS NULL AND b.state <> 'leaving')"
    "  ORDER BY b.\"dueAt\" LIMIT " ASKED_AT_ONCE " FOR UPDATE OF b SKIP LOCKED)"
    " UPDATE \"Subscription\" b SET failures = failures + 1, state = CASE WHEN NOT wanted THEN 'leaving'"
    "  WHEN state = 'active' AND \"leaseUntil\" > " DB_NOW " THEN 'active' ELSE 'requested' END,"
    "  \"dueAt\" = " DB_NOW " + least (" BACKOFF_MOST_S ", " BACKOFF_LEAST_S " * 2.0 ^ least (failures, 20))"
    "  * (1 - random () / 4) * interval '1 second' FROM due WHERE b.id = due.id"
    " RETURNING b.id, hub, topic, secret, wanted::int";

static void
turn (struct fetcher *self)
{
    if (stage_is_stopping (self->stage) || !db_ready (self->db))
        return;
    if (db_run (self->db, NULL, "DELETE FROM \"Subscription\" WHERE (state = 'leaving' AND failures >= " LEAVES_MOST ")"
                " OR (state = 'wanted' AND \"sourceId\" IS NULL)", 0, NULL) < 0) {
        log_warn ("subscriptions could not be looked at: %s", db_error (self->db));
        return;
    }
    PGresult *rows = db_query (self->db, claim_sql, 0, NULL);
    for (int i = 0; rows && i < PQntuples (rows); i++)
        ask (self, db_text (rows, i, 0), db_text (rows, i, 1), db_text (rows, i, 2), db_text (rows, i, 3), db_int (rows, i, 4) != 0);
    if (!rows)
        log_warn ("subscriptions could not be renewed: %s", db_error (self->db));
    PQclear (rows);
}

static void
on_time (struct stage *stage, void *arg)
{
    turn (arg);
    stage_after (stage, TURN_MS, on_time, arg);
}

void
websub_start (struct fetcher *self)
{
    if (is_on (self))
        stage_after (self->stage, TURN_MS, on_time, self);
}

/* ---- what feeds name ---- */

/* Headers have the first word (w3.org/TR/websub, 4). given (free), or NULL */
static char *
discover (const struct http_response *response, const char *rel, const char *of_feed)
{
    char *link = http_header_link (response->headers, rel);
    char *url = link ? url_resolve (response->url, link) : mem_dup (of_feed);
    free (link);
    if (url && strlen (url) <= FIELD_MOST && utf8_valid_bytes (url, strlen (url)) == strlen (url))
        return url;
    free (url);
    return NULL;
}

/* A hub that changed is another subscription; the old one ends. */
static int
note (struct fetcher *self, const char *source, const char *hub, const char *topic)
{
    char id[33], secret[65];
    int64_t rows = 0;
    snprintf (id, sizeof id, "%016" PRIx64 "%016" PRIx64, num_random (), num_random ());
    snprintf (secret, sizeof secret, "%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, num_random (), num_random (),
              num_random (), num_random ());
    if (db_run (self->db, NULL, "UPDATE \"Subscription\" SET \"sourceId\" = NULL WHERE \"sourceId\" = $1 AND (hub, topic) <> ($2, $3)",
                DB_VALUES (source, hub, topic)) < 0
        || db_run (self->db, &rows, "INSERT INTO \"Subscription\" (id, \"sourceId\", hub, topic, secret) SELECT $1, id, $3, $4, $5"
                   " FROM \"Source\" WHERE id = $2 AND enabled ON CONFLICT (\"sourceId\") DO NOTHING",
                   DB_VALUES (id, source, hub, topic, secret)) < 0)
        return -EIO;
    if (rows)
        turn (self);
    return 0;
}

void
websub_seen (struct fetcher *self, int64_t source_id, const struct feed *feed, const struct http_response *response)
{
    char source[24];
    if (!is_on (self) || !db_ready (self->db))
        return;
    char *hub = discover (response, "hub", feed->hub), *topic = discover (response, "self", feed->self);
    snprintf (source, sizeof source, "%" PRId64, source_id);
    if (hub && topic && note (self, source, hub, topic) < 0)
        log_warn ("source=%" PRId64 " its hub could not be noted: %s", source_id, db_error (self->db));
    free (hub);
    free (topic);
}
