/* supervise - starts processes, restarts those that die, stops them in order. One thread, one
 * signalfd.
 *
 * A stop goes through the phases in order: each gets its signal, then time to leave, then
 * SIGKILL; the next phase begins when nobody of the one before is left. A second Ctrl-C cuts all
 * times short.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_SUPERVISE_H
#define CLI_SUPERVISE_H

#include "base/base.h"

#include <sys/types.h>

enum phase {
    PHASE_TICKER,    /* no new run */
    PHASE_COLLECTOR, /* leaves when the run in progress is closed */
    PHASE_WORK,
    PHASE_BROKER,
    PHASE_FEEDS, /* the demo's server */
    PHASE_DATABASE,
    PHASE_COUNT,
};

struct service {
    const char *name;   /* in the log */
    const char **argv;  /* given: NULL-terminated, argv[0] is the path. Strings are borrowed */
    enum phase phase;
    bool ends_all;      /* when it leaves with 0 of its own accord, everybody is to leave */
    bool drop_to;       /* run as uid and gid */
    uid_t uid;
    gid_t gid;
    int output;         /* descriptor for standard output at the first start; -1: our error */
    int errors;         /* for standard error; -1: ours */
    void (*before) (void *arg); /* called in this process before each start; may be NULL */
    void *arg;
};

struct supervisor;
/* From here on SIGINT, SIGTERM, SIGHUP and SIGCHLD are its own. */
struct supervisor *supervisor_new (void);
/* Everything must have left (supervisor_finish). */
void supervisor_destroy (struct supervisor **supervisor);

/* 0, or a negative errno if no process could be made; what exec says comes as a death. */
MUST_CHECK int supervisor_start (struct supervisor *supervisor, const struct service *service);
/* Waits at most timeout_ms, handles what happens, returns early when something did. */
void supervisor_turn (struct supervisor *supervisor, int timeout_ms);
/* Waits timeout_ms, handling what happens. false as soon as a stop has begun. */
MUST_CHECK bool supervisor_wait (struct supervisor *supervisor, int timeout_ms);
/* Begins a stop, as if asked to by a signal. The first exit code other than 0 counts. */
void supervisor_stop (struct supervisor *supervisor, int exit_code);
bool supervisor_is_stopping (const struct supervisor *supervisor);
/* Skips the time a run in progress is given: there is none. */
void supervisor_hurry (struct supervisor *supervisor);
/* Turns until a stop was asked for and everybody has left. Returns the exit code. */
int supervisor_finish (struct supervisor *supervisor);
size_t supervisor_running (const struct supervisor *supervisor);
/* How often the service of that name died so far. */
size_t supervisor_deaths (const struct supervisor *supervisor, const char *name);

#endif
