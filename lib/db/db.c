/* SPDX-License-Identifier: MPL-2.0 */
#include "db/db.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* PostgreSQL writes its log in order, and all of our truth is in it: a commit that does not wait for the disk can only be
 * lost together with every record of it, and is then done again. The collector waits (see take_office): what it has
 * closed is on disk, with all that came before. */
static const char session_options[] = "-c TimeZone=UTC -c statement_timeout=30s -c synchronous_commit=off"
                                      " -c idle_in_transaction_session_timeout=10s";

#define BACKOFF_LEAST_MS 200
#define BACKOFF_MOST_MS 5000
#define STATEMENTS_MAX 32 /* of one connection; those past it are not prepared */
#define VALUES_MAX 40

/* What was asked on this connection: prepared when it comes a second time, as planning costs more than most answers. */
struct statement {
    char *sql;
    bool prepared;
};

struct db {
    const char *url, *process;
    PGconn *connection;
    char error[512];
    int64_t next_try_ms, backoff_ms;
    bool away; /* said so in the log */
    bool reopened;
    struct statement statements[STATEMENTS_MAX];
    size_t statement_count;
};

struct db *
db_new (const char *url, const char *process)
{
    struct db *self = MEM_NEW (struct db);
    self->url = url;
    self->process = process;
    return self;
}

void
db_destroy (struct db **db)
{
    if (!*db)
        return;
    db_lost (*db);
    free (*db);
    *db = NULL;
}

static void
keep_error (struct db *self, const char *text)
{
    size_t n = 0;
    for (; *text && n < sizeof self->error - 1; text++)
        self->error[n++] = *text == '\n' ? ' ' : *text;
    while (n && self->error[n - 1] == ' ')
        n--;
    self->error[utf8_valid_bytes (self->error, n)] = '\0'; /* cut inside a letter, or in the server's own encoding */
}

static void
connect_once (struct db *self)
{
    const char *const names[] = { "dbname", "fallback_application_name", "connect_timeout", "options", "client_encoding",
                                  "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout", NULL };
    const char *const values[] = { self->url, self->process, "3", session_options, "UTF8",
                                   "30", "10", "3", "30000", NULL };
    self->connection = PQconnectdbParams (names, values, 1);
    if (PQstatus (self->connection) == CONNECTION_OK)
        return;
    keep_error (self, PQerrorMessage (self->connection));
    PQfinish (self->connection);
    self->connection = NULL;
}

bool
db_ready (struct db *self)
{
    if (self->connection && PQstatus (self->connection) == CONNECTION_OK)
        return true;
    db_lost (self);
    int64_t now = clock_mono_ms ();
    if (now < self->next_try_ms)
        return false;
    connect_once (self);
    if (self->connection) {
        if (self->away)
            log_info ("database is back");
        self->away = false;
        self->reopened = true;
        self->backoff_ms = 0;
        return true;
    }
    self->backoff_ms = MIN_OF (MAX_OF (self->backoff_ms * 2, (int64_t) BACKOFF_LEAST_MS), (int64_t) BACKOFF_MOST_MS);
    self->next_try_ms = clock_mono_ms () + self->backoff_ms;
    if (!self->away)
        log_warn ("database is away, trying again every few seconds: %s", self->error);
    self->away = true;
    return false;
}

bool
db_reopened (struct db *self)
{
    bool reopened = self->reopened;
    self->reopened = false;
    return reopened;
}

void
db_lost (struct db *self)
{
    PQfinish (self->connection);
    self->connection = NULL;
    while (self->statement_count)
        free (self->statements[--self->statement_count].sql);
}

void
db_rollback (struct db *self)
{
    PGresult *result = self->connection ? PQexec (self->connection, "ROLLBACK") : NULL;
    if (PQresultStatus (result) != PGRES_COMMAND_OK)
        db_lost (self);
    PQclear (result);
}

const char *
db_error (const struct db *self)
{
    return self->error;
}

PGconn *
db_connection (struct db *self)
{
    return self->connection;
}

static struct statement *
find_statement (struct db *self, const char *sql)
{
    for (size_t i = 0; i < self->statement_count; i++)
        if (!strcmp (self->statements[i].sql, sql))
            return &self->statements[i];
    return NULL;
}

static PGresult *
execute (struct db *self, const char *sql, int count, const char *const *values, const int *lengths, const int *formats)
{
    char name[24];
    struct statement *statement = find_statement (self, sql);
    if (!statement) {
        if (self->statement_count < STATEMENTS_MAX)
            self->statements[self->statement_count++] = (struct statement){ mem_dup (sql), false };
        return PQexecParams (self->connection, sql, count, NULL, values, lengths, formats, 0);
    }
    snprintf (name, sizeof name, "s%zu", (size_t) (statement - self->statements));
    if (!statement->prepared) {
        PGresult *prepared = PQprepare (self->connection, name, sql, count, NULL);
        if (PQresultStatus (prepared) != PGRES_COMMAND_OK)
            return prepared;
        PQclear (prepared);
        statement->prepared = true;
    }
    return PQexecPrepared (self->connection, name, count, values, lengths, formats, 0);
}

PGresult *
db_query_values (struct db *self, const char *sql, size_t count, const struct db_value *values)
{
    const char *data[VALUES_MAX];
    int lengths[VALUES_MAX], formats[VALUES_MAX];
    if (!self->connection) {
        keep_error (self, "the database is away");
        return NULL;
    }
    assert (count <= VALUES_MAX);
    for (size_t i = 0; i < count; i++) {
        data[i] = values[i].data;
        formats[i] = values[i].bytes != DB_IS_TEXT;
        lengths[i] = formats[i] ? (int) values[i].bytes : 0;
    }
    PGresult *result = count ? execute (self, sql, (int) count, data, lengths, formats) : PQexec (self->connection, sql);
    ExecStatusType status = PQresultStatus (result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
        return result;
    keep_error (self, PQerrorMessage (self->connection));
    /* Without an SQLSTATE the error is libpq's own, and of class 57P a farewell of the server: PQstatus may not know yet. */
    const char *state = PQresultErrorField (result, PG_DIAG_SQLSTATE);
    bool farewell = !state || strncmp (state, "57P", 3) == 0;
    PQclear (result);
    if (farewell || PQstatus (self->connection) != CONNECTION_OK)
        db_lost (self);
    return NULL;
}

PGresult *
db_query (struct db *self, const char *sql, size_t count, const char *const *values)
{
    struct db_value texts[VALUES_MAX];
    assert (count <= VALUES_MAX);
    for (size_t i = 0; i < count; i++)
        texts[i] = (struct db_value){ values[i], DB_IS_TEXT };
    return db_query_values (self, sql, count, texts);
}

int
db_run (struct db *self, int64_t *ret_rows, const char *sql, size_t count, const char *const *values)
{
    PGresult *result = db_query (self, sql, count, values);
    if (!result)
        return -EIO;
    if (ret_rows)
        *ret_rows = strtoll (PQcmdTuples (result), NULL, 10);
    PQclear (result);
    return 0;
}

int64_t
db_int (const PGresult *result, int row, int column)
{
    return PQgetisnull (result, row, column) ? 0 : strtoll (PQgetvalue (result, row, column), NULL, 10);
}

const char *
db_text (const PGresult *result, int row, int column)
{
    return PQgetisnull (result, row, column) ? NULL : PQgetvalue (result, row, column);
}

const char *
db_time (int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t) (wall_us / US_PER_S);
    struct tm tm;
    char day[24] = "1970-01-01 00:00:00";
    if (gmtime_r (&seconds, &tm))
        strftime (day, sizeof day, "%Y-%m-%d %H:%M:%S", &tm);
    snprintf (out, CLOCK_TEXT_SIZE, "%s.%06d", day, (int) (wall_us % US_PER_S));
    return out;
}

int
db_try_lock (struct db *self, enum db_lock lock, bool *ret_held)
{
    char key[24];
    snprintf (key, sizeof key, "%d", (int) lock);
    PGresult *result = db_query (self, "SELECT pg_try_advisory_lock ($1)", DB_VALUES (key));
    if (!result)
        return -EIO;
    *ret_held = *PQgetvalue (result, 0, 0) == 't';
    PQclear (result);
    return 0;
}
