/* date - reads the dates that feeds carry: RFC 822 and its abuses, W3CDTF and ISO 8601, asctime,
 * what CMSs print
 * in a dozen languages. SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_DATE_H
#define FEED_DATE_H

#include "base/base.h"

/* text: borrowed. Microseconds since 1970, or FEED_NO_DATE if it is no date; without a zone it is
 * UTC. */
int64_t date_parse (const char *text);

#endif
