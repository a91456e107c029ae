/* domain - whom a request is a burden to: the registrable domain by the Public Suffix List (publicsuffix.org), in libpsl's
 * built-in copy.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/domain.h"
#include "http/http.h"
#include "http/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

static bool
is_address (const char *host)
{
    uint8_t raw[16];
    return *host == '[' || inet_pton (AF_INET, host, raw) == 1 || inet_pton (AF_INET6, host, raw) == 1;
}

char *
domain_of_host (const char *host)
{
    char *lower = mem_dup (host);
    for (char *p = lower; *p; p++)
        *p = (char) tolower ((unsigned char) *p);
    size_t bytes = strlen (lower);
    if (bytes > 1 && lower[bytes - 1] == '.')
        lower[bytes - 1] = '\0'; /* the root's dot makes no other host */
    const char *domain = is_address (lower) ? NULL : psl_registrable_domain (psl_builtin (), lower);
    if (!domain)
        return lower;
    char *copy = mem_dup (domain);
    free (lower);
    return copy;
}

bool
domain_has_hosts (const char *domain)
{
    return !is_address (domain) && psl_registrable_domain (psl_builtin (), domain);
}

char *
http_domain (const char *text)
{
    struct url url;
    if (url_read (text, &url) < 0)
        return NULL;
    char *domain = domain_of_host (url.host);
    url_fini (&url);
    return domain;
}
