/* url_fuzz - any link against any base; the first line is the base. SPDX-License-Identifier: MPL-2.0 */
#include "text/url.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    char *base = mem_copy (data, size), *link = strchr (base, '\n');
    if (link)
        *link++ = '\0';
    char *url = url_resolve (base, link ? link : base);
    if (url && (!url[0] || utf8_valid_bytes (url, strlen (url)) != strlen (url)))
        abort ();
    char *again = url ? url_resolve (base, url) : NULL;
    if (url && url_is_absolute (url) && (!again || strcmp (again, url) != 0)) /* what is absolute has no base */
        abort ();
    free (again);
    free (url);
    free (base);
    return 0;
}
