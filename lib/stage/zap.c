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
#define LOOK_AGAIN_MS 200
#define ADDRESS_SIZE 64

struct domain {
    char name[24];
    uint16_t port;
};

struct cert {
    char name[CURVE_NAME_MAX + 1], role[256];
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
    zhashx_t *certs;           /* public key, Z85: struct cert */
    uint64_t signature;        /* of the folder as it was read */
    int64_t looked_ms;
    bool unreadable;           /* and said so */
    struct domain domains[2 * WIRE_LINK_COUNT + 1];
    size_t domain_count;
    zlistx_t *admitted;
    zhashx_t *told;            /* address: monotonic ms when its refusal was logged */
};

/* ---- certificates ----
 * Not by CZMQ's zcertstore: it asserts that no two files hold the same key, so that one copied file ends the process, and sees
 * a change by the second. */

static bool
is_certificate (const char *name)
{
    size_t length = strlen (name);
    return *name != '.' && length <= CURVE_NAME_MAX && !(length > 7 && streq (name + length - 7, "_secret"));
}

/* 0 for a folder that cannot be read: as if it were empty, nobody comes in. */
static uint64_t
sign (struct zap *self)
{
    struct buf facts = { 0 };
    DIR *folder = opendir (self->folder);
    if (!folder && !self->unreadable)
        log_error ("cannot read the certificates in %s: %s; nobody is let in", self->folder, strerror (errno));
    self->unreadable = !folder;
    for (struct dirent *entry; folder && (entry = readdir (folder)) != NULL;) {
        struct stat st;
        if (is_certificate (entry->d_name) && fstatat (dirfd (folder), entry->d_name, &st, 0) == 0)
            buf_printf (&facts, "%s %jd %jd %jd.%ld\n", entry->d_name, (intmax_t) st.st_ino, (intmax_t) st.st_size,
                        (intmax_t) st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    }
    uint64_t signature = folder ? num_hash (facts.data ? facts.data : "", facts.len) | 1 : 0;
    if (folder)
        closedir (folder);
    buf_fini (&facts);
    return signature;
}

static void
add_cert (struct zap *self, const char *file)
{
    char *path = mem_printf ("%s/%s", self->folder, file);
    struct stat st;
    bool is_file = stat (path, &st) == 0 && S_ISREG (st.st_mode);
    zcert_t *cert = is_file ? zcert_load (path) : NULL;
    const char *name = cert ? zcert_meta (cert, "name") : NULL, *role = cert ? zcert_meta (cert, "role") : NULL;
    if (role && !zhashx_lookup (self->certs, zcert_public_txt (cert))) {
        struct cert *entry = MEM_NEW (struct cert);
        snprintf (entry->name, sizeof entry->name, "%.*s", CURVE_NAME_MAX, name ? name : file);
        snprintf (entry->role, sizeof entry->role, "%s", role);
        zhashx_insert (self->certs, zcert_public_txt (cert), entry);
    } else if (!role && is_file)
        log_warn ("%s is no certificate, or cannot be read: it lets nobody in", path);
    zcert_destroy (&cert);
    free (path);
}

/* Whether the folder changed since it was last read. Reads it then. */
static bool
refresh (struct zap *self)
{
    uint64_t signature = sign (self);
    self->looked_ms = clock_mono_ms ();
    if (signature == self->signature)
        return false;
    self->signature = signature;
    zhashx_purge (self->certs);
    DIR *folder = opendir (self->folder);
    for (struct dirent *entry; folder && (entry = readdir (folder)) != NULL;)
        if (is_certificate (entry->d_name))
            add_cert (self, entry->d_name);
    if (folder)
        closedir (folder);
    return true;
}

/* NULL when it may; else why not. *ret_cert: borrowed until the next refresh, NULL if there is none. */
static const char *
judge (struct zap *self, const char *domain, const char *key, const struct cert **ret_cert)
{
    const struct cert *cert = zhashx_lookup (self->certs, key);
    *ret_cert = cert;
    if (!cert)
        return "its certificate is unknown or revoked";
    return curve_may_use (cert->role, domain) ? NULL : "its role has no business there";
}

static const char *
name_of (const struct cert *cert)
{
    return cert ? cert->name : "unknown";
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
 * from that address connects again at once. What was on its way there is leased, and goes to others. How many, or negative errno. */
static int
cut (const struct admitted *who)
{
    int count = 0;
    DIR *folder = opendir ("/proc/self/fd");
    if (!folder)
        return -errno;
    for (struct dirent *entry; (entry = readdir (folder)) != NULL;) {
        int64_t fd;
        char here[ADDRESS_SIZE], there[ADDRESS_SIZE];
        uint16_t port, other;
        if (num_parse (entry->d_name, 0, INT32_MAX, &fd) < 0 || fd == dirfd (folder)
            || end_of ((int) fd, getsockname, here, &port) < 0 || port != who->domain->port
            || end_of ((int) fd, getpeername, there, &other) < 0 || !streq (there, who->address))
            continue;
        count += shutdown ((int) fd, SHUT_RDWR) == 0;
    }
    closedir (folder);
    return count;
}

static void
cut_the_revoked (struct zap *self)
{
    for (struct admitted *who = zlistx_first (self->admitted); who; who = zlistx_next (self->admitted)) {
        const struct cert *cert;
        const char *why = judge (self, who->domain->name, who->key, &cert);
        int count = why ? cut (who) : 0;
        if (count < 0) {
            log_error ("cannot cut off %s, trying again: %s", who->name, strerror (-count));
            self->signature = 0; /* as if the folder had changed again */
        } else if (why) {
            log_warn ("cut off %s (%s) at %s: %s connections=%d", who->name, who->address, who->domain->name, why, count);
            zlistx_delete (self->admitted, zlistx_cursor (self->admitted));
        }
    }
}

static void
check (void *context UNUSED, void *arg)
{
    struct zap *self = arg;
    if (refresh (self))
        cut_the_revoked (self);
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
remember (struct zap *self, const char *domain, const char *address, const char *key, const struct cert *cert)
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
tell_refused (struct zap *self, const char *domain, const char *address, const char *key, const struct cert *cert, const char *why)
{
    /* Once for all sockets and keys it tries: keys cost a stranger nothing. A known name is worth a line of its own. */
    char *text = mem_printf ("%s %s", address, cert ? cert->name : "");
    int64_t *told_ms = zhashx_lookup (self->told, text);
    if (!told_ms) {
        if (zhashx_size (self->told) >= TOLD_MAX)
            zhashx_purge (self->told);
        told_ms = MEM_NEW (int64_t);
        zhashx_insert (self->told, text, told_ms);
    }
    if (log_is_due (told_ms, TELL_AGAIN_MS))
        log_warn ("refused %s at %s: %s name=%s role=%s key=%s", address, domain, why, name_of (cert),
                  cert ? cert->role : "none", key);
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
    const struct cert *cert = NULL;
    const char *why = curve ? judge (self, parts[2], key, &cert) : "it speaks no CURVE";
    if (curve && !cert && clock_mono_ms () - self->looked_ms > LOOK_AGAIN_MS) { /* perhaps it was issued just now */
        check (NULL, self);
        why = judge (self, parts[2], key, &cert);
    }
    if (!why)
        remember (self, parts[2], parts[3], key, cert);
    else if (count >= 4)
        tell_refused (self, parts[2], parts[3], key, cert, why);
    struct buf properties = { 0 };
    if (!why) {
        add_property (&properties, "Role", cert->role);
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
    bool readable = access (clients, R_OK | X_OK) == 0;
    if (!readable)
        log_error ("cannot read the certificates in %s: %s; `newsmill keys init` makes them", clients, strerror (errno));
    else if (zsock_bind (handler, "inproc://zeromq.zap.01") < 0) {
        log_error ("cannot answer for who may come in: %s", zmq_strerror (errno));
        readable = false;
    }
    if (!readable) {
        zsock_destroy (&handler);
        return NULL;
    }
    struct zap *self = MEM_NEW (struct zap);
    self->loop = loop;
    self->handler = handler;
    self->folder = mem_dup (clients);
    self->certs = zhashx_new ();
    zhashx_set_destructor (self->certs, free_item);
    self->admitted = zlistx_new ();
    zlistx_set_destructor (self->admitted, free_item);
    self->told = zhashx_new ();
    zhashx_set_destructor (self->told, free_item);
    (void) refresh (self);
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
    zhashx_destroy (&self->certs);
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
