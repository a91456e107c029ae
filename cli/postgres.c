/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/postgres.h"
#include "cli/place.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROLE "newsmill"
#define DATABASE "newsmill"
#define READY_POLL_MS 25
#define START_TRIES 5
#define SOCKET_NAME "/.s.PGSQL.5432"
#define DEEPEST_PATH 120 /* components; the index has to fit in an exit code */

struct postgres {
    char *bin; /* folder of the programs */
    char *program;
    char *cluster, *socket_dir, *log, *url, *admin_url;
    bool drop_to;
    uid_t uid;
    gid_t gid;
    const char *user; /* its name, for messages */
    int log_fd;
    struct buf socket_option;
};

/* ---- the installed server ---- */

/* "/usr/lib/postgresql/15/bin" gives 15; 0 where the path has no number. */
static long
version_in (const char *path)
{
    const char *digits = strpbrk (path, "0123456789");
    return digits ? strtol (digits, NULL, 10) : 0;
}

static bool
has_server (const char *bin)
{
    char *server = mem_printf ("%s/postgres", bin), *init = mem_printf ("%s/initdb", bin);
    bool has = access (server, X_OK) == 0 && access (init, X_OK) == 0;
    free (server);
    free (init);
    return has;
}

/* The newest, or the one of this major version (0: any). given (free) */
static char *
find_server (long wanted)
{
    static const char *const places[] = { "/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
                                          "/usr/local/pgsql/bin", "/usr/local/bin", "/usr/bin" };
    char *best = NULL;
    for (size_t i = 0; !best && i < COUNT_OF (places); i++) {
        glob_t found;
        if (glob (places[i], 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++) {
            const char *path = found.gl_pathv[j];
            long version = version_in (path);
            if (!has_server (path) || (wanted && version && version != wanted)
                || (best && version <= version_in (best)))
                continue;
            free (best);
            best = mem_dup (path);
        }
        globfree (&found);
    }
    return best;
}

/* The major version a cluster is of; 0 where there is none. */
static long
cluster_version (const char *cluster)
{
    char *path = mem_printf ("%s/PG_VERSION", cluster), text[16] = "";
    FILE *file = fopen (path, "re");
    if (file) {
        if (!fgets (text, sizeof text, file))
            *text = '\0';
        fclose (file);
    }
    free (path);
    return strtol (text, NULL, 10);
}

static int
choose_server (struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    long version = cluster_version (self->cluster);
    self->bin = find_server (version);
    self->program = self->bin ? mem_printf ("%s/postgres", self->bin) : NULL;
    if (self->bin)
        return 0;
    if (version)
        snprintf (reason, POSTGRES_REASON_SIZE,
                  "the private database in %s is of PostgreSQL %ld, which is not "
                  "installed: install it, or move that folder away to begin with an empty database",
                  self->cluster, version);
    else
        snprintf (reason, POSTGRES_REASON_SIZE,
                  "no PostgreSQL server is installed (looked in /usr/lib/postgresql/*/bin): "
                  "install the packages postgresql and postgresql-NN-pgvector, or name a server by "
                  "database.url");
    return -EINVAL;
}

/* ---- the user it runs as: PostgreSQL refuses to be root ---- */

static int
choose_user (struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    static const char *const names[] = { "postgres", "nobody" };
    if (geteuid () != 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF (names); i++) {
        const struct passwd *entry = getpwnam (names[i]);
        if (!entry || !entry->pw_uid)
            continue;
        self->drop_to = true;
        self->uid = entry->pw_uid;
        self->gid = entry->pw_gid;
        self->user = names[i];
        return 0;
    }
    snprintf (reason, POSTGRES_REASON_SIZE,
              "PostgreSQL does not run as root, and there is neither a user postgres nor "
              "nobody: start newsmill as another user, or name a server by database.url");
    return -EINVAL;
}

static bool
drop_privileges (const struct postgres *self)
{
    return !self->drop_to
           || (setgroups (1, &self->gid) == 0 && setgid (self->gid) == 0
               && setuid (self->uid) == 0);
}

/* Runs fn as the server's user, in a process of its own. Returns its result, 0 to 255; -1 if it
 * could not. */
static int
as_user (const struct postgres *self, int (*fn) (const struct postgres *self, const void *arg),
         const void *arg)
{
    pid_t pid = fork ();
    if (pid == 0)
        _exit (drop_privileges (self) ? fn (self, arg) : 255);
    int status = -1;
    while (pid > 0 && waitpid (pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED (status) ? WEXITSTATUS (status) : -1;
}

/* How many components of the path this user can pass, up to the first it can't; 0: all of them. */
static int
first_closed (const struct postgres *self UNUSED, const void *arg)
{
    char path[PATH_MAX];
    int index = 0;
    snprintf (path, sizeof path, "%s/", (const char *) arg);
    for (char *slash = strchr (path + 1, '/'); slash && index < DEEPEST_PATH;
         slash = strchr (slash + 1, '/')) {
        *slash = '\0';
        index++;
        if (access (path, X_OK) != 0)
            return index;
        *slash = '/';
    }
    return 0;
}

static int
check_reachable (const struct postgres *self, const char *dir, char reason[POSTGRES_REASON_SIZE])
{
    if (!self->drop_to)
        return 0;
    int index = as_user (self, first_closed, dir);
    if (index == 0)
        return 0;
    char *closed = mem_dup (dir), *slash = closed;
    for (int i = 0; i < index && slash; i++)
        slash = strchr (slash + 1, '/');
    if (slash)
        *slash = '\0';
    if (index < 0 || index == 255)
        snprintf (reason, POSTGRES_REASON_SIZE,
                  "cannot become user %s to run the database: this container or service "
                  "may not change users; start newsmill as an ordinary user",
                  self->user);
    else
        snprintf (reason, POSTGRES_REASON_SIZE,
                  "the private database runs as user %s, who may not enter %s: choose "
                  "another data.dir (NEWSMILL_DATA_DIR), or chmod o+x %s",
                  self->user, closed, closed);
    free (closed);
    return -EINVAL;
}

/* ---- making the cluster ---- */

static int
remove_one (const char *path, const struct stat *st UNUSED, int type UNUSED, struct FTW *ftw UNUSED)
{
    return remove (path);
}

struct init {
    char *program;
    const char *folder, *locale;
};

static int
exec_initdb (const struct postgres *self, const void *arg)
{
    const struct init *init = arg;
    char locale[32];
    snprintf (locale, sizeof locale, "--locale=%s", init->locale);
    dup2 (self->log_fd, STDOUT_FILENO);
    dup2 (self->log_fd, STDERR_FILENO);
    if (chdir ("/") != 0)
        return 254;
    execl (init->program, init->program, "-D", init->folder, "-U", ROLE, "-E", "UTF8", locale,
           "--auth=trust", "--no-sync", "--no-instructions", (char *)NULL);
    return 254;
}

static int
make_folder (const struct postgres *self, const char *path, char reason[POSTGRES_REASON_SIZE])
{
    int r = place_make (path, 0700);
    if (r == 0 && self->drop_to && lchown (path, self->uid, self->gid) != 0)
        r = -errno;
    if (r < 0)
        snprintf (reason, POSTGRES_REASON_SIZE, "cannot make the folder %s: %s", path,
                  strerror (-r));
    return r < 0 ? -EINVAL : 0;
}

/* One sync of the file system in place of one a file, which takes seconds. */
static int
settle (const char *from, const char *to)
{
    int fd = open (from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int r = syncfs (fd) == 0 && rename (from, to) == 0 ? 0 : -errno;
    close (fd);
    return r;
}

/* The cluster is made under another name, so that one cut short is never taken for whole. */
static int
make_cluster (struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    static const char *const locales[] = { "C.UTF-8", "C" };
    char *draft = mem_printf ("%s.new", self->cluster);
    struct init init = { mem_printf ("%s/initdb", self->bin), draft, NULL };
    int r = -EIO;
    log_info ("making a private database in %s, which takes a few seconds", self->cluster);
    for (size_t i = 0; r == -EIO && i < COUNT_OF (locales); i++) {
        nftw (draft, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        r = make_folder (self, draft, reason);
        init.locale = locales[i];
        if (r == 0 && as_user (self, exec_initdb, &init) != 0)
            r = -EIO;
    }
    if (r == -EIO)
        snprintf (reason, POSTGRES_REASON_SIZE, "initdb failed: %s says why", self->log);
    if (r == 0 && (r = settle (draft, self->cluster)) < 0)
        snprintf (reason, POSTGRES_REASON_SIZE, "cannot rename %s: %s", draft, strerror (-r));
    free (init.program);
    free (draft);
    return r;
}

/* ---- what a killed server leaves ---- */

/* Whether pid is a PostgreSQL server of this cluster. */
static bool
serves (const struct postgres *self, pid_t pid)
{
    char path[64], line[4096] = "";
    snprintf (path, sizeof path, "/proc/%ld/cmdline", (long) pid);
    FILE *file = fopen (path, "re");
    size_t n = file ? fread (line, 1, sizeof line - 1, file) : 0;
    if (file)
        fclose (file);
    for (size_t i = 0; i < n; i++)
        if (!line[i])
            line[i] = ' ';
    return strstr (line, self->cluster) != NULL;
}

static void
end_server (const struct postgres *self, pid_t pid)
{
    static const int signals[] = { SIGINT, SIGQUIT, SIGKILL };
    log_warn ("a database server of a mill that was killed still runs pid=%ld, stopping it",
              (long) pid);
    for (size_t i = 0; i < COUNT_OF (signals); i++) {
        kill (pid, signals[i]);
        for (int64_t until = clock_mono_ms () + 5000;
             clock_mono_ms () < until && serves (self, pid);)
            usleep (50000); /* no child of ours: there is no event to wait for */
        if (!serves (self, pid))
            return;
    }
}

/* The server takes any living process of its user with the number in postmaster.pid for a
 * server, as happens in containers, where numbers return. We hold the mill's lock and know
 * better. */
static void
clear_stale_pid (void *arg)
{
    struct postgres *self = arg;
    char *path = mem_printf ("%s/postmaster.pid", self->cluster), line[32] = "";
    FILE *file = fopen (path, "re");
    int64_t pid = 0;
    if (file) {
        if (fgets (line, sizeof line, file))
            line[strcspn (line, "\n")] = '\0';
        fclose (file);
    }
    if (file && num_parse (line, 1, INT32_MAX, &pid) == 0 && serves (self, (pid_t) pid))
        end_server (self, (pid_t) pid);
    if (file)
        unlink (path);
    free (path);
}

/* ---- preparing ---- */

static void
percent_encode (struct buf *out, const char *text)
{
    for (; *text; text++)
        if (isalnum ((unsigned char) *text) || strchr ("-._~", *text))
            buf_add_char (out, *text);
        else
            buf_printf (out, "%%%02X", (unsigned) (unsigned char)*text);
}

char *
postgres_make_url (const char *socket_dir, const char *database)
{
    struct buf url = { 0 };
    buf_printf (&url, "postgresql:///%s?host=", database);
    percent_encode (&url, socket_dir);
    buf_add_str (&url, "&user=" ROLE);
    return buf_take (&url);
}

static void
name_paths (struct postgres *self, const char *data_dir)
{
    self->cluster = mem_printf ("%s/postgres", data_dir);
    self->log = mem_printf ("%s/run/postgres.log", data_dir);
    self->socket_dir = mem_printf ("%s/socket", data_dir);
    if (strlen (self->socket_dir) + strlen (SOCKET_NAME) > PLACE_SOCKET_MOST) {
        free (self->socket_dir);
        self->socket_dir = place_short_dir (data_dir, "-pg");
    }
    self->url = postgres_make_url (self->socket_dir, DATABASE);
    self->admin_url = postgres_make_url (self->socket_dir, "postgres");
    /* The server splits this setting at commas, except within quotes. */
    buf_printf (&self->socket_option, "unix_socket_directories=\"%s\"", self->socket_dir);
}

static int
open_log (struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    char *old = mem_printf ("%s.old", self->log);
    (void)rename (self->log, old); /* there is none at the first start */
    free (old);
    self->log_fd = open (self->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (self->log_fd >= 0)
        return 0;
    snprintf (reason, POSTGRES_REASON_SIZE, "cannot write %s: %s", self->log, strerror (errno));
    return -EINVAL;
}

/* It may be in /tmp, where others can make folders too. */
static int
make_socket_folder (const struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    struct stat st;
    uid_t owner = self->drop_to ? self->uid : geteuid ();
    int r = lstat (self->socket_dir, &st) == 0 ? 0 : make_folder (self, self->socket_dir, reason);
    if (r < 0)
        return r;
    if (lstat (self->socket_dir, &st) == 0 && S_ISDIR (st.st_mode) && st.st_uid == owner
        && !(st.st_mode & 077))
        return 0;
    snprintf (reason, POSTGRES_REASON_SIZE,
              "%s is not a folder for the database's user alone: remove it", self->socket_dir);
    return -EINVAL;
}

static int
prepare (struct postgres *self, const char *data_dir, char reason[POSTGRES_REASON_SIZE])
{
    int r = choose_server (self, reason);
    if (r == 0)
        r = choose_user (self, reason);
    if (r == 0)
        r = check_reachable (self, data_dir, reason);
    if (r == 0)
        r = open_log (self, reason);
    if (r == 0)
        r = make_socket_folder (self, reason);
    if (r == 0 && !cluster_version (self->cluster))
        r = make_cluster (self, reason);
    return r;
}

int
postgres_prepare (const char *data_dir, struct postgres **ret_postgres,
                  char reason[POSTGRES_REASON_SIZE])
{
    struct postgres *self = MEM_NEW (struct postgres);
    self->log_fd = -1;
    name_paths (self, data_dir);
    int r = prepare (self, data_dir, reason);
    if (r < 0)
        postgres_destroy (&self);
    else
        *ret_postgres = self;
    return r;
}

void
postgres_destroy (struct postgres **postgres)
{
    struct postgres *self = *postgres;
    if (!self)
        return;
    char *const texts[] = { self->bin, self->program, self->cluster,  self->socket_dir,
                            self->log, self->url,     self->admin_url };
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        free (texts[i]);
    buf_fini (&self->socket_option);
    if (self->log_fd >= 0)
        close (self->log_fd);
    free (self);
    *postgres = NULL;
}

const char *
postgres_url (const struct postgres *self)
{
    return self->url;
}

/* ---- running ---- */

struct service
postgres_service (struct postgres *self)
{
    /* fsync and synchronous_commit stay on. No just-in-time compiling: all statements are short. */
    static const char *const options[] = {
        "listen_addresses=",
        "unix_socket_permissions=0700",
        "shared_buffers=128MB",
        "wal_compression=on",
        "max_wal_size=2GB",
        "jit=off",
        "max_connections=200",
        "cluster_name=newsmill",
        "timezone=UTC",
        "log_timezone=UTC",
        "log_min_messages=warning",
    };
    const char **argv = mem_alloc ((2 * COUNT_OF (options) + 6) * sizeof *argv);
    size_t n = 0;
    argv[n++] = self->program;
    argv[n++] = "-D";
    argv[n++] = self->cluster;
    argv[n++] = "-c";
    argv[n++] = self->socket_option.data;
    for (size_t i = 0; i < COUNT_OF (options); i++) {
        argv[n++] = "-c";
        argv[n++] = options[i];
    }
    return (struct service){ .name = "postgres",
                             .argv = argv,
                             .phase = PHASE_DATABASE,
                             .drop_to = self->drop_to,
                             .uid = self->uid,
                             .gid = self->gid,
                             .output = -1,
                             .errors = self->log_fd,
                             .before = clear_stale_pid,
                             .arg = self };
}

static int
make_database (const struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    PGconn *connection = PQconnectdb (self->admin_url);
    PGresult *result =
        PQexec (connection, "SELECT 1 FROM pg_database WHERE datname = '" DATABASE "'");
    int r = PQresultStatus (result) == PGRES_TUPLES_OK ? 0 : -EIO;
    bool exists = r == 0 && PQntuples (result) > 0;
    PQclear (result);
    if (r == 0 && !exists) {
        result = PQexec (connection, "CREATE DATABASE " DATABASE);
        r = PQresultStatus (result) == PGRES_COMMAND_OK ? 0 : -EIO;
        PQclear (result);
    }
    if (r < 0)
        snprintf (reason, POSTGRES_REASON_SIZE, "cannot make the database: %s",
                  PQerrorMessage (connection));
    PQfinish (connection);
    return r;
}

/* What the server said last of why it ends. */
static void
explain_death (const struct postgres *self, char reason[POSTGRES_REASON_SIZE])
{
    char line[512], last[512] = "";
    FILE *file = fopen (self->log, "re");
    while (file && fgets (line, sizeof line, file)) {
        const char *fatal = strstr (line, "FATAL:");
        if (fatal)
            snprintf (last, sizeof last, "%s", fatal);
    }
    if (file)
        fclose (file);
    last[strcspn (last, "\n")] = '\0';
    snprintf (reason, POSTGRES_REASON_SIZE, "the private database does not start: %s (see %s)",
              *last ? last : "it does not say why", self->log);
}

int
postgres_wait (struct postgres *self, struct supervisor *supervisor,
               char reason[POSTGRES_REASON_SIZE])
{
    int64_t say_ms = clock_mono_ms () + 5000;
    while (PQping (self->admin_url) != PQPING_OK) {
        if (!supervisor_wait (supervisor, READY_POLL_MS))
            return -EINTR;
        if (supervisor_deaths (supervisor, "postgres") >= START_TRIES) {
            explain_death (self, reason);
            return -EIO;
        }
        if (clock_mono_ms () < say_ms)
            continue;
        /* After a power cut it may read its log for minutes. */
        log_info ("waiting for the database to be ready; it writes to %s", self->log);
        say_ms += 10000;
    }
    return make_database (self, reason);
}
