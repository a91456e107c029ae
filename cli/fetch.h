/* fetch - HTTP GETs with the fetcher's manners and limits, waited for.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FETCH_H
#define CLI_FETCH_H

#include "base/base.h"
#include "conf/conf.h"
#include "http/http.h"

struct fetched {
    enum http_error error;
    char reason[256];
    long status;
    bool moved_permanently;
    int64_t duration_ms;
    char *url;                                 /* after redirects */
    long redirects;
    char *content_type, *etag, *last_modified; /* NULL when absent */
    char *headers;                             /* see http_header_value */
    struct http_times times;
    int64_t wire_bytes;
    struct buf body;
};

struct fetch_wish {
    const char *url;
    const char *const *headers; /* besides the fetcher's own; NULL-terminated; may be NULL */
    size_t max_body_bytes;
};
#define FETCH_ACCEPT                                                                                                   \
    "Accept: application/rss+xml, application/atom+xml, application/feed+json;q=0.9, application/xml;q=0.8,"            \
    " text/xml;q=0.8, */*;q=0.1"

/* All of them, several at once. ret_fetched: count of them, in the order of the wishes, each given (fetched_fini), also after
 * an error. */
void fetch_all (const struct settings *settings, const struct fetch_wish *wishes, size_t count, struct fetched *ret_fetched);
/* ret_fetched: given (fetched_fini), also after an error. */
void fetch (const struct settings *settings, const char *url, size_t max_body_bytes,
            struct fetched *ret_fetched);
void fetched_fini (struct fetched *fetched);

#endif
