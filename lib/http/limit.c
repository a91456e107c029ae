/* SPDX-License-Identifier: MPL-2.0 */
#include "http/limit.h"

#include <stdlib.h>
#include <string.h>

struct limit *
limit_hold (struct limit_table *table, const char *name)
{
    struct limit *limit = table->first;
    while (limit && strcmp (limit->name, name) != 0)
        limit = limit->next;
    if (!limit) {
        limit = MEM_NEW (struct limit);
        limit->name = mem_dup (name);
        limit->next = table->first;
        table->first = limit;
    }
    limit->users++;
    return limit;
}

void
limit_leave (struct limit_table *table, struct limit **limit)
{
    struct limit *self = *limit;
    *limit = NULL;
    if (!self || --self->users > 0)
        return;
    struct limit **link = &table->first;
    while (*link != self)
        link = &(*link)->next;
    *link = self->next;
    free (self->name);
    free (self);
}
