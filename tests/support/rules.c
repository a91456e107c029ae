/* rules - the model's ways to go wrong, by name, and which calls they hit.
 * SPDX-License-Identifier: MPL-2.0 */
#include "fakeworld.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ONCE 1
#define FOR_EVER (-1)

static const struct mode {
    const char *name;
    enum fault fault;
    unsigned int status;
    bool on_chat, on_embed;
    bool needs_mark;
    int64_t usual_count;
    const char *body;
} modes[] = {
    { "wrongcount", FAULT_COUNT, 0, true, true, false, ONCE, NULL },
    { "wrongids", FAULT_IDS, 0, true, true, false, ONCE, NULL },
    { "wrongdim", FAULT_DIMENSIONS, 0, false, true, false, ONCE, NULL },
    { "nan", FAULT_NAN, 0, false, true, false, ONCE, NULL },
    { "truncated", FAULT_TRUNCATED, 0, true, false, false, ONCE, NULL },
    { "stall", FAULT_STALL, 0, true, true, false, ONCE, NULL },
    { "drip", FAULT_DRIP, 0, true, true, false, ONCE, NULL },
    { "cut", FAULT_CUT, 0, true, true, false, ONCE, NULL },
    { "torn", FAULT_TORN, 0, true, true, false, ONCE, NULL },
    { "shuffled", FAULT_SHUFFLED, 0, true, true, false, ONCE, NULL },
    { "unpriced", FAULT_UNPRICED, 0, true, true, false, FOR_EVER, NULL },
    { "poison", FAULT_STATUS, 400, true, true, true, FOR_EVER, NULL },
    /* A 200 that is none. */
    { "empty", FAULT_STATUS, 200, true, true, false, ONCE, "" },
    { "emptylist", FAULT_STATUS, 200, true, true, false, ONCE, "{\"choices\":[],\"data\":[]}" },
    { "error200", FAULT_STATUS, 200, true, true, false, ONCE,
      "{\"error\":{\"message\":\"Provider returned error\",\"code\":502}}" },
    { "error200-429", FAULT_STATUS, 200, true, true, false, ONCE,
      "{\"error\":{\"message\":\"Rate limit exceeded\",\"code\":429,\"metadata\":{"
      "\"error_type\":\"rate_limit_exceeded\",\"retry_after_seconds\":1}}}" },
    { "error200-401", FAULT_STATUS, 200, true, true, false, ONCE,
      "{\"error\":{\"message\":\"No auth credentials found\",\"code\":401}}" },
    /* What OpenRouter means by 402. */
    { "credit402", FAULT_STATUS, 402, true, true, false, ONCE,
      "{\"error\":{\"message\":\"Insufficient credits. Add more using https://openrouter.ai/settings/credits\","
      "\"code\":402,\"metadata\":{\"limit_source\":\"openrouter_credits\",\"remedy_hint\":\"Or lower max_tokens\"}}}" },
    { "key402", FAULT_STATUS, 402, true, true, false, ONCE,
      "{\"error\":{\"message\":\"This key has no credit left\",\"code\":402,"
      "\"metadata\":{\"limit_source\":\"openrouter_key_limit\"}}}" },
    { "dear402", FAULT_STATUS, 402, true, true, false, ONCE,
      "{\"error\":{\"message\":\"This request requires more credits, or fewer max_tokens. You requested up to"
      " 65536 tokens, but can only afford 30104.\",\"code\":402,\"metadata\":{\"provider_name\":null}}}" },
    { "budget402", FAULT_STATUS, 402, true, true, false, ONCE,
      "{\"error\":{\"message\":\"Payment required\",\"code\":402,"
      "\"metadata\":{\"reason\":\"weight_exceeds_budget\",\"limit_source\":\"openrouter_credits\"}}}" },
    { "inflight402", FAULT_STATUS, 402, true, true, false, ONCE,
      "{\"error\":{\"message\":\"This request would exceed your available credits given your current in-flight"
      " requests.\",\"code\":402,\"metadata\":{\"reason\":\"in_flight_budget_exhausted\","
      "\"limit_source\":\"openrouter_in_flight_budget\"}}}" },
    { "key403", FAULT_STATUS, 403, true, true, false, ONCE,
      "{\"error\":{\"message\":\"Key limit exceeded (total limit)\",\"code\":403}}" },
    { "moderation403", FAULT_STATUS, 403, true, true, true, FOR_EVER,
      "{\"error\":{\"message\":\"The model requires moderation, and your input was flagged\",\"code\":403,"
      "\"metadata\":{\"reasons\":[\"violence\"],\"flagged_input\":\"...\"}}}" },
    /* FastAPI's shapes, as vLLM and others answer. */
    { "detail422", FAULT_STATUS, 422, true, true, true, FOR_EVER,
      "{\"detail\":[{\"type\":\"string_too_long\",\"loc\":[\"body\",\"input\"],"
      "\"msg\":\"String should be shorter\"}]}" },
    { "detail500", FAULT_STATUS, 500, true, true, false, ONCE, "{\"detail\":\"Internal Server Error\"}" },
};

static const struct mode *
mode_find (enum target target, const char *name)
{
    for (size_t i = 0; i < COUNT_OF (modes); i++)
        if (strcmp (modes[i].name, name) == 0)
            return (target == TARGET_CHAT ? modes[i].on_chat : modes[i].on_embed) ? &modes[i]
                                                                                  : NULL;
    return NULL;
}

int
rules_add (struct rules *rules, enum target target, const char *name, int64_t count,
           int64_t retry_after_s, const char *mark)
{
    if (strcmp (name, "off") == 0) {
        rules->count = 0;
        return 0;
    }
    int64_t status = 0;
    const struct mode *mode = mode_find (target, name);
    if (!mode && num_parse (name, 400, 599, &status) < 0)
        return -EINVAL;
    if ((mode && mode->needs_mark && !mark) || (mark && strlen (mark) >= RULE_MARK_SIZE))
        return -EINVAL;
    if (rules->count == RULES_MAX)
        return -ENOSPC;
    struct rule *rule = &rules->items[rules->count++];
    *rule = (struct rule){ .fault = mode ? mode->fault : FAULT_STATUS,
                           .status = mode ? mode->status : (unsigned int) status,
                           .left = count  ? count
                                   : mode ? mode->usual_count
                                          : ONCE,
                           .retry_after_s = retry_after_s,
                           .body = mode ? mode->body : NULL };
    snprintf (rule->mark, sizeof rule->mark, "%s", mark ? mark : "");
    return 0;
}

static bool
rule_fits (const struct rule *rule, const char *body, size_t bytes)
{
    return !rule->mark[0] || memmem (body, bytes, rule->mark, strlen (rule->mark));
}

struct rule
rules_take (struct rules *rules, const char *body, size_t bytes)
{
    for (size_t i = 0; i < rules->count; i++) {
        struct rule *rule = &rules->items[i];
        if (!rule_fits (rule, body, bytes))
            continue;
        struct rule taken = *rule;
        if (rule->left > 0 && --rule->left == 0) {
            rules->count--;
            memmove (rule, rule + 1, (rules->count - i) * sizeof *rule);
        }
        return taken;
    }
    return (struct rule){ .fault = FAULT_NONE };
}
