/* json - JSON Feed 1.0 and 1.1 (jsonfeed.org/version/1.1). What has the wrong type counts as
 * absent.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/impl.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A string, or a number as one: version 1.0 allows ids to be either. given (free), or NULL */
static char *
text_of (const json_t *object, const char *key)
{
    const json_t *value = json_object_get (object, key);
    if (json_is_string (value))
        return feed_clean_text (json_string_value (value));
    if (json_is_number (value)) {
        char *text = json_dumps (value, JSON_ENCODE_ANY), *copy = mem_dup (text);
        free (text);
        return copy;
    }
    return NULL;
}

static char *
first_text (const json_t *object, const char *const *keys)
{
    char *text = NULL;
    for (; *keys && !text; keys++)
        text = text_of (object, *keys);
    return text;
}

static int64_t
date_of (const json_t *object, const char *key)
{
    const char *text = json_string_value (json_object_get (object, key));
    return text ? date_parse (text) : FEED_NO_DATE;
}

/* 1.1 has authors, 1.0 author; some write the bare name. */
static char *
author_of (const json_t *object)
{
    const json_t *list = json_object_get (object, "authors"), *author;
    size_t i;
    json_array_foreach (list, i, author) {
        char *name = text_of (author, "name");
        if (name)
            return name;
    }
    char *name = text_of (json_object_get (object, "author"), "name");
    return name ? name : text_of (object, "author");
}

static char *
title_of (const json_t *object)
{
    char *text = text_of (object, "title"), *title = feed_clean_line (text);
    free (text);
    return title;
}

static char *
address_of (const json_t *object, const char *key, const char *url)
{
    char *text = text_of (object, key), *address = url_resolve (url, text ? text : "");
    free (text);
    return address;
}

static void
read_item (const json_t *item, const char *url, struct feed *feed)
{
    static const char *const links[] = { "url", "external_url" };
    static const char *const contents[] = { "content_html", "content_text", NULL };
    struct feed_entry *entry = json_is_object (item) ? feed_add_entry (feed) : NULL;
    if (!entry)
        return;
    for (size_t i = 0; i < COUNT_OF (links) && !entry->url; i++)
        entry->url = address_of (item, links[i], url);
    entry->title = title_of (item);
    entry->id = text_of (item, "id");
    entry->author = author_of (item);
    entry->summary = text_of (item, "summary");
    entry->content = first_text (item, contents);
    entry->published_us = date_of (item, "date_published");
    entry->updated_us = date_of (item, "date_modified");
    const json_t *tag;
    size_t i;
    json_array_foreach (json_object_get (item, "tags"), i, tag)
        if (json_is_string (tag))
            feed_entry_add_category (entry, json_string_value (tag));
}

/* The version's URL says that it is one; 1.0's ancestors say so only by having items. */
static bool
is_feed (const json_t *document)
{
    const char *version = json_string_value (json_object_get (document, "version"));
    return json_is_array (json_object_get (document, "items")) ||
           (version && strstr (version, "jsonfeed.org"));
}

int
json_parse_feed (const char *text, size_t bytes, const char *url, struct feed *feed,
                 char reason[FEED_REASON_SIZE])
{
    json_error_t error;
    json_t *document = json_loadb (text, bytes, JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &error);
    if (!document) {
        snprintf (reason, FEED_REASON_SIZE, "it is not JSON: line %d: %.100s", error.line,
                  error.text);
        return -EBADMSG;
    }
    if (!is_feed (document)) {
        json_decref (document);
        snprintf (reason, FEED_REASON_SIZE, "it is JSON, but no feed: it has no items");
        return -EBADMSG;
    }
    feed->format = FEED_JSON;
    feed->title = title_of (document);
    feed->link = address_of (document, "home_page_url", url);
    feed->self = address_of (document, "feed_url", url);
    feed->hub = address_of (json_array_get (json_object_get (document, "hubs"), 0), "url", url);
    feed->language = text_of (document, "language");
    const json_t *item;
    size_t i;
    json_array_foreach (json_object_get (document, "items"), i, item)
        read_item (item, url, feed);
    json_decref (document);
    return 0;
}
