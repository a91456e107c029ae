/* date_fuzz - any text as a date. SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/feed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* What is read must be a year of four digits: then its RFC 3339 form is read as the same moment. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    char *text = mem_copy (data, size), again[CLOCK_TEXT_SIZE];
    int64_t date_us = date_parse (text);
    free (text);
    if (date_us == FEED_NO_DATE)
        return 0;
    clock_format (date_us, again);
    if (strlen (again) == strlen ("2004-01-01T00:00:00.000Z") && again[0] != '0' && again[0] != '-' &&
        date_parse (again) / 1000 != date_us / 1000 && date_us >= 0)
        abort ();
    return 0;
}
