/* Feeds arbitrary answers of a model server to their readers. The first byte chooses the reader,
 * the status and how much was asked; the rest is the body.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/reply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_reason (const struct reply *reply)
{
    size_t bytes = strlen (reply->reason);
    if (!bytes || utf8_valid_bytes (reply->reason, bytes) != bytes
        || strstr (reply->reason, "secret"))
        abort ();
    if (reply->summaries || reply->vectors)
        abort ();
}

static void
check_outputs (const struct reply_ask *ask, const struct reply *reply)
{
    for (size_t i = 0; reply->summaries && i < ask->count; i++)
        if (!reply->summaries[i][0])
            abort ();
    for (size_t i = 0; reply->vectors && i < ask->count * ask->dimensions; i++)
        if (!isfinite (reply->vectors[i]))
            abort ();
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static const long statuses[] = { 200, 200, 200, 200, 400, 403, 429, 500 };
    if (size == 0)
        return 0;
    /* A copy of the exact size lets the sanitizer see a step past the end. */
    char *body = malloc (size);
    memcpy (body, data + 1, size - 1);
    const struct reply_ask ask = { .status = statuses[data[0] >> 1 & 7],
                                   .body = body,
                                   .bytes = size - 1,
                                   .count = (size_t) (data[0] >> 4 & 3) + 1,
                                   .dimensions = (size_t) (data[0] >> 6) + 1,
                                   .secret = "secret" };
    struct reply reply;
    if (data[0] & 1)
        reply_read_vectors (&ask, &reply);
    else
        reply_read_summaries (&ask, &reply);
    if (reply.outcome == MODEL_OK)
        check_outputs (&ask, &reply);
    else
        check_reason (&reply);
    reply_fini (&reply);
    free (body);
    return 0;
}
