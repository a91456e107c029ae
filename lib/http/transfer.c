/* transfer - options, callbacks, redirects and error texts of one request.
 * Redirects are followed by hand: libcurl cannot forbid https to http on its own, hands the
 * caller's headers to the next host, and does not say whether every hop was permanent.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/transfer.h"
#include "http/address.h"

#include <sys/socket.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEADERS_MAX_BYTES (256 * 1024)
#define BODY_RESERVE_MAX                                                                           \
    (8 * 1024 * 1024) /* a Content-Length is believed up to here; more must really come */
#define EXPANSION_FREE (1 << 20) /* bytes of a body that may come out of however few */
#define EXPANSION_MOST 100       /* times, beyond that: text compresses to a tenth, a bomb to a thousandth */
#define RETRY_AFTER_MAX_MS (INT64_C (30) * 86400 * 1000)
#define KEEPALIVE_MS 30000 /* shorter requests end before the first probe */
#define DNS_KEEP_S 180L
#define RECEIVE_BUFFER_BYTES 65536L

void
transfer_fail (struct transfer *transfer, enum http_error error, const char *format, ...)
{
    char text[160];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    transfer->failed = error;
    if (transfer->url.host)
        snprintf (transfer->reason, sizeof transfer->reason, "%.99s: %.150s", transfer->url.host,
                  text);
    else
        snprintf (transfer->reason, sizeof transfer->reason, "%s", text);
    size_t bytes = strlen (transfer->reason);
    bool legal = utf8_valid_bytes (transfer->reason, bytes) == bytes;
    for (char *p = transfer->reason; *p; p++)
        if ((unsigned char) *p < 0x20 || *p == 0x7f || (!legal && (unsigned char) *p >= 0x80))
            *p = '?';
}

/* ---- what was asked ---- */

static bool
has_controls (const char *text)
{
    for (; *text; text++)
        if (((unsigned char) *text < 0x20 && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static bool
is_header_line (const char *line)
{
    return strchr (line, ':') && !has_controls (line);
}

static void
add_header (struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append (transfer->headers, line);
    if (!longer)
        transfer_fail (transfer, HTTP_BROKEN, "out of memory");
    else
        transfer->headers = longer;
}

static void
take_headers (struct transfer *transfer, const char *const *lines)
{
    /* Without it libcurl announces large bodies first and waits a second for servers that do not
     * answer that. */
    if (transfer->post)
        add_header (transfer, "Expect:");
    for (; lines && *lines; lines++)
        if (is_header_line (*lines))
            add_header (transfer, *lines);
        else
            transfer_fail (transfer, HTTP_BAD_URL,
                           "a request header is malformed or holds control characters");
}

struct transfer *
transfer_new (const struct http_request *request, const struct http_settings *settings)
{
    struct transfer *transfer = MEM_NEW (struct transfer);
    transfer->connect_ms = request->connect_ms;
    transfer->total_ms = request->total_ms;
    transfer->idle_ms = request->idle_ms;
    transfer->min_rate = request->min_rate;
    transfer->rate_after_ms = request->rate_after_ms;
    transfer->max_body_bytes = request->max_body_bytes;
    transfer->max_redirects = request->max_redirects;
    transfer->allow_private = settings->allow_private;
    transfer->user_agent = mem_dup (request->user_agent ? request->user_agent : settings->user_agent);
    transfer->all_permanent = true;
    transfer->retry_after_ms = -1;
    if (!request->url || url_read (request->url, &transfer->url)) {
        transfer_fail (transfer, HTTP_BAD_URL, "not an http:// or https:// URL");
        return transfer;
    }
    if (request->body) {
        if (!request->body_stays)
            transfer->post_copy = mem_copy (request->body, request->body_bytes);
        transfer->post = request->body_stays ? request->body : transfer->post_copy;
        transfer->post_bytes = request->body_bytes;
    }
    take_headers (transfer, request->headers);
    return transfer;
}

static void
forget_answer (struct transfer *transfer)
{
    buf_clear (&transfer->head);
    buf_fini (&transfer->body);
    free (transfer->content_type);
    free (transfer->etag);
    free (transfer->last_modified);
    free (transfer->server);
    free (transfer->cf_mitigated);
    transfer->content_type = transfer->etag = transfer->last_modified = transfer->server = transfer->cf_mitigated = NULL;
    transfer->fresh = FRESH_NONE;
    transfer->retry_after_ms = -1;
    transfer->retry_after_exact = false;
}

void
transfer_destroy (struct transfer **transfer)
{
    struct transfer *t = *transfer;
    if (!t)
        return;
    forget_answer (t);
    buf_fini (&t->head);
    buf_fini (&t->visited);
    url_fini (&t->url);
    curl_slist_free_all (t->headers);
    free (t->post_copy);
    free (t->user_agent);
    free (t);
    *transfer = NULL;
}

/* ---- libcurl's callbacks ---- */

static int64_t
read_retry_after (const char *value)
{
    int64_t seconds;
    int rc = num_parse (value, 0, RETRY_AFTER_MAX_MS / 1000, &seconds);
    if (rc == 0)
        return seconds * 1000;
    if (rc == -ERANGE)
        return *value == '-' ? -1 : RETRY_AFTER_MAX_MS;
    time_t when = curl_getdate (value, NULL);
    if (when == (time_t) -1)
        return -1;
    int64_t wait = (int64_t) when * 1000 - clock_wall_us () / 1000;
    return MIN_OF (MAX_OF (wait, 0), RETRY_AFTER_MAX_MS);
}

static void
take_answer_header (struct transfer *transfer, const char *name, size_t name_bytes,
                    const char *value)
{
    const struct {
        const char *name;
        char **into;
    } kept[] = {
        { "content-type", &transfer->content_type },
        { "etag", &transfer->etag },
        { "last-modified", &transfer->last_modified },
        { "server", &transfer->server },
        { "cf-mitigated", &transfer->cf_mitigated },
    };
    for (size_t i = 0; i < COUNT_OF (kept); i++)
        if (strlen (kept[i].name) == name_bytes && !strncasecmp (name, kept[i].name, name_bytes)) {
            free (*kept[i].into);
            *kept[i].into = mem_dup (value);
            return;
        }
    int64_t ms;
    fresh_take (&transfer->fresh, name, name_bytes, value);
    if (name_bytes == 14 && !strncasecmp (name, "retry-after-ms", name_bytes)) {
        if (num_parse (value, 0, RETRY_AFTER_MAX_MS, &ms) == 0) {
            transfer->retry_after_ms = ms;
            transfer->retry_after_exact = true;
        }
    } else if (name_bytes == 11 && !strncasecmp (name, "retry-after", name_bytes)
               && !transfer->retry_after_exact)
        transfer->retry_after_ms = read_retry_after (value);
}

static size_t
on_header (char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    transfer->header_bytes += bytes;
    if (transfer->header_bytes > HEADERS_MAX_BYTES) {
        transfer_fail (transfer, HTTP_TOO_LARGE, "more than %d KiB of headers",
                       HEADERS_MAX_BYTES / 1024);
        return 0;
    }
    if (bytes > 5 && !strncasecmp (data, "HTTP/", 5)) {
        forget_answer (transfer); /* a 1xx came before */
        return bytes;
    }
    const char *colon = memchr (data, ':', bytes);
    if (!colon)
        return bytes;
    const char *start = colon + 1, *end = data + bytes;
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (unsigned char) end[-1] <= ' ')
        end--;
    buf_add (&transfer->head, data, (size_t) (end - data));
    buf_add_char (&transfer->head, '\n');
    char *value = mem_copy (start, (size_t) (end - start));
    if (!has_controls (value)) /* an ETag comes back as a request's header one day */
        take_answer_header (transfer, data, (size_t) (colon - data), value);
    free (value);
    return bytes;
}

static void
reserve_body (struct transfer *transfer)
{
    curl_off_t announced = -1;
    if (curl_easy_getinfo (transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced)
        || announced <= 0)
        return;
    size_t most = MIN_OF (transfer->max_body_bytes, (size_t) BODY_RESERVE_MAX);
    buf_reserve (&transfer->body, MIN_OF ((size_t) announced, most));
}

/* Whether a compressed body became far more than was sent. */
static bool
is_bomb (const struct transfer *transfer, size_t bytes)
{
    curl_off_t sent = 0;
    return bytes > EXPANSION_FREE && !curl_easy_getinfo (transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &sent)
        && bytes / EXPANSION_MOST > (size_t) MAX_OF (sent, 0);
}

static size_t
on_body (char *data, size_t size, size_t count, void *context)
{
    struct transfer *transfer = context;
    size_t bytes = size * count;
    if (bytes > transfer->max_body_bytes - transfer->body.len) {
        transfer_fail (transfer, HTTP_TOO_LARGE, "the body is larger than %zu bytes",
                       transfer->max_body_bytes);
        return bytes == 0; /* anything but bytes makes libcurl stop */
    }
    if (is_bomb (transfer, transfer->body.len + bytes)) {
        transfer_fail (transfer, HTTP_TOO_LARGE, "a bomb: the body is more than %d times larger than what was sent",
                       EXPANSION_MOST);
        return bytes == 0;
    }
    if (!transfer->body.data)
        reserve_body (transfer);
    buf_add (&transfer->body, data, bytes);
    return bytes;
}

/* Silence is the idle time's business; a byte now and then is not silence. */
static int
on_progress (void *context, curl_off_t total UNUSED, curl_off_t got, curl_off_t up_total UNUSED, curl_off_t up UNUSED)
{
    struct transfer *transfer = context;
    int64_t now_us = clock_mono_us ();
    if (got <= 0 || transfer->failed)
        return 0;
    if (!transfer->body_since_us)
        transfer->body_since_us = now_us;
    int64_t ms = (now_us - transfer->body_since_us) / 1000;
    if (ms <= transfer->rate_after_ms || (int64_t) got * 1000 / ms >= transfer->min_rate)
        return 0;
    transfer_fail (transfer, HTTP_TIMEOUT, "too slow: %lld bytes in %.1f s", (long long) got, (double) ms / 1000);
    return 1;
}

static curl_socket_t
on_open_socket (void *context, curlsocktype purpose UNUSED, struct curl_sockaddr *address)
{
    struct transfer *transfer = context;
    if (!transfer->allow_private && address_is_private (&address->addr, address->addrlen)) {
        transfer->address_refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket (address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* ---- options ---- */

static void
set_trust (CURL *easy)
{
    /* libcurl keeps the parsed certificates between connections only when there is no directory of
     * them to look at as well; parsing the bundle anew costs more than all the rest of a fetch. */
#if LIBCURL_VERSION_NUM >= 0x075700
    char *bundle = NULL;
    if (!curl_easy_getinfo (easy, CURLINFO_CAINFO, &bundle) && bundle && access (bundle, R_OK) == 0)
        curl_easy_setopt (easy, CURLOPT_CAPATH, NULL);
#endif
    curl_easy_setopt (easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
}

static CURLcode
set_protocols (CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
    return code ? code : curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
    CURLcode code =
        curl_easy_setopt (easy, CURLOPT_PROTOCOLS, (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
    return code ? code
                : curl_easy_setopt (easy, CURLOPT_REDIR_PROTOCOLS,
                                    (long) (CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
}

static void
set_limits (struct transfer *transfer, CURL *easy)
{
    if (transfer->total_ms > 0) {
        int64_t gone = (clock_mono_us () - transfer->started_us) / 1000;
        int64_t left = MAX_OF (transfer->total_ms - gone, 1); /* 0 would mean no limit */
        curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, (long) left);
    }
    if (transfer->connect_ms > 0)
        curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS, (long) transfer->connect_ms);
    if (transfer->idle_ms > 0) {
        curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, (long) ((transfer->idle_ms + 999) / 1000));
    }
    curl_easy_setopt (easy, CURLOPT_DNS_CACHE_TIMEOUT, DNS_KEEP_S);
    curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name server that hangs must not hang http_turn while a given-up look-up is joined. */
    curl_easy_setopt (easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void
set_callbacks (struct transfer *transfer, CURL *easy)
{
    curl_easy_setopt (easy, CURLOPT_PRIVATE, transfer);
    curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, transfer->curl_text);
    curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt (easy, CURLOPT_HEADERDATA, transfer);
    curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt (easy, CURLOPT_WRITEDATA, transfer);
    if (transfer->min_rate > 0) {
        curl_easy_setopt (easy, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt (easy, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt (easy, CURLOPT_XFERINFODATA, transfer);
    }
    curl_easy_setopt (easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt (easy, CURLOPT_OPENSOCKETDATA, transfer);
}

bool
transfer_prepare (struct transfer *transfer, CURL *easy, CURLSH *share)
{
    forget_answer (transfer);
    transfer->easy = easy;
    transfer->header_bytes = 0;
    transfer->body_since_us = 0;
    transfer->address_refused = false;
    transfer->curl_text[0] = '\0';
    curl_easy_reset (easy);
    set_callbacks (transfer, easy);
    set_limits (transfer, easy);
    if (transfer->url.tls)
        set_trust (easy);
    curl_easy_setopt (easy, CURLOPT_SHARE, share);
    curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt (easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
    if (!transfer->total_ms || transfer->total_ms > KEEPALIVE_MS)
        curl_easy_setopt (easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Waiting for a connection to share costs a handshake over TLS, but a whole answer without. */
    curl_easy_setopt (easy, CURLOPT_HTTP_VERSION,
                      (long) (transfer->url.tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    curl_easy_setopt (easy, CURLOPT_PIPEWAIT, (long) transfer->url.tls);
    curl_easy_setopt (easy, CURLOPT_HTTPHEADER, transfer->headers);
    if (transfer->user_agent)
        curl_easy_setopt (easy, CURLOPT_USERAGENT, transfer->user_agent);
    if (transfer->post) {
        curl_easy_setopt (easy, CURLOPT_POSTFIELDS, transfer->post);
        curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) transfer->post_bytes);
    }
    /* An empty proxy keeps the environment's out: behind one, the check of addresses would see the
     * proxy's alone. */
    return !curl_easy_setopt (easy, CURLOPT_PROXY, "") && !set_protocols (easy)
        && !curl_easy_setopt (easy, CURLOPT_ACCEPT_ENCODING, "")
        && !curl_easy_setopt (easy, CURLOPT_URL, transfer->url.text);
}

/* ---- redirects ---- */

/* What may go to a host that the caller did not name: nothing that could be a secret. */
static void
keep_harmless_headers (struct transfer *transfer, bool to_elsewhere)
{
    static const char *const harmless[] = { "accept:", "accept-language:", "if-none-match:",
                                            "if-modified-since:" };
    static const char *const of_a_body[] = { "content-type:", "expect:" };
    struct curl_slist *old = transfer->headers;
    transfer->headers = NULL;
    for (const struct curl_slist *line = old; line; line = line->next) {
        bool about_body = false, keep = !to_elsewhere;
        for (size_t i = 0; i < COUNT_OF (of_a_body); i++)
            about_body |= !strncasecmp (line->data, of_a_body[i], strlen (of_a_body[i]));
        for (size_t i = 0; i < COUNT_OF (harmless); i++)
            keep |= !strncasecmp (line->data, harmless[i], strlen (harmless[i]));
        if (about_body ? transfer->post != NULL : keep)
            add_header (transfer, line->data);
    }
    curl_slist_free_all (old);
}

static bool
was_visited (const struct transfer *transfer, const char *url)
{
    for (size_t at = 0; at < transfer->visited.len; at += strlen (transfer->visited.data + at) + 1)
        if (strcmp (transfer->visited.data + at, url) == 0)
            return true;
    return false;
}

bool
transfer_may_go (struct transfer *transfer, const struct url *next)
{
    if (transfer->hops >= transfer->max_redirects)
        transfer_fail (transfer, HTTP_REDIRECTS, "more than %ld redirects",
                       transfer->max_redirects);
    else if (transfer->url.tls && !next->tls)
        transfer_fail (transfer, HTTP_REDIRECTS, "redirects from https to http");
    else if (was_visited (transfer, next->text))
        transfer_fail (transfer, HTTP_REDIRECTS, "redirects in a circle");
    return !transfer->failed;
}

bool
transfer_redirect (struct transfer *transfer)
{
    long status = 0;
    const char *target = NULL;
    curl_easy_getinfo (transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (transfer->max_redirects <= 0 || transfer->failed
        || (status != 301 && status != 302 && status != 303 && status != 307 && status != 308)
        || curl_easy_getinfo (transfer->easy, CURLINFO_REDIRECT_URL, &target) || !target)
        return false;
    struct url next;
    if (url_read_hop (target, &transfer->url, &next)) {
        transfer_fail (transfer, HTTP_BAD_URL, "redirects to what is neither http nor https");
        return false;
    }
    buf_add (&transfer->visited, transfer->url.text, strlen (transfer->url.text) + 1);
    if (!transfer_may_go (transfer, &next)) {
        url_fini (&next);
        return false;
    }
    if (status != 307 && status != 308) {
        transfer->post = NULL;
    }
    keep_harmless_headers (transfer, strcmp (transfer->url.origin, next.origin) != 0);
    transfer->all_permanent &= status == 301 || status == 308;
    transfer->hops++;
    url_fini (&transfer->url);
    transfer->url = next;
    return !transfer->failed;
}

/* ---- answers ---- */

static void
explain_timeout (struct transfer *transfer)
{
    curl_off_t connected = 0;
    int64_t gone = (clock_mono_us () - transfer->started_us) / 1000;
    curl_easy_getinfo (transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
    if (transfer->total_ms > 0 && gone >= transfer->total_ms)
        transfer_fail (transfer, HTTP_TIMEOUT, "not finished within %.1f s",
                       (double) transfer->total_ms / 1000);
    else if (!connected)
        transfer_fail (transfer, HTTP_TIMEOUT, "no connection within %.1f s", (double) gone / 1000);
    else
        transfer_fail (transfer, HTTP_TIMEOUT, "sent nothing for %.1f s",
                       (double) transfer->idle_ms / 1000);
}

static void
explain_connect (struct transfer *transfer)
{
    long number = 0;
    if (transfer->address_refused) {
        transfer_fail (transfer, HTTP_REFUSED_ADDRESS,
                       "its address is private or special, which is not allowed here "
                       "(allow_private permits it)");
        return;
    }
    curl_easy_getinfo (transfer->easy, CURLINFO_OS_ERRNO, &number);
    transfer_fail (transfer, HTTP_CONNECT, "cannot connect%s%s", number ? ": " : "",
                   number ? strerror ((int) number) : "");
}

static void
explain (struct transfer *transfer, CURLcode code)
{
    const char *detail = transfer->curl_text[0] ? transfer->curl_text : curl_easy_strerror (code);
    switch (code) {
    case CURLE_URL_MALFORMAT:
        transfer_fail (transfer, HTTP_BAD_URL, "not an http:// or https:// URL");
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
        transfer_fail (transfer, HTTP_DNS,
                       "no address found for this name (check its spelling and the DNS)");
        break;
    case CURLE_COULDNT_CONNECT:
        explain_connect (transfer);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        explain_timeout (transfer);
        break;
    case CURLE_FILESIZE_EXCEEDED:
        transfer_fail (transfer, HTTP_TOO_LARGE, "the body is larger than %zu bytes",
                       transfer->max_body_bytes);
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
        transfer_fail (transfer, HTTP_TLS, "no secure connection: %s", detail);
        break;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
        transfer_fail (transfer, HTTP_TOO_LARGE, "more than libcurl takes: %s", detail);
        break;
#endif
    case CURLE_OUT_OF_MEMORY: /* so libcurl says when a header passes its limit; our own memory does not end like that */
        transfer_fail (transfer, HTTP_TOO_LARGE, "a header is longer than libcurl takes");
        break;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        transfer_fail (transfer, HTTP_BROKEN, "the connection broke midway: %s", detail);
        break;
    default:
        transfer_fail (transfer, HTTP_BROKEN, "unreadable answer: %s", detail);
    }
}

static void
read_times (const struct transfer *transfer, struct http_response *response)
{
    const struct {
        CURLINFO info;
        int64_t *into;
    } times[] = {
        { CURLINFO_NAMELOOKUP_TIME_T, &response->times.lookup_ms },
        { CURLINFO_CONNECT_TIME_T, &response->times.connect_ms },
        { CURLINFO_APPCONNECT_TIME_T, &response->times.secure_ms },
        { CURLINFO_STARTTRANSFER_TIME_T, &response->times.first_byte_ms },
    };
    curl_off_t value = 0;
    for (size_t i = 0; i < COUNT_OF (times); i++)
        if (!curl_easy_getinfo (transfer->easy, times[i].info, &value))
            *times[i].into = (int64_t) value / 1000;
    if (!curl_easy_getinfo (transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &value))
        response->wire_bytes = (int64_t) value;
}

void
transfer_answer (struct transfer *transfer, CURLcode code, struct http_response *response)
{
    if (code && !transfer->failed)
        explain (transfer, code);
    *response =
        (struct http_response){ .error = transfer->failed,
                                .url = transfer->url.text ? transfer->url.text : "",
                                .moved_permanently = transfer->hops > 0 && transfer->all_permanent,
                                .body = "",
                                .headers = transfer->head.len ? transfer->head.data : "",
                                .redirects = transfer->hops,
                                .fresh_s = FRESH_UNKNOWN,
                                .retry_after_ms = transfer->retry_after_ms };
    if (transfer->started_us)
        response->duration_ms = (clock_mono_us () - transfer->started_us) / 1000;
    if (transfer->failed) {
        snprintf (response->reason, sizeof response->reason, "%s", transfer->reason);
        return;
    }
    curl_easy_getinfo (transfer->easy, CURLINFO_RESPONSE_CODE, &response->status);
    read_times (transfer, response);
    if (transfer->body.data)
        response->body = transfer->body.data;
    response->body_bytes = transfer->body.len;
    response->content_type = transfer->content_type;
    response->etag = transfer->etag;
    response->last_modified = transfer->last_modified;
    response->fresh_s = fresh_left_s (&transfer->fresh, clock_wall_us () / US_PER_S);
    response->server = transfer->server;
    response->cf_mitigated = transfer->cf_mitigated;
}
