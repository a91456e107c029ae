/* newsmill watch - the run in progress, once a second: bars on a terminal, else a line a second.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVERY_MS 1000
#define BAR_MOST 40
#define LABEL_WIDTH 12

static const char *const stages[] = { "summarizer", "chunker", "embedder", "writer" };

struct watch {
    struct cli *cli;
    int signals;
    bool screen;  /* redraw in place */
    size_t drawn; /* lines on the screen */
};

/* ---- drawing ---- */

static void
add_bar (struct buf *out, const char *label, int64_t done, int64_t total, const char *note,
         size_t width)
{
    size_t bar =
        MIN_OF (width > LABEL_WIDTH + 30 ? width - LABEL_WIDTH - 30 : 10, (size_t) BAR_MOST);
    double part = total > 0 ? MIN_OF ((double) done / (double) total, 1.0) : 0;
    size_t full = (size_t) (part * (double) bar);
    struct buf line = { 0 };
    buf_printf (&line, "%-*s ", LABEL_WIDTH, label);
    for (size_t i = 0; i < bar; i++)
        buf_add_str (&line, i < full ? "\xe2\x96\x88" : "\xe2\x96\x91");
    buf_printf (&line, " %" PRId64 "/%" PRId64 "%s", done, total, note);
    table_fit (out, line.data, width, TABLE_LEFT, false);
    buf_add_char (out, '\n');
    buf_fini (&line);
}

static void
add_line (struct buf *out, const char *text, size_t width)
{
    table_fit (out, text, width, TABLE_LEFT, false);
    buf_add_char (out, '\n');
}

/* All articles that this run has to do with: each passes every stage. */
static int64_t
article_total (const json_t *run)
{
    return cli_int (run, "done") + cli_int (run, "pending") + cli_int (run, "leased");
}

static void
draw_run (struct buf *out, const json_t *run, size_t width)
{
    char span[CLI_SPAN_SIZE], line[160], note[64];
    const json_t *counts = json_object_get (run, "stages");
    int64_t total = article_total (run);
    snprintf (line, sizeof line, "run %s, %s, %" PRId64 " new articles, %" PRId64 " dead",
              cli_text (run, "id"), cli_span (json_object_get (run, "elapsedMs"), span),
              cli_int (run, "intake"), cli_int (run, "dead"));
    add_line (out, line, width);
    add_bar (out, "feeds", cli_int (run, "sourcesDone"), cli_int (run, "sourcesTotal"), "", width);
    for (size_t i = 0; i < COUNT_OF (stages); i++) {
        const json_t *count = json_object_get (counts, stages[i]);
        int64_t failed = cli_int (count, "failed");
        int n = snprintf (note, sizeof note, ", holds %" PRId64, cli_int (count, "held"));
        if (failed)
            snprintf (note + n, sizeof note - (size_t) n, ", %" PRId64 " failed", failed);
        add_bar (out, stages[i], cli_int (count, "done"), total, note, width);
    }
}

static void
draw_idle (struct buf *out, const json_t *status, size_t width)
{
    const json_t *last = json_object_get (status, "lastRun");
    char ago[CLI_SPAN_SIZE], span[CLI_SPAN_SIZE], line[512];
    if (json_is_object (last))
        snprintf (
            line, sizeof line,
            "no run in progress; the last one, %s ago: %s, %" PRId64 " articles, %" PRId64
            " embeddings in %s %s",
            cli_span (json_object_get (last, "timeSinceLastRunMs"), ago), cli_text (last, "status"),
            cli_int (last, "articlesProcessed"), cli_int (last, "embeddingsCreated"),
            cli_span (json_object_get (last, "durationMs"), span), cli_text (last, "errorMessage"));
    else
        snprintf (line, sizeof line, "no run yet");
    add_line (out, line, width);
}

static void
plain_run (struct buf *out, const json_t *run)
{
    const json_t *counts = json_object_get (run, "stages");
    buf_printf (out,
                "run %s elapsed_ms=%" PRId64 " feeds=%" PRId64 "/%" PRId64 " new=%" PRId64
                " done=%" PRId64 " pending=%" PRId64 " leased=%" PRId64 " dead=%" PRId64,
                cli_text (run, "id"), cli_int (run, "elapsedMs"), cli_int (run, "sourcesDone"),
                cli_int (run, "sourcesTotal"), cli_int (run, "intake"), cli_int (run, "done"),
                cli_int (run, "pending"), cli_int (run, "leased"), cli_int (run, "dead"));
    for (size_t i = 0; i < COUNT_OF (stages); i++)
        buf_printf (out, " %s=%" PRId64, stages[i],
                    cli_int (json_object_get (counts, stages[i]), "done"));
    buf_add_char (out, '\n');
}

/* ---- the loop ---- */

static void
show (struct watch *self, const struct buf *text)
{
    if (self->screen && self->drawn)
        printf ("\033[%zuA\033[J", self->drawn); /* up to where it began, and clear from there */
    fputs (text->data, stdout);
    fflush (stdout);
    self->drawn = 0;
    for (const char *p = text->data; *p; p++)
        self->drawn += *p == '\n';
}

static int
ask (struct watch *self, const char *op, json_t **ret_reply, char reason[CLIENT_REASON_SIZE])
{
    return client_ask (&self->cli->settings, CLIENT_TIMEOUT_MS,
                       client_request (op), ret_reply, reason);
}

static void
draw (struct watch *self, struct buf *out)
{
    char reason[CLIENT_REASON_SIZE] = "";
    json_t *reply = NULL, *status = NULL;
    size_t width = table_terminal_width ();
    if (!width && self->screen)
        width = 80;
    if (ask (self, "progress", &reply, reason) < 0)
        add_line (out, reason, width);
    else if (self->cli->json) {
        char *text = json_dumps (reply, JSON_COMPACT);
        buf_printf (out, "%s\n", text);
        free (text);
    } else if (json_is_object (json_object_get (reply, "run"))) {
        if (self->screen)
            draw_run (out, json_object_get (reply, "run"), width);
        else
            plain_run (out, json_object_get (reply, "run"));
    } else if (ask (self, "status", &status, reason) < 0)
        add_line (out, reason, width);
    else
        draw_idle (out, status, width);
    json_decref (reply);
    json_decref (status);
}

/* True when it is time for the next look, false when asked to stop. */
static bool
wait_turn (const struct watch *self)
{
    struct pollfd poll_fd = { self->signals, POLLIN, 0 };
    return poll (&poll_fd, 1, EVERY_MS) == 0;
}

int
cmd_watch (struct cli *cli, int argc, char **argv)
{
    struct watch self = { .cli = cli, .screen = isatty (STDOUT_FILENO) && !cli->json };
    json_t *first;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : cli_ask (cli, client_request ("progress"), &first); /* says so if no mill runs */
    if (r)
        return r;
    json_decref (first);
    sigset_t set;
    sigemptyset (&set);
    sigaddset (&set, SIGINT);
    sigaddset (&set, SIGTERM);
    sigprocmask (SIG_BLOCK, &set, NULL);
    self.signals = signalfd (-1, &set, SFD_CLOEXEC);
    struct buf out = { 0 };
    do {
        buf_clear (&out);
        draw (&self, &out);
        show (&self, &out);
    } while (!ferror (stdout) && wait_turn (&self));
    buf_fini (&out);
    close (self.signals);
    return 0;
}
