/* batch - items become batches, batches become model calls: filled by size or closed by a short linger, several calls at
 * once, retried with exponential back-off and full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS, 2015),
 * bisected when the batch itself is refused so that one bad item harms no other, paused when the provider asks for it.
 * Belongs to one stage; no threads.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_BATCH_H
#define STAGE_BATCH_H

#include "model/model.h"
#include "stage/stage.h"

struct batcher;

struct batch {
    void **items;
    size_t count;
    int tries;           /* calls made for just these items */
    struct uuid run;     /* of the first item: what the call is booked on */
    /* private */
    struct batcher *batcher;
    int64_t due_ms;
    struct batch *next;
};

struct batch_settings {
    size_t max_items, max_calls;
    int64_t linger_ms;
    /* Starts the model call for batch and hands the reply to batch_reply in the end. */
    void (*call) (void *context, struct batch *batch);
    /* The reply was good: take each item's output from it. */
    void (*accept) (void *context, struct batch *batch, const struct model_reply *reply);
    /* No more will be tried here. WIRE_NO_FAULT: handed back untouched. */
    void (*give_up) (void *context, void *item, enum wire_class fault, const char *reason);
    void *context;
};

struct batcher *batcher_new (struct stage *stage, const struct batch_settings *settings);
void batcher_destroy (struct batcher **batcher); /* items are the caller's */
/* item: borrowed until accept or give_up. alone: in a call of its own. */
void batcher_add (struct batcher *batcher, void *item, const struct uuid *run, bool alone);
/* model_done_fn: context is the struct batch. Reports what was spent, then accepts, retries, bisects or gives up. */
void batch_reply (void *batch, const struct model_reply *reply);
/* No calls for so long, from now. */
void batcher_pause (struct batcher *batcher, int64_t wait_ms);
/* Gives up, as handed back, all that is not in a call just now. */
void batcher_return_waiting (struct batcher *batcher);
size_t batcher_calls (const struct batcher *batcher); /* under way */
/* What a stage with a batcher does with any event. */
void batcher_event (struct batcher *batcher, const char *stage, const struct wire_event *event);

#endif
