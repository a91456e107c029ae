/* SPDX-License-Identifier: MPL-2.0 */
#include "curve/curve.h"

/* Who has business at which socket: proto/WIRE.md, "Who talks to whom". */
static const struct {
    const char *domain, *roles;
} uses[] = {
    { "articles.in", "fetcher" },
    { "articles.out", "summarizer" },
    { "summaries.in", "summarizer" },
    { "summaries.out", "chunker" },
    { "chunks.in", "chunker" },
    { "chunks.out", "embedder" },
    { "vectors.in", "embedder" },
    { "vectors.out", "writer" },
    { "results.in", "ticker,fetcher,summarizer,chunker,embedder,writer,collector,gateway,broker" },
    { "results.out", "collector" },
    { "ticks.in", "ticker,collector" },
    { "ticks.out", "fetcher" },
    { "events.in", "collector" },
    { "events.out", "ticker,fetcher,summarizer,embedder" },
    { CURVE_DOMAIN_COLLECTOR, "ticker,gateway,operator" },
};

static const char all_roles[] =
    "broker, collector, ticker, fetcher, summarizer, chunker, embedder, writer, gateway, operator";

const char *
curve_roles (void)
{
    return all_roles;
}

/* The next of a list, separated by commas and blanks, from *at on; NULL at its end. */
static const char *
next_role (const char **at, size_t *ret_length)
{
    const char *role = *at + strspn (*at, ", ");
    *ret_length = strcspn (role, ", ");
    *at = role + *ret_length;
    return *ret_length ? role : NULL;
}

static bool
has (const char *roles, const char *role, size_t length)
{
    size_t span;
    for (const char *one; (one = next_role (&roles, &span)) != NULL;)
        if (span == length && memcmp (one, role, length) == 0)
            return true;
    return false;
}

bool
curve_has_role (const char *roles, const char *role)
{
    return has (roles, role, strlen (role));
}

bool
curve_is_role (const char *role)
{
    return !strpbrk (role, ", ") && curve_has_role (all_roles, role);
}

bool
curve_may_use (const char *roles, const char *domain)
{
    const char *users = "";
    for (size_t i = 0; i < COUNT_OF (uses); i++)
        if (streq (uses[i].domain, domain))
            users = uses[i].roles;
    size_t length;
    for (const char *role; (role = next_role (&roles, &length)) != NULL;)
        if (has (users, role, length))
            return true;
    return false;
}
