/* url - what the client needs to know of a URL before it goes there. Inside lib/http alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

#include "base/base.h"

struct url {
    char *text;   /* normalised, percent-encoded, without fragment */
    char *host;   /* as a person reads it */
    char *origin; /* scheme://host:port, for comparing */
    bool tls;
};

#define URL_MAX_BYTES 8192

/* 0, or -EINVAL: too long, not a URL, or neither http nor https. *ret_url: given (url_fini),
 * untouched on failure. */
MUST_CHECK int url_read (const char *text, struct url *ret_url);
/* The same for what `from` redirects to: user and password are those of `from` if it is the same origin, else there are none,
 * whatever text has. */
MUST_CHECK int url_read_hop (const char *text, const struct url *from, struct url *ret_url);
void url_fini (struct url *url);

#endif
