/* reply_parts - what the readers of summaries and of vectors share. Inside lib/model alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_REPLY_PARTS_H
#define MODEL_REPLY_PARTS_H

#include "model/reply.h"

#include <jansson.h>

/* Sets outcome and reason. The secret is taken out of the text, which may come from outside. */
void reply_fail (const struct reply_ask *ask, struct reply *reply, enum model_outcome outcome,
                 const char *format, ...) PRINTF_LIKE (4, 5);

/* True when the answer is an error, by its HTTP status or by what stands in it; reply then says
 * which. root: the parsed body, NULL when it is not JSON. wanted: the key that a good answer holds.
 */
bool reply_is_error (const struct reply_ask *ask, const json_t *root, const char *wanted,
                     struct reply *reply);

/* The same for an error object inside an otherwise good answer. */
void reply_read_error (const struct reply_ask *ask, const json_t *error, struct reply *reply);

void reply_read_usage (const json_t *root, struct reply *reply);

#endif
