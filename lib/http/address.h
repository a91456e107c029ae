/* address - which addresses only a private network or this machine reaches. Inside lib/http alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/base.h"

#include <sys/socket.h>

/* True for every family but IPv4 and IPv6, and for an address shorter than its family needs. */
bool address_is_private (const struct sockaddr *address, size_t bytes);

#endif
