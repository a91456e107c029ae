/* SPDX-License-Identifier: MPL-2.0 */
#include "base/fault.h"
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "newsmill-"

const char *
fault_process (void)
{
    const char *program = program_invocation_short_name;
    return program + (strncmp (program, PREFIX, strlen (PREFIX)) ? 0 : strlen (PREFIX));
}

/* The armed action, for the one process of several that gets it. */
static bool
take (const char *name, char *action, size_t size)
{
    const char *folder = getenv ("NEWSMILL_FAULT_DIR");
    if (!folder)
        return false;
    char *path = mem_printf ("%s/%s.%s", folder, fault_process (), name);
    int fd = open (path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read (fd, action, size - 1);
    bool mine = bytes >= 0 && unlink (path) == 0;
    if (fd >= 0)
        close (fd);
    free (path);
    action[mine ? bytes : 0] = '\0';
    return mine;
}

bool
fault_at (const char *name)
{
    char action[32];
    int64_t ms = 0;
    if (!take (name, action, sizeof action))
        return false;
    log_warn ("fault point=%s action=%s", name, action);
    if (!strcmp (action, "kill"))
        raise (SIGKILL);
    if (!strncmp (action, "delay ", 6) && num_parse (action + 6, 1, 600000, &ms) == 0) {
        const struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
        nanosleep (&pause, NULL);
    }
    return !strcmp (action, "error");
}

void
fault_poison (const char *text, size_t bytes)
{
    const char *mark = getenv ("NEWSMILL_FAULT_POISON");
    if (mark && memmem (text, bytes, mark, strlen (mark)))
        raise (SIGKILL);
}
