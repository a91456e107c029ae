/* world - a gateway in the test's own loop, a fake collector and a fake database in threads, and a
 * client for them.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_GATEWAY_WORLD_H
#define TESTS_GATEWAY_WORLD_H

#include "stages/gateway/gateway.h"

#include <curl/curl.h>

struct world {
    struct settings settings;
    struct gateway *gateway;
    zsock_t *socket;
    CURLM *multi;
    zactor_t *collector; /* NULL: away */
    char folder[64], endpoint[96];
};

void world_open (struct world *world, const struct settings *wishes); /* wishes: NULL for none */
void world_close (struct world *world);

/* A ROUTER at world->endpoint. Answers "status" and "trigger" with fixed documents, "sources" with
 * an error, and the rest with the question itself as {"asked": ...}; keeps silent about run
 * SILENT_ID, answers WRONG_ID with what is no object, and knows no MISSING_ID. With held_back, the
 * first question is answered after the second. */
#define SILENT_ID "00000000-0000-7000-8000-00000000dead"
#define WRONG_ID "00000000-0000-7000-8000-000000000bad"
#define MISSING_ID "00000000-0000-7000-8000-000000000404"
#define TRIGGERED_ID "019a8f6e-0000-7000-8000-000000000001"
extern const char world_status[];
void world_collector_start (struct world *world, bool held_back);
void world_collector_stop (struct world *world);
/* Questions the collector got so far. */
int world_questions (struct world *world);

/* A listener that completes a PostgreSQL login, or never says a word. *ret_url: given (free) */
zactor_t *world_database_start (bool talks, char **ret_url);

struct exchange {
    /* in */
    const char *method, *path, *body;
    const char *headers[4];
    /* out */
    long status;
    struct buf head, answer;
    int64_t elapsed_ms;
    CURL *easy;
    struct curl_slist *list;
    bool over;
};
void world_begin (struct world *world, struct exchange *exchange);
void world_run_until (struct world *world, const bool *over); /* fails the test after 10 s */
void world_exchange (struct world *world, struct exchange *exchange); /* both */
void exchange_fini (struct exchange *exchange);

#endif
