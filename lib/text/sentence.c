/* Sentence borders: those of ICU, less the ones behind an abbreviation, before a lower-case word or within a word.
 * article_clean is in clean.c.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/sentence.h"
#include "text/abbreviations.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>

enum {
    WRAP_LEAST_BYTES = 50, /* the widest line of a wrapped paragraph */
    WRAP_MOST_BYTES = 100,
};

struct block {
    const char *text;
    size_t bytes;
};

static bool
point_is_blank (uint32_t point)
{
    if (point < 0x80)
        return point == ' ' || (point >= 0x09 && point <= 0x0d);
    return u_isUWhiteSpace ((UChar32) point);
}

static bool
point_is_closer (uint32_t point)
{
    uint32_t kind = U_GET_GC_MASK ((UChar32) point);
    return point == '"' || point == '\'' || (kind & (U_GC_PE_MASK | U_GC_PI_MASK | U_GC_PF_MASK));
}

static bool
point_is_stop (uint32_t point)
{
    return point < 0x80 ? point == '.' || point == '!' || point == '?'
                        : u_hasBinaryProperty ((UChar32) point, UCHAR_S_TERM);
}

/* Thai and Lao have no mark that ends a sentence: their paragraphs stand for it. */
static bool
point_ends_unmarked (uint32_t point)
{
    return point >= 0x0e00 && point <= 0x0eff;
}

/* The code point at `at`, U+FFFD for an illegal byte. Returns its length; 0 at the end. */
static size_t
point_at (const struct block *block, size_t at, uint32_t *ret_point)
{
    *ret_point = 0xfffd;
    if (at >= block->bytes)
        return 0;
    size_t step = utf8_decode (block->text + at, block->bytes - at, ret_point);
    return step ? step : 1;
}

/* The code point that ends at `at`. Returns its length; 0 if that is not behind `least`. */
static size_t
point_before (const struct block *block, size_t least, size_t at, uint32_t *ret_point)
{
    *ret_point = 0xfffd;
    if (at <= least)
        return 0;
    size_t start = at - 1;
    while (start > least && at - start < 4 && ((unsigned char) block->text[start] & 0xc0) == 0x80)
        start--;
    size_t step = utf8_decode (block->text + start, at - start, ret_point);
    if (step == at - start)
        return step;
    *ret_point = 0xfffd;
    return 1;
}

static size_t
blanks_skip (const struct block *block, size_t at)
{
    uint32_t point;
    size_t step;
    while ((step = point_at (block, at, &point)) && point_is_blank (point))
        at += step;
    return at;
}

static size_t
blanks_trim (const struct block *block, size_t least, size_t at)
{
    uint32_t point;
    size_t step;
    while ((step = point_before (block, least, at, &point)) && point_is_blank (point))
        at -= step;
    return at;
}

static size_t
closers_trim (const struct block *block, size_t least, size_t at)
{
    uint32_t point;
    size_t step;
    while ((step = point_before (block, least, at, &point)) && point_is_closer (point))
        at -= step;
    return at;
}

static int
abbreviation_compare (const void *key, const void *member)
{
    return strcmp (key, ((const struct abbreviation *) member)->text);
}

/* Reads the letters, and full stops between them, before the full stop at `stop`, in lower case. False if there are
 * none or too many. *ret_dotted: an initial, or single letters with full stops between them. *ret_title: begins with a
 * capital. */
static bool
token_read (const struct block *block, size_t least, size_t stop, char token[ABBREVIATION_SIZE], bool *ret_dotted,
            bool *ret_title)
{
    size_t start = stop, length = 0, step;
    uint32_t point;
    while ((step = point_before (block, least, start, &point)) && (u_isalpha ((UChar32) point) || point == '.')) {
        start -= step;
        if (stop - start >= ABBREVIATION_SIZE)
            return false;
    }
    bool letter_next = true;
    *ret_dotted = step == 0 || !(U_GET_GC_MASK ((UChar32) point) & U_GC_S_MASK); /* 31 °C. */
    for (size_t at = start; at < stop; letter_next = !letter_next) {
        char code[4];
        at += point_at (block, at, &point);
        *ret_title = length ? *ret_title : u_isupper ((UChar32) point) != 0;
        *ret_dotted = *ret_dotted && letter_next == (point != '.');
        size_t bytes = utf8_encode ((uint32_t) u_tolower ((UChar32) point), code);
        if (length + bytes >= ABBREVIATION_SIZE)
            return false;
        memcpy (token + length, code, bytes);
        length += bytes;
    }
    token[length] = '\0';
    *ret_dotted = *ret_dotted && !letter_next;
    return length > 0;
}

/* Whether two capitals stand before the full stop: "the ID. Buzz". */
static bool
is_capital_pair (const struct block *block, size_t least, size_t stop)
{
    uint32_t point;
    size_t start = stop, letters = 0;
    for (size_t step; (step = point_before (block, least, start, &point)) && u_isupper ((UChar32) point); start -= step)
        letters++;
    return letters == 2 && (start == least || !u_isalnum ((UChar32) point));
}

/* Whether one or two digits stand before the full stop: "am 3. Oktober". */
static bool
is_ordinal (const struct block *block, size_t least, size_t stop)
{
    size_t start = stop;
    while (start > least && block->text[start - 1] >= '0' && block->text[start - 1] <= '9')
        start--;
    uint32_t point;
    bool alone = !point_before (block, least, start, &point) || point_is_blank (point) || point_is_closer (point)
                 || point == '(';
    return alone && stop - start >= 1 && stop - start <= 2;
}

/* How what stands before the full stop at `stop` bears on it. */
static enum abbreviation_end
abbreviation_find (const struct block *block, size_t least, size_t stop)
{
    char token[ABBREVIATION_SIZE];
    bool dotted, title = false;
    if (is_ordinal (block, least, stop) || is_capital_pair (block, least, stop))
        return END_MAYBE;
    if (!token_read (block, least, stop, token, &dotted, &title))
        return END_ALWAYS;
    const struct abbreviation *row =
        bsearch (token, abbreviations, COUNT_OF (abbreviations), sizeof *abbreviations, abbreviation_compare);
    if (row)
        return row->end != END_NEVER_TITLE ? row->end : title ? END_NEVER : END_ALWAYS;
    return dotted ? END_MAYBE : END_ALWAYS;
}

/* The first letter or digit of the word at `at`, behind quotation marks and the like; 0 if there is none. */
static uint32_t
word_opening (const struct block *block, size_t *at)
{
    uint32_t point;
    size_t step;
    while ((step = point_at (block, *at, &point)) && !u_isalnum ((UChar32) point) && !point_is_blank (point))
        *at += step;
    return step && !point_is_blank (point) ? point : 0;
}

/* Whether a lower-case word stands at `at`, and not a name: iPhone, eBay. */
static bool
opens_lower (const struct block *block, size_t at)
{
    uint32_t point = word_opening (block, &at);
    if (!point || !u_islower ((UChar32) point))
        return false;
    for (size_t step; (step = point_at (block, at, &point)) && u_isalpha ((UChar32) point); at += step)
        if (u_isupper ((UChar32) point))
            return false;
    return true;
}

/* Whether what stands at `at` can hardly go on a sentence: "The", and not "Senate". */
static bool
opens_surely (const struct block *block, size_t at)
{
    struct word_reader reader;
    struct word word;
    uint32_t point = word_opening (block, &at);
    word_reader_init (&reader, block->text + at, MIN_OF (block->bytes - at, (size_t) 2 * WORD_MAX_BYTES));
    return point && u_isupper ((UChar32) point) && word_next (&reader, &word) && word_is_stop (&word);
}

/* Whether the full stop at `stop` ends the sentence that begins at `start`; `next`: what follows. */
static bool
full_stop_ends (const struct block *block, size_t start, size_t stop, size_t next)
{
    switch (abbreviation_find (block, start, stop)) {
    case END_NEVER:
        return false;
    case END_MAYBE:
        return opens_surely (block, next);
    case END_BEFORE_WORD:
        return !(block->text[next] >= '0' && block->text[next] <= '9');
    default:
        return true;
    }
}

/* Whether the sentence that begins at `start` ends at `end`, where ICU has a border and `next` follows. */
static bool
border_stands (const struct block *block, size_t start, size_t end, size_t next)
{
    uint32_t point, follows, before;
    size_t behind = closers_trim (block, start, end), step = point_before (block, start, behind, &point);
    if (!step || !(point_is_stop (point) || point == 0x2026))
        return false; /* the end of a line */
    if (next == end && point < 0x80)
        return false;
    point_at (block, next, &follows);
    if (next == end && behind < end && follows >= 0x3041 && follows <= 0x309f)
        return false; /* Japanese: 「 ... 。」と */
    if (opens_lower (block, next))
        return false;
    if (point != '.' || (point_before (block, start, behind - 1, &before) && point_is_stop (before)))
        return true;
    return full_stop_ends (block, start, behind - 1, next);
}

/* Whether every quotation mark and bracket is closed. German opens with U+201E and closes with U+201C, Swedish opens
 * with what closes. */
static bool
text_is_balanced (const struct block *block, size_t start, size_t end)
{
    int curly = 0, low = 0, same = 0, round = 0, square = 0, corner = 0, angle = 0, straight = 0;
    uint32_t point;
    for (size_t at = start; at < end; at += point_at (block, at, &point)) {
        point_at (block, at, &point);
        if (low && (point == 0x201c || point == 0x201d))
            low--;
        else if (point == 0x201d && !curly)
            same++;
        else
            curly += (point == 0x201c) - (point == 0x201d);
        low += point == 0x201e;
        round += (point == '(' || point == 0xff08) - (point == ')' || point == 0xff09);
        square += (point == '[') - (point == ']');
        corner += (point == 0x300c || point == 0x300e) - (point == 0x300d || point == 0x300f);
        angle += (point == 0xab) - (point == 0xbb);
        straight += point == '"';
        if (round < 0 || square < 0 || corner < 0)
            return false;
    }
    return !curly && !low && !round && !square && !corner && !angle && same % 2 == 0 && straight % 2 == 0;
}

/* Whether a sentence may begin as this one does: not in the middle of one. */
static bool
text_begins (const struct block *block, size_t start)
{
    uint32_t point;
    point_at (block, start, &point);
    bool torn = point == 0x2026 || (point < 0x80 && strchr (".,;:!?)]}%&/\\|<>=", (int) point));
    return !torn && !opens_lower (block, start);
}

static bool
text_trails (const struct block *block, size_t start, size_t end)
{
    uint32_t point, before;
    size_t behind = closers_trim (block, start, end), step = point_before (block, start, behind, &point);
    size_t gap = blanks_trim (block, start, behind - step);
    return point == 0x2026
           || (point == '.' && point_before (block, start, gap, &before) && (before == '.' || before == 0x2026));
}

static bool
text_ends (const struct block *block, size_t start, size_t end, bool ends_block)
{
    uint32_t point;
    size_t behind = closers_trim (block, start, end);
    if (!point_before (block, start, behind, &point) || text_trails (block, start, end))
        return false;
    return point_is_stop (point) || (ends_block && point_ends_unmarked (point));
}

struct list {
    struct sentence *rows;
    size_t count, cap;
};

static void
sentence_add (struct list *list, const struct block *block, size_t offset, size_t start, size_t end, bool ends_block)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 32;
        list->rows = mem_grow (list->rows, list->cap, sizeof *list->rows);
    }
    bool ends = text_ends (block, start, end, ends_block);
    list->rows[list->count++] = (struct sentence){
        .start = offset + start,
        .end = offset + end,
        .words = word_count_text (block->text + start, end - start),
        .ends = ends,
        .trails = text_trails (block, start, end),
        .whole = ends && text_begins (block, start) && text_is_balanced (block, start, end),
    };
}

static void
block_split (struct list *list, UBreakIterator *breaks, const struct block *block, size_t offset)
{
    UErrorCode error = U_ZERO_ERROR;
    UText text = UTEXT_INITIALIZER;
    utext_openUTF8 (&text, block->text, (int64_t) block->bytes, &error);
    ubrk_setUText (breaks, &text, &error);
    size_t start = blanks_skip (block, 0), last = blanks_trim (block, start, block->bytes);
    for (int32_t border; U_SUCCESS (error) && start < last && (border = ubrk_next (breaks)) != UBRK_DONE;) {
        size_t end = blanks_trim (block, start, (size_t) border), next = blanks_skip (block, (size_t) border);
        if (end > start && end < last && border_stands (block, start, end, next)) {
            sentence_add (list, block, offset, start, end, false);
            start = next;
        }
    }
    if (start < last)
        sentence_add (list, block, offset, start, last, true);
    utext_close (&text);
}

/* ---- blocks: what no sentence reaches across ---- */

struct paragraph {
    size_t end;
    size_t width; /* of its widest line, in bytes */
};

static size_t
line_end (const char *text, size_t bytes, size_t at)
{
    const char *end = memchr (text + at, '\n', bytes - at);
    return end ? (size_t) (end - text) : bytes;
}

static struct paragraph
paragraph_measure (const char *text, size_t bytes, size_t at)
{
    struct paragraph self = { .end = at };
    while (self.end < bytes) {
        size_t end = line_end (text, bytes, self.end);
        struct block line = { text + self.end, end - self.end };
        if (blanks_skip (&line, 0) == line.bytes)
            break;
        self.width = MAX_OF (self.width, line.bytes);
        self.end = end + (end < bytes);
    }
    return self;
}

/* Whether the line [start, end) goes on in the one behind it: no sentence ends here, and that begins in lower case; or
 * its first word had no room here. */
static bool
line_goes_on (const char *text, const struct paragraph *paragraph, size_t start, size_t end)
{
    struct block line = { text + start, end - start }, rest = { text + end, paragraph->end - end };
    size_t last = blanks_trim (&line, 0, line.bytes), next = blanks_skip (&rest, 0), word = next;
    if (opens_lower (&rest, next) && !text_ends (&line, 0, last, false))
        return true;
    while (word < rest.bytes && (unsigned char) rest.text[word] > ' ')
        word++;
    return paragraph->width >= WRAP_LEAST_BYTES && paragraph->width <= WRAP_MOST_BYTES
           && end - start + 1 + (word - next) > paragraph->width;
}

static size_t
block_end (const char *text, const struct paragraph *paragraph, size_t at)
{
    for (;;) {
        size_t end = line_end (text, paragraph->end, at);
        if (end + 1 >= paragraph->end || !line_goes_on (text, paragraph, at, end))
            return end;
        at = end + 1;
    }
}

size_t
sentence_split (const char *text, size_t bytes, struct sentence **ret_list)
{
    UErrorCode error = U_ZERO_ERROR;
    UBreakIterator *breaks = ubrk_open (UBRK_SENTENCE, "", NULL, 0, &error);
    struct list list = { 0 };
    struct paragraph paragraph = { 0 };
    for (size_t at = 0; at < bytes;) {
        if (at >= paragraph.end)
            paragraph = paragraph_measure (text, bytes, at);
        size_t end = at < paragraph.end ? block_end (text, &paragraph, at) : line_end (text, bytes, at);
        block_split (&list, breaks, &(struct block){ text + at, end - at }, at);
        at = end + 1;
    }
    ubrk_close (breaks);
    *ret_list = list.rows;
    return list.count;
}
