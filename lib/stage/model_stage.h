/* model_stage - what a stage that asks a model shares with the other one: the model, the HTTP client in its loop, the
 * batcher, and the handlers that come with them. Its state begins with a struct model_stage.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_MODEL_STAGE_H
#define STAGE_MODEL_STAGE_H

#include "stage/batch.h"

struct model_stage {
    struct stage *stage;
    struct http *http;   /* NULL for the local model */
    struct model *model;
    struct batcher *batcher;
};

/* settings->context is set to self. weights: borrowed until return; NULL where nothing is embedded. 0, or -EIO after it
 * logged why. */
MUST_CHECK int model_stage_open (struct stage *stage, struct batch_settings *settings, const char *weights, struct model_stage *self);

/* For the stage's table. */
void model_stage_event (struct stage *stage, void *state, const struct wire_event *event);
void model_stage_stop (struct stage *stage, void *state); /* what waits goes back, calls under way are waited for */
bool model_stage_is_idle (void *state);
void model_stage_finish (struct stage *stage, void *state); /* frees state; calls under way are cut */

#endif
