/* page - the article on a web page: its text without navigation, advertisements, comments and captions, and what the
 * page says of it. Bytes in, values out: no network, no clock, no log. What it reads is hostile.
 * HTML: html.spec.whatwg.org; JSON-LD: schema.org/Article; OpenGraph: ogp.me.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H

#include "base/base.h"

#define PAGE_NO_DATE INT64_MIN
#define PAGE_BYTES_MAX ((size_t) 32 << 20) /* longer pages are refused */
#define PAGE_REASON_SIZE 160
#define PAGE_RULES_MAX 64 /* selectors in one text of rules */

/* All text is valid UTF-8 without U+0000; a pointer is NULL where the page says nothing that can be trusted. */
struct page {
    char *title, *author;
    char *canonical_url; /* absolute where a base was known */
    char *language;      /* BCP 47, as the page has it */
    char *text;          /* plain, a blank line between blocks, "- " before an item of a list; "" if there is no article */
    int64_t published_us; /* wall clock, or PAGE_NO_DATE */
};

/* What is known of the page; NULL where nothing is.
 * rules: where the article stands, if the page's site is known to mislead: "keep: SELECTORS; drop: SELECTORS", either
 * part may be absent. Selectors are those of CSS, separated by commas: tag, .class, #id, [attribute],
 * [attribute=value], several of them together, and descendants after a space. */
struct page_hints {
    const char *url;          /* base for relative links */
    const char *content_type; /* of HTTP, for its charset */
    const char *rules;
};

/* html, hints: borrowed (hints may be NULL). *ret_page: given (page_destroy). ret_reason: why not, for people.
 * 0; -E2BIG past PAGE_BYTES_MAX; -EINVAL for rules that page_rules_check refuses. No I/O; never blocks. */
MUST_CHECK int page_read (const char *html, size_t bytes, const struct page_hints *hints, struct page **ret_page,
                          char ret_reason[PAGE_REASON_SIZE]);
void page_destroy (struct page **page); /* NULL is fine */

/* rules: borrowed. 0, or -EINVAL and what is wrong with them. */
MUST_CHECK int page_rules_check (const char *rules, char ret_reason[PAGE_REASON_SIZE]);

#endif
