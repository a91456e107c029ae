/* article_clean: an article line by line, without the lines that aren't prose, and its first lines
 * without datelines. A line is dropped for what all of it is (a byline, a time stamp, a call to
 * read on); doubt keeps it. SPDX-License-Identifier: MPL-2.0 */
#include "text/sentence.h"
#include "text/words.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unicode/uchar.h>

enum {
    BYLINE_MOST_WORDS = 12,
    STAMP_MOST_WORDS = 24,
    CALL_MOST_WORDS = 14,
    DATELINE_MOST_BYTES = 90,
    DATELINE_PARAGRAPHS = 3, /* a dateline stands in one of the first */
};

struct line {
    const char *text;
    size_t bytes;
};

/* Words that time stamps are made of, besides numbers. Sorted. */
static const char *const stamp_words[] = {
    "1st",    "2nd",       "3rd",      "a",         "ago",    "am",       "an",        "and",
    "apr",    "april",     "at",       "aug",       "august", "bst",      "cest",      "cet",
    "cst",    "ct",        "day",      "days",      "dec",    "december", "edt",       "est",
    "et",     "feb",       "february", "first",     "fri",    "friday",   "gmt",       "h",
    "hour",   "hours",     "hrs",      "ist",       "jan",    "january",  "jul",       "july",
    "jun",    "june",      "last",     "m",         "mar",    "march",    "may",       "min",
    "mins",   "minute",    "minutes",  "modified",  "mon",    "monday",   "month",     "months",
    "nov",    "november",  "oct",      "october",   "on",     "p",        "pdt",       "pm",
    "posted", "pst",       "pt",       "published", "read",   "sat",      "saturday",  "sep",
    "sept",   "september", "sun",      "sunday",    "t",      "th",       "thu",       "thur",
    "thurs",  "thursday",  "time",     "tue",       "tues",   "tuesday",  "updated",   "utc",
    "wed",    "wednesday", "week",     "weeks",     "year",   "years",    "yesterday", "z",
};

/* What opens a byline or a credit. full: the words that follow needn't be names. */
static const struct opening {
    const char *text;
    bool full;
} byline_openings[] = {
    { "by ", false },
    { "written by ", false },
    { "reporting by ", true },
    { "reported by ", false },
    { "edited by ", false },
    { "editing by ", true },
    { "story by ", false },
    { "words by ", false },
    { "photo by ", true },
    { "photos by ", true },
    { "photo: ", true },
    { "photograph: ", true },
    { "image: ", true },
    { "author: ", true },
    { "credit: ", true },
    { "additional reporting by ", true },
    { "photography by ", true },
    { "from our correspondent", true },
    { "posted by ", false },
};

/* What opens a line that speaks to the reader. */
static const char *const call_openings[] = {
    "advertisement",
    "all rights reserved",
    "also read",
    "article continues below",
    "click here",
    "click to",
    "comments",
    "continue reading",
    "copyright",
    "download the app",
    "download our app",
    "follow us",
    "for more",
    "get our",
    "getty images",
    "image source",
    "join our",
    "join the conversation",
    "learn more",
    "listen to this",
    "load more",
    "more from",
    "more on this",
    "most read",
    "newsletter",
    "read also",
    "read full",
    "read more",
    "read next",
    "read the full",
    "recommended",
    "related articles",
    "related:",
    "related stories",
    "save this",
    "scroll down",
    "scroll for more",
    "scroll to continue",
    "see also",
    "share on",
    "share this",
    "show more",
    "sign in",
    "sign up",
    "skip advertisement",
    "skip to",
    "sponsored",
    "story continues",
    "subscribe",
    "support our",
    "swipe",
    "tap here",
    "tap to",
    "this article appeared",
    "this article first appeared",
    "this article was originally",
    "this post appeared first",
    "this story was originally",
    "view comments",
    "view gallery",
    "watch:",
    "watch now",
    "watch the video",
    "what to read next",
    "you may also like",
    "\xc2\xa9",
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

/* Whether a name could hold the token: Jane, O'Brien, J., van, and, |. */
static bool
token_is_name (const struct line *token)
{
    static const char *const particles[] = { "and", "al", "de",  "del", "der", "di",
                                             "in",  "la", "van", "von", "with" };
    uint32_t point;
    for (size_t i = 0; i < COUNT_OF (particles); i++)
        if (token->bytes == strlen (particles[i])
            && !memcmp (token->text, particles[i], token->bytes))
            return true;
    if (!utf8_decode (token->text, token->bytes, &point))
        return false;
    return u_isupper ((UChar32) point) || !u_isalpha ((UChar32) point);
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
    return bsearch (word->text, stamp_words, COUNT_OF (stamp_words), sizeof *stamp_words,
                    text_compare);
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
        dated = dated || (word.text[0] >= '0' && word.text[0] <= '9')
            || !strcmp (word.text, "yesterday");
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

static bool
line_is_call (const struct line *line)
{
    for (size_t i = 0; i < COUNT_OF (call_openings); i++) {
        const char *opening = call_openings[i];
        if (!line_opens (line, opening))
            continue;
        unsigned char next = (unsigned char) line->text[MIN_OF (strlen (opening), line->bytes - 1)];
        bool at_word_end = line->bytes == strlen (opening) || !u_isalnum (next);
        bool colon_or_sign =
            opening[strlen (opening) - 1] == ':' || (unsigned char) opening[0] >= 0x80;
        if (at_word_end || colon_or_sign)
            return word_count_text (line->text, line->bytes) <= CALL_MOST_WORDS;
    }
    return false;
}

static void
line_skip (struct line *line, size_t bytes)
{
    line->text += bytes;
    line->bytes -= bytes;
    while (line->bytes && (unsigned char) line->text[0] <= ' ')
        line->text++, line->bytes--;
}

/* "Updated 3:14 PM ET, Nov 3, 2025 The council ..." loses the stamp; a date that begins a sentence
 * has no such verb. */
static void
line_cut_stamp (struct line *line)
{
    if (!line_opens (line, "updated ") && !line_opens (line, "published ")
        && !line_opens (line, "posted "))
        return;
    size_t words, end = stamp_bytes (line, &words);
    while (end < line->bytes && strchr (" .,;:|-)", line->text[end]))
        end++;
    uint32_t point;
    if (words > 2 && end < line->bytes && utf8_decode (line->text + end, line->bytes - end, &point)
        && u_isupper ((UChar32) point))
        line_skip (line, end);
}

/* The first dash within the reach of a dateline; *ret_after: behind it. Returns its offset, or 0.
 */
static size_t
dash_find (const struct line *line, size_t *ret_after)
{
    static const char *const dashes[] = { " \xe2\x80\x93 ", "\xe2\x80\x94",  " -- ", " - ",
                                          "\xe2\x80\x95",   ") \xe2\x80\x93" };
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
prefix_is_dateline (const struct line *prefix)
{
    struct line token;
    size_t at = 0, words = 0;
    bool capitals = false, agency = false;
    while (token_next (prefix, &at, &token)) {
        char last = token.text[token.bytes - 1];
        if (!token_is_name (&token) || strchr ("!?;:\"", last) || words++ > 9)
            return false;
        if (words == 1)
            capitals = token_is_capitals (&token);
        agency = agency || (token.text[0] == '(' && words > 1);
    }
    return words && (capitals || (agency && prefix->text[prefix->bytes - 1] == ')'));
}

static void
line_cut_dateline (struct line *line)
{
    size_t after = 0, dash = dash_find (line, &after);
    if (!dash)
        return;
    struct line prefix = { line->text, dash + (line->text[dash] == ')') };
    struct line rest = *line;
    line_skip (&rest, after);
    uint32_t point;
    bool wire =
        prefix.text[0] == '(' && memchr (prefix.text, ')', prefix.bytes) && prefix.bytes < 30;
    if (!utf8_decode (rest.text, rest.bytes, &point) || u_islower ((UChar32) point))
        return; /* "NASA - the agency - said" */
    if (wire || prefix_is_dateline (&prefix))
        *line = rest;
}

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

bool
article_line_is_noise (const char *text, size_t bytes)
{
    struct line line = { text, bytes };
    return line_is_byline (&line) || line_is_stamp (&line) || line_is_call (&line);
}

char *
article_clean (const char *text, size_t bytes)
{
    struct line rest = { text, bytes }, line;
    struct buf out = { 0 };
    bool fresh = true; /* a paragraph begins */
    size_t paragraphs = 0;
    while (line_next (&rest, &line)) {
        if (!line.bytes || article_line_is_noise (line.text, line.bytes)) {
            fresh = true;
            continue;
        }
        if (fresh && paragraphs++ < DATELINE_PARAGRAPHS) {
            line_cut_stamp (&line);
            line_cut_dateline (&line);
        }
        if (out.len)
            buf_add_str (&out, fresh ? "\n\n" : "\n");
        buf_add (&out, line.text, line.bytes);
        fresh = false;
    }
    return buf_take (&out);
}

size_t
article_sentences (const char *text, size_t bytes, char **ret_clean, struct sentence **ret_list)
{
    *ret_clean = article_clean (text, bytes);
    size_t count = sentence_split (*ret_clean, strlen (*ret_clean), ret_list), kept = 0;
    for (size_t i = 0; i < count; i++)
        if ((*ret_list)[i].words >= SENTENCE_LEAST_WORDS)
            (*ret_list)[kept++] = (*ret_list)[i];
    return kept;
}
