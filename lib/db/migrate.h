/* migrate - the parts of db_migrate that need no database: which files there are, and what is
 * filled in.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef DB_MIGRATE_H
#define DB_MIGRATE_H

#include "db/db.h"

/* The newest migration this program was written for; raise it with every file added to sql/ (a
 * test compares). */
#define MIGRATE_VERSION 11
#define MIGRATE_INDEX_MOST 2000 /* dimensions pgvector indexes of type vector */

struct migration {
    int64_t version;
    char *name; /* "004_chunks.sql" */
};

/* All NNN_name.sql in folder, by version. *ret_list: given (migrate_free_list). 0; -EIO if the
 * folder can't be read; -EINVAL: two files of one version, or none at all. */
MUST_CHECK int migrate_list (const char *folder, struct migration **ret_list, size_t *ret_count,
                             char ret_reason[DB_REASON_SIZE]);
void migrate_free_list (struct migration **list, size_t count);
/* sql with $DIMENSIONS and $INDEX filled in. given (free) */
char *migrate_fill (const char *sql, int64_t dimensions);

#endif
