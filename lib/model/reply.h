/* reply - reads what an OpenAI-compatible server answered: bytes in, struct out, nothing else
 * touched. Every byte is hostile: any input ends in some outcome, and nothing is handed on that was
 * not checked.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_REPLY_H
#define MODEL_REPLY_H

#include "model/model.h"

struct reply_ask {
    long status;      /* of HTTP */
    const char *body; /* borrowed */
    size_t bytes;
    size_t count;       /* texts that were sent */
    size_t dimensions;  /* wanted of a vector */
    const char *secret; /* never shown in a reason; may be NULL */
};

/* What the server said it does not take; the request may be sent again without. */
enum reply_dislike {
    REPLY_DISLIKES_FORMAT = 1, /* response_format */
    REPLY_DISLIKES_TEMPERATURE = 2,
    REPLY_DISLIKES_ENCODING = 4, /* encoding_format */
};

struct reply {
    enum model_outcome outcome;
    char reason[256];  /* when not MODEL_OK; legal UTF-8 on one line */
    unsigned dislikes; /* enum reply_dislike, when not MODEL_OK */
    int64_t retry_after_ms; /* the server's wish, as it stands in the body; 0: none */
    int64_t tokens_in, tokens_out;
    double cost_usd;
    bool priced; /* cost_usd was told */
    char **summaries; /* ask.count of them, in the order of the ids, when MODEL_OK */
    float *vectors;   /* ask.count x ask.dimensions, when MODEL_OK */
    size_t count;
};

#define REPLY_SUMMARY_MAX_BYTES (16 * 1024)

/* reply: written whole. given (reply_fini) */
void reply_read_summaries (const struct reply_ask *ask, struct reply *reply);
void reply_read_vectors (const struct reply_ask *ask, struct reply *reply);
void reply_fini (struct reply *reply);

#endif
