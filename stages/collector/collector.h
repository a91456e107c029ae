/* collector - the state of the process and what its files do for each other.
 *   run.c      opens, follows, adopts and closes runs
 *   ledger.c   writes results into the ledger, in groups
 *   counts.c   calls, tokens and cost, by run and by day
 *   workers.c  who is alive and what it holds
 *   status.c   answers requests
 *   websub.c   answers what hubs ask of the gateway
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef COLLECTOR_COLLECTOR_H
#define COLLECTOR_COLLECTOR_H

#include "base/fault.h"
#include "base/history.h"
#include "db/db.h"
#include "stage/stage.h"

#define RECENT_RUNS 10
#define CRITICAL_FAILURES 3
#define REASON_SIZE 1024

/* Of one stage: in the run in progress, or on a day. */
struct stage_count {
    char name[32];
    int64_t done, failed, returned, calls, tokens_in, tokens_out, busy_ms;
    int64_t unpriced;                /* calls that used tokens of which the server told no cost */
    double cost;
};
#define STAGE_COUNTS_MAX 16

struct counts {
    struct stage_count stages[STAGE_COUNTS_MAX];
    size_t count;
};

struct run {
    bool open;
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    int64_t started_us, started_ms;  /* wall, monotonic */
    int64_t scheduled_us;
    int64_t only;                    /* opened for this source alone; 0: for all that were due */
    bool confirmed;                  /* a fetcher took it up: the tick need not be repeated */
    char refused_stage[33];
    char refused[REASON_SIZE];       /* why the model refused; empty: it did not */
    char fault[REASON_SIZE];         /* the last fault, for when nothing could be stored */
    bool transient;                  /* some article failed through no fault of its own */
    int64_t slow_ms;                 /* since when (monotonic) it could close but for what is slow; 0: it could not yet */
    int64_t database_away_ms;        /* since when (monotonic), 0: it is there */
    int64_t database_lost_ms;        /* how long it was away in this run */
    struct counts counts;
};

/* What a provider asked the workers of a stage for. It outlives the run. */
struct gate {
    char stage[33];
    int64_t until_ms;                /* monotonic: no calls before */
    char reason[REASON_SIZE];
};
#define GATES_MAX 4

/* Over all runs; kept in memory, read from the database once. */
struct statistics {
    int64_t total, successful, failed, consecutive_failures;
    double duration_sum_ms;
    int64_t ran, skipped, missed;
};

struct collector {
    struct stage *stage;
    struct db *db;
    bool active;                     /* took office: serves */
    bool holds_lock;                 /* on the connection as it is now */
    bool stands_by;                  /* the database was there before */
    int64_t stand_back_ms;           /* until then the office is another one's to take */
    bool displaced;                  /* another one took office: what is open is its, and this one leaves at once */
    zsock_t *results, *router;
    struct run run;
    struct gate gates[GATES_MAX];
    size_t gate_count;
    struct statistics statistics;
    json_t *recent;                  /* array of runs, newest first */
    json_t *unrecorded;              /* runs that failed while the database was away */
    json_t *conservation;            /* the last check */
    struct counts unbooked;          /* of the day, since the last booking began */
    struct counts booking;           /* under way; it may have been committed unheard */
    uint64_t booking_number;
    bool counts_changed;             /* since they were last written; results may come after the run was closed */
    struct {
        bool paused;                 /* when last looked at */
        json_t *document;            /* likewise, for the status; NULL: there is no budget */
        struct buf settled;          /* ids of articles whose reservations end with the next writing of the counts: "1,2,3" */
    } budget;
    zhashx_t *workers;               /* name: struct worker */
    struct seen {
        uint64_t article;
        int64_t at_ms;
    } *seen;                         /* who was in somebody's hands lately, oldest first; some more than once */
    size_t seen_count, seen_room;
    json_t *checkpoints, *faults;    /* waiting for the next flush */
    bool changed, flush_due;         /* results wait to be written; the time for it is set */
    int64_t clear_ms;                /* since when nothing could wait in a pipe; 0: something may */
    int64_t swept_ms;                /* when the workers were last looked at */
    int64_t heard_ms;                /* when any of them was last heard of */
    bool kept;                       /* for the next collector: workers; false: none */
    bool late;                       /* the last run was closed with articles under way */
    int64_t failed_ms;               /* when the last run failed; 0: not since the start */
    bool draining;
    int64_t drain_until_ms;
};

/* ---- main.c ---- */

void collector_flush_soon (struct collector *self);
bool collector_ready (struct collector *self); /* connected, and still the one in office */

/* ---- run.c ---- */

void run_load (struct collector *self);    /* statistics, recent runs, and the open run if there is one */
/* A tick or a trigger. scheduled_us: of the tick; 0: a trigger. Returns the answer. given (json_decref) */
json_t *run_open (struct collector *self, int64_t scheduled_us);
/* A source is to be read at once: joins the run in progress, or opens one for it alone. Likewise */
json_t *run_open_for (struct collector *self, int64_t source);
void run_follow (struct collector *self);  /* closes the run if it is over */
void run_repeat_tick (struct collector *self);
void run_repeat_refusal (struct collector *self); /* the breaker is a state: a fetcher that starts must hear of it */
/* No calls of the stage for so long. A state, too: repeated until then, for workers that start. */
void run_gate (struct collector *self, const char *stage, int64_t wait_ms, const char *reason);
void run_event (struct collector *self, enum wire_event_kind kind, const char *stage, int64_t until_us, const char *reason);

/* ---- counts.c ---- */

void counts_load (struct collector *self);       /* of the open run */
void counts_add (struct collector *self, const struct wire_result *result);
void counts_write (struct collector *self);
void budget_settle (struct collector *self, uint64_t article); /* stored: what it cost is among the counts */
void budget_sweep (struct collector *self);
void budget_look (struct collector *self);       /* whether the day's budget has the mill pause, and how it stands */

/* ---- ledger.c ---- */

void ledger_result (struct collector *self, const struct wire_result *result);
void ledger_fault (struct collector *self, uint64_t article, uint32_t attempt, const char *kind, const char *reason);
void ledger_flush (struct collector *self);
void ledger_extend (struct collector *self);     /* leases of what live workers hold */
/* What nobody had in hand for so long, and was dispatched before, is due again. */
void ledger_release_lost (struct collector *self, int64_t least_ms);
void ledger_check (struct collector *self);      /* conservation */

/* ---- workers.c ---- */

struct worker {
    char stage[32], name[64], host[64];
    uint32_t pid, state, interval_ms;
    int64_t seen_ms, skew_ms;        /* skew: its clock less ours */
    bool skew_told;
    uint64_t *held;
    size_t held_count, held_room;
    json_t *statistics;
};
#define WORKERS_SWEEP_MS 1000
void workers_init (struct collector *self);
void workers_load (struct collector *self);      /* as the collector before last heard of them */
void workers_heartbeat (struct collector *self, const struct wire_heartbeat *heartbeat);
void workers_result (struct collector *self, const struct wire_result *result);
bool workers_stay (const struct collector *self); /* whether any has articles, or may get some, and is not leaving */
void workers_sweep (struct collector *self);     /* who missed three heartbeats loses its leases */
void workers_keep (struct collector *self);      /* for the next collector */

/* ---- status.c ---- */

void status_answer (struct collector *self);     /* one request from the router */
json_t *status_error (const char *code, const char *message); /* given (json_decref) */

/* ---- websub.c: operations; see WIRE.md ---- */

json_t *websub_secret (struct collector *self, const json_t *request);
json_t *websub_intent (struct collector *self, const json_t *request);
json_t *websub_pushed (struct collector *self, const json_t *request);

/* SQL of a timestamp as people and programs read it. */
#define SQL_TIME(column) "to_char (" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SQL_RUN "json_build_object ('id', id, 'startedAt', " SQL_TIME ("\"startedAt\"") \
    ", 'completedAt', " SQL_TIME ("\"completedAt\"") ", 'status', status, 'articlesProcessed', \"articlesProcessed\"," \
    " 'embeddingsCreated', \"embeddingsCreated\", 'durationMs', \"durationMs\", 'errorMessage', \"errorMessage\")"
/* When the run $1 was opened, by the clock that dates articles; so no older part of their table need be read. */
#define SQL_RUN_BEGIN "(SELECT \"createdAt\" - interval '1 minute' FROM \"JobRun\" WHERE id = $1)"
/* The single JSON value that sql yields, or NULL (db_error tells). given (json_decref) */
json_t *collector_json (struct collector *self, const char *sql, size_t count, const char *const *values);

#endif
