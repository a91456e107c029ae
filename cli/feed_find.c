/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/feed_find.h"
#include "cli/fetch.h"
#include "cli/links.h"
#include "cli/opml.h"
#include "text/charset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void
found_fini (struct found *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free (self->feeds[i].url);
        free (self->feeds[i].title);
        free (self->feeds[i].mark);
        free (self->feeds[i].page);
    }
    free (self->feeds);
    *self = (struct found){ 0 };
}

int64_t
feed_newest_us (const struct feed *feed)
{
    int64_t newest = FEED_NO_DATE;
    for (size_t i = 0; i < feed->entry_count; i++)
        newest = MAX_OF (newest, MAX_OF (feed->entries[i].published_us, feed->entries[i].updated_us));
    return newest;
}

/* ---- one more ---- */

static bool
is_aside (const char *url, const char *title)
{
    static const char *const marks[] = { "/comments", "/tag/", "/tags/", "/category/", "/author/" };
    bool aside = title && (strncasecmp (title, "comments ", 9) == 0 || strcasestr (title, "comments feed"));
    for (size_t i = 0; i < COUNT_OF (marks); i++)
        aside |= strcasestr (url, marks[i]) != NULL;
    return aside;
}

/* The same entries in another format, or by another address, are the same feed. */
static char *
mark_of (const struct feed *feed)
{
    const struct feed_entry *first = feed->entry_count ? &feed->entries[0] : NULL;
    const char *name = !first ? feed->title : first->url ? first->url : first->id ? first->id : first->title;
    return mem_printf ("%zu %s", feed->entry_count, name ? name : "");
}

static bool
is_known (const struct found *self, const char *url, const char *mark)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp (self->feeds[i].url, url) == 0 || strcmp (self->feeds[i].mark, mark) == 0)
            return true;
    return false;
}

/* The address to keep: what was asked for, unless it has moved for good. title: what the page calls it; may be NULL. */
static void
add_feed (struct found *self, const char *asked, const struct fetched *got, const struct feed *feed, const char *title)
{
    const char *url = got->moved_permanently ? got->url : asked;
    char *mark = mark_of (feed);
    if (is_known (self, url, mark)) {
        free (mark);
        return;
    }
    self->feeds = mem_grow (self->feeds, self->count + 1, sizeof *self->feeds);
    self->feeds[self->count++] = (struct found_feed){
        .url = mem_dup (url),
        .title = mem_dup (feed->title ? feed->title : title),
        .format = feed->format,
        .entries = feed->entry_count,
        .newest_us = feed_newest_us (feed),
        .mark = mark,
        .page = mem_dup (feed->link),
        .aside = is_aside (url, title ? title : feed->title),
    };
}

static bool
take (struct found *self, const char *asked, const struct fetched *got, const char *title, char reason[FEED_REASON_SIZE])
{
    struct feed_hints hints = { got->url, got->content_type };
    struct feed *feed = NULL;
    if (got->error != HTTP_OK || got->status != 200
        || feed_parse (got->body.data ? got->body.data : "", got->body.len, &hints, &feed, reason) < 0)
        return false;
    add_feed (self, asked, got, feed, title);
    feed_destroy (&feed);
    return true;
}

static void
try_links (const struct settings *settings, const struct links *links, struct found *self)
{
    static const char *const headers[] = { FETCH_ACCEPT, NULL };
    struct fetch_wish *wishes = mem_alloc ((links->count + 1) * sizeof *wishes);
    struct fetched *got = mem_alloc ((links->count + 1) * sizeof *got);
    char reason[FEED_REASON_SIZE];
    for (size_t i = 0; i < links->count; i++)
        wishes[i] = (struct fetch_wish){ links->items[i].url, headers, (size_t) settings->fetcher_max_body };
    fetch_all (settings, wishes, links->count, got);
    for (size_t i = 0; i < links->count; i++) {
        take (self, links->items[i].url, &got[i], links->items[i].title, reason);
        fetched_fini (&got[i]);
    }
    free (wishes);
    free (got);
}

/* ---- which one ---- */

/* Without scheme, "www." and a slash at the end, which people and feeds write as they like. */
static bool
same_page (const char *a, const char *b)
{
    const char *pages[] = { a, b };
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        const char *host = pages[i] ? strstr (pages[i], "://") : NULL;
        if (!host)
            return false;
        pages[i] = host + 3 + (strncasecmp (host + 3, "www.", 4) == 0 ? 4 : 0);
        bytes[i] = strcspn (pages[i], "?#");
        bytes[i] -= bytes[i] && pages[i][bytes[i] - 1] == '/';
    }
    return bytes[0] == bytes[1] && strncasecmp (pages[0], pages[1], bytes[0]) == 0;
}

/* The only one that is not aside; of several, the only one that says it is the feed of this page. */
static void
choose (struct found *self, const char *page)
{
    size_t main_count = 0, page_count = 0;
    const struct found_feed *of_main = NULL, *of_page = NULL;
    for (size_t i = 0; i < self->count; i++) {
        const struct found_feed *feed = &self->feeds[i];
        if (feed->aside && self->count > 1)
            continue;
        main_count++;
        of_main = feed;
        if (same_page (feed->page, page)) {
            page_count++;
            of_page = feed;
        }
    }
    self->best = main_count == 1 ? of_main : page_count == 1 ? of_page : NULL;
}

/* ---- all of them ---- */

void
feed_find_on_page (const struct settings *settings, const char *url, const char *content_type, const struct buf *html,
                   struct found *self)
{
    struct links named, guessed, usual = { 0 };
    struct buf text = { 0 };
    charset_to_utf8 (html->data ? html->data : "", html->len, content_type, &text);
    links_read (text.data ? text.data : "", text.len, url, &named, &guessed);
    links_add_usual (&usual, url);
    const struct links *rounds[] = { &named, &guessed, &usual };
    for (size_t i = 0; i < COUNT_OF (rounds) && !self->count; i++)
        try_links (settings, rounds[i], self);
    choose (self, url);
    links_fini (&named);
    links_fini (&guessed);
    links_fini (&usual);
    buf_fini (&text);
}

void
feed_find (const struct settings *settings, const char *address, struct found *self)
{
    *self = (struct found){ 0 };
    char *whole = strstr (address, "://") || strchr (address, ':') ? mem_dup (address) : mem_printf ("https://%s", address);
    char *url = opml_web_address (whole), reason[FEED_REASON_SIZE] = "";
    struct fetched got = { 0 };
    if (!url)
        snprintf (self->reason, sizeof self->reason, "\"%s\" is no http:// or https:// address", address);
    else
        fetch (settings, url, (size_t) settings->fetcher_max_body, &got);
    if (url && got.error != HTTP_OK)
        snprintf (self->reason, sizeof self->reason, "%s cannot be fetched: %s", url, got.reason);
    else if (url && got.status != 200)
        snprintf (self->reason, sizeof self->reason, "%s: the server answers %ld", url, got.status);
    else if (url && !take (self, url, &got, NULL, reason)) {
        feed_find_on_page (settings, got.url, got.content_type, &got.body, self);
        if (!self->count)
            snprintf (self->reason, sizeof self->reason,
                      "%s is no feed (%s), names none, and there is none at the usual places", url, reason);
    } else if (url)
        self->best = &self->feeds[0];
    fetched_fini (&got);
    free (whole);
    free (url);
}
