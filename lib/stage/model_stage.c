/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/model_stage.h"

static void
on_http (struct stage *stage UNUSED, void *arg)
{
    http_turn (arg);
}

int
model_stage_open (struct stage *stage, size_t max_calls, struct model_stage *ret_self)
{
    const struct settings *s = stage_settings (stage);
    bool local = streq (s->model_base_url, "local");
    *ret_self = (struct model_stage){ NULL, NULL };
    if (!local) {
        struct http_settings http = { .user_agent = "newsmill/" NEWSMILL_VERSION, .allow_private = true,
                                      .max_total = max_calls, .max_per_host = max_calls };
        ret_self->http = http_new (&http);
        if (!ret_self->http) {
            log_error ("cannot start the HTTP client");
            return -EIO;
        }
        stage_watch_fd (stage, http_fd (ret_self->http), false, on_http, ret_self->http);
    }
    struct model_settings settings = {
        .base_url = s->model_base_url,
        .key = s->model_api_key,
        .chat_name = s->model_summary,
        .embedding_name = s->model_embedding,
        .dimensions = (size_t) s->model_dimensions,
        .timeout_ms = s->model_timeout,
        .max_calls = max_calls,
        .max_summary_input_bytes = (size_t) s->model_max_input,
        .language = *s->model_language ? s->model_language : NULL,
    };
    ret_self->model = model_new (&settings, ret_self->http);
    if (!ret_self->model) {
        log_error ("cannot open the model at %s", s->model_base_url);
        return -EIO;
    }
    log_info ("model %s at %s%s", local ? "local" : "over HTTP", s->model_base_url,
              local && !*s->model_api_key ? ": no key is set, so the built-in models serve" : "");
    return 0;
}

void
model_stage_close (struct model_stage *self)
{
    model_destroy (&self->model);
    http_destroy (&self->http);
}
