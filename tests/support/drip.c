/* drip - bodies that come a byte at a time, or not to their end.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 1024

struct drip {
    struct serve *serve;
    struct MHD_Connection *connection;
    struct buf body;
    size_t bytes; /* that come */
    int64_t ms;
    bool slept;   /* since the last byte */
};

static ssize_t
read_drip (void *context, uint64_t at, char *out, size_t most)
{
    struct drip *drip = context;
    if (at >= drip->bytes)
        return drip->bytes < drip->body.len ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (drip->ms && !drip->slept && at > 0) {
        drip->slept = true;
        return serve_sleep (drip->serve, drip->connection, drip->ms) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
    }
    drip->slept = false;
    size_t bytes = drip->ms ? 1 : MIN_OF (most, drip->bytes - at);
    memcpy (out, drip->body.data + at, bytes);
    return (ssize_t) bytes;
}

static void
drip_free (void *context)
{
    buf_fini (&((struct drip *) context)->body);
    free (context);
}

struct MHD_Response *
drip_response (const struct serve_request *request, struct buf *body, int64_t drip_ms, bool torn)
{
    if (!drip_ms && !torn)
        return serve_response (NULL, body);
    struct drip *drip = MEM_NEW (struct drip);
    size_t bytes = torn ? body->len / 2 : body->len;
    *drip = (struct drip){ request->serve, request->connection, *body, bytes, drip_ms, false };
    *body = (struct buf){ 0 };
    return MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_drip, drip, drip_free);
}
