/* region - which blocks are the article. First every element is judged: what its tag, class and id say it is, unless it
 * holds too much of the page's prose to be that. Then the subtree is sought whose blocks are worth most, prose counting
 * for it and the rest against. Within it, what is left of lists of links and of lines that are no text goes.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"
#include "text/sentence.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Found by trial on several hundred pages; each lies on a plateau, a third more or less changes next to nothing. */
#define CUT_WEIGHT 0.3     /* what a word of prose counts against a subtree that must be cut out of it, ... */
#define CUT_MOST 10.0      /* ... and the most that one cut costs */
#define LINKED_WEIGHT 0.9  /* a word of a line that is mostly links, likewise */
#define LABEL_COST 2.0     /* a line of a few words that is no sentence */
#define NAMED_SHARE 0.4    /* of the best subtree's worth, for what calls itself the article to be it instead */
#define NOISE_WORDS 30     /* a byline, a time stamp, a call to subscribe has fewer */
#define REST_PERCENT 15    /* of the article's words: what a heading like "Related" may take with it */

struct finder {
    const struct tree *tree;
    const struct blocks *blocks;
    uint32_t *prose; /* words of prose in the blocks before each */
    bool *cut;       /* of each node: no part of the article */
    bool *named;     /* of each node: called the article */
    double *value;   /* of each block */
    bool *keep;
};

static bool
ends_sentence (const char *text, size_t bytes)
{
    static const char *const ends[] = { ".", "!", "?", ":", ";", "\xe3\x80\x82", "\xef\xbc\x81", "\xef\xbc\x9f",
                                        "\xe2\x80\xa6", "\xd8\x9f", "\xe0\xa5\xa4" };
    static const char *const closing[] = { "\"", "'", ")", "]", "*", "\xe2\x80\x9d", "\xe2\x80\x99", "\xc2\xbb",
                                           "\xe3\x80\x8d", " " };
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < COUNT_OF (closing); i++) {
            size_t n = strlen (closing[i]);
            if (bytes > n && memcmp (text + bytes - n, closing[i], n) == 0) {
                bytes -= n;
                again = true;
            }
        }
    }
    for (size_t i = 0; i < COUNT_OF (ends); i++) {
        size_t n = strlen (ends[i]);
        if (bytes >= n && memcmp (text + bytes - n, ends[i], n) == 0)
            return true;
    }
    return false;
}

static const char *
block_text (const struct finder *f, size_t i)
{
    return f->blocks->text.data + f->blocks->list[i].text;
}

static bool
block_is_sentence (const struct finder *f, size_t i)
{
    return ends_sentence (block_text (f, i), f->blocks->list[i].bytes);
}

static bool
is_prose (const struct block *block)
{
    return block->words >= 12 && block->linked * 3 < block->words;
}

static uint32_t
prose_of (const struct finder *f, size_t node)
{
    return f->prose[f->blocks->first[f->tree->nodes[node].end]] - f->prose[f->blocks->first[node]];
}

/* The share of the page's prose, in percent, that all elements of a word may hold together; with more of it, the word
 * means something else here. */
static const struct {
    uint8_t percent, percent_at_least; /* of the page's prose: as long as enough is left beside them, and anyway */
    uint8_t left;                      /* enough: words of prose */
} limits[HINT_BODY + 1] = {
    [HINT_TRIFLE] = { 12, 12, 0 },
    [HINT_JUNK] = { 60, 60, 0 },     [HINT_STRONG] = { 80, 60, 150 }, [HINT_ASIDE] = { 60, 60, 0 },
    [HINT_ABOUT] = { 25, 25, 0 },    [HINT_HEADER] = { 30, 30, 0 },   [HINT_COMMENT] = { 95, 60, 40 },
    [HINT_HIDDEN] = { 70, 70, 0 },
};

/* prose: set to that of all elements of each word, those within others of the same word not counted again. */
static void
weigh_words (const struct finder *f, const struct hints *hints, uint32_t prose[HINT_ROWS_MAX])
{
    size_t ends[HINT_ROWS_MAX] = { 0 };
    memset (prose, 0, HINT_ROWS_MAX * sizeof *prose);
    for (size_t i = 1; i < f->tree->count; i++)
        for (size_t j = 0; j < hints[i].count; j++) {
            size_t row = hints[i].rows[j];
            if (i < ends[row])
                continue;
            ends[row] = f->tree->nodes[i].end;
            prose[row] += prose_of (f, i);
        }
}

static void
cut_elements (struct finder *f)
{
    const struct tree *tree = f->tree;
    struct hints *hints = mem_alloc (tree->count * sizeof *hints);
    uint32_t all = f->prose[f->blocks->count], prose[HINT_ROWS_MAX];
    for (size_t i = 1; i < tree->count; i++) {
        enum tag tag = tree->nodes[i].tag;
        if (tag != TAG_TEXT && tag != TAG_HTML && tag != TAG_BODY && tag != TAG_A && tag != TAG_SPAN)
            hints_read (tree, i, &hints[i]);
    }
    weigh_words (f, hints, prose);
    for (size_t i = 1; i < tree->count; i++) {
        f->cut[i] = f->cut[tree->nodes[i].parent];
        bool cut = false, comment = false;
        unsigned body = 0;
        for (size_t j = 0; j < hints[i].count; j++) {
            enum hint kind = hint_kind (hints[i].rows[j]);
            bool own = tree->nodes[i].tag == TAG_ARTICLE && (kind == HINT_ABOUT || kind == HINT_COMMENT);
            uint32_t words = prose[hints[i].rows[j]];
            unsigned percent = all - words < limits[kind].left ? limits[kind].percent_at_least : limits[kind].percent;
            bool most = (uint64_t) words * 100 > (uint64_t) all * percent;
            cut |= !own && !most && percent;
            body += kind == HINT_BODY;
            comment |= kind == HINT_COMMENT || kind == HINT_STRONG;
        }
        if (cut && body && !comment && prose_of (f, i) * 100 > all * 15)
            cut = false; /* "post-header-content" */
        f->cut[i] |= cut;
        f->named[i] = tree->nodes[i].tag == TAG_ARTICLE && !f->cut[i];
    }
    free (hints);
}

static bool
is_heading (enum tag tag)
{
    return tag >= TAG_H1 && tag <= TAG_H6;
}

static double
block_value (const struct finder *f, size_t i)
{
    const struct block *block = &f->blocks->list[i];
    enum tag tag = f->tree->nodes[block->node].tag;
    double words = MIN_OF (block->words, 100u), linked = block->linked, share = linked / MAX_OF (block->words, 1u);
    if (f->cut[block->node])
        return 0;
    if (is_heading (tag))
        return share > 0.5 ? -words : 0;
    if (share > 0.5)
        return -LINKED_WEIGHT * words;
    if (block->words >= 10 && (block_is_sentence (f, i) || tag == TAG_P || tag == TAG_PRE || tag == TAG_BLOCKQUOTE))
        return words * (1 - share);
    if (block->words >= 20)
        return words * (0.5 - share);
    return tag == TAG_P || tag == TAG_LI || block_is_sentence (f, i) ? 0 : -LABEL_COST;
}

static double
subtree_value (const struct finder *f, const double *sums, size_t i)
{
    return sums[f->blocks->first[f->tree->nodes[i].end]] - sums[f->blocks->first[i]];
}

/* Of the subtrees that `allowed` marks, or of all, the one whose blocks are worth most; of equals the
 * innermost, if they are worth anything. */
static size_t
best_of (const struct finder *f, const double *sums, const bool *allowed)
{
    double most = -1e30;
    size_t best = 0;
    for (size_t i = 0; i < f->tree->count; i++) {
        if (f->tree->nodes[i].tag == TAG_TEXT || (allowed && !allowed[i]))
            continue;
        double value = subtree_value (f, sums, i);
        if (value > most || (value == most && value > 0)) {
            most = value;
            best = i;
        }
    }
    return best;
}

/* The best subtree, or within it the best that the page calls its article, if that holds enough of it. */
static size_t
best_subtree (const struct finder *f)
{
    double *sums = mem_grow (NULL, f->blocks->count + 1, sizeof *sums);
    for (size_t i = 1; i < f->tree->count; i++)
        if (f->cut[i] && !f->cut[f->tree->nodes[i].parent])
            f->value[f->blocks->first[i]] -= MIN_OF (CUT_WEIGHT * prose_of (f, i), CUT_MOST);
    sums[0] = 0;
    for (size_t i = 0; i < f->blocks->count; i++)
        sums[i + 1] = sums[i] + f->value[i];
    size_t best = best_of (f, sums, NULL), named = best_of (f, sums, f->named);
    double value = subtree_value (f, sums, best), named_value = subtree_value (f, sums, named);
    if (value <= 0)
        best = 0; /* no prose to go by: all that is not cut */
    else if (named > best && named < f->tree->nodes[best].end && named_value >= value * NAMED_SHARE)
        best = named;
    free (sums);
    return best;
}

/* A line of links, or of a few words that are no sentence, stays only where text stands around it. */
static bool
block_stays (const struct finder *f, size_t i)
{
    const struct block *block = &f->blocks->list[i];
    enum tag tag = f->tree->nodes[block->node].tag;
    if (f->cut[block->node])
        return false;
    bool sentence = block_is_sentence (f, i), text = (tag == TAG_P && block->words >= 8) || sentence;
    if (tag == TAG_H1)
        return false; /* the title */
    bool row = tag == TAG_TR || tag == TAG_TD || tag == TAG_TH || tag == TAG_PRE;
    if (block->words < NOISE_WORDS && !is_heading (tag) && !row && article_line_is_noise (block_text (f, i), block->bytes))
        return false;
    return block->linked * 10 <= block->words * (text ? 8 : 5);
}

/* Whether a heading, or a line that stands for one, opens what is not the article any more. */
static bool
opens_rest (const struct finder *f, size_t i)
{
    static const char *const openings[] = {
        "related",       "you may also", "you might also", "more from",     "more on ",   "more stories", "read more",
        "read next",     "read also",    "also read",      "recommended",   "most read",  "most popular", "popular ",
        "trending",      "latest ",      "recent ",        "about the author", "sign up", "subscribe",    "newsletter",
        "share this",    "comments",     "leave a ",       "tell us what",  "get in touch", "featured ",  "up next",
        "keep reading",  "what to read", "don't miss",     "see also",      "further reading", "advertisement",
        "join the conversation", "discover more", "explore more", "related", "follow us", "start your ",
    };
    const struct block *block = &f->blocks->list[i];
    if (block->words > 8)
        return false;
    for (size_t j = 0; j < COUNT_OF (openings); j++) {
        size_t bytes = strlen (openings[j]);
        if (block->bytes >= bytes && strncasecmp (block_text (f, i), openings[j], bytes) == 0)
            return true;
    }
    return false;
}

static uint32_t
words_kept (const struct finder *f, size_t first, size_t end)
{
    uint32_t words = 0;
    for (size_t i = first; i < end; i++)
        words += f->keep[i] ? f->blocks->list[i].words : 0;
    return words;
}

/* What stands under such a heading, up to the next one that is no lower, goes; much text under it is the article's. */
static void
drop_rest (struct finder *f, size_t first, size_t end)
{
    uint32_t all = words_kept (f, first, end);
    for (size_t i = first; i < end; i++) {
        enum tag level = f->tree->nodes[f->blocks->list[i].node].tag;
        if (!is_heading (level) || !opens_rest (f, i))
            continue;
        size_t next = i + 1;
        for (; next < end; next++) {
            enum tag tag = f->tree->nodes[f->blocks->list[next].node].tag;
            if (is_heading (tag) && tag <= level)
                break;
        }
        if (words_kept (f, i, next) * 100 > all * REST_PERCENT)
            continue;
        memset (f->keep + i, 0, (next - i) * sizeof *f->keep);
    }
}

/* Headings with nothing under them. */
static void
drop_bare_headings (struct finder *f, size_t first, size_t end)
{
    bool text = false;
    unsigned level = 0;
    for (size_t i = end; i-- > first;) {
        if (!f->keep[i])
            continue;
        enum tag tag = f->tree->nodes[f->blocks->list[i].node].tag;
        if (!is_heading (tag)) {
            text = true;
            continue;
        }
        if (!text && (!level || tag >= level))
            f->keep[i] = false;
        else
            level = tag;
        text = false;
    }
}

/* Where the rules say what the article is, nothing else does. */
static void
keep_as_told (struct finder *f, const bool *kept, const bool *dropped)
{
    for (size_t i = 0; i < f->blocks->count; i++)
        f->keep[i] = kept[f->blocks->list[i].node] && !dropped[f->blocks->list[i].node];
}

static void
keep_as_found (struct finder *f)
{
    for (size_t i = 0; i < f->blocks->count; i++)
        f->value[i] = block_value (f, i);
    size_t best = best_subtree (f), first = f->blocks->first[best], end = f->blocks->first[f->tree->nodes[best].end];
    for (size_t i = first; i < end; i++)
        f->keep[i] = block_stays (f, i);
    drop_rest (f, first, end);
    drop_bare_headings (f, first, end);
}

void
region_find (const struct tree *tree, const struct blocks *blocks, const struct rules *rules, bool **ret_keep)
{
    struct finder f = { .tree = tree, .blocks = blocks };
    f.prose = mem_grow (NULL, blocks->count + 1, sizeof *f.prose);
    f.cut = mem_alloc (tree->count * sizeof *f.cut);
    f.named = mem_alloc (tree->count * sizeof *f.named);
    f.value = mem_grow (NULL, blocks->count + 1, sizeof *f.value);
    f.keep = mem_alloc ((blocks->count + 1) * sizeof *f.keep);
    f.prose[0] = 0;
    for (size_t i = 0; i < blocks->count; i++)
        f.prose[i + 1] = f.prose[i] + (is_prose (&blocks->list[i]) ? blocks->list[i].words : 0);
    cut_elements (&f);
    bool *kept = mem_alloc (tree->count * sizeof *kept), *dropped = mem_alloc (tree->count * sizeof *dropped);
    if (rules_apply (rules, tree, kept, dropped))
        keep_as_told (&f, kept, dropped);
    else {
        for (size_t i = 0; i < tree->count; i++)
            f.cut[i] |= dropped[i];
        keep_as_found (&f);
    }
    free (kept);
    free (dropped);
    free (f.prose);
    free (f.cut);
    free (f.named);
    free (f.value);
    *ret_keep = f.keep;
}
