/* impl - what the files of this library share: the page as a table of nodes, and as a list of blocks of text.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef PAGE_IMPL_H
#define PAGE_IMPL_H

#include "page/page.h"

/* ---- tree: the page as nodes in document order; node 0 is the page. A subtree is the nodes from its root up to
 * root's `end`, so that every question about one is a loop, however deep the page nests ---- */

enum tag {
    TAG_OTHER, /* an element nobody asks about */
    TAG_TEXT,  /* a run of text */
    TAG_A, TAG_ADDRESS, TAG_ARTICLE, TAG_ASIDE, TAG_BASE, TAG_BLOCKQUOTE, TAG_BODY, TAG_BR, TAG_BUTTON, TAG_CAPTION,
    TAG_CODE, TAG_DD, TAG_DETAILS, TAG_DIV, TAG_DL, TAG_DT, TAG_FIGCAPTION, TAG_FIGURE, TAG_FOOTER, TAG_FORM, TAG_H1,
    TAG_H2, TAG_H3, TAG_H4, TAG_H5, TAG_H6, TAG_HEAD, TAG_HEADER, TAG_HTML, TAG_LABEL, TAG_LI, TAG_LINK, TAG_MAIN,
    TAG_META, TAG_NAV, TAG_OL, TAG_P, TAG_PRE, TAG_SCRIPT, TAG_SECTION, TAG_SPAN, TAG_TABLE, TAG_TD, TAG_TH, TAG_TIME,
    TAG_TITLE, TAG_TR, TAG_UL,
    TAG_BLOCK,  /* another element that stands on lines of its own */
    TAG_HIDDEN, /* another element whose content is never text */
};

struct node {
    uint8_t tag;          /* enum tag */
    uint32_t parent, end; /* index of the parent; one past the last node of the subtree */
    uint32_t name;        /* elements: offset in attributes of name NUL, then pairs name NUL value NUL, then NUL */
    uint32_t text, text_bytes; /* text nodes, and scripts of JSON: range in text */
};

struct tree {
    struct node *nodes;
    size_t count, room;
    struct buf text, attributes;
};

/* html: borrowed, UTF-8, changed in place. *tree: given (tree_fini). */
void tree_read (char *html, size_t bytes, struct tree *tree);
void tree_fini (struct tree *tree);
/* NULL if the element has no such attribute. Borrowed. */
const char *tree_attribute (const struct tree *tree, size_t node, const char *name);
static inline const char *
tree_name (const struct tree *tree, size_t node)
{
    return tree->attributes.data + tree->nodes[node].name;
}
/* All text of a subtree, white space folded. given (free), or NULL if there is none */
char *tree_text (const struct tree *tree, size_t node);
/* Whether word is one of a list separated by white space, as in a class attribute. */
bool has_word (const char *list, const char *word);
/* The same of any text. */
char *text_fold (const char *text, size_t bytes);

/* ---- blocks: the text as lines that a reader sees apart, white space folded ---- */

struct block {
    uint32_t node;            /* the innermost element that makes it a block */
    uint32_t text, bytes;     /* range in blocks.text */
    uint32_t words, linked;   /* words, and those of them within links; two signs of Chinese and the like are a word */
    bool follows;             /* a line of the same list item, row or paragraph as the one before */
    bool marked;              /* first of a list item */
};

struct blocks {
    struct block *list;
    size_t count, room;
    struct buf text;
    uint32_t *first;  /* of each node: its first block; of one past the last node: count */
};

/* tree: borrowed. *blocks: given (blocks_fini). */
void blocks_read (const struct tree *tree, struct blocks *blocks);
void blocks_fini (struct blocks *blocks);

/* ---- rules ---- */

struct rules; /* NULL: none */
/* text: borrowed, may be NULL or empty (*ret_rules is NULL then). *ret_rules: given (rules_destroy). 0, or -EINVAL. */
MUST_CHECK int rules_read (const char *text, struct rules **ret_rules, char ret_reason[PAGE_REASON_SIZE]);
void rules_destroy (struct rules **rules);
/* kept, dropped: of each node, whether it or one above it is selected so. Set here. Returns whether anything is kept. */
bool rules_apply (const struct rules *rules, const struct tree *tree, bool *kept, bool *dropped);

/* ---- meta: what the page says of its article ---- */

/* Fills all but text. *ret_body: given (free), the text of schema.org's articleBody, or NULL. */
void meta_read (const struct tree *tree, const char *url, struct page *page, char **ret_body);

/* ---- region: which blocks are the article ---- */

/* rules: may be NULL. *ret_keep: given (free), one for each block. */
void region_find (const struct tree *tree, const struct blocks *blocks, const struct rules *rules, bool **ret_keep);

/* What words of class and id, and some tags, say of an element. */
enum hint {
    HINT_TRIFLE,  /* buttons and lines: sharing, searching, tags */
    HINT_JUNK,    /* navigation, advertisement, what stands beside the text */
    HINT_STRONG,  /* related links, captions, notes on cookies: hardly ever anything else, and at times most of a page */
    HINT_ASIDE,   /* what HTML has tags for that stand beside the text */
    HINT_ABOUT,   /* byline, date, caption, tags: about the article, not of it */
    HINT_HEADER,  /* above the article, sometimes with its first words */
    HINT_DOUBT,   /* sometimes the article's, more often not */
    HINT_COMMENT, /* what readers wrote */
    HINT_HIDDEN,  /* not shown */
    HINT_BODY,    /* the article's text */
};

#define HINT_ROWS_MAX 256
struct hints {
    size_t count;
    uint8_t rows[12]; /* of the table of words, each once */
};
/* *hints: set. */
void hints_read (const struct tree *tree, size_t node, struct hints *hints);
enum hint hint_kind (size_t row);

#endif
