/* mill - a mill on this machine, step by step: folders and lock, database, feeds, processes, stop.
 * Every step says what failed and returns 0 or the exit code.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_MILL_H
#define CLI_MILL_H

#include "cli/cli.h"
#include "cli/supervise.h"

struct mill;

struct mill_scale {
    int64_t summarizers, chunkers, embedders, writers;
};

/* Makes the folders and takes the lock. EXIT_TEMP when another one holds it: *ret_holder is its
 * process id then, else 0. *ret_mill: given (mill_close). cli: loaded, borrowed. */
MUST_CHECK int mill_open (struct cli *cli, struct mill **ret_mill, int64_t *ret_holder);
/* Starts the private database or waits for the named one. Afterwards mill_db is connected. */
MUST_CHECK int mill_start_database (struct mill *mill);
MUST_CHECK int mill_migrate (struct mill *mill, int *ret_applied);
/* Starts the demo's server if this is a demo, and brings the feeds in. */
MUST_CHECK int mill_import (struct mill *mill);
MUST_CHECK int mill_start_processes (struct mill *mill, const struct mill_scale *scale,
                                     bool with_ticker);
/* Stops everything and frees the mill. Returns the exit code: that of the first failure, else
 * this one. */
int mill_close (struct mill **mill, int exit_code);

struct supervisor *mill_supervisor (struct mill *mill);
struct db *mill_db (struct mill *mill);
bool mill_is_private (const struct mill *mill); /* its database is its own */

/* The database alone, for commands that change something in it: the named one, that of the live
 * mill, or, where no mill runs, a private one started for this command. Migrated. */
MUST_CHECK int mill_borrow_database (struct cli *cli, struct mill **ret_mill);
MUST_CHECK int mill_borrow_to_migrate (struct cli *cli, struct mill **ret_mill, int *ret_applied);

#endif
