/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#include <signal.h>
#include <sys/signalfd.h>

#define CAPACITY_DEFAULT 64
#define STOP_TIMEOUT_MS 25000
#define TRIM_AFTER_MS 1000      /* after the first run began: what it needs stays */

const struct settings *
stage_settings (const struct stage *self)
{
    return &self->settings;
}

struct db *
stage_db (struct stage *self)
{
    return self->db;
}

const char *
stage_name (const struct stage *self)
{
    return self->def->name;
}

const char *
stage_worker (const struct stage *self)
{
    return self->worker;
}

bool
stage_is_stopping (const struct stage *self)
{
    return self->stopping;
}

/* ---- the loop, as stages see it ---- */

/* stage_fn and loop_fn differ in the type of their first argument alone; the table keeps the call well-typed. */
struct handler {
    stage_fn *fn;
    void *arg;
};

static void
call_handler (void *context, void *arg)
{
    struct handler handler = *(struct handler *) arg;
    handler.fn (context, handler.arg);
}

static struct handler *
handler_of (stage_fn *fn, void *arg)
{
    static struct handler handlers[512]; /* few and for ever: one a (function, argument) pair */
    static size_t count;
    for (size_t i = 0; i < count; i++)
        if (handlers[i].fn == fn && handlers[i].arg == arg)
            return &handlers[i];
    assert (count < COUNT_OF (handlers));
    handlers[count] = (struct handler){ fn, arg };
    return &handlers[count++];
}

void
stage_watch_fd (struct stage *self, int fd, bool writable, stage_fn *fn, void *arg)
{
    loop_watch_fd (self->loop, fd, writable, call_handler, handler_of (fn, arg));
}

void
stage_unwatch_fd (struct stage *self, int fd)
{
    loop_unwatch_fd (self->loop, fd);
}

void
stage_watch_socket (struct stage *self, zsock_t *socket, stage_fn *fn, void *arg)
{
    loop_watch_socket (self->loop, socket, false, call_handler, handler_of (fn, arg));
}

void
stage_unwatch_socket (struct stage *self, zsock_t *socket)
{
    loop_unwatch_socket (self->loop, socket, false);
}

void
stage_used (struct stage *self, const zsock_t *socket)
{
    loop_used (self->loop, socket);
}

void
stage_watch_room (struct stage *self, zsock_t *socket, stage_fn *fn, void *arg)
{
    loop_watch_socket (self->loop, socket, true, call_handler, handler_of (fn, arg));
}

void
stage_unwatch_room (struct stage *self, zsock_t *socket)
{
    loop_unwatch_socket (self->loop, socket, true);
}

void
stage_timer (struct stage *self, int64_t every_ms, stage_fn *fn, void *arg)
{
    loop_timer (self->loop, every_ms, call_handler, handler_of (fn, arg));
}

void
stage_after (struct stage *self, int64_t after_ms, stage_fn *fn, void *arg)
{
    loop_after (self->loop, after_ms, call_handler, handler_of (fn, arg));
}

/* ---- start and stop ---- */

void
stage_stop (struct stage *self, int exit_code)
{
    if (self->stopping)
        return;
    self->stopping = true;
    self->exit_code = exit_code;
    self->stop_by_ms = clock_mono_ms () + STOP_TIMEOUT_MS;
    log_info ("stopping in_hand=%zu", self->in_hand);
    if (self->started && self->def->on_stop)
        self->def->on_stop (self, self->state);
}

static void
on_signal (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    struct signalfd_siginfo info;
    if (read (self->signal_fd, &info, sizeof info) == sizeof info)
        stage_stop (self, EXIT_ASKED);
}

static void
trim (void *context UNUSED, void *arg UNUSED)
{
    mem_trim ();
}

static void
begin (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    char reason[STAGE_REASON_SIZE];
    if (self->def->database) {
        if (!self->def->database->ready (self->db)) {
            loop_after (self->loop, 500, begin, NULL);
            return;
        }
        int r = self->def->database->check (self->db, self->settings.model_dimensions, reason);
        if (r < 0) {
            log_error ("%s", reason);
            stage_stop (self, r == -EINVAL ? EXIT_USAGE : EXIT_TEMP);
            return;
        }
    }
    if (self->def->start && self->def->start (self, &self->state) < 0) {
        stage_stop (self, EXIT_TEMP);
        return;
    }
    self->started = true;
    if (self->stopping)
        return;
    log_info ("ready worker=%s", self->worker);
    loop_after (self->loop, TRIM_AFTER_MS, trim, NULL);
    update_input (self);
}

static int
open_all (struct stage *self)
{
    sigset_t signals;
    sigemptyset (&signals);
    sigaddset (&signals, SIGTERM);
    sigaddset (&signals, SIGINT);
    sigprocmask (SIG_BLOCK, &signals, NULL);
    signal (SIGPIPE, SIG_IGN);
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    zsys_init ();
    zsys_set_linger (1000);
    self->signal_fd = signalfd (-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);

    if (gethostname (self->host, sizeof self->host - 1) < 0)
        strcpy (self->host, "localhost");
    snprintf (self->worker, sizeof self->worker, "%s-%.24s-%d-%04x", self->def->name, self->host, (int) getpid (),
              (unsigned) (num_random () & 0xffff));
    self->loop = loop_new (self);
    self->told = zlist_new ();
    self->db = self->def->database
               ? self->def->database->open (self->settings.database_url, self->def->name) : NULL;
    self->capacity = CAPACITY_DEFAULT;
    int r = links_open (self);
    if (r < 0)
        return r;
    loop_watch_fd (self->loop, self->signal_fd, false, on_signal, NULL);
    outbox_open (self, &self->results, ZMQ_PUSH, WIRE_RESULTS);
    if (self->def->publishes & STAGE_LINK (WIRE_TICKS))
        outbox_open (self, &self->publish[0], ZMQ_PUB, WIRE_TICKS);
    if (self->def->publishes & STAGE_LINK (WIRE_EVENTS))
        outbox_open (self, &self->publish[1], ZMQ_PUB, WIRE_EVENTS);
    if (self->def->on_event)
        self->events = open_input (self, ZMQ_SUB, WIRE_EVENTS, on_events);
    if (self->def->ticks)
        self->ticks = open_input (self, ZMQ_SUB, WIRE_TICKS, on_ticks);
    if (self->def->in != WIRE_NO_LINK)
        self->in = open_input (self, ZMQ_PULL, self->def->in, NULL);
    if (self->def->out != WIRE_NO_LINK)
        outbox_open (self, &self->out, ZMQ_PUSH, self->def->out);
    loop_timer (self->loop, self->settings.delivery_heartbeat, beat, NULL);
    loop_after (self->loop, 0, begin, NULL);
    loop_after (self->loop, 50, heartbeat, NULL);
    return 0;
}

static bool
is_finished (struct stage *self)
{
    if (!self->stopping)
        return false;
    if (clock_mono_ms () > self->stop_by_ms) {
        log_warn ("stopped with articles in hand, their leases will run out in_hand=%zu", self->in_hand);
        return true;
    }
    bool idle = !self->started || !self->def->is_idle || self->def->is_idle (self->state);
    return idle && self->in_hand == 0 && (!self->out.frames || zlist_size (self->out.frames) == 0);
}

static void
close_all (struct stage *self)
{
    HISTORY ("left in_hand=%zu", self->in_hand);
    outbox_flush (self, &self->results);
    heartbeat (self, NULL); /* "leaving", with nothing in hand */
    if (self->started && self->def->finish)
        self->def->finish (self, self->state);
    zlist_destroy (&self->told);
    while (self->first) {
        struct stage_article *article = self->first;
        article_drop (self, &article);
    }
    if (self->db)
        self->def->database->close (&self->db);
    stage_close (self, &self->in);
    stage_close (self, &self->events);
    stage_close (self, &self->ticks);
    outbox_close (self, &self->out);
    outbox_close (self, &self->publish[0]);
    outbox_close (self, &self->publish[1]);
    outbox_close (self, &self->results);
    links_close (self);
    loop_destroy (&self->loop);
    close (self->signal_fd);
    zsys_shutdown ();
}

static void
keep_turning (void *context UNUSED, void *arg UNUSED)
{
}

static int
usage (const struct stage_def *def)
{
    fprintf (stderr, "usage: newsmill-%s [-c FILE] [-o section.name=value] [-t] [-V]\n"
             "  -c FILE  settings file    -o K=V  one setting    -t  check the settings and leave    -V  version\n",
             def->name);
    return EXIT_USAGE;
}

int
stage_main (const struct stage_def *def, int argc, char **argv)
{
    struct stage self = { .def = def };
    struct buf faults = { 0 };
    const char *file = NULL;
    bool check_only = false;
    int option;
    while ((option = getopt (argc, argv, "c:o:tV")) != -1)
        switch (option) {
        case 'c':
            file = optarg;
            break;
        case 'o':
            if (conf_set_option (optarg) < 0) {
                fprintf (stderr, "newsmill-%s: -o %s: no such setting; `newsmill config show` lists them all\n",
                         def->name, optarg);
                return EXIT_USAGE;
            }
            break;
        case 't':
            check_only = true;
            break;
        case 'V':
            puts ("newsmill " NEWSMILL_VERSION);
            return EXIT_ASKED;
        default:
            return usage (def);
        }
    if (optind < argc)
        return usage (def);
    if (conf_load (file, &self.settings, &faults) < 0) {
        fputs (faults.data, stderr);
        buf_fini (&faults);
        return EXIT_USAGE;
    }
    if (check_only)
        return EXIT_ASKED;
    log_init (def->name, self.settings.log_debug);
    if (open_all (&self) < 0)
        return EXIT_USAGE;
    while (!is_finished (&self)) {
        if (self.stopping)
            loop_after (self.loop, 20, keep_turning, NULL);
        loop_turn (self.loop);
        update_input (&self);
    }
    close_all (&self);
    log_info ("stopped");
    return self.exit_code;
}
