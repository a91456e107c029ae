/* limit - how many requests are under way to each of some names, and whether one more may go. Inside lib/http alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_LIMIT_H
#define HTTP_LIMIT_H

#include "base/base.h"

/* One name; lives as long as somebody holds it. */
struct limit {
    struct limit *next;
    char *name;
    size_t users;  /* who hold it */
    size_t active; /* of those, under way */
};

struct limit_table {
    struct limit *first;
    size_t most; /* under way to one name */
};

struct limit *limit_hold (struct limit_table *table, const char *name);
void limit_leave (struct limit_table *table, struct limit **limit); /* NULL is nothing to do */

static inline bool
limit_has_room (const struct limit_table *table, const struct limit *limit)
{
    return limit->active < table->most;
}

#endif
