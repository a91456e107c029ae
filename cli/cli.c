/* What the subcommands share: messages, options, settings, asking the collector, output.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- messages ---- */

static void say (const char *format, va_list args) __attribute__ ((format (printf, 1, 0)));

static void
say (const char *format, va_list args)
{
    fflush (stdout);
    fputs ("newsmill: ", stderr);
    vfprintf (stderr, format, args);
    fputc ('\n', stderr);
}

void
cli_say (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    say (format, args);
    va_end (args);
}

int
cli_usage (const char *name, const char *format, ...)
{
    va_list args;
    va_start (args, format);
    say (format, args);
    va_end (args);
    size_t count;
    const struct command *commands = cli_commands (&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp (commands[i].name, name) == 0)
            fprintf (stderr, "usage: newsmill %s %s\n", name, commands[i].arguments);
    return EXIT_USAGE;
}

/* ---- options ---- */

static int
set_number (const char *command, const struct cli_option *option, const char *value)
{
    if (num_parse (value, option->least, option->most, option->number) == 0)
        return 0;
    return cli_usage (command, "--%s wants a number from %" PRId64 " to %" PRId64 ", not \"%s\"",
                      option->name, option->least, option->most, value);
}

/* at: index of the option in argv; moved on past a value in an argument of its own. */
static int
take_option (int argc, char **argv, int *at, const struct cli_option *options, size_t count)
{
    const char *arg = argv[*at] + 2;
    size_t size = strcspn (arg, "=");
    for (size_t i = 0; i < count; i++) {
        const struct cli_option *option = &options[i];
        if (strlen (option->name) != size || strncmp (arg, option->name, size) != 0)
            continue;
        const char *value = arg[size] ? arg + size + 1 : NULL;
        if (option->flag) {
            *option->flag = true;
            return value ? cli_usage (argv[0], "--%s takes no value", option->name) : 0;
        }
        if (!value && *at + 1 < argc)
            value = argv[++*at];
        if (!value)
            return cli_usage (argv[0], "--%s wants a value", option->name);
        if (option->number)
            return set_number (argv[0], option, value);
        *option->text = value;
        return 0;
    }
    return cli_usage (argv[0], "`newsmill %s` has no option %s", argv[0], argv[*at]);
}

int
cli_parse (int *argc, char **argv, const struct cli_option *options, size_t count, int least,
           int most)
{
    int left = 1;
    bool reading = true;
    for (int i = 1; i < *argc; i++) {
        if (reading && strcmp (argv[i], "--") == 0)
            reading = false;
        else if (reading && argv[i][0] == '-' && argv[i][1] == '-') {
            int r = take_option (*argc, argv, &i, options, count);
            if (r)
                return r;
        } else if (reading && argv[i][0] == '-' && argv[i][1])
            return cli_usage (argv[0], "`newsmill %s` has no option %s", argv[0], argv[i]);
        else
            argv[left++] = argv[i];
    }
    argv[left] = NULL;
    *argc = left;
    if (left - 1 < least)
        return cli_usage (argv[0], "something is missing after `newsmill %s`", argv[0]);
    if (left - 1 > most)
        return cli_usage (argv[0], "too much: \"%s\"", argv[most + 1]);
    return 0;
}

/* ---- settings and the mill ---- */

static int
load (struct settings *ret_settings)
{
    struct buf faults = { 0 };
    int r = conf_load (NULL, ret_settings, &faults);
    if (r < 0)
        fprintf (stderr, "%s", faults.data);
    buf_fini (&faults);
    return r < 0 ? EXIT_USAGE : 0;
}

/* The settings as they are, whichever mill is meant. */
static int
load_base (struct cli *cli)
{
    int r = cli->base_loaded ? 0 : load (&cli->base);
    cli->base_loaded = r == 0;
    return r;
}

int
cli_load (struct cli *cli)
{
    int r = cli->loaded ? 0 : load_base (cli);
    if (r || cli->loaded)
        return r;
    const char *data_dir = cli->base.data_dir;
    char *dir = cli->demo ? mem_printf ("%s/demo", data_dir) : mem_dup (data_dir);
    setenv ("NEWSMILL_DATA_DIR", dir,
            1); /* absolute: a relative one would be read anew by each child */
    if (cli->demo)
        setenv ("NEWSMILL_FETCHER_ALLOW_PRIVATE", "true", 1);
    place_shorten_sockets (&cli->base, dir);
    free (dir);
    r = load (&cli->settings);
    cli->loaded = r == 0;
    if (r == 0)
        log_init ("newsmill", cli->settings.log_debug);
    return r;
}

int
cli_load_live (struct cli *cli)
{
    int r = cli->loaded ? 0 : load_base (cli);
    if (r || cli->loaded)
        return r;
    const char *data_dir = cli->base.data_dir;
    char *demo = mem_printf ("%s/demo", data_dir), *own = mem_printf ("ipc://%s/", data_dir);
    if (!cli->demo && strncmp (cli->base.collector_endpoint, own, strlen (own)) == 0
        && !place_is_live (data_dir) && place_is_live (demo)) {
        cli_say ("no mill runs in %s, but the demo does: using that one", data_dir);
        cli->demo = true;
    }
    free (demo);
    free (own);
    return cli_load (cli);
}

/* Why nobody answered. live: a mill holds the lock. */
static void
say_silence (const struct settings *settings, bool live, const char *reason)
{
    char *run = mem_printf ("%s/run", settings->data_dir);
    if (live)
        cli_say ("%s", reason);
    else if (access (run, X_OK) != 0 && errno == EACCES)
        cli_say ("%s is not yours to look into: ask as the user who runs the mill", run);
    else
        cli_say ("no mill is running (nobody answers at %s)%s", settings->collector_endpoint,
                 strncmp (settings->collector_endpoint, "ipc://", 6) == 0 ? "; `newsmill up` starts one" : ": is the collector"
                 " there up, and does its log say that it refused this key?");
    free (run);
}

int
cli_ask (struct cli *cli, json_t *request, json_t **ret_reply)
{
    char reason[CLIENT_REASON_SIZE] = "";
    json_t *reply = NULL;
    int r = cli_load_live (cli);
    if (r) {
        json_decref (request);
        return r;
    }
    const char *endpoint = cli->settings.collector_endpoint;
    bool live = place_is_live (cli->settings.data_dir);
    if (!live && !client_is_bound (endpoint)) {
        json_decref (request);
        r = -ETIMEDOUT;
    } else
        r = client_ask (&cli->settings, CLIENT_TIMEOUT_MS, request, &reply, reason);
    if (r == -ETIMEDOUT)
        say_silence (&cli->settings, live, reason);
    else if (r < 0)
        cli_say ("%s", reason);
    if (r < 0)
        return r == -EREMOTEIO ? 1 : EXIT_TEMP;
    *ret_reply = reply;
    return 0;
}

/* ---- output ---- */

void
cli_print_json (const json_t *document)
{
    char *text = json_dumps (document, JSON_INDENT (2) | JSON_ENCODE_ANY);
    puts (text ? text : "null");
    free (text);
}

const char *
cli_text (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text ? text : "";
}

int64_t
cli_int (const json_t *object, const char *key)
{
    const json_t *value = json_object_get (object, key);
    return json_is_real (value) ? (int64_t) json_real_value (value)
                                : (int64_t) json_integer_value (value);
}

const char *
cli_span (const json_t *value, char out[CLI_SPAN_SIZE])
{
    int64_t ms = json_is_real (value) ? (int64_t) json_real_value (value)
                                      : (int64_t) json_integer_value (value);
    int64_t s = ms / 1000;
    if (!json_is_number (value))
        *out = '\0';
    else if (ms < 1000)
        snprintf (out, CLI_SPAN_SIZE, "%" PRId64 " ms", ms);
    else if (s < 60)
        snprintf (out, CLI_SPAN_SIZE, "%" PRId64 ".%" PRId64 " s", s, ms % 1000 / 100);
    else if (s < 3600)
        snprintf (out, CLI_SPAN_SIZE, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else if (s < 48 * 3600)
        snprintf (out, CLI_SPAN_SIZE, "%" PRId64 " h %" PRId64 " min", s / 3600, s % 3600 / 60);
    else
        snprintf (out, CLI_SPAN_SIZE, "%" PRId64 " days", s / 86400);
    return out;
}

const char *
cli_when (const json_t *time, char out[CLOCK_TEXT_SIZE])
{
    const char *text = json_string_value (time);
    if (!text)
        text = "never";
    snprintf (out, CLOCK_TEXT_SIZE, "%.19s", text);
    if (strlen (out) == 19 && out[10] == 'T')
        out[10] = ' ';
    return out;
}

int
cli_read_file (const char *path, size_t most, struct buf *out)
{
    bool standard = strcmp (path, "-") == 0;
    FILE *file = standard ? stdin : fopen (path, "re");
    if (!file)
        return -errno;
    char block[65536];
    int r = 0;
    errno = 0;
    for (size_t n; r == 0 && (n = fread (block, 1, sizeof block, file)) > 0;)
        if (n > most - out->len)
            r = -EFBIG;
        else
            buf_add (out, block, n);
    if (r == 0 && ferror (file))
        r = errno ? -errno : -EIO;
    if (!standard)
        fclose (file);
    return r;
}
