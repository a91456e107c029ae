/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/collector/collector.h"

#define MISSED_HEARTBEATS 3
#define UNTOLD_HEARTBEATS 2   /* that long nobody names an article that died with its worker before it could be told */
#define LOST_HEARTBEATS 5     /* longer than it takes to see that an idle one, heard of at every third, is late */
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

/* Without a word, before it is taken for dead: the time it named, which is longer for one that is idle, and two heartbeats more, and
 * half of one for the way. */
static int64_t
patience_ms (const struct collector *self, const struct worker *worker)
{
    int64_t heartbeat = stage_settings (self->stage)->delivery_heartbeat;
    return worker->interval_ms + (MISSED_HEARTBEATS - 1) * heartbeat + heartbeat / 2;
}

/* The idlest is heard of at every third heartbeat, so then nobody can be: the broker is away, or stands still. Sooner than the
 * busiest is missed. */
static bool
is_silent (const struct collector *self, int64_t now)
{
    int64_t heartbeat = stage_settings (self->stage)->delivery_heartbeat;
    return now - self->heard_ms > 3 * heartbeat + heartbeat / 4;
}

/* Time in which nobody could be heard does not count, but for the broker. */
static void
hear (struct collector *self, int64_t now)
{
    if (is_silent (self, now))
        for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
            if (!streq (w->stage, "broker"))
                w->seen_ms += now - self->heard_ms;
    self->heard_ms = now;
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
    hear (self, clock_mono_ms ());
    worker->seen_ms = self->heard_ms;
    return worker;
}

/* Somebody has the article, or had it just now. */
static void
see (struct collector *self, uint64_t article)
{
    if (self->seen_count == self->seen_room) {
        self->seen_room = self->seen_room ? 2 * self->seen_room : 256;
        self->seen = mem_grow (self->seen, self->seen_room, sizeof *self->seen);
    }
    self->seen[self->seen_count++] = (struct seen){ article, clock_mono_ms () };
}

static void
forget_seen (struct collector *self, int64_t now)
{
    int64_t since = now - LOST_HEARTBEATS * stage_settings (self->stage)->delivery_heartbeat;
    size_t old = 0;
    while (old < self->seen_count && self->seen[old].at_ms < since)
        old++;
    if (!old)
        return;
    self->seen_count -= old;
    memmove (self->seen, self->seen + old, self->seen_count * sizeof *self->seen);
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
    for (size_t i = 0; i < heartbeat->held.size / 8; i++) {
        hold (worker, wire_id_at (&heartbeat->held, i));
        see (self, wire_id_at (&heartbeat->held, i));
    }
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
    see (self, result->header.article);
}

/* Given on since its holder was last heard of. */
static bool
is_held_by_another (const struct collector *self, const struct worker *worker, uint64_t article)
{
    for (const struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        for (size_t i = 0; w != worker && i < w->held_count; i++)
            if (w->held[i] == article && w->seen_ms > worker->seen_ms)
                return true;
    return false;
}

static void
worker_lost (struct collector *self, struct worker *worker)
{
    bool is_broker = streq (worker->stage, "broker"), left = worker->state == WIRE_LEAVING;
    log_warn ("%s missed %d heartbeats, its articles go to others held=%zu", worker->name, MISSED_HEARTBEATS,
              worker->held_count);
    if (streq (worker->stage, "fetcher")
        && db_run (self->db, NULL, "UPDATE \"RunSource\" SET state = 'due' WHERE \"claimedBy\" = $1 AND state = 'claimed'",
                   DB_VALUES (worker->name)) < 0)
        log_warn ("the sources of a lost fetcher wait for their time-out: %s", db_error (self->db));
    /* The broker only carries: whatever killed it was not the article. Who was told to leave ran out of time. */
    for (size_t i = 0; i < worker->held_count; i++)
        if (!is_held_by_another (self, worker, worker->held[i]))
            ledger_fault (self, worker->held[i], 0, is_broker || left ? "returned" : "crashed",
                          is_broker ? "the broker went away" : left ? "its worker left" : "its worker died");
}

/* ---- for the collector that follows this one ---- */

static json_t *
worker_document (const struct worker *worker, int64_t now)
{
    json_t *held = json_array ();
    for (size_t i = 0; i < worker->held_count; i++)
        json_array_append_new (held, json_integer ((json_int_t) worker->held[i]));
    return json_pack ("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "stage", worker->stage, "worker", worker->name, "host", worker->host,
                      "pid", (json_int_t) worker->pid, "state", (json_int_t) worker->state, "intervalMs", (json_int_t) worker->interval_ms,
                      "ageMs", (json_int_t) (now - worker->seen_ms), "held", held);
}

/* While anybody may have anything in hand; then once more, that nobody is missed whom the next collector need not know. */
void
workers_keep (struct collector *self)
{
    int64_t now = clock_mono_ms ();
    bool keeps = self->run.open;
    for (const struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers))
        keeps |= w->held_count > 0;
    if ((!keeps && !self->kept) || !collector_ready (self))
        return;
    json_t *workers = json_array ();
    for (const struct worker *w = keeps ? zhashx_first (self->workers) : NULL; w; w = zhashx_next (self->workers))
        json_array_append_new (workers, worker_document (w, now));
    char *text = json_dumps (workers, JSON_COMPACT);
    if (db_run (self->db, NULL, "INSERT INTO \"Heartbeat\" (at, workers) VALUES (" DB_NOW ", $1::json)"
                " ON CONFLICT (one) DO UPDATE SET at = EXCLUDED.at, workers = EXCLUDED.workers", DB_VALUES (text)) < 0)
        log_warn ("what workers have in hand could not be kept: %s", db_error (self->db));
    else
        self->kept = keeps;
    free (text);
    json_decref (workers);
}

/* age_ms: of the document */
static void
remember (struct collector *self, json_t *document, int64_t age_ms)
{
    const char *stage, *name, *host;
    json_int_t pid, state, interval, age;
    json_t *held, *article;
    size_t i;
    if (json_unpack (document, "{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "stage", &stage, "worker", &name, "host", &host, "pid", &pid,
                     "state", &state, "intervalMs", &interval, "ageMs", &age, "held", &held) < 0)
        return;
    struct wire_bytes stage_text = wire_text (stage), name_text = wire_text (name), host_text = wire_text (host);
    struct worker *worker = worker_of (self, &stage_text, &name_text);
    copy_text (worker->host, sizeof worker->host, &host_text);
    worker->pid = (uint32_t) pid;
    worker->state = (uint32_t) state;
    worker->interval_ms = (uint32_t) interval;
    json_array_foreach (held, i, article)
        hold (worker, (uint64_t) json_integer_value (article));
    /* Who has something in hand tells at every interval, and is given the time to do so once more. */
    if (worker->held_count)
        worker->seen_ms -= MIN_OF (age + age_ms, patience_ms (self, worker) - interval - interval / 4);
}

void
workers_load (struct collector *self)
{
    self->heard_ms = clock_mono_ms ();
    PGresult *r = db_query (self->db, "SELECT " DB_US ("at") ", " DB_US (DB_NOW) ", workers FROM \"Heartbeat\"", 0, NULL);
    int64_t age_ms = r && PQntuples (r) ? (db_int (r, 0, 1) - db_int (r, 0, 0)) / 1000 : INT64_MAX;
    if (!r)
        log_warn ("what workers had in hand could not be read: %s", db_error (self->db));
    if (age_ms >= 0 && age_ms < stage_settings (self->stage)->delivery_lease * 1000) {
        json_t *workers = json_loads (db_text (r, 0, 2), 0, NULL), *document;
        size_t i;
        json_array_foreach (workers, i, document)
            remember (self, document, age_ms);
        json_decref (workers);
    }
    PQclear (r);
    self->kept = true; /* by the one before */
    self->swept_ms = clock_mono_ms ();
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

/* Whether whatever is under way must be in somebody's hands: nobody's are full, nothing is queued, and no stage lacks a worker.
 * all: of those too that were not heard of as lately as they promised: one that stands still for a while has what waits for it when
 * it goes on. */
static bool
nothing_waits (const struct collector *self, int64_t now, bool all)
{
    static const char *const needed[] = { "broker", "summarizer", "chunker", "embedder", "writer" };
    size_t counts[COUNT_OF (needed)] = { 0 };
    for (struct worker *w = zhashx_first (self->workers); w; w = zhashx_next (self->workers)) {
        bool late = now - w->seen_ms > w->interval_ms + w->interval_ms / 2;
        if (late && all)
            return false;
        for (size_t i = 0; i < COUNT_OF (needed); i++) {
            if (!streq (w->stage, needed[i]))
                continue;
            bool tells = i == 0 || json_object_get (w->statistics, "full");
            if (!tells || has_waiting (w))
                return false;
            counts[i] += w->state == WIRE_ALIVE && !late;
        }
    }
    for (size_t i = 0; i < COUNT_OF (needed); i++)
        if (!counts[i])
            return false;
    return true;
}

/* An article that nobody had in hand for so long, while nothing could wait anywhere, was lost on the way: in a pipe to a process
 * that died. The lease would tell too, much later. Where a worker was just found dead, sooner: it may have died before it could
 * tell what it had taken. Then those that are late are not waited for; at the worst one of them has it as well. */
static void
look_for_lost (struct collector *self, int64_t now, bool one_died)
{
    int64_t heartbeat = stage_settings (self->stage)->delivery_heartbeat;
    if (one_died && nothing_waits (self, now, false))
        ledger_release_lost (self, UNTOLD_HEARTBEATS * heartbeat);
    if (!nothing_waits (self, now, true))
        self->clear_ms = 0;
    else if (!self->clear_ms)
        self->clear_ms = now;
    else if (now - self->clear_ms >= LOST_HEARTBEATS * heartbeat)
        ledger_release_lost (self, LOST_HEARTBEATS * heartbeat);
}

void
workers_sweep (struct collector *self)
{
    int64_t now = clock_mono_ms ();
    bool one_died = false, silent = is_silent (self, now);
    if (was_held_up (self, now)) {
        self->clear_ms = 0;
        return;
    }
    zlistx_t *names = zhashx_keys (self->workers);
    for (char *name = zlistx_first (names); name; name = zlistx_next (names)) {
        struct worker *worker = zhashx_lookup (self->workers, name);
        bool left = worker->state == WIRE_LEAVING && worker->held_count == 0;
        if (now - worker->seen_ms <= patience_ms (self, worker) || (silent && !streq (worker->stage, "broker")))
            continue;
        if (!left)
            worker_lost (self, worker);
        one_died |= !left;
        zhashx_delete (self->workers, name);
    }
    zlistx_destroy (&names);
    forget_seen (self, now);
    if (one_died)
        ledger_flush (self);
    if (!json_array_size (self->faults)) /* else what a lost worker had would be dispatched before that is written, and again after */
        look_for_lost (self, now, one_died);
    workers_keep (self);
}
