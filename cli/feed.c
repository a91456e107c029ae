/* newsmill feed - manages the feeds in the database; parse and check look at one (feed_look.c).
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/feed_find.h"
#include "cli/feed_look.h"
#include "cli/feed_set.h"
#include "cli/feeds.h"
#include "cli/mill.h"
#include "cli/opml.h"
#include "cli/place.h"
#include "cli/table.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_AMBIGUOUS 2 /* several feeds, and none is surely meant */

static int
failed (struct mill *mill, const char *what)
{
    cli_say ("%s: %s", what, db_error (mill_db (mill)));
    return EXIT_TEMP;
}

/* "news.example:8080" is a host and a port; "file:x" and "mailto:x" are of no use. */
static bool
is_web_scheme (const char *address)
{
    char *url = opml_web_address (address);
    bool web = url || (!strstr (address, "://") && strspn (strchr (address, ':') + 1, "0123456789"));
    free (url);
    return web;
}

/* ---- add ---- */

struct addition {
    struct cli *cli;
    const char *title, *tags;
    bool no_check;
    json_t *told; /* for --json */
};

static json_t *
found_value (const struct found *found)
{
    json_t *feeds = json_array ();
    for (size_t i = 0; i < found->count; i++) {
        const struct found_feed *feed = &found->feeds[i];
        char newest[CLOCK_TEXT_SIZE];
        json_array_append_new (
            feeds, json_pack ("{s:s, s:s?, s:s, s:I, s:s?}", "url", feed->url, "title", feed->title, "format",
                              feed_format_name (feed->format), "entries", (json_int_t) feed->entries, "newest",
                              feed->newest_us == FEED_NO_DATE ? NULL : clock_format (feed->newest_us, newest)));
    }
    return feeds;
}

static void
print_found (const struct found *found)
{
    static const struct table_column columns[] = {
        { "FEED", TABLE_LEFT, 0 }, { "FORMAT", TABLE_LEFT, 0 }, { "ENTRIES", TABLE_RIGHT, 0 }, { "TITLE", TABLE_LEFT, 12 }
    };
    struct table *table = table_new (columns, COUNT_OF (columns));
    for (size_t i = 0; i < found->count; i++) {
        table_add (table, found->feeds[i].url);
        table_add (table, feed_format_name (found->feeds[i].format));
        table_addf (table, "%zu", found->feeds[i].entries);
        table_add (table, found->feeds[i].title ? found->feeds[i].title : "");
    }
    table_print (table);
    table_destroy (&table);
}

static void
tell (struct addition *self, const char *outcome, const char *url, const char *title, const struct found *found)
{
    json_array_append_new (self->told, json_pack ("{s:s, s:s, s:s?, s:o}", "outcome", outcome, "url", url, "title", title,
                                                  "feeds", found_value (found)));
    if (!self->cli->json && title)
        printf ("%s %s\n    %s\n", outcome, url, title);
    else if (!self->cli->json)
        printf ("%s %s\n", outcome, url);
    if (!self->cli->json && found->count > 1) {
        printf ("there are more; `newsmill feed add URL` takes them, too:\n");
        print_found (found);
    }
}

/* What the address leads to. 0, 1 or EXIT_AMBIGUOUS after it said why there is no one feed. */
static int
look (struct addition *self, const char *address, struct found *ret_found)
{
    feed_find (&self->cli->settings, address, ret_found);
    if (ret_found->best)
        return 0;
    const char *outcome = ret_found->count ? "ambiguous" : "no feed";
    json_array_append_new (self->told, json_pack ("{s:s, s:s, s:s?, s:o}", "outcome", outcome, "url", address, "reason",
                                                  ret_found->count ? NULL : ret_found->reason, "feeds",
                                                  found_value (ret_found)));
    if (!ret_found->count)
        cli_say ("%s; --no-check adds an address as it is", ret_found->reason);
    else {
        cli_say ("%s has several feeds; name the one you want", address);
        if (!self->cli->json)
            print_found (ret_found);
    }
    return ret_found->count ? EXIT_AMBIGUOUS : 1;
}

static int
store (struct addition *self, struct mill *mill, const char *url, const struct found *found)
{
    static const char *const outcomes[] = { [FEEDS_ADDED] = "added", [FEEDS_KNOWN] = "known already:",
                                            [FEEDS_SWITCHED_ON] = "switched on again:" };
    const char *title = found->best ? found->best->title : NULL;
    struct opml opml = { 0 };
    struct opml_feed *feed = opml_add (&opml, url, self->title);
    enum feeds_added added;
    for (size_t n; self->tags && *self->tags; self->tags += n + (self->tags[n] != '\0')) {
        n = strcspn (self->tags, ",");
        opml_add_tag (feed, self->tags, n);
    }
    int r = feeds_add (mill_db (mill), feed, title, &added) < 0 ? failed (mill, "cannot add the feed") : 0;
    if (r == 0)
        tell (self, outcomes[added], url, self->title ? self->title : title, found);
    opml_fini (&opml);
    return r;
}

static int
add_one (struct addition *self, const char *address)
{
    struct found found = { 0 };
    struct mill *mill;
    char *url = opml_web_address (address);
    if (self->no_check && !url) {
        cli_say ("\"%s\" is no http:// or https:// address", address);
        return EXIT_USAGE;
    }
    int r = self->no_check ? 0 : look (self, url ? url : address, &found);
    r = r ? r : mill_borrow_database (self->cli, &mill);
    if (r == 0)
        r = mill_close (&mill, store (self, mill, found.best ? found.best->url : url, &found));
    found_fini (&found);
    free (url);
    return r;
}

static int
feed_add (struct cli *cli, int argc, char **argv)
{
    struct addition self = { .cli = cli };
    const struct cli_option options[] = { { .name = "title", .text = &self.title },
                                          { .name = "tag", .text = &self.tags },
                                          { .name = "no-check", .flag = &self.no_check } };
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 1, INT_MAX), worst = 0;
    if (r == 0 && self.title && argc > 2)
        r = cli_usage (argv[0], "--title goes with one address");
    for (int i = 1; i < argc && r == 0; i++)
        if (strchr (argv[i], ':') && !is_web_scheme (argv[i])) {
            cli_say ("\"%s\" is no http:// or https:// address", argv[i]);
            r = EXIT_USAGE;
        }
    r = r ? r : cli_load_live (cli);
    if (r)
        return r;
    self.told = json_array ();
    for (int i = 1; i < argc && worst <= EXIT_AMBIGUOUS; i++) {
        r = add_one (&self, argv[i]);
        worst = MAX_OF (worst, r);
    }
    if (cli->json)
        cli_print_json (self.told);
    json_decref (self.told);
    return worst;
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
import (struct cli *cli, const char *place, const struct opml *opml)
{
    struct mill *mill;
    int64_t added = 0;
    int r = mill_borrow_database (cli, &mill);
    if (r)
        return r;
    r = feeds_import (mill_db (mill), opml, &added) < 0 ? failed (mill, "cannot store the feeds") : 0;
    r = mill_close (&mill, r);
    if (r == 0)
        printf ("%zu feeds in %s, %" PRId64 " of them new\n", opml->count, place, added);
    if (r == 0 && opml->skipped)
        cli_say ("left out %zu that name no feed on the web, the first in line %ld: \"%s\"", opml->skipped,
                 opml->skipped_line, opml->skipped_url);
    return r;
}

/* As the mill does when it starts: see mill_import. */
static int
import_as_start (struct cli *cli)
{
    struct mill *mill;
    int r = mill_borrow_database (cli, &mill);
    return r ? r : mill_close (&mill, mill_import (mill));
}

static int
feed_import (struct cli *cli, int argc, char **argv)
{
    char reason[FEEDS_REASON_SIZE];
    struct opml opml;
    bool as_start = false;
    const struct cli_option options[] = { { .name = "as-start", .flag = &as_start } };
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 0, 1);
    r = r ? r : as_start && argc > 1 ? cli_usage (argv[0], "--as-start takes what feeds.opml names") : cli_load_live (cli);
    if (r || as_start)
        return r ? r : import_as_start (cli);
    char *place = argc > 1 ? mem_dup (argv[1]) : place_file (PLACE_FEEDS);
    if ((r = feeds_read (&cli->settings, place, &opml, reason)) < 0) {
        cli_say ("%s", reason);
        r = r == -EIO ? EXIT_TEMP : 1;
    } else {
        if (*reason)
            cli_say ("%s", reason);
        r = import (cli, place, &opml);
        opml_fini (&opml);
    }
    free (place);
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
        { "import", feed_import }, { "export", feed_export }, { "parse", feed_parse_file },
        { "check", feed_check },   { "enable", feed_enable }, { "disable", feed_disable },
        { "set", feed_set },
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
