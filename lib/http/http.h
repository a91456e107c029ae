/* http - an asynchronous HTTP client on one libcurl multi handle, for fetching feeds and for calling models.
 * Nothing blocks: the caller's loop polls http_fd and calls http_turn. One thread an object.
 * Every outside thing has a limit: connect time, total time, idle time, body bytes after decompression, redirects,
 * requests to one host and to one registrable domain at once. http and https alone; private addresses are refused after DNS
 * and before connect unless allowed. All of that on every hop.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

#include "base/base.h"

struct http;

struct http_settings {
    const char *user_agent;    /* borrowed for the object's life */
    bool allow_private;        /* loopback, private, link-local, metadata and other special addresses */
    size_t max_total;          /* transfers under way at once; more wait inside */
    size_t max_per_host;       /* requests at once to one host; 0 in any of these: no limit */
    size_t max_per_domain;     /* likewise to all hosts of one registrable domain, if the host has one */
    bool (*is_held) (void *context, const char *domain); /* whether nothing may be asked there now; NULL: all may */
    void *context;             /* of is_held */
};

enum http_error {
    HTTP_OK = 0,        /* a response arrived whole, whatever its status */
    HTTP_BAD_URL,       /* not http or https, or not a URL */
    HTTP_REFUSED_ADDRESS,
    HTTP_DNS,
    HTTP_CONNECT,
    HTTP_TLS,
    HTTP_TIMEOUT,       /* connect, total or idle time is over, or it comes too slowly */
    HTTP_TOO_LARGE,     /* body past its limit, also after decompression, or out of proportion to what was sent */
    HTTP_REDIRECTS,     /* too many, or round in a circle, or https to http */
    HTTP_HELD,          /* its domain, or one that it led to, is not to be asked now (is_held) */
    HTTP_BROKEN,        /* cut short or otherwise unreadable */
};

struct http_request {
    const char *url;             /* this and all below: borrowed until http_start returns */
    const char *body;            /* NULL: GET; else POST */
    size_t body_bytes;
    bool body_stays;             /* body is borrowed until done is called or the request cancelled: saves a copy */
    const char *user_agent;      /* NULL: that of the settings */
    const char *const *headers;  /* "Name: value" lines, NULL-terminated; may be NULL */
    int64_t connect_ms, total_ms, idle_ms; /* idle: less than 1 byte/s for that long; 0 in any of these: no limit */
    int64_t min_rate;            /* bytes/s of the body on its way, on average from rate_after_ms past its first byte on; 0: any */
    int64_t rate_after_ms;
    size_t max_body_bytes;
    long max_redirects;          /* 0: a 3xx is given back as it is */
};

struct http_response {
    enum http_error error;
    char reason[256];            /* for people, when error is not HTTP_OK; names the host, never a secret */
    long status;
    const char *url;             /* where the body came from, after redirects */
    bool moved_permanently;      /* every hop was 301 or 308 */
    const char *body;            /* NUL behind it */
    size_t body_bytes;
    const char *content_type, *etag, *last_modified; /* NULL when absent */
    const char *server, *cf_mitigated;               /* likewise; the second is Cloudflare's, "challenge" */
    int64_t retry_after_ms;      /* Retry-After in seconds or as a date (RFC 9110, 10.2.3); -1 when absent */
    int64_t fresh_s;             /* how long it says it stays as it is: Cache-Control, Expires (RFC 9111, 4.2); -1: unknown */
    int64_t duration_ms;
    const char *headers;         /* of the answer as they came, "Name: value", a line each; "" when there are none */
    long redirects;              /* hops gone through */
    int64_t wire_bytes;          /* of the body as it travelled, compressed or not */
    struct http_times {          /* since the last hop began; 0: not needed, or not reached */
        int64_t lookup_ms, connect_ms, secure_ms, first_byte_ms;
    } times;
};

/* The value of the first header of that name in http_response.headers. given (free), or NULL */
char *http_header_value (const char *headers, const char *name);
/* The address of the first link of that relation, as it stands there (RFC 8288). given (free), or NULL */
char *http_header_link (const char *headers, const char *rel);

/* response: borrowed, gone after the call. May start other requests, must not destroy the client. */
typedef void http_done_fn (void *context, const struct http_response *response);

struct http *http_new (const struct http_settings *settings); /* NULL: libcurl or epoll is not to be had */
void http_destroy (struct http **http);         /* cuts what is under way without calling back */
/* Always calls done once, later, from http_turn - also for what is wrong from the start. */
void http_start (struct http *http, const struct http_request *request, http_done_fn *done, void *context);
void http_cancel (struct http *http, void *context); /* cuts all requests with that context without calling back */
/* Takes back a request that has not begun, without calling back. False: it is under way, or there is none. */
bool http_withdraw (struct http *http, void *context);
int http_fd (const struct http *http);          /* readable when http_turn has work; it covers timeouts too */
void http_turn (struct http *http);             /* does what can be done now and returns */
size_t http_active (const struct http *http);   /* started and not yet done */

/* Whom requests to this URL are a burden to: the registrable domain of its host (Public Suffix List), or the host itself where it
 * has none, as an address. NULL when url is no http(s) address. given (free) */
char *http_domain (const char *url);

/* Whether an IPv4 or IPv6 address in text is one that only a private network or this machine reaches
 * (IANA special-purpose registries, RFC 6890; v4-mapped v6 included). Unreadable text counts as private. */
bool http_address_is_private (const char *address);

#endif
