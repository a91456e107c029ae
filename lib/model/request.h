/* request - writes what is sent to an OpenAI-compatible server. Inside lib/model alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_REQUEST_H
#define MODEL_REQUEST_H

#include "model/model.h"

enum request_format { REQUEST_FORMAT_SCHEMA, REQUEST_FORMAT_OBJECT, REQUEST_FORMAT_NONE };

/* How to ask this server, as far as is known by now. */
struct request_shape {
    const char *name;        /* of the model */
    const char *language;    /* NULL: the article's own */
    enum request_format format;
    bool temperature;        /* say it */
    bool ask_usage;          /* OpenRouter reports the cost only when asked */
    bool base64;
    size_t dimensions;       /* 0: not said */
};

/* A JSON string with its quotes; illegal UTF-8 becomes U+FFFD. */
void request_add_string (struct buf *out, const char *text, size_t bytes);

/* The articles as one JSON string, ready to be a message's content. */
void request_add_articles (struct buf *out, const struct model_text *texts, size_t count, size_t max_text_bytes);
/* The texts as a JSON array of strings. */
void request_add_inputs (struct buf *out, const struct model_text *texts, size_t count);

/* Whole bodies around what the two above wrote. */
void request_add_chat (struct buf *out, const struct request_shape *shape, const struct buf *articles);
void request_add_embedding (struct buf *out, const struct request_shape *shape, const struct buf *inputs);

#endif
