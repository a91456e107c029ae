/* entry - the elements of an entry, and of a feed what is like them. What an element means is one row of a table: one table
 * for each format, and one for the extensions that occur in all.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/xml.h"

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

char *
xml_child_text (const xmlNode *node, const char *name)
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
char *
xml_person (const xmlNode *node)
{
    char *name = xml_child_text (node, "name");
    if (!name)
        name = xml_child_text (node, "email");
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
    set_text (draft, row->field, row->rank, xml_person (node));
}

char *
xml_resolve (const struct reader *reader, const xmlNode *node, const char *reference)
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
    set_link (draft, row->rank, trimmed ? xml_resolve (draft->reader, node, trimmed) : NULL);
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
                  href[0] ? xml_resolve (draft->reader, node, href) : value_base (node, NULL));
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

static const struct row rss_rows[] = {
    { XML_OWN, "title", read_title, FIELD_TITLE, 90 },
    { XML_OWN, "link", read_link, FIELD_URL, 90 },
    { XML_OWN, "guid", read_guid, FIELD_ID, 90 },
    { XML_OWN, "description", read_description, FIELD_SUMMARY, 90 },
    { XML_OWN, "summary", read_description, FIELD_SUMMARY, 90 },
    { XML_OWN, "body", read_html, FIELD_CONTENT, 60 },
    { XML_OWN, "fullitem", read_html, FIELD_CONTENT, 60 },
    { XML_OWN, "pubDate", read_date, FIELD_PUBLISHED, 90 },
    { XML_OWN, "author", read_person, FIELD_AUTHOR, 80 },
    { XML_OWN, "category", read_category, FIELD_CATEGORY, 1 },
};

static const struct row rdf_rows[] = {
    { XML_OWN, "title", read_title, FIELD_TITLE, 90 },
    { XML_OWN, "link", read_link, FIELD_URL, 90 },
    { XML_OWN, "guid", read_guid, FIELD_ID, 50 },
    { XML_OWN, "description", read_html, FIELD_SUMMARY, 90 },
    { XML_OWN, "pubDate", read_date, FIELD_PUBLISHED, 90 },
    { XML_OWN, "author", read_author, FIELD_AUTHOR, 80 },
    { XML_OWN, "category", read_category, FIELD_CATEGORY, 1 },
};

/* 0.3: issued, modified, created. 1.0: published, updated. */
static const struct row atom_rows[] = {
    { XML_OWN, "title", read_construct_title, FIELD_TITLE, 90 },
    { XML_OWN, "link", read_atom_link, FIELD_URL, 90 },
    { XML_OWN, "id", read_atom_id, FIELD_ID, 90 },
    { XML_OWN, "summary", read_construct, FIELD_SUMMARY, 90 },
    { XML_OWN, "content", read_construct, FIELD_CONTENT, 90 },
    { XML_OWN, "published", read_date, FIELD_PUBLISHED, 90 },
    { XML_OWN, "issued", read_date, FIELD_PUBLISHED, 80 },
    { XML_OWN, "created", read_date, FIELD_PUBLISHED, 70 },
    { XML_OWN, "updated", read_date, FIELD_UPDATED, 90 },
    { XML_OWN, "modified", read_date, FIELD_UPDATED, 80 },
    { XML_NS_DC, "date", read_date, FIELD_UPDATED, 60 },
    { XML_OWN, "author", read_person, FIELD_AUTHOR, 90 },
    { XML_OWN, "category", read_term, FIELD_CATEGORY, 1 },
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

static const struct {
    const struct row *rows;
    size_t count;
} tables[] = {
    [FEED_RSS] = { rss_rows, COUNT_OF (rss_rows) },
    [FEED_RDF] = { rdf_rows, COUNT_OF (rdf_rows) },
    [FEED_ATOM] = { atom_rows, COUNT_OF (atom_rows) },
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

enum xml_ns
xml_name (const struct reader *reader, const xmlNode *node, const char **ret_local)
{
    enum xml_ns ns = value_name (node, ret_local);
    bool own = reader->feed->format == FEED_ATOM ? ns == XML_NS_ATOM : ns == XML_NS_RSS;
    return own ? XML_NS_NONE : ns;
}

bool
xml_is (const struct reader *reader, const xmlNode *node, const char *name)
{
    const char *local;
    return node->type == XML_ELEMENT_NODE && xml_name (reader, node, &local) == XML_NS_NONE &&
           strcasecmp (local, name) == 0;
}

const xmlNode *
xml_child (const struct reader *reader, const xmlNode *node, const char *name)
{
    for (const xmlNode *n = node->children; n; n = n->next)
        if (xml_is (reader, n, name))
            return n;
    return NULL;
}

static const struct row *
row_of (const struct reader *reader, const xmlNode *node)
{
    if (node->type != XML_ELEMENT_NODE)
        return NULL;
    const char *name;
    enum xml_ns ns = xml_name (reader, node, &name);
    enum feed_format format = reader->feed->format;
    const struct row *row = find_row (tables[format].rows, tables[format].count, ns, name);
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
    const xmlNode *source = xml_child (draft->reader, node, "source");
    const xmlNode *author = source ? xml_child (draft->reader, source, "author") : NULL;
    if (author)
        set_text (draft, FIELD_AUTHOR, 1, xml_person (author));
}

/* RSS 1.0: the resource an item is about is its id. */
static void
read_about (struct draft *draft, const xmlNode *node)
{
    char *about = value_attribute (node, "about");
    set_text (draft, FIELD_ID, 80, feed_clean_text (about));
    free (about);
}

void
xml_read_entry (const struct reader *reader, const xmlNode *node)
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

/* What the rows call a title of an entry is one of a feed. */
char *
xml_title (const struct reader *reader, const xmlNode *node)
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
