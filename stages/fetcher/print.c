/* SPDX-License-Identifier: MPL-2.0 */
#include "stages/fetcher/fetcher.h"

#define SHORT_WORDS 50 /* below, a text such as "Read on at our site" is only the same under the same title */

void
print_init (struct print *ret, const char *title, const char *text)
{
    *ret = (struct print){ 0 };
    ret->has_bands = similarity_bands (text, strlen (text), ret->bands, &ret->words);
    uint64_t hash = num_hash (text, strlen (text));
    if (ret->words < SHORT_WORDS)
        hash = hash * 31 + num_hash (title, strlen (title));
    ret->hash = (int64_t) hash;
}

void
print_write_bands (struct buf *out, const struct print *print)
{
    for (size_t i = 0; i < SIMILARITY_BANDS && print->has_bands; i++)
        buf_printf (out, "%c%" PRId64, i ? ',' : '{', print->bands[i]);
    if (print->has_bands)
        buf_add_char (out, '}');
}
