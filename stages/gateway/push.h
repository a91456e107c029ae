/* push - whether what a WebSub hub pushed was signed with our secret (w3.org/TR/websub, 7.1). Values in, values out.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_PUSH_H
#define GATEWAY_PUSH_H

#include "base/base.h"

/* signature: of the header X-Hub-Signature, "sha256=" and hexadecimal digits; sha1, sha384 and sha512 likewise; NULL: there is
 * none, which is no good one. Takes as long for a nearly right one as for a wrong one. */
bool push_is_signed (const char *signature, const char *secret, const void *body, size_t bytes);

#endif
