/* collector - the book-keeper: writes stage results into the ledger, opens and closes runs, knows who is alive, and
 * answers requests. One is active; a second waits for its lock. See newsmill-collector.8.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define FLUSH_MS 25           /* from a change to its writing: results are written in groups */
#define FOLLOW_MS 200        /* an open run is looked at so often even when nothing is heard */
#define CHECK_MS 60000
#define STANDBY_MS 1000
#define HEAD_START_MS 3000   /* of who was in office before the database was away: it knows the workers */
#define DRAIN_MS 20000
#define READS_PER_TURN 500

static void
flush (struct stage *stage UNUSED, void *arg)
{
    struct collector *self = arg;
    self->flush_due = false;
    ledger_flush (self);
    run_follow (self);
}

void
collector_flush_soon (struct collector *self)
{
    if (!self->flush_due)
        stage_after (self->stage, FLUSH_MS, flush, self);
    self->flush_due = true;
}

/* Only while a run is open: an idle mill costs nothing here. */
static void
follow (struct stage *stage, void *arg)
{
    struct collector *self = arg;
    run_repeat_tick (self);
    run_repeat_refusal (self);
    flush (stage, self);
    if (self->run.open)
        stage_after (stage, FOLLOW_MS, follow, self);
}

static void
on_results (struct stage *stage UNUSED, void *arg)
{
    struct collector *self = arg;
    for (int i = 0; i < READS_PER_TURN; i++) {
        zframe_t *frame = zframe_recv_nowait (self->results);
        union wire_message message;
        enum wire_type type;
        if (!frame)
            break;
        if (FAULT_POINT ("hearing")) {
            zframe_destroy (&frame);
            continue;
        }
        int r = zframe_more (frame) ? -EBADMSG
                : wire_decode (zframe_data (frame), zframe_size (frame), &type, &message);
        if (r < 0 || (type != WIRE_RESULT && type != WIRE_HEARTBEAT))
            log_warn ("refused a frame of %zu bytes on the results", zframe_size (frame));
        else if (type == WIRE_RESULT)
            ledger_result (self, &message.result);
        else if (type == WIRE_HEARTBEAT)
            workers_heartbeat (self, &message.heartbeat);
        zframe_destroy (&frame);
    }
    if (self->changed)
        collector_flush_soon (self);
    self->changed = false;
}

static void
on_request (struct stage *stage, void *arg)
{
    struct collector *self = arg;
    bool was_open = self->run.open;
    status_answer (self);
    if (self->run.open && !was_open)
        stage_after (stage, FOLLOW_MS, follow, self);
}

static void
sweep (struct stage *stage UNUSED, void *arg)
{
    struct collector *self = arg;
    workers_sweep (self);
    if (self->changed)
        flush (self->stage, self);
    self->changed = false;
}

static void
extend (struct stage *stage UNUSED, void *arg)
{
    ledger_extend (arg);
}

static void
check (struct stage *stage UNUSED, void *arg)
{
    budget_sweep (arg);
    budget_look (arg);
    ledger_check (arg);
}

static int
serve (struct collector *self)
{
    const struct settings *s = stage_settings (self->stage);
    self->router = stage_bind_collector (self->stage, ZMQ_ROUTER);
    if (!self->router)
        return -EADDRINUSE;
    self->results = stage_connect_link (self->stage, ZMQ_PULL, WIRE_RESULTS, STAGE_OUT);
    stage_watch_socket (self->stage, self->router, on_request, self);
    stage_watch_socket (self->stage, self->results, on_results, self);
    stage_timer (self->stage, WORKERS_SWEEP_MS, sweep, self);
    follow (self->stage, self);
    stage_timer (self->stage, s->delivery_lease * 250, extend, self);
    stage_timer (self->stage, CHECK_MS, check, self);
    return 0;
}

/* The lock lives as long as the connection that took it, and so does SET: after each opening they are made anew. */
bool
collector_ready (struct collector *self)
{
    if (self->displaced || !db_ready (self->db))
        return false;
    if (db_reopened (self->db))
        self->holds_lock = false;
    if (self->holds_lock)
        return true;
    if (db_try_lock (self->db, DB_LOCK_COLLECTOR, &self->holds_lock) < 0) {
        log_debug ("the collector's lock could not be asked for: %s", db_error (self->db));
        return false;
    }
    if (self->holds_lock && db_run (self->db, NULL, "SET synchronous_commit = on", 0, NULL) < 0)
        self->holds_lock = false;
    else if (self->active && !self->holds_lock) {
        self->displaced = true;
        log_warn ("another collector took over while the database was away");
        if (!self->draining)
            stage_stop (self->stage, EXIT_TEMP);
    }
    return self->holds_lock;
}

static void
take_office (struct stage *stage, void *arg)
{
    struct collector *self = arg;
    int64_t now = clock_mono_ms ();
    if (self->active || !db_ready (self->db))
        return;
    if (db_reopened (self->db)) {
        self->stand_back_ms = self->stands_by ? now + HEAD_START_MS : now;
        self->stands_by = true;
    }
    if (now < self->stand_back_ms || !collector_ready (self))
        return;
    self->active = true;
    run_load (self);
    workers_load (self);
    budget_look (self);
    ledger_check (self);
    if (serve (self) < 0)
        stage_stop (stage, EXIT_TEMP);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    struct collector *self = MEM_NEW (struct collector);
    *ret_state = self;
    self->stage = stage;
    self->db = stage_db (stage);
    self->recent = json_array ();
    self->unrecorded = json_array ();
    self->checkpoints = json_array ();
    self->faults = json_array ();
    workers_init (self);
    stage_timer (stage, STANDBY_MS, take_office, self);
    take_office (stage, self);
    if (!self->active)
        log_info ("another collector is active, standing by");
    return 0;
}

/* No new run; the one in progress gets its time, then its leases are handed back. */
static void
on_stop (struct stage *stage UNUSED, void *state)
{
    struct collector *self = state;
    self->draining = true;
    self->drain_until_ms = clock_mono_ms () + DRAIN_MS;
}

static bool
is_idle (void *state)
{
    struct collector *self = state;
    bool written = json_array_size (self->faults) == 0 && json_array_size (self->checkpoints) == 0 && !self->counts_changed;
    return self->displaced || (!self->run.open && (written || !db_connection (self->db)));
}

static void
on_finish (struct stage *stage, void *state)
{
    struct collector *self = state;
    ledger_flush (self);
    if (self->active)
        workers_keep (self);
    stage_close (stage, &self->results);
    stage_close (stage, &self->router);
    zhashx_destroy (&self->workers);
    free (self->seen);
    json_decref (self->recent);
    json_decref (self->unrecorded);
    json_decref (self->checkpoints);
    json_decref (self->faults);
    json_decref (self->conservation);
    json_decref (self->budget.document);
    buf_fini (&self->budget.settled);
    free (self);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "collector",
        .in = WIRE_NO_LINK,
        .out = WIRE_NO_LINK,
        .publishes = STAGE_LINK (WIRE_TICKS) | STAGE_LINK (WIRE_EVENTS),
        .database = &stage_postgres,
        .start = on_start,
        .on_stop = on_stop,
        .is_idle = is_idle,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
