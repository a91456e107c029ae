/* probe - whether the database can be reached, found out without blocking: a connection is opened
 * as a client would, with its login, and closed again.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_PROBE_H
#define GATEWAY_PROBE_H

#include "base/base.h"

#define PROBE_TIMEOUT_MS 2500
#define PROBE_FRESH_MS 1000 /* a verdict this young is not looked into again */

struct probe;

/* The probe owns its descriptors' places in epoll_fd. url: borrowed for the object's life. done
 * is called, from probe_run alone, whenever a verdict was reached. */
struct probe *probe_new (const char *url, int epoll_fd, void (*done) (void *arg), void *arg);
void probe_destroy (struct probe **probe);
void probe_begin (struct probe *probe); /* nothing if it is under way already */
bool probe_is_fresh (const struct probe *probe);
bool probe_is_good (const struct probe *probe); /* the last verdict */
/* Goes on. A name in the address is resolved in here and may block that long. */
void probe_run (struct probe *probe);
int64_t probe_wait_ms (const struct probe *probe); /* -1: not under way */

#endif
