/* fetcher - on a tick fetches all due sources in parallel, keeps what is new, and dispatches it.
 * Several fetchers share a run's sources. See newsmill-fetcher.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define DISPATCH_MS 100
#define LEASE_CHECK_MS 1000
#define HALT_MS 3000          /* several repetitions of the breaker */
#define REASON_MAX 256

static void claim (struct fetcher *self);
static void on_dispatch_time (struct stage *stage, void *arg);
static void on_lease_time (struct stage *stage, void *arg);

static void
fetch_free (struct fetch *fetch)
{
    free (fetch->url);
    free (fetch->title);
    free (fetch->etag);
    free (fetch->last_modified);
    free (fetch);
}

/* ---- one source ---- */

/* What a publisher sent as a header, if the database can take it. */
static const char *
header_text (const char *value)
{
    return value && utf8_valid_bytes (value, strlen (value)) == strlen (value) ? value : NULL;
}

static void
finish (struct fetch *fetch, struct catch *caught)
{
    struct fetcher *self = fetch->fetcher;
    int64_t fresh = 0;
    char url[LOG_QUOTE_SIZE], error[LOG_QUOTE_SIZE];
    char *reason = caught->error ? utf8_clean (caught->error, strlen (caught->error), REASON_MAX) : NULL;
    caught->error = reason;
    if (intake_commit (fetch, caught, &fresh) == 0) {
        if (caught->error && fetch->failures == 0)
            log_warn ("source=%" PRId64 " url=%s failed: %s", fetch->source_id, log_quote (fetch->url, url),
                      log_quote (caught->error, error));
        else if (fresh)
            log_debug ("source=%" PRId64 " url=%s new=%" PRId64, fetch->source_id, log_quote (fetch->url, url), fresh);
    }
    self->fetching--;
    self->fetched++;
    fetch_free (fetch);
    free (reason);
    if (fresh)
        dispatch_turn (self);
    if (self->fetching < (size_t) stage_settings (self->stage)->fetcher_parallel / 2)
        claim (self);
    if (!self->fetching) { /* all read: the run may be over */
        struct wire_result nothing_spent = { .header.run = self->run_id, .outcome = WIRE_SPENT };
        stage_report (self->stage, &nothing_spent);
    }
}

static const char *
status_error (long status, char out[REASON_MAX])
{
    static const struct { long status; const char *meaning; } known[] = {
        { 401, "the publisher wants a login" },      { 403, "the publisher refuses us" },
        { 404, "there is no such feed" },            { 410, "the feed is gone for good" },
        { 429, "the publisher wants fewer requests" }, { 503, "the publisher is overloaded" },
    };
    const char *meaning = status >= 500 ? "the publisher's server failed" : "not a feed's answer";
    for (size_t i = 0; i < COUNT_OF (known); i++)
        if (known[i].status == status)
            meaning = known[i].meaning;
    snprintf (out, REASON_MAX, "HTTP %ld: %s", status, meaning);
    return out;
}

static void
take_body (struct fetch *fetch, const struct http_response *response, struct catch *caught)
{
    struct feed *feed = NULL;
    char reason[FEED_REASON_SIZE];
    caught->body_hash = (int64_t) num_hash (response->body, response->body_bytes);
    if (caught->body_hash == fetch->body_hash) {
        caught->unchanged = true;
        finish (fetch, caught);
        return;
    }
    struct feed_hints hints = { response->url, response->content_type };
    if (feed_parse (response->body, response->body_bytes, &hints, &feed, reason) < 0)
        caught->error = reason;
    else if (feed->title && !fetch->title)
        fetch->title = utf8_clean (feed->title, strlen (feed->title), 1000);
    if (feed)
        websub_seen (fetch->fetcher, fetch->source_id, feed, response);
    caught->feed = feed;
    finish (fetch, caught);
    feed_destroy (&feed);
}

static void
on_response (void *context, const struct http_response *response)
{
    struct fetch *fetch = context;
    char reason[REASON_MAX];
    struct catch caught = {
        .status = response->status, .duration_ms = response->duration_ms, .bytes = response->body_bytes,
        .retry_after_ms = response->retry_after_ms, .etag = header_text (response->etag), .last_modified = header_text (response->last_modified),
        .body_hash = fetch->body_hash,
    };
    if (response->error != HTTP_OK) {
        caught.error = response->reason;
        finish (fetch, &caught);
    } else if (response->status == 304) {
        caught.unchanged = true;
        finish (fetch, &caught);
    } else if (response->status != 200) {
        caught.error = status_error (response->status, reason);
        finish (fetch, &caught);
    } else
        take_body (fetch, response, &caught);
}

static void
start (struct fetcher *self, const PGresult *rows, int row)
{
    const struct settings *s = stage_settings (self->stage);
    struct fetch *fetch = MEM_NEW (struct fetch);
    fetch->fetcher = self;
    memcpy (fetch->run, self->run, sizeof fetch->run);
    fetch->source_id = db_int (rows, row, 0);
    fetch->url = mem_dup (db_text (rows, row, 1));
    fetch->title = mem_dup (db_text (rows, row, 2));
    fetch->etag = mem_dup (db_text (rows, row, 3));
    fetch->last_modified = mem_dup (db_text (rows, row, 4));
    fetch->body_hash = db_int (rows, row, 5);
    fetch->failures = db_int (rows, row, 6);

    char *none_match = fetch->etag ? mem_printf ("If-None-Match: %s", fetch->etag) : NULL;
    char *since = fetch->last_modified ? mem_printf ("If-Modified-Since: %s", fetch->last_modified) : NULL;
    const char *headers[4] = { "Accept: application/rss+xml, application/atom+xml, application/feed+json;q=0.9,"
                               " application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1" };
    size_t count = 1;
    if (none_match)
        headers[count++] = none_match;
    if (since)
        headers[count++] = since;
    struct http_request request = {
        .url = fetch->url, .headers = headers, .connect_ms = s->fetcher_connect_timeout, .total_ms = s->fetcher_timeout,
        .idle_ms = s->fetcher_idle_timeout, .max_body_bytes = (size_t) s->fetcher_max_body,
        .max_redirects = s->fetcher_max_redirects,
    };
    self->fetching++;
    http_start (self->http, &request, on_response, fetch);
    free (none_match);
    free (since);
}

/* ---- a run ---- */

static void
set_active (struct fetcher *self, bool active)
{
    self->active = active;
    stage_set_busy (self->stage, active); /* claimed sources wait for a fetcher that died */
}

static void
claim (struct fetcher *self)
{
    const struct settings *s = stage_settings (self->stage);
    char room[24], stale[24];
    if (!self->active || stage_is_stopping (self->stage) || self->fetching >= (size_t) s->fetcher_parallel
        || !db_ready (self->db))
        return;
    snprintf (room, sizeof room, "%" PRId64, s->fetcher_parallel - (int64_t) self->fetching);
    snprintf (stale, sizeof stale, "%" PRId64, s->fetcher_timeout / 1000 + 25);
    PGresult *rows = db_query (self->db,
        "WITH mine AS (UPDATE \"RunSource\" r SET state = 'claimed', \"claimedAt\" = " DB_NOW ", \"claimedBy\" = $3"
        " FROM (SELECT \"sourceId\" FROM \"RunSource\" WHERE \"runId\" = $1 AND (state = 'due' OR (state = 'claimed'"
        "  AND \"claimedAt\" < " DB_NOW " - $4::int * interval '1 second')) LIMIT $2 FOR UPDATE SKIP LOCKED) f"
        " WHERE r.\"runId\" = $1 AND r.\"sourceId\" = f.\"sourceId\" RETURNING r.\"sourceId\")"
        " SELECT id, url, title, etag, \"lastModified\", \"bodyHash\", failures FROM \"Source\" JOIN mine ON \"sourceId\" = id",
        DB_VALUES (self->run, room, stage_worker (self->stage), stale));
    if (!rows) {
        log_warn ("no sources could be claimed: %s", db_error (self->db));
        return;
    }
    for (int i = 0; i < PQntuples (rows); i++)
        start (self, rows, i);
    PQclear (rows);
}

static void
begin_run (struct fetcher *self, const struct uuid *run)
{
    if (self->active && uuid_equal (run, &self->run_id))
        return;
    set_active (self, true);
    self->halted_until_ms = 0;
    self->run_id = *run;
    uuid_format (run, self->run);
    claim (self);
    stage_after (self->stage, 0, on_dispatch_time, self); /* what earlier runs left, too */
    stage_after (self->stage, LEASE_CHECK_MS, on_lease_time, self);
}

/* A fetcher that starts, or lost sight of the database or the events, finds out from the ledger where things stand. */
static void
look_for_run (struct fetcher *self)
{
    struct uuid run;
    PGresult *open = db_query (self->db, "SELECT id FROM \"JobRun\" WHERE status = 'RUNNING'"
                               " ORDER BY \"startedAt\" DESC LIMIT 1", 0, NULL);
    if (!open)
        return;
    if (PQntuples (open) && uuid_parse (db_text (open, 0, 0), &run) == 0)
        begin_run (self, &run);
    else
        set_active (self, false);
    PQclear (open);
}

/* Only while a run is open: an idle mill costs nothing here. */
static void
on_dispatch_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    if (!self->active)
        return;
    dispatch_turn (self);
    stage_after (stage, DISPATCH_MS, on_dispatch_time, self);
}

static void
on_lease_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    if (!self->active || stage_is_stopping (stage))
        return;
    if (db_ready (self->db)) {
        dispatch_release_expired (self);
        look_for_run (self);
        claim (self);
    }
    stage_after (stage, LEASE_CHECK_MS, on_lease_time, self);
}

static void
on_http (struct stage *stage UNUSED, void *arg)
{
    http_turn (((struct fetcher *) arg)->http);
}

static void
on_tick (struct stage *stage UNUSED, void *state, const struct wire_tick *tick)
{
    begin_run (state, &tick->header.run);
}

static void
on_event (struct stage *stage UNUSED, void *state, const struct wire_event *event)
{
    struct fetcher *self = state;
    if (!self->active || !uuid_equal (&event->header.run, &self->run_id))
        return;
    if (event->kind == WIRE_RUN_PROGRESS)
        dispatch_turn (self);
    if (event->kind == WIRE_BREAKER)
        self->halted_until_ms = clock_mono_ms () + HALT_MS;
    if (event->kind == WIRE_RUN_CLOSED)
        set_active (self, false);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct fetcher *self = MEM_NEW (struct fetcher);
    *ret_state = self;
    self->stage = stage;
    self->db = stage_db (stage);
    struct http_settings http = { .user_agent = s->fetcher_user_agent, .allow_private = s->fetcher_allow_private,
                                  .max_total = (size_t) s->fetcher_parallel, .max_per_host = (size_t) s->fetcher_per_host };
    self->http = http_new (&http);
    if (!self->http) {
        log_error ("cannot start the HTTP client");
        return -EIO;
    }
    stage_watch_fd (stage, http_fd (self->http), false, on_http, self);
    websub_start (self);
    look_for_run (self);
    return 0;
}

/* Sources under way are made due again for another fetcher; what was dispatched travels on. */
static void
on_stop (struct stage *stage, void *state)
{
    struct fetcher *self = state;
    set_active (self, false);
    if (self->fetching && db_ready (self->db)
        && db_run (self->db, NULL, "UPDATE \"RunSource\" SET state = 'due' WHERE \"claimedBy\" = $1 AND state = 'claimed'",
                   DB_VALUES (stage_worker (stage))) < 0)
        log_warn ("sources could not be handed back: %s", db_error (self->db));
}

static void
on_statistics (void *state, json_t *numbers)
{
    struct fetcher *self = state;
    json_object_set_new (numbers, "fetching", json_integer ((json_int_t) self->fetching));
    json_object_set_new (numbers, "fetched", json_integer ((json_int_t) self->fetched));
    json_object_set_new (numbers, "dispatched", json_integer ((json_int_t) self->dispatched));
}

static void
on_finish (struct stage *stage UNUSED, void *state)
{
    struct fetcher *self = state;
    http_destroy (&self->http);
    free (self);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "fetcher",
        .in = WIRE_NO_LINK,
        .out = WIRE_ARTICLES,
        .ticks = true,
        .database = &stage_postgres,
        .start = on_start,
        .on_tick = on_tick,
        .on_event = on_event,
        .on_stop = on_stop,
        .statistics = on_statistics,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
