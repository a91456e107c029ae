/* store - article transactions on a few connections, each with a pipeline of them (libpq's pipeline mode): one prepared
 * statement an article, one sync, so one transaction.
 * While the database is away the articles wait in hand, and are stored when it is back.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef WRITER_STORE_H
#define WRITER_STORE_H

#include "stage/stage.h"

struct store;

struct store_outcome {
    enum wire_class fault;
    const char *reason;  /* borrowed, when there is a fault */
    uint32_t chunks;     /* vectors stored; 0 for a second copy */
    bool returned;       /* handed back untouched: at the stop, or as nobody knows it */
};
/* article: given back. */
typedef void store_fn (void *context, struct stage_article *article, const struct store_outcome *outcome);

struct store *store_new (struct stage *stage, size_t connections, size_t in_flight, store_fn *done, void *context);
void store_destroy (struct store **store);
void store_add (struct store *store, struct stage_article *article); /* taken until done is called. Never blocks */
size_t store_count (const struct store *store);                      /* articles not yet given back */
void store_stop (struct store *store); /* hands back what no connection has begun */

#endif
