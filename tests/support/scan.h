/* scan - reads JSON in place, without a tree: a batch of texts is hundreds of kilobytes, and the
 * world must cost next to nothing beside what is measured. Refuses what is no JSON, but for the
 * spelling of numbers and of escapes in strings that are skipped.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef SUPPORT_SCAN_H
#define SUPPORT_SCAN_H

#include "base/base.h"

struct scan {
    const char *at, *end;
    bool bad;   /* it was no JSON: all that follows reads as nothing */
    bool fresh; /* no element was read since the last scan_open */
};

struct scan_text {
    const char *data; /* between the quotes, escapes as they are; borrowed from the input */
    size_t bytes;
    bool escaped; /* holds a backslash */
};

/* for (scan_open (s, '['); scan_more (s, ']');) { read exactly one value } */
void scan_open (struct scan *scan, char bracket);
MUST_CHECK bool scan_more (struct scan *scan, char bracket);
/* The name of an object's member, and its colon. */
struct scan_text scan_key (struct scan *scan);
struct scan_text scan_string (struct scan *scan);
int64_t scan_integer (struct scan *scan);
void scan_skip (struct scan *scan); /* any value */
/* Whether the next value is a string. */
bool scan_at_string (struct scan *scan);
/* Whether all was read and was JSON. */
MUST_CHECK bool scan_done (struct scan *scan);

bool scan_is (const struct scan_text *text, const char *word);
/* Appends the text with its escapes resolved; false for a wrong escape. */
MUST_CHECK bool scan_unescape (struct buf *out, const struct scan_text *text);

#endif
