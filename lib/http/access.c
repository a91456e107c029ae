/* SPDX-License-Identifier: MPL-2.0 */
#include "http/access.h"
#include "http/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MAX 256

/* The name in a Host header, without port and brackets. false if there is no telling. */
static bool
host_name (const char *host, char out[HOST_MAX])
{
    const char *from = *host == '[' ? host + 1 : host;
    size_t length = strcspn (from, *host == '[' ? "]" : ":");
    if (length >= HOST_MAX || (*host == '[' && from[length] != ']'))
        return false;
    memcpy (out, from, length);
    out[length] = '\0';
    return true;
}

/* A page that had its own name resolve to 127.0.0.1 still sends that name. */
static bool
host_is_local (const char *host)
{
    static const char suffix[] = ".localhost";
    char name[HOST_MAX];
    struct sockaddr_in v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (!host || !*host)
        return true; /* no browser leaves it out */
    if (!host_name (host, name))
        return false;
    if (inet_pton (AF_INET, name, &v4.sin_addr) == 1)
        return sockaddr_is_loopback ((const struct sockaddr *) &v4);
    if (inet_pton (AF_INET6, name, &v6.sin6_addr) == 1)
        return sockaddr_is_loopback ((const struct sockaddr *) &v6);
    size_t length = strlen (name), tail = sizeof suffix - 1;
    return strcasecmp (name, "localhost") == 0
           || (length > tail && strcasecmp (name + length - tail, suffix) == 0);
}

/* Browsers say where a request comes from; tools don't, and are no danger: nobody lends them
 * another's rights. */
static bool
is_cross_site (const struct access_request *request)
{
    const char *site = request->fetch_site, *origin = request->origin;
    if (site && strcasecmp (site, "same-origin") != 0 && strcasecmp (site, "none") != 0)
        return true;
    if (!origin)
        return false;
    const char *place = strstr (origin, "://");
    return !place || !request->host || strcasecmp (place + 3, request->host) != 0;
}

/* Takes as long for a nearly right token as for a wrong one. */
static bool
token_matches (const char *authorization, const char *token)
{
    static const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp (authorization, scheme, sizeof scheme - 1) != 0)
        return false;
    const char *given = authorization + sizeof scheme - 1;
    given += strspn (given, " ");
    size_t given_size = strlen (given), size = strlen (token);
    volatile unsigned char difference = given_size != size;
    for (size_t i = 0; i < given_size; i++)
        difference = (unsigned char) (difference | (given[i] ^ token[i % size]));
    return difference == 0;
}

enum access_verdict
access_check (const struct access_request *request, const char *token, bool loopback)
{
    if (loopback && !host_is_local (request->host))
        return ACCESS_WRONG_HOST;
    if (!request->changes)
        return ACCESS_GRANTED;
    if (is_cross_site (request))
        return ACCESS_CROSS_SITE;
    if (*token)
        return token_matches (request->authorization, token) ? ACCESS_GRANTED : ACCESS_NO_TOKEN;
    /* A proxy on this machine would make everyone local. */
    return sockaddr_is_loopback (request->peer) && !request->forwarded ? ACCESS_GRANTED
                                                                       : ACCESS_NOT_LOCAL;
}

const char *
access_reason (enum access_verdict verdict)
{
    static const char *const reasons[] = {
        [ACCESS_GRANTED] = "granted",
        [ACCESS_WRONG_HOST] =
            "the Host header names another machine; this server is for localhost alone",
        [ACCESS_CROSS_SITE] = "requests from other sites' pages are refused",
        [ACCESS_NO_TOKEN] =
            "send the header Authorization: Bearer TOKEN with the setting http.token",
        [ACCESS_NOT_LOCAL] = "without the setting http.token only this machine may do that",
    };
    return reasons[verdict];
}
