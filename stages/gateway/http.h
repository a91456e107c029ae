/* http - an HTTP/1.1 server that owns no thread: a descriptor to poll, a time-out, and a function
 * to call. Knows nothing of what is asked; a call is handed over when all of it has arrived, and
 * answered at once or later.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "base/base.h"

#include <sys/socket.h>

#define HTTP_BODY_MAX (64 * 1024)  /* bytes of a request's body, unless more is allowed; past it: 413 */
#define HTTP_HEAD_MAX (16 * 1024)  /* bytes of a request's head */
#define HTTP_CONNECTIONS_MAX 128   /* past it the kernel's queue holds them */
#define HTTP_IDLE_TIMEOUT_MS 15000 /* without a whole request head */
#define HTTP_CALL_TIMEOUT_MS 20000 /* from the head to the last byte of the answer */

struct http;
struct http_call; /* one request and its answer */

struct http_config {
    const char *address; /* where to listen; a name or a number */
    int64_t port;        /* 0: any free one */
    void *context;
    /* The head has arrived: the place to refuse. Whoever has nothing against it does nothing. */
    void (*on_head) (void *context, struct http_call *call);
    /* All has arrived. Exactly one http_reply must follow, then or later. */
    void (*on_call) (void *context, struct http_call *call);
};

/* NULL with ret_reason for people. Resolves the address; does not block otherwise. */
#define HTTP_REASON_SIZE 256
struct http *http_new (const struct http_config *config, char ret_reason[HTTP_REASON_SIZE]);
void http_destroy (struct http **http); /* every call must have its reply by then */

int http_fd (const struct http *http); /* readable: call http_run */
void http_run (struct http *http);
int64_t http_wait_ms (
    struct http *http); /* until http_run is due even if nothing is readable; -1: never */
void http_quiesce (struct http *http); /* accepts no more connections */

uint16_t http_port (const struct http *http);
const char *http_url (const struct http *http);  /* "http://127.0.0.1:3001" */
bool http_is_loopback (const struct http *http); /* listens for this machine only */
size_t http_calls (const struct http *http);     /* under way */
uint64_t http_answered (const struct http *http,
                        unsigned class); /* replies of status class * 100 and up */

const char *http_method (const struct http_call *call);
const char *http_path (const struct http_call *call); /* without the query, unescaped */
const char *http_header (const struct http_call *call, const char *name); /* NULL: absent */
const char *http_query (const struct http_call *call,
                        const char *name);                       /* likewise; "" without a value */
const struct sockaddr *http_peer (const struct http_call *call); /* NULL: unknown */
const struct buf *http_body (const struct http_call *call);

/* A body of that many bytes rather than HTTP_BODY_MAX. From on_head alone. */
void http_allow_body (struct http_call *call, size_t bytes);
/* Must come before the reply. name: of static life; value: borrowed. */
void http_add_header (struct http_call *call, const char *name, const char *value);
/* body: its memory is taken, the buf is empty afterwards. The call is gone after it. */
void http_reply (struct http_call *call, unsigned status, const char *type, struct buf *body);

bool sockaddr_is_loopback (
    const struct sockaddr *address); /* 127/8, ::1, and 127/8 mapped into IPv6; false for NULL */

#endif
