/* article_clean: an article line by line, without the lines that aren't prose and without datelines.
 * A line is dropped for what all of it is (a byline, a time stamp, a call to read on); doubt keeps it. A sentence is
 * easier to miss, so less is asked of one that is noise.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/noise_words.h"
#include "text/sentence.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>

enum {
    BYLINE_MOST_WORDS = 12,
    STAMP_MOST_WORDS = 24,
    STAMP_REACH = 60, /* bytes to its first digit */
    CALL_MOST_WORDS = 14,
    CAPTION_MOST_WORDS = 60,
    LABEL_MOST_BYTES = 30,
    DATELINE_MOST_BYTES = 90,
    EARLY_LINES = 3,       /* in which less tells a dateline */
    DATELINE_PARTS = 3,    /* "Nov 3 (Reuters) - LONDON - " */
    MARK_MOST_BYTES = 60,  /* [an agency], before the text or behind what it vouches for */
    PLAIN_MOST_WORDS = 64, /* of a sentence, compared with phrases */
    SELF_NAME_WITHIN = 2,  /* words: "this guest post" */
    SELF_MOST_WORDS = 9,
    TRADE_MOST_WORDS = 8,
};

struct line {
    const char *text;
    size_t bytes;
};

/* What opens a byline or a credit. full: the words that follow needn't be names. */
static const struct opening {
    const char *text;
    bool full;
} byline_openings[] = {
    { "by ", false },
    { "von ", false },
    { "par ", false },
    { "por ", false },
    { "door ", false },
    { "written by ", false },
    { "reporting by ", true },
    { "reported by ", false },
    { "edited by ", false },
    { "editing by ", true },
    { "story by ", false },
    { "words by ", false },
    { "photo by ", true },
    { "photos by ", true },
    { "additional reporting by ", true },
    { "photography by ", true },
    { "from our correspondent", true },
    { "posted by ", false },
};

static int
text_compare (const void *key, const void *member)
{
    return strcmp (key, *(const char *const *) member);
}

static bool
line_opens (const struct line *line, const char *opening)
{
    size_t length = strlen (opening);
    return line->bytes >= length && !strncasecmp (line->text, opening, length);
}

static bool
line_ends_in_stop (const struct line *line)
{
    return line->bytes && strchr (".!?", line->text[line->bytes - 1]);
}

/* The code point at `at`; 0 at the end, U+FFFD for an illegal byte. */
static uint32_t
line_point (const struct line *line, size_t at)
{
    uint32_t point = 0;
    if (at < line->bytes && !utf8_decode (line->text + at, line->bytes - at, &point))
        point = 0xfffd;
    return point;
}

static void
line_skip (struct line *line, size_t bytes)
{
    line->text += bytes;
    line->bytes -= bytes;
    while (line->bytes && (unsigned char) line->text[0] <= ' ')
        line->text++, line->bytes--;
}

/* The next run of bytes between blanks at or after *at; false at the end. */
static bool
token_next (const struct line *line, size_t *at, struct line *ret_token)
{
    while (*at < line->bytes && (unsigned char) line->text[*at] <= ' ')
        ++*at;
    size_t start = *at;
    while (*at < line->bytes && (unsigned char) line->text[*at] > ' ')
        ++*at;
    *ret_token = (struct line){ line->text + start, *at - start };
    return *at > start;
}

/* ---- phrases: a line's words in lower case, each with a blank before and behind it ---- */

static void
plain_read (struct buf *plain, const struct line *line)
{
    struct word_reader reader;
    struct word word;
    buf_clear (plain);
    buf_add_char (plain, ' ');
    word_reader_init (&reader, line->text, line->bytes);
    for (size_t words = 0; words < PLAIN_MOST_WORDS && word_next (&reader, &word); words++) {
        buf_add (plain, word.text, word.bytes);
        buf_add_char (plain, ' ');
    }
}

/* Bytes of the phrase and the blanks around it if it stands at `at`, a blank, else 0. */
static size_t
phrase_at (const char *at, const char *phrase)
{
    if (at[1] != phrase[0])
        return 0;
    size_t length = strlen (phrase);
    return !strncmp (at + 1, phrase, length) && at[1 + length] == ' ' ? length + 2 : 0;
}

/* Whether the text at `at` begins with one of the phrases; *ret_after: the blank behind it. */
static bool
phrase_opens (const char *at, const char *const *phrases, size_t count, const char **ret_after)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = phrase_at (at, phrases[i]);
        if (length) {
            *ret_after = at + length - 1;
            return true;
        }
    }
    return false;
}

/* Whether one of the phrases stands within the first `words` words of the text at `at`. */
static bool
phrase_within (const char *at, const char *const *phrases, size_t count, size_t words)
{
    const char *after;
    for (; at && at[1] && words; at = strchr (at + 1, ' '), words--)
        if (phrase_opens (at, phrases, count, &after))
            return true;
    return false;
}

/* ---- bylines ---- */

/* Whether a name could hold the token: Jane, O'Brien, J., van, and, |. */
static bool
token_is_name (const struct line *token)
{
    static const char *const particles[] = { "and", "al",  "de", "del", "der", "di",  "e",    "et", "in",
                                             "la",  "och", "og", "und", "van", "von", "with", "y" };
    for (size_t i = 0; i < COUNT_OF (particles); i++)
        if (token->bytes == strlen (particles[i]) && !memcmp (token->text, particles[i], token->bytes))
            return true;
    uint32_t point = line_point (token, 0);
    return point != 0xfffd && !u_islower ((UChar32) point);
}

static bool
line_is_byline (const struct line *line)
{
    struct line token;
    size_t at = 0, words = 0;
    while (token_next (line, &at, &token))
        words++;
    if (words > BYLINE_MOST_WORDS || words < 2)
        return false;
    for (size_t i = 0; i < COUNT_OF (byline_openings); i++) {
        const struct opening *row = &byline_openings[i];
        if (!line_opens (line, row->text))
            continue;
        if (row->full)
            return true;
        struct line rest = { line->text + strlen (row->text), line->bytes - strlen (row->text) };
        bool names = true;
        for (at = 0; token_next (&rest, &at, &token);)
            names = names && token_is_name (&token);
        return names && (!line_ends_in_stop (line) || words <= 4);
    }
    return false;
}

/* ---- time stamps ---- */

static bool
word_is_stamp (const struct word *word)
{
    static const char *const units[] = { "am", "pm", "th", "min" };
    size_t digits = strspn (word->text, "0123456789.");
    if (digits && strspn (word->text, "0123456789.thmz") == word->bytes)
        return true; /* 17, 3.30, 5m, and 03t10 of an ISO 8601 time */
    for (size_t i = 0; i < COUNT_OF (units) && digits; i++)
        if (!strcmp (word->text + digits, units[i]))
            return true;
    return bsearch (word->text, stamp_words, COUNT_OF (stamp_words), sizeof *stamp_words, text_compare);
}

/* Bytes at the start of the line that are a time stamp: words of time, a digit or "yesterday" among
 * them. */
static size_t
stamp_bytes (const struct line *line, size_t *ret_words)
{
    struct word_reader reader;
    struct word word;
    size_t end = 0;
    bool dated = false;
    *ret_words = 0;
    word_reader_init (&reader, line->text, line->bytes);
    while (*ret_words <= STAMP_MOST_WORDS && word_next (&reader, &word) && word_is_stamp (&word)) {
        dated = dated || (word.text[0] >= '0' && word.text[0] <= '9') || !strcmp (word.text, "yesterday");
        end = reader.at;
        ++*ret_words;
    }
    return dated ? end : 0;
}

static bool
line_is_stamp (const struct line *line)
{
    size_t words, end = stamp_bytes (line, &words);
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, line->text + end, line->bytes - end);
    return end && words > 1 && !word_next (&reader, &word);
}

/* "Updated at 3 p.m. ...", "Published by Jane Doe on 3 May ..." */
static bool
opens_as_stamp (const struct line *line, const struct buf *plain)
{
    static const char *const links[] = { "by", "on",  "at", "am", "von", "le", "par",
                                         "el", "por", "em", "il", "da",  "op", "door" };
    const char *after;
    if (!phrase_opens (plain->data, stamp_openings, COUNT_OF (stamp_openings), &after))
        return false;
    size_t verb = (size_t) (after - plain->data) - 1, words;
    struct line rest = { line->text + MIN_OF (verb, line->bytes), line->bytes - MIN_OF (verb, line->bytes) };
    return stamp_bytes (&rest, &words)
           || (phrase_within (after, links, COUNT_OF (links), 1)
               && strcspn (after, "0123456789") < MIN_OF (strlen (after), (size_t) STAMP_REACH));
}

/* Whether the text at `at` looks like the form, in which 0 stands for any digit. */
static bool
has_form (const struct line *line, size_t at, const char *form)
{
    for (; *form; form++, at++)
        if (at >= line->bytes || (*form == '0' ? !u_isdigit ((unsigned char) line->text[at]) : line->text[at] != *form))
            return false;
    return true;
}

/* "2025-11-03 10:00", "03.11.2025 - 10:00", wherever in the line. */
static bool
holds_numeric_stamp (const struct line *line)
{
    static const char *const dates[] = { "0000-00-00", "00.00.0000", "00/00/0000" };
    for (size_t at = 0; at < line->bytes; at++)
        for (size_t i = 0; i < COUNT_OF (dates); i++)
            for (size_t gap = 1; gap <= 3 && has_form (line, at, dates[i]); gap++)
                if (has_form (line, at + strlen (dates[i]) + gap, "00:00"))
                    return true;
    return false;
}

static bool
token_is_stamp (const struct line *token)
{
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, token->text, token->bytes);
    return word_next (&reader, &word) && word_is_stamp (&word);
}

/* ---- calls and labels ---- */

/* "Read more: ..." */
static bool
line_is_labelled (const struct line *line, struct buf *plain)
{
    const char *colon = memchr (line->text, ':', MIN_OF (line->bytes, (size_t) LABEL_MOST_BYTES)), *after;
    if (!colon)
        return false;
    plain_read (plain, &(struct line){ line->text, (size_t) (colon - line->text) });
    return phrase_opens (plain->data, labels, COUNT_OF (labels), &after) && !after[1];
}

/* "The mill at dusk. (Photo: Jane Doe)" */
static bool
line_is_caption (const struct line *line)
{
    const char *open = memrchr (line->text, '(', line->bytes);
    if (!open || line->text[line->bytes - 1] != ')' || line->bytes - (size_t) (open - line->text) > MARK_MOST_BYTES
        || word_count_most (line->text, line->bytes, CAPTION_MOST_WORDS + 1) > CAPTION_MOST_WORDS)
        return false;
    struct buf plain = { 0 };
    plain_read (&plain, &(struct line){ open, line->bytes - (size_t) (open - line->text) });
    bool credit = phrase_within (plain.data, credit_words, COUNT_OF (credit_words), SIZE_MAX);
    buf_fini (&plain);
    return credit;
}

static bool
line_is_call (const struct line *line)
{
    struct buf plain = { 0 };
    const char *after;
    bool sign = line_point (line, 0) == 0xa9; /* (c) */
    bool call = line_is_labelled (line, &plain);
    if (!call) {
        plain_read (&plain, line);
        call = sign || phrase_opens (plain.data, call_openings, COUNT_OF (call_openings), &after);
    }
    buf_fini (&plain);
    return call && word_count_most (line->text, line->bytes, CALL_MOST_WORDS + 1) <= CALL_MOST_WORDS;
}

/* ---- sentences ---- */

static bool
holds_address (const struct line *line)
{
    const char *at = line->text, *end = line->text + line->bytes;
    while ((at = memchr (at, '@', (size_t) (end - at)))) {
        at++;
        if (at - line->text > 1 && at < end && u_isalnum ((unsigned char) at[-2]) && u_isalnum ((unsigned char) *at))
            return true;
    }
    return false;
}

/* "Home > News > ...", "Jane Doe | 3 November | ..." */
static bool
holds_trail (const struct line *line)
{
    static const char *const signs[] = { ">", "|", "/", "»", "›", "•", "·" };
    struct line token;
    size_t at = 0, found = 0;
    while (token_next (line, &at, &token))
        for (size_t i = 0; i < COUNT_OF (signs); i++)
            found += token.bytes == strlen (signs[i]) && !memcmp (token.text, signs[i], token.bytes);
    return found >= 2;
}

/* "This article was first published ..." */
static bool
speaks_of_itself (const struct buf *plain)
{
    const char *after;
    return phrase_opens (plain->data, self_openings, COUNT_OF (self_openings), &after)
           && phrase_within (after, self_names, COUNT_OF (self_names), SELF_NAME_WITHIN)
           && phrase_within (after, self_verbs, COUNT_OF (self_verbs), SELF_MOST_WORDS);
}

/* "Jane van Doe is a reporter ...": names, then what their bearer is. */
static bool
is_biography (const struct line *line, const struct buf *plain)
{
    static const char *const links[] = { "is", "ist", "est", "es", "é", "è" };
    struct line token;
    size_t at = 0, names = 0;
    while (token_next (line, &at, &token) && token_is_name (&token))
        names++;
    const char *rest = plain->data;
    for (size_t words = 0; rest && words < names; words++)
        rest = strchr (rest + 1, ' ');
    const char *after;
    if (names < 2 || names > 5 || !rest || !phrase_opens (rest, links, COUNT_OF (links), &after))
        return false;
    size_t reach = 0; /* as far as the clause: "a farmer who met a reporter" */
    for (const char *word = after; word && reach < TRADE_MOST_WORDS && !phrase_at (word, "who");
         word = strchr (word + 1, ' '))
        reach++;
    return phrase_within (after, author_trades, COUNT_OF (author_trades), reach);
}

bool
article_sentence_is_noise (const char *text, size_t bytes)
{
    struct line line = { text, bytes };
    struct buf plain = { 0 };
    /* Rights, links, authors of what is embedded; members only, log in, reprint, editor. */
    static const char *const signs[] = { "©",          "://",      "(@",       "会員限定", "有料会員", "会員登録",
                                         "マイページ", "無断転載", "版权所有", "责任编辑", "未经授权", "扫描二维码" };
    const char *after;
    bool note = bytes && text[0] == '[' && text[bytes - 1] == ']';
    bool noise = note || article_line_is_noise (text, bytes) || holds_address (&line) || holds_numeric_stamp (&line)
                 || holds_trail (&line) || line_is_labelled (&line, &plain);
    for (size_t i = 0; i < COUNT_OF (signs) && !noise; i++)
        noise = memmem (text, bytes, signs[i], strlen (signs[i])) != NULL;
    if (!noise) {
        plain_read (&plain, &line);
        noise = phrase_opens (plain.data, plea_openings, COUNT_OF (plea_openings), &after)
                || phrase_within (plain.data, noise_phrases, COUNT_OF (noise_phrases), SIZE_MAX)
                || opens_as_stamp (&line, &plain) || speaks_of_itself (&plain) || is_biography (&line, &plain);
    }
    buf_fini (&plain);
    return noise;
}

/* ---- what stands before the first words of a paragraph ---- */

/* "Updated 3:14 PM ET, Nov 3, 2025 The council ..." loses the stamp. "On 3 November Smith ..." does not. */
static bool
line_cut_stamp (struct line *line)
{
    static const char *const prose[] = { "on ", "at ", "am ", "a ",  "an ", "last ", "first ",
                                         "em ", "el ", "le ", "il ", "op ", "vor " };
    size_t words, end = stamp_bytes (line, &words);
    for (size_t i = 0; i < COUNT_OF (prose); i++)
        if (line_opens (line, prose[i]))
            return false;
    while (end < line->bytes && strchr (" .,;:|-)", line->text[end]))
        end++;
    if (words <= 2 || end >= line->bytes || !u_isupper ((UChar32) line_point (line, end)))
        return false;
    line_skip (line, end);
    return true;
}

static const char *const dashes[] = { " – ", "—", " -- ", " - ", "―", ") –", ".- ", "--", " · ", ": ", " :" };

/* The first dash, or colon, within the reach of a dateline; *ret_after: behind it. Returns its offset, or 0. */
static size_t
dash_find (const struct line *line, size_t *ret_after)
{
    size_t reach = MIN_OF (line->bytes, (size_t) DATELINE_MOST_BYTES), best = 0;
    for (size_t i = 0; i < COUNT_OF (dashes); i++) {
        size_t length = strlen (dashes[i]);
        const char *found = memmem (line->text, reach, dashes[i], length);
        size_t at = found ? (size_t) (found - line->text) : 0;
        if (!at || (best && at >= best))
            continue;
        best = at;
        *ret_after = at + length;
    }
    return best;
}

static bool
token_is_capitals (const struct line *token)
{
    size_t letters = 0;
    for (size_t at = 0, step; at < token->bytes; at += step) {
        uint32_t point;
        step = utf8_decode (token->text + at, token->bytes - at, &point);
        if (!step || u_islower ((UChar32) point))
            return false;
        letters += u_isupper ((UChar32) point) != 0;
    }
    return letters >= 2;
}

/* Whether the words before a dash are a place, perhaps with a day and an agency: its capitals or
 * the agency tell. */
static bool
prefix_is_dateline (const struct line *prefix, bool colon)
{
    struct line token;
    size_t at = 0, words = 0;
    bool capitals = true, first = false, agency = false, comma = false;
    while (token_next (prefix, &at, &token)) {
        char last = token.text[token.bytes - 1];
        if (!(token_is_name (&token) || token_is_stamp (&token)) || strchr ("!?;:\"", last) || words++ > 9)
            return false;
        capitals = capitals && token_is_capitals (&token);
        first = first || (words == 1 && capitals);
        agency = agency || (token.text[0] == '(' && words > 1);
        comma = comma || last == ',';
    }
    if (colon)
        return capitals
               || (comma && words > 1 && u_isupper ((UChar32) line_point (prefix, 0))); /* "Accra, Ghana: ..." */
    return words && (first || (agency && prefix->text[prefix->bytes - 1] == ')'));
}

/* Whether the words before a dash are one to three capitalised ones, perhaps with a day, and no second dash makes them
 * the beginning of an insertion. */
static bool
prefix_is_place (const struct line *prefix, const struct line *rest)
{
    struct line token;
    size_t at = 0, words = 0, after;
    for (; token_next (prefix, &at, &token); words++)
        if (!(u_isupper ((UChar32) line_point (&token, 0)) || (words && token_is_stamp (&token)))
            || strchr ("!?;:\")", token.text[token.bytes - 1]))
            return false;
    struct line reach = { rest->text, MIN_OF (rest->bytes, (size_t) 3 * DATELINE_MOST_BYTES) };
    for (size_t dash; reach.bytes && (dash = dash_find (&reach, &after)); line_skip (&reach, after))
        if (reach.text[dash] != ':')
            return false;
    return words >= 1 && words <= 3 && line_point (prefix, 0) < 0x2000;
}

static bool
line_cut_dateline (struct line *line, bool early)
{
    size_t after = 0, words, dash = dash_find (line, &after);
    if (!dash)
        return false;
    struct line prefix = { line->text, dash + (line->text[dash] == ')') }; /* with the bracket that closes it */
    struct line rest = *line;
    line_skip (&rest, after);
    bool colon = memchr (line->text + dash, ':', after - dash) != NULL;
    if (!rest.bytes || u_islower ((UChar32) line_point (&rest, 0)))
        return false; /* "NASA - the agency - said" */
    bool wire = prefix.text[0] == '(' && memchr (prefix.text, ')', prefix.bytes) && prefix.bytes < 30;
    bool stamp = !colon && stamp_bytes (&prefix, &words) + 1 >= prefix.bytes && words >= 2;
    if (!wire && !stamp && !prefix_is_dateline (&prefix, colon)
        && (colon || !early || !prefix_is_place (&prefix, &rest)))
        return false;
    *line = rest;
    return true;
}

/* "[an agency] The council ...", and its Japanese and Korean like. */
static bool
line_cut_bracket (struct line *line)
{
    static const struct {
        const char *open, *close, *within;
    } brackets[] = {
        { "[", "]", "" },
        { "【", "】", "" },
        { "(", "= ", "=" },
        { "（", "）", "记" },
    };
    size_t reach = MIN_OF (line->bytes, (size_t) MARK_MOST_BYTES);
    for (size_t i = 0; i < COUNT_OF (brackets); i++) {
        if (!line_opens (line, brackets[i].open))
            continue;
        const char *first = memmem (line->text, reach, brackets[i].within, strlen (brackets[i].within));
        const char *close = memmem (line->text, reach, brackets[i].close, strlen (brackets[i].close));
        struct line rest = *line;
        if (!first || !close)
            continue;
        line_skip (&rest, (size_t) (close - line->text) + strlen (brackets[i].close));
        uint32_t point = line_point (&rest, 0);
        if (!point || u_islower ((UChar32) point) || !u_isalnum ((UChar32) point))
            continue;
        *line = rest;
        return true;
    }
    return false;
}

/* Chinese agencies: 新华社北京11月3日电（记者张三）. */
static bool
line_cut_wire (struct line *line)
{
    static const char *const ends[] = { "日电（", "日電（", "日讯（", "日电 ", "日電 ", "日讯 " };
    for (size_t i = 0; i < COUNT_OF (ends); i++) {
        size_t reach = MIN_OF (line->bytes, (size_t) MARK_MOST_BYTES);
        const char *end = memmem (line->text, reach, ends[i], strlen (ends[i]));
        if (!end || end == line->text || !u_isdigit ((unsigned char) end[-1]))
            continue;
        line_skip (line, (size_t) (end - line->text) + strlen ("日电"));
        line_cut_bracket (line);
        return true;
    }
    return false;
}

/* Bullets, and dashes that a dateline left behind. */
static bool
line_cut_bullet (struct line *line)
{
    static const char *const bullets[] = { "- ", "* ", "+ ", "> ", "| ", "– ", "— ", "•", "·", "▪", "●", "■", "‣" };
    for (size_t i = 0; i < COUNT_OF (bullets); i++)
        if (line_opens (line, bullets[i])) {
            line_skip (line, strlen (bullets[i]));
            return true;
        }
    return false;
}

/* ---- the text ---- */

/* Takes the next line off the text, trimmed; false at its end. */
static bool
line_next (struct line *text, struct line *ret_line)
{
    if (!text->bytes)
        return false;
    const char *end = memchr (text->text, '\n', text->bytes);
    size_t length = end ? (size_t) (end - text->text) : text->bytes;
    *ret_line = (struct line){ text->text, length };
    text->text += length + (end != NULL);
    text->bytes -= length + (end != NULL);
    line_skip (ret_line, 0);
    while (ret_line->bytes && (unsigned char) ret_line->text[ret_line->bytes - 1] <= ' ')
        ret_line->bytes--;
    return true;
}

/* Bytes of a reference's mark at `at`, behind a word: [12], [a]. */
static size_t
mark_bytes (const struct line *line, size_t at)
{
    size_t end = at + 1;
    if (line->text[at] != '[' || !at || (unsigned char) line->text[at - 1] <= ' ')
        return 0;
    while (end < line->bytes && end - at < 5 && (u_isdigit ((unsigned char) line->text[end]) || end == at + 1))
        end++;
    return end > at + 1 && end < line->bytes && line->text[end] == ']' ? end + 1 - at : 0;
}

static bool
byte_is_letter (const struct line *line, size_t at)
{
    unsigned char c = (unsigned char) line->text[at];
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? true : c >= 0x80;
}

/* Whether what stands behind a full stop is the end of a name: Mail.Ru, Node.Js; What.CD. capital: it begins so. */
static bool
ends_name (const char *text, size_t bytes, bool capital)
{
    static const char *const ends[] = { "ai",  "com", "de",  "dk", "fr", "io", "js",
                                        "net", "nl",  "org", "ru", "se", "tv", "uk" };
    for (size_t i = 0; i < COUNT_OF (ends); i++)
        if (bytes == strlen (ends[i]) && !strncasecmp (text, ends[i], bytes))
            return true;
    for (size_t i = 0; i < bytes && capital; i++)
        capital = !(text[i] >= 'a' && text[i] <= 'z');
    return capital;
}

/* Whether a sentence ends in the full stop at `at` though no blank follows: "the money saved.It is", "said.- It". */
static bool
stop_is_glued (const struct line *line, size_t at)
{
    if (line->text[at] != '.' || at + 1 >= line->bytes)
        return false;
    size_t start = at, end = at + 1;
    while (start && (byte_is_letter (line, start - 1) || u_isdigit ((unsigned char) line->text[start - 1])))
        start--;
    bool word = at - start >= 2 && (!start || line->text[start - 1] == ' ' || line->text[start - 1] == '-');
    if (line->text[end] == '-')
        return start < at && end + 1 < line->bytes && line->text[end + 1] == ' ';
    while (end < line->bytes && byte_is_letter (line, end))
        end++;
    bool follows = end == line->bytes || strchr (" ,-'", line->text[end]);
    return word && follows && u_isupper ((UChar32) line_point (line, at + 1))
           && !ends_name (line->text + at + 1, end - at - 1, u_isupper ((UChar32) line_point (line, start)));
}

/* Bytes at `at` of what is said of a link to those who do not see it. */
static size_t
link_note_bytes (const struct line *line, size_t at)
{
    static const char *const notes[] = { ", opens new tab",           "(opens in new tab)",
                                         "(opens in a new window)",   "Opens a new window",
                                         "(öffnet im neuen Fenster)", "(s'ouvre dans une nouvelle fenêtre)" };
    for (size_t i = 0; i < COUNT_OF (notes); i++)
        if (line->bytes - at >= strlen (notes[i]) && !memcmp (line->text + at, notes[i], strlen (notes[i])))
            return strlen (notes[i]);
    return 0;
}

static void
line_add (struct buf *out, const struct line *line)
{
    for (size_t at = 0; at < line->bytes;) {
        size_t mark = MAX_OF (mark_bytes (line, at), link_note_bytes (line, at));
        if (!mark)
            buf_add_char (out, line->text[at]);
        if (stop_is_glued (line, at))
            buf_add_char (out, ' ');
        at += mark ? mark : 1;
    }
}

static void
paragraph_cut (struct line *line, bool early)
{
    for (int part = 0; part < DATELINE_PARTS && line->bytes; part++)
        if (!(early && (line_cut_bracket (line) || line_cut_wire (line) || line_cut_stamp (line)))
            && !line_cut_dateline (line, early) && !line_cut_bullet (line))
            break;
}

bool
article_line_is_noise (const char *text, size_t bytes)
{
    struct line line = { text, bytes };
    return bytes
           && (line_is_byline (&line) || line_is_stamp (&line) || line_is_call (&line) || line_is_caption (&line));
}

char *
article_clean (const char *text, size_t bytes)
{
    struct line rest = { text, bytes }, line;
    struct buf out = { 0 };
    bool fresh = true; /* a paragraph begins */
    size_t lines = 0;
    while (line_next (&rest, &line)) {
        fresh = line_cut_bullet (&line) || fresh;
        if (!line.bytes || article_line_is_noise (line.text, line.bytes)) {
            fresh = true;
            continue;
        }
        paragraph_cut (&line, lines++ < EARLY_LINES);
        if (!line.bytes)
            continue;
        if (out.len)
            buf_add_str (&out, fresh ? "\n\n" : "\n");
        line_add (&out, &line);
        fresh = false;
    }
    return buf_take (&out);
}
