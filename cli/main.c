/* newsmill - the operator's tool. This file is the table of subcommands and the options all of
 * them take; each subcommand is a file of its own. See newsmill.1.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct command commands[] = {
    { "up", "[--demo] [--summarizers N] [--chunkers N] [--embedders N] [--writers N]",
      "run the whole mill on this machine until Ctrl-C", cmd_up },
    { "run", "--once [--demo]", "do one run and print its JobRun; exit 0 on SUCCESS, 1 on FAILED",
      cmd_run },
    { "status", "[--json]", "how the mill is doing", cmd_status },
    { "trigger", "[--json]", "start a run now, or join the one in progress", cmd_trigger },
    { "runs", "[ID] [--limit N] [--json]", "the latest runs, or one of them in detail", cmd_runs },
    { "sources", "[--json]", "the feeds and their health", cmd_sources },
    { "workers", "[--json]", "who is alive and what it holds", cmd_workers },
    { "watch", "[--json]", "the run in progress, live", cmd_watch },
    { "feed", "add URL... [--title TITLE] [--tag TAG,...] [--no-check] | remove URL... | enable URL... | disable URL... |"
      " set URL [--full-text auto|always|never] [--rules RULES] [--agent TEXT] | list | import [OPML | --as-start] | export |"
      " parse FILE [--url URL] [--content-type TYPE] | check URL; [--json]",
      "manage the feeds, or look at one", cmd_feed },
    { "extract", "FILE [--url URL] [--content-type TYPE] [--rules RULES] [--json]", "print the article on an HTML page",
      cmd_extract },
    { "dead", "list | show ID | replay ID...|all | drop ID...|all", "articles that were given up",
      cmd_dead },
    { "model", "pull [SOURCE] [--force] | show [--json] | serve [--listen ADDRESS] [--port N] [--threads N]",
      "the local embedding model: fetch its weights, serve it", cmd_model },
    { "keys", "init | issue ROLE[,ROLE...] [--name NAME] | list | revoke NAME",
      "certificates for links that leave the machine", cmd_keys },
    { "healthcheck", "[--http]", "whether the process of this container or unit is well", cmd_healthcheck },
    { "config", "check | show [--json]", "check or show the settings", cmd_config },
    { "db", "migrate", "bring the database up to date", cmd_db },
    { "help", "[COMMAND]", "this list, or more about a command", cmd_help },
    { "version", "[--json]", "print the version", cmd_version },
};

const struct command *
cli_commands (size_t *ret_count)
{
    *ret_count = COUNT_OF (commands);
    return commands;
}

static const struct command *
find (const char *name)
{
    for (size_t i = 0; i < COUNT_OF (commands); i++)
        if (strcmp (commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Edits (insert, delete, replace) that turn a into b: Levenshtein's distance, two rows at a
 * time. */
static size_t
distance (const char *a, const char *b)
{
    size_t row[64], width = MIN_OF (strlen (b), COUNT_OF (row) - 1);
    for (size_t j = 0; j <= width; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < width; j++) {
            size_t above = row[j + 1], replace = corner + (a[i] != b[j]);
            row[j + 1] = MIN_OF (MIN_OF (above, row[j]) + 1, replace);
            corner = above;
        }
    }
    return row[width];
}

static int
unknown_command (const char *name)
{
    const struct command *best = NULL;
    size_t least = 3; /* further off than two edits is no slip of the fingers */
    for (size_t i = 0; i < COUNT_OF (commands); i++) {
        size_t d = strncmp (commands[i].name, name, strlen (name)) == 0
                       ? 0
                       : distance (name, commands[i].name);
        if (d < least) {
            least = d;
            best = &commands[i];
        }
    }
    if (best)
        cli_say ("no command \"%s\"; did you mean `newsmill %s`?", name, best->name);
    else
        cli_say ("no command \"%s\"; `newsmill help` lists them", name);
    return EXIT_USAGE;
}

/* -o section.name=value: the environment is where children look too. */
static int
set_option (const char *pair)
{
    if (conf_set_option (pair) == 0)
        return 0;
    cli_say (
        "-o wants section.name=value of a setting, not \"%s\"; `newsmill config show` lists them",
        pair);
    return EXIT_USAGE;
}

static int
set_file (const char *path)
{
    if (access (path, R_OK) != 0) {
        cli_say ("cannot read the settings file %s: %s", path, strerror (errno));
        return EXIT_USAGE;
    }
    setenv ("NEWSMILL_CONF", path, 1);
    return 0;
}

/* Takes what every command understands out of argv, wherever it stands before a "--". */
static int
take_common (struct cli *cli, int *argc, char **argv)
{
    int left = 1, r = 0;
    bool options = true;
    for (int i = 1; r == 0 && i < *argc; i++) {
        const char *arg = argv[i];
        bool valued = options && (strcmp (arg, "-c") == 0 || strcmp (arg, "-o") == 0);
        if (valued && i + 1 == *argc) {
            cli_say ("option %s wants a value", arg);
            return EXIT_USAGE;
        }
        if (strcmp (arg, "--") == 0)
            options = false;
        if (valued)
            r = arg[1] == 'c' ? set_file (argv[++i]) : set_option (argv[++i]);
        else if (options && strcmp (arg, "--json") == 0)
            cli->json = true;
        else if (options && strcmp (arg, "--demo") == 0)
            cli->demo = true;
        else
            argv[left++] = argv[i];
    }
    argv[left] = NULL;
    *argc = left;
    return r;
}

static bool
is_one_of (const char *arg, const char *letter, const char *word)
{
    return strcmp (arg, letter) == 0 || strcmp (arg, word) == 0;
}

int
main (int argc, char **argv)
{
    struct cli cli;
    memset (&cli, 0, sizeof cli);
    setlocale (LC_CTYPE, "C.UTF-8"); /* widths of letters; nothing else depends on the locale */
    signal (SIGPIPE, SIG_IGN);
    log_init ("newsmill", false);
    int r = take_common (&cli, &argc, argv);
    if (r)
        return r;
    if (argc < 2 || is_one_of (argv[1], "-h", "--help"))
        return cmd_help (&cli, 1, argv);
    if (is_one_of (argv[1], "-V", "--version"))
        return cmd_version (&cli, 1, argv);
    const struct command *command = find (argv[1]);
    if (!command)
        return unknown_command (argv[1]);
    if (argc == 3 && is_one_of (argv[2], "-h", "--help"))
        return cmd_help (&cli, 2, argv);
    r = command->run (&cli, argc - 1, argv + 1);
    if (fflush (stdout) != 0 || ferror (stdout)) {
        cli_say ("cannot write the output");
        return r ? r : EXIT_TEMP;
    }
    return r;
}
