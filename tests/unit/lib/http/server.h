/* server - a web server on a free loopback port for unit tests; each answer is made by the test's
 * own function.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_HTTP_SERVER_H
#define TESTS_HTTP_SERVER_H

#include "http/http.h"

struct MHD_Connection;
struct server;

#define EXCHANGE_HEADERS_MAX 8

struct exchange {
    const char *method, *path, *body; /* what came; body ends in NUL */
    size_t body_bytes;
    struct MHD_Connection *connection;
    unsigned status; /* what goes: 200 unless set */
    struct buf answer;
    const char *names[EXCHANGE_HEADERS_MAX];
    char *values[EXCHANGE_HEADERS_MAX];
    size_t headers;
};

/* Runs in a thread of the connection's own, so it may sleep. */
typedef void server_answer_fn (void *context, struct exchange *exchange);

struct server *server_new (server_answer_fn *answer, void *context);
struct server *server_new_at (const char *address, server_answer_fn *answer, void *context); /* of this machine, or 0.0.0.0 */
void server_destroy (struct server **server);
unsigned server_port (const struct server *server);
unsigned server_connections (const struct server *server);        /* accepted so far */
const char *server_url (struct server *server, const char *path); /* good until the next call */

const char *exchange_header (const struct exchange *exchange,
                             const char *name); /* NULL when it did not come */
void exchange_add (struct exchange *exchange, const char *name, const char *format, ...)
    PRINTF_LIKE (3, 4);

/* Accepts connections, reads a little, sends text as it is, waits hold_ms, closes. */
struct raw_server;
struct raw_server *raw_server_new (const char *text, size_t bytes, int hold_ms);
/* The same, but from the first empty line on a byte every drip_ms, as long as there are any. */
struct raw_server *raw_server_new_slow (const char *text, size_t bytes, int drip_ms);
void raw_server_destroy (struct raw_server **server);
unsigned raw_server_port (const struct raw_server *server);

/* Polls the client's descriptor until nothing is under way. False after limit_ms. */
bool run_until_done (struct http *http, int64_t limit_ms);

#endif
