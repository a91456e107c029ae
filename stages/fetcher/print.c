/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"
#include "text/words.h"

#define SHORT_WORDS 50 /* below, a text such as "Read on at our site" is only the same under the same title */

int64_t
print_hash (const char *title, const char *text)
{
    size_t bytes = strlen (text);
    uint64_t hash = num_hash (text, bytes);
    if (word_count_most (text, bytes, SHORT_WORDS) < SHORT_WORDS)
        hash = hash * 31 + num_hash (title, strlen (title));
    return (int64_t) hash;
}
