/* Connects and binds, encrypts what leaves the machine, and tells of links that break or are refused.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#include <netdb.h>

#define UNREACHED_MS 5000      /* until a link that does not stand is spoken of */
#define TELL_AGAIN_MS 60000    /* a refusal that goes on */
#define MONITORED (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED \
                   | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* ---- what became of a link ---- */

static bool
all_up (const struct stage *self)
{
    for (const struct link *link = self->links; link; link = link->next)
        if (!link->bound && !link->up)
            return false;
    return true;
}

static void
went_up (struct stage *self, struct link *link)
{
    int64_t away_ms = clock_mono_ms () - link->since_ms;
    link->up = true;
    link->refused = false;
    self->link_told_ms = 0;
    if (!self->link_lost || !all_up (self))
        return;
    self->link_lost = false;
    log_info ("all links stand again, the last after_ms=%" PRId64, away_ms);
}

static void
went_down (struct stage *self, struct link *link)
{
    if (!link->up)
        return;
    link->up = false;
    link->since_ms = clock_mono_ms ();
    if (!self->link_lost && !self->stopping)
        log_warn ("link %s to %s was lost, connecting again", link->name, link->endpoint);
    self->link_lost = true;
}

static void
was_refused (struct link *link, int event, uint32_t value)
{
    const struct curve *curve = link->stage->curve;
    link->refused = true;
    if (!log_is_due (&link->stage->link_told_ms, TELL_AGAIN_MS))
        return;
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        log_error ("refused at %s of %s: the certificate %s in %s is unknown there, revoked, or has the wrong role; see the other "
                   "side's log and `newsmill keys list`", link->name, link->endpoint, curve ? curve_name (curve) : "?",
                   curve ? curve_file (curve) : "?");
    else if (event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL && value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
        log_error ("no handshake at %s of %s: one side speaks CURVE and the other does not; security.curve must be the same on both",
                   link->name, link->endpoint);
    else if (curve)
        log_error ("no handshake at %s of %s: the server closed it, as it does when its key is not the one in %s, or when it speaks "
                   "no CURVE; get a new key from `newsmill keys issue` there", link->name, link->endpoint, curve_file (curve));
    else
        log_error ("no handshake at %s of %s: the other side is no newsmill, or wants CURVE; see security.curve", link->name,
                   link->endpoint);
}

/* Of a socket that was bound. What the certificate lacks is told by the one who asked for it (zap.c). */
static void
refused_a_peer (struct link *link, int event, uint32_t value)
{
    static const char *const whys[] = { "it speaks no CURVE", "it has another key for this server, or is no newsmill",
                                        "it broke off the handshake, as one does that speaks no CURVE or trusts another key" };
    size_t kind = value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? 0 : event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ? 1 : 2;
    bool looked_in = strncmp (link->endpoint, "ipc://", 6) == 0; /* whether somebody listens, as the tool does */
    if (event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH || looked_in)
        return;
    link->refusals++;
    if (!log_is_due (&link->told_ms[kind], TELL_AGAIN_MS))
        return;
    log_warn ("refused a peer at %s (the last to connect was %s, refusals so far %" PRIu64 "): %s", link->name, *link->peer ? link->peer : "unknown", link->refusals,
              whys[kind]);
}

static void
note_peer (struct link *link, int fd)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getpeername (fd, (struct sockaddr *) &address, &size) < 0 || address.ss_family == AF_UNIX
        || getnameinfo ((struct sockaddr *) &address, size, link->peer, sizeof link->peer, NULL, 0, NI_NUMERICHOST) != 0)
        *link->peer = '\0';
}

/* A monitor's message: event and value, then the endpoint; zmq_socket_monitor(3). */
static void
on_monitor (void *context, void *arg)
{
    struct stage *self = context;
    struct link *link = arg;
    zframe_t *head;
    while ((head = zframe_recv_nowait (link->monitor)) != NULL) {
        uint16_t event = 0;
        uint32_t value = 0;
        if (zframe_size (head) == sizeof event + sizeof value) {
            memcpy (&event, zframe_data (head), sizeof event);
            memcpy (&value, zframe_data (head) + sizeof event, sizeof value);
        }
        zframe_destroy (&head);
        zframe_t *address = zframe_recv_nowait (link->monitor);
        zframe_destroy (&address);
        if (event == ZMQ_EVENT_ACCEPTED)
            note_peer (link, (int) value);
        else if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED && !link->bound)
            went_up (self, link);
        else if (event == ZMQ_EVENT_DISCONNECTED && !link->bound)
            went_down (self, link);
        else if (event & (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
                          | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)) {
            if (link->bound)
                refused_a_peer (link, event, value);
            else
                was_refused (link, event, value);
        }
    }
}

static void
touch (struct stage *self, const char *file)
{
    int fd = open (file, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    bool failed = fd < 0 || futimens (fd, NULL) < 0;
    if (failed && !self->untouched)
        log_warn ("cannot touch health.file %s: %s", file, strerror (errno));
    self->untouched = failed;
    if (fd >= 0)
        close (fd);
}

/* In this order: the other way round libzmq keeps the session it gave up. */
static void
connect_anew (struct stage *self, struct link *link)
{
    link->refused = false;
    if (zsock_disconnect (link->socket, "%s", link->endpoint) < 0 || zsock_connect (link->socket, "%s", link->endpoint) < 0)
        log_warn ("cannot connect to %s anew: %s", link->endpoint, zmq_strerror (errno));
    loop_used (self->loop, link->socket);
}

void
links_check (struct stage *self)
{
    int64_t now = clock_mono_ms ();
    bool well = true;
    for (struct link *link = self->links; link; link = link->next) {
        if (link->bound || link->up)
            continue;
        well = false;
        if (link->refused)
            connect_anew (self, link);
        if (now - link->since_ms > UNREACHED_MS && !self->stopping && log_is_due (&self->link_told_ms, TELL_AGAIN_MS))
            log_warn ("no link %s to %s for %" PRId64 " s: does the other side run, does the name resolve, is the port open? Trying on",
                      link->name, link->endpoint, (now - link->since_ms) / 1000);
    }
    if (well && *self->settings.health_file)
        touch (self, self->settings.health_file);
}

/* ---- opening and closing ---- */

static void
add_link (struct stage *self, zsock_t *socket, const char *name, const char *endpoint, bool bound)
{
    static unsigned count;
    struct link *link = MEM_NEW (struct link);
    link->stage = self;
    link->socket = socket;
    link->endpoint = mem_dup (endpoint);
    snprintf (link->name, sizeof link->name, "%s", name);
    link->bound = bound;
    link->since_ms = clock_mono_ms ();
    link->next = self->links;
    self->links = link;
    char *monitor = mem_printf ("inproc://monitor-%u", count++);
    link->monitor = zsock_new (ZMQ_PAIR);
    zsock_set_rcvhwm (link->monitor, 0); /* libzmq's thread must not wait for us */
    if (zmq_socket_monitor (zsock_resolve (socket), monitor, MONITORED) < 0 || zsock_connect (link->monitor, "%s", monitor) < 0)
        log_error ("cannot watch the link %s: %s", name, zmq_strerror (errno));
    loop_watch_socket (self->loop, link->monitor, false, on_monitor, link);
    free (monitor);
}

void
stage_close (struct stage *self, zsock_t **socket)
{
    for (struct link **ref = &self->links; *socket && *ref; ref = &(*ref)->next) {
        struct link *link = *ref;
        if (link->socket != *socket)
            continue;
        *ref = link->next;
        loop_unwatch_socket (self->loop, link->monitor, false);
        zmq_socket_monitor (zsock_resolve (link->socket), NULL, 0);
        zsock_destroy (&link->monitor);
        free (link->endpoint);
        free (link);
        break;
    }
    zsock_destroy (socket);
}

static zsock_t *
new_socket (int type, const char *endpoint, bool close)
{
    zsock_t *socket = zsock_new (type);
    stage_tune_socket (socket, close);
    if (curve_leaves_machine (endpoint))
        stage_tune_remote (socket, close);
    return socket;
}

static zsock_t *
connect_to (struct stage *self, int type, const char *name, const char *endpoint, enum curve_server server, bool close)
{
    char *target = curve_to_connect (endpoint);
    zsock_t *socket = new_socket (type, endpoint, close);
    if (curve_is_on (&self->settings, endpoint))
        curve_apply_client (self->curve, socket, server);
    add_link (self, socket, name, target, false);
    if (zsock_attach (socket, target, false) < 0)
        log_error ("cannot connect to %s: %s", target, zmq_strerror (errno));
    free (target);
    return socket;
}

static void
link_name (char name[24], enum wire_link link, enum stage_side side)
{
    snprintf (name, 24, "%s.%s", wire_link_name (link), side == STAGE_IN ? "in" : "out");
}

/* The ways to the workers, see stage_tune_socket. */
static bool
is_close (enum wire_link link, enum stage_side side)
{
    return side == STAGE_OUT && !wire_link_fans_out (link) && link != WIRE_RESULTS;
}

zsock_t *
stage_connect_link (struct stage *self, int type, enum wire_link link, enum stage_side side)
{
    char name[24], *endpoint = stage_endpoint (self->settings.broker_endpoint, link, side);
    link_name (name, link, side);
    zsock_t *socket = connect_to (self, type, name, endpoint, CURVE_BROKER, is_close (link, side));
    free (endpoint);
    return socket;
}

zsock_t *
stage_connect_collector (struct stage *self, int type)
{
    return connect_to (self, type, CURVE_DOMAIN_COLLECTOR, self->settings.collector_endpoint, CURVE_COLLECTOR, false);
}

static zsock_t *
bind_to (struct stage *self, int type, const char *name, const char *endpoint, bool close)
{
    zsock_t *socket = new_socket (type, endpoint, close);
    if (curve_is_on (&self->settings, endpoint)) {
        if (!self->zap) {
            char *clients = curve_clients_path (&self->settings, NULL);
            self->zap = zap_new (self->loop, clients);
            free (clients);
        }
        if (!self->zap) {
            zsock_destroy (&socket);
            return NULL;
        }
        zap_add_domain (self->zap, name, endpoint);
        curve_apply_server (self->curve, socket, name);
    }
    if (stage_bind (socket, endpoint) < 0)
        zsock_destroy (&socket);
    else
        add_link (self, socket, name, endpoint, true);
    return socket;
}

zsock_t *
stage_bind_link (struct stage *self, int type, enum wire_link link, enum stage_side side)
{
    char name[24], *endpoint = stage_endpoint (self->settings.broker_endpoint, link, side);
    link_name (name, link, side);
    zsock_t *socket = bind_to (self, type, name, endpoint, is_close (link, side));
    free (endpoint);
    return socket;
}

zsock_t *
stage_bind_collector (struct stage *self, int type)
{
    return bind_to (self, type, CURVE_DOMAIN_COLLECTOR, self->settings.collector_endpoint, false);
}

/* ---- the whole ---- */

int
links_open (struct stage *self)
{
    const struct settings *s = &self->settings;
    bool leaves = curve_leaves_machine (s->broker_endpoint) || curve_leaves_machine (s->collector_endpoint);
    if (leaves && streq (s->security_curve, "off"))
        log_warn ("links leave this machine in the clear and let anyone in, because security.curve is off");
    if (!curve_is_on (s, s->broker_endpoint) && !curve_is_on (s, s->collector_endpoint))
        return 0;
    char reason[CURVE_REASON_SIZE];
    if (!zsys_has_curve ()) {
        log_error ("this libzmq was built without CURVE: links that leave the machine need it, or security.curve = off");
        return -ENOTSUP;
    }
    int r = curve_load (s, self->def->name, &self->curve, reason);
    if (r < 0)
        log_error ("%s", reason);
    return r;
}

void
links_close (struct stage *self)
{
    while (self->links) {
        zsock_t *socket = self->links->socket;
        stage_close (self, &socket);
    }
    zap_destroy (&self->zap);
    curve_destroy (&self->curve);
}
