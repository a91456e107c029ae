/* mojibake - text that was encoded to UTF-8 twice.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TEXT_MOJIBAKE_H
#define TEXT_MOJIBAKE_H

#include "base/base.h"

/* Undoes, in place, what happens to UTF-8 that is taken for windows-1252 and encoded to UTF-8 once more: "â€œgrÃ¼n" is
 * “grün“. Text stays as it is unless there are pairs or triples that occur in no language, and next to nothing besides
 * that is not ASCII. text: valid UTF-8, NUL-terminated; gets
 * shorter. Whether it was changed. The table is that of the WHATWG Encoding Standard (encoding.spec.whatwg.org). */
bool mojibake_repair (char *text);

#endif
