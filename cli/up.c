/* newsmill up - the whole mill on this machine: a process a stage, supervised, and a private
 * database where none is named. Ctrl-C lets the run in progress finish.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/mill.h"
#include "cli/model.h"
#include "cli/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCALE_MOST 64
#define PORT_MS 5000

static int
already_running (const struct cli *cli, int64_t holder)
{
    cli_say ("a mill is running in %s already (process %" PRId64
             "): `newsmill status` shows it; stop it first, or "
             "choose another data.dir (NEWSMILL_DATA_DIR)",
             cli->settings.data_dir, holder);
    return EXIT_TEMP;
}

/* With http.port = 0 the gateway says in a file which port it got. given (free); NULL: not in
 * time */
static char *
chosen_port (const struct cli *cli, struct mill *mill)
{
    char *path = mem_printf ("%s/run/http.port", cli->settings.data_dir);
    struct buf text = { 0 };
    for (int64_t until = clock_mono_ms () + PORT_MS; !text.len && clock_mono_ms () < until;)
        if (cli_read_file (path, 16, &text) < 0 && !supervisor_wait (mill_supervisor (mill), 50))
            break;
    free (path);
    if (!text.len)
        return NULL;
    text.data[strcspn (text.data, "\n")] = '\0';
    return buf_take (&text);
}

static void
banner (const struct cli *cli, struct mill *mill)
{
    char *port = cli->settings.http_port ? mem_printf ("%" PRId64, cli->settings.http_port)
                                         : chosen_port (cli, mill);
    const struct settings *s = &cli->settings;
    const char *host = strcmp (s->http_address, "0.0.0.0") == 0 ? "127.0.0.1" : s->http_address;
    const char *demo = cli->demo ? " --demo" : "";
    bool local = strcmp (s->model_base_url, "local") == 0;
    printf ("\nnewsmill " NEWSMILL_VERSION " is running.\n\n");
    if (port)
        printf ("  status     http://%s:%s/api/job-status\n", host, port);
    printf ("             newsmill status%s, newsmill watch%s\n", demo, demo);
    printf ("  models     %s\n",
            local ? "local: built in, no key and no network needed (model.base_url names a server)"
                  : s->model_base_url);
    printf ("  database   %s\n",
            mill_is_private (mill) ? "private, in the data folder" : "the one of database.url");
    printf ("  data       %s\n", s->data_dir);
    printf ("  stop       Ctrl-C: the run in progress may finish (up to 30 s); twice to hurry\n\n");
    fflush (stdout);
    free (port);
}

static int
start_all (struct cli *cli, struct mill *mill, const struct mill_scale *scale)
{
    int applied = 0, r = mill_start_database (mill);
    r = r ? r : mill_migrate (mill, &applied);
    r = r ? r : mill_import (mill);
    r = r ? r : mill_start_processes (mill, scale, true);
    if (r)
        return r;
    if (applied)
        log_info ("database brought up to date, migrations=%d", applied);
    banner (cli, mill);
    return 0;
}

int
cmd_up (struct cli *cli, int argc, char **argv)
{
    struct mill_scale scale = { 1, 1, 1, 1 };
    const struct cli_option options[] = {
        { .name = "summarizers", .number = &scale.summarizers, .least = 0, .most = SCALE_MOST },
        { .name = "chunkers", .number = &scale.chunkers, .least = 0, .most = SCALE_MOST },
        { .name = "embedders", .number = &scale.embedders, .least = 0, .most = SCALE_MOST },
        { .name = "writers", .number = &scale.writers, .least = 0, .most = SCALE_MOST },
    };
    struct mill *mill = NULL;
    int64_t holder = 0;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 0, 0);
    r = r ? r : cli_load (cli);
    if (r)
        return r;
    if (!model_for_mill (cli))
        return 0; /* stopped as asked */
    r = mill_open (cli, &mill, &holder);
    if (r == EXIT_TEMP && holder)
        return already_running (cli, holder);
    if (r)
        return r;
    r = start_all (cli, mill, &scale);
    /* Stopped while it was still starting is stopped as asked. */
    if (supervisor_is_stopping (mill_supervisor (mill)))
        r = 0;
    if (r == 0)
        r = supervisor_finish (mill_supervisor (mill));
    return mill_close (&mill, r);
}
