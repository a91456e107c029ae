/* db - one PostgreSQL connection: opening with back-off, queries with parameters, migrations.
 * All parameters travel apart from the SQL text. Calls block until the server answers or statement_timeout ends them.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/base.h"

#include <libpq-fe.h>

struct db;

/* url: borrowed for the object's life. Does not connect yet. */
struct db *db_new (const char *url, const char *process);
void db_destroy (struct db **db);
/* Connects if there is no connection, unless the last try was too short a time ago (back-off to 5 s). true when connected.
 * Logs once when the database goes away and once when it is back. Blocks at most the connect time-out (3 s). */
bool db_ready (struct db *db);
/* Whether the connection was opened since this was asked last: what belongs to a session (locks, SET) is to be made anew. */
bool db_reopened (struct db *db);
void db_lost (struct db *db); /* closes, so that the next db_ready opens anew */
void db_rollback (struct db *db); /* ends a transaction that failed; db_error keeps saying why it did. Blocks. */
const char *db_error (const struct db *db); /* why the last call failed: one line */
PGconn *db_connection (struct db *db); /* borrowed; NULL when closed */

/* Runs one statement. values: text, NULL for NULL. A result in a success state, or NULL (db_error tells; a broken
 * connection is closed). A statement with values that comes again is prepared. given (PQclear) */
PGresult *db_query (struct db *db, const char *sql, size_t count, const char *const *values);
#define DB_VALUES(...) COUNT_OF (((const char *[]){ __VA_ARGS__ })), ((const char *[]){ __VA_ARGS__ })
/* The same when only success matters. 0 or -EIO; ret_rows (may be NULL): rows it changed. */
MUST_CHECK int db_run (struct db *db, int64_t *ret_rows, const char *sql, size_t count, const char *const *values);

/* The same with values of which some are binary (see array.h). */
struct db_value {
    const char *data; /* NULL for NULL */
    size_t bytes;     /* DB_IS_TEXT: a text that ends in NUL */
};
#define DB_IS_TEXT SIZE_MAX
PGresult *db_query_values (struct db *db, const char *sql, size_t count, const struct db_value *values);

int64_t db_int (const PGresult *result, int row, int column);      /* 0 for NULL */
const char *db_text (const PGresult *result, int row, int column); /* NULL for NULL; borrowed */
/* Timestamps travel as text, "2025-11-17 02:40:00.123456", UTC. */
const char *db_time (int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

/* SQL that reads a TIMESTAMP column as microseconds since 1970. */
#define DB_US(column) "(extract (epoch FROM " column ") * 1000000)::bigint"
#define DB_NOW "(now () AT TIME ZONE 'UTC')"

/* Advisory locks: one collector, one ticker, one migration at a time. */
enum db_lock { DB_LOCK_MIGRATE = 0x6e6d01, DB_LOCK_COLLECTOR, DB_LOCK_TICKER };
MUST_CHECK int db_try_lock (struct db *db, enum db_lock lock, bool *ret_held); /* held until the connection closes */

/* Applies the migrations in folder that the database lacks, each in a transaction of its own. dimensions: of the vector
 * column when it is made; must fit it later. 0, or -EIO, -EINVAL with ret_reason for people. *ret_applied: how many. */
#define DB_REASON_SIZE 512
MUST_CHECK int db_migrate (struct db *db, const char *folder, int64_t dimensions, int *ret_applied,
                           char ret_reason[DB_REASON_SIZE]);
/* Whether the database is migrated to what this program needs, for vectors of these dimensions. Likewise. */
MUST_CHECK int db_check (struct db *db, int64_t dimensions, char ret_reason[DB_REASON_SIZE]);

#endif
