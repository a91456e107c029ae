/* admin - what a test asks of the world and tells it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <errno.h>
#include <string.h>

static void
answer_result (struct serve_request *request, int result)
{
    struct buf body = { 0 };
    if (result < 0) {
        world_answer_error (request, MHD_HTTP_BAD_REQUEST,
                            result == -ENOSPC ? "too many rules" : "a wrong or missing argument");
        return;
    }
    buf_add_str (&body, "{\"ok\":true}\n");
    world_answer_json (request, MHD_HTTP_OK, &body);
}

/* ---- counters ---- */

struct totals {
    uint64_t most_answers, most_tries, summarised;
};

static struct totals
sum_articles (const struct news *news, enum target target)
{
    struct totals totals = { 0 };
    for (size_t i = 0; i < news->feed_count; i++)
        for (size_t k = 0; k < news->feeds[i].count; k++) {
            const struct article *article = &news->feeds[i].articles[k];
            totals.most_answers = MAX_OF (totals.most_answers, article->answers[target]);
            totals.most_tries = MAX_OF (totals.most_tries, article->tries[target]);
            totals.summarised += article->answers[target] > 0;
        }
    return totals;
}

static void
on_stats (struct world *world, struct serve_request *request)
{
    const struct stats *stats = &world->stats;
    struct totals totals = sum_articles (&world->news, TARGET_CHAT);
    struct totals embedded = sum_articles (&world->news, TARGET_EMBED);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "chat_calls", stats->calls[TARGET_CHAT] },
        { "chat_items", stats->items[TARGET_CHAT] },
        { "embed_calls", stats->calls[TARGET_EMBED] },
        { "embed_items", stats->items[TARGET_EMBED] },
        { "chat_wrong", stats->wrong[TARGET_CHAT] },
        { "embed_wrong", stats->wrong[TARGET_EMBED] },
        { "max_chat_at_once", stats->max_at_once[TARGET_CHAT] },
        { "max_embed_at_once", stats->max_at_once[TARGET_EMBED] },
        { "feed_200", stats->feed_200 },
        { "feed_304", stats->feed_304 },
        { "feed_other", stats->feed_other },
        { "max_address_at_once", stats->max_address_at_once },
        { "max_feeds_at_once", stats->max_feeds_at_once },
        { "most_calls_per_article", totals.most_answers },
        { "most_tries_per_article", totals.most_tries },
        { "most_embed_tries_per_article", embedded.most_tries },
        { "articles_summarised", totals.summarised },
    };
    struct buf body = { 0 };
    for (size_t i = 0; i < COUNT_OF (rows); i++)
        buf_printf (&body, "%s\"%s\":%llu", i ? "," : "{", rows[i].name,
                    (unsigned long long) rows[i].value);
    buf_add_str (&body, "}\n");
    world_answer_json (request, MHD_HTTP_OK, &body);
}

static void
on_reset (struct world *world, struct serve_request *request)
{
    struct stats fresh = { 0 };
    /* These will still end. */
    memcpy (fresh.at_once, world->stats.at_once, sizeof fresh.at_once);
    memcpy (fresh.address_at_once, world->stats.address_at_once, sizeof fresh.address_at_once);
    fresh.feeds_at_once = world->stats.feeds_at_once;
    world->stats = fresh;
    for (size_t i = 0; i < world->news.feed_count; i++)
        for (size_t k = 0; k < world->news.feeds[i].count; k++) {
            struct article *article = &world->news.feeds[i].articles[k];
            memset (article->tries, 0, sizeof article->tries);
            memset (article->answers, 0, sizeof article->answers);
        }
    answer_result (request, 0);
}

static bool
read_target (struct serve_request *request, enum target *ret_target)
{
    const char *name = serve_argument (request, "target");
    *ret_target = name && strcmp (name, "chat") == 0 ? TARGET_CHAT : TARGET_EMBED;
    return name && (*ret_target == TARGET_CHAT || strcmp (name, "embed") == 0);
}

static void
on_calls (struct world *world, struct serve_request *request)
{
    enum target target;
    struct buf body = { 0 };
    if (!read_target (request, &target)) {
        answer_result (request, -EINVAL);
        return;
    }
    size_t count = MIN_OF (world->stats.calls[target], (uint64_t) CALLS_MAX);
    buf_add_char (&body, '[');
    for (size_t i = 0; i < count; i++) {
        const struct call *call = &world->stats.log[target][i];
        buf_printf (&body, "%s{\"at_ms\":%lld,\"items\":%zu,\"wrong\":%s}", i ? "," : "", (long long) call->at_ms,
                    call->items, call->wrong ? "true" : "false");
    }
    buf_add_str (&body, "]\n");
    world_answer_json (request, MHD_HTTP_OK, &body);
}

/* ---- orders ---- */

static void
on_publish (struct world *world, struct serve_request *request)
{
    int64_t feed, count;
    int r = serve_argument_number (request, "feed", 1, NEWS_FEEDS_MAX, 1, &feed);
    if (r == 0)
        r = serve_argument_number (request, "count", 1, NEWS_ARTICLES_MAX, 1, &count);
    if (r == 0)
        r = news_publish (&world->news, (size_t) feed, (size_t) count);
    answer_result (request, r);
}

static void
on_delays (struct world *world, struct serve_request *request)
{
    struct world_settings wanted = world->settings;
    const struct {
        const char *name;
        int64_t *value;
    } rows[] = {
        { "chat_ms", &wanted.chat_ms },
        { "chat_item_ms", &wanted.chat_item_ms },
        { "embed_ms", &wanted.embed_ms },
        { "embed_item_ms", &wanted.embed_item_ms },
        { "feed_ms", &wanted.feed_ms },
    };
    int r = 0;
    for (size_t i = 0; i < COUNT_OF (rows) && r == 0; i++)
        r = serve_argument_number (request, rows[i].name, 0, WORLD_DELAY_MAX_MS, *rows[i].value,
                                   rows[i].value);
    if (r == 0)
        world->settings = wanted;
    answer_result (request, r);
}

static void
on_mode (struct world *world, struct serve_request *request)
{
    enum target target;
    const char *mode = serve_argument (request, "mode");
    int64_t count = 0, retry_after_s = -1;
    int r = read_target (request, &target) && mode ? 0 : -EINVAL;
    if (r == 0)
        r = serve_argument_number (request, "count", -1, INT32_MAX, 0, &count);
    if (r == 0)
        r = serve_argument_number (request, "retry_after", 0, INT32_MAX, -1, &retry_after_s);
    if (r == 0)
        r = rules_add (&world->rules[target], target, mode, count, retry_after_s,
                       serve_argument (request, "mark"));
    answer_result (request, r);
}

static void
on_tell (struct world *world, struct serve_request *request)
{
    told_on_tell (world, request, "");
}

static void
on_asked (struct world *world, struct serve_request *request)
{
    told_on_asked (world, request, "");
}

static const struct {
    const char *name, *method;
    void (*handle) (struct world *world, struct serve_request *request);
} orders[] = {
    { "stats", "GET", on_stats },      { "calls", "GET", on_calls },
    { "reset", "POST", on_reset },
    { "delays", "POST", on_delays },   { "mode", "POST", on_mode },
    { "publish", "POST", on_publish }, { "tell", "POST", on_tell },
    { "asked", "GET", on_asked },
};

void
admin_on_request (struct world *world, struct serve_request *request, const char *rest)
{
    for (size_t i = 0; i < COUNT_OF (orders); i++) {
        if (strcmp (orders[i].name, rest) != 0)
            continue;
        if (strcmp (orders[i].method, request->method) == 0)
            orders[i].handle (world, request);
        else
            world_answer_error (request, MHD_HTTP_METHOD_NOT_ALLOWED, orders[i].method);
        return;
    }
    world_answer_error (request, MHD_HTTP_NOT_FOUND, "no such order");
}
