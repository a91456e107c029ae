/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/mill.h"
#include "cli/feeds.h"
#include "cli/place.h"
#include "cli/postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEMO_READY_MS 10000
#define DEMO_GROW_S "20" /* between two articles, so that each tick finds some */

struct mill {
    struct cli *cli;
    int lock; /* -1: not held */
    struct supervisor *supervisor;
    struct postgres *postgres; /* NULL: a named database */
    char *url;
    struct db *db;
    char *opml; /* where the feeds come from; NULL: they are known */
    char *demo_port, *demo_articles;
    char *programs[16];
    size_t program_count;
};

/* ---- folders ---- */

static int
make_folders (const struct settings *settings)
{
    /* The private database's user has to pass through data.dir, hence 0755 for root. */
    unsigned mode = geteuid () == 0 ? 0755 : 0700;
    char *run = mem_printf ("%s/run", settings->data_dir),
         *sockets = place_short_dir (settings->data_dir, "");
    int r = place_make (settings->data_dir, mode);
    const char *where = settings->data_dir;
    if (r == 0)
        r = place_make (where = run, 0700);
    if (r == 0 && strncmp (settings->broker_endpoint, "ipc://", 6) == 0
        && strcmp (settings->broker_endpoint + 6, sockets) == 0)
        r = place_make_private (where = sockets);
    else if (r == 0 && strncmp (settings->broker_endpoint, "ipc://", 6) == 0)
        r = place_make (where = settings->broker_endpoint + 6, 0700);
    if (r < 0)
        cli_say (
            "cannot make the folder %s: %s; data.dir (NEWSMILL_DATA_DIR) says where a mill lives",
            where, strerror (-r));
    free (run);
    free (sockets);
    return r < 0 ? EXIT_USAGE : 0;
}

int
mill_open (struct cli *cli, struct mill **ret_mill, int64_t *ret_holder)
{
    int r = make_folders (&cli->settings), fd = -1;
    *ret_holder = 0;
    if (r)
        return r;
    r = place_lock (cli->settings.data_dir, &fd, ret_holder);
    if (r == -EBUSY)
        return EXIT_TEMP; /* the caller knows what that means to it */
    if (r < 0) {
        cli_say ("cannot lock %s/run/up.lock: %s", cli->settings.data_dir, strerror (-r));
        return EXIT_USAGE;
    }
    struct mill *self = MEM_NEW (struct mill);
    self->cli = cli;
    self->lock = fd;
    self->supervisor = supervisor_new ();
    *ret_mill = self;
    return 0;
}

struct supervisor *
mill_supervisor (struct mill *self)
{
    return self->supervisor;
}

struct db *
mill_db (struct mill *self)
{
    return self->db;
}

bool
mill_is_private (const struct mill *self)
{
    return self->postgres != NULL;
}

/* ---- database ---- */

/* For the other commands, which have no other way to find a private database. */
static void
record_url (const struct mill *self)
{
    char *path = mem_printf ("%s/run/database.url", self->cli->settings.data_dir);
    int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || dprintf (fd, "%s\n", self->url) < 0)
        log_warn ("cannot write %s, `newsmill feed` won't find the database: %s", path,
                  strerror (errno));
    if (fd >= 0)
        close (fd);
    free (path);
}

static int
start_private (struct mill *self)
{
    char reason[POSTGRES_REASON_SIZE] = "";
    int r = postgres_prepare (self->cli->settings.data_dir, &self->postgres, reason);
    if (r == 0) {
        struct service service = postgres_service (self->postgres);
        r = supervisor_start (self->supervisor, &service);
    }
    if (r == 0)
        r = postgres_wait (self->postgres, self->supervisor, reason);
    if (r == -EINTR)
        return EXIT_ASKED;
    if (r < 0)
        log_error ("%s", *reason ? reason : strerror (-r));
    if (r < 0)
        return r == -EINVAL ? EXIT_USAGE : EXIT_TEMP;
    self->url = mem_dup (postgres_url (self->postgres));
    record_url (self);
    return 0;
}

/* Waits as long as it takes: db_ready logs once that the database is away, and once that it is
 * back. */
static int
wait_for_database (struct mill *self)
{
    while (!db_ready (self->db))
        if (!supervisor_wait (self->supervisor, 200))
            return EXIT_TEMP;
    return 0;
}

int
mill_start_database (struct mill *self)
{
    const char *named = self->cli->settings.database_url;
    int r = 0;
    if (*named)
        self->url = mem_dup (named);
    else
        r = start_private (self);
    if (r || !self->url)
        return r ? r : EXIT_TEMP;
    setenv ("NEWSMILL_DATABASE_URL", self->url, 1);
    self->db = db_new (self->url, "newsmill");
    return wait_for_database (self);
}

int
mill_migrate (struct mill *self, int *ret_applied)
{
    char *folder = place_file (PLACE_SQL), reason[DB_REASON_SIZE] = "";
    int r;
    /* Lost halfway, the rest is done when it is back. */
    while ((r = db_migrate (self->db, folder, self->cli->settings.model_dimensions, ret_applied,
                            reason))
           == -EIO) {
        if (!self->supervisor)
            break;
        log_warn ("%s; trying again", reason);
        if (!supervisor_wait (self->supervisor, 2000) || wait_for_database (self))
            break;
    }
    free (folder);
    if (r == -EINVAL || (r < 0 && !self->supervisor))
        log_error ("%s", reason);
    return r == 0 ? 0 : r == -EINVAL ? EXIT_USAGE : EXIT_TEMP;
}

/* ---- processes ---- */

/* name: of the program, without "newsmill-". Borrowed from the mill; NULL, after it said so, if
 * it is not there. */
static const char *
program (struct mill *self, const char *name)
{
    char *file = mem_printf ("newsmill-%s", name), *path = place_program (file);
    if (!path)
        log_error ("the program %s is neither beside this one nor in ../libexec/newsmill: the "
                   "installation is "
                   "incomplete",
                   file);
    free (file);
    if (path)
        self->programs[self->program_count++] = path;
    return path;
}

static const char **
arguments (const char *const *texts, size_t count)
{
    const char **argv = mem_alloc ((count + 1) * sizeof *argv);
    memcpy (argv, texts, count * sizeof *argv);
    return argv;
}

static int
start (struct mill *self, struct service *service)
{
    int r = supervisor_start (self->supervisor, service);
    if (r < 0)
        log_error ("cannot start %s: %s", service->name, strerror (-r));
    return r < 0 ? EXIT_TEMP : 0;
}

/* A gateway that was killed left the port of its time. */
static void
forget_port (const struct mill *self)
{
    char *path = mem_printf ("%s/run/http.port", self->cli->settings.data_dir);
    unlink (path);
    free (path);
}

int
mill_start_processes (struct mill *self, const struct mill_scale *scale, bool with_ticker)
{
    /* In pipeline order; the ticker last, so that the first run finds everybody there. */
    const struct {
        const char *name;
        enum phase phase;
        int64_t count;
        bool ends_all;
    } table[] = {
        { "broker", PHASE_BROKER, 1, false },
        { "collector", PHASE_COLLECTOR, 1, true },
        { "fetcher", PHASE_WORK, 1, false },
        { "summarizer", PHASE_WORK, scale->summarizers, false },
        { "chunker", PHASE_WORK, scale->chunkers, false },
        { "embedder", PHASE_WORK, scale->embedders, false },
        { "writer", PHASE_WORK, scale->writers, false },
        { "gateway", PHASE_WORK, 1, false },
        { "ticker", PHASE_TICKER, with_ticker, false },
    };
    forget_port (self);
    for (size_t i = 0; i < COUNT_OF (table); i++) {
        const char *path = program (self, table[i].name);
        if (!path)
            return EXIT_USAGE;
        for (int64_t n = 0; n < table[i].count; n++) {
            struct service service = { .name = table[i].name,
                                       .argv = arguments (&path, 1),
                                       .phase = table[i].phase,
                                       .ends_all = table[i].ends_all,
                                       .output = -1,
                                       .errors = -1 };
            int r = start (self, &service);
            if (r)
                return r;
        }
    }
    return 0;
}

/* ---- feeds ---- */

static char *
demo_port_file (const struct mill *self)
{
    return mem_printf ("%s/run/demo.port", self->cli->settings.data_dir);
}

/* 0 if the port of this machine cannot be had; port 0 takes any. */
static int
take_port (int64_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_port = htons ((uint16_t) port),
                                   .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int one = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0
              && bind (fd, (struct sockaddr *) &address, size) == 0
              && getsockname (fd, (struct sockaddr *) &address, &size) == 0;
    if (fd >= 0)
        close (fd);
    return ok ? ntohs (address.sin_port) : 0;
}

/* The port of last time if it is free, so that the same feed keeps its address, else any. */
static void
choose_demo_port (struct mill *self)
{
    char *path = demo_port_file (self);
    struct buf text = { 0 };
    int64_t last = 0;
    if (cli_read_file (path, 16, &text) == 0 && text.len) {
        text.data[strcspn (text.data, "\n")] = '\0';
        if (num_parse (text.data, 1, 65535, &last) < 0)
            last = 0;
    }
    int port = last ? take_port (last) : 0;
    self->demo_port = mem_printf ("%d", port ? port : take_port (0));
    FILE *file = fopen (path, "we");
    if (file) {
        fprintf (file, "%s\n", self->demo_port);
        fclose (file);
    }
    buf_fini (&text);
    free (path);
}

/* Waits for "ready port=N\n" from the demo's server. */
static int
wait_for_demo (struct mill *self, int fd)
{
    char line[256];
    size_t n = 0;
    for (int64_t until = clock_mono_ms () + DEMO_READY_MS; clock_mono_ms () < until;) {
        struct pollfd poll_fd = { fd, POLLIN, 0 };
        ssize_t got = poll (&poll_fd, 1, 100) > 0 ? read (fd, line + n, sizeof line - n) : 0;
        n += (size_t) MAX_OF (got, (ssize_t) 0);
        if (memchr (line, '\n', n))
            return 0;
        if (n == sizeof line || !supervisor_wait (self->supervisor, 0)
            || supervisor_deaths (self->supervisor, "demo"))
            break;
    }
    return -EIO;
}

static int
start_demo_server (struct mill *self)
{
    int ends[2];
    const char *path = program (self, "demo");
    if (!path || pipe2 (ends, O_CLOEXEC) != 0)
        return EXIT_TEMP;
    choose_demo_port (self);
    self->demo_articles = place_file (PLACE_DEMO_ARTICLES);
    const char *argv[] = { path,     "--articles", self->demo_articles, "--port", self->demo_port,
                           "--grow", DEMO_GROW_S };
    struct service service = { .name = "demo",
                               .argv = arguments (argv, COUNT_OF (argv)),
                               .phase = PHASE_FEEDS,
                               .output = ends[1],
                               .errors = -1 };
    int r = start (self, &service);
    close (ends[1]);
    if (r == 0 && wait_for_demo (self, ends[0]) < 0) {
        log_error ("the demo's news site did not start");
        r = EXIT_TEMP;
    }
    close (ends[0]);
    self->opml = mem_printf ("http://127.0.0.1:%s/opml", self->demo_port);
    return r;
}

static int
database_failed (const struct mill *self, const char *what)
{
    log_error ("%s: %s", what, db_error (self->db));
    return EXIT_TEMP;
}

/* What feeds.opml names; else the bundled list, unless somebody has chosen feeds already. */
static int
choose_opml (struct mill *self)
{
    const char *named = self->cli->settings.feeds_opml;
    int64_t known = 0;
    if (self->cli->demo)
        return start_demo_server (self);
    if (*named)
        self->opml = mem_dup (named);
    else if (feeds_count (self->db, &known) < 0)
        return database_failed (self, "cannot read the feeds");
    else if (!known)
        self->opml = place_file (PLACE_FEEDS);
    return 0;
}

/* The list is away: with the feeds of last time the mill can go on, without any it can't. */
static int
unread (struct mill *self, int error, const char *reason)
{
    int64_t known = 0;
    if (error == -EIO && feeds_count (self->db, &known) == 0 && known) {
        log_warn ("%s; going on with the %" PRId64 " feeds known", reason, known);
        return 0;
    }
    log_error ("%s (feeds.opml names it)", reason);
    return error == -EINVAL ? EXIT_USAGE : EXIT_TEMP;
}

int
mill_import (struct mill *self)
{
    char reason[FEEDS_REASON_SIZE];
    struct opml opml = { 0 };
    int64_t added = 0;
    int r = choose_opml (self);
    if (r || !self->opml)
        return r;
    int error = feeds_read (&self->cli->settings, self->opml, &opml, reason);
    if (error < 0)
        return unread (self, error, reason);
    if (feeds_import (self->db, &opml, &added) < 0
        || (self->cli->demo && feeds_keep_only (self->db, &opml) < 0))
        r = database_failed (self, "cannot store the feeds");
    else
        log_info ("feeds: %zu in %s, %" PRId64 " of them new", opml.count, self->opml, added);
    opml_fini (&opml);
    return r;
}

/* ---- the end ---- */

int
mill_close (struct mill **mill, int exit_code)
{
    struct mill *self = *mill;
    if (!self)
        return exit_code;
    db_destroy (&self->db);
    if (self->supervisor) {
        supervisor_stop (self->supervisor, exit_code);
        exit_code = supervisor_finish (self->supervisor);
    }
    supervisor_destroy (&self->supervisor);
    postgres_destroy (&self->postgres);
    for (size_t i = 0; i < self->program_count; i++)
        free (self->programs[i]);
    char *const texts[] = { self->url, self->demo_port, self->demo_articles, self->opml };
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        free (texts[i]);
    if (self->lock >= 0)
        close (self->lock);
    free (self);
    *mill = NULL;
    return exit_code;
}

/* ---- the database alone ---- */

/* given (free); NULL if the live mill recorded none */
static char *
recorded_url (const struct settings *settings)
{
    char *path = mem_printf ("%s/run/database.url", settings->data_dir);
    struct buf text = { 0 };
    int r = cli_read_file (path, 4096, &text);
    free (path);
    if (r < 0 || !text.len) {
        buf_fini (&text);
        return NULL;
    }
    text.data[strcspn (text.data, "\n")] = '\0';
    return buf_take (&text);
}

static int
connect_once (struct cli *cli, char **url, struct mill **ret_mill)
{
    struct mill *self = MEM_NEW (struct mill);
    self->cli = cli;
    self->lock = -1;
    self->url = *url;
    *url = NULL;
    self->db = db_new (self->url, "newsmill");
    if (db_ready (self->db)) {
        *ret_mill = self;
        return 0;
    }
    cli_say ("the database is away: %s", db_error (self->db));
    return mill_close (&self, EXIT_TEMP);
}

static int
check_schema (struct mill *self)
{
    char reason[DB_REASON_SIZE];
    int r = db_check (self->db, self->cli->settings.model_dimensions, reason);
    if (r < 0)
        cli_say ("%s", reason);
    return r == 0 ? 0 : r == -EINVAL ? EXIT_USAGE : EXIT_TEMP;
}

static int
borrow (struct cli *cli, struct mill **ret_mill)
{
    struct mill *self = NULL;
    int64_t holder;
    int r = cli_load_live (cli);
    if (r)
        return r;
    bool live = place_is_live (cli->settings.data_dir);
    char *url = *cli->settings.database_url ? mem_dup (cli->settings.database_url)
                : live                      ? recorded_url (&cli->settings)
                                            : NULL;
    if (url)
        return connect_once (cli, &url, ret_mill);
    if (!live)
        r = mill_open (cli, &self, &holder);
    if (live || (r == EXIT_TEMP && holder)) {
        cli_say ("another newsmill is just starting or stopping in %s: try again in a moment",
                 cli->settings.data_dir);
        return EXIT_TEMP;
    }
    r = r ? r : mill_start_database (self);
    if (r && self)
        return mill_close (&self, r);
    *ret_mill = self;
    return r;
}

int
mill_borrow_database (struct cli *cli, struct mill **ret_mill)
{
    struct mill *self = NULL;
    int applied, r = borrow (cli, &self);
    if (r)
        return r;
    r = self->supervisor ? mill_migrate (self, &applied) : check_schema (self);
    if (r)
        return mill_close (&self, r);
    *ret_mill = self;
    return 0;
}

int
mill_borrow_to_migrate (struct cli *cli, struct mill **ret_mill, int *ret_applied)
{
    struct mill *self = NULL;
    int r = borrow (cli, &self);
    if (r)
        return r;
    r = mill_migrate (self, ret_applied);
    if (r)
        return mill_close (&self, r);
    *ret_mill = self;
    return 0;
}
