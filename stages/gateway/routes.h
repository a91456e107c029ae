/* routes - what can be asked over HTTP: a table of method and path, what each needs to know, and
 * how it answers.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "http/server.h"

#include <jansson.h>

#define ROUTE_OPS_MAX 2

/* What the collector said to one op. */
struct route_answer {
    bool asked;
    int error;        /* as of ask_fn */
    const char *text; /* NULL on error */
    size_t size;
    json_t *document; /* NULL on error and for what is no JSON object */
};

/* All that the answer to a call may need, gathered before. Borrowed. */
struct route_facts {
    struct route_answer answers[ROUTE_OPS_MAX]; /* in the order of the route's ops */
    bool database_good;
    bool stopping;
    int64_t started_us; /* wall clock: this process */
    uint64_t answered[6];
};

struct route {
    const char *method, *path; /* a path that ends in * takes one more segment */
    const char *ops[ROUTE_OPS_MAX]; /* asked of the collector; NULL: none; with `follow` the last is the one more */
    bool open;                      /* for everyone, without a token: the path is the secret */
    size_t body_max;                /* bytes of a body; 0: HTTP_BODY_MAX */
    bool database;                  /* needs to know whether it can be reached */
    /* Adds parameters to the question for the first op; NULL, or what is wrong with the call.
     * May be NULL. */
    const char *(*prepare) (const struct http_call *call, json_t *question);
    /* When the ops were answered: adds parameters to the question for one more op, which is asked before the call is answered,
     * as the last of facts; false: there is none to ask. May be NULL. */
    bool (*follow) (const struct http_call *call, const struct route_facts *facts, json_t *question);
    void (*answer) (struct http_call *call, const struct route_facts *facts); /* replies */
    const char *help;
};

const struct route *route_list (size_t *ret_count);
/* The route of a call; NULL when there is none. ret_allowed: the methods that path has, "" for
 * an unknown path. */
#define ROUTE_ALLOWED_SIZE 32
const struct route *route_find (const char *method, const char *path,
                                char ret_allowed[ROUTE_ALLOWED_SIZE]);
/* An error as all errors look here. */
void route_refuse (struct http_call *call, unsigned status, const char *code, const char *message);

#endif
