/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_set.h"
#include "cli/mill.h"
#include "page/page.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* Whoever mistypes an address wants to see the right one. */
static void
suggest (struct mill *mill, const char *url)
{
    const char *host = strstr (url, "://");
    host = host ? host + 3 : url;
    char *part = mem_copy (host, strcspn (host, "/"));
    PGresult *near = db_query (mill_db (mill), "SELECT url FROM \"Source\" WHERE strpos (lower (url), lower ($1)) > 0"
                               " OR strpos (lower (title), lower ($1)) > 0 ORDER BY id LIMIT 3", DB_VALUES (part));
    for (int row = 0; near && row < PQntuples (near); row++)
        cli_say ("perhaps you mean %s", db_text (near, row, 0));
    PQclear (near);
    free (part);
}

/* 0, 1 where there is no such feed, or EXIT_TEMP. */
static int
change (struct mill *mill, const char *url, const char *sql, size_t count, const char *const *values)
{
    int64_t rows = 0;
    if (db_run (mill_db (mill), &rows, sql, count, values) < 0) {
        cli_say ("cannot change the feed: %s", db_error (mill_db (mill)));
        return EXIT_TEMP;
    }
    if (rows)
        return 0;
    cli_say ("there is no feed %s; `newsmill feed list` shows them", url);
    suggest (mill, url);
    return 1;
}

static int
change_each (struct cli *cli, int argc, char **argv, const char *sql, const char *done)
{
    struct mill *mill;
    int r = cli_parse (&argc, argv, NULL, 0, 1, INT_MAX), worst = 0;
    r = r ? r : mill_borrow_database (cli, &mill);
    if (r)
        return r;
    for (int i = 1; i < argc && worst <= 1; i++) {
        r = change (mill, argv[i], sql, DB_VALUES (argv[i]));
        if (r == 0)
            printf ("%s %s\n", done, argv[i]);
        worst = MAX_OF (worst, r);
    }
    return mill_close (&mill, worst);
}

int
feed_enable (struct cli *cli, int argc, char **argv)
{
    return change_each (cli, argc, argv, "UPDATE \"Source\" SET enabled = TRUE, \"disabledReason\" = NULL, failures = 0,"
                        " \"lastError\" = NULL, \"nextDueAt\" = " DB_NOW " WHERE url = $1", "switched on:");
}

int
feed_disable (struct cli *cli, int argc, char **argv)
{
    return change_each (cli, argc, argv, "UPDATE \"Source\" SET enabled = FALSE, \"disabledReason\" = NULL WHERE url = $1",
                        "switched off:");
}

int
feed_remove (struct cli *cli, int argc, char **argv)
{
    int r = change_each (cli, argc, argv, "DELETE FROM \"Source\" WHERE url = $1", "removed, its articles stay:");
    if (r == 0 && *cli->settings.feeds_opml)
        cli_say ("what %s (feeds.opml) still names comes back at the next start", cli->settings.feeds_opml);
    return r;
}

/* ---- set ---- */

struct choice {
    const char *full_text, *rules, *agent; /* NULL: stays as it is; "": as for all others */
};

static int
check (const struct choice *choice)
{
    static const char *const known[] = { "", "auto", "always", "never" };
    bool fits = !choice->full_text;
    for (size_t i = 0; i < COUNT_OF (known) && !fits; i++)
        fits = strcmp (choice->full_text, known[i]) == 0;
    if (!fits)
        return cli_usage ("feed", "--full-text is auto, always, never, or \"\" for the setting's");
    for (const char *p = choice->agent; p && *p; p++)
        if ((unsigned char) *p < 0x20 || (unsigned char) *p >= 0x7f)
            return cli_usage ("feed", "--agent is printable ASCII");
    char reason[PAGE_REASON_SIZE];
    if (choice->rules && *choice->rules && page_rules_check (choice->rules, reason) < 0) {
        cli_say ("--rules: %s", reason);
        return EXIT_USAGE;
    }
    return choice->full_text || choice->rules || choice->agent
               ? 0 : cli_usage ("feed", "set wants --full-text, --rules or --agent");
}

int
feed_set (struct cli *cli, int argc, char **argv)
{
    struct choice choice = { 0 };
    const struct cli_option options[] = { { .name = "full-text", .text = &choice.full_text },
                                          { .name = "rules", .text = &choice.rules },
                                          { .name = "agent", .text = &choice.agent } };
    struct mill *mill;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 1, 1);
    r = r ? r : check (&choice);
    r = r ? r : mill_borrow_database (cli, &mill);
    if (r)
        return r;
    r = change (mill, argv[1], "UPDATE \"Source\" SET"
                " \"fullText\" = CASE WHEN $2::text IS NULL THEN \"fullText\" ELSE nullif ($2, '') END,"
                " \"pageRules\" = CASE WHEN $3::text IS NULL THEN \"pageRules\" ELSE nullif ($3, '') END,"
                " \"userAgent\" = CASE WHEN $4::text IS NULL THEN \"userAgent\" ELSE nullif ($4, '') END WHERE url = $1",
                DB_VALUES (argv[1], choice.full_text, choice.rules, choice.agent));
    if (r == 0)
        printf ("set: %s\n", argv[1]);
    return mill_close (&mill, r);
}
