/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/fetch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
    struct fetched *fetched;
    bool done;
};

static void
on_done (void *context, const struct http_response *response)
{
    struct waiting *self = context;
    struct fetched *got = self->fetched;
    got->error = response->error;
    snprintf (got->reason, sizeof got->reason, "%s", response->reason);
    got->status = response->status;
    got->moved_permanently = response->moved_permanently;
    got->duration_ms = response->duration_ms;
    got->url = mem_dup (response->url);
    got->content_type = mem_dup (response->content_type);
    got->etag = mem_dup (response->etag);
    got->last_modified = mem_dup (response->last_modified);
    if (response->body)
        buf_add (&got->body, response->body, response->body_bytes);
    self->done = true;
}

void
fetch (const struct settings *settings, const char *url, size_t max_body_bytes,
       struct fetched *ret_fetched)
{
    memset (ret_fetched, 0, sizeof *ret_fetched);
    struct http_settings http_settings = { .user_agent = settings->fetcher_user_agent,
                                           .allow_private = settings->fetcher_allow_private,
                                           .max_total = 1,
                                           .max_per_host = 1 };
    struct http *http = http_new (&http_settings);
    if (!http) {
        ret_fetched->error = HTTP_BROKEN;
        snprintf (ret_fetched->reason, sizeof ret_fetched->reason,
                  "the HTTP client cannot be started");
        return;
    }
    struct http_request request = { .url = url,
                                    .connect_ms = settings->fetcher_connect_timeout,
                                    .total_ms = settings->fetcher_timeout,
                                    .idle_ms = settings->fetcher_idle_timeout,
                                    .max_body_bytes = max_body_bytes,
                                    .max_redirects = (long) settings->fetcher_max_redirects };
    struct waiting waiting = { ret_fetched, false };
    http_start (http, &request, on_done, &waiting);
    while (!waiting.done) {
        struct pollfd poll_fd = { http_fd (http), POLLIN, 0 };
        (void)poll (&poll_fd, 1,
                    1000); /* a signal or a second: http_turn finds out what is to do */
        http_turn (http);
    }
    http_destroy (&http);
}

void
fetched_fini (struct fetched *fetched)
{
    free (fetched->url);
    free (fetched->content_type);
    free (fetched->etag);
    free (fetched->last_modified);
    buf_fini (&fetched->body);
}
