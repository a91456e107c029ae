/* Whatever decodes must encode to the same bytes again.
 * SPDX-License-Identifier: MPL-2.0 */
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    union wire_message message;
    enum wire_type type;
    struct buf again = { 0 };
    if (wire_decode (data, size, &type, &message) == 0
        && (wire_encode (type, &message, &again) < 0 || again.len != size || memcmp (again.data, data, size) != 0))
        abort ();
    buf_fini (&again);
    return 0;
}
