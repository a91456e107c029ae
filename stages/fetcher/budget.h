/* budget - what the models may still take today (model.daily_budget). An article is dispatched only if the day has room for
 * all that it may need, with what those under way may need reserved; so the limit holds but for calls that are made again.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FETCHER_BUDGET_H
#define FETCHER_BUDGET_H

#include "stages/fetcher/fetcher.h"

#include <math.h>

struct budget {
    double limit, spent, room;             /* of today, in unit */
    const char *unit;
    double summary_price, embedding_price; /* of a token, in unit; 0: no call has told it yet */
    bool priced;                           /* both are known */
    bool untold;                           /* in USD, and the server tells no cost of too many calls */
};
/* What goes without one. */
#define BUDGET_NONE ((struct budget){ .room = INFINITY, .priced = true })

/* As parameters of SQL. */
struct budget_values {
    char room[32], summary_price[32], embedding_price[32], max_input[24];
};
void budget_values (const struct fetcher *self, const struct budget *budget, struct budget_values *ret);

/* SQL: what an article of so many bytes may take. A token is 3 to 4 bytes of most languages; 400 are those of the prompt and
 * the summary, and chunks overlap by a sixth. */
#define BUDGET_NEED(summary, bytes, summary_price, embedding_price, max_input) \
    "((CASE WHEN " summary " IS NULL THEN least (" bytes ", " max_input "::int) / 3 + 400 ELSE 0 END)" \
    " * " summary_price "::float8 + (" bytes " * 0.4 + 20) * " embedding_price "::float8)"

bool budget_is_set (const struct fetcher *self);
/* Begins a transaction, in which no other fetcher reserves. 0; -EAGAIN: another one does just now, -EIO: none was begun.
 * Blocks for the database. */
MUST_CHECK int budget_begin (struct fetcher *self, struct budget *ret);
/* After its end; leased: how many articles were. Writes down, once, that the mill pauses until the day ends, or that it goes on. */
void budget_end (struct fetcher *self, const struct budget *budget, int leased);

#endif
