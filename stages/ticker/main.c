/* ticker - the clock: asks the collector to open a run at once and then by cron, and publishes the tick of each run that
 * was opened. Ticks that nobody could ask for are written down as missed. See newsmill-ticker.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/fault.h"
#include "cron/cron.h"
#include "db/db.h"
#include "stage/stage.h"

#define ASK_AGAIN_MS 250
#define GIVE_UP_MS 20000     /* then the tick counts as missed */
#define STANDBY_MS 5000
#define MISSED_MAX 1440      /* ticks written down after a longer absence */

struct ticker {
    struct stage *stage;
    struct cron cron;
    zsock_t *collector;      /* DEALER */
    int64_t scheduled_us;    /* the tick being asked for; 0: none */
    int64_t asked_since_ms;
    int64_t next_us;         /* the tick after it */
    bool buffered;           /* buffer_one: a tick waits for the run in its way */
    bool active;             /* holds the lock */
};

static void on_time (struct stage *stage, void *arg);

static void
write_missed (struct ticker *self, int64_t scheduled_us, const char *reason)
{
    char at[CLOCK_TEXT_SIZE];
    struct db *db = stage_db (self->stage);
    if (db_ready (db)
        && db_run (db, NULL, "INSERT INTO \"Tick\" (\"scheduledAt\", outcome, reason) VALUES ($1, 'missed', $2)"
                   " ON CONFLICT DO NOTHING", DB_VALUES (db_time (scheduled_us, at), reason)) < 0)
        log_warn ("cannot write down a missed tick: %s", db_error (db));
}

/* Since the last tick on record up to now. */
static void
write_absence (struct ticker *self)
{
    PGresult *last = db_query (stage_db (self->stage), "SELECT " DB_US ("max (\"scheduledAt\")") " FROM \"Tick\"", 0, NULL);
    int64_t at = last ? db_int (last, 0, 0) : 0, now = clock_wall_us ();
    PQclear (last);
    int count = 0;
    if (at > 0)
        for (at = cron_next (&self->cron, at); at < now - 60 * US_PER_S && count < MISSED_MAX;
             at = cron_next (&self->cron, at), count++)
            write_missed (self, at, "newsmill was not running");
    if (count)
        log_warn ("ticks were missed while newsmill was not running count=%d", count);
}

static void
plan_next (struct ticker *self)
{
    self->next_us = cron_next (&self->cron, clock_wall_us ());
    int64_t wait_ms = (self->next_us - clock_wall_us ()) / 1000 + 1;
    stage_after (self->stage, MIN_OF (wait_ms, INT64_C (30000)), on_time, self);
}

static void
ask (struct stage *stage, void *arg)
{
    struct ticker *self = arg;
    if (!self->scheduled_us || stage_is_stopping (stage))
        return;
    if (clock_mono_ms () - self->asked_since_ms > GIVE_UP_MS) {
        log_warn ("tick missed: the collector does not answer at %s", stage_settings (stage)->collector_endpoint);
        write_missed (self, self->scheduled_us, "the collector did not answer");
        self->scheduled_us = 0;
        return;
    }
    char request[96];
    snprintf (request, sizeof request, "{\"op\":\"open\",\"scheduled\":%" PRId64 "}", self->scheduled_us);
    zmsg_t *message = zmsg_new ();
    zmsg_addstr (message, "");
    zmsg_addstr (message, request);
    if (FAULT_POINT ("asking") || zmsg_send (&message, self->collector) < 0)
        zmsg_destroy (&message);
    stage_used (stage, self->collector);
    stage_after (stage, ASK_AGAIN_MS, ask, self);
}

static void
begin_tick (struct ticker *self, int64_t scheduled_us)
{
    self->scheduled_us = scheduled_us;
    self->asked_since_ms = clock_mono_ms ();
    ask (self->stage, self);
}

static void
on_time (struct stage *stage UNUSED, void *arg)
{
    struct ticker *self = arg;
    if (clock_wall_us () >= self->next_us) {
        if (self->scheduled_us)
            write_missed (self, self->scheduled_us, "the collector did not answer");
        int64_t newest = self->next_us, later;
        for (int i = 0; i < MISSED_MAX && (later = cron_next (&self->cron, newest)) <= clock_wall_us (); i++) {
            write_missed (self, newest, "the machine or the process stood still");
            newest = later;
        }
        begin_tick (self, newest);
    }
    plan_next (self);
}

static void
take_answer (struct ticker *self, const char *text)
{
    json_t *answer = json_loads (text, 0, NULL);
    const char *outcome = json_string_value (json_object_get (answer, "outcome"));
    const char *id = json_string_value (json_object_get (answer, "run"));
    struct wire_tick tick = { .scheduled_us = self->scheduled_us };
    bool opened = outcome && streq (outcome, "opened"), joined = outcome && streq (outcome, "joined");
    if (!self->scheduled_us || !outcome)
        log_debug ("no answer to a tick: %s", text);
    else {
        if (opened && id && uuid_parse (id, &tick.header.run) == 0 && !FAULT_POINT ("ticking"))
            stage_publish (self->stage, WIRE_TICKS, WIRE_TICK, &tick);
        self->buffered = joined && streq (stage_settings (self->stage)->ticker_overlap, "buffer_one");
        self->scheduled_us = 0;
    }
    json_decref (answer);
}

static void
on_collector (struct stage *stage UNUSED, void *arg)
{
    struct ticker *self = arg;
    zmsg_t *message = zmsg_recv (self->collector);
    zframe_t *last = message ? zmsg_last (message) : NULL;
    if (last) {
        char *text = zframe_strdup (last);
        take_answer (self, text);
        free (text);
    }
    zmsg_destroy (&message);
}

static void
on_event (struct stage *stage UNUSED, void *state, const struct wire_event *event)
{
    struct ticker *self = state;
    if (event->kind == WIRE_RUN_CLOSED && self->buffered) {
        self->buffered = false;
        begin_tick (self, clock_wall_us ());
    }
}

/* One ticker is active; a second waits for its lock. */
static void
take_office (struct stage *stage, void *arg)
{
    struct ticker *self = arg;
    bool held = false;
    struct db *db = stage_db (stage);
    /* The lock lives as long as the connection that took it; an idle connection tells of its end only when asked. */
    if (!db_ready (db) || db_run (db, NULL, "SELECT 1", 0, NULL) < 0 || (!db_reopened (db) && self->active))
        return;
    if (db_try_lock (db, DB_LOCK_TICKER, &held) < 0)
        return;
    if (!self->active && held) {
        self->active = true;
        write_absence (self);
        begin_tick (self, clock_wall_us ());
        plan_next (self);
    } else if (self->active && !held) {
        log_warn ("another ticker took over while the database was away");
        stage_stop (stage, EXIT_TEMP);
    }
}

static int
on_start (struct stage *stage, void **ret_state)
{
    const struct settings *s = stage_settings (stage);
    struct ticker *self = MEM_NEW (struct ticker);
    *ret_state = self;
    self->stage = stage;
    if (cron_parse (s->ticker_cron, &self->cron) < 0)
        return -EINVAL;
    self->collector = stage_connect_collector (stage, ZMQ_DEALER);
    zsock_set_sndtimeo (self->collector, 0);
    stage_watch_socket (stage, self->collector, on_collector, self);
    stage_timer (stage, STANDBY_MS, take_office, self);
    take_office (stage, self);
    if (!self->active)
        log_info ("another ticker is active, standing by");
    return 0;
}

static void
on_finish (struct stage *stage, void *state)
{
    struct ticker *self = state;
    stage_close (stage, &self->collector);
    free (self);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "ticker",
        .in = WIRE_NO_LINK,
        .out = WIRE_NO_LINK,
        .publishes = STAGE_LINK (WIRE_TICKS),
        .database = &stage_postgres,
        .start = on_start,
        .on_event = on_event,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
