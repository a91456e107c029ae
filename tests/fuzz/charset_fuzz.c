/* charset_fuzz - any bytes as text, under what HTTP says of them, and repaired. The first byte chooses what HTTP says.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/charset.h"
#include "text/mojibake.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
    static const char *const types[] = {
        NULL, "text/xml; charset=shift_jis", "text/xml; charset=\"gb18030\"", "x;charset=iso-2022-jp",
        "text/xml; charset=iso-8859-1", "text/xml; charset=utf-16", "text/xml; charset=hz-gb-2312", "charset=",
    };
    if (!size)
        return 0;
    struct buf out = { 0 };
    charset_to_utf8 ((const char *) data + 1, size - 1, types[data[0] % COUNT_OF (types)], &out);
    if (utf8_valid_bytes (out.data ? out.data : "", out.len) != out.len)
        abort ();
    if (out.data && mojibake_repair (out.data) && utf8_valid_bytes (out.data, strlen (out.data)) != strlen (out.data))
        abort ();
    buf_fini (&out);
    return 0;
}
