/* memory - vectors of texts that were embedded lately, and who waits for one that is being embedded, so that the model is
 * asked once for the same text. Of one model and one process. A text is compared whole: its hash alone decides nothing.
 * No I/O; never blocks.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef EMBEDDER_MEMORY_H
#define EMBEDDER_MEMORY_H

#include "base/base.h"

struct memory;
struct memory_entry; /* one text */

/* max_bytes: of texts and vectors that are kept; 0 keeps none, and then only texts asked for at the same time are shared. */
struct memory *memory_new (size_t dimensions, size_t max_bytes);
void memory_destroy (struct memory **memory); /* waiters are the caller's */

/* heading: may be NULL; text: both borrowed. Returns the entry, which memory_vector tells to be known or not; if it is not,
 * waiter (borrowed) waits from now on. *ret_first: nobody waited before, so the caller has the text embedded, and ends the wait
 * by memory_learn or memory_forget. */
struct memory_entry *memory_ask (struct memory *memory, const char *heading, const char *text, size_t bytes, void *waiter,
                                 bool *ret_first);
const float *memory_vector (const struct memory_entry *entry); /* NULL: not known yet. Borrowed until the next call of the memory */
const char *memory_model (const struct memory_entry *entry);   /* that made the vector. Likewise */

/* fn: called for each waiter in the order they came, after the entry was settled; may ask again. */
typedef void memory_fn (void *context, void *waiter);
/* vector, model: borrowed. */
void memory_learn (struct memory *memory, struct memory_entry *entry, const float *vector, const char *model, memory_fn *fn,
                   void *context);
void memory_forget (struct memory *memory, struct memory_entry *entry, memory_fn *fn, void *context);

size_t memory_bytes (const struct memory *memory); /* kept */

#endif
