/* html - plain text of an HTML fragment or page, as a reader sees it: tags gone, entities decoded once, script and
 * style dropped, a blank line between blocks. What it reads is hostile; it never fails: the worst input gives "".
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_HTML_H
#define TEXT_HTML_H

#include "base/base.h"

/* html: borrowed, UTF-8. Returns text: given (free), valid UTF-8, no U+0000. No I/O. */
char *html_to_text (const char *html, size_t bytes);
/* Whether text looks like markup: at least one tag or character reference. */
bool html_is_markup (const char *text);
/* Whether text has at least one tag, comment or CDATA section. */
bool html_has_tags (const char *text);

#endif
