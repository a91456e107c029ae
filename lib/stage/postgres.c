/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"
#include "db/db.h"

_Static_assert (DB_REASON_SIZE == STAGE_REASON_SIZE, "db_check writes into the stage's buffer");

const struct stage_database stage_postgres = { db_new, db_destroy, db_ready, db_check };
