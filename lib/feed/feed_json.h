/* feed_json - a parsed feed as JSON, for the command line and for tests.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_FEED_JSON_H
#define FEED_FEED_JSON_H

#include "feed/feed.h"

#include <jansson.h>

/* {"format", "title", "link", "language", "hub", "self", "ttlS", "updatePeriodS", "skipHours": [0 ... 23],
 * "skipDays": ["Sunday" ...], "entries": [{"title", "url", "id", "published", "updated", "author",
 * "summary", "content", "categories"}]}; dates RFC 3339 in UTC; what is absent is left out. given
 * (json_decref) */
json_t *feed_to_json (const struct feed *feed);

#endif
