/* loop - one poll loop over sockets, descriptors and timers.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_LOOP_H
#define STAGE_LOOP_H

#include "base/base.h"

#include <czmq.h>

struct loop;
typedef void loop_fn (void *context, void *arg);

struct loop *loop_new (void *context); /* context: the first argument of every handler; borrowed */
void loop_destroy (struct loop **loop);
void loop_watch_fd (struct loop *loop, int fd, bool writable, loop_fn *fn, void *arg);
void loop_unwatch_fd (struct loop *loop, int fd);
/* Handlers are called in the order in which they were added; writable: while there is room instead of while a message waits.
 * A socket belongs to its handlers: whoever else sends, receives or connects by it says so with loop_used. */
void loop_watch_socket (struct loop *loop, zsock_t *socket, bool writable, loop_fn *fn, void *arg);
void loop_unwatch_socket (struct loop *loop, zsock_t *socket, bool writable);
void loop_used (struct loop *loop, const zsock_t *socket);
/* At each multiple of every_ms of the monotonic clock. */
void loop_timer (struct loop *loop, int64_t every_ms, loop_fn *fn, void *arg);
void loop_after (struct loop *loop, int64_t after_ms, loop_fn *fn, void *arg);
void loop_turn (struct loop *loop); /* waits for the next thing and handles all that is ready */

#endif
