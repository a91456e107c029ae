/* SPDX-License-Identifier: MPL-2.0 */
#include "text/language.h"

#include <string.h>

#define LEAST_BYTES 20   /* of words. What it says of shorter texts is wrong for one in four */
#define LEAST_PERCENT 50 /* of the text, in its language */

/* CLD2 is C++ without an interface for C. These two functions take and give what C has as well, so they are called by the
 * names that the C++ ABI of Unix systems gives them (Itanium C++ ABI, section 5.1): libcld2.so.0 keeps them.
 *   Language CLD2::ExtDetectLanguageSummary (const char *, int, bool, Language *, int *, int *, bool *)
 *   const char *CLD2::LanguageCode (Language) */
int cld2_detect (const char *text, int bytes, bool is_plain_text, int ret_languages[3], int ret_percents[3],
                 int *ret_word_bytes, bool *ret_is_reliable)
    __asm__ ("_ZN4CLD224ExtDetectLanguageSummaryEPKcibPNS_8LanguageEPiS4_Pb");
const char *cld2_code (int language) __asm__ ("_ZN4CLD212LanguageCodeENS_8LanguageE");

/* What CLD2 calls otherwise than ISO 639 does today, and codes with a script or country. */
static const struct {
    const char *cld2, *iso;
} others[] = { { "iw", "he" }, { "jw", "jv" }, { "zh-Hant", "zh" }, { "sr-ME", "sr" }, { "un", NULL } };

static const char *
iso_code (const char *code)
{
    for (size_t i = 0; i < COUNT_OF (others); i++)
        if (!strcmp (code, others[i].cld2))
            return others[i].iso;
    return strlen (code) <= 3 ? code : NULL; /* "xx-Goth": a script, no language */
}

/* CLD2 wants UTF-8 without control characters, and reads the byte behind it. What is neither becomes a blank. Returns the
 * bytes in out, without the NUL. */
static size_t
clean (const char *text, size_t bytes, char out[LANGUAGE_BYTES + 1])
{
    size_t at = 0;
    while (at < bytes) {
        uint32_t point = 0;
        size_t n = utf8_decode (text + at, bytes - at, &point);
        if (n == 0 || point < ' ' || (point >= 0x7f && point < 0xa0)) {
            n = MAX_OF (n, 1);
            memset (out + at, ' ', n);
        } else {
            memcpy (out + at, text + at, n);
        }
        at += n;
    }
    out[at] = '\0';
    return at;
}

const char *
language_of (const char *text, size_t bytes)
{
    char plain[LANGUAGE_BYTES + 1];
    int languages[3], percents[3], word_bytes;
    bool reliable; /* no better than the two limits: a language that it is not sure of is nearly always right */
    size_t n = clean (text, MIN_OF (bytes, LANGUAGE_BYTES), plain);
    int language = cld2_detect (plain, (int) n, true, languages, percents, &word_bytes, &reliable);
    if (word_bytes < LEAST_BYTES || percents[0] < LEAST_PERCENT)
        return NULL;
    return iso_code (cld2_code (language));
}
