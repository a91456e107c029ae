/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/place.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_BYTES 4096
#define LONGEST_SOCKET "/summaries.out" /* of those in run/ */

/* ---- programs and files ---- */

/* The folder of this program. given (free) */
static char *
own_folder (void)
{
    char path[PATH_BYTES];
    ssize_t n = readlink ("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return mem_dup (".");
    path[n] = '\0';
    return mem_dup (dirname (path));
}

char *
place_program (const char *name)
{
    static const char *const folders[] = { "", "/../libexec/newsmill" };
    char *here = own_folder (), *path = NULL;
    for (size_t i = 0; !path && i < COUNT_OF (folders); i++) {
        path = mem_printf ("%s%s/%s", here, folders[i], name);
        if (access (path, X_OK) != 0) {
            free (path);
            path = NULL;
        }
    }
    free (here);
    return path;
}

char *
place_file (enum place_file file)
{
    static const struct {
        const char *tree, *installed;
    } names[] = {
        [PLACE_SQL] = { "sql", "sql" },
        [PLACE_FEEDS] = { "deploy/feeds.opml", "feeds.opml" },
        [PLACE_DEMO_ARTICLES] = { "demo/articles", "demo" },
    };
    char *here = own_folder (), *path = mem_printf ("%s/%s", NEWSMILL_SOURCE_DIR, names[file].tree);
    if (strcmp (here, NEWSMILL_BUILD_BIN) != 0 || access (path, R_OK) != 0) {
        free (path);
        path = mem_printf ("%s/../share/newsmill/%s", here, names[file].installed);
    }
    free (here);
    return path;
}

/* ---- folders ---- */

int
place_make (const char *path, unsigned mode)
{
    char *part = mem_dup (path);
    int r = 0;
    for (char *slash = strchr (part + 1, '/'); r == 0 && slash; slash = strchr (slash + 1, '/')) {
        *slash = '\0';
        if (mkdir (part, 0755) != 0 && errno != EEXIST)
            r = -errno;
        *slash = '/';
    }
    free (part);
    if (r == 0 && mkdir (path, mode) != 0 && errno != EEXIST)
        r = -errno;
    struct stat st;
    if (r == 0 && stat (path, &st) != 0)
        r = -errno;
    return r < 0 ? r : S_ISDIR (st.st_mode) ? 0 : -ENOTDIR;
}

int
place_make_private (const char *path)
{
    struct stat st;
    if (mkdir (path, 0700) != 0 && errno != EEXIST)
        return -errno;
    if (lstat (path, &st) != 0)
        return -errno;
    return S_ISDIR (st.st_mode) && st.st_uid == geteuid () && !(st.st_mode & 077) ? 0 : -EPERM;
}

char *
place_short_dir (const char *dir, const char *suffix)
{
    return mem_printf ("/tmp/newsmill-%u-%016" PRIx64 "%s", (unsigned) geteuid (),
                       num_hash (dir, strlen (dir)), suffix);
}

void
place_shorten_sockets (const struct settings *settings, const char *dir)
{
    if (strlen (dir) + strlen ("/run" LONGEST_SOCKET) <= PLACE_SOCKET_MOST)
        return;
    char *usual = mem_printf ("ipc://%s/run", settings->data_dir);
    char *folder = place_short_dir (dir, ""), *broker = mem_printf ("ipc://%s", folder);
    char *collector = mem_printf ("ipc://%s/status", folder);
    if (strcmp (settings->broker_endpoint, usual) == 0)
        setenv ("NEWSMILL_BROKER_ENDPOINT", broker, 1);
    if (strncmp (settings->collector_endpoint, usual, strlen (usual)) == 0)
        setenv ("NEWSMILL_COLLECTOR_ENDPOINT", collector, 1);
    free (usual);
    free (folder);
    free (broker);
    free (collector);
}

/* ---- the lock ---- */

static char *
lock_path (const char *data_dir)
{
    return mem_printf ("%s/run/up.lock", data_dir);
}

static int64_t
read_pid (int fd)
{
    char text[24];
    ssize_t n = pread (fd, text, sizeof text - 1, 0);
    text[MAX_OF (n, (ssize_t) 0)] = '\0';
    text[strcspn (text, "\n")] = '\0';
    int64_t pid = 0;
    return num_parse (text, 1, INT32_MAX, &pid) == 0 ? pid : 0;
}

/* Locks of the open file description: a test for one disturbs nobody, and the process's end
 * frees it. */
static struct flock
whole_file (short type)
{
    return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

int
place_lock (const char *data_dir, int *ret_fd, int64_t *ret_pid)
{
    char *path = lock_path (data_dir);
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = errno;
    free (path);
    if (fd < 0)
        return -error;
    struct flock lock = whole_file (F_WRLCK);
    if (fcntl (fd, F_OFD_SETLK, &lock) != 0) {
        error = errno;
        *ret_pid = read_pid (fd);
        close (fd);
        return error == EAGAIN || error == EACCES ? -EBUSY : -error;
    }
    if (ftruncate (fd, 0) != 0 || dprintf (fd, "%ld\n", (long) getpid ()) < 0) {
        error = errno;
        close (fd);
        return -error;
    }
    *ret_fd = fd;
    return 0;
}

bool
place_is_live (const char *data_dir)
{
    char *path = lock_path (data_dir);
    int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free (path);
    if (fd < 0)
        return false;
    struct flock lock = whole_file (F_RDLCK);
    bool live = fcntl (fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_WRLCK;
    close (fd);
    return live;
}
