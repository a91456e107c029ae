/* access - who may ask what: the Host header against DNS rebinding, browsers of other sites, the
 * bearer token.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_ACCESS_H
#define HTTP_ACCESS_H

#include "base/base.h"

#include <sys/socket.h>

/* What of a request matters here; NULL for headers it lacks. All borrowed. */
struct access_request {
    bool changes; /* a POST: asks for more than to be shown something */
    const struct sockaddr *peer;
    const char *host, *origin, *fetch_site, *authorization;
    bool forwarded; /* a proxy says it asks for someone else */
};

enum access_verdict {
    ACCESS_GRANTED,
    ACCESS_WRONG_HOST, /* a name that isn't this machine's, on a server for this machine alone */
    ACCESS_CROSS_SITE, /* a page of another site had a browser send it */
    ACCESS_NO_TOKEN,   /* a token is needed, and none or a wrong one came */
    ACCESS_NOT_LOCAL,  /* there is no token, so only this machine may */
};

/* token: "" for none. loopback: the server listens for this machine only. */
enum access_verdict access_check (const struct access_request *request, const char *token,
                                  bool loopback);
const char *access_reason (enum access_verdict verdict); /* for people */

#endif
