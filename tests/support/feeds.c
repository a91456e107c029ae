/* feeds - the news site: articles, made once at the start, and the pages that show them.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARTICLE_AGE_STEP_S 600 /* between two articles at the start */

/* ---- articles ---- */

static void
article_init (struct news *news, struct article *article, size_t feed, size_t number,
              int64_t published_s)
{
    uint64_t seed = (news->seed << 32) ^ (feed << 16) ^ number;
    struct buf html = { 0 }, title = { 0 };
    *article = (struct article){ .published_s = published_s };
    snprintf (article->mark, sizeof article->mark, "mark%04zux%04zu", feed % 10000, number % 10000);
    prose_add_title (&title, seed, article->mark);
    prose_add_html (&html, seed, news->words, article->mark);
    article->title = buf_take (&title);
    article->html = buf_take (&html);
    article->id = mem_printf ("tag:fakeworld.example,2025:%zu/%zu", feed, number);
    article->url = mem_printf ("%s/article/%zu/%zu", news->base_url, feed, number);
    article->author = prose_author (seed);
    article->categories[0] = prose_category (seed / 10);
}

static void
article_fini (struct article *article)
{
    free (article->id);
    free (article->url);
    free (article->title);
    free (article->html);
}

static void
feed_grow (struct news *news, struct feed *feed, size_t count, int64_t published_s, int64_t step_s)
{
    size_t number = (size_t) (feed - news->feeds) + 1;
    if (feed->count + count > feed->cap) {
        feed->cap = feed->count + count + feed->cap / 2;
        feed->articles = mem_grow (feed->articles, feed->cap, sizeof *feed->articles);
    }
    for (size_t i = 0; i < count; i++) {
        article_init (news, &feed->articles[feed->count], number, feed->count + 1, published_s);
        feed->count++;
        published_s += step_s;
    }
    for (size_t i = 0; i < MARKUP_FORMATS; i++)
        serve_page_fini (&feed->pages[i]);
}

void
news_fini (struct news *news)
{
    for (size_t i = 0; i < news->feed_count; i++) {
        struct feed *feed = &news->feeds[i];
        for (size_t k = 0; k < feed->count; k++)
            article_fini (&feed->articles[k]);
        for (size_t k = 0; k < MARKUP_FORMATS; k++)
            serve_page_fini (&feed->pages[k]);
        free (feed->articles);
    }
    free (news->feeds);
    free (news->base_url);
    *news = (struct news){ 0 };
}

int
news_publish (struct news *news, size_t feed_number, size_t count)
{
    if (feed_number < 1 || feed_number > news->feed_count)
        return -EINVAL;
    struct feed *feed = &news->feeds[feed_number - 1];
    if (count > NEWS_ARTICLES_MAX - feed->count)
        return -EINVAL;
    feed->changed_s = clock_wall_us () / US_PER_S;
    feed_grow (news, feed, count, feed->changed_s, 0);
    return 0;
}

/* Reads the decimal number at *at, up to a character that is none. */
static size_t
read_number (const char **at, const char *end)
{
    size_t number = 0;
    for (int digits = 0; digits < 4 && *at < end && **at >= '0' && **at <= '9'; digits++)
        number = number * 10 + (size_t) (*(*at)++ - '0');
    return number;
}

static struct article *
article_at (struct news *news, size_t feed, size_t number)
{
    if (feed < 1 || feed > news->feed_count || number < 1)
        return NULL;
    return number <= news->feeds[feed - 1].count ? &news->feeds[feed - 1].articles[number - 1]
                                                 : NULL;
}

struct article *
news_find (struct news *news, const char *text, size_t bytes)
{
    const char *end = text + bytes, *at = text;
    while (bytes && (at = memmem (at, (size_t) (end - at), "mark", strlen ("mark")))) {
        at += strlen ("mark");
        size_t feed = read_number (&at, end);
        if (feed && at < end && *at == 'x') {
            at++;
            struct article *article = article_at (news, feed, read_number (&at, end));
            if (article)
                return article;
        }
    }
    return NULL;
}

/* ---- feeds ---- */

static const char *const endings[MARKUP_FORMATS] = { ".xml", ".atom", ".rdf", ".json" };

static void
feed_render (struct news *news, struct feed *feed, enum markup_format format)
{
    size_t number = (size_t) (feed - news->feeds) + 1;
    size_t shown = MIN_OF (feed->count, news->feed_most);
    struct markup_entry *entries = mem_alloc ((shown + 1) * sizeof *entries);
    for (size_t i = 0; i < shown; i++) { /* newest first */
        const struct article *article = &feed->articles[feed->count - 1 - i];
        entries[i] = (struct markup_entry){ .id = article->id,
                                            .url = article->url,
                                            .title = article->title,
                                            .author = article->author,
                                            .html = article->html,
                                            .categories = article->categories,
                                            .published_s = article->published_s };
    }
    char *title = mem_printf ("Fake outlet %zu", number);
    char *url = mem_printf ("%s/feed/%zu%s", news->base_url, number, endings[format]);
    char *etag = mem_printf ("\"%lld-%zu-%zu-%d\"", (long long) news->start_s, number, feed->count,
                             (int) format);
    struct markup_feed markup = { .title = title,
                                  .home_url = news->base_url,
                                  .feed_url = url,
                                  .description = "News nobody needs",
                                  .entries = entries,
                                  .count = shown,
                                  .updated_s = feed->changed_s };
    struct buf body = { 0 };
    markup_add_feed (&body, format, &markup);
    serve_page_set (&feed->pages[format], markup_content_type (format), &body, etag,
                    feed->changed_s);
    free (title);
    free (url);
    free (etag);
    free (entries);
}

static const struct serve_page *
feed_page (struct news *news, struct feed *feed, enum markup_format format)
{
    if (!feed->pages[format].full)
        feed_render (news, feed, format);
    return &feed->pages[format];
}

void
news_init (struct news *news, const struct world_settings *settings, uint16_t port)
{
    size_t count = (size_t) settings->articles;
    *news = (struct news){ .feed_count = (size_t) settings->feeds,
                           .words = (size_t) settings->words,
                           .feed_most = (size_t) settings->feed_most,
                           .seed = (uint64_t) settings->seed,
                           .start_s = clock_wall_us () / US_PER_S,
                           .base_url = mem_printf ("http://127.0.0.1:%u", (unsigned int) port) };
    news->feeds = mem_alloc (news->feed_count * sizeof *news->feeds);
    int64_t oldest_s = news->start_s - settings->articles * ARTICLE_AGE_STEP_S;
    for (size_t i = 0; i < news->feed_count; i++) {
        feed_grow (news, &news->feeds[i], count, oldest_s, ARTICLE_AGE_STEP_S);
        news->feeds[i].changed_s = news->start_s;
        feed_page (news, &news->feeds[i], MARKUP_RSS); /* not in somebody's measured time */
    }
}

static int
format_of_ending (const char *ending)
{
    for (int i = 0; i < MARKUP_FORMATS; i++)
        if (strcmp (ending, endings[i]) == 0)
            return i;
    return -1;
}

/* /feed/K.xml, and .atom, .rdf, .json */
void
feeds_on_feed (struct world *world, struct serve_request *request, const char *rest)
{
    struct news *news = &world->news;
    size_t number = read_number (&rest, rest + strlen (rest));
    int format = format_of_ending (rest);
    if (number < 1 || number > news->feed_count || format < 0) {
        world->stats.feed_other++;
        serve_answer_text (request, MHD_HTTP_NOT_FOUND, NULL, &(struct buf){ 0 });
        return;
    }
    struct feed *feed = &news->feeds[number - 1];
    const struct serve_page *page = feed_page (news, feed, (enum markup_format) format);
    if (serve_page_answer (request, page) == MHD_HTTP_OK)
        world->stats.feed_200++;
    else
        world->stats.feed_304++;
}

/* ---- other pages ---- */

void
feeds_on_article (struct world *world, struct serve_request *request, const char *rest)
{
    const char *end = rest + strlen (rest);
    size_t feed = read_number (&rest, end);
    const struct article *article =
        *rest == '/' ? (rest++, article_at (&world->news, feed, read_number (&rest, end))) : NULL;
    if (!article || *rest) {
        serve_answer_text (request, MHD_HTTP_NOT_FOUND, NULL, &(struct buf){ 0 });
        return;
    }
    struct buf body = { 0 };
    buf_add_str (&body, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
    buf_add_escaped (&body, article->title);
    buf_add_str (&body, "</title></head><body><nav><a href=\"/\">Home</a></nav><article><h1>");
    buf_add_escaped (&body, article->title);
    buf_printf (&body, "</h1>\n%s</article></body></html>\n", article->html);
    serve_answer_text (request, MHD_HTTP_OK, "text/html; charset=utf-8", &body);
}

/* The feeds' addresses in the format that `format` asks for: xml unless said, or all by turns. */
void
feeds_on_opml (struct world *world, struct serve_request *request, const char *rest UNUSED)
{
    const char *wanted = serve_argument (request, "format");
    size_t count = world->news.feed_count;
    struct markup_outline *outlines = mem_alloc (count * sizeof *outlines);
    char **texts = mem_alloc (2 * count * sizeof (char *));
    for (size_t i = 0; i < count; i++) {
        const char *ending = wanted ? wanted : "xml";
        if (strcmp (ending, "mixed") == 0)
            ending = endings[i % MARKUP_FORMATS] + 1;
        texts[2 * i] = mem_printf ("Fake outlet %zu", i + 1);
        texts[2 * i + 1] = mem_printf ("%s/feed/%zu.%s", world->news.base_url, i + 1, ending);
        outlines[i] =
            (struct markup_outline){ texts[2 * i], texts[2 * i + 1], world->news.base_url };
    }
    struct buf body = { 0 };
    markup_add_opml (&body, "Fake world", outlines, count);
    for (size_t i = 0; i < 2 * count; i++)
        free (texts[i]);
    free (texts);
    free (outlines);
    serve_answer_text (request, MHD_HTTP_OK, "text/x-opml; charset=utf-8", &body);
}

void
feeds_on_redirect (struct world *world, struct serve_request *request, const char *rest)
{
    char *target = mem_printf ("%s/feed/%zu.xml", world->news.base_url,
                               read_number (&rest, rest + strlen (rest)));
    world->stats.feed_other++;
    serve_answer_redirect (request, MHD_HTTP_MOVED_PERMANENTLY, target);
    free (target);
}
