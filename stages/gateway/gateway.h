/* gateway - the HTTP server, the line to the collector and the look at the database, as one thing
 * to poll. Needs no stage around it.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "conf/conf.h"

#include <czmq.h>
#include <jansson.h>

struct gateway;

/* Listens, and says where in the log and in data_dir/run/http.port. settings: borrowed for the
 * object's life, and so is collector, a connected DEALER. NULL after it was logged why. */
struct gateway *gateway_new (const struct settings *settings, zsock_t *collector);
/* Calls under way are answered "unavailable". */
void gateway_destroy (struct gateway **gateway);

int gateway_fd (const struct gateway *gateway); /* readable: call gateway_run */
/* Goes on with all there is. Milliseconds until it must be called again though nothing is
 * readable; -1: none. */
int64_t gateway_run (struct gateway *gateway);

void gateway_quiesce (struct gateway *gateway); /* accepts no more connections */
bool gateway_is_idle (const struct gateway *gateway);
void gateway_statistics (const struct gateway *gateway, json_t *numbers);
const char *gateway_url (const struct gateway *gateway);

#endif
