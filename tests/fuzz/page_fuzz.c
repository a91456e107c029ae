/* page_fuzz - any bytes as a page, its first line as rules: the texts must be valid UTF-8, and it must end in time.
 * SPDX-License-Identifier: MPL-2.0 */
#include "page/page.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check (const char *text)
{
    if (text && utf8_valid_bytes (text, strlen (text)) != strlen (text))
        abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    const char *newline = memchr (data, '\n', size);
    size_t line = newline ? (size_t) (newline - (const char *) data) : 0;
    char *rules = mem_copy (data, line), reason[PAGE_REASON_SIZE] = "";
    struct page_hints hints = { "https://example.org/a", NULL, rules };
    struct page *page = NULL;
    if (page_rules_check (rules, reason) < 0) {
        if (!reason[0])
            abort ();
        hints.rules = NULL;
    }
    if (page_read ((const char *) data + line, size - line, &hints, &page, reason) < 0)
        abort ();
    if (!page->text)
        abort ();
    check (page->text);
    check (page->title);
    check (page->author);
    check (page->canonical_url);
    check (page->language);
    page_destroy (&page);
    free (rules);
    return 0;
}
