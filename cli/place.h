/* place - where things are: the other programs, the files that come with newsmill, a mill's
 * folders and its lock.
 *
 *   data.dir/run/        sockets, database.url, up.lock; for the owner alone
 *   data.dir/postgres/   the private database; of the user it runs as
 *   data.dir/socket/     its socket
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "base/base.h"
#include "conf/conf.h"

/* Beside this program, else in ../libexec/newsmill. given (free); NULL if it is in neither. */
char *place_program (const char *name);

enum place_file { PLACE_SQL, PLACE_FEEDS, PLACE_DEMO_ARTICLES };
/* In the source tree when this program runs from its build folder, else in ../share/newsmill.
 * given (free) */
char *place_file (enum place_file file);

/* Makes a folder and the ones above it. 0 or a negative errno. */
MUST_CHECK int place_make (const char *path, unsigned mode);

/* A socket's name has room for 107 bytes. Where dir is too deep for that, the sockets that are
 * not placed by a setting go to a short folder, by the environment, so that child processes find
 * them too. */
void place_shorten_sockets (const struct settings *settings, const char *dir);
/* "/tmp/newsmill-UID-HASH" and suffix: the same for the same folder. given (free) */
char *place_short_dir (const char *dir, const char *suffix);
#define PLACE_SOCKET_MOST 107
/* Makes a folder below /tmp, or takes one that exists if it is ours alone. 0 or a negative
 * errno. */
MUST_CHECK int place_make_private (const char *path);

/* One `up` a data folder. 0 and the descriptor that holds the lock until closed; -EBUSY with the
 * holder's process id (0 if unknown), or what open says. */
MUST_CHECK int place_lock (const char *data_dir, int *ret_fd, int64_t *ret_pid);
bool place_is_live (const char *data_dir);

#endif
