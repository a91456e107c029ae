/* postgres - a private PostgreSQL for one mill: a cluster in data.dir/postgres, reached by a
 * unix socket alone, run by this user, or by an unprivileged one when root asks. Nothing here
 * starts the server: the supervisor does, with postgres_service.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_POSTGRES_H
#define CLI_POSTGRES_H

#include "base/base.h"
#include "cli/supervise.h"

struct postgres;

#define POSTGRES_REASON_SIZE 1024
/* Finds the installed server, makes folders and the cluster where they are missing (seconds),
 * clears away what a killed server left. The caller holds the mill's lock. *ret_postgres: given
 * (postgres_destroy). 0; -EINVAL: somebody has to act first; -EIO: something failed. ret_reason:
 * for people. */
MUST_CHECK int postgres_prepare (const char *data_dir, struct postgres **ret_postgres,
                                 char ret_reason[POSTGRES_REASON_SIZE]);
void postgres_destroy (struct postgres **postgres);
/* postgres: borrowed by the service. argv is given, as supervisor_start wants it. */
struct service postgres_service (struct postgres *postgres);
/* Waits until the server takes connections, then makes the database where it is missing. 0;
 * -EINTR: a stop was asked for; -EIO. */
MUST_CHECK int postgres_wait (struct postgres *postgres, struct supervisor *supervisor,
                              char ret_reason[POSTGRES_REASON_SIZE]);
const char *postgres_url (const struct postgres *postgres); /* of the database newsmill; borrowed */

/* The URL of a database on the server behind this socket folder. given (free) */
char *postgres_make_url (const char *socket_dir, const char *database);

#endif
