/* SPDX-License-Identifier: MPL-2.0 */
#include "db/array.h"

#include <endian.h>
#include <string.h>

static void
put32 (struct buf *out, uint32_t value)
{
    uint32_t net = htobe32 (value);
    buf_add (out, &net, sizeof net);
}

/* Dimensions, whether there are NULLs (a hint nobody reads), element type, then length and lower bound. */
void
db_array_begin (struct buf *out, unsigned element_oid, size_t count)
{
    put32 (out, count > 0);
    put32 (out, 0);
    put32 (out, element_oid);
    if (!count)
        return;
    put32 (out, (uint32_t) count);
    put32 (out, 1);
}

void
db_array_add (struct buf *out, const void *data, size_t bytes)
{
    put32 (out, (uint32_t) bytes);
    buf_add (out, data, bytes);
}

void
db_array_add_text (struct buf *out, const char *text)
{
    if (text)
        db_array_add (out, text, strlen (text));
    else
        db_array_add_null (out);
}

void
db_array_add_int8 (struct buf *out, int64_t value)
{
    uint64_t net = htobe64 ((uint64_t) value);
    db_array_add (out, &net, sizeof net);
}

void
db_array_add_positive (struct buf *out, int64_t value)
{
    if (value > 0)
        db_array_add_int8 (out, value);
    else
        db_array_add_null (out);
}

void
db_array_add_null (struct buf *out)
{
    put32 (out, UINT32_MAX);
}
