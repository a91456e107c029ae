/* serve - a small HTTP server on libmicrohttpd for the demo site and for the fake world of the
 * tests: one thread, one poll loop with timers, answers that may be delayed without holding a
 * thread, prepared pages with conditional GET. Listens on 127.0.0.1 alone. SPDX-License-Identifier:
 * MPL-2.0 */
#ifndef DEMO_SERVE_H
#define DEMO_SERVE_H

#include "base/base.h"

#include <microhttpd.h>

struct serve;

#define SERVE_BODY_MAX ((size_t) 64 << 20) /* bytes of a request's body; more gets 413 */

struct serve_request {
    struct serve *serve;
    struct MHD_Connection *connection;
    const char *method, *path; /* path without the query */
    struct buf body;
    int mark; /* the program's own, 0 at first */
    /* what follows is serve's */
    struct MHD_Response *response;
    char *path_copy;
    unsigned int status;
    int64_t delay_ms, hold_ms;
    bool handled, cut, too_large;
    bool shared; /* response belongs to a page */
};

typedef void serve_handle_fn (void *context, struct serve_request *request);
typedef void serve_timer_fn (void *context);

struct serve_app {
    serve_handle_fn *handle; /* called once the body is there; must call one serve_answer function
                                or serve_cut */
    serve_handle_fn *begin, *end; /* head received; answered or given up. May be NULL */
    void *context;
    bool any_address;            /* listens on all IPv4 addresses rather than on 127.0.0.1 */
};

/* app: borrowed for the server's life. port 0: any free one. 0 or -errno. */
MUST_CHECK int serve_new (const struct serve_app *app, uint16_t port, struct serve **ret_serve);
void serve_destroy (struct serve **serve);
uint16_t serve_port (const struct serve *serve);
/* Prints `ready port=N` on standard output. */
void serve_say_ready (const struct serve *serve);
/* Serves until SIGTERM or SIGINT. 0 or -errno. */
MUST_CHECK int serve_run (struct serve *serve);
/* Calls fn once from serve_run, unless that returns before. */
void serve_after (struct serve *serve, int64_t delay_ms, serve_timer_fn *fn, void *context);
/* Puts a connection to sleep; to be called only where libmicrohttpd allows MHD_suspend_connection.
 * False: the server is stopping and nothing sleeps any more. */
MUST_CHECK bool serve_sleep (struct serve *serve, struct MHD_Connection *connection,
                             int64_t delay_ms);

/* ---- answers. response and body: taken ---- */

void serve_answer (struct serve_request *request, unsigned int status,
                   struct MHD_Response **response);
void serve_answer_text (struct serve_request *request, unsigned int status,
                        const char *content_type, struct buf *body);
void serve_answer_redirect (struct serve_request *request, unsigned int status,
                            const char *location);
/* Closes the connection without a reply. */
void serve_cut (struct serve_request *request);
/* How long the answer is held back; a page never is. */
void serve_delay (struct serve_request *request, int64_t delay_ms);
/* To be called in begin: how long the request waits before it is handled, whatever its answer. */
void serve_hold (struct serve_request *request, int64_t hold_ms);
void serve_header (struct MHD_Response *response, const char *name, const char *value);
struct MHD_Response *serve_response (const char *content_type,
                                     struct buf *body); /* given (MHD_destroy_response) */
/* A query argument, or NULL. Borrowed from the request. */
const char *serve_argument (const struct serve_request *request, const char *name);
/* fallback if the argument is missing. 0, -EINVAL or -ERANGE if it is no number in [least, most].
 */
MUST_CHECK int serve_argument_number (const struct serve_request *request, const char *name,
                                      int64_t least, int64_t most, int64_t fallback,
                                      int64_t *ret_value);

/* ---- a page: a body kept ready, with its validators; zero-initialised is empty ---- */

struct serve_page {
    struct MHD_Response *full, *unchanged;
    char *etag;         /* with its quotes */
    int64_t modified_s; /* since 1970 */
};

void serve_page_set (struct serve_page *page, const char *content_type, struct buf *body,
                     const char *etag, int64_t modified_s);
void serve_page_fini (struct serve_page *page);
/* Answers 200 or 304 and returns which. */
unsigned int serve_page_answer (struct serve_request *request, const struct serve_page *page);

/* "Mon, 17 Nov 2025 02:40:00 GMT". Returns out. */
#define SERVE_DATE_SIZE 32
const char *serve_date (int64_t time_s, char out[SERVE_DATE_SIZE]);

#endif
