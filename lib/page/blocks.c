/* blocks - the text of a page, cut where an element begins or ends that stands on lines of its own. Every block remembers
 * its element, so that what is decided of elements is decided of text.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"

#include <stdlib.h>
#include <string.h>

#define CELL_BYTES 160 /* a table cell of more is a column of a layout */

enum mode { INLINE, LINES, CELL, BREAK, HIDDEN };

/* <head> is shown: libxml2 leaves it open before the <article> of a page that has no <body> tag. */
static const uint8_t modes[] = {
    [TAG_ADDRESS] = LINES, [TAG_ARTICLE] = LINES, [TAG_ASIDE] = LINES, [TAG_BASE] = HIDDEN, [TAG_BLOCKQUOTE] = LINES,
    [TAG_BODY] = LINES, [TAG_BR] = BREAK, [TAG_BUTTON] = HIDDEN, [TAG_CAPTION] = LINES, [TAG_DD] = LINES,
    [TAG_DETAILS] = LINES, [TAG_DIV] = LINES, [TAG_DL] = LINES, [TAG_DT] = LINES, [TAG_FIGCAPTION] = LINES,
    [TAG_FIGURE] = LINES, [TAG_FOOTER] = LINES, [TAG_FORM] = LINES, [TAG_H1] = LINES, [TAG_H2] = LINES,
    [TAG_H3] = LINES, [TAG_H4] = LINES, [TAG_H5] = LINES, [TAG_H6] = LINES, [TAG_HEAD] = LINES, [TAG_HEADER] = LINES,
    [TAG_HTML] = LINES, [TAG_LI] = LINES, [TAG_LINK] = HIDDEN, [TAG_MAIN] = LINES, [TAG_META] = HIDDEN,
    [TAG_NAV] = LINES, [TAG_OL] = LINES, [TAG_P] = LINES, [TAG_PRE] = LINES, [TAG_SCRIPT] = HIDDEN,
    [TAG_SECTION] = LINES, [TAG_TABLE] = LINES, [TAG_TD] = CELL, [TAG_TH] = CELL, [TAG_TITLE] = HIDDEN,
    [TAG_TR] = LINES, [TAG_UL] = LINES, [TAG_BLOCK] = LINES, [TAG_HIDDEN] = HIDDEN,
};

struct maker {
    const struct tree *tree;
    struct blocks *blocks;
    struct block block;  /* the one being made */
    uint32_t line;       /* innermost element with lines of its own */
    uint32_t link_depth, pre_depth;
    uint32_t grams;
    bool space, inside;  /* a space is due; within a word */
    bool broken;         /* a line break came last */
};

static size_t
text_bytes (const struct tree *tree, size_t node)
{
    uint32_t end = tree->nodes[node].end;
    return (end < tree->count ? tree->nodes[end].text : tree->text.len) - tree->nodes[node].text;
}

static enum mode
mode_of (const struct tree *tree, size_t node)
{
    enum tag tag = tree->nodes[node].tag;
    enum mode mode = modes[tag];
    if (mode == CELL && text_bytes (tree, node) > CELL_BYTES)
        return LINES;
    /* libxml2 closes no <button> or <video> that holds an open <div>: the rest of the page would be in it */
    bool swallows = (tag == TAG_HIDDEN || tag == TAG_BUTTON) && text_bytes (tree, node) > tree->text.len / 2;
    return swallows ? LINES : mode;
}

static void
trim_block (struct maker *maker)
{
    struct buf *text = &maker->blocks->text;
    while (text->len > maker->block.text && (unsigned char) text->data[text->len - 1] <= ' ')
        text->len--;
}

/* The block so far is complete. */
static void
flush (struct maker *maker, bool follows)
{
    struct blocks *blocks = maker->blocks;
    struct block *block = &maker->block;
    trim_block (maker);
    block->bytes = (uint32_t) blocks->text.len - block->text;
    block->words += maker->grams / 2;
    if (block->bytes) {
        if (blocks->count == blocks->room) {
            blocks->room = blocks->room ? 2 * blocks->room : 256;
            blocks->list = mem_grow (blocks->list, blocks->room, sizeof *blocks->list);
        }
        blocks->list[blocks->count++] = *block;
    }
    bool empty = block->bytes == 0;
    *block = (struct block){
        .node = maker->line,
        .text = (uint32_t) blocks->text.len,
        .follows = follows && (!empty || block->follows),
        .marked = empty && block->marked,
    };
    maker->grams = 0;
    maker->space = maker->inside = maker->broken = false;
}

/* White space that HTML folds, and signs without width that would split or glue words. Returns its bytes, or 0. */
static size_t
blank_bytes (const unsigned char *at, const unsigned char *end, bool *ret_space)
{
    *ret_space = true;
    if (*at <= ' ')
        return 1;
    if (*at == 0xc2 && end - at > 1 && (at[1] == 0xa0 || at[1] == 0xad)) {
        *ret_space = at[1] == 0xa0;
        return 2;
    }
    if (*at == 0xe2 && end - at > 2 && at[1] == 0x80 && at[2] >= 0x80 && at[2] <= 0x8f) {
        *ret_space = at[2] <= 0x8a;
        return 3;
    }
    if (*at == 0xe3 && end - at > 2 && at[1] == 0x80 && at[2] == 0x80)
        return 3; /* ideographic space */
    if (*at == 0xef && end - at > 2 && at[1] == 0xbb && at[2] == 0xbf) {
        *ret_space = false;
        return 3;
    }
    return 0;
}

static bool
is_word_sign (unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '\'';
}

/* Counts the sign that begins at `at`: a letter of an alphabet begins a word once, one of Chinese and the like is half. */
static void
count_sign (struct maker *maker, unsigned char c)
{
    bool gram = c >= 0xe3 && c <= 0xed, word = !gram && is_word_sign (c);
    maker->grams += gram;
    if (word && !maker->inside) {
        maker->block.words++;
        maker->block.linked += maker->link_depth > 0;
    } else if (gram && maker->link_depth && maker->grams % 2 == 0)
        maker->block.linked++;
    maker->inside = word;
}

static void
add_folded (struct maker *maker, const unsigned char *at, const unsigned char *end)
{
    struct buf *out = &maker->blocks->text;
    while (at < end) {
        bool space;
        size_t blank = blank_bytes (at, end, &space);
        if (blank) {
            maker->space |= space;
            maker->inside = maker->inside && !space;
            at += blank;
            continue;
        }
        if (maker->space && out->len > maker->block.text && out->data[out->len - 1] != '\n')
            buf_add_char (out, ' ');
        maker->space = maker->broken = false;
        const unsigned char *start = at;
        do {
            if (*at < 0x80 || *at >= 0xc0)
                count_sign (maker, *at);
            at++;
        } while (at < end && *at > ' ' && *at != 0xc2 && *at != 0xe2 && *at != 0xe3 && *at != 0xef);
        buf_add (out, start, (size_t) (at - start));
    }
}

static void
add_kept (struct maker *maker, const unsigned char *at, const unsigned char *end)
{
    struct buf *out = &maker->blocks->text;
    if (out->len == maker->block.text && at < end && *at == '\n')
        at++; /* HTML drops a newline right behind <pre> */
    for (const unsigned char *p = at; p < end; p++)
        if (*p < 0x80 || *p >= 0xc0)
            count_sign (maker, *p);
    buf_add (out, at, (size_t) (end - at));
}

static void
break_line (struct maker *maker)
{
    struct buf *out = &maker->blocks->text;
    maker->space = maker->inside = false;
    if (maker->broken)
        flush (maker, false); /* two of them part paragraphs */
    else if (out->len > maker->block.text) {
        trim_block (maker);
        buf_add_char (out, '\n');
        maker->broken = true;
    }
}

/* A cell joins the row's line, unless it is none of text. */
static void
begin_cell (struct maker *maker)
{
    struct buf *out = &maker->blocks->text;
    maker->inside = maker->space = false;
    if (out->len > maker->block.text)
        buf_add_str (out, " | ");
}

static bool
is_item (enum tag tag)
{
    return tag == TAG_LI || tag == TAG_DD || tag == TAG_DT;
}

/* Lines that stand close: items, rows. */
static bool
is_close (enum tag tag)
{
    return is_item (tag) || tag == TAG_TR;
}

static void
open_element (struct maker *maker, size_t i)
{
    enum tag tag = maker->tree->nodes[i].tag;
    enum mode mode = mode_of (maker->tree, i);
    if (mode == BREAK)
        break_line (maker);
    else if (mode == CELL)
        begin_cell (maker);
    else if (mode == LINES) {
        maker->line = (uint32_t) i;
        flush (maker, is_close (tag));
        if (tag == TAG_LI)
            maker->block.marked = true;
    }
    maker->link_depth += tag == TAG_A;
    maker->pre_depth += tag == TAG_PRE;
}

static void
close_element (struct maker *maker, size_t i)
{
    enum tag tag = maker->tree->nodes[i].tag;
    maker->link_depth -= tag == TAG_A;
    maker->pre_depth -= tag == TAG_PRE;
    if (mode_of (maker->tree, i) != LINES)
        return;
    uint32_t up = maker->tree->nodes[i].parent;
    while (up && mode_of (maker->tree, up) != LINES)
        up = maker->tree->nodes[up].parent;
    maker->line = up;
    flush (maker, is_close (tag));
    if (tag == TAG_LI)
        maker->block.marked = false;
}

void
blocks_read (const struct tree *tree, struct blocks *blocks)
{
    struct maker maker = { .tree = tree, .blocks = blocks };
    *blocks = (struct blocks){ .first = mem_grow (NULL, tree->count + 1, sizeof *blocks->first) };
    buf_reserve (&blocks->text, tree->text.len + 64);
    size_t open = 0, i = 0;
    while (i < tree->count) {
        const struct node *node = &tree->nodes[i];
        for (; open && i >= tree->nodes[open].end; open = tree->nodes[open].parent)
            close_element (&maker, open);
        bool hidden = mode_of (tree, i) == HIDDEN;
        const unsigned char *text = (const unsigned char *) tree->text.data + node->text;
        if (node->tag == TAG_TEXT)
            (maker.pre_depth ? add_kept : add_folded) (&maker, text, text + node->text_bytes);
        else if (i && !hidden) {
            open_element (&maker, i);
            open = i;
        }
        for (size_t end = hidden ? node->end : i + 1; i < end; i++)
            blocks->first[i] = (uint32_t) blocks->count;
    }
    for (; open; open = tree->nodes[open].parent)
        close_element (&maker, open);
    flush (&maker, false);
    blocks->first[tree->count] = (uint32_t) blocks->count;
}

void
blocks_fini (struct blocks *blocks)
{
    free (blocks->list);
    free (blocks->first);
    buf_fini (&blocks->text);
    *blocks = (struct blocks){ 0 };
}
