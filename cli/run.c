/* newsmill run --once - one run, from start to stop, and its JobRun as JSON. Where a mill runs
 * already, the run is done there.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/mill.h"
#include "cli/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define POLL_MS 100
#define ASK_MS 1000
#define START_MS 60000   /* for the collector to answer */
#define SILENCE_MS 60000 /* the longest it may not answer in between */

struct once {
    struct cli *cli;
    struct supervisor *supervisor; /* NULL: the mill is another one's */
    char *id;
    json_t *run; /* closed */
};

/* Waits; false when a stop was asked for. */
static bool
pause_for (const struct once *self, int ms)
{
    if (self->supervisor)
        return supervisor_wait (self->supervisor, ms);
    struct timespec span = { ms / 1000, ms % 1000 * 1000000L };
    /* Nobody tells us when a run in another mill is over: asking again is all there is. */
    nanosleep (&span, NULL);
    return true;
}

/* 0 with a reply; else what client_ask says. */
static int
ask (const struct once *self, json_t *request, json_t **ret_reply, char reason[CLIENT_REASON_SIZE])
{
    return client_ask (&self->cli->settings, ASK_MS, request, ret_reply, reason);
}

static int
trigger (struct once *self)
{
    char reason[CLIENT_REASON_SIZE] = "";
    int64_t until = clock_mono_ms () + START_MS;
    json_t *reply = NULL;
    /* An error is an answer, but one that passes: the collector may still wait for its database
     * or its lock. */
    while (ask (self, client_request ("trigger"), &reply, reason) < 0) {
        if (!pause_for (self, POLL_MS))
            return EXIT_TEMP;
        if (clock_mono_ms () > until) {
            cli_say ("no run could be started: %s", reason);
            return EXIT_TEMP;
        }
    }
    self->id = mem_dup (cli_text (reply, "run"));
    json_decref (reply);
    return 0;
}

static bool
is_closed (const json_t *run)
{
    return json_is_string (json_object_get (run, "completedAt"));
}

static int
wait_for_end (struct once *self)
{
    char reason[CLIENT_REASON_SIZE] = "";
    int64_t heard_ms = clock_mono_ms ();
    for (;;) {
        json_t *reply = NULL;
        if (ask (self, json_pack ("{s:s, s:s}", "op", "run", "id", self->id), &reply, reason)
            == 0) {
            json_t *run = json_object_get (reply, "run");
            if (is_closed (run))
                self->run = json_incref (run);
            json_decref (reply);
            heard_ms = clock_mono_ms ();
            if (self->run)
                return 0;
        }
        if (!pause_for (self, POLL_MS))
            return EXIT_TEMP;
        if (clock_mono_ms () - heard_ms > SILENCE_MS) {
            cli_say ("run %s is not over, and the collector no longer answers: %s", self->id,
                     reason);
            return EXIT_TEMP;
        }
    }
}

static int
do_run (struct once *self)
{
    int r = trigger (self);
    return r ? r : wait_for_end (self);
}

static int
run_own (struct once *self, struct mill *mill)
{
    const struct mill_scale scale = { 1, 1, 1, 1 };
    int applied, r = mill_start_database (mill);
    r = r ? r : mill_migrate (mill, &applied);
    r = r ? r : mill_import (mill);
    r = r ? r : mill_start_processes (mill, &scale, false);
    r = r ? r : do_run (self);
    return r;
}

static int
report (const struct once *self)
{
    json_t *run = json_copy (self->run);
    json_object_del (run, "sources"); /* `newsmill runs ID` shows them */
    cli_print_json (run);
    json_decref (run);
    return strcmp (cli_text (self->run, "status"), "SUCCESS") == 0 ? 0 : 1;
}

int
cmd_run (struct cli *cli, int argc, char **argv)
{
    bool is_once = false;
    const struct cli_option options[] = { { .name = "once", .flag = &is_once } };
    struct once self = { .cli = cli };
    struct mill *mill = NULL;
    int64_t holder = 0;
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 0, 0);
    if (r == 0 && !is_once)
        r = cli_usage (argv[0], "--once is missing; `newsmill up` runs until it is stopped");
    r = r ? r : cli_load (cli);
    if (r)
        return r;
    if (!model_for_mill (cli))
        return EXIT_TEMP;
    r = mill_open (cli, &mill, &holder);
    if (r == EXIT_TEMP && holder) {
        cli_say ("a mill is running in %s: the run is done there", cli->settings.data_dir);
        r = do_run (&self);
    } else if (r == 0) {
        self.supervisor = mill_supervisor (mill);
        r = run_own (&self, mill);
        r = mill_close (&mill, r);
    }
    if (r == 0)
        r = self.run ? report (&self) : EXIT_TEMP;
    json_decref (self.run);
    free (self.id);
    return r;
}
