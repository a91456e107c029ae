/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/budget.h"

#define REASON_SIZE 256
#define UNPRICED_SHARE "10" /* one call in so many may come without its cost */

/* What the day has left, less what articles under way may still take. In USD by what a token cost of late. A statement of its
 * own after that which locks: it must see what the fetcher before it reserved. */
static const char lock_sql[] = "SELECT 1 FROM \"Budget\" FOR UPDATE SKIP LOCKED";
static const char room_sql[] =
    "WITH price AS (SELECT stage, CASE WHEN $2::boolean"
    "  THEN sum (cost) / nullif (sum (\"tokensIn\" + \"tokensOut\"), 0) ELSE 1 END AS token FROM \"Spend\" WHERE day > (" DB_NOW ")::date - 7 GROUP BY stage),"
    " today AS (SELECT coalesce (sum (CASE WHEN $2::boolean THEN cost ELSE \"tokensIn\" + \"tokensOut\" END), 0) AS spent,"
    "  coalesce (sum (unpriced) * " UNPRICED_SHARE " > sum (calls), FALSE) AS untold FROM \"Spend\" WHERE day = (" DB_NOW ")::date)"
    " SELECT spent, (SELECT coalesce (sum (reserved), 0) FROM \"ArticleWork\" WHERE reserved > 0), untold,"
    " CASE WHEN $2::boolean THEN (SELECT token FROM price WHERE stage = 'summarizer') ELSE 1 END,"
    " CASE WHEN $2::boolean THEN (SELECT token FROM price WHERE stage = 'embedder') ELSE 1 END, $1::float8 FROM today";

bool
budget_is_set (const struct fetcher *self)
{
    return *stage_settings (self->stage)->model_daily_budget;
}

static double
real (const PGresult *result, int column)
{
    const char *text = db_text (result, 0, column);
    return text ? strtod (text, NULL) : 0;
}

int
budget_begin (struct fetcher *self, struct budget *ret)
{
    struct conf_budget set;
    char limit[32];
    int r = conf_parse_budget (stage_settings (self->stage)->model_daily_budget, &set);
    bool in_usd = streq (set.unit, CONF_USD);
    snprintf (limit, sizeof limit, "%.9g", set.limit);
    if (r < 0 || db_run (self->db, NULL, "BEGIN", 0, NULL) < 0)
        return -EIO;
    PGresult *lock = db_query (self->db, lock_sql, 0, NULL);
    bool mine = lock && PQntuples (lock);
    PGresult *result = mine ? db_query (self->db, room_sql, DB_VALUES (limit, in_usd ? "true" : "false")) : NULL;
    if (!result) {
        r = lock && !mine ? -EAGAIN : -EIO;
        PQclear (lock);
        db_rollback (self->db);
        return r;
    }
    PQclear (lock);
    *ret = (struct budget){ .limit = set.limit, .unit = set.unit, .spent = real (result, 0),
                            .room = set.limit - real (result, 0) - real (result, 1),
                            .untold = in_usd && *db_text (result, 0, 2) == 't',
                            .priced = db_text (result, 0, 3) && db_text (result, 0, 4),
                            .summary_price = real (result, 3), .embedding_price = real (result, 4) };
    if (ret->untold)
        ret->room = -1;
    PQclear (result);
    return 0;
}

/* The article whose turn it is. */
#define NEXT_NEED BUDGET_NEED ("summary", "octet_length (content)", "$3", "$4", "$5")
#define FROM_NEXT " FROM \"ArticleWork\" WHERE state = 'pending' AND \"dueAt\" <= " DB_NOW " AND \"pageAt\" IS NULL" \
    " ORDER BY \"dueAt\", id LIMIT 1"
/* Only when nothing is under way: what that did not use comes back. */
static const char pause_sql[] =
    "UPDATE \"Budget\" SET \"pausedUntil\" = date_trunc ('day', " DB_NOW ") + interval '1 day', reason = $1"
    " WHERE coalesce (\"pausedUntil\", '-infinity') <= " DB_NOW
    " AND NOT EXISTS (SELECT 1 FROM \"ArticleWork\" WHERE reserved > 0)"
    " AND $2::float8 < (SELECT " NEXT_NEED FROM_NEXT ")";

/* What no day has room for would have all others wait for it every day. */
static const char bury_sql[] =
    "UPDATE \"ArticleWork\" SET state = 'dead', reason = $1 WHERE id = (SELECT id" FROM_NEXT ") AND $2::float8 < " NEXT_NEED;

static bool
bury_too_dear (struct fetcher *self, const struct budget *budget)
{
    struct budget_values values;
    char limit[32], reason[REASON_SIZE];
    int64_t rows = 0;
    budget_values (self, budget, &values);
    snprintf (limit, sizeof limit, "%.9g", budget->limit);
    snprintf (reason, sizeof reason, "fetcher: may need more than model.daily_budget has for a whole day, which is %.6g %s",
              budget->limit, budget->unit);
    if (db_run (self->db, &rows, bury_sql, DB_VALUES (reason, limit, values.summary_price, values.embedding_price,
                                                      values.max_input)) < 0)
        log_warn ("an article too dear for any day could not be marked: %s", db_error (self->db));
    else if (rows)
        log_error ("an article goes to the dead letters: %s", reason);
    return rows > 0;
}

static void
pause_if_spent (struct fetcher *self, const struct budget *budget)
{
    struct budget_values values;
    char reason[REASON_SIZE];
    int64_t rows = 0;
    if (budget->untold)
        snprintf (reason, sizeof reason, "the model server tells no cost, so a model.daily_budget in USD cannot be kept: "
                  "give it in tokens");
    else
        snprintf (reason, sizeof reason, "model.daily_budget is reached: %.6g of %.6g %s are spent, and the next article may need "
                  "more than what is left", budget->spent, budget->limit, budget->unit);
    budget_values (self, budget, &values);
    if (db_run (self->db, &rows, pause_sql, DB_VALUES (reason, values.room, values.summary_price, values.embedding_price,
                                                       values.max_input)) < 0)
        log_warn ("that the day's budget is spent could not be written: %s", db_error (self->db));
    else if (rows)
        log_error ("articles wait until 00:00 UTC: %s", reason);
}

void
budget_end (struct fetcher *self, const struct budget *budget, int leased)
{
    if (leased == 0) {
        if (budget->untold || !bury_too_dear (self, budget))
            pause_if_spent (self, budget);
    } else if (db_run (self->db, NULL, "UPDATE \"Budget\" SET \"pausedUntil\" = NULL, reason = NULL WHERE \"pausedUntil\" IS NOT NULL",
                     0, NULL) < 0)
        log_warn ("that the day's budget is not spent any more could not be written: %s", db_error (self->db));
}

void
budget_values (const struct fetcher *self, const struct budget *budget, struct budget_values *ret)
{
    snprintf (ret->room, sizeof ret->room, "%.9g", budget->room);
    snprintf (ret->summary_price, sizeof ret->summary_price, "%.9g", budget->summary_price);
    snprintf (ret->embedding_price, sizeof ret->embedding_price, "%.9g", budget->embedding_price);
    snprintf (ret->max_input, sizeof ret->max_input, "%" PRId64, stage_settings (self->stage)->model_max_input);
}
