/* SPDX-License-Identifier: MPL-2.0 */
#include "cron/cron.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    struct cron cron;
    char *text = mem_copy (data, size);
    if (cron_parse (text, &cron) == 0 && cron_next (&cron, INT64_C (1763347200000000)) <= INT64_C (1763347200000000))
        abort (); /* the next time must lie ahead */
    free (cron_describe (text));
    free (text);
    return 0;
}
