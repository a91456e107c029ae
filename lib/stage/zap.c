/* Who may come in: the ZeroMQ Authentication Protocol (RFC 27). CZMQ's zauth knows certificates but not which socket they are shown
 * at; here a certificate's role must fit the socket's domain, and who is revoked is cut off.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#include <dirent.h>
#include <netdb.h>
#include <sys/stat.h>

#define CHECK_MS 2000          /* the folder of certificates is looked at so often */
#define TELL_AGAIN_MS 60000
#define TOLD_MAX 1000
#define ADDRESS_SIZE 64

struct domain {
    char name[24];
    uint16_t port;
};

/* Somebody who was let in, once for each socket and address. */
struct admitted {
    char key[41], name[CURVE_NAME_MAX + 1], address[ADDRESS_SIZE];
    const struct domain *domain;
};

struct zap {
    struct loop *loop;
    zsock_t *handler;
    char *folder;
    zcertstore_t *store;
    struct timespec changed;
    struct domain domains[2 * WIRE_LINK_COUNT + 1];
    size_t domain_count;
    zlistx_t *admitted;
    zhashx_t *told;            /* refusal: monotonic ms when it was logged */
};

/* ---- certificates ---- */

/* NULL when it may; else why not. */
static const char *
judge (struct zap *self, const char *domain, const char *key, zcert_t **ret_cert)
{
    zcert_t *cert = zcertstore_lookup (self->store, key);
    const char *role = cert ? zcert_meta (cert, "role") : NULL;
    *ret_cert = cert;
    if (!cert)
        return "its certificate is unknown or revoked";
    if (!role || !curve_may_use (role, domain))
        return "its role has no business there";
    return NULL;
}

static const char *
name_of (zcert_t *cert)
{
    const char *name = cert ? zcert_meta (cert, "name") : NULL;
    return name ? name : "unknown";
}

/* ---- cutting off ---- */

/* The numeric address of one end of a TCP connection and its port. */
static int
end_of (int fd, int (*get) (int, struct sockaddr *, socklen_t *), char address[ADDRESS_SIZE], uint16_t *ret_port)
{
    struct sockaddr_storage storage;
    socklen_t size = sizeof storage;
    char port[8];
    int64_t number;
    if (get (fd, (struct sockaddr *) &storage, &size) < 0
        || (storage.ss_family != AF_INET && storage.ss_family != AF_INET6)
        || getnameinfo ((struct sockaddr *) &storage, size, address, ADDRESS_SIZE, port, sizeof port,
                        NI_NUMERICHOST | NI_NUMERICSERV) != 0
        || num_parse (port, 0, UINT16_MAX, &number) < 0)
        return -ENOTCONN;
    *ret_port = (uint16_t) number;
    return 0;
}

/* libzmq can't close one connection of a bound socket, but the kernel can: it sees an end of file, and whoever may still come in
 * from that address connects again at once. What was on its way there is leased, and goes to others. */
static int
cut (const struct admitted *who)
{
    int count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    struct dirent *entry;
    while (folder && (entry = readdir (folder)) != NULL) {
        int64_t fd;
        char here[ADDRESS_SIZE], there[ADDRESS_SIZE];
        uint16_t port, other;
        if (num_parse (entry->d_name, 0, INT32_MAX, &fd) < 0 || fd == dirfd (folder)
            || end_of ((int) fd, getsockname, here, &port) < 0 || port != who->domain->port
            || end_of ((int) fd, getpeername, there, &other) < 0 || !streq (there, who->address))
            continue;
        count += shutdown ((int) fd, SHUT_RDWR) == 0;
    }
    if (folder)
        closedir (folder);
    return count;
}

static bool
folder_changed (struct zap *self)
{
    struct stat st;
    if (stat (self->folder, &st) < 0) {
        log_warn ("cannot read the certificates in %s: %s", self->folder, strerror (errno));
        return false;
    }
    bool same = st.st_mtim.tv_sec == self->changed.tv_sec && st.st_mtim.tv_nsec == self->changed.tv_nsec;
    self->changed = st.st_mtim;
    return !same;
}

static void
check (void *context UNUSED, void *arg)
{
    struct zap *self = arg;
    if (!folder_changed (self))
        return;
    for (struct admitted *who = zlistx_first (self->admitted); who; who = zlistx_next (self->admitted)) {
        zcert_t *cert;
        const char *why = judge (self, who->domain->name, who->key, &cert);
        if (!why)
            continue;
        log_warn ("cut off %s (%s) at %s: %s connections=%d", who->name, who->address, who->domain->name, why, cut (who));
        zlistx_delete (self->admitted, zlistx_cursor (self->admitted));
    }
}

static struct domain *
find_domain (struct zap *self, const char *name)
{
    for (size_t i = 0; i < self->domain_count; i++)
        if (streq (self->domains[i].name, name))
            return &self->domains[i];
    return NULL;
}

static void
remember (struct zap *self, const char *domain, const char *address, const char *key, zcert_t *cert)
{
    for (struct admitted *a = zlistx_first (self->admitted); a; a = zlistx_next (self->admitted))
        if (streq (a->key, key) && streq (a->address, address) && streq (a->domain->name, domain))
            return;
    struct admitted *who = MEM_NEW (struct admitted);
    snprintf (who->key, sizeof who->key, "%s", key);
    snprintf (who->name, sizeof who->name, "%s", name_of (cert));
    snprintf (who->address, sizeof who->address, "%s", address);
    who->domain = find_domain (self, domain);
    if (who->domain)
        zlistx_add_end (self->admitted, who);
    else
        free (who);
}

/* ---- requests ---- */

static void
tell_refused (struct zap *self, const char *domain, const char *address, const char *key, zcert_t *cert, const char *why)
{
    char *text = mem_printf ("%s %s %s", address, key, why); /* once for all sockets it tries */
    int64_t now = clock_mono_ms (), *at = zhashx_lookup (self->told, text);
    if (!at || now - *at > TELL_AGAIN_MS) {
        log_warn ("refused %s at %s: %s name=%s role=%s key=%s", address, domain, why, name_of (cert),
                  cert && zcert_meta (cert, "role") ? zcert_meta (cert, "role") : "none", key);
        if (zhashx_size (self->told) >= TOLD_MAX)
            zhashx_purge (self->told);
        at = MEM_NEW (int64_t);
        *at = now;
        zhashx_update (self->told, text, at);
    }
    free (text);
}

static void
add_property (struct buf *out, const char *name, const char *value)
{
    size_t size = strlen (value);
    uint8_t length[4] = { (uint8_t) (size >> 24), (uint8_t) (size >> 16), (uint8_t) (size >> 8), (uint8_t) size };
    buf_add_char (out, (char) strlen (name));
    buf_add_str (out, name);
    buf_add (out, length, sizeof length);
    buf_add (out, value, size);
}

/* Request: version, id, domain, address, identity, mechanism, credentials. Reply: version, id, status, text, user, metadata. */
static void
on_request (void *context UNUSED, void *arg)
{
    struct zap *self = arg;
    zmsg_t *request = zmsg_recv (self->handler);
    if (!request)
        return;
    char *parts[6] = { NULL };
    size_t count = zmsg_size (request);
    for (size_t i = 0; i < COUNT_OF (parts) && i < count; i++)
        parts[i] = zmsg_popstr (request);
    zframe_t *credentials = zmsg_pop (request);
    char key[41] = "";
    bool curve = count == 7 && streq (parts[5], "CURVE") && zframe_size (credentials) == 32
                 && zmq_z85_encode (key, zframe_data (credentials), 32);
    zcert_t *cert = NULL;
    const char *why = curve ? judge (self, parts[2], key, &cert) : "it speaks no CURVE";
    if (!why)
        remember (self, parts[2], parts[3], key, cert);
    else if (count >= 4)
        tell_refused (self, parts[2], parts[3], key, cert, why);
    struct buf properties = { 0 };
    if (!why) {
        add_property (&properties, "Role", zcert_meta (cert, "role"));
        log_debug ("let %s (%s) in at %s", name_of (cert), parts[3], parts[2]);
    }
    zmsg_t *reply = zmsg_new ();
    zmsg_addstr (reply, "1.0");
    zmsg_addstr (reply, parts[1] ? parts[1] : "");
    zmsg_addstr (reply, why ? "400" : "200");
    zmsg_addstr (reply, why ? why : "OK");
    zmsg_addstr (reply, why ? "" : name_of (cert));
    zmsg_addmem (reply, properties.data, properties.len);
    zmsg_send (&reply, self->handler);
    buf_fini (&properties);
    zframe_destroy (&credentials);
    for (size_t i = 0; i < COUNT_OF (parts); i++)
        zstr_free (&parts[i]);
    zmsg_destroy (&request);
}

/* ---- the whole ---- */

static void
free_item (void **item)
{
    free (*item);
    *item = NULL;
}

struct zap *
zap_new (struct loop *loop, const char *clients)
{
    zsock_t *handler = zsock_new (ZMQ_REP);
    if (access (clients, R_OK | X_OK) < 0 || zsock_bind (handler, "inproc://zeromq.zap.01") < 0) {
        log_error ("cannot read the certificates in %s: %s; `newsmill keys init` makes them", clients, strerror (errno));
        zsock_destroy (&handler);
        return NULL;
    }
    struct zap *self = MEM_NEW (struct zap);
    self->loop = loop;
    self->handler = handler;
    self->folder = mem_dup (clients);
    self->store = zcertstore_new (clients);
    self->admitted = zlistx_new ();
    zlistx_set_destructor (self->admitted, free_item);
    self->told = zhashx_new ();
    zhashx_set_destructor (self->told, free_item);
    folder_changed (self);
    loop_watch_socket (loop, handler, false, on_request, self);
    loop_timer (loop, CHECK_MS, check, self);
    return self;
}

void
zap_destroy (struct zap **zap)
{
    struct zap *self = *zap;
    if (!self)
        return;
    loop_unwatch_socket (self->loop, self->handler, false);
    zsock_destroy (&self->handler);
    zcertstore_destroy (&self->store);
    zlistx_destroy (&self->admitted);
    zhashx_destroy (&self->told);
    free (self->folder);
    free (self);
    *zap = NULL;
}

void
zap_add_domain (struct zap *self, const char *name, const char *endpoint)
{
    int64_t port = 0;
    const char *colon = strrchr (endpoint, ':');
    if (self->domain_count == COUNT_OF (self->domains) || !colon || num_parse (colon + 1, 1, UINT16_MAX, &port) < 0)
        return; /* binding fails, and says so */
    struct domain *domain = &self->domains[self->domain_count++];
    snprintf (domain->name, sizeof domain->name, "%s", name);
    domain->port = (uint16_t) port;
}
