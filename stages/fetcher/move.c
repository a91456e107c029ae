/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define MOVES_ADOPTED 3 /* readings in a row at the new place: a publisher's slip is over by then */

/* One of both: the source goes to its new address, or, if another source lives there, is switched off. */
static const char move_sql[] =
    "WITH there AS (SELECT id FROM \"Source\" WHERE url = $2 AND id <> $1"
    "), moved AS (UPDATE \"Source\" SET url = $2, domain = NULL, \"movedTo\" = NULL, moves = 0"
    "  WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM there)"
    "), off AS (UPDATE \"Source\" SET enabled = FALSE, \"disabledReason\" = 'it moved to ' || $2 || ', which is source '"
    "  || (SELECT id FROM there) WHERE id = $1 AND EXISTS (SELECT 1 FROM there)"
    ") SELECT id FROM there";

void
move_look (const struct fetch *fetch, const char *moved_to)
{
    struct fetcher *self = fetch->fetcher;
    const char *url = fetch->url;
    char id[24], from[LOG_QUOTE_SIZE], to[LOG_QUOTE_SIZE];
    if (!moved_to || !fetch->moved_to || !streq (fetch->moved_to, moved_to) || fetch->moves + 1 < MOVES_ADOPTED)
        return;
    snprintf (id, sizeof id, "%" PRId64, fetch->source_id);
    PGresult *there = db_query (self->db, move_sql, DB_VALUES (id, moved_to));
    if (!there)
        log_warn ("source=%s url=%s has moved, which could not be written: %s", id, log_quote (url, from), db_error (self->db));
    else if (PQntuples (there))
        log_warn ("source=%s url=%s is switched off: it moved to %s, which is source %s", id, log_quote (url, from),
                  log_quote (moved_to, to), db_text (there, 0, 0));
    else
        log_info ("source=%s url=%s has moved for good to %s", id, log_quote (url, from), log_quote (moved_to, to));
    PQclear (there);
}
