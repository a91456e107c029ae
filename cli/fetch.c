/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/fetch.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct waiting {
    struct fetched *fetched;
    size_t *left;
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
    got->redirects = response->redirects;
    got->duration_ms = response->duration_ms;
    got->times = response->times;
    got->wire_bytes = response->wire_bytes;
    got->url = mem_dup (response->url);
    got->content_type = mem_dup (response->content_type);
    got->etag = mem_dup (response->etag);
    got->last_modified = mem_dup (response->last_modified);
    got->headers = mem_dup (response->headers);
    if (response->body)
        buf_add (&got->body, response->body, response->body_bytes);
    --*self->left;
}

static void
start (struct http *http, const struct settings *settings, const struct fetch_wish *wish, struct waiting *waiting)
{
    struct http_request request = { .url = wish->url,
                                    .headers = wish->headers,
                                    .connect_ms = settings->fetcher_connect_timeout,
                                    .total_ms = settings->fetcher_timeout,
                                    .idle_ms = settings->fetcher_idle_timeout,
                                    .max_body_bytes = wish->max_body_bytes,
                                    .max_redirects = (long) settings->fetcher_max_redirects };
    http_start (http, &request, on_done, waiting);
}

void
fetch_all (const struct settings *settings, const struct fetch_wish *wishes, size_t count, struct fetched *ret_fetched)
{
    struct http_settings http_settings = { .user_agent = settings->fetcher_user_agent,
                                           .allow_private = settings->fetcher_allow_private,
                                           .max_total = (size_t) settings->fetcher_parallel,
                                           .max_per_host = (size_t) settings->fetcher_per_host };
    struct http *http = http_new (&http_settings);
    struct waiting *waiting = mem_alloc ((count + 1) * sizeof *waiting);
    size_t left = http ? count : 0;
    for (size_t i = 0; i < count; i++) {
        ret_fetched[i] = (struct fetched){ .error = HTTP_BROKEN, .reason = "the HTTP client cannot be started" };
        waiting[i] = (struct waiting){ &ret_fetched[i], &left };
        if (http)
            start (http, settings, &wishes[i], &waiting[i]);
    }
    while (left) {
        struct pollfd poll_fd = { http_fd (http), POLLIN, 0 };
        (void)poll (&poll_fd, 1,
                    1000); /* a signal or a second: http_turn finds out what is to do */
        http_turn (http);
    }
    http_destroy (&http);
    free (waiting);
}

void
fetch (const struct settings *settings, const char *url, size_t max_body_bytes,
       struct fetched *ret_fetched)
{
    const char *headers[] = { FETCH_ACCEPT, NULL };
    struct fetch_wish wish = { url, headers, max_body_bytes };
    fetch_all (settings, &wish, 1, ret_fetched);
}

void
fetched_fini (struct fetched *fetched)
{
    free (fetched->url);
    free (fetched->headers);
    free (fetched->content_type);
    free (fetched->etag);
    free (fetched->last_modified);
    buf_fini (&fetched->body);
}
