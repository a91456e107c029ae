/* base64 - both ways, fast enough for vectors.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_BASE64_H
#define MODEL_BASE64_H

#include "base/base.h"

/* How many bytes base64_decode writes. */
size_t base64_decoded_bytes (const char *text, size_t bytes);

/* 0, or -EINVAL for text that is no base64; out is written to its full length in either case. */
MUST_CHECK int base64_decode (const char *text, size_t bytes, uint8_t *out);

/* With padding, in the standard alphabet. Appended to out. */
void base64_encode (const void *data, size_t bytes, struct buf *out);

#endif
