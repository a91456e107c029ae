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

/* Separated by commas, blanks around them. */
bool
curve_has_role (const char *roles, const char *role)
{
    size_t length = strlen (role);
    for (const char *at = roles; length && *at;) {
        at += strspn (at, ", ");
        size_t span = strcspn (at, ", ");
        if (span == length && memcmp (at, role, length) == 0)
            return true;
        at += span;
    }
    return false;
}

bool
curve_is_role (const char *role)
{
    return !strpbrk (role, ", ") && curve_has_role (all_roles, role);
}

bool
curve_may_use (const char *roles, const char *domain)
{
    for (size_t i = 0; i < COUNT_OF (uses); i++)
        if (streq (uses[i].domain, domain))
            for (const char *at = roles; *at;) {
                at += strspn (at, ", ");
                size_t span = strcspn (at, ", ");
                char *role = mem_copy (at, span);
                bool fits = curve_has_role (uses[i].roles, role);
                free (role);
                if (fits)
                    return true;
                at += span;
            }
    return false;
}
