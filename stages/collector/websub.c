/* WebSub: what hubs say, as the gateway passes it on. The gateway cannot write, so what follows is done here.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define LEASE_MOST_S INT64_C (31536000)
#define RENEW_AT "0.8" /* of the lease */
#define DENIED_S "86400"

static const char *
text_of (const json_t *request, const char *key)
{
    const char *text = json_string_value (json_object_get (request, key));
    return text ? text : "";
}

static json_t *
no_subscription (void)
{
    return status_error ("not_found", "there is no such subscription");
}

/* What signs a push. */
json_t *
websub_secret (struct collector *self, const json_t *request)
{
    PGresult *rows = db_query (self->db, "SELECT secret FROM \"Subscription\" b JOIN \"Source\" s ON s.id = \"sourceId\""
                               " WHERE b.id = $1 AND enabled AND state IN ('requested', 'active')",
                               DB_VALUES (text_of (request, "subscription")));
    json_t *reply = !rows              ? status_error ("unavailable", db_error (self->db))
                    : !PQntuples (rows) ? no_subscription ()
                                        : json_pack ("{s:s}", "secret", db_text (rows, 0, 0));
    PQclear (rows);
    return reply;
}

/* ---- verification of intent (w3.org/TR/websub, 5.3) ---- */

/* $1: subscription, $2: topic, $3: seconds of the lease, or the reason */
static const char *
intent_sql (const char *mode)
{
    static const struct {
        const char *mode, *sql;
    } modes[] = {
        { "subscribe",
          "UPDATE \"Subscription\" SET state = 'active', failures = 0, reason = NULL,"
          " \"leaseUntil\" = " DB_NOW " + $3::int * interval '1 second',"
          " \"dueAt\" = " DB_NOW " + " RENEW_AT " * $3::int * interval '1 second'"
          " WHERE id = $1 AND topic = $2 AND state IN ('requested', 'active')"
          " AND EXISTS (SELECT FROM \"Source\" s WHERE s.id = \"sourceId\" AND enabled)" },
        { "unsubscribe",
          "DELETE FROM \"Subscription\" WHERE id = $1 AND topic = $2 AND $3::text IS NOT NULL AND state = 'leaving'"
          " AND NOT EXISTS (SELECT FROM \"Source\" s WHERE s.id = \"sourceId\" AND enabled)" },
        { "denied",
          "UPDATE \"Subscription\" SET state = 'refused', reason = left ('the hub denied: ' || $3, 200),"
          " \"dueAt\" = " DB_NOW " + interval '" DENIED_S " seconds' WHERE id = $1 AND topic = $2 AND state <> 'leaving'" },
    };
    for (size_t i = 0; i < COUNT_OF (modes); i++)
        if (streq (modes[i].mode, mode))
            return modes[i].sql;
    return NULL;
}

json_t *
websub_intent (struct collector *self, const json_t *request)
{
    const char *mode = text_of (request, "mode"), *sql = intent_sql (mode);
    int64_t rows = 0, lease_s = json_integer_value (json_object_get (request, "lease"));
    char lease[24];
    if (!sql)
        return status_error ("bad_request", "mode must be subscribe, unsubscribe or denied");
    if (lease_s < 1) /* hubs older than the standard do not say */
        lease_s = stage_settings (self->stage)->websub_lease;
    snprintf (lease, sizeof lease, "%" PRId64, MIN_OF (lease_s, LEASE_MOST_S));
    if (db_run (self->db, &rows, sql, DB_VALUES (text_of (request, "subscription"), text_of (request, "topic"),
                                                 streq (mode, "denied") ? text_of (request, "reason") : lease)) < 0)
        return status_error ("unavailable", db_error (self->db));
    if (rows)
        log_debug ("a hub's %s was confirmed", mode);
    return rows ? json_pack ("{s:b}", "ok", 1) : no_subscription ();
}

/* ---- pushes ---- */

/* The source is due now, and read in the run in progress or in one of its own. */
json_t *
websub_pushed (struct collector *self, const json_t *request)
{
    PGresult *rows = db_query (self->db,
        "WITH pushed AS (UPDATE \"Subscription\" SET pushes = pushes + 1, \"lastPushAt\" = " DB_NOW
        " WHERE id = $1 AND state IN ('requested', 'active') RETURNING \"sourceId\")"
        " UPDATE \"Source\" SET \"nextDueAt\" = " DB_NOW " FROM pushed WHERE id = \"sourceId\" AND enabled RETURNING id",
        DB_VALUES (text_of (request, "subscription")));
    if (!rows)
        return status_error ("unavailable", db_error (self->db));
    json_t *reply = PQntuples (rows) ? run_open_for (self, db_int (rows, 0, 0)) : no_subscription ();
    PQclear (rows);
    return reply;
}
