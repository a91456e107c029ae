/* wordpiece - BERT's tokeniser without case: cleaned, decomposed without accents, in words and signs of punctuation, and these in the
 * longest pieces that the vocabulary has (Wu et al., "Google's Neural Machine Translation System", 2016). Every id as Hugging
 * Face's tokenizers have it ("BertNormalizer", "BertPreTokenizer", "WordPiece").
 * SPDX-License-Identifier: MPL-2.0 */
#include "minilm/impl.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#define WORD_POINTS 100 /* longer ones are unknown */
#define DECOMPOSED_UNITS 32

struct word {
    const struct weights *weights;
    take_fn *take;
    void *context;
    const UNormalizer2 *decomposer;
    size_t points, bytes;
    char text[2 + 4 * WORD_POINTS]; /* behind two signs, which come before what continues a word */
};
#define PREFIX 2

static int
find (const struct weights *weights, const char *text, size_t bytes)
{
    for (size_t slot = num_hash (text, bytes) % SLOTS; weights->slots[slot]; slot = (slot + 1) % SLOTS) {
        size_t id = weights->slots[slot] - 1u;
        const uint32_t *start = &weights->starts[id];
        if (start[1] - start[0] == bytes && memcmp (weights->vocabulary + start[0], text, bytes) == 0)
            return (int) id;
    }
    return -1;
}

/* The longest piece that begins at from; from: of text, past the prefix. Its end, or from if there is none. */
static size_t
piece_end (struct word *word, size_t from, int *ret_id)
{
    char *start = word->text + PREFIX + from;
    size_t prefix = from ? PREFIX : 0, end = word->bytes;
    char kept[PREFIX];
    memcpy (kept, start - PREFIX, PREFIX);
    if (prefix)
        memcpy (start - PREFIX, "##", PREFIX);
    for (*ret_id = -1; end > from; end--)
        if (end == word->bytes || ((unsigned char) word->text[PREFIX + end] & 0xc0) != 0x80) {
            *ret_id = find (word->weights, start - prefix, prefix + end - from);
            if (*ret_id >= 0)
                break;
        }
    memcpy (start - PREFIX, kept, PREFIX);
    return end;
}

static void
word_end (struct word *word)
{
    uint16_t ids[4 * WORD_POINTS];
    size_t count = 0, at = 0;
    bool known = word->points <= WORD_POINTS;
    while (known && at < word->bytes) {
        int id;
        at = piece_end (word, at, &id);
        known = id >= 0;
        ids[count++] = (uint16_t) id;
    }
    if (word->points && !known)
        word->take (word->context, TOKEN_UNKNOWN);
    for (size_t i = 0; known && i < count; i++)
        word->take (word->context, ids[i]);
    word->points = word->bytes = 0;
}

static void
word_add (struct word *word, UChar32 point)
{
    if (word->points++ < WORD_POINTS)
        word->bytes += utf8_encode ((uint32_t) point, word->text + PREFIX + word->bytes);
}

/* Their categories are those of Unicode 8: what came later is of none. */
static bool
has_category (UChar32 point, uint32_t mask)
{
    UVersionInfo age;
    if (!(U_GET_GC_MASK (point) & mask))
        return false;
    u_charAge (point, age);
    return age[0] <= 8;
}

static bool
is_left_out (UChar32 point)
{
    if (point == '\t' || point == '\n' || point == '\r')
        return false;
    return point == 0xfffd || has_category (point, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK);
}

/* Four are something else since. */
static bool
is_mark (UChar32 point)
{
    return point == 0x1734 || (has_category (point, U_GC_MN_MASK) && point != 0x1885 && point != 0x1886 && point != 0xa9bd);
}

static bool
is_punctuation (UChar32 point)
{
    if (point < 128)
        return (point > ' ' && point < '0') || (point > '9' && point < 'A') || (point > 'Z' && point < 'a')
               || (point > 'z' && point < 127);
    return has_category (point, U_GC_P_MASK) || point == 0x166d || point == 0x111c9; /* these two are symbols since */
}

/* Han alone: kana and Hangul are in words. 0x2b920 is theirs. */
static bool
is_ideograph (UChar32 point)
{
    return (point >= 0x4e00 && point <= 0x9fff) || (point >= 0x3400 && point <= 0x4dbf) || (point >= 0x20000 && point <= 0x2a6df)
           || (point >= 0x2a700 && point <= 0x2b81f) || (point >= 0x2b920 && point <= 0x2ceaf)
           || (point >= 0xf900 && point <= 0xfaff) || (point >= 0x2f800 && point <= 0x2fa1f);
}

/* One of the decomposed points. */
static void
add_part (struct word *word, UChar32 point)
{
    if (is_mark (point))
        return;
    point = u_tolower (point);
    bool alone = is_punctuation (point);
    if (alone)
        word_end (word);
    word_add (word, point);
    if (alone)
        word_end (word);
}

static void
add_point (struct word *word, UChar32 point)
{
    UChar units[DECOMPOSED_UNITS];
    UErrorCode error = U_ZERO_ERROR;
    int32_t count = point < 0xc0 ? -1 : unorm2_getDecomposition (word->decomposer, point, units, DECOMPOSED_UNITS, &error);
    bool alone = is_ideograph (point), space = u_isUWhiteSpace (point);
    if (is_left_out (point))
        return;
    if (alone || space)
        word_end (word);
    if (space)
        return;
    if (count < 0 || U_FAILURE (error))
        add_part (word, point);
    for (int32_t i = 0; count > 0 && U_SUCCESS (error) && i < count;) {
        U16_NEXT (units, i, count, point);
        add_part (word, point);
    }
    if (alone)
        word_end (word);
}

/* A mark of the model's that is written in the text: its id and length, or 0. */
static size_t
mark_at (const char *text, size_t bytes, uint16_t *ret_id)
{
    static const struct {
        const char *text;
        uint16_t id;
    } marks[] = { { "[PAD]", 0 }, { "[UNK]", TOKEN_UNKNOWN }, { "[CLS]", TOKEN_FIRST }, { "[SEP]", TOKEN_LAST }, { "[MASK]", 103 } };
    for (size_t i = 0; *text == '[' && i < COUNT_OF (marks); i++) {
        size_t length = strlen (marks[i].text);
        if (length <= bytes && memcmp (text, marks[i].text, length) == 0) {
            *ret_id = marks[i].id;
            return length;
        }
    }
    return 0;
}

void
wordpiece (const struct weights *weights, const char *text, size_t bytes, take_fn *take, void *context)
{
    UErrorCode error = U_ZERO_ERROR;
    struct word word = { .weights = weights, .take = take, .context = context, .decomposer = unorm2_getNFDInstance (&error) };
    while (bytes) {
        uint32_t point = 0xfffd;
        uint16_t id;
        size_t length = mark_at (text, bytes, &id);
        if (length) {
            word_end (&word);
            take (context, id);
        } else {
            length = utf8_decode (text, bytes, &point);
            add_point (&word, length ? (UChar32) point : 0xfffd);
            length = MAX_OF (length, (size_t) 1);
        }
        text += length;
        bytes -= length;
    }
    word_end (&word);
}
