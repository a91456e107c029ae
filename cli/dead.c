/* newsmill dead - the dead letters: articles that were given up, with the reason. List, look,
 * try again, throw away.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/mill.h"
#include "cli/table.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A time as programs read it. */
#define SQL_TIME(column) "to_char (" column ", 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SQL_FIELDS                                                                                 \
    "'id', id, 'source', source, 'url', url, 'title', title, 'author', author, "                   \
    "'publishedAt', " SQL_TIME ("\"publishedAt\"") ", 'takenInAt', " SQL_TIME (                    \
        "\"createdAt\"") ", 'dispatches', dispatches,"                                             \
                         " 'attempts', attempts, 'crashes', crashes, 'runId', \"runId\", "         \
                         "'reason', reason"

static int
failed (struct mill *mill, const char *what)
{
    cli_say ("%s: %s", what, db_error (mill_db (mill)));
    return EXIT_TEMP;
}

/* The one JSON value sql yields. *ret_value: given; json_null if there is no row. 0 or the exit
 * code */
static int
query_json (struct mill *mill, const char *sql, size_t count, const char *const *values,
            json_t **ret_value)
{
    PGresult *result = db_query (mill_db (mill), sql, count, values);
    if (!result)
        return failed (mill, "cannot read the dead letters");
    const char *text = PQntuples (result) ? db_text (result, 0, 0) : NULL;
    json_t *value = text ? json_loads (text, JSON_DECODE_ANY, NULL) : json_null ();
    PQclear (result);
    *ret_value = value ? value : json_null ();
    return 0;
}

/* ---- list, show ---- */

static int
dead_list (struct cli *cli, struct mill *mill, int count UNUSED, char **ids UNUSED)
{
    static const struct table_column columns[] = {
        { "ID", TABLE_RIGHT, 0 },    { "SOURCE", TABLE_LEFT, 10 }, { "TITLE", TABLE_LEFT, 16 },
        { "TRIES", TABLE_RIGHT, 0 }, { "REASON", TABLE_LEFT, 20 },
    };
    json_t *letters, *letter;
    size_t i;
    int r = query_json (mill,
                        "SELECT coalesce (json_agg (json_build_object (" SQL_FIELDS
                        ") ORDER BY id), '[]')"
                        " FROM \"ArticleWork\" WHERE state = 'dead'",
                        0, NULL, &letters);
    if (r)
        return r;
    struct table *table = table_new (columns, COUNT_OF (columns));
    json_array_foreach (letters, i, letter) {
        table_addf (table, "%" PRId64, cli_int (letter, "id"));
        table_add (table, cli_text (letter, "source"));
        table_add (table, cli_text (letter, "title"));
        table_addf (table, "%" PRId64, cli_int (letter, "attempts") + cli_int (letter, "crashes"));
        table_add (table, cli_text (letter, "reason"));
    }
    if (cli->json)
        cli_print_json (letters);
    else if (!json_array_size (letters))
        puts ("no dead letters");
    else
        table_print (table);
    table_destroy (&table);
    json_decref (letters);
    return 0;
}

static int
not_dead (const char *id)
{
    cli_say ("there is no dead letter %s; `newsmill dead list` shows them", id);
    return 1;
}

static void
print_letter (const json_t *letter)
{
    const char *name;
    json_t *value;
    json_object_foreach ((json_t *) (uintptr_t) letter, name, value) {
        struct buf line = { 0 };
        if (strcmp (name, "content") == 0 || json_is_null (value))
            continue;
        if (json_is_integer (value))
            buf_printf (&line, "%" JSON_INTEGER_FORMAT, json_integer_value (value));
        else
            table_fit (&line, json_is_string (value) ? json_string_value (value) : "", 0,
                       TABLE_LEFT, false);
        printf ("%-12s %s\n", name, line.data ? line.data : "");
        buf_fini (&line);
    }
    printf ("\n%s\n", cli_text (letter, "content"));
}

static int
dead_show (struct cli *cli, struct mill *mill, int count UNUSED, char **ids)
{
    json_t *letter;
    int r = query_json (mill,
                        "SELECT json_build_object (" SQL_FIELDS
                        ", 'summary', summary, 'content', content)"
                        " FROM \"ArticleWork\" WHERE state = 'dead' AND id = $1::bigint",
                        DB_VALUES (ids[0]), &letter);
    if (r)
        return r;
    if (json_is_null (letter))
        r = not_dead (ids[0]);
    else if (cli->json)
        cli_print_json (letter);
    else
        print_letter (letter);
    json_decref (letter);
    return r;
}

/* ---- replay, drop ---- */

/* Runs sql, which changes the letters of $1::bigint[] (NULL: all) and yields their number. */
static int
change (struct cli *cli, struct mill *mill, int count, char **ids, const char *sql,
        const char *done)
{
    struct buf array = { 0 };
    bool all = count == 1 && strcmp (ids[0], "all") == 0;
    buf_add_char (&array, '{');
    for (int i = 0; !all && i < count; i++)
        buf_printf (&array, "%s%s", i ? "," : "", ids[i]);
    buf_add_char (&array, '}');
    PGresult *result = db_query (mill_db (mill), sql, DB_VALUES (all ? NULL : array.data));
    buf_fini (&array);
    if (!result)
        return failed (mill, "cannot change the dead letters");
    int64_t changed = db_int (result, 0, 0);
    PQclear (result);
    if (cli->json)
        printf ("{\"changed\": %" PRId64 "}\n", changed);
    else
        printf ("%" PRId64 " %s\n", changed, done);
    if (all || changed == count)
        return 0;
    cli_say ("the others are no dead letters; `newsmill dead list` shows them");
    return 1;
}

static int
dead_replay (struct cli *cli, struct mill *mill, int count, char **ids)
{
    return change (
        cli, mill, count, ids,
        "WITH c AS (UPDATE \"ArticleWork\" SET state = 'pending', attempts = 0, crashes = 0, "
        "\"dueAt\" = " DB_NOW
        " WHERE state = 'dead' AND ($1::bigint[] IS NULL OR id = ANY ($1::bigint[])) RETURNING 1)"
        " SELECT count (*) FROM c",
        "go on with the next run");
}

/* The keys stay, so that the next fetch does not take the article in again; the ledger counts it
 * as dropped. */
static int
dead_drop (struct cli *cli, struct mill *mill, int count, char **ids)
{
    return change (
        cli, mill, count, ids,
        "WITH c AS (DELETE FROM \"ArticleWork\""
        " WHERE state = 'dead' AND ($1::bigint[] IS NULL OR id = ANY ($1::bigint[])) RETURNING 1),"
        " n AS (SELECT count (*) AS n FROM c),"
        " l AS (UPDATE \"Ledger\" SET dropped = dropped + n.n FROM n)"
        " SELECT n FROM n",
        "dropped for good");
}

/* ---- */

static int
check_ids (const char *command, int count, char **ids, bool may_be_all)
{
    int64_t id;
    for (int i = 0; i < count; i++)
        if (!(may_be_all && count == 1 && strcmp (ids[i], "all") == 0)
            && num_parse (ids[i], 1, INT64_MAX, &id) < 0)
            return cli_usage (command, "\"%s\" is no number of a dead letter", ids[i]);
    return 0;
}

int
cmd_dead (struct cli *cli, int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run) (struct cli *cli, struct mill *mill, int count, char **ids);
        int least, most;
        bool may_be_all;
    } actions[] = {
        { "list", dead_list, 0, 0, false },
        { "show", dead_show, 1, 1, false },
        { "replay", dead_replay, 1, INT_MAX, true },
        { "drop", dead_drop, 1, INT_MAX, true },
    };
    struct mill *mill;
    size_t i = 0;
    if (argc < 2)
        return cli_usage (argv[0], "what about the dead letters?");
    while (i < COUNT_OF (actions) && strcmp (actions[i].name, argv[1]) != 0)
        i++;
    if (i == COUNT_OF (actions))
        return cli_usage (argv[0], "`newsmill dead` has no action \"%s\"", argv[1]);
    argv[1] = argv[0];
    argv++;
    argc--;
    int r = cli_parse (&argc, argv, NULL, 0, actions[i].least, actions[i].most);
    r = r ? r : check_ids (argv[0], argc - 1, argv + 1, actions[i].may_be_all);
    r = r ? r : mill_borrow_database (cli, &mill);
    return r ? r : mill_close (&mill, actions[i].run (cli, mill, argc - 1, argv + 1));
}
