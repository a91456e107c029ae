/* cli - what the subcommands of `newsmill` share: the command table, options, settings, the
 * running mill.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/base.h"
#include "conf/conf.h"
#include "db/db.h"

#include <jansson.h>

struct cli {
    struct settings base;     /* as configured */
    struct settings settings; /* of the mill that is meant: after cli_load */
    bool base_loaded, loaded;
    bool json; /* --json */
    bool demo; /* --demo */
};

struct command {
    const char *name, *arguments, *help;
    /* argv[0]: the command's name. Returns the exit code. */
    int (*run) (struct cli *cli, int argc, char **argv);
};
const struct command *cli_commands (size_t *ret_count);

/* ---- messages: "newsmill: ..." on standard error ---- */

void cli_say (const char *format, ...) PRINTF_LIKE (1, 2);
/* Says what is wrong and how the command is used. Returns EXIT_USAGE. */
int cli_usage (const char *command, const char *format, ...) PRINTF_LIKE (2, 3);

/* ---- options of a command: --name, --name VALUE, --name=VALUE ---- */

struct cli_option {
    const char *name; /* without the dashes */
    bool *flag;       /* one of these three says what the option sets */
    const char **text;
    int64_t *number;
    int64_t least, most; /* of number */
};
/* Takes the options out of argv, so that the command's name and the operands are left. 0, or
 * EXIT_USAGE after it said what is wrong. least, most: number of operands. */
MUST_CHECK int cli_parse (int *argc, char **argv, const struct cli_option *options, size_t count,
                          int least, int most);

/* ---- settings and the mill ---- */

/* Reads the settings, for the demo mill if --demo was given; makes the environment so that child
 * processes read the same ones. 0, or EXIT_USAGE after it reported every fault. */
MUST_CHECK int cli_load (struct cli *cli);
/* The same, but where no mill runs and the demo's does, that one is meant (and it says so). */
MUST_CHECK int cli_load_live (struct cli *cli);
/* cli_load_live, then asks the collector and checks the reply. request: taken. *ret_reply: given
 * (json_decref). 0, or the exit code after it said what failed. */
MUST_CHECK int cli_ask (struct cli *cli, json_t *request, json_t **ret_reply);

/* ---- output ---- */

void cli_print_json (const json_t *document); /* indented, and a newline */
/* Text of a member, "" when absent or null. Borrowed. */
const char *cli_text (const json_t *object, const char *key);
int64_t cli_int (const json_t *object, const char *key);
/* "3.2 s", "15 ms", "2 h 5 min"; "" for null. out: returned */
#define CLI_SPAN_SIZE 32
const char *cli_span (const json_t *ms, char out[CLI_SPAN_SIZE]);
/* "2025-11-17 02:40:00" of an RFC 3339 time, "never" for null. */
const char *cli_when (const json_t *time, char out[CLOCK_TEXT_SIZE]);
/* Reads a file, "-" for standard input. 0; -EFBIG past most; or the error. given (buf_fini) */
MUST_CHECK int cli_read_file (const char *path, size_t most, struct buf *out);

/* ---- the subcommands ---- */

int cmd_up (struct cli *cli, int argc, char **argv);
int cmd_run (struct cli *cli, int argc, char **argv);
int cmd_status (struct cli *cli, int argc, char **argv);
int cmd_trigger (struct cli *cli, int argc, char **argv);
int cmd_runs (struct cli *cli, int argc, char **argv);
int cmd_sources (struct cli *cli, int argc, char **argv);
int cmd_workers (struct cli *cli, int argc, char **argv);
int cmd_watch (struct cli *cli, int argc, char **argv);
int cmd_feed (struct cli *cli, int argc, char **argv);
int cmd_extract (struct cli *cli, int argc, char **argv);
int cmd_dead (struct cli *cli, int argc, char **argv);
int cmd_model (struct cli *cli, int argc, char **argv);
int cmd_keys (struct cli *cli, int argc, char **argv);
int cmd_healthcheck (struct cli *cli, int argc, char **argv);
int cmd_config (struct cli *cli, int argc, char **argv);
int cmd_db (struct cli *cli, int argc, char **argv);
int cmd_help (struct cli *cli, int argc, char **argv);
int cmd_version (struct cli *cli, int argc, char **argv);

#endif
