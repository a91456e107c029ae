/* newsmill feed - manages the feeds in the database; parse and check look at one (feed_look.c).
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/feed_look.h"
#include "cli/feeds.h"
#include "cli/mill.h"
#include "cli/table.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
failed (struct mill *mill, const char *what)
{
    cli_say ("%s: %s", what, db_error (mill_db (mill)));
    return EXIT_TEMP;
}

static bool
is_web_address (const char *url)
{
    size_t scheme = strncasecmp (url, "https://", 8) == 0  ? 8
                    : strncasecmp (url, "http://", 7) == 0 ? 7
                                                           : 0;
    return scheme && url[scheme] && url[scheme] != '/' && !url[strcspn (url, " \t\r\n\"<>")];
}

static int
check_addresses (int count, char **urls)
{
    for (int i = 0; i < count; i++)
        if (!is_web_address (urls[i])) {
            cli_say ("\"%s\" is no http:// or https:// address", urls[i]);
            return EXIT_USAGE;
        }
    return 0;
}

/* ---- add, remove, enable, disable ---- */

/* What it failed of before is forgotten. */
#define SWITCHED_ON \
    "enabled = TRUE, \"disabledReason\" = NULL, failures = 0, \"lastError\" = NULL, \"nextDueAt\" = " DB_NOW

static int
add_one (struct mill *mill, const char *url)
{
    PGresult *result =
        db_query (mill_db (mill),
                  "INSERT INTO \"Source\" AS s (url) VALUES ($1) ON CONFLICT (url)"
                  " DO UPDATE SET " SWITCHED_ON " WHERE NOT s.enabled"
                  " RETURNING (xmax = 0)::int",
                  DB_VALUES (url));
    if (!result)
        return failed (mill, "cannot add the feed");
    printf ("%s %s\n",
            !PQntuples (result)     ? "known already:"
            : db_int (result, 0, 0) ? "added"
                                    : "switched on again:",
            url);
    PQclear (result);
    return 0;
}

static int
remove_one (struct mill *mill, const char *url)
{
    int64_t rows = 0;
    if (db_run (mill_db (mill), &rows, "DELETE FROM \"Source\" WHERE url = $1", DB_VALUES (url))
        < 0)
        return failed (mill, "cannot remove the feed");
    if (!rows) {
        cli_say ("there is no feed %s; `newsmill feed list` shows them", url);
        return 1;
    }
    printf ("removed %s; its articles stay\n", url);
    return 0;
}

static int
switch_one (struct mill *mill, const char *url, const char *sql, const char *done)
{
    int64_t rows = 0;
    if (db_run (mill_db (mill), &rows, sql, DB_VALUES (url)) < 0)
        return failed (mill, "cannot switch the feed");
    if (!rows) {
        cli_say ("there is no feed %s; `newsmill feed list` shows them", url);
        return 1;
    }
    printf ("%s %s\n", done, url);
    return 0;
}

static int
enable_one (struct mill *mill, const char *url)
{
    return switch_one (mill, url, "UPDATE \"Source\" SET " SWITCHED_ON " WHERE url = $1", "switched on:");
}

static int
disable_one (struct mill *mill, const char *url)
{
    return switch_one (mill, url, "UPDATE \"Source\" SET enabled = FALSE, \"disabledReason\" = NULL WHERE url = $1",
                       "switched off:");
}

static int
each (struct cli *cli, int argc, char **argv, int (*fn) (struct mill *mill, const char *url))
{
    struct mill *mill;
    int r = cli_parse (&argc, argv, NULL, 0, 1, INT_MAX), worst = 0;
    r = r ? r : check_addresses (argc - 1, argv + 1);
    r = r ? r : mill_borrow_database (cli, &mill);
    if (r)
        return r;
    for (int i = 1; i < argc && worst <= 1; i++) {
        r = fn (mill, argv[i]);
        worst = MAX_OF (worst, r);
    }
    return mill_close (&mill, worst);
}

static int
feed_add (struct cli *cli, int argc, char **argv)
{
    return each (cli, argc, argv, add_one);
}

static int
feed_remove (struct cli *cli, int argc, char **argv)
{
    int r = each (cli, argc, argv, remove_one);
    if (r == 0 && *cli->settings.feeds_opml)
        cli_say ("what %s (feeds.opml) still names comes back at the next start",
                 cli->settings.feeds_opml);
    return r;
}

static int
feed_enable (struct cli *cli, int argc, char **argv)
{
    return each (cli, argc, argv, enable_one);
}

static int
feed_disable (struct cli *cli, int argc, char **argv)
{
    return each (cli, argc, argv, disable_one);
}

static int
feed_agent (struct cli *cli, int argc, char **argv)
{
    struct mill *mill;
    int64_t rows = 0;
    int r = cli_parse (&argc, argv, NULL, 0, 1, 2);
    const char *url = argv[1], *agent = r == 0 && argc > 2 && *argv[2] ? argv[2] : NULL;
    for (const char *p = agent; p && *p && !r; p++)
        if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f)
            r = cli_usage ("feed", "a User-Agent is printable ASCII");
    r = r ? r : mill_borrow_database (cli, &mill);
    if (r)
        return r;
    if (db_run (mill_db (mill), &rows, "UPDATE \"Source\" SET \"userAgent\" = $2 WHERE url = $1", DB_VALUES (url, agent)) < 0)
        return mill_close (&mill, failed (mill, "cannot set the feed's User-Agent"));
    if (!rows)
        cli_say ("there is no feed %s; `newsmill feed list` shows them", url);
    else
        printf ("%s is asked as %s\n", url, agent ? agent : "all others");
    return mill_close (&mill, rows ? 0 : 1);
}

/* ---- list ---- */

static int
print_list (const struct cli *cli, struct mill *mill)
{
    static const struct table_column columns[] = { { "TITLE", TABLE_LEFT, 12 },
                                                   { "TAGS", TABLE_LEFT, 8 },
                                                   { "STATE", TABLE_LEFT, 0 },
                                                   { "URL", TABLE_LEFT, 20 } };
    PGresult *result =
        db_query (mill_db (mill),
                  "SELECT coalesce (title, ''), array_to_string (tags, ', '),"
                  " CASE WHEN enabled THEN 'on' ELSE 'off' END, url, array_to_json (tags)"
                  " FROM \"Source\" ORDER BY id",
                  0, NULL);
    if (!result)
        return failed (mill, "cannot read the feeds");
    struct table *table = table_new (columns, COUNT_OF (columns));
    json_t *feeds = json_array ();
    for (int row = 0; row < PQntuples (result); row++) {
        for (int column = 0; column < (int) COUNT_OF (columns); column++)
            table_add (table, db_text (result, row, column));
        json_t *tags = json_loads (db_text (result, row, 4), 0, NULL);
        json_array_append_new (
            feeds, json_pack ("{s:s, s:s, s:b, s:o}", "url", db_text (result, row, 3), "title",
                              db_text (result, row, 0), "enabled",
                              strcmp (db_text (result, row, 2), "on") == 0, "tags", tags));
    }
    if (cli->json)
        cli_print_json (feeds);
    else if (!PQntuples (result))
        puts ("no feeds; `newsmill feed add URL` adds one");
    else
        table_print (table);
    table_destroy (&table);
    json_decref (feeds);
    PQclear (result);
    return 0;
}

static int
feed_list (struct cli *cli, int argc, char **argv)
{
    struct mill *mill;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : mill_borrow_database (cli, &mill);
    return r ? r : mill_close (&mill, print_list (cli, mill));
}

/* ---- import, export ---- */

static int
feed_import (struct cli *cli, int argc, char **argv)
{
    char reason[FEEDS_REASON_SIZE];
    struct opml opml;
    struct mill *mill;
    int64_t added = 0;
    int r = cli_parse (&argc, argv, NULL, 0, 1, 1);
    r = r ? r : cli_load_live (cli);
    if (r)
        return r;
    if ((r = feeds_read (&cli->settings, argv[1], &opml, reason)) < 0) {
        cli_say ("%s", reason);
        return r == -EIO ? EXIT_TEMP : 1;
    }
    r = mill_borrow_database (cli, &mill);
    if (r == 0) {
        r = feeds_import (mill_db (mill), &opml, &added) < 0
                ? failed (mill, "cannot store the feeds")
                : 0;
        r = mill_close (&mill, r);
    }
    if (r == 0)
        printf ("%zu feeds, %" PRId64 " of them new\n", opml.count, added);
    if (r == 0 && opml.skipped)
        cli_say ("left out %zu whose address is neither http nor https", opml.skipped);
    opml_fini (&opml);
    return r;
}

static int
feed_export (struct cli *cli, int argc, char **argv)
{
    struct opml opml = { 0 };
    struct mill *mill;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : mill_borrow_database (cli, &mill);
    if (r)
        return r;
    r = feeds_export (mill_db (mill), &opml) < 0 ? failed (mill, "cannot read the feeds") : 0;
    r = mill_close (&mill, r);
    if (r == 0) {
        char *document = opml_format (&opml, "newsmill feeds");
        fputs (document, stdout);
        free (document);
    }
    opml_fini (&opml);
    return r;
}

/* ---- */

int
cmd_feed (struct cli *cli, int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run) (struct cli *cli, int argc, char **argv);
    } actions[] = {
        { "add", feed_add },       { "remove", feed_remove }, { "list", feed_list },
        { "enable", feed_enable }, { "disable", feed_disable },
        { "agent", feed_agent },
        { "import", feed_import }, { "export", feed_export }, { "parse", feed_parse_file },
        { "check", feed_check },
    };
    if (argc < 2)
        return cli_usage (argv[0], "what about the feeds?");
    for (size_t i = 0; i < COUNT_OF (actions); i++)
        if (strcmp (actions[i].name, argv[1]) == 0) {
            argv[1] = argv[0]; /* messages about options name the command */
            return actions[i].run (cli, argc - 1, argv + 1);
        }
    return cli_usage (argv[0], "`newsmill feed` has no action \"%s\"", argv[1]);
}
