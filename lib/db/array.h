/* array - one-dimensional PostgreSQL arrays in binary form, for parameters: nothing to quote, nothing to parse.
 * Format: array_recv in src/backend/utils/adt/arrayfuncs.c.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef DB_ARRAY_H
#define DB_ARRAY_H

#include "base/base.h"

enum { DB_OID_INT8 = 20, DB_OID_TEXT = 25, DB_OID_UUID = 2950 }; /* pg_type.dat */

/* Exactly count elements must follow. */
void db_array_begin (struct buf *out, unsigned element_oid, size_t count);
void db_array_add (struct buf *out, const void *data, size_t bytes); /* in the element type's own binary form */
void db_array_add_text (struct buf *out, const char *text);          /* NULL gives NULL */
void db_array_add_int8 (struct buf *out, int64_t value);
void db_array_add_positive (struct buf *out, int64_t value);         /* int8; NULL for 0 and below: unknown */
void db_array_add_null (struct buf *out);

#endif
