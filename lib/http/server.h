/* server - an HTTP/1.1 server that owns no thread: a descriptor to poll, a time-out, and a function
 * to call. Knows nothing of what is asked; a call is handed over when all of it has arrived, and
 * answered at once or later, by the thread that calls http_server_run.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/base.h"

#include <jansson.h>
#include <sys/socket.h>

#define HTTP_BODY_MAX (64 * 1024)  /* bytes of a request's body, unless more is allowed; past it: 413 */
#define HTTP_HEAD_MAX (16 * 1024)  /* bytes of a request's head */
#define HTTP_CONNECTIONS_MAX 128   /* past it the kernel's queue holds them */
#define HTTP_IDLE_TIMEOUT_MS 15000 /* without a whole request head */
#define HTTP_CALL_TIMEOUT_MS 20000 /* from the head to the last byte of the answer, unless the configuration has more */

struct http_server;
struct http_call; /* one request and its answer */

struct http_server_config {
    const char *address; /* where to listen; a name or a number */
    int64_t port;        /* 0: any free one */
    void *context;
    /* The head has arrived: the place to refuse. Whoever has nothing against it does nothing. */
    void (*on_head) (void *context, struct http_call *call);
    /* All has arrived. Exactly one http_reply must follow, then or later. */
    void (*on_call) (void *context, struct http_call *call);
    /* Replies with an error as all errors look there: what the server itself has to refuse, a body too large. */
    void (*refuse) (struct http_call *call, unsigned status, const char *code, const char *message);
    int64_t call_timeout_ms; /* 0: HTTP_CALL_TIMEOUT_MS */
};

/* NULL with ret_reason for people. Resolves the address; does not block otherwise. */
#define HTTP_REASON_SIZE 256
struct http_server *http_server_new (const struct http_server_config *config, char ret_reason[HTTP_REASON_SIZE]);
void http_server_destroy (struct http_server **http); /* every call must have its reply by then */

int http_server_fd (const struct http_server *http); /* readable: call http_server_run */
void http_server_run (struct http_server *http);
/* Until http_server_run is due even if nothing is readable; -1: never. */
int64_t http_server_wait_ms (struct http_server *http);
void http_server_quiesce (struct http_server *http); /* accepts no more connections */

uint16_t http_server_port (const struct http_server *http);
const char *http_server_url (const struct http_server *http); /* "http://127.0.0.1:3001" */
bool http_server_is_loopback (const struct http_server *http); /* listens for this machine only */
size_t http_server_calls (const struct http_server *http); /* under way */
/* Replies of status class * 100 and up. */
uint64_t http_server_answered (const struct http_server *http, unsigned class);

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
#define HTTP_JSON "application/json"
void http_reply_json (struct http_call *call, unsigned status, json_t *document); /* document: taken */

bool sockaddr_is_loopback (
    const struct sockaddr *address); /* 127/8, ::1, and 127/8 mapped into IPv6; false for NULL */

#endif
