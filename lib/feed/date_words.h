/* date_words - the words of dates: months in many languages, zones, halves of the day, East Asian
 * units.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_DATE_WORDS_H
#define FEED_DATE_WORDS_H

#include <stddef.h>

enum date_word_kind {
    DATE_WORD_OTHER,
    DATE_WORD_MONTH, /* value: 1 to 12 */
    DATE_WORD_MONTH_OR_DAY, /* likewise, though it may be a day of the week: "mar." */
    DATE_WORD_ZONE,  /* value: minutes east of UTC */
    DATE_WORD_AM,
    DATE_WORD_PM,
    DATE_WORD_NOON,
    DATE_WORD_MIDNIGHT,
};

struct date_word {
    enum date_word_kind kind;
    int value;
};

/* Unit signs behind a number, as in 2004年05月28日 or 14h30. */
enum date_unit {
    DATE_UNIT_NONE,
    DATE_UNIT_YEAR,
    DATE_UNIT_MONTH,
    DATE_UNIT_DAY,
    DATE_UNIT_HOUR,
    DATE_UNIT_MINUTE,
    DATE_UNIT_SECOND,
};

void date_word_find (const char *word, size_t bytes, struct date_word *ret_word);
enum date_unit date_unit_at (const char *text);

#endif
