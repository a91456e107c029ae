/* meta - what a page says of its article: JSON-LD, OpenGraph and other <meta>, links, <html lang>, <time>. Several say the
 * same; a table row says how far each is trusted, and the most trusted wins, of equals the first.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/feed.h"
#include "page/impl.h"
#include "text/html.h"
#include "text/url.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIELD_BYTES_MAX 2000
#define JSON_BYTES_MAX ((size_t) 4 << 20) /* of one script */
#define JSON_DEPTH_MAX 6                  /* arrays and objects looked into for the article */
#define EARLIEST_US (INT64_C (-315619200) * US_PER_S) /* 1960; what is older is no date of a web page */
#define LATEST_US (INT64_C (4102444800) * US_PER_S)   /* 2100 */

enum field { FIELD_TITLE, FIELD_AUTHOR, FIELD_URL, FIELD_LANGUAGE, FIELD_DATE, FIELD_BODY, FIELD_COUNT };

struct draft {
    char *values[FIELD_COUNT];
    int ranks[FIELD_COUNT]; /* 0: nothing yet */
};

static void
set_field (struct draft *draft, enum field field, int rank, const char *value)
{
    if (!value || rank <= draft->ranks[field])
        return;
    char *plain = html_is_markup (value) ? html_to_text (value, strlen (value)) : mem_dup (value);
    char *text = field == FIELD_BODY ? utf8_trim (plain, 0) : text_fold (plain, MIN_OF (strlen (plain), FIELD_BYTES_MAX));
    char *clean = text ? utf8_clean (text, strlen (text), 0) : NULL;
    free (plain);
    free (text);
    if (!clean)
        return;
    if (field == FIELD_DATE && date_parse (clean) == FEED_NO_DATE) {
        free (clean);
        return;
    }
    free (draft->values[field]);
    draft->values[field] = clean;
    draft->ranks[field] = rank;
}

static bool
is_link (const char *text)
{
    return strncasecmp (text, "http", 4) == 0 || text[0] == '/' || text[0] == '@';
}

static void
set_author (struct draft *draft, int rank, const char *value)
{
    if (value && !is_link (value)) /* a profile is no name */
        set_field (draft, FIELD_AUTHOR, rank, value);
}

/* ---- JSON-LD ---- */

static const char *
text_member (const json_t *object, const char *key)
{
    const json_t *value = json_object_get (object, key);
    if (json_is_array (value))
        value = json_array_get (value, 0);
    return json_string_value (value);
}

static bool
is_article_type (const char *type)
{
    static const char *const ends[] = { "Article", "Posting", "Report", "Review", "Recipe", "Blog" };
    size_t bytes = strlen (type);
    for (size_t i = 0; i < COUNT_OF (ends); i++) {
        size_t n = strlen (ends[i]);
        if (bytes >= n && strcmp (type + bytes - n, ends[i]) == 0)
            return true;
    }
    return false;
}

static bool
is_article (const json_t *object)
{
    const json_t *type = json_object_get (object, "@type"), *one;
    if (json_is_string (type))
        return is_article_type (json_string_value (type));
    size_t i;
    json_array_foreach (type, i, one)
        if (json_is_string (one) && is_article_type (json_string_value (one)))
            return true;
    return false;
}

/* The object of that @id in the graph, which some use in place of the object. */
static const json_t *
find_id (const json_t *graph, const char *id)
{
    const json_t *one;
    size_t i;
    json_array_foreach (graph, i, one) {
        const char *own = json_string_value (json_object_get (one, "@id"));
        if (own && strcmp (own, id) == 0)
            return one;
    }
    return NULL;
}

static void
add_person (struct buf *names, const json_t *person, const json_t *graph)
{
    const char *name = json_is_string (person) ? json_string_value (person) : text_member (person, "name");
    const char *id = name ? NULL : text_member (person, "@id");
    if (id)
        name = text_member (find_id (graph, id), "name");
    if (!name || is_link (name) || !name[0])
        return;
    if (names->len)
        buf_add_str (names, ", ");
    buf_add_str (names, name);
}

static void
read_people (struct draft *draft, const json_t *people, const json_t *graph, int rank)
{
    struct buf names = { 0 };
    if (json_is_array (people)) {
        const json_t *one;
        size_t i;
        json_array_foreach (people, i, one)
            add_person (&names, one, graph);
    } else
        add_person (&names, people, graph);
    if (names.len)
        set_author (draft, rank, names.data);
    buf_fini (&names);
}

static void
read_article (struct draft *draft, const json_t *article, const json_t *graph)
{
    set_field (draft, FIELD_TITLE, 90, text_member (article, "headline"));
    set_field (draft, FIELD_DATE, 90, text_member (article, "datePublished"));
    set_field (draft, FIELD_LANGUAGE, 50, text_member (article, "inLanguage"));
    set_field (draft, FIELD_URL, 50, text_member (article, "url"));
    set_field (draft, FIELD_BODY, 90, text_member (article, "articleBody"));
    read_people (draft, json_object_get (article, "author"), graph, 90);
}

static void
read_json (struct draft *draft, const json_t *value, const json_t *graph, unsigned depth)
{
    if (depth > JSON_DEPTH_MAX)
        return;
    if (json_is_array (value)) {
        const json_t *one;
        size_t i;
        json_array_foreach (value, i, one)
            read_json (draft, one, graph ? graph : value, depth + 1);
        return;
    }
    if (is_article (value))
        read_article (draft, value, graph);
    const json_t *inner = json_object_get (value, "@graph");
    if (inner)
        read_json (draft, inner, inner, depth + 1);
    inner = json_object_get (value, "mainEntity");
    if (inner)
        read_json (draft, inner, graph, depth + 1);
}

static void
read_script (struct draft *draft, const struct tree *tree, size_t node)
{
    uint32_t text = tree->nodes[node].end > node + 1 ? (uint32_t) node + 1 : 0;
    if (!text || tree->nodes[text].text_bytes > JSON_BYTES_MAX)
        return;
    char *json = mem_copy (tree->text.data + tree->nodes[text].text, tree->nodes[text].text_bytes);
    for (char *p = json; *p; p++)
        if ((unsigned char) *p < 0x20)
            *p = ' '; /* a line break within a string is the commonest fault */
    char *start = strpbrk (json, "{[");
    json_t *value = start ? json_loads (start, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL) : NULL;
    read_json (draft, value, NULL, 0);
    json_decref (value);
    free (json);
}

/* ---- elements ---- */

static const struct meta_row {
    const char *name;
    enum field field;
    int rank;
} meta_rows[] = {
    { "article:author", FIELD_AUTHOR, 70 },
    { "article:published_time", FIELD_DATE, 80 },
    { "author", FIELD_AUTHOR, 80 },
    { "byl", FIELD_AUTHOR, 60 },
    { "content-language", FIELD_LANGUAGE, 30 },
    { "date", FIELD_DATE, 50 },
    { "datepublished", FIELD_DATE, 75 },
    { "dc.creator", FIELD_AUTHOR, 60 },
    { "dc.date.issued", FIELD_DATE, 60 },
    { "dc.language", FIELD_LANGUAGE, 30 },
    { "dc.title", FIELD_TITLE, 40 },
    { "dcterms.created", FIELD_DATE, 50 },
    { "headline", FIELD_TITLE, 60 },
    { "og:article:published_time", FIELD_DATE, 75 },
    { "og:locale", FIELD_LANGUAGE, 20 },
    { "og:title", FIELD_TITLE, 80 },
    { "og:url", FIELD_URL, 60 },
    { "parsely-author", FIELD_AUTHOR, 75 },
    { "parsely-pub-date", FIELD_DATE, 70 },
    { "parsely-title", FIELD_TITLE, 70 },
    { "pubdate", FIELD_DATE, 60 },
    { "publish-date", FIELD_DATE, 60 },
    { "sailthru.author", FIELD_AUTHOR, 70 },
    { "sailthru.date", FIELD_DATE, 60 },
    { "sailthru.title", FIELD_TITLE, 60 },
    { "twitter:title", FIELD_TITLE, 50 },
};

static void
read_meta (struct draft *draft, const struct tree *tree, size_t node)
{
    static const char *const keys[] = { "property", "name", "itemprop", "http-equiv" };
    const char *content = tree_attribute (tree, node, "content");
    for (size_t i = 0; i < COUNT_OF (keys) && content; i++) {
        const char *key = tree_attribute (tree, node, keys[i]);
        for (size_t j = 0; j < COUNT_OF (meta_rows) && key; j++) {
            const struct meta_row *row = &meta_rows[j];
            if (strcasecmp (key, row->name) != 0)
                continue;
            if (row->field == FIELD_AUTHOR)
                set_author (draft, row->rank, content);
            else
                set_field (draft, row->field, row->rank, content);
        }
    }
}

static void
read_link (struct draft *draft, const struct tree *tree, size_t node)
{
    const char *rel = tree_attribute (tree, node, "rel");
    if (rel && strcasecmp (rel, "canonical") == 0)
        set_field (draft, FIELD_URL, 90, tree_attribute (tree, node, "href"));
}

/* Of a <time> only what says that it is the publication's; pages are full of others. */
static void
read_time (struct draft *draft, const struct tree *tree, size_t node)
{
    const char *property = tree_attribute (tree, node, "itemprop"), *names = tree_attribute (tree, node, "class");
    bool marked = (property && strcasecmp (property, "datePublished") == 0) || tree_attribute (tree, node, "pubdate");
    bool named = names && (strstr (names, "published") || strstr (names, "entry-date"));
    if (marked || named)
        set_field (draft, FIELD_DATE, marked ? 65 : 40, tree_attribute (tree, node, "datetime"));
}

static void
read_text (struct draft *draft, const struct tree *tree, size_t node, enum field field, int rank)
{
    if (draft->ranks[field] >= rank)
        return;
    char *text = tree_text (tree, node);
    if (text)
        set_field (draft, field, rank, text);
    free (text);
}

static void
read_element (struct draft *draft, const struct tree *tree, size_t node)
{
    switch ((enum tag) tree->nodes[node].tag) {
    case TAG_HTML:
        set_field (draft, FIELD_LANGUAGE, 90, tree_attribute (tree, node, "lang"));
        break;
    case TAG_META:
        read_meta (draft, tree, node);
        break;
    case TAG_LINK:
        read_link (draft, tree, node);
        break;
    case TAG_TIME:
        read_time (draft, tree, node);
        break;
    case TAG_TITLE:
        read_text (draft, tree, node, FIELD_TITLE, 30);
        break;
    case TAG_H1:
        read_text (draft, tree, node, FIELD_TITLE, 35);
        break;
    case TAG_SCRIPT:
        read_script (draft, tree, node);
        break;
    default:
        break;
    }
}

/* Whether url's path is that of a site's front page. */
static bool
is_front (const char *url)
{
    const char *host = strstr (url, "://"), *path = host ? strchr (host + 3, '/') : NULL;
    return host && (!path || strcmp (path, "/") == 0);
}

static char *
absolute_url (const struct tree *tree, const char *page_url, const char *url)
{
    const char *href = NULL;
    for (size_t i = 1; i < tree->count && !href; i++)
        if (tree->nodes[i].tag == TAG_BASE)
            href = tree_attribute (tree, i, "href");
    char *base = href && href[0] ? url_resolve (page_url, href) : mem_dup (page_url), *resolved = url_resolve (base, url);
    bool wrong = resolved && page_url && is_front (resolved) && !is_front (page_url); /* all pages of some sites say so */
    free (base);
    if (wrong) {
        free (resolved);
        return NULL;
    }
    return resolved;
}

void
meta_read (const struct tree *tree, const char *url, struct page *page, char **ret_body)
{
    struct draft draft = { 0 };
    for (size_t i = 1; i < tree->count; i++)
        read_element (&draft, tree, i);
    page->title = draft.values[FIELD_TITLE];
    page->author = draft.values[FIELD_AUTHOR];
    page->language = draft.values[FIELD_LANGUAGE];
    for (char *p = page->language; p && *p; p++)
        *p = *p == '_' ? '-' : *p;
    page->canonical_url = draft.values[FIELD_URL] ? absolute_url (tree, url, draft.values[FIELD_URL]) : NULL;
    int64_t date = draft.values[FIELD_DATE] ? date_parse (draft.values[FIELD_DATE]) : FEED_NO_DATE;
    page->published_us = date > EARLIEST_US && date < LATEST_US ? date : PAGE_NO_DATE;
    *ret_body = draft.values[FIELD_BODY];
    free (draft.values[FIELD_URL]);
    free (draft.values[FIELD_DATE]);
}
