/* html_fuzz - any bytes as HTML: the text must be valid, trimmed at its end, and not outgrow the
 * input.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/html.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    char *input = mem_copy (data, size), *text = html_to_text ((const char *) data, size);
    size_t bytes = strlen (text);
    /* One illegal byte becomes U+FFFD, three bytes; a gap is at most the tag that made it. */
    if (utf8_valid_bytes (text, bytes) != bytes || bytes > 3 * size)
        abort ();
    (void) html_is_markup (input); /* either answer is right; it must not read beyond */
    free (text);
    free (input);
    return 0;
}
