/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define MISSED_HEARTBEATS 3
#define LOST_HEARTBEATS 5   /* longer than it takes to see that an idle one, heard of at every third, is late */
#define CLOCK_SKEW_MS 30000
#define CLOCK_STEADY_MS 5000
#define CLOCK_MAX_MS (INT64_C (1) << 53)

static void
worker_destroy (void **ref)
{
    struct worker *worker = *ref;
    free (worker->held);
    json_decref (worker->statistics);
    free (worker);
    *ref = NULL;
}

void
workers_init (struct collector *self)
{
    self->workers = zhashx_new ();
    zhashx_set_destructor (self->workers, worker_destroy);
}

static void
copy_text (char *out, size_t size, const struct wire_bytes *text)
{
    snprintf (out, size, "%.*s", (int) text->size, text->data);
}

static struct worker *
worker_of (struct collector *self, const struct wire_bytes *stage, const struct wire_bytes *name)
{
    /* With its stage: nobody passes for a worker of another one. */
    char key[128];
    snprintf (key, sizeof key, "%.*s/%.*s", (int) stage->size, stage->data, (int) name->size, name->data);
    struct worker *worker = zhashx_lookup (self->workers, key);
    if (!worker) {
        worker = MEM_NEW (struct worker);
        copy_text (worker->stage, sizeof worker->stage, stage);
        copy_text (worker->name, sizeof worker->name, name);
        worker->state = WIRE_ALIVE;
        worker->interval_ms = (uint32_t) stage_settings (self->stage)->delivery_heartbeat;
        zhashx_insert (self->workers, key, worker);
    }
    worker->seen_ms = clock_mono_ms ();
    return worker;
}

bool
workers_stay (const struct collector *self)
{
    static const char *const stages[] = { "summarizer", "chunker", "embedder", "writer" };
    for (const struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        for (size_t i = 0; i < COUNT_OF (stages); i++)
            if (streq (w->stage, stages[i]) && w->state == WIRE_ALIVE)
                return true;
    return false;
}

static void
hold (struct worker *worker, uint64_t article)
{
    if (worker->held_count == worker->held_room) {
        worker->held_room = worker->held_room ? 2 * worker->held_room : 64;
        worker->held = mem_grow (worker->held, worker->held_room, sizeof *worker->held);
    }
    worker->held[worker->held_count++] = article;
}

static void
let_go (struct worker *worker, uint64_t article)
{
    for (size_t i = 0; i < worker->held_count; i++)
        if (worker->held[i] == article) {
            worker->held[i] = worker->held[--worker->held_count];
            return;
        }
}

/* Deadlines are times of day, so clocks must agree; a heartbeat that was on its way for a while makes a small difference too. */
static void
compare_clocks (struct worker *worker)
{
    const json_t *clock = json_object_get (worker->statistics, "clockMs");
    int64_t theirs = json_integer_value (clock), before = worker->skew_ms;
    if (!json_is_integer (clock) || theirs < 0 || theirs > CLOCK_MAX_MS)
        return;
    worker->skew_ms = theirs - clock_wall_us () / 1000;
    json_object_del (worker->statistics, "clockMs");
    bool off = worker->skew_ms > CLOCK_SKEW_MS || worker->skew_ms < -CLOCK_SKEW_MS;
    /* One that waited for a broker that was away is late once; a wrong clock is wrong again. */
    bool again = worker->skew_ms - before < CLOCK_STEADY_MS && before - worker->skew_ms < CLOCK_STEADY_MS;
    if (off && !again)
        return;
    if (off && !worker->skew_told)
        log_warn ("the clock of %s (%s) is %" PRId64 " s %s ours: set both by NTP, or its articles come too late for their runs",
                  worker->host, worker->name, (worker->skew_ms < 0 ? -worker->skew_ms : worker->skew_ms) / 1000,
                  worker->skew_ms < 0 ? "behind" : "ahead of");
    worker->skew_told = off;
}

void
workers_heartbeat (struct collector *self, const struct wire_heartbeat *heartbeat)
{
    struct worker *worker = worker_of (self, &heartbeat->stage, &heartbeat->worker);
    copy_text (worker->host, sizeof worker->host, &heartbeat->host);
    worker->pid = heartbeat->pid;
    worker->state = heartbeat->state;
    worker->interval_ms = heartbeat->interval_ms;
    worker->held_count = 0;
    for (size_t i = 0; i < heartbeat->held.size / 8; i++)
        hold (worker, wire_id_at (&heartbeat->held, i));
    json_decref (worker->statistics);
    worker->statistics = json_loadb (heartbeat->statistics.data, heartbeat->statistics.size, 0, NULL);
    compare_clocks (worker);
}

void
workers_result (struct collector *self, const struct wire_result *result)
{
    if (!result->header.article || !result->worker.size)
        return;
    struct worker *worker = worker_of (self, &result->stage, &result->worker);
    let_go (worker, result->header.article);
}

static void
worker_lost (struct collector *self, struct worker *worker)
{
    bool is_broker = streq (worker->stage, "broker");
    log_warn ("%s missed %d heartbeats, its articles go to others held=%zu", worker->name, MISSED_HEARTBEATS,
              worker->held_count);
    if (streq (worker->stage, "fetcher")
        && db_run (self->db, NULL, "UPDATE \"RunSource\" SET state = 'due' WHERE \"claimedBy\" = $1 AND state = 'claimed'",
                   DB_VALUES (worker->name)) < 0)
        log_warn ("the sources of a lost fetcher wait for their time-out: %s", db_error (self->db));
    /* The broker only carries: whatever killed it was not the article. */
    for (size_t i = 0; i < worker->held_count; i++)
        ledger_fault (self, worker->held[i], 0, is_broker ? "returned" : "crashed",
                      is_broker ? "the broker went away" : "its worker died");
}

/* A collector that was held up itself (a slow database, a stopped machine) has not heard anybody: it listens first. */
static bool
was_held_up (struct collector *self, int64_t now)
{
    int64_t gap = now - self->swept_ms;
    self->swept_ms = now;
    if (gap < 2 * WORKERS_SWEEP_MS)
        return false;
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        w->seen_ms = now;
    return true;
}

/* What waits for a worker with full hands, in a pipe, is in nobody's hands and well. */
static bool
has_waiting (const struct worker *worker)
{
    static const char queued[] = ".queued";
    const char *key;
    json_t *value;
    json_object_foreach (worker->statistics, key, value) {
        size_t size = strlen (key);
        bool counts = streq (key, "full") || (size > sizeof queued && streq (key + size - (sizeof queued - 1), queued));
        if (counts && json_number_value (value) > 0)
            return true;
    }
    return false;
}

/* Whether whatever is under way must be in somebody's hands: nobody's are full, nothing is queued, no stage lacks a worker, and
 * all were heard of as lately as they promised: one that stands still for a while has what waits for it when it goes on. */
static bool
nothing_waits (const struct collector *self, int64_t now)
{
    static const char *const needed[] = { "broker", "summarizer", "chunker", "embedder", "writer" };
    size_t counts[COUNT_OF (needed)] = { 0 };
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers)) {
        if (now - w->seen_ms > w->interval_ms + w->interval_ms / 2)
            return false;
        for (size_t i = 0; i < COUNT_OF (needed); i++) {
            if (!streq (w->stage, needed[i]))
                continue;
            bool tells = i == 0 || json_object_get (w->statistics, "full");
            if (!tells || has_waiting (w))
                return false;
            counts[i] += w->state == WIRE_ALIVE;
        }
    }
    for (size_t i = 0; i < COUNT_OF (needed); i++)
        if (!counts[i])
            return false;
    return true;
}

/* An article that nobody has in hand for so long, while nothing could wait anywhere, was lost on the way: in a pipe to a
 * process that died. The lease would tell too, much later. Leases of what is in hand are kept young, so that one's age tells
 * how long it is in nobody's: from hand to hand nobody tells of it for a moment. */
static void
look_for_lost (struct collector *self, int64_t now)
{
    int64_t least_ms = LOST_HEARTBEATS * stage_settings (self->stage)->delivery_heartbeat;
    if (!nothing_waits (self, now)) {
        self->clear_ms = 0;
        return;
    }
    ledger_extend (self, least_ms / 2);
    if (!self->clear_ms)
        self->clear_ms = now;
    else if (now - self->clear_ms >= least_ms)
        ledger_release_lost (self, least_ms);
}

void
workers_sweep (struct collector *self)
{
    int64_t now = clock_mono_ms ();
    if (was_held_up (self, now)) {
        self->clear_ms = 0;
        return;
    }
    zlistx_t *names = zhashx_keys (self->workers);
    for (char *name = zlistx_first (names); name; name = zlistx_next (names)) {
        struct worker *worker = zhashx_lookup (self->workers, name);
        bool left = worker->state == WIRE_LEAVING && worker->held_count == 0;
        int64_t interval = worker->interval_ms; /* and half of one, for the way of the third */
        if (now - worker->seen_ms <= MISSED_HEARTBEATS * interval + interval / 2)
            continue;
        if (!left)
            worker_lost (self, worker);
        zhashx_delete (self->workers, name);
    }
    zlistx_destroy (&names);
    if (!json_array_size (self->faults)) /* else what a lost worker had would be dispatched before that is written, and again after */
        look_for_lost (self, now);
}
