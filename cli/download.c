/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/download.h"
#include "cli/cli.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define REDIRECTS_MOST 5L
#define LOOK_MS 200          /* between two looks at what another program does */
#define TERMINAL_EVERY_MS 200
#define LINES_EVERY_MS 5000
#define FOLDER_FILES_MOST 2  /* a program keeps a copy, as npm does */
#define SAID_MOST (1 << 20)
#define EXEC_FAILED 127

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static struct sigaction before[COUNT_OF (signals)];
static volatile sig_atomic_t stopped;

static void
on_signal (int number UNUSED)
{
    stopped = 1;
}

void
download_begin (void)
{
    struct sigaction action = { .sa_handler = on_signal };
    stopped = 0;
    for (size_t i = 0; i < COUNT_OF (signals); i++)
        sigaction (signals[i], &action, &before[i]);
}

void
download_end (void)
{
    for (size_t i = 0; i < COUNT_OF (signals); i++)
        sigaction (signals[i], &before[i], NULL);
}

bool
download_is_stopped (void)
{
    return stopped;
}

/* ---- how it goes ---- */

struct progress {
    const struct download_limits *limits;
    int64_t began_ms, grew_ms, shown_ms;
    int64_t bytes;
    bool terminal, drawn;
};

static struct progress
progress_begin (const struct download_limits *limits)
{
    int64_t now = clock_mono_ms ();
    return (struct progress){ .limits = limits, .began_ms = now, .grew_ms = now, .shown_ms = now,
                              .terminal = isatty (STDERR_FILENO) };
}

static void
progress_show (struct progress *self, int64_t now)
{
    if (now - self->shown_ms < (self->terminal ? TERMINAL_EVERY_MS : LINES_EVERY_MS))
        return;
    self->shown_ms = now;
    self->drawn = self->terminal;
    fprintf (stderr, self->terminal ? "\r\033[Knewsmill: %s: %.1f MB" : "newsmill: %s: %.1f MB\n", self->limits->what,
             (double) self->bytes / 1e6);
}

static void
progress_end (struct progress *self)
{
    if (self->drawn)
        fputs ("\r\033[K", stderr);
}

/* 0 to go on, else with reason why not. */
static int
progress_take (struct progress *self, int64_t bytes, char reason[DOWNLOAD_REASON_SIZE])
{
    int64_t now = clock_mono_ms ();
    if (bytes != self->bytes)
        self->grew_ms = now;
    self->bytes = bytes;
    progress_show (self, now);
    if (stopped) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "stopped");
        return -EINTR;
    }
    if (now - self->grew_ms > self->limits->patience_ms) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "nothing came for %.1f s", (double) (now - self->grew_ms) / 1000);
        return -ETIMEDOUT;
    }
    if (now - self->began_ms > self->limits->total_ms) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "not finished within %.0f s", (double) self->limits->total_ms / 1000);
        return -ETIMEDOUT;
    }
    return 0;
}

/* ---- HTTP ---- */

struct transfer {
    struct progress progress;
    FILE *file;
    size_t written;
    int error; /* why we ended it */
    char *reason;
};

static size_t
on_body (char *data, size_t size, size_t count, void *context)
{
    struct transfer *self = context;
    size_t bytes = size * count;
    if (bytes > self->progress.limits->most_bytes - self->written) {
        snprintf (self->reason, DOWNLOAD_REASON_SIZE, "larger than %zu MB", self->progress.limits->most_bytes / 1000000);
        self->error = -EFBIG;
    } else if (fwrite (data, 1, bytes, self->file) != bytes) {
        self->error = -errno;
        snprintf (self->reason, DOWNLOAD_REASON_SIZE, "cannot write what came: %s", strerror (errno));
    }
    self->written += bytes;
    return self->error ? 0 : bytes;
}

static int
on_progress (void *context, curl_off_t total UNUSED, curl_off_t got, curl_off_t up_total UNUSED, curl_off_t up UNUSED)
{
    struct transfer *self = context;
    if (!self->error)
        self->error = progress_take (&self->progress, got, self->reason);
    return self->error != 0;
}

static void
set_options (CURL *easy, const char *url, struct transfer *transfer, char text[CURL_ERROR_SIZE])
{
    bool tls = strncmp (url, "https:", 6) == 0;
    curl_easy_setopt (easy, CURLOPT_URL, url);
    curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, text);
    curl_easy_setopt (easy, CURLOPT_USERAGENT, "newsmill/" NEWSMILL_VERSION);
    curl_easy_setopt (easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt (easy, CURLOPT_MAXREDIRS, REDIRECTS_MOST);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR, tls ? "https" : "http,https");
#else
    curl_easy_setopt (easy, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
    curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS, (long) (tls ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt (easy, CURLOPT_QUICK_EXIT, 1L); /* a name server that hangs does not hang us */
#endif
    curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt (easy, CURLOPT_WRITEDATA, transfer);
    curl_easy_setopt (easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt (easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt (easy, CURLOPT_XFERINFODATA, transfer);
}

int
download_url (const char *url, const char *path, const struct download_limits *limits, char reason[DOWNLOAD_REASON_SIZE])
{
    struct transfer transfer = { .progress = progress_begin (limits), .file = fopen (path, "we"), .reason = reason };
    char text[CURL_ERROR_SIZE] = "";
    CURL *easy = transfer.file ? curl_easy_init () : NULL;
    if (!easy) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot write %s: %s", path, strerror (errno));
        if (transfer.file)
            fclose (transfer.file);
        return -EIO;
    }
    set_options (easy, url, &transfer, text);
    CURLcode code = curl_easy_perform (easy);
    curl_easy_cleanup (easy);
    progress_end (&transfer.progress);
    if (fclose (transfer.file) != 0 && !code) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot write what came: %s", strerror (errno));
        return -errno;
    }
    if (code && !transfer.error) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s", *text ? text : curl_easy_strerror (code));
        transfer.error = -EIO;
    }
    return transfer.error;
}

/* ---- other programs ---- */

static int64_t folder_bytes; /* of the walk under way: nftw hands nothing through */

static int
add_size (const char *path UNUSED, const struct stat *st, int type, struct FTW *ftw UNUSED)
{
    if (type == FTW_F)
        folder_bytes += st->st_size;
    return 0;
}

static int64_t
measure (const char *folder)
{
    folder_bytes = 0;
    nftw (folder, add_size, 16, FTW_PHYS);
    return folder_bytes;
}

/* In the new process, between fork and exec: nothing here may allocate. */
static void
become (const char *const *argv, const char *folder, size_t most_bytes, pid_t parent)
{
    struct rlimit limit = { most_bytes, most_bytes };
    int null = open ("/dev/null", O_RDONLY);
    if (chdir (folder) != 0)
        _exit (EXEC_FAILED);
    int said = open (DOWNLOAD_SAID, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2 (null, STDIN_FILENO);
    dup2 (said, STDOUT_FILENO);
    dup2 (said, STDERR_FILENO);
    signal (SIGPIPE, SIG_DFL);
    setpgid (0, 0); /* the terminal's Ctrl-C is for us alone, and all that it starts can be ended */
    setrlimit (RLIMIT_FSIZE, &limit);
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    if (getppid () == parent)
        execvp (argv[0], (char *const *) (uintptr_t) argv);
    _exit (EXEC_FAILED);
}

/* "npm error network request failed" is what it says, without its name before it. */
static const char *
without_name (const char *line, const char *name)
{
    static const char *const levels[] = { " error ", " ERR! ", ": " };
    size_t size = strlen (name);
    if (strncmp (line, name, size) != 0)
        return line;
    for (size_t i = 0; i < COUNT_OF (levels); i++)
        if (strncmp (line + size, levels[i], strlen (levels[i])) == 0)
            return line + size + strlen (levels[i]);
    return line;
}

/* The line that gives a reason, else the first. */
static void
tell_said (const char *name, const char *folder, char reason[DOWNLOAD_REASON_SIZE])
{
    char *path = mem_printf ("%s/" DOWNLOAD_SAID, folder), quoted[LOG_QUOTE_SIZE];
    struct buf said = { 0 };
    const char *first = NULL, *best = NULL;
    char *rest = cli_read_file (path, SAID_MOST, &said) == 0 ? said.data : NULL;
    for (char *line; rest && (line = strsep (&rest, "\r\n")) != NULL;) {
        line += strspn (line, " ");
        if (*line && !first)
            first = without_name (line, name);
        if (!best && strstr (line, "reason: "))
            best = without_name (line, name);
    }
    snprintf (reason, DOWNLOAD_REASON_SIZE, "%s failed%s%s", name, first ? ": " : "",
              first ? log_quote (best ? best : first, quoted) : "");
    buf_fini (&said);
    free (path);
}

static int
wait_for (pid_t pid, const char *folder, const struct download_limits *limits, char reason[DOWNLOAD_REASON_SIZE], int *ret_status)
{
    struct progress progress = progress_begin (limits);
    int64_t before_bytes = measure (folder), most = (int64_t) limits->most_bytes * FOLDER_FILES_MOST;
    struct pollfd end = { (int) syscall (SYS_pidfd_open, pid, 0), POLLIN, 0 };
    int r = end.fd < 0 ? -errno : 0;
    if (r < 0)
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot watch a process: %s", strerror (-r));
    while (r == 0 && poll (&end, 1, LOOK_MS) <= 0) {
        int64_t bytes = measure (folder) - before_bytes;
        r = progress_take (&progress, bytes, reason);
        if (r == 0 && bytes > most) {
            snprintf (reason, DOWNLOAD_REASON_SIZE, "brings more than %jd MB", (intmax_t) most / 1000000);
            r = -EFBIG;
        }
    }
    progress_end (&progress);
    if (r < 0)
        kill (-pid, SIGKILL);
    while (waitpid (pid, ret_status, 0) < 0 && errno == EINTR)
        continue;
    if (end.fd >= 0)
        close (end.fd);
    return r;
}

int
download_run (const char *const *argv, const char *folder, const struct download_limits *limits, char reason[DOWNLOAD_REASON_SIZE])
{
    int status = 0;
    pid_t parent = getpid (), pid = fork ();
    if (pid < 0) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "cannot start %s: %s", argv[0], strerror (errno));
        return -EAGAIN;
    }
    if (pid == 0)
        become (argv, folder, limits->most_bytes, parent);
    setpgid (pid, pid); /* whoever of the two comes first */
    int r = wait_for (pid, folder, limits, reason, &status);
    if (r < 0 || (WIFEXITED (status) && WEXITSTATUS (status) == 0))
        return r;
    if (WIFEXITED (status) && WEXITSTATUS (status) == EXEC_FAILED) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s is not installed", argv[0]);
        return -ENOENT;
    }
    if (WIFSIGNALED (status)) {
        snprintf (reason, DOWNLOAD_REASON_SIZE, "%s died of %s", argv[0], strsignal (WTERMSIG (status)));
        return -EIO;
    }
    tell_said (argv[0], folder, reason);
    return -EIO;
}

static int
remove_one (const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *ftw)
{
    if (ftw->level > 0)
        (void) remove (path); /* what stays is overwritten the next time */
    return 0;
}

void
download_clear (const char *folder, bool folder_too)
{
    nftw (folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (folder_too)
        (void) rmdir (folder);
}
