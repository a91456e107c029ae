/* xml - RSS, RDF and Atom. libxml2 reads the document, first as it is, then, if it is not well
 * formed, as repair.c rewrites it. What an element means is one row of a table: one table for each
 * format, and one for the extensions that occur in all.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/impl.h"
#include "feed/schedule.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* What an entry can hold once; of several candidates the best rank wins, of equal ones
 * the first, of dates the last. */
enum field {
    FIELD_TITLE,
    FIELD_URL,
    FIELD_ID,
    FIELD_PUBLISHED,
    FIELD_UPDATED,
    FIELD_AUTHOR,
    FIELD_SUMMARY,
    FIELD_CONTENT,
    FIELD_CATEGORY, /* any number of them */
    FIELD_COUNT,
};

struct reader {
    struct feed *feed;
    const char *url; /* of the document; may be NULL */
    const struct format *format; /* NULL until known */
    uint64_t scope_looks; /* of libxml2, at namespaces in scope */
};

/* What a root element makes of the document; one table at the end of this file. */
struct format {
    const char *root;
    enum feed_format format;
    const struct row *rows;
    size_t row_count;
    const char *entry;
    void (*read) (struct reader *reader, const xmlNode *root);
};

struct draft {
    const struct reader *reader;
    struct feed_entry *entry;
    int rank[FIELD_COUNT]; /* of what the field holds; 0: nothing yet */
};

#define SECOND_TEXT_RANK 10 /* of a second summary, which counts as content */

struct row {
    enum xml_ns ns;
    const char *name;
    void (*read) (struct draft *draft, const xmlNode *node, const struct row *row);
    enum field field;
    int rank;
};

/* ---- setting fields ---- */

static char **
text_field (struct feed_entry *entry, enum field field)
{
    switch (field) {
    case FIELD_TITLE:
        return &entry->title;
    case FIELD_URL:
        return &entry->url;
    case FIELD_ID:
        return &entry->id;
    case FIELD_AUTHOR:
        return &entry->author;
    case FIELD_SUMMARY:
        return &entry->summary;
    case FIELD_CONTENT:
        return &entry->content;
    default:
        return NULL;
    }
}

/* value: taken by value, freed if not used. */
static void
set_text (struct draft *draft, enum field field, int rank, char *value)
{
    char **slot = text_field (draft->entry, field);
    if (!value || rank <= draft->rank[field]) {
        free (value);
        return;
    }
    free (*slot);
    *slot = value;
    draft->rank[field] = rank;
}

static void
set_date (struct draft *draft, enum field field, int rank, int64_t date_us)
{
    int64_t *slot =
        field == FIELD_PUBLISHED ? &draft->entry->published_us : &draft->entry->updated_us;
    if (date_us == FEED_NO_DATE || rank < draft->rank[field])
        return;
    *slot = date_us;
    draft->rank[field] = rank;
}

/* ---- readers, named in the tables ---- */

static void
read_title (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *markup = value_markup (node);
    set_text (draft, row->field, row->rank, feed_clean_headline (markup));
    free (markup);
}

/* RSS has one of them by rights; with both, the first is the summary and the other the text. */
static void
read_description (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *markup = value_markup (node), *text = feed_clean_text (markup);
    bool second = draft->rank[FIELD_SUMMARY] == row->rank;
    set_text (draft, second ? FIELD_CONTENT : FIELD_SUMMARY, second ? SECOND_TEXT_RANK : row->rank, text);
    free (markup);
}

static void
read_html (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *markup = value_markup (node);
    set_text (draft, row->field, row->rank, feed_clean_text (markup));
    free (markup);
}

static char *
construct_title (const xmlNode *node)
{
    enum value_kind kind;
    char *value = value_construct (node, &kind);
    char *title = kind == VALUE_PLAIN ? feed_clean_line (value) : feed_clean_title (value);
    free (value);
    return title;
}

static void
read_construct_title (struct draft *draft, const xmlNode *node, const struct row *row)
{
    set_text (draft, row->field, row->rank, construct_title (node));
}

static void
read_construct (struct draft *draft, const xmlNode *node, const struct row *row)
{
    enum value_kind kind;
    char *value = value_construct (node, &kind);
    set_text (draft, row->field, row->rank, feed_clean_text (value));
    free (value);
}

/* Some publishers let HTML's time element into a date; what it shows is local time without its zone. */
static char *
date_text (const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (n->type == XML_ELEMENT_NODE && strcmp ((const char *) n->name, "time") == 0) {
            char *text = value_attribute (n, "datetime");
            if (text)
                return text;
        }
    return value_text (node);
}

static void
read_date (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = date_text (node);
    set_date (draft, row->field, row->rank, date_parse (text));
    free (text);
}

static void
read_author (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = value_text (node);
    set_text (draft, row->field, row->rank, feed_clean_author (text));
    free (text);
}

static char *
child_text (const xmlNode *node, const char *name)
{
    for (const xmlNode *n = node->children; n; n = n->next) {
        const char *local;
        if (n->type != XML_ELEMENT_NODE)
            continue;
        (void) value_name (n, &local); /* any namespace: these occur in several */
        if (strcasecmp (local, name) != 0)
            continue;
        char *text = value_text (n), *line = feed_clean_line (text);
        free (text);
        if (line)
            return line;
    }
    return NULL;
}

/* An Atom person; a bare name, as RSS has it, does too. given (free), or NULL */
static char *
person_name (const xmlNode *node)
{
    char *name = child_text (node, "name");
    if (!name)
        name = child_text (node, "email");
    if (!name && !value_has_elements (node)) {
        char *text = value_text (node);
        name = feed_clean_author (text);
        free (text);
    }
    return name;
}

static void
read_person (struct draft *draft, const xmlNode *node, const struct row *row)
{
    set_text (draft, row->field, row->rank, person_name (node));
}

static char *
resolve (const struct reader *reader, const xmlNode *node, const char *reference)
{
    char *base = value_base (node, reader->url);
    char *url = url_resolve (base, reference);
    free (base);
    return url;
}

/* Of several the last, as most readers have it. */
static void
set_link (struct draft *draft, int rank, char *url)
{
    if (url && draft->rank[FIELD_URL] == rank)
        draft->rank[FIELD_URL] = 0;
    set_text (draft, FIELD_URL, rank, url);
}

static void
read_link (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = value_text (node), *trimmed = feed_clean_text (text);
    if (!trimmed)
        trimmed = value_attribute (node, "href");
    set_link (draft, row->rank, trimmed ? resolve (draft->reader, node, trimmed) : NULL);
    free (text);
    free (trimmed);
}

/* The alternate link; as a last resort the entry itself. */
static void
read_atom_link (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *rel = value_attribute (node, "rel"), *href = value_attribute (node, "href");
    bool alternate = !rel || !rel[0] || strcasecmp (rel, "alternate") == 0 ||
                     strcasecmp (rel, "http://www.iana.org/assignments/relation/alternate") == 0;
    int rank = alternate ? row->rank : strcasecmp (rel, "self") == 0 ? 1 : 0;
    if (href && rank) /* an empty link means xml:base itself, though never the feed's own address */
        set_text (draft, row->field, rank,
                  href[0] ? resolve (draft->reader, node, href) : value_base (node, NULL));
    else if (!href && alternate)
        read_link (draft, node, row);
    free (rel);
    free (href);
}

static bool
is_web_address (const char *text)
{
    return strncasecmp (text, "http://", 7) == 0 || strncasecmp (text, "https://", 8) == 0;
}

/* RSS: an id that is a permanent link too, unless it says otherwise. */
static void
read_guid (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = value_markup (node), *id = feed_clean_text (text);
    char *permanent = value_attribute (node, "isPermaLink");
    if (id && (!permanent || strcasecmp (permanent, "true") == 0) && is_web_address (id))
        set_text (draft, FIELD_URL, row->rank / 2, mem_dup (id));
    set_text (draft, row->field, row->rank, id);
    free (permanent);
    free (text);
}

static void
read_id (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = value_text (node);
    set_text (draft, row->field, row->rank, feed_clean_text (text));
    free (text);
}

/* Atom: an id may be relative to xml:base, though never to the document. One that is a web address
 * is the entry's where it has no link. */
static void
read_atom_id (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *text = value_text (node), *base = value_base (node, NULL);
    char *id = url_resolve (base, text);
    if (id && is_web_address (id))
        set_text (draft, FIELD_URL, 1, mem_dup (id));
    set_text (draft, row->field, row->rank, id);
    free (base);
    free (text);
}

static void
read_category (struct draft *draft, const xmlNode *node, const struct row *row UNUSED)
{
    char *text = value_text (node);
    feed_entry_add_category (draft->entry, text);
    free (text);
}

static void
read_term (struct draft *draft, const xmlNode *node, const struct row *row)
{
    char *term = value_attribute (node, "term");
    if (!term)
        term = value_attribute (node, "label");
    if (term)
        feed_entry_add_category (draft->entry, term);
    else
        read_category (draft, node, row);
    free (term);
}

static void read_within (struct draft *draft, const xmlNode *node, const struct row *row);

/* ---- the tables ---- */

#define OWN                                                                                        \
    XML_NS_NONE /* the format's own elements: its namespaces are mapped to none (own_namespace) */

static const struct row rss_rows[] = {
    { OWN, "title", read_title, FIELD_TITLE, 90 },
    { OWN, "link", read_link, FIELD_URL, 90 },
    { OWN, "guid", read_guid, FIELD_ID, 90 },
    { OWN, "description", read_description, FIELD_SUMMARY, 90 },
    { OWN, "summary", read_description, FIELD_SUMMARY, 90 },
    { OWN, "body", read_html, FIELD_CONTENT, 60 },
    { OWN, "fullitem", read_html, FIELD_CONTENT, 60 },
    { OWN, "pubDate", read_date, FIELD_PUBLISHED, 90 },
    { OWN, "author", read_person, FIELD_AUTHOR, 80 },
    { OWN, "category", read_category, FIELD_CATEGORY, 1 },
};

static const struct row rdf_rows[] = {
    { OWN, "title", read_title, FIELD_TITLE, 90 },
    { OWN, "link", read_link, FIELD_URL, 90 },
    { OWN, "guid", read_guid, FIELD_ID, 50 },
    { OWN, "description", read_html, FIELD_SUMMARY, 90 },
    { OWN, "pubDate", read_date, FIELD_PUBLISHED, 90 },
    { OWN, "author", read_author, FIELD_AUTHOR, 80 },
    { OWN, "category", read_category, FIELD_CATEGORY, 1 },
};

/* 0.3: issued, modified, created. 1.0: published, updated. */
static const struct row atom_rows[] = {
    { OWN, "title", read_construct_title, FIELD_TITLE, 90 },
    { OWN, "link", read_atom_link, FIELD_URL, 90 },
    { OWN, "id", read_atom_id, FIELD_ID, 90 },
    { OWN, "summary", read_construct, FIELD_SUMMARY, 90 },
    { OWN, "content", read_construct, FIELD_CONTENT, 90 },
    { OWN, "published", read_date, FIELD_PUBLISHED, 90 },
    { OWN, "issued", read_date, FIELD_PUBLISHED, 80 },
    { OWN, "created", read_date, FIELD_PUBLISHED, 70 },
    { OWN, "updated", read_date, FIELD_UPDATED, 90 },
    { OWN, "modified", read_date, FIELD_UPDATED, 80 },
    { XML_NS_DC, "date", read_date, FIELD_UPDATED, 60 },
    { OWN, "author", read_person, FIELD_AUTHOR, 90 },
    { OWN, "category", read_term, FIELD_CATEGORY, 1 },
};

static const struct row extension_rows[] = {
    { XML_NS_ATOM, "title", read_construct_title, FIELD_TITLE, 40 },
    { XML_NS_ATOM, "link", read_atom_link, FIELD_URL, 40 },
    { XML_NS_ATOM, "id", read_atom_id, FIELD_ID, 40 },
    { XML_NS_ATOM, "summary", read_construct, FIELD_SUMMARY, 40 },
    { XML_NS_ATOM, "content", read_construct, FIELD_CONTENT, 40 },
    { XML_NS_ATOM, "published", read_date, FIELD_PUBLISHED, 40 },
    { XML_NS_ATOM, "issued", read_date, FIELD_PUBLISHED, 35 },
    { XML_NS_ATOM, "updated", read_date, FIELD_UPDATED, 90 },
    { XML_NS_ATOM, "modified", read_date, FIELD_UPDATED, 80 },
    { XML_NS_ATOM, "author", read_person, FIELD_AUTHOR, 40 },
    { XML_NS_ATOM, "category", read_term, FIELD_CATEGORY, 1 },
    { XML_NS_DC, "title", read_title, FIELD_TITLE, 30 },
    { XML_NS_DC, "description", read_html, FIELD_SUMMARY, 30 },
    { XML_NS_DC, "identifier", read_id, FIELD_ID, 20 },
    { XML_NS_DC, "date", read_date, FIELD_PUBLISHED, 60 },
    { XML_NS_DC, "creator", read_author, FIELD_AUTHOR, 70 },
    { XML_NS_DC, "author", read_author, FIELD_AUTHOR, 60 },
    { XML_NS_DC, "subject", read_category, FIELD_CATEGORY, 1 },
    { XML_NS_DCTERMS, "issued", read_date, FIELD_PUBLISHED, 50 },
    { XML_NS_DCTERMS, "date", read_date, FIELD_PUBLISHED, 25 },
    { XML_NS_DCTERMS, "modified", read_date, FIELD_UPDATED, 60 },
    { XML_NS_CONTENT, "encoded", read_html, FIELD_CONTENT, 80 },
    { XML_NS_XHTML, "body", read_html, FIELD_CONTENT, 60 },
    { XML_NS_XHTML, "div", read_html, FIELD_CONTENT, 50 },
    { XML_NS_ITUNES, "title", read_title, FIELD_TITLE, 20 },
    { XML_NS_ITUNES, "author", read_author, FIELD_AUTHOR, 50 },
    { XML_NS_ITUNES, "summary", read_html, FIELD_SUMMARY, 20 },
    { XML_NS_ITUNES, "subtitle", read_html, FIELD_SUMMARY, 10 },
    { XML_NS_PLAY, "author", read_author, FIELD_AUTHOR, 45 },
    { XML_NS_PLAY, "description", read_html, FIELD_SUMMARY, 18 },
    { XML_NS_GOOGLE, "title", read_title, FIELD_TITLE, 15 },
    { XML_NS_GOOGLE, "link", read_link, FIELD_URL, 15 },
    { XML_NS_GOOGLE, "id", read_id, FIELD_ID, 15 },
    { XML_NS_GOOGLE, "description", read_html, FIELD_SUMMARY, 14 },
    { XML_NS_MEDIA, "title", read_title, FIELD_TITLE, 10 },
    { XML_NS_MEDIA, "description", read_html, FIELD_SUMMARY, 15 },
    { XML_NS_MEDIA, "category", read_category, FIELD_CATEGORY, 1 },
    { XML_NS_MEDIA, "group", read_within, FIELD_COUNT, 0 },
    { XML_NS_MEDIA, "content", read_within, FIELD_COUNT, 0 },
};

static const struct row *
find_row (const struct row *rows, size_t count, enum xml_ns ns, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].ns == ns && strcasecmp (rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

/* ---- walking the document ---- */

/* An element's name with the format's own namespaces mapped to none. */
static enum xml_ns
own_namespace (const struct reader *reader, const xmlNode *node, const char **ret_local)
{
    enum xml_ns ns = value_name (node, ret_local);
    bool own = reader->feed->format == FEED_ATOM ? ns == XML_NS_ATOM : ns == XML_NS_RSS;
    return own ? XML_NS_NONE : ns;
}

static bool
is_own (const struct reader *reader, const xmlNode *node, const char *name)
{
    const char *local;
    return node->type == XML_ELEMENT_NODE && own_namespace (reader, node, &local) == XML_NS_NONE &&
           strcasecmp (local, name) == 0;
}

static const xmlNode *
find_child (const struct reader *reader, const xmlNode *node, const char *name)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (is_own (reader, n, name))
            return n;
    return NULL;
}

static const struct row *
row_of (const struct reader *reader, const xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE)
        return NULL;
    const char *name;
    enum xml_ns ns = own_namespace (reader, node, &name);
    const struct row *row = find_row (reader->format->rows, reader->format->row_count, ns, name);
    return row ? row : find_row (extension_rows, COUNT_OF (extension_rows), ns, name);
}

static void
read_fields (struct draft *draft, const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next) {
        const struct row *row = row_of (draft->reader, n);
        if (row)
            row->read (draft, n, row);
    }
}

/* Media RSS groups what describes the entry. */
static void
read_within (struct draft *draft, const xmlNode *node, const struct row *row UNUSED)
{
    read_fields (draft, node);
}

/* An Atom entry without author has its source's. */
static void
read_source_author (struct draft *draft, const xmlNode *node)
{
    const xmlNode *source = find_child (draft->reader, node, "source");
    const xmlNode *author = source ? find_child (draft->reader, source, "author") : NULL;
    if (author)
        set_text (draft, FIELD_AUTHOR, 1, person_name (author));
}

/* RSS 1.0: the resource an item is about is its id. */
static void
read_about (struct draft *draft, const xmlNode *node)
{
    char *about = value_attribute (node, "about");
    set_text (draft, FIELD_ID, 80, feed_clean_text (about));
    free (about);
}

static void
read_entry (const struct reader *reader, const xmlNode *node)
{
    struct draft draft = { .reader = reader, .entry = feed_add_entry (reader->feed) };
    if (!draft.entry)
        return;
    read_fields (&draft, node);
    if (reader->feed->format == FEED_ATOM)
        read_source_author (&draft, node);
    if (reader->feed->format == FEED_RDF)
        read_about (&draft, node);
}

static void
read_entries (const struct reader *reader, const xmlNode *node, const char *name)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (is_own (reader, n, name))
            read_entry (reader, n);
}

/* What the rows call a title of an entry is one of a feed. */
static char *
feed_title (const struct reader *reader, const xmlNode *node)
{
    struct feed_entry entry = { 0 };
    struct draft draft = { .reader = reader, .entry = &entry };
    for (const xmlNode *n = node->children; n; n = n->next) {
        const struct row *row = row_of (reader, n);
        if (row && row->field == FIELD_TITLE)
            row->read (&draft, n, row);
    }
    char *title = reader->feed->format == FEED_ATOM ? mem_dup (entry.title) : feed_clean_title (entry.title);
    free (entry.title);
    return title;
}

/* ---- what the feed says of itself ---- */

/* value: taken by value, freed if there is one already. */
static void
set_fact (char **slot, char *value)
{
    if (*slot)
        free (value);
    else
        *slot = value;
}

/* Text is the site's page (RSS), href whatever rel says (Atom, also in RSS). */
static void
read_feed_link (const struct reader *reader, const xmlNode *node)
{
    struct feed *feed = reader->feed;
    char *href = value_attribute (node, "href"), *rel = value_attribute (node, "rel");
    char *text = href ? NULL : value_text (node);
    const char *kind = rel && rel[0] ? rel : "alternate";
    char **slot = strcasecmp (kind, "alternate") == 0 ? &feed->link
                  : strcasecmp (kind, "self") == 0    ? &feed->self
                  : strcasecmp (kind, "hub") == 0     ? &feed->hub
                                                      : NULL;
    if (slot)
        set_fact (slot, resolve (reader, node, href ? href : text));
    free (text);
    free (rel);
    free (href);
}

static void
read_language (const struct reader *reader, const xmlNode *node)
{
    char *text = value_text (node);
    set_fact (&reader->feed->language, feed_clean_line (text));
    free (text);
}

static void
read_ttl (const struct reader *reader, const xmlNode *node)
{
    char *text = value_text (node);
    reader->feed->ttl_s = schedule_ttl_s (text);
    free (text);
}

/* Both elements make one figure; whichever comes looks for the other. */
static void
read_update (const struct reader *reader, const xmlNode *node)
{
    char *period = child_text (node->parent, "updatePeriod");
    char *frequency = child_text (node->parent, "updateFrequency");
    reader->feed->update_period_s = schedule_period_s (period, frequency);
    free (frequency);
    free (period);
}

static void
read_skipped (const struct reader *reader, const xmlNode *node)
{
    for (const xmlNode *n = node->children; n; n = n->next) {
        char *text = n->type == XML_ELEMENT_NODE ? value_text (n) : NULL;
        if (text && is_own (reader, n, "hour"))
            reader->feed->skip_hours |= schedule_hour_bit (text);
        if (text && is_own (reader, n, "day"))
            reader->feed->skip_days |= schedule_day_bit (text);
        free (text);
    }
}

static const struct {
    enum xml_ns ns;
    const char *name;
    void (*read) (const struct reader *reader, const xmlNode *node);
} facts[] = {
    { OWN, "link", read_feed_link },
    { XML_NS_ATOM, "link", read_feed_link },
    { OWN, "language", read_language },
    { XML_NS_DC, "language", read_language },
    { OWN, "ttl", read_ttl },
    { OWN, "skipHours", read_skipped },
    { OWN, "skipDays", read_skipped },
    { XML_NS_SYNDICATION, "updatePeriod", read_update },
    { XML_NS_SYNDICATION, "updateFrequency", read_update },
};

/* node: the channel, or Atom's root. */
static void
read_facts (const struct reader *reader, const xmlNode *node)
{
    reader->feed->title = feed_title (reader, node);
    for (const xmlNode *n = node->children; n; n = n->next) {
        const char *name = NULL;
        enum xml_ns ns = n->type == XML_ELEMENT_NODE ? own_namespace (reader, n, &name) : 0;
        for (size_t i = 0; i < COUNT_OF (facts) && name; i++)
            if (facts[i].ns == ns && strcasecmp (facts[i].name, name) == 0)
                facts[i].read (reader, n);
    }
    for (; node->type == XML_ELEMENT_NODE; node = node->parent) {
        char *language = value_attribute (node, "lang");
        set_fact (&reader->feed->language, feed_clean_line (language));
        free (language);
    }
}

/* ---- the formats ---- */

/* Items stand in the channel (RSS 0.91 and later) or beside it (RDF, and strays). */
static void
read_channel_feed (struct reader *reader, const xmlNode *root)
{
    const xmlNode *channel = find_child (reader, root, "channel");
    read_facts (reader, channel ? channel : root);
    for (const xmlNode *n = root->children; n; n = n->next) {
        if (is_own (reader, n, "channel"))
            read_entries (reader, n, "item");
        else if (is_own (reader, n, "item"))
            read_entry (reader, n);
    }
}

/* An entry without author has its feed's (RFC 4287, 4.2.1), wherever that stands. */
static void
read_atom_feed (struct reader *reader, const xmlNode *root)
{
    read_facts (reader, root);
    read_entries (reader, root, "entry");
    const xmlNode *author = find_child (reader, root, "author");
    char *name = author ? person_name (author) : NULL;
    for (size_t i = 0; i < reader->feed->entry_count && name; i++)
        if (!reader->feed->entries[i].author)
            reader->feed->entries[i].author = mem_dup (name);
    free (name);
}

static const struct format formats[] = {
    { "rss", FEED_RSS, rss_rows, COUNT_OF (rss_rows), "item", read_channel_feed },
    { "RDF", FEED_RDF, rdf_rows, COUNT_OF (rdf_rows), "item", read_channel_feed },
    { "feed", FEED_ATOM, atom_rows, COUNT_OF (atom_rows), "entry", read_atom_feed },
};

/* Roots are known by their local name, so varied are their namespaces. False if it is none of a feed. */
static bool
find_format (struct reader *reader, const xmlNode *root)
{
    const char *name;
    (void) value_name (root, &name);
    for (size_t i = 0; i < COUNT_OF (formats) && !reader->format; i++)
        if (strcasecmp (formats[i].root, name) == 0) {
            reader->format = &formats[i];
            reader->feed->format = formats[i].format;
        }
    return reader->format;
}

static int
read_root (struct reader *reader, const xmlNode *root, char reason[FEED_REASON_SIZE])
{
    if (!find_format (reader, root)) {
        const char *name;
        (void) value_name (root, &name);
        snprintf (reason, FEED_REASON_SIZE, "its root element is <%.40s>, not one of a feed", name);
        return -EBADMSG;
    }
    reader->format->read (reader, root);
    return 0;
}

/* ---- parsing ---- */

#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING)

/* Whether node, below root, is where entries stand: read_channel_feed and read_atom_feed look there too. */
static bool
is_entry (const struct reader *reader, const xmlNode *node, const xmlNode *root)
{
    const xmlNode *parent = node->parent;
    bool in_channel = parent && parent->parent == root && is_own (reader, parent, "channel") &&
                      reader->feed->format != FEED_ATOM;
    return (parent == root || in_channel) && is_own (reader, node, reader->format->entry);
}

static void
free_node (xmlNode *node)
{
    xmlUnlinkNode (node);
    xmlFreeNode (node);
}

/* Entries are read and freed as they end, so that no more than one stands in memory as a tree. */
static void
end_element (void *user, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *ctxt = user;
    struct reader *reader = ctxt->_private;
    xmlNode *node = ctxt->node;
    xmlSAX2EndElementNs (user, local, prefix, uri);
    const xmlNode *root = ctxt->myDoc ? xmlDocGetRootElement (ctxt->myDoc) : NULL;
    if (!node || !root || node == root || !find_format (reader, root) || !is_entry (reader, node, root))
        return;
    read_entry (reader, node);
    free_node (node);
    while (ctxt->node->last && ctxt->node->last->type == XML_TEXT_NODE) /* libxml2 would add to it */
        free_node (ctxt->node->last);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_ptr;
#else
typedef xmlError *error_ptr;
#endif

/* Stops at the first error that makes the document useless. libxml2 would go on, and copies all of
 * a comment for each fault in it. */
static void
stop_at_error (void *user, error_ptr error)
{
    if (error->level == XML_ERR_FATAL)
        xmlStopParser (user);
}

/* libxml2 looks at all the namespaces in scope for each element: so many looks are enough for any feed. */
#define SCOPE_LOOKS_MAX (UINT64_C (1) << 28)

static void
count_looks (void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int ns_count,
             const xmlChar **ns, int attribute_count, int defaulted, const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = user;
    struct reader *reader = ctxt->_private;
    reader->scope_looks += (uint64_t) ctxt->nsNr;
    xmlSAX2StartElementNs (ctxt, name, prefix, uri, ns_count, ns, attribute_count, defaulted, attributes);
    if (reader->scope_looks > SCOPE_LOOKS_MAX)
        xmlStopParser (ctxt);
}

/* What is left of the document when its entries are read, if it is well formed; with XML_PARSE_RECOVER, whatever can be
 * had. */
static xmlDoc *
parse (struct reader *reader, const char *text, size_t bytes, int options)
{
    xmlParserCtxt *ctxt = bytes ? xmlNewParserCtxt () : NULL;
    if (!ctxt)
        return NULL;
    feed_drop_entries (reader->feed); /* of an attempt before */
    reader->format = NULL;
    reader->scope_looks = 0;
    ctxt->_private = reader;
    ctxt->sax->startElementNs = count_looks;
    ctxt->sax->endElementNs = end_element;
    if (!(options & XML_PARSE_RECOVER))
        ctxt->sax->serror = stop_at_error;
    xmlDoc *doc =
        xmlCtxtReadMemory (ctxt, text, (int) bytes, NULL, "UTF-8", PARSE_OPTIONS | options);
    xmlFreeParserCtxt (ctxt);
    return doc;
}

int
xml_parse_feed (struct buf *text, const char *url, struct feed *feed, char reason[FEED_REASON_SIZE])
{
    struct reader reader = { .feed = feed, .url = url };
    struct xml_body body;
    repair_prolog (text->data, text->len, &body);
    xmlDoc *doc = repair_is_due (&body) ? NULL : parse (&reader, body.text, body.bytes, 0);
    if (!doc) {
        struct buf repaired = { 0 };
        repair_xml (&body, &repaired);
        doc = parse (&reader, repaired.data, repaired.len, XML_PARSE_RECOVER);
        buf_fini (&repaired);
    }
    buf_fini (text);
    const xmlNode *root = doc ? xmlDocGetRootElement (doc) : NULL;
    int r = -EBADMSG;
    if (root)
        r = read_root (&reader, root, reason);
    else
        snprintf (reason, FEED_REASON_SIZE, "it is neither XML nor JSON");
    xmlFreeDoc (doc);
    return r;
}
