/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/feeds.h"
#include "cli/cli.h"
#include "cli/fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static int
read_url (const struct settings *settings, const char *url, struct buf *out,
          char reason[FEEDS_REASON_SIZE])
{
    struct settings trusting =
        *settings; /* the operator named it: it may well be on this machine */
    trusting.fetcher_allow_private = true;
    struct fetched got;
    fetch (&trusting, url, OPML_BYTES_MAX, &got);
    int r = 0;
    if (got.error != HTTP_OK) {
        snprintf (reason, FEEDS_REASON_SIZE, "cannot fetch %s: %s", url, got.reason);
        r = got.error == HTTP_BAD_URL ? -EINVAL : -EIO;
    } else if (got.status != 200) {
        snprintf (reason, FEEDS_REASON_SIZE, "cannot fetch %s: the server answers %ld", url,
                  got.status);
        r = -EIO;
    } else
        buf_add (out, got.body.data ? got.body.data : "", got.body.len);
    fetched_fini (&got);
    return r;
}

int
feeds_read (const struct settings *settings, const char *place, struct opml *ret_opml,
            char reason[FEEDS_REASON_SIZE])
{
    struct buf document = { 0 };
    int r = 0;
    if (strncmp (place, "http://", 7) == 0 || strncmp (place, "https://", 8) == 0)
        r = read_url (settings, place, &document, reason);
    else if ((r = cli_read_file (place, OPML_BYTES_MAX, &document)) < 0) {
        snprintf (reason, FEEDS_REASON_SIZE, "cannot read %s: %s", place, strerror (-r));
        r = -EINVAL;
    }
    char why[OPML_REASON_SIZE] = "";
    if (r == 0) {
        r = opml_parse (document.data ? document.data : "", document.len, ret_opml, why) < 0 ? -EINVAL : 0;
        snprintf (reason, FEEDS_REASON_SIZE, "%s%s%s", *why ? place : "", *why ? ": " : "", why);
    }
    buf_fini (&document);
    return r;
}

/* ---- the table ---- */

/* A text[] literal. given (free) */
static char *
array_literal (char *const *texts, size_t count)
{
    struct buf out = { 0 };
    buf_add_char (&out, '{');
    for (size_t i = 0; i < count; i++) {
        buf_add_str (&out, i ? ",\"" : "\"");
        for (const char *p = texts[i]; *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_add_char (&out, '\\');
            buf_add_char (&out, *p);
        }
        buf_add_char (&out, '"');
    }
    buf_add_char (&out, '}');
    return buf_take (&out);
}

static int
import_one (struct db *db, const struct opml_feed *feed, int64_t *added)
{
    char *tags = array_literal (feed->tags, feed->tag_count);
    PGresult *result =
        db_query (db,
                  "INSERT INTO \"Source\" AS s (url, title, tags) VALUES ($1, $2, $3::text[])"
                  " ON CONFLICT (url) DO UPDATE SET title = coalesce (excluded.title, s.title),"
                  " tags = excluded.tags RETURNING (xmax = 0)::int",
                  DB_VALUES (feed->url, feed->title, tags));
    free (tags);
    if (!result)
        return -EIO;
    *added += db_int (result, 0, 0);
    PQclear (result);
    return 0;
}

int
feeds_add (struct db *db, const struct opml_feed *feed, const char *found_title, enum feeds_added *ret_added)
{
    char *tags = array_literal (feed->tags, feed->tag_count);
    PGresult *result =
        db_query (db,
                  "WITH old AS (SELECT enabled FROM \"Source\" WHERE url = $1)"
                  " INSERT INTO \"Source\" AS s (url, title, tags) VALUES ($1, coalesce ($2, $4), $3::text[])"
                  " ON CONFLICT (url) DO UPDATE SET title = coalesce ($2, s.title, $4), enabled = TRUE,"
                  " \"disabledReason\" = NULL,"
                  " tags = CASE WHEN excluded.tags = '{}' THEN s.tags ELSE excluded.tags END,"
                  " \"nextDueAt\" = CASE WHEN s.enabled THEN s.\"nextDueAt\" ELSE " DB_NOW " END"
                  " RETURNING coalesce ((SELECT enabled FROM old)::int, 2)",
                  DB_VALUES (feed->url, feed->title, tags, found_title));
    free (tags);
    if (!result)
        return -EIO;
    int64_t before = db_int (result, 0, 0);
    *ret_added = before == 2 ? FEEDS_ADDED : before == 1 ? FEEDS_KNOWN : FEEDS_SWITCHED_ON;
    PQclear (result);
    return 0;
}

int
feeds_import (struct db *db, const struct opml *opml, int64_t *ret_added)
{
    int64_t added = 0;
    int r = db_run (db, NULL, "BEGIN", 0, NULL);
    for (size_t i = 0; r == 0 && i < opml->count; i++)
        r = import_one (db, &opml->feeds[i], &added);
    if (r == 0)
        r = db_run (db, NULL, "COMMIT", 0, NULL);
    else
        db_rollback (db);
    if (r == 0)
        *ret_added = added;
    return r;
}

int
feeds_export (struct db *db, struct opml *ret_opml)
{
    PGresult *result =
        db_query (db,
                  "SELECT s.url, s.title, t.tag FROM \"Source\" s LEFT JOIN LATERAL"
                  " unnest (s.tags) WITH ORDINALITY AS t (tag, place) ON TRUE"
                  " ORDER BY s.tags, lower (coalesce (s.title, s.url)), s.id, t.place",
                  0, NULL);
    if (!result)
        return -EIO;
    struct opml opml = { 0 };
    for (int row = 0; row < PQntuples (result); row++) {
        const char *url = db_text (result, row, 0), *tag = db_text (result, row, 2);
        /* Rows of one feed follow each other; looking only at the last keeps this linear. */
        struct opml_feed *feed = opml.count && strcmp (opml.feeds[opml.count - 1].url, url) == 0
                                     ? &opml.feeds[opml.count - 1]
                                     : opml_add (&opml, url, db_text (result, row, 1));
        if (tag)
            opml_add_tag (feed, tag, strlen (tag));
    }
    PQclear (result);
    *ret_opml = opml;
    return 0;
}

int
feeds_keep_only (struct db *db, const struct opml *opml)
{
    char **urls = mem_alloc ((opml->count + 1) * sizeof *urls);
    for (size_t i = 0; i < opml->count; i++)
        urls[i] = opml->feeds[i].url;
    char *array = array_literal (urls, opml->count);
    int r = db_run (db, NULL,
                    "UPDATE \"Source\" SET enabled = url = ANY ($1::text[])"
                    " WHERE enabled <> (url = ANY ($1::text[]))",
                    DB_VALUES (array));
    free (array);
    free (urls);
    return r;
}

int
feeds_count (struct db *db, int64_t *ret_count)
{
    PGresult *result = db_query (db, "SELECT count (*) FROM \"Source\"", 0, NULL);
    if (!result)
        return -EIO;
    *ret_count = db_int (result, 0, 0);
    PQclear (result);
    return 0;
}
