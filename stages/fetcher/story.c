/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define LINKS_A_TURN "100"
#define FORGET_MS INT64_C (3600000)

static void
forget (struct fetcher *self, const char *window)
{
    if (clock_mono_ms () < self->forget_at_ms)
        return;
    self->forget_at_ms = clock_mono_ms () + FORGET_MS;
    if (db_run (self->db, NULL, "DELETE FROM \"StoryPrint\" WHERE \"createdAt\" < " DB_NOW " - $1::interval AND linked",
                DB_VALUES (window)) < 0)
        log_warn ("old stories could not be forgotten: %s", db_error (self->db));
}

static void
on_story_time (struct stage *stage, void *arg)
{
    struct fetcher *self = arg;
    char window[32], alike[8];
    if (!db_ready (self->db) || stage_is_stopping (stage))
        return;
    snprintf (window, sizeof window, "%" PRId64 " hours", stage_settings (stage)->fetcher_story_window);
    snprintf (alike, sizeof alike, "%d", SIMILARITY_ALIKE);
    PGresult *linked = db_query (self->db, "SELECT link_stories ($1::int, $2::int, $3::interval)",
                                 DB_VALUES (LINKS_A_TURN, alike, window));
    if (!linked) {
        log_warn ("stories could not be linked: %s", db_error (self->db));
        return;
    }
    bool more = db_int (linked, 0, 0) > 0;
    PQclear (linked);
    self->unlinked = more;
    if (more)
        stage_after (stage, 0, on_story_time, self);
    else
        forget (self, window);
}

void
story_begin (struct fetcher *self)
{
    if (self->unlinked)
        stage_after (self->stage, 0, on_story_time, self);
}
