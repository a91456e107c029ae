/* sentence - where sentences begin and end, and an article's text without what isn't its prose:
 * bylines, time stamps, datelines, "Read more" and the like. Rules and tables of ours, made for
 * news; no state, no I/O. SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_SENTENCE_H
#define TEXT_SENTENCE_H

#include "base/base.h"

#define SENTENCE_LEAST_WORDS 5 /* fewer are a caption or a heading rather than a sentence */

struct sentence {
    size_t start, end;    /* bytes of the text; no white space at either end */
    size_t words;
    bool whole;           /* ends as sentences do; a heading or a cut text doesn't */
    bool balanced;        /* its quotation marks and brackets are all closed */
    bool opens_paragraph;
};

/* text: borrowed; any bytes will do. *ret_list: given (free); NULL when there are none. Returns
 * their number. A blank line ends a sentence, and so does a line too short to be a wrapped one. */
size_t sentence_split (const char *text, size_t bytes, struct sentence **ret_list);

/* The paragraphs of an article, a blank line between them, without bylines, time stamps, datelines
 * and calls to read, scroll or subscribe. May be empty. given (free) */
char *article_clean (const char *text, size_t bytes);

/* Whether a line, trimmed, is a byline, a time stamp, or a call to read, scroll or subscribe. */
bool article_line_is_noise (const char *text, size_t bytes);

/* The article's text for ranking: cleaned, and only the sentences of at least SENTENCE_LEAST_WORDS
 * words. *ret_clean: given (free), the text the sentences point into. */
size_t article_sentences (const char *text, size_t bytes, char **ret_clean,
                          struct sentence **ret_list);

#endif
