/* page - bodies kept ready, and conditional GET on them (RFC 9110, section 13).
 * SPDX-License-Identifier: MPL-2.0 */
#include "demo/serve.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *
serve_date (int64_t time_s, char out[SERVE_DATE_SIZE])
{
    time_t t = (time_t) time_s;
    struct tm tm;
    if (!gmtime_r (&t, &tm) || !strftime (out, SERVE_DATE_SIZE, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        out[0] = '\0';
    return out;
}

void
serve_page_fini (struct serve_page *page)
{
    if (page->full)
        MHD_destroy_response (page->full); /* lives on until its last reader has it */
    if (page->unchanged)
        MHD_destroy_response (page->unchanged);
    free (page->etag);
    *page = (struct serve_page){ 0 };
}

static void
add_validators (struct MHD_Response *response, const struct serve_page *page)
{
    char date[SERVE_DATE_SIZE];
    serve_header (response, MHD_HTTP_HEADER_ETAG, page->etag);
    serve_header (response, MHD_HTTP_HEADER_LAST_MODIFIED, serve_date (page->modified_s, date));
}

void
serve_page_set (struct serve_page *page, const char *content_type, struct buf *body,
                const char *etag, int64_t modified_s)
{
    serve_page_fini (page);
    page->etag = mem_dup (etag);
    page->modified_s = modified_s;
    page->full = serve_response (content_type, body);
    page->unchanged = serve_response (NULL, &(struct buf){ 0 });
    if (page->full)
        add_validators (page->full, page);
    if (page->unchanged)
        add_validators (page->unchanged, page);
}

static bool
is_unchanged (const struct serve_request *request, const struct serve_page *page)
{
    const char *tags = MHD_lookup_connection_value (request->connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (tags) /* the tag's quotes keep it from matching inside another */
        return strstr (tags, page->etag) || strcmp (tags, "*") == 0;
    const char *since = MHD_lookup_connection_value (request->connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_IF_MODIFIED_SINCE);
    struct tm tm = { 0 };
    const char *end = since ? strptime (since, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
    return end && !*end && page->modified_s <= (int64_t) timegm (&tm);
}

unsigned int
serve_page_answer (struct serve_request *request, const struct serve_page *page)
{
    bool unchanged = is_unchanged (request, page);
    request->status = unchanged ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    request->response = unchanged ? page->unchanged : page->full;
    request->shared = true;
    return request->status;
}
