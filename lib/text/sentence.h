/* sentence - where sentences begin and end, and an article's text without what isn't its prose: bylines, time stamps,
 * datelines, "Read more" and the like. ICU's sentence breaks (Unicode Standard Annex 29), and rules and tables of ours
 * made for news; no state, no I/O.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_SENTENCE_H
#define TEXT_SENTENCE_H

#include "base/base.h"

#define SENTENCE_LEAST_WORDS 5 /* fewer are a caption or a heading rather than a sentence */

struct sentence {
    size_t start, end; /* bytes of the text; no white space at either end */
    size_t words;
    bool ends;         /* as sentences do; a heading and a cut text don't */
    bool trails;       /* off into an ellipsis, as the teaser of a text does */
    bool whole;        /* begins and ends as sentences do, and its quotation marks and brackets are closed */
};

/* text: borrowed; any bytes will do. *ret_list: given (free); NULL when there are none. Returns
 * their number. A blank line ends a sentence, and so does a line that was not wrapped. */
size_t sentence_split (const char *text, size_t bytes, struct sentence **ret_list);

/* The paragraphs of an article, a blank line between them, without bylines, time stamps, datelines, bullets, marks of
 * references, and calls to read, scroll or subscribe. May be empty. given (free) */
char *article_clean (const char *text, size_t bytes);

/* Whether a line, trimmed, is a byline, a time stamp, a picture's caption with its credit, or a call to read, scroll or
 * subscribe. */
bool article_line_is_noise (const char *text, size_t bytes);

/* Likewise of a sentence: also one that tells who wrote the text and when, how the site lives or what it does with the
 * reader's data. */
bool article_sentence_is_noise (const char *text, size_t bytes);

#endif
