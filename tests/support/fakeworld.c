/* fakeworld - a news site and an OpenAI-compatible model server in one process, for the system
 * tests and the benchmark. One thread; a delayed answer costs a timer. Prints `ready port=N` once
 * it listens, on 127.0.0.1 unless told otherwise; SIGTERM or SIGINT stops it.
 *
 *   GET  /feed/K.xml .atom .rdf .json   feed K in four formats, newest first, with ETag and 304
 *   GET  /article/K/N                   the page of an article, /redirect/K leads to feed K
 *   GET  /opml?format=F                 all feeds; F: xml (unless said), atom, rdf, json, mixed
 *   GET  /bad/NAME                      feeds gone wrong: see bad.c
 *   GET  /told/NAME                     what POST /admin/tell?name=NAME said; see told.c
 *   POST /v1/chat/completions           the last user message: {"articles":[{id,title,text}]}
 *   POST /v1/embeddings                 encoding_format base64 or float
 *   GET  /admin/stats                   counters; POST /admin/reset clears them
 *   GET  /admin/calls?target=chat|embed when each call came, by the monotonic clock, and whether it went wrong
 *   POST /admin/publish?feed=K&count=N  new articles, dated now
 *   POST /admin/delays?chat_ms=&chat_item_ms=&embed_ms=&embed_item_ms=
 *   POST /admin/mode?target=chat|embed&mode=NAME&count=N&retry_after=S&mark=M
 *        the next N calls (-1: all) that contain M go wrong: an HTTP status, a name of rules.c, or
 *        `off`. Several rules may stand; the first that fits is used up first.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_CHAT "/v1/chat/completions"
#define PATH_EMBED "/v1/embeddings"

void
world_answer_json (struct serve_request *request, unsigned int status, struct buf *body)
{
    serve_answer_text (request, status, "application/json", body);
}

void
world_answer_error (struct serve_request *request, unsigned int status, const char *message)
{
    struct buf body = { 0 };
    buf_add_str (&body, "{\"error\":{\"message\":");
    markup_add_json (&body, message);
    buf_printf (&body, ",\"type\":\"fake_error\",\"code\":%u}}\n", status);
    world_answer_json (request, status, &body);
}

/* ---- requests ---- */

static const struct route {
    const char *path;
    bool whole; /* else it begins the path */
    world_handle_fn *handle;
} routes[] = {
    { "/feed/", false, feeds_on_feed }, { "/article/", false, feeds_on_article },
    { "/opml", true, feeds_on_opml },   { "/redirect/", false, feeds_on_redirect },
    { "/bad/", false, bad_on_feed },    { "/admin/", false, admin_on_request },
    { "/told/", false, told_on_feed },
    { PATH_CHAT, true, model_on_chat }, { PATH_EMBED, true, model_on_embed },
};

static void
on_request (void *context, struct serve_request *request)
{
    for (size_t i = 0; i < COUNT_OF (routes); i++) {
        size_t length = strlen (routes[i].path);
        if (strncmp (request->path, routes[i].path, length) != 0)
            continue;
        if (routes[i].whole && request->path[length])
            continue;
        routes[i].handle (context, request, request->path + length);
        return;
    }
    world_answer_error (request, MHD_HTTP_NOT_FOUND, "nothing here");
}

/* The last number of the 127.0.0.N the client asked for; 0 for a name. */
static size_t
address_number (struct serve_request *request)
{
    unsigned int number = 0;
    const char *host = MHD_lookup_connection_value (request->connection, MHD_HEADER_KIND, "Host");
    if (!host || sscanf (host, "127.0.0.%u", &number) != 1)
        return 0;
    return MIN_OF (number, WORLD_ADDRESSES - 1u);
}

static void
begin_feed (struct world *world, struct serve_request *request)
{
    struct stats *stats = &world->stats;
    size_t number = address_number (request);
    request->mark = -1 - (int) number;
    stats->address_at_once[number]++;
    stats->max_address_at_once = MAX_OF (stats->max_address_at_once, stats->address_at_once[number]);
    stats->feeds_at_once++;
    stats->max_feeds_at_once = MAX_OF (stats->max_feeds_at_once, stats->feeds_at_once);
    serve_hold (request, world->settings.feed_ms);
}

/* What is open at once counts from the request's head to the answer's end. */
static void
on_begin (void *context, struct serve_request *request)
{
    struct world *world = context;
    struct stats *stats = &world->stats;
    bool chat = strcmp (request->path, PATH_CHAT) == 0;
    if (strncmp (request->path, "/feed/", 6) == 0 || strncmp (request->path, "/told/", 6) == 0)
        begin_feed (world, request);
    if (!chat && strcmp (request->path, PATH_EMBED) != 0)
        return;
    enum target target = chat ? TARGET_CHAT : TARGET_EMBED;
    request->mark = (int) target + 1;
    stats->at_once[target]++;
    stats->max_at_once[target] = MAX_OF (stats->max_at_once[target], stats->at_once[target]);
}

static void
on_end (void *context, struct serve_request *request)
{
    struct stats *stats = &((struct world *) context)->stats;
    if (request->mark > 0)
        stats->at_once[request->mark - 1]--;
    if (request->mark < 0) {
        stats->address_at_once[-1 - request->mark]--;
        stats->feeds_at_once--;
    }
}

/* ---- the program ---- */

#define SETTING(field) offsetof (struct world_settings, field)

static const struct setting {
    const char *name;
    size_t offset;
    int64_t usual, least, most;
    const char *help;
} settings[] = {
    { "port", SETTING (port), 0, 0, UINT16_MAX, "to listen on; 0: any free one" },
    { "any-address", SETTING (any_address), 0, 0, 1, "1: listen on all addresses, not 127.0.0.1 alone" },
    { "feeds", SETTING (feeds), 20, 1, NEWS_FEEDS_MAX, "how many feeds" },
    { "articles", SETTING (articles), 50, 0, NEWS_ARTICLES_MAX, "in each feed at the start" },
    { "words", SETTING (words), 700, 3, 100000, "in each article" },
    { "dimensions", SETTING (dimensions), 1536, 1, 16384, "of a vector, unless the call says" },
    { "chat-ms", SETTING (chat_ms), 0, 0, WORLD_DELAY_MAX_MS, "delay of a call for summaries" },
    { "chat-item-ms", SETTING (chat_item_ms), 0, 0, WORLD_DELAY_MAX_MS, "and for each article" },
    { "embed-ms", SETTING (embed_ms), 0, 0, WORLD_DELAY_MAX_MS, "delay of a call for vectors" },
    { "embed-item-ms", SETTING (embed_item_ms), 0, 0, WORLD_DELAY_MAX_MS, "and for each text" },
    { "feed-most", SETTING (feed_most), NEWS_ARTICLES_MAX, 1, NEWS_ARTICLES_MAX, "newest articles that a feed shows" },
    { "feed-ms", SETTING (feed_ms), 0, 0, WORLD_DELAY_MAX_MS, "delay of a feed" },
    { "seed", SETTING (seed), 1, 0, INT32_MAX, "other texts for another seed" },
};

static int64_t *
setting_value (struct world_settings *values, const struct setting *setting)
{
    return (int64_t *) (void *) ((char *) values + setting->offset);
}

static int
usage (void)
{
    fputs ("usage: fakeworld [--OPTION VALUE]...\n", stderr);
    for (size_t i = 0; i < COUNT_OF (settings); i++)
        fprintf (stderr, "  --%-14s %s (%lld)\n", settings[i].name, settings[i].help,
                 (long long) settings[i].usual);
    return EXIT_USAGE;
}

static bool
read_options (struct world_settings *values, int argc, char **argv)
{
    struct option options[COUNT_OF (settings) + 1] = { 0 };
    for (size_t i = 0; i < COUNT_OF (settings); i++) {
        options[i] = (struct option){ settings[i].name, required_argument, NULL, 1 };
        *setting_value (values, &settings[i]) = settings[i].usual;
    }
    int index = 0, c;
    while ((c = getopt_long (argc, argv, "", options, &index)) == 1) {
        const struct setting *setting = &settings[index];
        int64_t *value = setting_value (values, setting);
        if (num_parse (optarg, setting->least, setting->most, value) < 0) {
            log_error ("--%s must be a number from %lld to %lld", setting->name,
                       (long long) setting->least, (long long) setting->most);
            return false;
        }
    }
    return c == -1 && optind == argc;
}

static int
run (struct world *world)
{
    struct serve_app app = {
        .handle = on_request, .begin = on_begin, .end = on_end, .context = world,
        .any_address = world->settings.any_address != 0
    };
    int r = serve_new (&app, (uint16_t) world->settings.port, &world->serve);
    if (r < 0) {
        log_error ("can't listen on port %lld: %s", (long long) world->settings.port,
                   strerror (-r));
        return EXIT_TEMP;
    }
    news_init (&world->news, &world->settings, serve_port (world->serve));
    serve_say_ready (world->serve);
    r = serve_run (world->serve);
    if (r < 0)
        log_error ("the server stopped: %s", strerror (-r));
    serve_destroy (&world->serve);
    news_fini (&world->news);
    buf_fini (&world->bomb);
    told_destroy (&world->told);
    return r < 0 ? EXIT_TEMP : EXIT_ASKED;
}

int
main (int argc, char **argv)
{
    struct world world = { 0 };
    log_init ("fakeworld", false);
    if (!read_options (&world.settings, argc, argv))
        return usage ();
    return run (&world);
}
