/* guard - bytes whose end touches a page that cannot be read: one byte too far and the test dies.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef UNIT_GUARD_H
#define UNIT_GUARD_H

#include "base/base.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard {
    char *map;
    size_t room, page;
};

static inline struct guard
guard_open (size_t room)
{
    struct guard g = { NULL, 0, (size_t) sysconf (_SC_PAGESIZE) };
    g.room = (room / g.page + 1) * g.page;
    void *map = mmap (NULL, g.room + g.page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect ((char *) map + g.room, g.page, PROT_NONE) != 0)
        abort ();
    g.map = map;
    return g;
}

static inline void
guard_close (struct guard *g)
{
    munmap (g->map, g->room + g->page);
}

/* A copy that ends where the page ends; valid until the next one. */
static inline char *
guard_put (struct guard *g, const void *data, size_t bytes)
{
    char *at = g->map + g->room - bytes;
    if (bytes)
        memcpy (at, data, bytes);
    return at;
}

#endif
