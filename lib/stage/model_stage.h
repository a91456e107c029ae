/* model_stage - opens the configured model for a stage: the HTTP client in its loop, and the settings in one place.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_MODEL_STAGE_H
#define STAGE_MODEL_STAGE_H

#include "model/model.h"
#include "stage/stage.h"

struct model_stage {
    struct http *http;   /* NULL for the local model */
    struct model *model;
};

/* max_calls: at once. 0, or -EIO after it logged why. */
MUST_CHECK int model_stage_open (struct stage *stage, size_t max_calls, struct model_stage *ret_self);
void model_stage_close (struct model_stage *self); /* calls under way are cut without an answer */

#endif
