/* SPDX-License-Identifier: MPL-2.0 */
#include "text/words.h"

#include "text/stem_weights.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

/* Sorted; apostrophes left out, as word_next leaves them out. */
static const char *const stop_words[] = {
    "a", "about", "above", "after", "again", "against", "all", "almost", "also", "although",
    "always", "am", "among", "an", "and", "another", "any", "anything", "are", "arent", "around",
    "as", "at", "away", "back", "be", "became", "because", "become", "been", "before", "being",
    "below", "between", "both", "but", "by", "came", "can", "cannot", "cant", "come", "could",
    "couldnt", "d", "did", "didnt", "do", "does", "doesnt", "doing", "done", "dont", "down",
    "during", "each", "either", "else", "even", "ever", "every", "few", "for", "from", "further",
    "get", "gets", "getting", "go", "goes", "going", "got", "had", "hadnt", "has", "hasnt", "have",
    "havent", "having", "he", "hed", "her", "here", "hers", "herself", "him", "himself", "his",
    "how", "however", "i", "if", "im", "in", "instead", "into", "is", "isnt", "it", "itd", "itll",
    "its", "itself", "ive", "just", "let", "like", "ll", "m", "made", "make", "many", "may", "me",
    "might", "mine", "more", "most", "much", "must", "my", "myself", "near", "neither", "never",
    "no", "nor", "not", "now", "of", "off", "often", "on", "once", "one", "only", "onto", "or",
    "other", "others", "our", "ours", "ourselves", "out", "over", "own", "per", "put", "quite",
    "rather", "re", "really", "s", "said", "same", "say", "says", "shall", "she", "should",
    "shouldnt", "since", "so", "some", "something", "still", "such", "t", "take", "than", "that",
    "thatll", "thats", "the", "their", "theirs", "them", "themselves", "then", "there", "these",
    "they", "theyd", "theyll", "theyre", "theyve", "thing", "things", "this", "those", "though",
    "through", "thus", "to", "too", "toward", "towards", "under", "until", "up", "upon", "very",
    "via", "was", "wasnt", "way", "we", "well", "went", "were", "werent", "weve", "what",
    "whatever", "when", "where", "whether", "which", "while", "who", "whom", "whose", "why", "will",
    "with", "within", "without", "wont", "would", "wouldnt", "yet", "you", "youd", "youll", "your",
    "youre", "yours", "yourself", "yourselves", "youve",
};

/* First and last code points of scripts written without spaces between words. */
static const struct point_range {
    uint32_t first, last;
} spaceless[] = {
    { 0x0e00, 0x0eff },   /* Thai, Lao */
    { 0x1000, 0x109f },   /* Myanmar */
    { 0x1780, 0x17ff },   /* Khmer */
    { 0x3005, 0x3007 },   { 0x3040, 0x30ff },   { 0x31f0, 0x31ff },
    { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },
    { 0xff66, 0xff9d },   { 0x20000, 0x3ffff }, /* Han and kana */
};

struct stemmer {
    struct sb_stemmer *snowball;
};

static bool
point_is_spaceless (uint32_t point)
{
    if (point < spaceless[0].first)
        return false;
    for (size_t i = 0; i < COUNT_OF (spaceless); i++)
        if (point >= spaceless[i].first && point <= spaceless[i].last)
            return true;
    return false;
}

static bool
point_is_word (uint32_t point)
{
    if (point < 0x80)
        return (point >= '0' && point <= '9') || ((point | 0x20) >= 'a' && (point | 0x20) <= 'z');
    return (U_GET_GC_MASK ((UChar32) point) & (U_GC_L_MASK | U_GC_ND_MASK | U_GC_M_MASK)) != 0;
}

static bool
point_is_digit (uint32_t point)
{
    return point >= '0' && point <= '9';
}

static uint32_t
point_fold (uint32_t point)
{
    if (point < 0x80)
        return point >= 'A' && point <= 'Z' ? point | 0x20 : point;
    if (point >= 0xff01 && point <= 0xff5e) /* full-width ASCII */
        return point_fold (point - 0xfee0);
    return (uint32_t) u_tolower ((UChar32) point);
}

/* The code point at `at`; bytes that are no UTF-8 count as a blank. */
static size_t
point_read (const struct word_reader *reader, size_t at, uint32_t *ret_point)
{
    size_t step =
        at < reader->bytes ? utf8_decode (reader->text + at, reader->bytes - at, ret_point) : 0;
    if (step)
        return step;
    *ret_point = ' ';
    return at < reader->bytes;
}

static void
word_append (struct word *word, uint32_t point)
{
    char code[4];
    size_t length = utf8_encode (point, code);
    if (word->bytes + length > WORD_MAX_BYTES)
        return;
    memcpy (word->text + word->bytes, code, length);
    word->bytes += length;
    word->text[word->bytes] = '\0';
}

/* Whether a mark between two code points of a word belongs to it: didn't, 1,400, 3.5, U.S. */
static bool
mark_joins (uint32_t before, uint32_t mark, uint32_t after, bool single)
{
    if (!point_is_word (after) || point_is_spaceless (after))
        return false;
    if (mark == '\'' || mark == 0x2019)
        return !point_is_digit (before);
    if (mark == ',')
        return point_is_digit (before) && point_is_digit (after);
    if (mark == '.')
        return (point_is_digit (before) && point_is_digit (after))
            || (single && !point_is_digit (after));
    return mark == 0xad; /* soft hyphen */
}

/* Reads a word of a script with spaces; the reader stands on its first code point. */
static void
word_read (struct word_reader *reader, struct word *word)
{
    uint32_t before = 0;
    size_t since_mark = 0;
    bool possessive = false; /* the last mark was an apostrophe */
    for (;;) {
        uint32_t point, after;
        size_t step = point_read (reader, reader->at, &point);
        if (step && point_is_word (point) && !point_is_spaceless (point)) {
            word_append (word, point_fold (point));
            before = point;
            since_mark++;
            reader->at += step;
            continue;
        }
        point_read (reader, reader->at + step, &after);
        if (!step || !mark_joins (before, point, after, since_mark == 1))
            break;
        possessive = point == '\'' || point == 0x2019;
        if (point == '.' && point_is_digit (before))
            word_append (word, '.');
        since_mark = 0;
        reader->at += step;
    }
    if (possessive && since_mark == 1 && word->bytes > 1 && word->text[word->bytes - 1] == 's')
        word->text[--word->bytes] = '\0';
}

void
word_reader_init (struct word_reader *reader, const char *text, size_t bytes)
{
    *reader = (struct word_reader){ .text = text, .bytes = bytes };
}

bool
word_next (struct word_reader *reader, struct word *ret_word)
{
    ret_word->bytes = 0;
    ret_word->gram = false;
    ret_word->text[0] = '\0';
    while (reader->at < reader->bytes) {
        uint32_t point, after;
        size_t step = point_read (reader, reader->at, &point);
        bool is_spaceless = point_is_spaceless (point);
        if (!point_is_word (point)) {
            reader->before = 0;
            reader->at += step;
            continue;
        }
        if (!is_spaceless) {
            reader->before = 0;
            word_read (reader, ret_word);
            return true;
        }
        point_read (reader, reader->at + step, &after);
        bool pair = point_is_word (after) && point_is_spaceless (after);
        bool alone = !pair && !reader->before;
        reader->before = point;
        reader->at += step;
        if (!pair && !alone)
            continue; /* the last of a run: the pair before holds it */
        ret_word->gram = true;
        word_append (ret_word, point);
        if (pair)
            word_append (ret_word, after);
        return true;
    }
    return false;
}

size_t
word_count_most (const char *text, size_t bytes, size_t most)
{
    struct word_reader reader;
    struct word word;
    size_t words = 0, grams = 0;
    word_reader_init (&reader, text, bytes);
    while (words + (grams + 1) / 2 < most && word_next (&reader, &word))
        word.gram ? grams++ : words++;
    return words + (grams + 1) / 2;
}

size_t
word_count_text (const char *text, size_t bytes)
{
    return word_count_most (text, bytes, SIZE_MAX);
}

static int
stop_compare (const void *key, const void *member)
{
    return strcmp (key, *(const char *const *) member);
}

bool
word_is_stop (const struct word *word)
{
    return !word->gram
        && bsearch (word->text, stop_words, COUNT_OF (stop_words), sizeof *stop_words,
                    stop_compare);
}

struct stemmer *
stemmer_new (void)
{
    struct stemmer *stemmer = MEM_NEW (struct stemmer);
    stemmer->snowball = sb_stemmer_new ("english", "UTF_8");
    return stemmer;
}

void
stemmer_destroy (struct stemmer **stemmer)
{
    if (!*stemmer)
        return;
    if ((*stemmer)->snowball)
        sb_stemmer_delete ((*stemmer)->snowball);
    free (*stemmer);
    *stemmer = NULL;
}

void
stemmer_apply (struct stemmer *stemmer, struct word *word)
{
    if (!stemmer->snowball || word->gram)
        return;
    const sb_symbol *stem
        = sb_stemmer_stem (stemmer->snowball, (const sb_symbol *) word->text, (int) word->bytes);
    int length = stem ? sb_stemmer_length (stemmer->snowball) : 0;
    if (length <= 0 || length > WORD_MAX_BYTES)
        return;
    memcpy (word->text, stem, (size_t) length);
    word->bytes = (size_t) length;
    word->text[length] = '\0';
}

static int
weight_compare (const void *key, const void *member)
{
    return strcmp (key, ((const struct stem_weight_row *) member)->stem);
}

float
stem_weight (const struct word *stem)
{
    const struct stem_weight_row *row =
        bsearch (stem->text, stem_weight_rows, COUNT_OF (stem_weight_rows),
                 sizeof *stem_weight_rows, weight_compare);
    return row ? (float) row->percent / 100 : 1.0f;
}
