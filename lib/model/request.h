/* request - writes what is sent to an OpenAI-compatible server. Inside lib/model alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "model/model.h"

enum request_format { REQUEST_FORMAT_SCHEMA, REQUEST_FORMAT_OBJECT, REQUEST_FORMAT_NONE };

/* How to ask this server, as far as is known by now. */
struct request_shape {
    enum request_format format;
    bool temperature; /* say it */
    bool ask_usage;   /* OpenRouter reports the cost only when asked */
    bool base64;
    size_t dimensions; /* 0: not said */
};

/* A body is begun with what never changes and ended with what depends on the shape; to ask again in
 * another shape, the end is cut off and written anew. Illegal UTF-8 in the texts becomes U+FFFD.
 * language: NULL: the article's own. */
void request_begin_chat (struct buf *out, const char *name, const char *language,
                         const struct model_text *texts, size_t count, size_t max_text_bytes);
void request_end_chat (struct buf *out, const struct request_shape *shape);
void request_begin_embedding (struct buf *out, const char *name, const struct model_text *texts,
                              size_t count);
void request_end_embedding (struct buf *out, const struct request_shape *shape);

#endif
