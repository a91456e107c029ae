/* newsmill-demo - a small news site on this machine for `newsmill up --demo`: one feed an outlet,
 * in all four feed formats, and a page an article. Some articles are out when it starts, further
 * ones come out while it runs, so that each tick of the mill finds something new.
 * Listens on 127.0.0.1 and prints `ready port=N` once it does; SIGTERM or SIGINT stops it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "demo/articles.h"
#include "demo/markup.h"
#include "demo/serve.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_AT_START 24
#define NEWEST_AGE_S 60    /* at the start */
#define SPREAD_S (25 * 60) /* between two that are out at the start */

struct outlet {
    const char *name;
    char *slug, *home_url, *feed_path, *feed_url;
    enum markup_format format;
    struct serve_page page;
    size_t taken; /* of its articles, while the order of publication is made */
};

struct site {
    struct serve *serve;
    struct article_list list;
    struct article **order; /* of publication */
    size_t out_count;       /* of order, how many are out */
    struct outlet *outlets;
    size_t outlet_count;
    char *base_url;
    int64_t start_s, grow_s; /* grow_s 0: never grows */
};

/* ---- outlets ---- */

static struct outlet *
outlet_find (struct site *site, const char *name)
{
    for (size_t i = 0; i < site->outlet_count; i++)
        if (strcmp (site->outlets[i].name, name) == 0)
            return &site->outlets[i];
    return NULL;
}

static void
outlet_init (struct site *site, struct outlet *outlet, const char *name)
{
    static const char *const endings[MARKUP_FORMATS] = { "rss", "atom", "rdf", "json" };
    size_t index = site->outlet_count++;
    outlet->name = name;
    outlet->format = (enum markup_format) (index % MARKUP_FORMATS);
    outlet->slug = articles_slug (name);
    outlet->home_url = mem_printf ("%s/#%s", site->base_url, outlet->slug);
    outlet->feed_path = mem_printf ("/feeds/%s.%s", outlet->slug, endings[outlet->format]);
    outlet->feed_url = mem_printf ("%s%s", site->base_url, outlet->feed_path);
}

static void
make_outlets (struct site *site)
{
    site->outlets = mem_alloc (site->list.count * sizeof *site->outlets);
    for (size_t i = 0; i < site->list.count; i++) {
        struct article *article = &site->list.items[i];
        article->url = mem_printf ("%s/articles/%s", site->base_url, article->slug);
        if (!outlet_find (site, article->outlet))
            outlet_init (site, &site->outlets[site->outlet_count], article->outlet);
    }
}

/* The outlet's nth article, or NULL. */
static struct article *
outlet_article (struct site *site, const struct outlet *outlet, size_t nth)
{
    for (size_t i = 0; i < site->list.count; i++)
        if (strcmp (site->list.items[i].outlet, outlet->name) == 0 && nth-- == 0)
            return &site->list.items[i];
    return NULL;
}

/* The outlets take turns, so that all of them have news at any time. */
static void
make_order (struct site *site)
{
    site->order = mem_alloc (site->list.count * sizeof (struct article *));
    for (size_t at = 0; at < site->list.count;)
        for (size_t i = 0; i < site->outlet_count; i++) {
            struct outlet *outlet = &site->outlets[i];
            struct article *article = outlet_article (site, outlet, outlet->taken);
            if (!article)
                continue;
            outlet->taken++;
            site->order[at++] = article;
        }
}

/* ---- feeds ---- */

static size_t
fill_entries (struct site *site, const struct outlet *outlet, struct markup_entry *entries)
{
    size_t count = 0;
    for (size_t i = site->out_count; i-- > 0;) { /* newest first */
        const struct article *article = site->order[i];
        if (strcmp (article->outlet, outlet->name) != 0)
            continue;
        entries[count++] = (struct markup_entry){
            .id = article->id,
            .url = article->url,
            .title = article->title,
            .author = article->author,
            .summary = article->summary,
            .html = article->html,
            .categories = article->categories,
            .published_s = article->published_s,
        };
    }
    return count;
}

static void
outlet_render (struct site *site, struct outlet *outlet)
{
    struct markup_entry *entries = mem_alloc ((site->out_count + 1) * sizeof *entries);
    size_t count = fill_entries (site, outlet, entries);
    struct markup_feed feed = { .title = outlet->name,
                                .home_url = outlet->home_url,
                                .feed_url = outlet->feed_url,
                                .description = "A made-up outlet of newsmill's demo",
                                .entries = entries,
                                .count = count,
                                .updated_s = count ? entries[0].published_s : site->start_s };
    struct buf body = { 0 };
    markup_add_feed (&body, outlet->format, &feed);
    /* With the start in it: the dates and addresses of another run are others. */
    char *etag = mem_printf ("\"%s-%lld-%zu\"", outlet->slug, (long long) site->start_s, count);
    serve_page_set (&outlet->page, markup_content_type (outlet->format), &body, etag,
                    feed.updated_s);
    free (etag);
    free (entries);
}

/* ---- growth ---- */

static void
publish_first (struct site *site)
{
    size_t count = MIN_OF (site->list.count, (size_t) OUT_AT_START);
    for (size_t i = 0; i < count; i++) {
        int64_t age_s = NEWEST_AGE_S + (int64_t) (count - 1 - i) * SPREAD_S;
        site->order[i]->published_s = site->start_s - age_s;
    }
    site->out_count = count;
    for (size_t i = 0; i < site->outlet_count; i++)
        outlet_render (site, &site->outlets[i]);
}

static void
publish_next (void *context)
{
    struct site *site = context;
    if (site->out_count == site->list.count) {
        log_info ("all %zu articles are out: the site grows no further", site->out_count);
        return;
    }
    struct article *article = site->order[site->out_count++];
    article->published_s = clock_wall_us () / US_PER_S;
    outlet_render (site, outlet_find (site, article->outlet));
    log_info ("published article=%s out=%zu of=%zu", article->slug, site->out_count,
              site->list.count);
    serve_after (site->serve, site->grow_s * 1000, publish_next, site);
}

/* ---- pages ---- */

static void
add_head (struct buf *out, const char *title)
{
    buf_add_str (out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<title>");
    buf_add_escaped (out, title);
    buf_add_str (out, "</title>\n<style>\n"
                      "body { max-width: 38rem; margin: 2rem auto; padding: 0 1rem;"
                      " font: 1.1rem/1.6 Georgia, serif; color: #222; background: #fdfcf9; }\n"
                      "h1, h2 { line-height: 1.2; } a { color: #14507a; }\n"
                      "small, header, footer { color: #666; font-family: sans-serif;"
                      " font-size: .85rem; }\n"
                      "</style>\n</head>\n<body>\n");
}

static void
answer_html (struct serve_request *request, unsigned int status, struct buf *body)
{
    buf_add_str (body, "<footer><p>Invented for newsmill's demo: the outlets, the people and the"
                       " events are made up.</p></footer>\n</body>\n</html>\n");
    serve_answer_text (request, status, "text/html; charset=utf-8", body);
}

static void
answer_article (struct serve_request *request, const struct article *article)
{
    struct buf body = { 0 };
    char when[CLOCK_TEXT_SIZE];
    clock_format (article->published_s * US_PER_S, when);
    add_head (&body, article->title);
    buf_add_str (&body, "<header><a href=\"/\">");
    buf_add_escaped (&body, article->outlet);
    buf_add_str (&body, "</a></header>\n<article>\n<h1>");
    buf_add_escaped (&body, article->title);
    buf_add_str (&body, "</h1>\n<p><small>By ");
    buf_add_escaped (&body, article->author);
    buf_printf (&body, ", <time datetime=\"%s\">%.10s %.5s UTC</time></small></p>\n", when, when,
                when + strlen ("2025-11-17T"));
    buf_add_str (&body, article->html);
    buf_add_str (&body, "</article>\n");
    answer_html (request, MHD_HTTP_OK, &body);
}

static void
add_outlet (struct site *site, struct buf *out, const struct outlet *outlet)
{
    buf_printf (out, "<h2 id=\"%s\">", outlet->slug);
    buf_add_escaped (out, outlet->name);
    buf_printf (out, " <small><a href=\"%s\">feed</a></small></h2>\n<ul>\n", outlet->feed_path);
    for (size_t i = site->out_count; i-- > 0;) {
        const struct article *article = site->order[i];
        if (strcmp (article->outlet, outlet->name) != 0)
            continue;
        buf_printf (out, "<li><a href=\"/articles/%s\">", article->slug);
        buf_add_escaped (out, article->title);
        buf_add_str (out, "</a></li>\n");
    }
    buf_add_str (out, "</ul>\n");
}

static void
answer_index (struct site *site, struct serve_request *request)
{
    struct buf body = { 0 };
    add_head (&body, "newsmill demo");
    buf_printf (&body,
                "<h1>newsmill demo</h1>\n<p>%zu of %zu articles are out. All feeds as"
                " <a href=\"/opml\">OPML</a>.</p>\n",
                site->out_count, site->list.count);
    for (size_t i = 0; i < site->outlet_count; i++)
        add_outlet (site, &body, &site->outlets[i]);
    answer_html (request, MHD_HTTP_OK, &body);
}

static void
answer_opml (struct site *site, struct serve_request *request)
{
    struct markup_outline *outlines = mem_alloc (site->outlet_count * sizeof *outlines);
    for (size_t i = 0; i < site->outlet_count; i++)
        outlines[i] = (struct markup_outline){ .title = site->outlets[i].name,
                                               .feed_url = site->outlets[i].feed_url,
                                               .home_url = site->outlets[i].home_url };
    struct buf body = { 0 };
    markup_add_opml (&body, "newsmill demo", outlines, site->outlet_count);
    free (outlines);
    serve_answer_text (request, MHD_HTTP_OK, "text/x-opml; charset=utf-8", &body);
}

static void
answer_missing (struct serve_request *request)
{
    struct buf body = { 0 };
    add_head (&body, "Not found");
    buf_add_str (&body, "<h1>Not found</h1>\n<p>Nothing here. <a href=\"/\">All outlets</a></p>\n");
    answer_html (request, MHD_HTTP_NOT_FOUND, &body);
}

static const struct article *
article_find (const struct site *site, const char *path)
{
    static const char prefix[] = "/articles/";
    if (strncmp (path, prefix, strlen (prefix)) != 0)
        return NULL;
    for (size_t i = 0; i < site->out_count; i++)
        if (strcmp (site->order[i]->slug, path + strlen (prefix)) == 0)
            return site->order[i];
    return NULL;
}

static void
on_request (void *context, struct serve_request *request)
{
    struct site *site = context;
    if (strcmp (request->method, "GET") != 0 && strcmp (request->method, "HEAD") != 0) {
        serve_answer_text (request, MHD_HTTP_METHOD_NOT_ALLOWED, NULL, &(struct buf){ 0 });
        return;
    }
    for (size_t i = 0; i < site->outlet_count; i++)
        if (strcmp (site->outlets[i].feed_path, request->path) == 0) {
            (void) serve_page_answer (request, &site->outlets[i].page); /* 200 or 304: both fine */
            return;
        }
    const struct article *article = article_find (site, request->path);
    if (article)
        answer_article (request, article);
    else if (strcmp (request->path, "/opml") == 0)
        answer_opml (site, request);
    else if (strcmp (request->path, "/") == 0)
        answer_index (site, request);
    else
        answer_missing (request);
}

/* ---- the program ---- */

static void
site_fini (struct site *site)
{
    serve_destroy (&site->serve);
    for (size_t i = 0; i < site->outlet_count; i++) {
        struct outlet *outlet = &site->outlets[i];
        serve_page_fini (&outlet->page);
        free (outlet->slug);
        free (outlet->home_url);
        free (outlet->feed_path);
        free (outlet->feed_url);
    }
    free (site->outlets);
    free (site->order);
    free (site->base_url);
    articles_fini (&site->list);
}

static int
run (struct site *site, const char *folder, int64_t port)
{
    char quoted[LOG_QUOTE_SIZE];
    int r = articles_load (folder, &site->list);
    if (r < 0 || site->list.count == 0) {
        log_error ("no articles in %s: %s", log_quote (folder, quoted),
                   r < 0 ? strerror (-r) : "it holds no *.txt of that kind");
        return EXIT_USAGE;
    }
    struct serve_app app = { .handle = on_request, .context = site };
    if ((r = serve_new (&app, (uint16_t) port, &site->serve)) < 0) {
        log_error ("can't listen on port %lld: %s", (long long) port, strerror (-r));
        return EXIT_TEMP;
    }
    site->base_url = mem_printf ("http://127.0.0.1:%u", (unsigned int) serve_port (site->serve));
    site->start_s = clock_wall_us () / US_PER_S;
    make_outlets (site);
    make_order (site);
    publish_first (site);
    if (site->grow_s > 0)
        serve_after (site->serve, site->grow_s * 1000, publish_next, site);
    log_info ("serving %s outlets=%zu out=%zu of=%zu", site->base_url, site->outlet_count,
              site->out_count, site->list.count);
    serve_say_ready (site->serve);
    r = serve_run (site->serve);
    if (r < 0)
        log_error ("the server stopped: %s", strerror (-r));
    return r < 0 ? EXIT_TEMP : EXIT_ASKED;
}

static int
usage (void)
{
    fputs ("usage: newsmill-demo --articles DIR [--port 0] [--grow SECONDS, 0: never]\n", stderr);
    return EXIT_USAGE;
}

int
main (int argc, char **argv)
{
    static const struct option options[] = { { "articles", required_argument, NULL, 'a' },
                                             { "port", required_argument, NULL, 'p' },
                                             { "grow", required_argument, NULL, 'g' },
                                             { 0 } };
    struct site site = { .grow_s = 30 };
    const char *folder = NULL;
    int64_t port = 0;
    log_init ("demo", false);
    for (int c; (c = getopt_long (argc, argv, "", options, NULL)) != -1;) {
        if (c == 'a')
            folder = optarg;
        else if (c == 'p' && num_parse (optarg, 0, UINT16_MAX, &port) == 0)
            continue;
        else if (c == 'g' && num_parse (optarg, 0, 24 * 3600, &site.grow_s) == 0)
            continue;
        else
            return usage ();
    }
    if (!folder || optind != argc)
        return usage ();
    int status = run (&site, folder, port);
    site_fini (&site);
    return status;
}
