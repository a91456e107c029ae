/* page - the status document as a page for people: no scripts, reloads itself.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_PAGE_H
#define GATEWAY_PAGE_H

#include "base/base.h"

#include <jansson.h>

/* status: NULL when there is none, for this reason. */
void page_write (struct buf *out, const json_t *status, const char *reason);

#endif
