/* domain - whom a request is a burden to. Inside lib/http alone; http_domain is for others.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_DOMAIN_H
#define HTTP_DOMAIN_H

#include "base/base.h"

/* The registrable domain of a host, in small letters: a public suffix and one label; the host itself where there is none (an
 * address, "localhost", a public suffix). given (free) */
char *domain_of_host (const char *host);
bool domain_has_hosts (const char *domain); /* whether it is a registrable domain, rather than one host that has none */

#endif
