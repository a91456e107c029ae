/* Sentence borders; article_clean is in clean.c.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/sentence.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

enum {
    SHORT_LINE_BYTES = 50
}; /* a line of hard-wrapped text is longer, unless a paragraph ends in it */

/* A full stop after these ends no sentence (NEVER), or only before a capitalised stop word: "in the
 * U.S. The ..." */
enum abbreviation_end { END_NEVER, END_MAYBE, END_BEFORE_WORD };

static const struct abbreviation {
    const char *text; /* lower case, without the last full stop */
    enum abbreviation_end end;
} abbreviations[] = {
    { "adm", END_NEVER },       { "apr", END_MAYBE },       { "art", END_BEFORE_WORD },
    { "assn", END_MAYBE },      { "aug", END_MAYBE },       { "ave", END_MAYBE },
    { "blvd", END_MAYBE },      { "brig", END_NEVER },      { "bros", END_MAYBE },
    { "capt", END_NEVER },      { "cf", END_NEVER },        { "cmdr", END_NEVER },
    { "co", END_MAYBE },        { "col", END_NEVER },       { "corp", END_MAYBE },
    { "dec", END_MAYBE },       { "dept", END_MAYBE },      { "dr", END_NEVER },
    { "eg", END_NEVER },        { "est", END_MAYBE },       { "etc", END_MAYBE },
    { "feb", END_MAYBE },       { "fig", END_BEFORE_WORD }, { "fr", END_NEVER },
    { "ft", END_MAYBE },        { "gen", END_NEVER },       { "gov", END_NEVER },
    { "hon", END_NEVER },       { "ie", END_NEVER },        { "inc", END_MAYBE },
    { "jan", END_MAYBE },       { "jr", END_MAYBE },        { "jul", END_MAYBE },
    { "jun", END_MAYBE },       { "lt", END_NEVER },        { "ltd", END_MAYBE },
    { "maj", END_NEVER },       { "mr", END_NEVER },        { "mrs", END_NEVER },
    { "ms", END_NEVER },        { "mt", END_NEVER },        { "no", END_BEFORE_WORD },
    { "nos", END_BEFORE_WORD }, { "nov", END_MAYBE },       { "oct", END_MAYBE },
    { "op", END_BEFORE_WORD },  { "ph.d", END_MAYBE },      { "pp", END_BEFORE_WORD },
    { "prof", END_NEVER },      { "rep", END_NEVER },       { "reps", END_NEVER },
    { "rev", END_NEVER },       { "sen", END_NEVER },       { "sens", END_NEVER },
    { "sep", END_MAYBE },       { "sept", END_MAYBE },      { "sgt", END_NEVER },
    { "sr", END_MAYBE },        { "st", END_MAYBE },        { "supt", END_NEVER },
    { "univ", END_MAYBE },      { "vol", END_BEFORE_WORD }, { "vs", END_NEVER },
};

struct cursor {
    const char *text;
    size_t bytes; /* of the block that is split */
};

/* What may end a sentence. */
static bool
point_is_stop (uint32_t point)
{
    switch (point) {
    case '.':
    case '!':
    case '?':
    case 0x2026: /* ... */
    case 0x0589: /* Armenian */
    case 0x061f:
    case 0x06d4: /* Arabic */
    case 0x0964:
    case 0x0965: /* Devanagari */
    case 0x104b: /* Myanmar */
    case 0x1362: /* Ethiopic */
    case 0x17d4: /* Khmer */
    case 0x203c:
    case 0x2047:
    case 0x2048:
    case 0x2049:
        return true;
    default:
        return false;
    }
}

/* Likewise, and no blank need follow. */
static bool
point_is_wide_stop (uint32_t point)
{
    return point == 0x3002 || point == 0xff01 || point == 0xff0e || point == 0xff1f
        || point == 0xff61;
}

static bool
point_is_closer (uint32_t point)
{
    static const uint32_t closers[] = {
        '"', '\'', ')', ']', 0xbb, 0x2019, 0x201d, 0x203a, 0x300d, 0x300f, 0x3011, 0xff09, 0xff63,
    };
    for (size_t i = 0; i < COUNT_OF (closers); i++)
        if (closers[i] == point)
            return true;
    return false;
}

static bool
point_is_blank (uint32_t point)
{
    if (point < 0x80)
        return point == ' ' || (point >= 0x09 && point <= 0x0d);
    return u_isUWhiteSpace ((UChar32) point);
}

/* The code point at `at`, U+FFFD for an illegal byte. Returns its length; 0 at the end. */
static size_t
point_at (const struct cursor *cursor, size_t at, uint32_t *ret_point)
{
    *ret_point = 0xfffd;
    if (at >= cursor->bytes)
        return 0;
    size_t step = utf8_decode (cursor->text + at, cursor->bytes - at, ret_point);
    return step ? step : 1;
}

static size_t
blanks_skip (const struct cursor *cursor, size_t at)
{
    uint32_t point;
    size_t step;
    while ((step = point_at (cursor, at, &point)) && point_is_blank (point))
        at += step;
    return at;
}

static int
abbreviation_compare (const void *key, const void *member)
{
    return strcmp (key, ((const struct abbreviation *) member)->text);
}

/* How the token before the full stop at `stop` bears on it: -1 for no abbreviation. */
static int
abbreviation_find (const struct cursor *cursor, size_t least, size_t stop)
{
    char token[16];
    size_t start = stop, length = 0;
    while (start > least && stop - start < sizeof token) {
        unsigned char c = (unsigned char) cursor->text[start - 1];
        if (c <= ' ' || c == '(' || c == '[' || c == '"' || c == '-' || c == '/' || c >= 0x80)
            break;
        start--;
    }
    length = stop - start;
    if (!length || length >= sizeof token)
        return -1;
    bool dotted = length == 1; /* an initial, or letters with full stops between them */
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char) cursor->text[start + i];
        token[i] = (char) (c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (i % 2 == 1 && c == '.' && length % 2 == 1)
            dotted = true;
        else if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            dotted = false;
    }
    token[length] = '\0';
    for (size_t i = 0; i < length && dotted; i++)
        dotted = i % 2 ? token[i] == '.' : token[i] != '.';
    bool torn = start > least && (unsigned char) cursor->text[start - 1] >= 0x80; /* 31 °C. */
    if (dotted && !torn)
        return !strcmp (token, "e.g") || !strcmp (token, "i.e") ? END_NEVER : END_MAYBE;
    const struct abbreviation *row = bsearch (token, abbreviations, COUNT_OF (abbreviations),
                                              sizeof *abbreviations, abbreviation_compare);
    return row ? (int) row->end : -1;
}

/* Whether what begins at `at` can open a sentence; certain: only if it can hardly be anything else.
 */
static bool
opens_sentence (const struct cursor *cursor, size_t at, bool certain)
{
    uint32_t point;
    size_t step;
    while ((step = point_at (cursor, at, &point)) && !u_isalnum ((UChar32) point)
           && !point_is_blank (point))
        at += step;
    if (!step)
        return true;
    if (u_islower ((UChar32) point))
        return false;
    if (!certain)
        return true;
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, cursor->text + at,
                      MIN_OF (cursor->bytes - at, (size_t) 2 * WORD_MAX_BYTES));
    return u_isupper ((UChar32) point) && word_next (&reader, &word) && word_is_stop (&word);
}

static bool
token_is_number (const struct cursor *cursor, size_t start, size_t stop)
{
    for (size_t i = start; i < stop; i++)
        if (cursor->text[i] < '0' || cursor->text[i] > '9')
            return false;
    return stop > start;
}

/* Whether the full stop at `stop`, followed by a blank and then `next`, ends the sentence begun at
 * `start`. */
static bool
full_stop_ends (const struct cursor *cursor, size_t start, size_t stop, size_t next)
{
    if (token_is_number (cursor, start, stop))
        return false; /* "1. First item" */
    switch (abbreviation_find (cursor, start, stop)) {
    case END_NEVER:
        return false;
    case END_MAYBE:
        return opens_sentence (cursor, next, true);
    case END_BEFORE_WORD:
        return opens_sentence (cursor, next, false)
            && !(cursor->text[next] >= '0' && cursor->text[next] <= '9');
    default:
        return opens_sentence (cursor, next, false);
    }
}

/* Where the sentence that begins at `start` ends; *ret_whole: at a mark that ends sentences. */
static size_t
sentence_end (const struct cursor *cursor, size_t start, bool *ret_whole)
{
    size_t last = start; /* the end of what isn't blank */
    for (size_t at = start; at < cursor->bytes;) {
        uint32_t point, after;
        size_t stop = at, step = point_at (cursor, at, &point);
        at += step;
        last = point_is_blank (point) ? last : at;
        bool wide = point_is_wide_stop (point);
        if (!wide && !point_is_stop (point))
            continue;
        bool lone = point == '.';
        while ((step = point_at (cursor, at, &after))
               && (point_is_stop (after) || point_is_wide_stop (after)))
            at += step, lone = false, wide = wide || point_is_wide_stop (after);
        while ((step = point_at (cursor, at, &after)) && point_is_closer (after))
            at += step;
        size_t next = blanks_skip (cursor, at);
        *ret_whole = true;
        if (next == cursor->bytes || wide)
            return at;
        if (next == at)
            continue;
        if (lone ? full_stop_ends (cursor, start, stop, next)
                 : opens_sentence (cursor, next, false))
            return at;
    }
    *ret_whole = false;
    return last;
}

static bool
sentence_balanced (const char *text, size_t bytes)
{
    int curly = 0, round = 0, straight = 0, corner = 0;
    struct cursor cursor = { text, bytes };
    uint32_t point;
    for (size_t at = 0, step; (step = point_at (&cursor, at, &point)); at += step) {
        curly += (point == 0x201c) - (point == 0x201d);
        round += (point == '(') - (point == ')');
        corner += (point == 0x300c) - (point == 0x300d);
        straight += point == '"';
        if (curly < 0 || round < 0 || corner < 0)
            return false;
    }
    return !curly && !round && !corner && straight % 2 == 0;
}

/* The end of the block that begins at `at`: before a blank line, or after a line too short to be
 * wrapped. */
static size_t
block_end (const char *text, size_t bytes, size_t at)
{
    while (at < bytes) {
        const char *line_end = memchr (text + at, '\n', bytes - at);
        size_t end = line_end ? (size_t) (line_end - text) : bytes;
        if (end - at < SHORT_LINE_BYTES || end == bytes)
            return end;
        size_t next = end + 1;
        while (next < bytes && (text[next] == ' ' || text[next] == '\t' || text[next] == '\r'))
            next++;
        if (next == bytes || text[next] == '\n')
            return end;
        at = end + 1;
    }
    return bytes;
}

size_t
sentence_split (const char *text, size_t bytes, struct sentence **ret_list)
{
    struct sentence *list = NULL;
    size_t count = 0, cap = 0;
    for (size_t block = 0; block < bytes;) {
        struct cursor cursor = { text, block_end (text, bytes, block) };
        size_t at = blanks_skip (&cursor, block);
        for (bool first = true; at < cursor.bytes; first = false) {
            struct sentence found = { .start = at, .opens_paragraph = first };
            found.end = sentence_end (&cursor, at, &found.whole);
            at = blanks_skip (&cursor, found.end);
            found.words = word_count_text (text + found.start, found.end - found.start);
            found.balanced = sentence_balanced (text + found.start, found.end - found.start);
            if (count == cap) {
                cap = cap ? cap * 2 : 32;
                list = mem_grow (list, cap, sizeof *list);
            }
            list[count++] = found;
        }
        block = cursor.bytes + 1;
    }
    *ret_list = list;
    return count;
}
