/* page - puts the parts together: bytes to UTF-8, to nodes, to blocks, and of these the article's to text.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/impl.h"
#include "text/charset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_LEAST_BYTES 600 /* a shorter articleBody is a teaser */

static char *
write_text (const struct blocks *blocks, const bool *keep)
{
    struct buf out = { 0 };
    buf_reserve (&out, blocks->text.len);
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < blocks->count; i++) {
        const struct block *block = &blocks->list[i];
        if (!keep[i])
            continue;
        if (out.len)
            buf_add_str (&out, block->follows && last == i - 1 ? "\n" : "\n\n");
        if (block->marked)
            buf_add_str (&out, "- ");
        buf_add (&out, blocks->text.data + block->text, block->bytes);
        last = i;
    }
    return buf_take (&out);
}

/* What the page carries for machines stands in for the text where that holds much less: it is drawn by a script then. */
static void
choose_text (struct page *page, char **body)
{
    size_t told = *body ? strlen (*body) : 0;
    if (told >= BODY_LEAST_BYTES && strlen (page->text) < told / 2) {
        free (page->text);
        page->text = *body;
        *body = NULL;
    }
    free (*body);
}

int
page_read (const char *html, size_t bytes, const struct page_hints *hints, struct page **ret_page,
           char ret_reason[PAGE_REASON_SIZE])
{
    static const struct page_hints none = { NULL, NULL, NULL };
    struct rules *rules = NULL;
    struct buf utf8 = { 0 };
    struct tree tree;
    struct blocks blocks;
    bool *keep = NULL;
    char *body = NULL;
    hints = hints ? hints : &none;
    if (bytes > PAGE_BYTES_MAX) {
        snprintf (ret_reason, PAGE_REASON_SIZE, "the page has more than %zu MiB", PAGE_BYTES_MAX >> 20);
        return -E2BIG;
    }
    int r = rules_read (hints->rules, &rules, ret_reason);
    if (r < 0)
        return r;
    struct page *page = MEM_NEW (struct page);
    charset_to_utf8 (html, bytes, hints->content_type, &utf8);
    tree_read (utf8.data, utf8.len, &tree);
    blocks_read (&tree, &blocks);
    region_find (&tree, &blocks, rules, &keep);
    page->text = write_text (&blocks, keep);
    meta_read (&tree, hints->url, page, &body);
    choose_text (page, &body);
    free (keep);
    blocks_fini (&blocks);
    tree_fini (&tree);
    buf_fini (&utf8);
    rules_destroy (&rules);
    *ret_page = page;
    return 0;
}

void
page_destroy (struct page **page)
{
    if (!*page)
        return;
    free ((*page)->title);
    free ((*page)->author);
    free ((*page)->canonical_url);
    free ((*page)->language);
    free ((*page)->text);
    free (*page);
    *page = NULL;
}
