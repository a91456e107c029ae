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

/* Reads the parts of what handle holds. 0 or -EINVAL. */
static int
read_parts (CURLU *handle, struct url *ret_url)
{
    struct url url = { 0 };
    int rc = -EINVAL;
    char *scheme = part_of (handle, CURLUPART_SCHEME, 0);
    char *port = part_of (handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
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
    return rc;
}

/* given (curl_url_cleanup), or NULL: too long, or not a URL */
static CURLU *
parse (const char *text)
{
    CURLU *handle = strnlen (text, URL_MAX_BYTES + 1) > URL_MAX_BYTES ? NULL : curl_url ();
    /* Feeds and pages link with raw spaces and letters beyond ASCII; libcurl encodes them. */
    if (!handle || !curl_url_set (handle, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_ALLOW_SPACE)) {
        if (handle)
            curl_url_set (handle, CURLUPART_FRAGMENT, NULL, 0);
        return handle;
    }
    curl_url_cleanup (handle);
    return NULL;
}

int
url_read (const char *text, struct url *ret_url)
{
    CURLU *handle = parse (text);
    int rc = handle ? read_parts (handle, ret_url) : -EINVAL;
    curl_url_cleanup (handle);
    return rc;
}

int
url_read_hop (const char *text, const struct url *from, struct url *ret_url)
{
    static const CURLUPart secrets[] = { CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS };
    struct url there;
    CURLU *handle = parse (text), *before = parse (from->text);
    int rc = handle && before ? read_parts (handle, &there) : -EINVAL;
    if (rc == 0) {
        bool stays = strcmp (there.origin, from->origin) == 0;
        for (size_t i = 0; i < COUNT_OF (secrets); i++) {
            char *secret = stays ? part_of (before, secrets[i], 0) : NULL;
            curl_url_set (handle, secrets[i], secret, 0);
            free (secret);
        }
        url_fini (&there);
        rc = read_parts (handle, ret_url);
    }
    curl_url_cleanup (handle);
    curl_url_cleanup (before);
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
