/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#include <strings.h>

#define LOOK_MOST ((size_t) 64 << 10) /* bytes of the page */

/* What the pages of such services carry. server: what the header says besides, or NULL. */
static const struct {
    const char *mark, *server, *who;
} marks[] = {
    { "<title>Just a moment...", "cloudflare", "Cloudflare" },
    { "/cdn-cgi/challenge-platform/", "cloudflare", "Cloudflare" },
    { "cf-browser-verification", NULL, "Cloudflare" },
    { "captcha-delivery.com", NULL, "DataDome" },
    { "_Incapsula_Resource", NULL, "Imperva" },
    { "px-captcha", NULL, "PerimeterX" },
    { "awsWafCookieDomainList", NULL, "AWS WAF" },
    { "sucuri_cloudproxy_js", NULL, "Sucuri" },
    { "anubis_challenge", NULL, "Anubis" },
    { "/.well-known/ddos-guard/", NULL, "DDoS-Guard" },
};

const char *
challenge_of (const struct http_response *response)
{
    if (response->cf_mitigated && !strcasecmp (response->cf_mitigated, "challenge"))
        return "Cloudflare";
    size_t bytes = MIN_OF (response->body_bytes, LOOK_MOST);
    for (size_t i = 0; i < COUNT_OF (marks); i++)
        if (memmem (response->body, bytes, marks[i].mark, strlen (marks[i].mark))
            && (!marks[i].server || (response->server && !strcasecmp (response->server, marks[i].server))))
            return marks[i].who;
    return NULL;
}
