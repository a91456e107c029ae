/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"
#include "stage/loop.h"

#include <signal.h>
#include <sys/signalfd.h>

#define CAPACITY_DEFAULT 64
#define RESULTS_KEPT_MAX 100000 /* while the broker is away; past it the oldest go: leases cover for them */
#define RESULTS_LINGER_MS 5    /* in groups they cost a third: each wakes two threads of the broker and one of the collector */
#define OUTBOX_FULL 16         /* messages waiting for the broker: no more input until they are gone */
#define READS_PER_TURN 64
#define HELD_TOLD_MS 100
#define IDLE_TURNS 3           /* who has nothing to lose is heard of less often */
#define STOP_TIMEOUT_MS 25000
#define TRIM_AFTER_MS 1000      /* after the first run began: what it needs stays */

/* Messages the broker can't take yet. */
struct outbox {
    zsock_t *socket;
    zlist_t *frames;
};

struct stage {
    const struct stage_def *def;
    struct settings settings;
    struct loop *loop;
    struct db *db;
    void *state;
    char worker[64], host[64];
    int signal_fd;
    zsock_t *in, *events, *ticks;
    struct outbox out, results, publish[2]; /* publish: ticks, events */
    struct stage_article *first;            /* in hand */
    size_t in_hand, capacity;
    bool started, stopping, reading;
    bool telling;                           /* a heartbeat out of turn is due */
    bool busy;                              /* said by the stage itself */
    bool holding;                           /* the last heartbeat listed articles */
    int idle_turns;                         /* heartbeats left out since the last one */
    int64_t stop_by_ms;
    int exit_code;
    uint64_t frames_refused;
};

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

size_t
stage_in_hand (const struct stage *self)
{
    return self->in_hand;
}

/* ---- sending ---- */

static void
outbox_flush (void *context, void *arg)
{
    struct stage *self = context;
    struct outbox *box = arg;
    zframe_t *frame;
    while ((frame = zlist_first (box->frames)) != NULL) {
        zframe_t *sent = frame;
        if (zframe_send (&sent, box->socket, ZFRAME_DONTWAIT) < 0) {
            loop_watch_socket (self->loop, box->socket, true, outbox_flush, box);
            return;
        }
        zlist_pop (box->frames);
    }
    loop_unwatch_socket (self->loop, box->socket, true);
}

static int
outbox_add (struct outbox *box, enum wire_type type, const void *message)
{
    struct buf bytes = { 0 };
    int r = wire_encode (type, message, &bytes);
    if (r == 0)
        zlist_append (box->frames, zframe_new (bytes.data, bytes.len));
    buf_fini (&bytes);
    return r;
}

static int
outbox_send (struct stage *self, struct outbox *box, enum wire_type type, const void *message)
{
    int r = outbox_add (box, type, message);
    if (r == 0 && zlist_size (box->frames) == 1)
        outbox_flush (self, box);
    return r;
}

static void
outbox_open (struct stage *self, struct outbox *box, int type, enum wire_link link)
{
    char *endpoint = stage_endpoint (self->settings.broker_endpoint, link, STAGE_IN);
    box->frames = zlist_new ();
    box->socket = zsock_new (type);
    stage_tune_socket (box->socket, false);
    if (zsock_attach (box->socket, endpoint, false) < 0)
        log_error ("cannot connect to %s: %s", endpoint, zmq_strerror (errno));
    free (endpoint);
}

static void
outbox_close (struct outbox *box)
{
    zframe_t *frame;
    while (box->frames && (frame = zlist_pop (box->frames)) != NULL)
        zframe_destroy (&frame);
    zlist_destroy (&box->frames);
    zsock_destroy (&box->socket);
}

static void
send_result (struct stage *self, struct wire_result *result)
{
    /* Whatever was cut to fit a buffer on the way may end inside a letter. */
    char *reason = utf8_clean (result->reason.data ? result->reason.data : "", result->reason.size, WIRE_REASON_MAX);
    result->reason = wire_text (reason);
    result->stage = wire_text (self->def->name);
    result->worker = wire_text (self->worker);
    if (zlist_size (self->results.frames) >= RESULTS_KEPT_MAX) {
        zframe_t *oldest = zlist_pop (self->results.frames);
        zframe_destroy (&oldest);
    }
    if (outbox_add (&self->results, WIRE_RESULT, result) < 0)
        log_error ("article=%" PRIu64 " result could not be encoded", result->header.article);
    else if (zlist_size (self->results.frames) == 1)
        loop_after (self->loop, RESULTS_LINGER_MS, outbox_flush, &self->results);
    result->reason = wire_text (NULL);
    free (reason);
}

void
stage_report (struct stage *self, struct wire_result *result)
{
    send_result (self, result);
}

size_t
stage_backlog (const struct stage *self)
{
    return zlist_size (self->out.frames);
}

int
stage_dispatch (struct stage *self, const struct wire_article *article)
{
    return outbox_send (self, &self->out, WIRE_ARTICLE, article);
}

void
stage_publish (struct stage *self, enum wire_link link, enum wire_type type, const void *message)
{
    struct outbox *box = &self->publish[link == WIRE_EVENTS];
    if (outbox_send (self, box, type, message) < 0)
        log_error ("a message for %s could not be encoded", wire_link_name (link));
}

/* ---- articles in hand ---- */

static void on_input (void *context, void *arg);
static void heartbeat (void *context, void *arg);
static void tell_soon (struct stage *self);

/* Reads on while there is room behind it: that is all the back-pressure a stage needs. */
static void
update_input (struct stage *self)
{
    if (!self->in)
        return;
    size_t waiting = self->out.frames ? zlist_size (self->out.frames) : 0;
    bool want = self->started && self->in_hand < self->capacity && waiting < OUTBOX_FULL;
    if (want == self->reading)
        return;
    self->reading = want;
    if (want)
        loop_watch_socket (self->loop, self->in, false, on_input, NULL);
    else
        loop_unwatch_socket (self->loop, self->in, false);
}

void
stage_set_capacity (struct stage *self, size_t articles)
{
    self->capacity = articles;
    update_input (self);
}

static struct stage_article *
article_new (struct stage *self, zframe_t *frame, const struct wire_article *wire)
{
    struct stage_article *article = MEM_NEW (struct stage_article);
    article->wire = *wire;
    article->frame = frame;
    article->since_ms = clock_mono_ms ();
    article->next = self->first;
    if (self->first)
        self->first->previous = article;
    self->first = article;
    self->in_hand++;
    return article;
}

static void
article_drop (struct stage *self, struct stage_article **ref)
{
    struct stage_article *article = *ref;
    *ref = NULL;
    if (article->previous)
        article->previous->next = article->next;
    else
        self->first = article->next;
    if (article->next)
        article->next->previous = article->previous;
    zframe_t *frame = article->frame;
    zframe_destroy (&frame);
    free (article);
    self->in_hand--;
    update_input (self);
}

static void
article_end (struct stage *self, struct stage_article **article, struct wire_result *result)
{
    result->header = (*article)->wire.header;
    result->duration_ms = (uint32_t) (clock_mono_ms () - (*article)->since_ms);
    static const char *const outcomes[] = { "", "done", "failed", "returned" };
    log_debug ("article=%" PRIu64 " attempt=%u %s in_ms=%u", result->header.article, result->header.attempt,
               outcomes[result->outcome], result->duration_ms);
    send_result (self, result);
    article_drop (self, article);
}

void
stage_pass (struct stage *self, struct stage_article **article)
{
    const struct wire_article *wire = &(*article)->wire;
    struct wire_result result = { .outcome = WIRE_DONE, .summary = { "", 0 } };
    if (self->def->in == WIRE_ARTICLES) { /* the checkpoint: what a crash further down must not pay for again */
        result.summary = wire->summary;
        result.summary_model = wire->summary_model;
    }
    int r = stage_dispatch (self, wire);
    if (r < 0) {
        stage_fail (self, article, WIRE_BLAMED, r == -EMSGSIZE ? "too large for one message" : "a field is past its limit");
        return;
    }
    article_end (self, article, &result);
}

void
stage_done (struct stage *self, struct stage_article **article, uint32_t chunks)
{
    struct wire_result result = { .outcome = WIRE_DONE, .chunks = chunks };
    article_end (self, article, &result);
}

void
stage_fail (struct stage *self, struct stage_article **article, enum wire_class fault, const char *reason)
{
    struct wire_result result = { .outcome = WIRE_FAILED, .fault = fault, .reason = wire_text (reason) };
    log_debug ("article=%" PRIu64 " failed: %s", (*article)->wire.header.article, reason);
    article_end (self, article, &result);
}

void
stage_return (struct stage *self, struct stage_article **article)
{
    struct wire_result result = { .outcome = WIRE_RETURNED };
    article_end (self, article, &result);
}

/* ---- receiving ---- */

/* A whole single-frame message that decodes as one of the wanted type; NULL when there is none. given (zframe_destroy) */
static zframe_t *
receive (struct stage *self, zsock_t *socket, enum wire_type wanted, union wire_message *ret_message)
{
    zframe_t *frame = zframe_recv_nowait (socket);
    if (!frame)
        return NULL;
    bool more = zframe_more (frame);
    while (zsock_rcvmore (socket)) {
        zframe_t *rest = zframe_recv_nowait (socket);
        zframe_destroy (&rest);
    }
    enum wire_type type = wanted;
    int r = more ? -EBADMSG : wire_decode (zframe_data (frame), zframe_size (frame), &type, ret_message);
    if (r == 0 && type == wanted)
        return frame;
    self->frames_refused++;
    log_warn ("refused a frame of %zu bytes: %s refused=%" PRIu64, zframe_size (frame),
              more ? "several parts" : r == -EPROTONOSUPPORT ? "another version" : r == -ENOMSG ? "unknown type"
              : r < 0 ? "malformed" : "a type that does not belong on this link", self->frames_refused);
    zframe_destroy (&frame);
    return zframe_new_empty ();
}

/* What is in hand is told within HELD_TOLD_MS, so that it is known whose articles a dead worker had. */
static void
tell_soon (struct stage *self)
{
    if (!self->telling)
        loop_after (self->loop, HELD_TOLD_MS, heartbeat, NULL);
    self->telling = true;
}

static void
on_input (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    for (int i = 0; i < READS_PER_TURN && self->reading; i++) {
        union wire_message message;
        zframe_t *frame = receive (self, self->in, WIRE_ARTICLE, &message);
        if (!frame)
            return;
        if (!zframe_size (frame)) {
            zframe_destroy (&frame);
            continue;
        }
        struct stage_article *article = article_new (self, frame, &message.article);
        int64_t deadline_us = message.header.deadline_us;
        if (self->stopping || (deadline_us && clock_wall_us () > deadline_us)) {
            stage_return (self, &article);
            continue;
        }
        tell_soon (self);
        self->def->on_article (self, self->state, article);
        update_input (self);
    }
}

static void
on_events (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    union wire_message message;
    zframe_t *frame;
    while ((frame = receive (self, self->events, WIRE_EVENT, &message)) != NULL) {
        if (zframe_size (frame) && self->started && self->def->on_event)
            self->def->on_event (self, self->state, &message.event);
        zframe_destroy (&frame);
    }
}

static void
on_ticks (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    union wire_message message;
    zframe_t *frame;
    while ((frame = receive (self, self->ticks, WIRE_TICK, &message)) != NULL) {
        if (zframe_size (frame) && self->started && !self->stopping)
            self->def->on_tick (self, self->state, &message.tick);
        zframe_destroy (&frame);
    }
}

/* ---- heartbeats ---- */

static void
heartbeat (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    self->telling = false;
    struct buf held = { 0 };
    for (const struct stage_article *a = self->first; a; a = a->next)
        wire_id_put (&held, a->wire.header.article);
    for (zframe_t *f = self->out.frames ? zlist_first (self->out.frames) : NULL; f; f = zlist_next (self->out.frames))
        buf_add (&held, zframe_data (f) + WIRE_ARTICLE_ID_OFFSET, 8); /* passed on, and not yet taken by the broker */
    if (self->started && self->def->held)
        self->def->held (self->state, &held);
    self->holding = held.len > 0;
    json_t *numbers = json_object ();
    if (self->started && self->def->statistics)
        self->def->statistics (self->state, numbers);
    char *statistics = json_dumps (numbers, JSON_COMPACT);
    struct wire_heartbeat message = {
        .stage = wire_text (self->def->name), .worker = wire_text (self->worker), .host = wire_text (self->host),
        .pid = (uint32_t) getpid (), .state = self->stopping ? WIRE_LEAVING : WIRE_ALIVE,
        .interval_ms = (uint32_t) self->settings.delivery_heartbeat * (held.len || self->busy ? 1 : IDLE_TURNS),
        .held = { held.data, held.len }, .statistics = wire_text (statistics),
    };
    /* Only the newest one matters: none is added to a queue that does not move. */
    if (zlist_size (self->results.frames) == 0 && outbox_send (self, &self->results, WIRE_HEARTBEAT, &message) < 0)
        log_error ("heartbeat could not be encoded");
    free (statistics);
    json_decref (numbers);
    buf_fini (&held);
}

static void
beat (void *context, void *arg UNUSED)
{
    struct stage *self = context;
    if (!self->busy && !self->holding && self->in_hand == 0 && ++self->idle_turns < IDLE_TURNS)
        return;
    self->idle_turns = 0;
    heartbeat (self, NULL);
}

void
stage_set_busy (struct stage *self, bool busy)
{
    if (busy && !self->busy)
        tell_soon (self);
    self->busy = busy;
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

static zsock_t *
open_input (struct stage *self, int type, enum wire_link link, loop_fn *fn)
{
    char *endpoint = stage_endpoint (self->settings.broker_endpoint, link, STAGE_OUT);
    zsock_t *socket = zsock_new (type);
    stage_tune_socket (socket, !wire_link_fans_out (link));
    if (type == ZMQ_SUB)
        zsock_set_subscribe (socket, "");
    if (zsock_attach (socket, endpoint, false) < 0)
        log_error ("cannot connect to %s: %s", endpoint, zmq_strerror (errno));
    free (endpoint);
    if (fn)
        loop_watch_socket (self->loop, socket, false, fn, NULL);
    return socket;
}

static void
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
    self->db = self->def->database
               ? self->def->database->open (self->settings.database_url, self->def->name) : NULL;
    self->capacity = CAPACITY_DEFAULT;
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
    outbox_flush (self, &self->results);
    heartbeat (self, NULL); /* "leaving", with nothing in hand */
    if (self->started && self->def->finish)
        self->def->finish (self, self->state);
    while (self->first) {
        struct stage_article *article = self->first;
        article_drop (self, &article);
    }
    if (self->db)
        self->def->database->close (&self->db);
    zsock_destroy (&self->in);
    zsock_destroy (&self->events);
    zsock_destroy (&self->ticks);
    outbox_close (&self->out);
    outbox_close (&self->publish[0]);
    outbox_close (&self->publish[1]);
    outbox_close (&self->results);
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
    open_all (&self);
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
