/* curve - who is who on sockets that leave the machine: certificates, and what each role may use.
 *
 * A certificate is a CZMQ zcert file (ZPL) with a CURVE key pair (RFC 26) and metadata: name, role (comma-separated),
 * created, and in the secret form broker-key and collector-key, the public keys of the servers. Below security.keys:
 *
 *     NAME/key       secret certificate, mode 0600 (or 0440): all that a process needs
 *     clients/NAME   public certificate of who may come in
 *     revoked/NAME   public certificate of who may no longer
 *
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CURVE_CURVE_H
#define CURVE_CURVE_H

#include "base/base.h"
#include "conf/conf.h"

#include <czmq.h>

#define CURVE_REASON_SIZE 512
#define CURVE_NAME_MAX 63
#define CURVE_DOMAIN_COLLECTOR "collector"   /* the ZAP domain of the collector's socket; of a link's: "vectors.in" */

enum curve_server { CURVE_BROKER, CURVE_COLLECTOR };
struct curve; /* a process's own certificate */

bool curve_leaves_machine (const char *endpoint);   /* TCP to or from other than loopback */
/* HOST * is every address to a server, and this machine to its clients. given (free) */
char *curve_to_connect (const char *endpoint);
/* Whether sockets of this endpoint are encrypted, by security.curve. */
bool curve_is_on (const struct settings *settings, const char *endpoint);

/* Reads the secret certificate of role: security.key, else security.keys/ROLE/key. 0, or negative errno with a reason that
 * says what to do. *ret_curve: given (curve_destroy) */
MUST_CHECK int curve_load (const struct settings *settings, const char *role, struct curve **ret_curve,
                           char ret_reason[CURVE_REASON_SIZE]);
void curve_destroy (struct curve **curve);
const char *curve_name (const struct curve *curve);
const char *curve_file (const struct curve *curve);
/* Before the socket connects to a server, or binds with a ZAP domain (RFC 27) that must not be empty. */
void curve_apply_client (const struct curve *curve, zsock_t *socket, enum curve_server server);
void curve_apply_server (const struct curve *curve, zsock_t *socket, const char *domain);

/* ---- roles ---- */

bool curve_is_role (const char *role);
/* The roles a certificate may be issued for, ", " between them. */
const char *curve_roles (void);
/* roles: of a certificate, comma-separated. Whether one of them is role, or has business in the ZAP domain. */
bool curve_has_role (const char *roles, const char *role);
bool curve_may_use (const char *roles, const char *domain);

/* ---- the folder of keys ---- */

/* Paths below security.keys. given (free) */
char *curve_key_path (const struct settings *settings, const char *name);
char *curve_clients_path (const struct settings *settings, const char *name);  /* NULL: the folder */
char *curve_revoked_path (const struct settings *settings, const char *name);

#endif
