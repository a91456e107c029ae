/* Migrations: the numbered files of sql/, applied in order, each in one transaction, each at
 * most once, noted in "SchemaMigration". A transaction first takes the advisory lock and only
 * then looks what is applied, so any number of processes may migrate at once. Forward only, and
 * while the mill turns: a table that is in use is waited for in short turns, so that nobody queues
 * for long behind the one who waits.
 * SPDX-License-Identifier: MPL-2.0 */
#include "db/migrate.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1 << 20)
#define LOCK_TIMEOUT "2s"
#define LOCK_TRIES 30
#define LOCK_PAUSE_S 1

/* ---- files ---- */

static bool
migration_version (const char *name, int64_t *ret_version)
{
    size_t digits = strspn (name, "0123456789"), length = strlen (name);
    if (!digits || digits > 9 || name[digits] != '_' || length < 5
        || strcmp (name + length - 4, ".sql") != 0)
        return false;
    char *number = mem_copy (name, digits);
    int r = num_parse (number, 1, INT32_MAX, ret_version);
    free (number);
    return r == 0;
}

static int
by_version (const void *a, const void *b)
{
    const struct migration *x = a, *y = b;
    return (x->version > y->version) - (x->version < y->version);
}

static int
check_list (const char *folder, const struct migration *list, size_t count,
            char reason[DB_REASON_SIZE])
{
    if (!count) {
        snprintf (reason, DB_REASON_SIZE, "%s holds no migrations: the installation is incomplete",
                  folder);
        return -EINVAL;
    }
    for (size_t i = 1; i < count; i++)
        if (list[i].version == list[i - 1].version) {
            snprintf (reason, DB_REASON_SIZE, "%s: %s and %s have the same number", folder,
                      list[i - 1].name, list[i].name);
            return -EINVAL;
        }
    return 0;
}

int
migrate_list (const char *folder, struct migration **ret_list, size_t *ret_count,
              char reason[DB_REASON_SIZE])
{
    DIR *dir = opendir (folder);
    if (!dir) {
        snprintf (reason, DB_REASON_SIZE, "cannot read the migrations in %s: %s", folder,
                  strerror (errno));
        return -EIO;
    }
    struct migration *list = NULL;
    size_t count = 0;
    int64_t version;
    for (struct dirent *entry; (entry = readdir (dir));)
        if (migration_version (entry->d_name, &version)) {
            list = mem_grow (list, count + 1, sizeof *list);
            list[count++] = (struct migration){ version, mem_dup (entry->d_name) };
        }
    closedir (dir);
    if (count)
        qsort (list, count, sizeof *list, by_version);
    int r = check_list (folder, list, count, reason);
    if (r < 0) {
        migrate_free_list (&list, count);
        return r;
    }
    *ret_list = list;
    *ret_count = count;
    return 0;
}

void
migrate_free_list (struct migration **list, size_t count)
{
    for (size_t i = 0; *list && i < count; i++)
        free ((*list)[i].name);
    free (*list);
    *list = NULL;
}

char *
migrate_fill (const char *sql, int64_t dimensions)
{
    char number[24];
    snprintf (number, sizeof number, "%" PRId64, dimensions);
    const struct {
        const char *name, *value;
    } places[] = {
        { "$DIMENSIONS", number },
        { "$INDEX", dimensions <= MIGRATE_INDEX_MOST ? "" : "-- " },
    };
    struct buf out = { 0 };
    while (*sql) {
        size_t plain = strcspn (sql, "$"), i = 0;
        buf_add (&out, sql, plain);
        sql += plain;
        while (i < COUNT_OF (places) && strncmp (sql, places[i].name, strlen (places[i].name)) != 0)
            i++;
        if (i < COUNT_OF (places)) {
            buf_add_str (&out, places[i].value);
            sql += strlen (places[i].name);
        } else if (*sql)
            buf_add_char (&out, *sql++);
    }
    return buf_take (&out);
}

static char *
read_sql (const char *folder, const char *name, int64_t dimensions, char reason[DB_REASON_SIZE])
{
    char *path = mem_printf ("%s/%s", folder, name), *sql = NULL;
    FILE *file = fopen (path, "re");
    if (file) {
        char *text = mem_alloc (FILE_BYTES_MAX + 1);
        size_t bytes = fread (text, 1, FILE_BYTES_MAX + 1, file);
        if (!ferror (file) && bytes && bytes <= FILE_BYTES_MAX && !memchr (text, '\0', bytes))
            sql = migrate_fill (text, dimensions);
        free (text);
        fclose (file);
    }
    if (!sql)
        snprintf (reason, DB_REASON_SIZE, "cannot read the migration %s", path);
    free (path);
    return sql;
}

/* ---- the database ---- */

static int
failed (const struct db *db, const char *what, char reason[DB_REASON_SIZE])
{
    snprintf (reason, DB_REASON_SIZE, "%s: %s", what, db_error (db));
    return -EIO;
}

/* Statements of a migration that fail for a reason somebody can act on. */
static int
explain (const char *name, const PGresult *result, char reason[DB_REASON_SIZE])
{
    static const struct {
        const char *state, *advice;
    } known[] = {
        { "0A000", "the server lacks the pgvector extension: install pgvector for this PostgreSQL "
                   "version there "
                   "(Debian, Ubuntu: postgresql-NN-pgvector)" },
        { "58P01", "the server lacks the pgvector extension: install pgvector for this PostgreSQL "
                   "version there "
                   "(Debian, Ubuntu: postgresql-NN-pgvector)" },
        { "42501", "this login may not do that: let a superuser run CREATE EXTENSION vector in "
                   "this database and "
                   "GRANT CREATE ON SCHEMA public to the login of database.url" },
    };
    const char *state = PQresultErrorField (result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField (result, PG_DIAG_MESSAGE_PRIMARY);
    const char *advice = "";
    if (state && strcmp (state, "55P03") == 0) {
        snprintf (reason, DB_REASON_SIZE,
                  "migration %s waits for a table that is in use: end what holds it (a dump, an "
                  "open transaction; pg_stat_activity shows it), then migrate again",
                  name);
        return -EAGAIN;
    }
    for (size_t i = 0; state && i < COUNT_OF (known); i++)
        if (strcmp (state, known[i].state) == 0)
            advice = known[i].advice;
    snprintf (reason, DB_REASON_SIZE, "migration %s failed: %s%s%s", name,
              message && *message ? message : PQresultErrorMessage (result), *advice ? "; " : "",
              advice);
    return state ? -EINVAL : -EIO; /* no SQLSTATE: the connection broke */
}

static int
begin (struct db *db, char reason[DB_REASON_SIZE])
{
    char key[24];
    snprintf (key, sizeof key, "%d", DB_LOCK_MIGRATE);
    if (db_run (db, NULL, "BEGIN", 0, NULL) < 0)
        return failed (db, "cannot migrate the database", reason);
    /* Until here statement_timeout holds: another process that migrates for longer than that is
     * reported. */
    if (db_run (db, NULL, "SELECT pg_advisory_xact_lock ($1)", DB_VALUES (key)) < 0)
        return failed (db, "another process is migrating the database", reason);
    if (db_run (db, NULL,
                "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '" LOCK_TIMEOUT
                "'; SET LOCAL client_min_messages = warning;"
                "CREATE TABLE IF NOT EXISTS \"SchemaMigration\" (version INT PRIMARY KEY, name "
                "TEXT NOT NULL,"
                " \"appliedAt\" TIMESTAMP NOT NULL DEFAULT " DB_NOW ")",
                0, NULL)
        < 0)
        return failed (db, "cannot migrate the database", reason);
    return 0;
}

static int
is_applied (struct db *db, int64_t version, bool *ret_applied, char reason[DB_REASON_SIZE])
{
    char number[24];
    snprintf (number, sizeof number, "%" PRId64, version);
    PGresult *result =
        db_query (db, "SELECT 1 FROM \"SchemaMigration\" WHERE version = $1", DB_VALUES (number));
    if (!result)
        return failed (db, "cannot read which migrations are applied", reason);
    *ret_applied = PQntuples (result) > 0;
    PQclear (result);
    return 0;
}

static int
execute (struct db *db, const struct migration *migration, const char *sql,
         char reason[DB_REASON_SIZE])
{
    char number[24];
    PGresult *result = PQexec (db_connection (db), sql); /* db_query keeps no SQLSTATE */
    int r =
        PQresultStatus (result) == PGRES_COMMAND_OK || PQresultStatus (result) == PGRES_TUPLES_OK
            ? 0
            : explain (migration->name, result, reason);
    PQclear (result);
    snprintf (number, sizeof number, "%" PRId64, migration->version);
    if (r == 0
        && db_run (db, NULL, "INSERT INTO \"SchemaMigration\" (version, name) VALUES ($1, $2)",
                   DB_VALUES (number, migration->name))
               < 0)
        r = failed (db, "cannot note a migration", reason);
    if (r == 0 && db_run (db, NULL, "COMMIT", 0, NULL) < 0)
        r = failed (db, "cannot commit a migration", reason);
    return r;
}

/* One transaction. *ret_did: whether there was anything to do. -EAGAIN: a table is in use. */
static int
apply_once (struct db *db, const char *folder, const struct migration *migration, int64_t dimensions,
       bool *ret_did, char reason[DB_REASON_SIZE])
{
    char *sql = read_sql (folder, migration->name, dimensions, reason);
    if (!sql)
        return -EINVAL;
    bool applied = false;
    int r = begin (db, reason);
    if (r == 0)
        r = is_applied (db, migration->version, &applied, reason);
    if (r == 0 && !applied)
        r = execute (db, migration, sql, reason);
    if (r < 0 || applied)
        db_rollback (db);
    *ret_did = r == 0 && !applied;
    free (sql);
    return r;
}

static int
apply (struct db *db, const char *folder, const struct migration *migration, int64_t dimensions,
       bool *ret_did, char reason[DB_REASON_SIZE])
{
    int r = -EAGAIN;
    for (int i = 0; r == -EAGAIN && i < LOCK_TRIES; i++) {
        if (i == 1)
            log_warn ("%s", reason);
        if (i)
            sleep (LOCK_PAUSE_S);
        r = apply_once (db, folder, migration, dimensions, ret_did, reason);
    }
    return r == -EAGAIN ? -EIO : r;
}

/* *ret_version: 0 if nothing was ever applied. */
static int
read_version (struct db *db, int64_t *ret_version, char reason[DB_REASON_SIZE])
{
    PGresult *result =
        db_query (db, "SELECT to_regclass ('\"SchemaMigration\"') IS NOT NULL", 0, NULL);
    if (!result)
        return failed (db, "cannot read the database's version", reason);
    bool exists = *PQgetvalue (result, 0, 0) == 't';
    PQclear (result);
    *ret_version = 0;
    if (!exists)
        return 0;
    result = db_query (db, "SELECT max (version) FROM \"SchemaMigration\"", 0, NULL);
    if (!result)
        return failed (db, "cannot read the database's version", reason);
    *ret_version = db_int (result, 0, 0);
    PQclear (result);
    return 0;
}

/* *ret_value: 0 if there is no such setting. */
static int
read_setting (struct db *db, const char *name, int64_t *ret_value, char reason[DB_REASON_SIZE])
{
    PGresult *result = db_query (db, "SELECT value::bigint FROM \"Setting\" WHERE name = $1",
                                 DB_VALUES (name));
    if (!result)
        return failed (db, "cannot read the database's settings", reason);
    *ret_value = PQntuples (result) ? db_int (result, 0, 0) : 0;
    PQclear (result);
    return 0;
}

static int
check_dimensions (struct db *db, int64_t dimensions, char reason[DB_REASON_SIZE])
{
    int64_t made_for;
    int r = read_setting (db, "dimensions", &made_for, reason);
    if (r < 0)
        return r;
    if (made_for == dimensions)
        return 0;
    snprintf (reason, DB_REASON_SIZE,
              "the database was made for vectors of %" PRId64
              " dimensions and the configured model makes %" PRId64
              ": go back to the model it was made for (model.embedding, model.dimensions = %" PRId64
              "%s), or use another database (database.url, or data.dir for a private one)",
              made_for, dimensions, made_for,
              made_for == 384 ? "; model.base_url = local has 384" : "");
    return -EINVAL;
}

/* A migration that takes something from older programs raises "compatible" to its version. */
static int
refuse_newer (struct db *db, int64_t newest, char reason[DB_REASON_SIZE])
{
    int64_t version, compatible;
    int r = read_version (db, &version, reason);
    if (r < 0 || version <= newest)
        return r;
    r = read_setting (db, "compatible", &compatible, reason);
    if (r < 0 || compatible <= newest)
        return r;
    snprintf (reason, DB_REASON_SIZE,
              "the database is of a newer newsmill (its schema has version %" PRId64
              ", this program knows %" PRId64 "): update this program",
              version, newest);
    return -EINVAL;
}

int
db_migrate (struct db *db, const char *folder, int64_t dimensions, int *ret_applied,
            char reason[DB_REASON_SIZE])
{
    struct migration *list;
    size_t count;
    int applied = 0, r = migrate_list (folder, &list, &count, reason);
    if (r < 0)
        return r;
    r = refuse_newer (db, list[count - 1].version, reason);
    for (size_t i = 0; r == 0 && i < count; i++) {
        bool did = false;
        r = apply (db, folder, &list[i], dimensions, &did, reason);
        applied += did;
    }
    if (r == 0)
        r = check_dimensions (db, dimensions, reason);
    migrate_free_list (&list, count);
    if (r == 0)
        *ret_applied = applied;
    return r;
}

int
db_check (struct db *db, int64_t dimensions, char reason[DB_REASON_SIZE])
{
    int64_t version;
    int r = read_version (db, &version, reason);
    if (r < 0)
        return r;
    if (version < MIGRATE_VERSION) {
        snprintf (reason, DB_REASON_SIZE, "the database is %s: run `newsmill db migrate`",
                  version ? "of an older newsmill" : "not set up yet");
        return -EINVAL;
    }
    r = refuse_newer (db, MIGRATE_VERSION, reason);
    return r < 0 ? r : check_dimensions (db, dimensions, reason);
}
