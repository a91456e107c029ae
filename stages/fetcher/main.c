/* fetcher - on a tick fetches all due sources in parallel, keeps what is new, and dispatches it.
 * Several fetchers share a run's sources. See newsmill-fetcher.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "text/mojibake.h"

#define DISPATCH_MS 100
#define LEASE_CHECK_MS 1000
#define HALT_MS 3000          /* several repetitions of the breaker */
#define REASON_MAX 256
#define HTTP_GONE 410
#define HEADER_MAX 1000       /* bytes of a validator */
#define ADDRESS_MAX 2000      /* the unique index on addresses is bounded */
#define CONDITIONAL_MOST 3    /* failures in a row; then validators are left out, they may be the cause */
#define KEEP_MS 10000
#define STALE_S 25           /* beyond fetcher.timeout, a claim is nobody's */

static void claim (struct fetcher *self);
static void on_dispatch_time (struct stage *stage, void *arg);
static void on_lease_time (struct stage *stage, void *arg);

void
fetch_free (struct fetch *fetch)
{
    free (fetch->domain);
    free (fetch->user_agent);
    free (fetch->moved_to);
    free (fetch->url);
    free (fetch->title);
    free (fetch->etag);
    free (fetch->last_modified);
    free (fetch);
}

/* ---- one source ---- */

/* What a publisher sent as a header, if the database takes it and it can be sent back. */
static const char *
header_text (const char *value)
{
    size_t bytes = value ? strlen (value) : 0;
    if (!bytes || bytes > HEADER_MAX || utf8_valid_bytes (value, bytes) != bytes)
        return NULL;
    for (const char *p = value; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f)
            return NULL;
    return value;
}

static int64_t
wait_s (const struct fetch *fetch, const struct catch *caught)
{
    const struct settings *s = stage_settings (fetch->fetcher->stage);
    const struct schedule_rules rules = { s->fetcher_respect_hints, s->fetcher_adaptive, s->fetcher_min_interval,
                                          s->fetcher_max_interval };
    if (!caught->error)
        return schedule_wait_s (&rules, &fetch->schedule, caught->fresh_s, clock_wall_us () / US_PER_S);
    int64_t wait = schedule_backoff_s (schedule_failure_of (caught->status), fetch->failures + 1, s->fetcher_backoff_max,
                                       num_random ());
    return MAX_OF (wait, hold_pause_s (fetch->fetcher, caught->retry_after_ms));
}

/* Once more, as the connection may have broken, or another fetcher taken the same keys in another order; what the database does
 * not take then is a fault of this feed, and no reason to read it again and again. */
static void
take_in (struct fetch *fetch, struct catch *caught)
{
    struct fetcher *self = fetch->fetcher;
    char url[LOG_QUOTE_SIZE], reason[REASON_MAX];
    int64_t fresh = 0;
    int r = intake_commit (fetch, caught, &fresh);
    if (r < 0 && db_ready (self->db))
        r = intake_commit (fetch, caught, &fresh);
    if (r < 0 && db_ready (self->db)) {
        snprintf (reason, sizeof reason, "the database does not take it: %s", db_error (self->db));
        char *clean = utf8_clean (reason, strlen (reason), REASON_MAX);
        caught->error = clean;
        caught->wait_s = wait_s (fetch, caught);
        settle_add (fetch, caught);
        free (clean);
        return;
    }
    if (r == 0)
        move_look (fetch, caught->moved_to);
    if (fresh) {
        log_debug ("source=%" PRId64 " url=%s new=%" PRId64, fetch->source_id, log_quote (fetch->url, url), fresh);
        self->unlinked = true;
        page_turn (self);
        dispatch_turn (self);
    }
    fetch_free (fetch);
}

/* fetch: taken */
static void
finish (struct fetch *fetch, struct catch *caught)
{
    char url[LOG_QUOTE_SIZE], error[LOG_QUOTE_SIZE];
    char *reason = caught->error ? utf8_clean (caught->error, strlen (caught->error), REASON_MAX) : NULL;
    caught->error = reason;
    caught->wait_s = wait_s (fetch, caught);
    if (caught->gone)
        log_warn ("source=%" PRId64 " url=%s is switched off: %s", fetch->source_id, log_quote (fetch->url, url),
                  log_quote (reason, error));
    else if (reason && fetch->failures == 0)
        log_warn ("source=%" PRId64 " url=%s failed: %s", fetch->source_id, log_quote (fetch->url, url), log_quote (reason, error));
    zlistx_delete (fetch->fetcher->fetches, fetch->place);
    fetch->fetcher->fetched++;
    if (caught->feed)
        take_in (fetch, caught);
    else
        settle_add (fetch, caught);
    free (reason);
}

/* Once in a turn of the loop, not for each source: claims and what is written come in groups. */
static void
after_turn (struct fetcher *self)
{
    if (zlistx_size (self->fetches) < (size_t) stage_settings (self->stage)->fetcher_parallel / 2)
        claim (self);
    if (zlistx_size (self->fetches))
        return;
    settle_flush (self); /* all read: the run may be over */
    struct wire_result nothing_spent = { .header.run = self->run_id, .outcome = WIRE_SPENT };
    stage_report (self->stage, &nothing_spent);
}

static const char *
challenge_error (const struct http_response *response, char out[REASON_MAX])
{
    const char *who = challenge_of (response);
    if (!who)
        return NULL;
    snprintf (out, REASON_MAX, "HTTP %ld: a challenge of %s, which only a browser passes", response->status, who);
    return out;
}

static const char *
status_error (const struct http_response *response, char out[REASON_MAX])
{
    static const struct { long status; const char *meaning; } known[] = {
        { 304, "unchanged, but nothing was asked about" }, { 401, "the publisher wants a login" },
        { 403, "the publisher refuses us" },               { 404, "there is no such feed" },
        { HTTP_GONE, "the feed is gone for good" },        { 429, "the publisher wants fewer requests" },
        { 503, "the publisher is overloaded" },
    };
    long status = response->status;
    if (challenge_error (response, out))
        return out;
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
    char reason[FEED_REASON_SIZE], challenge[REASON_MAX];
    caught->body_hash = (int64_t) num_hash (response->body, response->body_bytes);
    if (caught->body_hash == fetch->body_hash) {
        caught->unchanged = true;
        finish (fetch, caught);
        return;
    }
    struct feed_hints hints = { response->url, response->content_type };
    if (feed_parse (response->body, response->body_bytes, &hints, &feed, reason) < 0)
        caught->error = challenge_error (response, challenge) ? challenge : reason;
    else {
        fetch->schedule = schedule_of_feed (feed, clock_wall_us ());
        if (feed->title && !fetch->title) {
            fetch->title = utf8_clean (feed->title, strlen (feed->title), 1000);
            mojibake_repair (fetch->title);
        }
        websub_seen (fetch->fetcher, fetch->source_id, feed, response);
    }
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
        .retry_after_ms = response->retry_after_ms, .etag = header_text (response->etag),
        .last_modified = header_text (response->last_modified), .body_hash = fetch->body_hash,
        .fresh_s = response->fresh_s,
    };
    if (response->moved_permanently && response->error == HTTP_OK && strlen (response->url) <= ADDRESS_MAX)
        caught.moved_to = header_text (response->url);
    if (response->error != HTTP_OK) {
        caught.error = response->reason;
        finish (fetch, &caught);
    } else if (response->status == 304 && (fetch->etag || fetch->last_modified)) {
        caught.unchanged = true;
        caught.etag = caught.etag ? caught.etag : fetch->etag;
        caught.last_modified = caught.last_modified ? caught.last_modified : fetch->last_modified;
        finish (fetch, &caught);
    } else if (response->status != 200) {
        caught.error = status_error (response, reason);
        caught.gone = response->status == HTTP_GONE;
        hold_if_asked (fetch->fetcher, response, caught.error);
        finish (fetch, &caught);
    } else
        take_body (fetch, response, &caught);
}

/* own: the source's choice, or NULL */
static size_t
teaser_words (const struct settings *s, const char *own)
{
    const char *choice = own ? own : s->fetcher_full_text;
    return streq (choice, "always") ? SIZE_MAX : streq (choice, "never") ? 0 : (size_t) s->fetcher_full_text_below;
}

static struct fetch *
fetch_new (struct fetcher *self, const PGresult *rows, int row)
{
    struct fetch *fetch = MEM_NEW (struct fetch);
    fetch->fetcher = self;
    memcpy (fetch->run, self->run, sizeof fetch->run);
    fetch->run_id = self->run_id;
    fetch->source_id = db_int (rows, row, 0);
    fetch->url = mem_dup (db_text (rows, row, 1));
    fetch->title = mem_dup (db_text (rows, row, 2));
    fetch->body_hash = db_int (rows, row, 5);
    fetch->failures = db_int (rows, row, 6);
    if (fetch->failures < CONDITIONAL_MOST) {
        fetch->etag = mem_dup (db_text (rows, row, 3));
        fetch->last_modified = mem_dup (db_text (rows, row, 4));
    }
    fetch->domain = mem_dup (db_text (rows, row, 7));
    fetch->user_agent = mem_dup (db_text (rows, row, 8));
    fetch->moved_to = mem_dup (db_text (rows, row, 9));
    fetch->moves = db_int (rows, row, 10);
    fetch->schedule = (struct schedule){ db_int (rows, row, 11), db_int (rows, row, 12), (uint32_t) db_int (rows, row, 13),
                                         (uint8_t) db_int (rows, row, 14) };
    fetch->is_first = db_int (rows, row, 15);
    fetch->teaser_words = teaser_words (stage_settings (self->stage), db_text (rows, row, 16));
    return fetch;
}

struct http_request
fetch_request (const struct fetcher *self, const char *url, const char *const *headers, const char *user_agent)
{
    const struct settings *s = stage_settings (self->stage);
    return (struct http_request){
        .url = url, .headers = headers, .connect_ms = s->fetcher_connect_timeout, .total_ms = s->fetcher_timeout,
        .idle_ms = s->fetcher_idle_timeout, .min_rate = s->fetcher_min_rate, .rate_after_ms = s->fetcher_idle_timeout,
        .max_body_bytes = (size_t) s->fetcher_max_body, .max_redirects = s->fetcher_max_redirects, .user_agent = user_agent,
    };
}

/* fetch: taken, and given back to on_response */
static void
start (struct fetcher *self, struct fetch *fetch)
{
    char *none_match = fetch->etag ? mem_printf ("If-None-Match: %s", fetch->etag) : NULL;
    char *since = fetch->last_modified ? mem_printf ("If-Modified-Since: %s", fetch->last_modified) : NULL;
    const char *headers[4] = { "Accept: application/rss+xml, application/atom+xml, application/feed+json;q=0.9,"
                               " application/xml;q=0.8, text/xml;q=0.8, */*;q=0.1" };
    size_t count = 1;
    if (none_match)
        headers[count++] = none_match;
    if (since)
        headers[count++] = since;
    struct http_request request = fetch_request (self, fetch->url, headers, fetch->user_agent);
    fetch->place = zlistx_add_end (self->fetches, fetch);
    http_start (self->http, &request, on_response, fetch);
    free (none_match);
    free (since);
}

/* ---- a run ---- */

static void
set_active (struct fetcher *self, bool active)
{
    if (self->active && !active)
        story_begin (self); /* no article waits for it */
    self->active = active;
    stage_set_busy (self->stage, active); /* claimed sources wait for a fetcher that died */
}

static void
claim (struct fetcher *self)
{
    const struct settings *s = stage_settings (self->stage);
    char room[24];
    if (!self->active || stage_is_stopping (self->stage) || zlistx_size (self->fetches) >= (size_t) s->fetcher_parallel
        || !db_ready (self->db))
        return;
    snprintf (room, sizeof room, "%" PRId64, s->fetcher_parallel - (int64_t) zlistx_size (self->fetches));
    PGresult *rows = db_query (self->db,
        "WITH mine AS (UPDATE \"RunSource\" r SET state = 'claimed', again = FALSE,"
        " \"claimedAt\" = " DB_NOW ", \"claimedBy\" = $3"
        " FROM (SELECT \"sourceId\" FROM \"RunSource\" WHERE \"runId\" = $1 AND state = 'due' ORDER BY place LIMIT $2"
        "  FOR UPDATE SKIP LOCKED) f WHERE r.\"runId\" = $1 AND r.\"sourceId\" = f.\"sourceId\" RETURNING r.\"sourceId\")"
        " SELECT id, url, title, etag, \"lastModified\", \"bodyHash\", failures, domain, \"userAgent\","
        " \"movedTo\", moves, \"hintS\", \"gapS\", \"skipHours\", \"skipDays\","
        " (\"lastSuccessAt\" IS NULL)::int, \"fullText\""
        " FROM \"Source\" JOIN mine ON \"sourceId\" = id", DB_VALUES (self->run, room, stage_worker (self->stage)));
    if (!rows) {
        log_warn ("no sources could be claimed: %s", db_error (self->db));
        return;
    }
    for (int i = 0; i < PQntuples (rows); i++)
        start (self, fetch_new (self, rows, i));
    PQclear (rows);
}

/* Claims that nobody finishes: of a fetcher that hangs, and our own, as nothing is under way, when the database did not take what
 * came of them. The collector sees to those of fetchers that died. */
static void
release_stale (struct fetcher *self)
{
    char stale[24];
    snprintf (stale, sizeof stale, "%" PRId64, stage_settings (self->stage)->fetcher_timeout / 1000 + STALE_S);
    if (db_run (self->db, NULL, "UPDATE \"RunSource\" SET state = 'due' WHERE \"runId\" = $1 AND state = 'claimed'"
                " AND (\"claimedAt\" < " DB_NOW " - $2::int * interval '1 second' OR \"claimedBy\" = $3)",
                DB_VALUES (self->run, stale, stage_worker (self->stage))) < 0)
        log_warn ("stale claims could not be released: %s", db_error (self->db));
}

/* A claimed source may wait long for its publisher's limit. */
static void
keep_claims (struct fetcher *self)
{
    self->kept_ms = clock_mono_ms ();
    page_keep (self);
    if (zlistx_size (self->fetches)
        && db_run (self->db, NULL, "UPDATE \"RunSource\" SET \"claimedAt\" = " DB_NOW " WHERE \"runId\" = $1 AND state = 'claimed'"
                   " AND \"claimedBy\" = $2", DB_VALUES (self->run, stage_worker (self->stage))) < 0)
        log_warn ("claims could not be renewed: %s", db_error (self->db));
}

static void
begin_run (struct fetcher *self, const struct uuid *run)
{
    if (self->active && uuid_equal (run, &self->run_id))
        return;
    set_active (self, true);
    self->halted_until_ms = 0;
    self->pages_due = true; /* what earlier runs left */
    self->run_id = *run;
    uuid_format (run, self->run);
    if (db_ready (self->db)) {
        hold_fill_domains (self);
        hold_release (self);
    }
    claim (self);
    if (!self->dispatch_timed)
        stage_after (self->stage, 0, on_dispatch_time, self);
    if (!self->lease_timed)
        stage_after (self->stage, LEASE_CHECK_MS, on_lease_time, self);
    self->dispatch_timed = self->lease_timed = true;
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

/* Only while a run is open, or pages are left of one: an idle mill costs nothing here. */
static void
on_dispatch_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    self->dispatch_timed = self->active || self->pages_due || zlistx_size (self->visits);
    if (!self->dispatch_timed)
        return;
    page_turn (self);
    dispatch_turn (self);
    stage_after (stage, DISPATCH_MS, on_dispatch_time, self);
}

static void
on_lease_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    self->lease_timed = (self->active || zlistx_size (self->visits)) && !stage_is_stopping (stage);
    if (!self->lease_timed)
        return;
    if (db_ready (self->db) && clock_mono_ms () - self->kept_ms >= KEEP_MS)
        keep_claims (self);
    if (self->active && db_ready (self->db)) {
        dispatch_release_expired (self);
        look_for_run (self);
        hold_release (self);
        if (!zlistx_size (self->fetches) && !self->settled_count)
            release_stale (self);
        claim (self);
        self->pages_due = true; /* of another fetcher that died, or to be tried again */
    }
    stage_after (stage, LEASE_CHECK_MS, on_lease_time, self);
}

static void
on_http (struct stage *stage UNUSED, void *arg)
{
    struct fetcher *self = arg;
    uint64_t before = self->fetched;
    http_turn (self->http);
    if (self->fetched > before)
        after_turn (self);
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
    self->held = zhashx_new ();
    self->fetches = zlistx_new ();
    self->visits = zlistx_new ();
    struct http_settings http = { .user_agent = s->fetcher_user_agent, .allow_private = s->fetcher_allow_private,
                                  .max_total = (size_t) s->fetcher_parallel, .max_per_host = (size_t) s->fetcher_per_host,
                                  .max_per_domain = (size_t) s->fetcher_per_domain, .is_held = hold_is_on,
                                  .context = self };
    self->http = http_new (&http);
    if (!self->http) {
        log_error ("cannot start the HTTP client");
        return -EIO;
    }
    stage_watch_fd (stage, http_fd (self->http), false, on_http, self);
    self->unlinked = true; /* who knows what the last one left */
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
    settle_flush (self);
    page_hand_back (self);
    if (zlistx_size (self->fetches) && db_ready (self->db)
        && db_run (self->db, NULL, "UPDATE \"RunSource\" SET state = 'due' WHERE \"claimedBy\" = $1 AND state = 'claimed'",
                   DB_VALUES (stage_worker (stage))) < 0)
        log_warn ("sources could not be handed back: %s", db_error (self->db));
}

static void
on_statistics (void *state, json_t *numbers)
{
    struct fetcher *self = state;
    json_object_set_new (numbers, "fetching", json_integer ((json_int_t) zlistx_size (self->fetches)));
    json_object_set_new (numbers, "fetched", json_integer ((json_int_t) self->fetched));
    json_object_set_new (numbers, "pages", json_integer ((json_int_t) self->pages));
    json_object_set_new (numbers, "dispatched", json_integer ((json_int_t) self->dispatched));
}

static void
on_finish (struct stage *stage UNUSED, void *state)
{
    struct fetcher *self = state;
    http_destroy (&self->http);
    struct fetch *fetch;
    while ((fetch = zlistx_detach (self->fetches, NULL)) != NULL)
        fetch_free (fetch);
    zlistx_destroy (&self->fetches);
    page_forget (self);
    settle_forget (self);
    zhashx_destroy (&self->held);
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
