/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

/* Added by mailers, social sites and advertisers; they never change what a page shows. A trailing * is any ending. */
static const char *const tracking[] = {
    "utm_*", "fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "yclid", "_ga", "_hs*", "mkt_tok",
    "ref_src", "cmpid", "at_campaign", "at_medium", "at_custom*",
};

static bool
is_tracking (const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT_OF (tracking); i++) {
        size_t known = strlen (tracking[i]);
        if (tracking[i][known - 1] == '*' ? size >= known - 1 && !strncasecmp (name, tracking[i], known - 1)
                                          : size == known && !strncasecmp (name, tracking[i], known))
            return true;
    }
    return false;
}

static void
add_query (struct buf *out, const char *query)
{
    char mark = '?';
    while (*query) {
        size_t size = strcspn (query, "&");
        if (size && !is_tracking (query, MIN_OF (strcspn (query, "="), size))) {
            buf_add_char (out, mark);
            buf_add (out, query, size);
            mark = '&';
        }
        query += size + (query[size] == '&');
    }
}

char *
identity_of_url (const char *url)
{
    CURLU *parts = curl_url ();
    struct buf out = { 0 };
    char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *query = NULL;
    if (curl_url_set (parts, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK
        && curl_url_get (parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
        && (!strcmp (scheme, "http") || !strcmp (scheme, "https"))
        && curl_url_get (parts, CURLUPART_HOST, &host, 0) == CURLUE_OK
        && curl_url_get (parts, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
        for (const char *p = host; *p; p++)
            buf_add_char (&out, (char) tolower ((unsigned char) *p));
        if (curl_url_get (parts, CURLUPART_PORT, &port, CURLU_NO_DEFAULT_PORT) == CURLUE_OK)
            buf_printf (&out, ":%s", port);
        buf_add_str (&out, path);
        if (curl_url_get (parts, CURLUPART_QUERY, &query, 0) == CURLUE_OK)
            add_query (&out, query);
    }
    curl_free (scheme);
    curl_free (host);
    curl_free (port);
    curl_free (path);
    curl_free (query);
    curl_url_cleanup (parts);
    return out.len ? buf_take (&out) : NULL;
}
