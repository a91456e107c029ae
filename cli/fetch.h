/* fetch - one HTTP GET with the fetcher's manners and limits, waited for.
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
    char *content_type, *etag, *last_modified; /* NULL when absent */
    struct buf body;
};

/* ret_fetched: given (fetched_fini), also after an error. */
void fetch (const struct settings *settings, const char *url, size_t max_body_bytes,
            struct fetched *ret_fetched);
void fetched_fini (struct fetched *fetched);

#endif
