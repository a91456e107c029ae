/* language - which language a text is in, by CLD2 (https://github.com/CLD2Owners/cld2): a naive Bayes classifier over runs
 * of four letters, single ones in Chinese, Japanese and Korean, or the script alone where that tells; with tables for over 80
 * languages that are part of the library. No files, no state; threads may share it.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_LANGUAGE_H
#define TEXT_LANGUAGE_H

#include "base/base.h"

#define LANGUAGE_BYTES 1024 /* what is looked at of a text's beginning: 160 words of English */

/* The code of the language that most of the text is in: ISO 639-1 ("de"), or 639-2 where that has none ("ceb"). NULL if it
 * can't be told: too little text, no words, several languages, or none that is known. Any bytes will do. Borrowed for ever.
 * Takes a tenth of a millisecond; no I/O. */
const char *language_of (const char *text, size_t bytes);

#endif
