/* client - one question to the collector, one answer: JSON over a REQ socket.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "base/base.h"
#include "conf/conf.h"

#include <jansson.h>

#define CLIENT_TIMEOUT_MS 3000
#define CLIENT_REASON_SIZE 512

/* request: taken. *ret_reply: given (json_decref). ret_reason: for people. Blocks at most
 * timeout_ms. Encrypted as the role operator where security.curve asks for it. 0; -ETIMEDOUT:
 * nobody answered; -EREMOTEIO: the answer is an error; -EBADMSG: it is no JSON; else: bad
 * endpoint, no key. */
MUST_CHECK int client_ask (const struct settings *settings, int timeout_ms, json_t *request,
                           json_t **ret_reply, char ret_reason[CLIENT_REASON_SIZE]);
/* Whether somebody listens there, as far as can be told at once: false only for a local socket
 * that nobody has bound. */
bool client_is_bound (const char *endpoint);
/* {"op": op} */
json_t *client_request (const char *op);

#endif
