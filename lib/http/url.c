/* url - reads a URL with libcurl's own parser: what is checked is what libcurl will connect to.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/url.h"

#include <curl/curl.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *
part_of (CURLU *handle, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get (handle, part, &text, flags))
        return NULL;
    char *copy = mem_dup (text);
    curl_free (text); /* libcurl may have an allocator of its own */
    return copy;
}

int
url_read (const char *text, struct url *ret_url)
{
    if (strnlen (text, URL_MAX_BYTES + 1) > URL_MAX_BYTES)
        return -EINVAL;
    CURLU *handle = curl_url ();
    if (!handle)
        return -EINVAL;
    struct url url = { 0 };
    char *scheme = NULL, *port = NULL;
    int rc = -EINVAL;
    /* Feeds and pages link with raw spaces and letters beyond ASCII; libcurl encodes them. */
    if (curl_url_set (handle, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_ALLOW_SPACE))
        goto end;
    curl_url_set (handle, CURLUPART_FRAGMENT, NULL, 0);
    scheme = part_of (handle, CURLUPART_SCHEME, 0);
    port = part_of (handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    url.host = part_of (handle, CURLUPART_HOST, 0);
    url.text = part_of (handle, CURLUPART_URL, 0);
    if (!scheme || !port || !url.host || !*url.host || !url.text)
        goto end;
    url.tls = strcmp (scheme, "https") == 0;
    if (!url.tls && strcmp (scheme, "http") != 0)
        goto end;
    url.origin = mem_printf ("%s://%s:%s", scheme, url.host, port);
    *ret_url = url;
    url = (struct url){ 0 };
    rc = 0;
end:
    url_fini (&url);
    free (scheme);
    free (port);
    curl_url_cleanup (handle);
    return rc;
}

void
url_fini (struct url *url)
{
    free (url->text);
    free (url->host);
    free (url->origin);
    *url = (struct url){ 0 };
}
