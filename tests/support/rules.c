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
} modes[] = {
    { "error200", FAULT_ERROR200, 0, true, true, false, ONCE },
    { "wrongcount", FAULT_COUNT, 0, true, true, false, ONCE },
    { "wrongids", FAULT_IDS, 0, true, true, false, ONCE },
    { "wrongdim", FAULT_DIMENSIONS, 0, false, true, false, ONCE },
    { "nan", FAULT_NAN, 0, false, true, false, ONCE },
    { "truncated", FAULT_TRUNCATED, 0, true, false, false, ONCE },
    { "stall", FAULT_STALL, 0, true, true, false, ONCE },
    { "cut", FAULT_CUT, 0, true, true, false, ONCE },
    { "empty", FAULT_EMPTY, 0, true, true, false, ONCE },
    { "shuffled", FAULT_SHUFFLED, 0, true, true, false, ONCE },
    { "poison", FAULT_STATUS, MHD_HTTP_BAD_REQUEST, true, true, true, FOR_EVER },
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
                           .retry_after_s = retry_after_s };
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
