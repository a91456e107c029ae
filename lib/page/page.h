#ifndef PAGE_PAGE_H
#define PAGE_PAGE_H
#include "base/base.h"
#define PAGE_REASON_SIZE 160
struct page { char *title, *author, *canonical_url, *language, *text; int64_t published_us; };
struct page_hints { const char *url, *content_type, *rules; };
MUST_CHECK int page_read (const char *html, size_t bytes, const struct page_hints *hints, struct page **ret_page, char ret_reason[PAGE_REASON_SIZE]);
MUST_CHECK int page_rules_check (const char *rules, char ret_reason[PAGE_REASON_SIZE]);
void page_destroy (struct page **page);
#endif
