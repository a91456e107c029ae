/* charset - makes a document UTF-8: by byte order mark, being UTF-8, HTTP, declaration, guess, in this order.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_CHARSET_H
#define TEXT_CHARSET_H

#include "base/base.h"

struct charset_finding {
    char name[48];      /* "utf-8", "windows-1252" */
    const char *origin; /* on whose word: "byte order mark", "its bytes", "HTTP", "its declaration", "a guess" */
};
/* data, content_type (of HTTP; may be NULL): borrowed. given (buf_fini). Never fails: what cannot be read is replaced. No I/O.
 * ret_finding: what it was read as; may be NULL. */
void charset_read (const char *data, size_t bytes, const char *content_type, struct buf *out, struct charset_finding *ret_finding);
/* The same without asking why. */
void charset_to_utf8 (const char *data, size_t bytes, const char *content_type, struct buf *out);

#endif
