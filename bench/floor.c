/* floor - the time that the bare database writes take: the rows of a finished run, copied by COPY BINARY into tables of
 * the same make, by several connections at once, so many articles a transaction. Prints seconds.
 * usage: floor URL CONNECTIONS ARTICLES_PER_TRANSACTION index|noindex
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEADER_BYTES 19 /* of a binary COPY stream: signature, flags, extension */

static void
fail (PGconn *connection, const char *what)
{
    fprintf (stderr, "floor: %s: %s", what, PQerrorMessage (connection));
    exit (EXIT_TEMP);
}

static PGconn *
open_database (const char *url)
{
    PGconn *connection = PQconnectdb (url);
    if (PQstatus (connection) != CONNECTION_OK)
        fail (connection, "cannot connect");
    PQclear (PQexec (connection, "SELECT octet_length (repeat (repeat ('x', 1000), 30000))")); /* as the writer does */
    return connection;
}

static void
run (PGconn *connection, const char *sql)
{
    PGresult *result = PQexec (connection, sql);
    if (PQresultStatus (result) != PGRES_COMMAND_OK)
        fail (connection, sql);
    PQclear (result);
}

/* The tuples of `COPY (...) TO STDOUT BINARY`, one row of it a buffer: libpq hands over a row at a time. */
static struct buf *
read_rows (PGconn *connection, const char *sql, size_t *ret_count)
{
    struct buf *rows = NULL;
    size_t count = 0;
    PGresult *result = PQexec (connection, sql);
    if (PQresultStatus (result) != PGRES_COPY_OUT)
        fail (connection, sql);
    PQclear (result);
    char *data;
    int bytes;
    bool first = true;
    while ((bytes = PQgetCopyData (connection, &data, 0)) > 0) {
        const char *at = data + (first ? HEADER_BYTES : 0);
        size_t size = (size_t) bytes - (first ? HEADER_BYTES : 0);
        first = false;
        if (size > 2) { /* the trailer is a bare -1 */
            rows = mem_grow (rows, count + 1, sizeof *rows);
            rows[count] = (struct buf){ 0 };
            buf_add (&rows[count++], at, size);
        }
        PQfreemem (data);
    }
    PQclear (PQgetResult (connection));
    *ret_count = count;
    return rows;
}

static void
copy_in (PGconn *connection, const char *sql, const struct buf *rows, size_t count)
{
    static const char header[HEADER_BYTES] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
    PGresult *result = PQexec (connection, sql);
    if (PQresultStatus (result) != PGRES_COPY_IN)
        fail (connection, sql);
    PQclear (result);
    PQputCopyData (connection, header, HEADER_BYTES);
    for (size_t i = 0; i < count; i++)
        PQputCopyData (connection, rows[i].data, (int) rows[i].len);
    PQputCopyData (connection, "\377\377", 2);
    PQputCopyEnd (connection, NULL);
    result = PQgetResult (connection);
    if (PQresultStatus (result) != PGRES_COMMAND_OK)
        fail (connection, "copy");
    PQclear (result);
    PQclear (PQgetResult (connection));
}

static void
copy_share (const char *url, const struct buf *articles, const struct buf *chunks, const size_t *first_chunk,
            size_t from, size_t to, size_t group)
{
    PGconn *connection = open_database (url);
    for (size_t at = from; at < to; at += group) {
        size_t end = MIN_OF (at + group, to);
        run (connection, "BEGIN");
        copy_in (connection, "COPY floor_article FROM STDIN BINARY", articles + at, end - at);
        copy_in (connection, "COPY floor_chunk FROM STDIN BINARY", chunks + first_chunk[at],
                 first_chunk[end] - first_chunk[at]);
        run (connection, "COMMIT");
    }
    PQfinish (connection);
}

int
main (int argc, char **argv)
{
    int64_t connections, group;
    if (argc != 5 || num_parse (argv[2], 1, 64, &connections) < 0 || num_parse (argv[3], 1, 10000, &group) < 0) {
        fprintf (stderr, "usage: floor URL CONNECTIONS ARTICLES_PER_TRANSACTION index|noindex\n");
        return EXIT_USAGE;
    }
    PGconn *connection = open_database (argv[1]);
    size_t article_count, chunk_count;
    struct buf *articles = read_rows (connection, "COPY (SELECT * FROM \"Article\" ORDER BY id) TO STDOUT BINARY", &article_count);
    struct buf *chunks = read_rows (connection, "COPY (SELECT * FROM \"ArticleChunk\" ORDER BY \"articleId\", index) TO STDOUT"
                                    " BINARY", &chunk_count);
    PGresult *counts = PQexec (connection, "SELECT \"chunkCount\" FROM \"Article\" ORDER BY id");
    size_t *first_chunk = mem_alloc ((article_count + 1) * sizeof *first_chunk);
    for (size_t i = 0; i < article_count; i++)
        first_chunk[i + 1] = first_chunk[i] + (size_t) atoi (PQgetvalue (counts, (int) i, 0));
    PQclear (counts);

    run (connection, "SET client_min_messages = warning; DROP TABLE IF EXISTS floor_chunk, floor_article;"
         " CREATE TABLE floor_article (LIKE \"Article\" INCLUDING ALL);"
         " CREATE TABLE floor_chunk (LIKE \"ArticleChunk\" INCLUDING ALL EXCLUDING INDEXES);"
         " CREATE INDEX ON floor_chunk (\"articleId\", index); CREATE INDEX ON floor_chunk (id)");
    if (!strcmp (argv[4], "index"))
        run (connection, "CREATE INDEX ON floor_chunk USING hnsw (embedding vector_cosine_ops)");
    run (connection, "CHECKPOINT");
    PQfinish (connection);

    int64_t start_us = clock_mono_us ();
    for (int64_t i = 0; i < connections; i++)
        if (fork () == 0) {
            copy_share (argv[1], articles, chunks, first_chunk, article_count * (size_t) i / (size_t) connections,
                        article_count * (size_t) (i + 1) / (size_t) connections, (size_t) group);
            _exit (0);
        }
    int status, bad = 0;
    while (wait (&status) > 0)
        bad |= status;
    printf ("%.3f\n", (double) (clock_mono_us () - start_us) / US_PER_S);
    return bad || !article_count || !chunk_count ? EXIT_TEMP : 0;
}
