/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/model_stage.h"

#define LISTEN_MS 500 /* the collector repeats a gate that stands more often: see its run_gate */

static void
on_http (struct stage *stage UNUSED, void *arg)
{
    http_turn (arg);
}

static void
on_model (struct stage *stage UNUSED, void *arg)
{
    model_turn (arg);
}

int
model_stage_open (struct stage *stage, struct batch_settings *batch, const char *weights, struct model_stage *self)
{
    const struct settings *s = stage_settings (stage);
    bool local = streq (s->model_base_url, "local");
    size_t max_calls = batch->max_calls;
    batch->context = self;
    self->stage = stage;
    self->batcher = batcher_new (stage, batch);
    if (!local) {
        batcher_pause (self->batcher, LISTEN_MS);
        struct http_settings http = { .user_agent = "newsmill/" NEWSMILL_VERSION, .allow_private = true,
                                      .max_total = max_calls, .max_per_host = max_calls };
        self->http = http_new (&http);
        if (!self->http) {
            log_error ("cannot start the HTTP client");
            return -EIO;
        }
        stage_watch_fd (stage, http_fd (self->http), false, on_http, self->http);
    }
    struct model_settings settings = {
        .base_url = s->model_base_url,
        .key = s->model_api_key,
        .chat_name = s->model_summary,
        .embedding_name = s->model_embedding,
        .weights = weights,
        .dimensions = (size_t) s->model_dimensions,
        .timeout_ms = s->model_timeout,
        .max_calls = max_calls,
        .max_summary_input_bytes = (size_t) s->model_max_input,
        .language = *s->model_language ? s->model_language : NULL,
    };
    self->model = model_new (&settings, self->http);
    if (!self->model) {
        log_error ("cannot open the model at %s", s->model_base_url);
        return -EIO;
    }
    if (model_fd (self->model) >= 0)
        stage_watch_fd (stage, model_fd (self->model), false, on_model, self->model);
    log_info ("model %s at %s%s", local ? "local" : "over HTTP", s->model_base_url,
              local && !*s->model_api_key ? ": no key is set, so the built-in models serve" : "");
    return 0;
}

void
model_stage_event (struct stage *stage, void *state, const struct wire_event *event)
{
    struct model_stage *self = state;
    batcher_event (self->batcher, stage_name (stage), event);
}

void
model_stage_stop (struct stage *stage UNUSED, void *state)
{
    struct model_stage *self = state;
    batcher_return_waiting (self->batcher);
    model_hurry (self->model);
}

bool
model_stage_is_idle (void *state)
{
    struct model_stage *self = state;
    return batcher_calls (self->batcher) == 0;
}

void
model_stage_finish (struct stage *stage UNUSED, void *state)
{
    struct model_stage *self = state;
    model_destroy (&self->model);
    http_destroy (&self->http);
    batcher_destroy (&self->batcher);
    free (self);
}
