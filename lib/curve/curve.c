/* SPDX-License-Identifier: MPL-2.0 */
#include "curve/curve.h"

#include <arpa/inet.h>
#include <sys/stat.h>

struct curve {
    zcert_t *cert;
    char *file;
    char *servers[2];  /* public keys, Z85 */
};

/* ---- endpoints ---- */

static bool
is_loopback (const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton (AF_INET, host, &four) == 1)
        return ntohl (four.s_addr) >> 24 == IN_LOOPBACKNET;
    if (inet_pton (AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK (&six);
    return streq (host, "localhost");
}

bool
curve_leaves_machine (const char *endpoint)
{
    if (strncmp (endpoint, "tcp://", 6) != 0)
        return false;
    const char *host = endpoint + 6, *colon = strrchr (host, ':');
    size_t length = colon ? (size_t) (colon - host) : strlen (host);
    bool bracketed = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    char *name = mem_copy (host + bracketed, length - 2 * bracketed);
    bool loopback = is_loopback (name);
    free (name);
    return !loopback;
}

bool
curve_is_on (const struct settings *settings, const char *endpoint)
{
    if (streq (settings->security_curve, "off") || strncmp (endpoint, "tcp://", 6) != 0)
        return false;
    return streq (settings->security_curve, "always") || curve_leaves_machine (endpoint);
}

char *
curve_to_connect (const char *endpoint)
{
    return strncmp (endpoint, "tcp://*:", 8) == 0 ? mem_printf ("tcp://127.0.0.1:%s", endpoint + 8) : mem_dup (endpoint);
}

/* ---- certificates ---- */

char *
curve_key_path (const struct settings *settings, const char *name)
{
    return mem_printf ("%s/%s/key", settings->security_keys, name);
}

char *
curve_clients_path (const struct settings *settings, const char *name)
{
    return mem_printf ("%s/clients%s%s", settings->security_keys, name ? "/" : "", name ? name : "");
}

char *
curve_revoked_path (const struct settings *settings, const char *name)
{
    return mem_printf ("%s/revoked%s%s", settings->security_keys, name ? "/" : "", name ? name : "");
}

/* A secret that others can read is none. The group may: that is how Kubernetes hands secrets to users other than root. */
static int
check_file (const char *file, const char *role, char ret_reason[CURVE_REASON_SIZE])
{
    struct stat st;
    int r = stat (file, &st) < 0 ? -errno : 0;
    if (r == -ENOENT)
        snprintf (ret_reason, CURVE_REASON_SIZE, "there is no key at %s: make one with `newsmill keys init`, or copy one that "
                  "`newsmill keys issue %s` made", file, role);
    else if (r == 0 && access (file, R_OK) < 0)
        r = -errno;
    else if (r == 0 && (st.st_mode & (S_IWGRP | S_IRWXO))) {
        snprintf (ret_reason, CURVE_REASON_SIZE, "the key at %s can be read or changed by others (mode %04o): chmod 600 %s, and if others "
                  "may have read it, revoke it and issue a new one", file, st.st_mode & 07777u, file);
        return -EPERM;
    }
    if (r < 0 && r != -ENOENT)
        snprintf (ret_reason, CURVE_REASON_SIZE, "the key at %s cannot be read: %s; it must belong to the user newsmill runs as "
                  "(uid %u)", file, strerror (-r), (unsigned) geteuid ());
    return r;
}

static bool
is_key (const char *text)
{
    uint8_t key[32];
    return text && strlen (text) == 40 && zmq_z85_decode (key, text);
}

int
curve_load (const struct settings *settings, const char *role, struct curve **ret_curve, char ret_reason[CURVE_REASON_SIZE])
{
    char *file = *settings->security_key ? mem_dup (settings->security_key) : curve_key_path (settings, role);
    int r = check_file (file, role, ret_reason);
    zcert_t *cert = r == 0 ? zcert_load (file) : NULL;
    if (r == 0 && (!cert || !is_key (zcert_public_txt (cert)) || strspn (zcert_secret_txt (cert), "0") == 40
                   || !is_key (zcert_meta (cert, "broker-key")) || !is_key (zcert_meta (cert, "collector-key")))) {
        snprintf (ret_reason, CURVE_REASON_SIZE, "%s is no secret certificate of newsmill: make one with `newsmill keys issue %s`",
                  file, role);
        r = -EINVAL;
    }
    const char *roles = r == 0 ? zcert_meta (cert, "role") : NULL;
    if (r == 0 && (!roles || !curve_has_role (roles, role))) {
        snprintf (ret_reason, CURVE_REASON_SIZE, "the certificate at %s is for the role %s, not for %s: `newsmill keys issue %s` "
                  "makes one", file, roles ? roles : "of nobody", role, role);
        r = -EINVAL;
    }
    if (r < 0) {
        zcert_destroy (&cert);
        free (file);
        return r;
    }
    struct curve *self = MEM_NEW (struct curve);
    self->cert = cert;
    self->file = file;
    self->servers[CURVE_BROKER] = mem_dup (zcert_meta (cert, "broker-key"));
    self->servers[CURVE_COLLECTOR] = mem_dup (zcert_meta (cert, "collector-key"));
    *ret_curve = self;
    return 0;
}

void
curve_destroy (struct curve **curve)
{
    struct curve *self = *curve;
    if (!self)
        return;
    zcert_destroy (&self->cert);
    free (self->file);
    free (self->servers[CURVE_BROKER]);
    free (self->servers[CURVE_COLLECTOR]);
    free (self);
    *curve = NULL;
}

const char *
curve_name (const struct curve *self)
{
    const char *name = zcert_meta (self->cert, "name");
    return name ? name : "unnamed";
}

const char *
curve_file (const struct curve *self)
{
    return self->file;
}

void
curve_apply_client (const struct curve *self, zsock_t *socket, enum curve_server server)
{
    zcert_apply (self->cert, socket);
    zsock_set_curve_serverkey (socket, self->servers[server]);
}

void
curve_apply_server (const struct curve *self, zsock_t *socket, const char *domain)
{
    zcert_apply (self->cert, socket);
    zsock_set_curve_server (socket, 1);
    zsock_set_zap_domain (socket, domain);
    zsock_set_zap_enforce_domain (socket, 1);
}
