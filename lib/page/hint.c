/* hint - what the words of class and id say of an element. A name is cut into words at signs and at capitals; a word means
 * what the longest row means that it begins with, so that "share", "shares" and "sharebox" are one. Short rows must be
 * whole words, or "ad" would be in "address".
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"

#include <ctype.h>
#include <string.h>

#define WHOLE_BYTES 4 /* rows no longer stand for themselves and their plural alone */
#define WORD_SIZE 24

/* Sorted. */
static const struct hint_row {
    const char *word;
    enum hint hint;
} hint_rows[] = {
    { "account", HINT_DOUBT },
    { "action", HINT_DOUBT },
    { "address", HINT_ABOUT },
    { "addtoany", HINT_TRIFLE },
    { "advert", HINT_JUNK },
    { "alert", HINT_DOUBT },
    { "also", HINT_DOUBT },
    { "archive", HINT_DOUBT },
    { "article", HINT_BODY },
    { "articlebody", HINT_BODY },
    { "aside", HINT_ASIDE },
    { "author", HINT_ABOUT },
    { "avatar", HINT_TRIFLE },
    { "banner", HINT_JUNK },
    { "bio", HINT_ABOUT },
    { "body", HINT_BODY },
    { "bottom", HINT_DOUBT },
    { "brand", HINT_DOUBT },
    { "breadcrumb", HINT_TRIFLE },
    { "btn", HINT_DOUBT },
    { "button", HINT_ASIDE },
    { "byline", HINT_ABOUT },
    { "caption", HINT_STRONG },
    { "card", HINT_DOUBT },
    { "carousel", HINT_JUNK },
    { "categor", HINT_ABOUT },
    { "colophon", HINT_JUNK },
    { "comment", HINT_COMMENT },
    { "consent", HINT_STRONG },
    { "contact", HINT_DOUBT },
    { "content", HINT_BODY },
    { "contributor", HINT_ABOUT },
    { "cookie", HINT_STRONG },
    { "copy", HINT_BODY },
    { "copyright", HINT_JUNK },
    { "credit", HINT_STRONG },
    { "crumb", HINT_TRIFLE },
    { "cta", HINT_JUNK },
    { "date", HINT_TRIFLE },
    { "dateline", HINT_ABOUT },
    { "dialog", HINT_JUNK },
    { "discussion", HINT_COMMENT },
    { "disqus", HINT_JUNK },
    { "donate", HINT_JUNK },
    { "download", HINT_DOUBT },
    { "drawer", HINT_JUNK },
    { "dropdown", HINT_STRONG },
    { "entry", HINT_BODY },
    { "extra", HINT_DOUBT },
    { "eyebrow", HINT_ABOUT },
    { "feed", HINT_DOUBT },
    { "figcaption", HINT_STRONG },
    { "figure", HINT_ASIDE },
    { "footer", HINT_JUNK },
    { "form", HINT_ASIDE },
    { "gallery", HINT_STRONG },
    { "gdpr", HINT_STRONG },
    { "header", HINT_HEADER },
    { "hentry", HINT_BODY },
    { "hidden", HINT_HIDDEN },
    { "icon", HINT_DOUBT },
    { "info", HINT_DOUBT },
    { "jetpack", HINT_JUNK },
    { "kicker", HINT_ABOUT },
    { "latest", HINT_STRONG },
    { "legal", HINT_DOUBT },
    { "links", HINT_DOUBT },
    { "listing", HINT_DOUBT },
    { "login", HINT_TRIFLE },
    { "logo", HINT_DOUBT },
    { "map", HINT_DOUBT },
    { "markdown", HINT_BODY },
    { "masthead", HINT_JUNK },
    { "mega", HINT_JUNK },
    { "menu", HINT_JUNK },
    { "message", HINT_DOUBT },
    { "meta", HINT_ABOUT },
    { "modal", HINT_STRONG },
    { "more", HINT_DOUBT },
    { "nav", HINT_JUNK },
    { "navbar", HINT_JUNK },
    { "newsletter", HINT_JUNK },
    { "next", HINT_DOUBT },
    { "notice", HINT_DOUBT },
    { "offcanvas", HINT_JUNK },
    { "outbrain", HINT_JUNK },
    { "overlay", HINT_STRONG },
    { "pager", HINT_TRIFLE },
    { "pagination", HINT_TRIFLE },
    { "partner", HINT_DOUBT },
    { "paywall", HINT_JUNK },
    { "poll", HINT_JUNK },
    { "popular", HINT_STRONG },
    { "popup", HINT_STRONG },
    { "post", HINT_BODY },
    { "postmeta", HINT_ABOUT },
    { "posts", HINT_DOUBT },
    { "prev", HINT_DOUBT },
    { "price", HINT_DOUBT },
    { "print", HINT_TRIFLE },
    { "privacy", HINT_STRONG },
    { "product", HINT_DOUBT },
    { "profile", HINT_ABOUT },
    { "promo", HINT_JUNK },
    { "prose", HINT_BODY },
    { "quiz", HINT_JUNK },
    { "rail", HINT_DOUBT },
    { "rating", HINT_TRIFLE },
    { "readmore", HINT_JUNK },
    { "readnext", HINT_JUNK },
    { "recent", HINT_JUNK },
    { "recirc", HINT_JUNK },
    { "recommend", HINT_STRONG },
    { "related", HINT_STRONG },
    { "reply", HINT_COMMENT },
    { "respond", HINT_COMMENT },
    { "review", HINT_DOUBT },
    { "richtext", HINT_BODY },
    { "rss", HINT_TRIFLE },
    { "sabox", HINT_JUNK },
    { "search", HINT_TRIFLE },
    { "share", HINT_TRIFLE },
    { "sharedaddy", HINT_TRIFLE },
    { "sharing", HINT_TRIFLE },
    { "shop", HINT_DOUBT },
    { "side", HINT_DOUBT },
    { "sidebar", HINT_JUNK },
    { "signup", HINT_JUNK },
    { "skip", HINT_TRIFLE },
    { "slider", HINT_DOUBT },
    { "social", HINT_TRIFLE },
    { "sponsor", HINT_JUNK },
    { "store", HINT_DOUBT },
    { "stories", HINT_DOUBT },
    { "story", HINT_BODY },
    { "submenu", HINT_JUNK },
    { "subscri", HINT_JUNK },
    { "subtitle", HINT_DOUBT },
    { "swiper", HINT_DOUBT },
    { "taboola", HINT_JUNK },
    { "tag", HINT_TRIFLE },
    { "tags", HINT_TRIFLE },
    { "taxonomy", HINT_ABOUT },
    { "text", HINT_BODY },
    { "thread", HINT_COMMENT },
    { "thumb", HINT_DOUBT },
    { "thumbnail", HINT_DOUBT },
    { "tile", HINT_DOUBT },
    { "time", HINT_DOUBT },
    { "timestamp", HINT_TRIFLE },
    { "toc", HINT_DOUBT },
    { "toolbar", HINT_TRIFLE },
    { "tooltip", HINT_TRIFLE },
    { "trending", HINT_STRONG },
    { "upnext", HINT_JUNK },
    { "utility", HINT_TRIFLE },
    { "widget", HINT_JUNK },
};

static bool
row_fits (const struct hint_row *row, const char *word)
{
    size_t bytes = strlen (row->word);
    if (strncmp (row->word, word, bytes) != 0)
        return false;
    return bytes > WHOLE_BYTES || !word[bytes] || strcmp (word + bytes, "s") == 0;
}

/* The row a word means, or COUNT_OF (hint_rows). */
static size_t
row_of_word (const char *word)
{
    size_t least = 0, past = COUNT_OF (hint_rows), best = 0;
    while (least < past) { /* the first row that does not stand before the word's first letter */
        size_t middle = (least + past) / 2;
        if (hint_rows[middle].word[0] < word[0])
            least = middle + 1;
        else
            past = middle;
    }
    size_t row = COUNT_OF (hint_rows);
    for (size_t i = least; i < COUNT_OF (hint_rows) && hint_rows[i].word[0] == word[0]; i++)
        if (strlen (hint_rows[i].word) > best && row_fits (&hint_rows[i], word)) {
            best = strlen (hint_rows[i].word);
            row = i;
        }
    return row;
}

static void
add_name (struct hints *hints, size_t row)
{
    for (size_t i = 0; i < hints->count; i++)
        if (hints->rows[i] == row)
            return;
    if (hints->count < COUNT_OF (hints->rows))
        hints->rows[hints->count++] = (uint8_t) row;
}

/* "has-sidebar" is what stands beside one. */
static bool
is_beside (const char *word)
{
    static const char *const words[] = { "has", "no", "with", "without" };
    for (size_t i = 0; i < COUNT_OF (words); i++)
        if (strcmp (word, words[i]) == 0)
            return true;
    return false;
}

static void
add_names (struct hints *hints, const char *names)
{
    bool beside = false;
    while (*names) {
        char word[WORD_SIZE];
        size_t n = 0;
        for (; *names && !isalpha ((unsigned char) *names); names++)
            beside = beside && *names != ' ';
        bool upper = isupper ((unsigned char) *names);
        for (; isalpha ((unsigned char) *names); names++) {
            if (n && !upper && isupper ((unsigned char) *names))
                break;
            upper = isupper ((unsigned char) *names);
            if (n < WORD_SIZE - 1)
                word[n++] = (char) tolower ((unsigned char) *names);
        }
        word[n] = '\0';
        size_t row = n ? row_of_word (word) : COUNT_OF (hint_rows);
        bool said = row < COUNT_OF (hint_rows) && hint_rows[row].hint != HINT_HIDDEN; /* "overflow-hidden" is shown */
        if (said && !beside)
            add_name (hints, row);
        beside = is_beside (word);
    }
}

static bool
is_role (const char *role)
{
    static const char *const roles[] = { "navigation", "complementary", "contentinfo", "banner", "search", "dialog",
                                         "menu",       "menubar",       "alert",       "tablist" };
    for (size_t i = 0; i < COUNT_OF (roles); i++)
        if (strcmp (role, roles[i]) == 0)
            return true;
    return false;
}

/* display:none, however it is spaced. */
static bool
hides (const char *style)
{
    const char *at = strstr (style, "display");
    if (!at)
        return false;
    at += strlen ("display");
    at += strspn (at, " :");
    return strncmp (at, "none", 4) == 0;
}

/* Whether one of the classes is that of what is not shown, and none says when it is after all. */
static bool
hides_class (const char *names)
{
    static const char *const classes[] = { "hidden", "hide", "is-hidden", "d-none", "sr-only", "visually-hidden",
                                           "screen-reader-text" };
    static const char *const shown[] = { ":block", ":flex", ":grid", ":inline", ":table", "-block", "-flex" };
    bool hidden = false;
    for (size_t i = 0; i < COUNT_OF (classes) && !hidden; i++)
        hidden = has_word (names, classes[i]);
    for (size_t i = 0; i < COUNT_OF (shown) && hidden; i++)
        hidden = strstr (names, shown[i]) == NULL;
    return hidden;
}

/* Elements that are what a word says. */
static const char *
word_of_tag (enum tag tag)
{
    switch (tag) {
    case TAG_NAV:
        return "nav";
    case TAG_FOOTER:
        return "footer";
    case TAG_ASIDE:
        return "aside";
    case TAG_FIGURE:
    case TAG_FIGCAPTION:
        return "figure";
    case TAG_BUTTON:
        return "button";
    case TAG_FORM:
    case TAG_LABEL:
        return "form";
    case TAG_HEADER:
        return "header";
    case TAG_ADDRESS:
        return "address";
    default:
        return NULL;
    }
}

/* React sends parts of a page that come late in <div hidden id="S:1"> and has a script put them in their place. */
static bool
is_streamed (const struct tree *tree, size_t node)
{
    const char *id = tree_attribute (tree, node, "id");
    return id && strncmp (id, "S:", 2) == 0;
}

void
hints_read (const struct tree *tree, size_t node, struct hints *hints)
{
    const char *at = tree_name (tree, node), *word = word_of_tag (tree->nodes[node].tag);
    hints->count = 0;
    if (word)
        add_name (hints, row_of_word (word));
    for (at += strlen (at) + 1; *at;) { /* one pass over all attributes rather than a search for each */
        const char *value = at + strlen (at) + 1;
        if (strcmp (at, "class") == 0 || strcmp (at, "id") == 0) {
            add_names (hints, value);
            if (at[0] == 'c' && hides_class (value))
                add_name (hints, row_of_word ("hidden"));
        }
        else if (strcmp (at, "role") == 0 && is_role (value))
            add_name (hints, row_of_word ("nav"));
        else if ((strcmp (at, "hidden") == 0 && !is_streamed (tree, node)) || (strcmp (at, "aria-hidden") == 0 && strcmp (value, "true") == 0) ||
                 (strcmp (at, "style") == 0 && hides (value)))
            add_name (hints, row_of_word ("hidden"));
        at = value + strlen (value) + 1;
    }
}

enum hint
hint_kind (size_t row)
{
    return hint_rows[row].hint;
}
