/* ask - questions to the collector over one DEALER socket, many under way at once. Each carries a
 * number that its answer brings back, so answers may come in any order, and one that comes too late
 * meets nobody.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_ASK_H
#define GATEWAY_ASK_H

#include "base/base.h"

#include <czmq.h>

#define ASK_TIMEOUT_MS 3000

struct ask;

/* error: 0, -ETIMEDOUT (asked, and no answer), -ENOTCONN (there was nobody to ask), -ECANCELED
 * (ask_destroy). text: borrowed, ends in NUL; NULL on error. Must not call ask_destroy. */
typedef void ask_fn (void *arg, int error, const char *text, size_t size);

/* socket: a connected DEALER; borrowed. Without ZMQ_IMMEDIATE a question could reach the collector
 * long after its time. */
struct ask *ask_new (zsock_t *socket);
void ask_destroy (struct ask **ask); /* ends all questions with -ECANCELED */
/* fn is called once, never from in here. */
void ask_send (struct ask *ask, const char *question, ask_fn *fn, void *arg);

int ask_fd (const struct ask *ask); /* readable: call ask_run; it may also be due when it is not */
void ask_run (struct ask *ask); /* sends, receives and ends what it can; leaves no event behind */
int64_t ask_wait_ms (const struct ask *ask); /* until a question runs out; -1: none is under way */

#endif
