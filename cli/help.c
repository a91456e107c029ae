/* newsmill help and newsmill version.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

static const char common[] =
    "Options of every command:\n"
    "  -c FILE              settings file (else NEWSMILL_CONF, ./newsmill.conf, "
    "/etc/newsmill/newsmill.conf)\n"
    "  -o section.key=VALUE one setting\n"
    "  --demo               the demo's mill, with a data folder and feeds of its own\n"
    "  --json               print JSON\n";

static void
print_all (void)
{
    size_t count;
    const struct command *commands = cli_commands (&count);
    puts ("newsmill " NEWSMILL_VERSION
          " - reads news feeds into PostgreSQL: summarised, chunked, embedded.\n\n"
          "usage: newsmill COMMAND ...\n");
    for (size_t i = 0; i < count; i++)
        printf ("  %-11s %s\n", commands[i].name, commands[i].help);
    printf ("\n%s\nBegin with `newsmill up --demo`. `newsmill help COMMAND` says how one is used; "
            "newsmill(1) tells all.\n"
            "Exit codes: 0 done, 1 the answer is no, 100 wrong usage or settings, 111 something "
            "outside failed.\n",
            common);
}

int
cmd_help (struct cli *cli UNUSED, int argc, char **argv)
{
    if (argc < 2) {
        print_all ();
        return 0;
    }
    size_t count;
    const struct command *commands = cli_commands (&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp (commands[i].name, argv[1]) == 0) {
            printf ("newsmill %s - %s\n\nusage: newsmill %s %s\n\n%s", argv[1], commands[i].help,
                    argv[1], commands[i].arguments, common);
            return 0;
        }
    return cli_usage (argc > 1 ? "help" : argv[0], "no command \"%s\"", argv[1]);
}

int
cmd_version (struct cli *cli, int argc UNUSED, char **argv UNUSED)
{
    puts (cli->json ? "{\"version\": \"" NEWSMILL_VERSION "\"}" : "newsmill " NEWSMILL_VERSION);
    return 0;
}
