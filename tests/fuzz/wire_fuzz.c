/* Whatever decodes must encode to the same bytes again; of an older version, with the fields it did not know yet, all zero.
 * SPDX-License-Identifier: MPL-2.0 */
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

static bool
is_same (const struct buf *again, const char *data, size_t size)
{
    if (again->len < size || memcmp (again->data, data, WIRE_VERSION_OFFSET) != 0
        || memcmp (again->data + WIRE_TYPE_OFFSET, data + WIRE_TYPE_OFFSET, size - WIRE_TYPE_OFFSET) != 0)
        return false;
    for (size_t i = size; i < again->len; i++)
        if (again->data[i])
            return false;
    int older = again->data[WIRE_VERSION_OFFSET] - data[WIRE_VERSION_OFFSET];
    return older > 0 || (older == 0 && again->len == size);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    union wire_message message;
    enum wire_type type;
    struct buf again = { 0 };
    if (wire_decode (data, size, &type, &message) == 0
        && (wire_encode (type, &message, &again) < 0 || !is_same (&again, (const char *) data, size)))
        abort ();
    buf_fini (&again);
    return 0;
}
