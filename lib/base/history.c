/* SPDX-License-Identifier: MPL-2.0 */
#include "base/history.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
history_file (void)
{
    static int fd = -1;
    const char *path = getenv ("NEWSMILL_HISTORY");
    if (fd < 0 && path)
        fd = open (path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    return fd;
}

/* One write, so that lines of several processes do not mix. */
void
history_add (const char *format, ...)
{
    char line[PIPE_BUF];
    int fd = history_file ();
    if (fd < 0)
        return;
    int64_t now_ms = clock_mono_ms ();
    int at = snprintf (line, sizeof line, "%" PRId64 ".%03d %s %d ", now_ms / 1000, (int) (now_ms % 1000),
                       fault_process (), (int) getpid ());
    va_list args;
    va_start (args, format);
    at += vsnprintf (line + at, sizeof line - (size_t) at, format, args);
    va_end (args);
    if ((size_t) at >= sizeof line)
        at = (int) sizeof line - 1;
    line[at] = '\n';
    if (write (fd, line, (size_t) at + 1) < 0)
        log_error ("the history cannot be written: %s", strerror (errno));
}
