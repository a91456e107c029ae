/* words - the words of a text as ranking and search see them: lower-cased, without punctuation,
 * possessive and apostrophes; stop words, stems, and how much a stem says. Unicode's properties
 * come from ICU's code, not from its data file, so that an idle process stays small.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_WORDS_H
#define TEXT_WORDS_H

#include "base/base.h"

#define WORD_MAX_BYTES 64 /* of one word; the rest of a longer one is left out */

struct word {
    char text[WORD_MAX_BYTES + 1];
    size_t bytes;
    bool gram; /* two neighbours (or a lone one) of a script written without spaces */
};

struct word_reader {
    const char *text; /* borrowed while reading */
    size_t bytes, at;
    uint32_t before; /* the code point before `at` if it belongs to a run without spaces, else 0 */
};

void word_reader_init (struct word_reader *reader, const char *text, size_t bytes);
/* The next word, or false at the end. Any bytes will do: those that are no UTF-8 separate words. */
bool word_next (struct word_reader *reader, struct word *ret_word);
/* Words of text as a reader counts them: two grams make a word. */
size_t word_count_text (const char *text, size_t bytes);
/* The same, counting no further than `most`. */
size_t word_count_most (const char *text, size_t bytes, size_t most);

/* word: as word_next gives it. */
bool word_is_stop (const struct word *word);

/* English stems (Porter2); words of other languages come back nearly as they were. */
struct stemmer;
struct stemmer *stemmer_new (void);
void stemmer_destroy (struct stemmer **stemmer);
/* Puts the stem in the word's place. Grams stay. */
void stemmer_apply (struct stemmer *stemmer, struct word *word);

/* What a stem tells about a text, from 0 (in every article) to 1 (rare): a fixed inverse document
 * frequency. */
float stem_weight (const struct word *stem);

#endif
