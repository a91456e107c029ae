/* transfer - one request's whole life. Inside lib/http alone.
 *
 * waiting -> active -> (redirect: active again, or waiting until its new host has room) -> done, or
 * cancelled from any of them. A transfer that is wrong from the start is waiting with `failed` set,
 * so that its callback too comes from http_turn.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_TRANSFER_H
#define HTTP_TRANSFER_H

#include "http/http.h"
#include "http/fresh.h"
#include "http/limit.h"
#include "http/url.h"

#include <curl/curl.h>

struct transfer {
    struct transfer *next, *prev; /* in the client's waiting or active list */
    struct limit *host, *domain;  /* of the present hop; NULL when wrong from the start */
    bool shares_domain;           /* else the host's limit is the only one */
    http_done_fn *done;
    void *context;

    /* what was asked */
    struct url url;   /* of the present hop */
    const char *post; /* NULL: GET */
    char *post_copy;  /* the same, unless the caller keeps it */
    size_t post_bytes;
    struct curl_slist *headers;
    int64_t connect_ms, total_ms, idle_ms, min_rate, rate_after_ms;
    size_t max_body_bytes;
    long max_redirects;
    bool allow_private;
    char *user_agent;

    /* how it goes */
    CURL *easy;         /* NULL while waiting */
    int64_t started_us; /* when it left the queue; what it waited in there since is added */
    int64_t queued_us;  /* when a redirect put it there again; 0: none did */
    long hops;
    struct buf visited; /* URLs gone through, each with its NUL */
    bool all_permanent; /* so far; means something when hops > 0 */
    bool address_refused;
    enum http_error failed; /* decided by us, before or instead of libcurl */
    char reason[256];       /* with it */
    char curl_text[CURL_ERROR_SIZE];

    /* the answer of the present hop */
    size_t header_bytes;
    int64_t body_since_us; /* its first byte; 0: none yet */
    struct buf head, body;
    char *content_type, *etag, *last_modified, *server, *cf_mitigated;
    struct fresh fresh;
    int64_t retry_after_ms;
    bool retry_after_exact; /* from retry-after-ms, which wins over Retry-After */
};

/* request: borrowed. Whatever is wrong with it is in `failed` and `reason` of what comes back.
 * given (transfer_destroy) */
struct transfer *transfer_new (const struct http_request *request,
                               const struct http_settings *settings);
void transfer_destroy (struct transfer **transfer); /* easy must be NULL by then */

/* Sets every option of a fresh or reset handle for the present hop. False: libcurl lacks something
 * this client needs. */
MUST_CHECK bool transfer_prepare (struct transfer *transfer, CURL *easy, CURLSH *share);

/* After libcurl finished the hop well: true when there is a next hop, which transfer_prepare will
 * go to. */
bool transfer_redirect (struct transfer *transfer);

/* Whether `next` may be the next hop: neither one too many, nor round in a circle, nor from https
 * to http. If not, the transfer has failed. */
MUST_CHECK bool transfer_may_go (struct transfer *transfer, const struct url *next);

/* Fills the response; its pointers are the transfer's own. */
void transfer_answer (struct transfer *transfer, CURLcode code, struct http_response *response);

void transfer_fail (struct transfer *transfer, enum http_error error, const char *format, ...)
    PRINTF_LIKE (3, 4);

#endif
