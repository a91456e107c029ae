/* identity - what makes two addresses the same article: the parts of a URL (RFC 3986, section 6.2) that a publisher,
 * a mailer, a social site or a telephone changes without showing another page are left out.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#include <ctype.h>
#include <curl/curl.h>
#include <strings.h>

/* Query parameters that never change what a page shows: of mailers, social sites, advertisers, and of pages' AMP forms.
 * A trailing * is any ending. */
static const char *const idle_parameters[] = {
    "utm_*", "fbclid", "gclid", "gbraid", "wbraid", "dclid", "msclkid", "twclid", "ttclid", "yclid", "mc_cid", "mc_eid",
    "igshid", "igsh", "_ga", "_gl", "_hs*", "__hs*", "mkt_tok", "ref_src", "ref_url", "cmpid", "at_campaign", "at_medium",
    "at_custom*", "s_cid", "ncid", "wt_mc", "wt_zmc", "guccounter", "guce_referrer*", "li_fat_id", "vero_id", "oly_*_id",
    "sr_share", "amp", "amp_*", "outputtype",
};

/* Names under which a site serves the same pages. */
static const char *const idle_hosts[] = { "www.", "m.", "mobile.", "amp." };

static const char *const idle_endings[] = { "/amp", "/amp.html", ".amp", "/index.html", "/index.php" };

static bool
matches (const char *pattern, const char *name, size_t size)
{
    const char *star = strchr (pattern, '*');
    if (!star)
        return size == strlen (pattern) && !strncasecmp (name, pattern, size);
    size_t head = (size_t) (star - pattern), tail = strlen (star + 1);
    return size >= head + tail && !strncasecmp (name, pattern, head)
           && !strncasecmp (name + size - tail, star + 1, tail);
}

static bool
is_idle (const char *name, size_t size)
{
    for (size_t i = 0; i < COUNT_OF (idle_parameters); i++)
        if (matches (idle_parameters[i], name, size))
            return true;
    return false;
}

static int
hex_digit (char c)
{
    return isdigit ((unsigned char) c) ? c - '0' : isxdigit ((unsigned char) c) ? (c | 0x20) - 'a' + 10 : -1;
}

/* Percent-encoding has one form: none where none is needed (RFC 3986, 6.2.2.2), capitals elsewhere. */
static void
add_part (struct buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char) text[i];
        int high = c == '%' && i + 2 < size ? hex_digit (text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit (text[i + 2]) : -1;
        if (low >= 0) {
            c = (unsigned char) (high << 4 | low);
            i += 2;
        }
        if (low < 0 ? c > ' ' && c < 0x7f : isalnum (c) || (c && strchr ("-._~", c)))
            buf_add_char (out, (char) c);
        else
            buf_printf (out, "%%%02X", c);
    }
}

static void
add_query (struct buf *out, const char *query)
{
    char mark = '?';
    while (*query) {
        size_t size = strcspn (query, "&");
        if (size && !is_idle (query, MIN_OF (strcspn (query, "="), size))) {
            buf_add_char (out, mark);
            add_part (out, query, size);
            mark = '&';
        }
        query += size + (query[size] == '&');
    }
}

/* Without AMP's marks, the folder's default page, and the last slash. */
static void
add_path (struct buf *out, const char *path)
{
    size_t size = strlen (path);
    if (!strncasecmp (path, "/amp/", 5)) {
        path += 4;
        size -= 4;
    }
    while (size && path[size - 1] == '/')
        size--;
    for (size_t i = 0; i < COUNT_OF (idle_endings); i++) {
        size_t ending = strlen (idle_endings[i]);
        if (size > ending && !strncasecmp (path + size - ending, idle_endings[i], ending)) {
            size -= ending;
            break;
        }
    }
    while (size && path[size - 1] == '/')
        size--;
    add_part (out, path, size);
    if (!size)
        buf_add_char (out, '/');
}

static void
add_host (struct buf *out, const char *host)
{
    for (size_t i = 0; i < COUNT_OF (idle_hosts); i++) {
        size_t size = strlen (idle_hosts[i]);
        if (!strncasecmp (host, idle_hosts[i], size) && strchr (host + size, '.')) {
            host += size;
            i = (size_t) -1; /* www.m. */
        }
    }
    size_t size = strlen (host);
    size -= size && host[size - 1] == '.';
    for (size_t i = 0; i < size; i++) {
        char c = (char) tolower ((unsigned char) host[i]);
        add_part (out, &c, 1); /* libcurl decodes what stands escaped in a host, to any byte */
    }
}

struct parts {
    char *host, *port, *path, *query; /* of libcurl; port: NULL for the scheme's own */
};

static bool
parts_read (struct parts *ret, const char *url)
{
    CURLU *handle = curl_url ();
    char *scheme = NULL;
    *ret = (struct parts){ 0 };
    bool ok = curl_url_set (handle, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME | CURLU_ALLOW_SPACE) == CURLUE_OK
              && curl_url_get (handle, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK
              && (streq (scheme, "http") || streq (scheme, "https"))
              && curl_url_get (handle, CURLUPART_HOST, &ret->host, 0) == CURLUE_OK
              && curl_url_get (handle, CURLUPART_PATH, &ret->path, 0) == CURLUE_OK;
    if (ok) {
        (void) curl_url_get (handle, CURLUPART_PORT, &ret->port, CURLU_NO_DEFAULT_PORT);
        (void) curl_url_get (handle, CURLUPART_QUERY, &ret->query, 0);
    }
    curl_free (scheme);
    curl_url_cleanup (handle);
    return ok;
}

static void
parts_fini (struct parts *parts)
{
    curl_free (parts->host);
    curl_free (parts->port);
    curl_free (parts->path);
    curl_free (parts->query);
}

static void
add_place (struct buf *out, const struct parts *parts)
{
    add_host (out, parts->host);
    if (parts->port)
        buf_printf (out, ":%s", parts->port);
}

static char *
join (const struct parts *parts, bool with_place)
{
    struct buf out = { 0 };
    if (with_place)
        add_place (&out, parts);
    add_path (&out, parts->path);
    if (parts->query)
        add_query (&out, parts->query);
    return buf_take (&out);
}

char *
identity_of_url (const char *url)
{
    struct parts parts;
    char *identity = parts_read (&parts, url) ? join (&parts, true) : NULL;
    parts_fini (&parts);
    return identity;
}

char *
identity_of_site (const char *url)
{
    struct parts parts;
    struct buf out = { 0 };
    if (parts_read (&parts, url))
        add_place (&out, &parts);
    parts_fini (&parts);
    return out.len ? buf_take (&out) : NULL;
}

char *
identity_of_guid (const char *guid, const char *source_url)
{
    struct parts parts;
    char *identity = NULL, *home = identity_of_site (source_url), *site = identity_of_site (guid);
    if (home && site && streq (home, site) && parts_read (&parts, guid)) {
        identity = join (&parts, false);
        parts_fini (&parts);
    }
    free (home);
    free (site);
    return identity ? identity : mem_dup (guid);
}
