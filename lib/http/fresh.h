/* fresh - how long an answer says that nobody needs to ask again (RFC 9111, 4.2.1). Inside lib/http alone.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef HTTP_FRESH_H
#define HTTP_FRESH_H

#include "base/base.h"

#define FRESH_UNKNOWN (-1)
#define FRESH_MAX_S (INT64_C (366) * 86400) /* longer is taken as this */

struct fresh {
    int64_t max_age_s, age_s, date_s, expires_s; /* FRESH_UNKNOWN: not said */
};

#define FRESH_NONE ((struct fresh){ FRESH_UNKNOWN, FRESH_UNKNOWN, FRESH_UNKNOWN, FRESH_UNKNOWN })

/* Takes in a header, if it is one of those that matter. name: borrowed, need not end in NUL. */
void fresh_take (struct fresh *fresh, const char *name, size_t name_bytes, const char *value);
/* Seconds from now_s (since 1970), 0 for "ask again", or FRESH_UNKNOWN. */
int64_t fresh_left_s (const struct fresh *fresh, int64_t now_s);

#endif
