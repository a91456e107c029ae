/* date_words - the words of dates: months in many languages, zones, halves of the day, East Asian
 * units.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_DATE_WORDS_H
#define FEED_DATE_WORDS_H

#include <stddef.h>

enum date_word_kind {
    DATE_WORD_OTHER,
    DATE_WORD_MONTH, /* value: 1 to 12 */
    DATE_WORD_ZONE,  /* value: minutes east of UTC */
    DATE_WORD_AM,
    DATE_WORD_PM,
};

struct date_word {
    enum date_word_kind kind;
    int value;
};

/* Unit signs behind a number, as in 2004年05月28日. */
enum date_unit { DATE_UNIT_NONE, DATE_UNIT_YEAR, DATE_UNIT_MONTH, DATE_UNIT_DAY };

void date_word_find (const char *word, size_t bytes, struct date_word *ret_word);
enum date_unit date_unit_at (const char *text);

#endif
