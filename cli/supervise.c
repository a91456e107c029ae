/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKOFF_LEAST_MS 200
#define BACKOFF_MOST_MS 10000
#define SETTLED_MS 10000 /* who lived that long begins with the shortest back-off again */
#define HURRY_MS 1000
#define EXEC_FAILED 127

/* From the request to stop to the last exit at most 30 s, the database's shutdown aside. */
static const struct {
    int signal, last_signal;
    int64_t patience_ms;
} phases[PHASE_COUNT] = {
    [PHASE_TICKER] = { SIGTERM, SIGKILL, 1000 },
    [PHASE_COLLECTOR] = { SIGTERM, SIGKILL, 23000 },
    [PHASE_WORK] = { SIGTERM, SIGKILL, 3000 },
    [PHASE_BROKER] = { SIGTERM, SIGKILL, 1000 },
    [PHASE_FEEDS] = { SIGTERM, SIGKILL, 1000 },
    [PHASE_DATABASE] = { SIGINT, SIGQUIT,
                         15000 }, /* PostgreSQL's fast shutdown; its immediate one */
};

struct child {
    struct service service;
    pid_t pid; /* 0: not running */
    int64_t started_ms, next_start_ms, backoff_ms;
    bool wanted; /* to be started at next_start_ms */
    size_t deaths;
};

struct supervisor {
    int signals; /* signalfd */
    struct child **children;
    size_t count;
    bool stopping, hurried, last_signal_sent;
    enum phase phase; /* while stopping */
    int64_t deadline_ms;
    int exit_code;
};

static void
handled_signals (sigset_t *set)
{
    sigemptyset (set);
    sigaddset (set, SIGINT);
    sigaddset (set, SIGTERM);
    sigaddset (set, SIGHUP);
    sigaddset (set, SIGCHLD);
}

struct supervisor *
supervisor_new (void)
{
    struct supervisor *self = MEM_NEW (struct supervisor);
    sigset_t set;
    handled_signals (&set);
    sigprocmask (SIG_BLOCK, &set, NULL);
    self->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (self->signals < 0) {
        log_error ("cannot watch signals: %s", strerror (errno));
        abort ();
    }
    return self;
}

void
supervisor_destroy (struct supervisor **supervisor)
{
    struct supervisor *self = *supervisor;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        free (self->children[i]->service.argv);
        free (self->children[i]);
    }
    free (self->children);
    close (self->signals);
    free (self);
    *supervisor = NULL;
}

/* ---- starting ---- */

/* In the new process, between fork and exec: nothing here may allocate. */
static void
become (const struct service *service, pid_t parent, int output)
{
    sigset_t none;
    sigemptyset (&none);
    sigprocmask (SIG_SETMASK, &none, NULL);
    signal (SIGPIPE, SIG_DFL);
    setpgid (0, 0); /* the terminal's Ctrl-C is for the supervisor alone */
    int null = open ("/dev/null", O_RDONLY);
    if (null >= 0)
        dup2 (null, STDIN_FILENO);
    if (service->errors >= 0)
        dup2 (service->errors, STDERR_FILENO);
    dup2 (output >= 0 ? output : STDERR_FILENO, STDOUT_FILENO);
    if (null > STDERR_FILENO)
        close (null);
    if (service->drop_to
        && (setgroups (1, &service->gid) != 0 || setgid (service->gid) != 0
            || setuid (service->uid) != 0))
        _exit (EXEC_FAILED);
    prctl (PR_SET_PDEATHSIG, phases[service->phase].signal); /* setuid clears it, hence after */
    if (getppid () != parent)
        _exit (EXEC_FAILED);
    execv (service->argv[0], (char *const *) (uintptr_t) service->argv);
    _exit (EXEC_FAILED);
}

static int
start_child (struct child *child)
{
    const struct service *service = &child->service;
    if (service->before)
        service->before (service->arg);
    pid_t parent = getpid (), pid = fork ();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        become (service, parent, service->output);
    child->pid = pid;
    child->wanted = false;
    child->started_ms = clock_mono_ms ();
    child->service.output = -1; /* whoever read it has read what it waited for */
    log_debug ("%s started pid=%ld", service->name, (long) pid);
    return 0;
}

int
supervisor_start (struct supervisor *self, const struct service *service)
{
    struct child *child = MEM_NEW (struct child);
    child->service = *service;
    self->children = mem_grow (self->children, self->count + 1, sizeof *self->children);
    self->children[self->count++] = child;
    return start_child (child);
}

size_t
supervisor_running (const struct supervisor *self)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        count += self->children[i]->pid != 0;
    return count;
}

size_t
supervisor_deaths (const struct supervisor *self, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->children[i]->service.name, name) == 0)
            count += self->children[i]->deaths;
    return count;
}

/* ---- stopping ---- */

static size_t
signal_phase (const struct supervisor *self, enum phase phase, int signal)
{
    size_t count = 0;
    for (size_t i = 0; i < self->count; i++)
        if (self->children[i]->pid && self->children[i]->service.phase == phase) {
            kill (self->children[i]->pid, signal);
            count++;
        }
    return count;
}

/* Goes on to the next phase that has somebody in it. */
static void
enter_phase (struct supervisor *self)
{
    while (self->phase < PHASE_COUNT
           && !signal_phase (self, self->phase, phases[self->phase].signal))
        self->phase++;
    self->last_signal_sent = false;
    if (self->phase == PHASE_COUNT)
        return;
    int64_t patience = phases[self->phase].patience_ms;
    if (self->hurried && self->phase != PHASE_DATABASE)
        patience = MIN_OF (patience, (int64_t) HURRY_MS);
    self->deadline_ms = clock_mono_ms () + patience;
}

void
supervisor_stop (struct supervisor *self, int exit_code)
{
    if (!self->exit_code)
        self->exit_code = exit_code;
    if (self->stopping)
        return;
    self->stopping = true;
    for (size_t i = 0; i < self->count; i++)
        self->children[i]->wanted = false;
    self->phase = PHASE_TICKER;
    enter_phase (self);
}

void
supervisor_hurry (struct supervisor *self)
{
    self->hurried = true;
    if (!self->stopping || self->phase >= PHASE_DATABASE)
        return;
    for (int phase = (int) self->phase + 1; phase < PHASE_DATABASE; phase++)
        signal_phase (self, (enum phase) phase, SIGTERM);
    self->deadline_ms = MIN_OF (self->deadline_ms, clock_mono_ms () + HURRY_MS);
}

bool
supervisor_is_stopping (const struct supervisor *self)
{
    return self->stopping;
}

static void
asked_to_stop (struct supervisor *self)
{
    if (!self->stopping) {
        log_info ("stopping: the run in progress may finish; once more to hurry");
        supervisor_stop (self, EXIT_ASKED);
    } else if (!self->hurried) {
        log_info ("stopping at once; what is not finished is done by the next run");
        supervisor_hurry (self);
    }
}

static void
continue_stop (struct supervisor *self)
{
    if (self->phase == PHASE_COUNT)
        return;
    if (!signal_phase (self, self->phase, 0)) {
        enter_phase (self);
        return;
    }
    if (clock_mono_ms () < self->deadline_ms)
        return;
    int last = self->last_signal_sent ? SIGKILL : phases[self->phase].last_signal;
    for (size_t i = 0; i < self->count; i++)
        if (self->children[i]->pid && self->children[i]->service.phase == self->phase)
            log_warn ("%s did not stop in time, sending signal %d", self->children[i]->service.name,
                      last);
    signal_phase (self, self->phase, last);
    self->last_signal_sent = true;
    self->deadline_ms = clock_mono_ms () + 5000;
}

/* ---- deaths ---- */

static void
schedule_restart (struct child *child)
{
    int64_t now = clock_mono_ms ();
    if (now - child->started_ms >= SETTLED_MS)
        child->backoff_ms = 0;
    child->backoff_ms = MIN_OF (MAX_OF (child->backoff_ms * 2, (int64_t) BACKOFF_LEAST_MS),
                                (int64_t) BACKOFF_MOST_MS);
    child->next_start_ms = now + child->backoff_ms;
    child->wanted = true;
}

static void
describe_death (int status, char *out, size_t size)
{
    if (WIFSIGNALED (status))
        snprintf (out, size, "was killed by signal %d (%s)", WTERMSIG (status),
                  strsignal (WTERMSIG (status)));
    else if (WEXITSTATUS (status) == EXEC_FAILED)
        snprintf (out, size, "could not be executed");
    else
        snprintf (out, size, "left with code %d", WEXITSTATUS (status));
}

static void
on_death (struct supervisor *self, struct child *child, int status)
{
    char what[128];
    pid_t pid = child->pid;
    child->pid = 0;
    child->deaths++;
    if (self->stopping)
        return;
    const char *name = child->service.name;
    describe_death (status, what, sizeof what);
    if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_USAGE) {
        log_error ("%s cannot work with these settings (it says why above): stopping", name);
        supervisor_stop (self, EXIT_USAGE);
    } else if (WIFEXITED (status) && WEXITSTATUS (status) == EXEC_FAILED) {
        log_error ("%s (%s) %s: stopping", name, child->service.argv[0], what);
        supervisor_stop (self, EXIT_TEMP);
    } else if (child->service.ends_all && WIFEXITED (status)
               && WEXITSTATUS (status) == EXIT_ASKED) {
        log_info ("%s was asked to shut down: stopping", name);
        supervisor_stop (self, EXIT_ASKED);
    } else {
        schedule_restart (child);
        log_warn ("%s pid=%ld %s, starting it again in %" PRId64 " ms", name, (long) pid, what,
                  child->backoff_ms);
    }
}

static void
reap (struct supervisor *self)
{
    int status;
    for (pid_t pid; (pid = waitpid (-1, &status, WNOHANG)) > 0;)
        for (size_t i = 0; i < self->count; i++)
            if (self->children[i]->pid == pid) {
                on_death (self, self->children[i], status);
                break;
            }
}

/* ---- the loop ---- */

static int64_t
next_event_ms (const struct supervisor *self, int64_t latest)
{
    if (self->stopping && self->phase < PHASE_COUNT)
        latest = MIN_OF (latest, self->deadline_ms);
    for (size_t i = 0; i < self->count; i++)
        if (self->children[i]->wanted)
            latest = MIN_OF (latest, self->children[i]->next_start_ms);
    return latest;
}

static void
start_due (struct supervisor *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct child *child = self->children[i];
        if (!child->wanted || clock_mono_ms () < child->next_start_ms)
            continue;
        int r = start_child (child);
        if (r < 0) {
            log_warn ("cannot start %s: %s", child->service.name, strerror (-r));
            schedule_restart (child);
        }
    }
}

void
supervisor_turn (struct supervisor *self, int timeout_ms)
{
    int64_t now = clock_mono_ms (), until = next_event_ms (self, now + timeout_ms);
    struct pollfd poll_fd = { self->signals, POLLIN, 0 };
    (void)poll (&poll_fd, 1,
                (int) MAX_OF (until - now, (int64_t) 0)); /* an error shows as nothing read below */
    struct signalfd_siginfo info;
    while (read (self->signals, &info, sizeof info) == (ssize_t) sizeof info)
        if (info.ssi_signo != SIGCHLD)
            asked_to_stop (self);
    reap (self);
    if (self->stopping)
        continue_stop (self);
    else
        start_due (self);
}

bool
supervisor_wait (struct supervisor *self, int timeout_ms)
{
    int64_t until = clock_mono_ms () + timeout_ms;
    do
        supervisor_turn (self, (int) MAX_OF (until - clock_mono_ms (), (int64_t) 0));
    while (!self->stopping && clock_mono_ms () < until);
    return !self->stopping;
}

int
supervisor_finish (struct supervisor *self)
{
    while (!self->stopping || self->phase < PHASE_COUNT)
        supervisor_turn (self, 60000);
    return self->exit_code;
}
