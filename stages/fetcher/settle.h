/* settle - the SQL that writes to a source what reading it came to: cursor, health, when it is due again.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FETCHER_SETTLE_H
#define FETCHER_SETTLE_H

/* Of "RunSource" r, which may be read twice in a run. */
#define SETTLE_STATE(said) \
    "again = FALSE, state = CASE WHEN r.again THEN 'due' WHEN " said " = 'unchanged' AND r.discovered > 0 THEN 'fresh'" \
    " ELSE " said " END"

/* A common table expression over `said`, a row a source that was read: id, status, wait, etag, modified, hash, moved, and title,
 * format and what the schedule knows where they are news. */
#define SETTLE_READ \
    "read AS (" \
    " UPDATE \"Source\" s SET \"lastFetchAt\" = " DB_NOW ", \"lastSuccessAt\" = " DB_NOW ", \"lastStatus\" = said.status," \
    "  \"lastError\" = NULL, failures = 0, \"nextDueAt\" = " DB_NOW " + said.wait * interval '1 second', etag = said.etag," \
    "  \"lastModified\" = said.modified, \"bodyHash\" = said.hash, title = coalesce (s.title, said.title)," \
    "  format = coalesce (said.format, s.format), \"movedTo\" = said.moved," \
    "  \"hintS\" = coalesce (said.hint, s.\"hintS\"), \"gapS\" = coalesce (said.gap, s.\"gapS\")," \
    "  \"skipHours\" = coalesce (said.hours, s.\"skipHours\"), \"skipDays\" = coalesce (said.days, s.\"skipDays\")," \
    "  moves = CASE WHEN said.moved IS NULL THEN 0 WHEN said.moved = s.\"movedTo\" THEN s.moves + 1 ELSE 1 END" \
    " FROM said WHERE s.id = said.id" \
    ")"

#endif
