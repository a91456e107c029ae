/* feeds - the table "Source" as the operator changes it: import, export, add, remove.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FEEDS_H
#define CLI_FEEDS_H

#include "cli/opml.h"
#include "conf/conf.h"
#include "db/db.h"

#define FEEDS_REASON_SIZE 512

/* Reads an OPML document from a file, from "-", or from an http(s) URL. *ret_opml: given
 * (opml_fini). 0; -EINVAL: it is not there or no OPML; -EIO: could not be fetched, later it may.
 * ret_reason: for people; after 0 what had to be repaired, or empty. */
MUST_CHECK int feeds_read (const struct settings *settings, const char *place,
                           struct opml *ret_opml, char ret_reason[FEEDS_REASON_SIZE]);
/* Adds what is missing, and takes over titles and tags, in one transaction. 0 or -EIO
 * (db_error). */
MUST_CHECK int feeds_import (struct db *db, const struct opml *opml, int64_t *ret_added);
enum feeds_added { FEEDS_ADDED, FEEDS_KNOWN, FEEDS_SWITCHED_ON };
/* Adds one or switches it on; a title or tags that it has replace those known. found_title: for one that has none yet; may be
 * NULL. 0 or -EIO (db_error). */
MUST_CHECK int feeds_add (struct db *db, const struct opml_feed *feed, const char *found_title, enum feeds_added *ret_added);
MUST_CHECK int feeds_export (struct db *db, struct opml *ret_opml);
/* Switches on the ones that opml names and off all others. */
MUST_CHECK int feeds_keep_only (struct db *db, const struct opml *opml);
MUST_CHECK int feeds_count (struct db *db, int64_t *ret_count);

#endif
