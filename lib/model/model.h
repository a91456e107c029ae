/* model - what newsmill asks of a model: summarise a batch, embed a batch. Two implementations: any OpenAI-compatible
 * server over HTTP, and `local`, in process. Nothing blocks for long; replies are checked before they are handed on.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "base/base.h"
#include "http/http.h"

struct model;

struct model_settings {
    const char *base_url;       /* "https://openrouter.ai/api/v1", or "local" */
    const char *key;            /* NULL or "": no Authorization header */
    const char *chat_name, *embedding_name; /* the server's names for the models */
    const char *weights;        /* the local embedding model's prepared file; NULL, or one that can't be read: hashed words */
    size_t dimensions;          /* of a vector */
    bool send_dimensions;       /* name it in requests; text-embedding-3* models are always told */
    int64_t timeout_ms;         /* of one call */
    size_t max_calls;           /* at once */
    size_t max_summary_input_bytes; /* of one article's text that is sent */
    const char *language;       /* of summaries, as "en"; NULL: the article's own */
};

enum model_outcome {
    MODEL_OK,
    MODEL_RETRY,   /* not now: transport, time-out, 408, 409, 425, 429, 5xx, 200 with such an error inside */
    MODEL_REFUSED, /* nothing will work until a person acts: 401, 402, 403 about the key or credit, 404 of the model,
                      vectors of another size than is configured */
    MODEL_BAD,     /* this batch: 400, 413, 422, content refused, or a reply that doesn't fit what was asked */
    MODEL_OVER_BUDGET, /* this batch costs more than is left, a smaller one may not; one text alone: as MODEL_REFUSED */
};

struct model_text {
    const char *title;  /* may be NULL; stands before the text when that is embedded */
    const char *text;   /* UTF-8 */
    size_t bytes;
};

struct model_reply {
    enum model_outcome outcome;
    char reason[256];        /* for people, when not MODEL_OK: what happened, to what; never a secret */
    int64_t retry_after_ms;  /* the server's wish, or -1 */
    int64_t duration_ms;
    int64_t tokens_in, tokens_out; /* as the server reports them, else 0 */
    double cost_usd;               /* likewise (OpenRouter's usage.cost) */
    bool priced;                   /* cost_usd is what the server told; false: it told none */
    const char *name;        /* of the model that answered, as stored beside its output: "local/hash-384" */
    size_t count;            /* texts asked = outputs given when MODEL_OK */
    const char *const *summaries;  /* count of them, each not empty, in the order asked; NULL from model_embed */
    const float *vectors;    /* count x dimensions, finite, not all zero; NULL from model_summarise */
    size_t dimensions;
};

/* reply: borrowed, gone after the call. */
typedef void model_done_fn (void *context, const struct model_reply *reply);

/* settings: borrowed for the object's life. http: borrowed likewise; may be NULL for local. */
struct model *model_new (const struct model_settings *settings, struct http *http);
void model_destroy (struct model **model);
/* texts: borrowed until return. done is called once: from http_turn or model_turn, or before the return (local but for its
 * embedding model, which has a thread). */
void model_summarise (struct model *model, const struct model_text *texts, size_t count, model_done_fn *done, void *context);
void model_embed (struct model *model, const struct model_text *texts, size_t count, model_done_fn *done, void *context);
/* Readable when model_turn has work; -1: it never has. */
int model_fd (const struct model *model);
void model_turn (struct model *model);
/* The process is to leave: calls that cost nothing but time end soon, by MODEL_RETRY. What is paid for is waited for. */
void model_hurry (struct model *model);
/* The name kept beside every vector or summary of this model. */
const char *model_embedding_name (const struct model *model);
const char *model_summary_name (const struct model *model);

#endif
