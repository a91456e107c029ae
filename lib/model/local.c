/* The local summariser; local_embed is in local_embed.c.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"
#include "model/terms.h"
#include "text/sentence.h"

#include <stdlib.h>
#include <string.h>

enum {
    CANDIDATES_MOST = 40,    /* news tells the main things early */
    SENTENCE_MOST_CHARS = 400,
};

/* Settled by reading summaries of news. The cosine of a good sentence to its article is 0.3 to 0.5.
 */
static const float first_bonus = 0.30f; /* of the first sentence; the n-th gets an n-th of it */
static const float paragraph_bonus = 0.03f;
static const float dangling_penalty = 0.15f;  /* "He said so", torn from what he said */
static const float quote_penalty = 0.10f;     /* begins with somebody's words */
static const float question_penalty = 0.08f;
static const float follow_bonus = 0.06f;     /* the sentence before it is chosen too: reads on */
static const float most_alike = 0.5f;         /* cosine of two sentences that say the same */

/* First words that point back at the sentence before. Sorted. */
static const char *const dangling_words[] = {
    "afterwards", "also",      "and",     "another", "because",   "both",      "but",     "each",
    "either",     "elsewhere", "for",     "he",      "her",       "here",      "hers",    "his",
    "however",    "i",         "instead", "it",      "its",       "meanwhile", "neither", "none",
    "nor",        "one",       "or",      "others",  "otherwise", "our",       "she",     "so",
    "some",       "still",     "such",    "that",    "their",     "them",      "then",    "there",
    "these",      "they",      "this",    "those",   "thus",      "we",        "yet",
};

struct candidate {
    struct sentence at;
    struct terms terms;
    float score;
    bool dangling, chosen;
};

struct summary {
    char *text; /* cleaned; owned */
    struct candidate *list;
    size_t count;
};

static size_t
chars_count (const char *text, size_t bytes)
{
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((unsigned char) text[i] & 0xc0) != 0x80;
    return count;
}

static int
text_compare (const void *key, const void *member)
{
    return strcmp (key, *(const char *const *) member);
}

static bool
sentence_dangles (const char *text, size_t bytes)
{
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, text, bytes);
    return word_next (&reader, &word)
        && bsearch (word.text, dangling_words, COUNT_OF (dangling_words), sizeof *dangling_words,
                    text_compare);
}

static bool
opens_with_quote (const char *text, size_t bytes)
{
    return bytes && (text[0] == '"' || (bytes > 2 && !memcmp (text, "\xe2\x80\x9c", 3)));
}

/* Adds text with each run of white space folded to one blank, and without bytes that are no UTF-8.
 */
static void
text_fold (struct buf *out, const char *text, size_t bytes)
{
    bool gap = false;
    for (size_t at = 0; at < bytes;) {
        uint32_t point;
        size_t step = utf8_decode (text + at, bytes - at, &point);
        if (step == 1 && point <= ' ')
            gap = true;
        else if (step) {
            if (gap && out->len)
                buf_add_char (out, ' ');
            buf_add (out, text + at, step);
            gap = false;
        }
        at += step ? step : 1;
    }
}

/* The ideographic full stop and its relatives bring their own space. */
static bool
ends_wide (const struct buf *out)
{
    if (out->len < 3)
        return false;
    const char *last = out->data + out->len - 3;
    return !memcmp (last, "\xe3\x80", 2) || !memcmp (last, "\xef\xbc", 2)
        || !memcmp (last, "\xef\xbd", 2);
}

static void
sentence_add (struct buf *out, const char *text, const struct sentence *at)
{
    struct buf folded = { 0 };
    text_fold (&folded, text + at->start, at->end - at->start);
    if (out->len && !ends_wide (out))
        buf_add_char (out, ' ');
    buf_add (out, folded.data, folded.len);
    buf_fini (&folded);
}

static bool
sentence_serves (const char *text, const struct sentence *at)
{
    return at->whole && at->balanced && at->words >= SENTENCE_LEAST_WORDS
        && chars_count (text + at->start, at->end - at->start) <= SENTENCE_MOST_CHARS;
}

static void
candidates_score (struct summary *self)
{
    struct stemmer *stemmer = stemmer_new ();
    struct terms centroid = { 0 };
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        size_t bytes = one->at.end - one->at.start;
        terms_read (&one->terms, stemmer, self->text + one->at.start, bytes, TERMS_OF_STEMS);
    }
    terms_read (&centroid, stemmer, self->text, strlen (self->text), TERMS_OF_STEMS);
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        const char *text = self->text + one->at.start;
        size_t bytes = one->at.end - one->at.start;
        one->dangling = sentence_dangles (text, bytes);
        one->score = terms_cosine (&one->terms, &centroid) + first_bonus / (float) (i + 1)
            + (one->at.opens_paragraph ? paragraph_bonus : 0)
            - (opens_with_quote (text, bytes) ? quote_penalty : 0)
            - (memchr (text + bytes - 1, '?', 1) ? question_penalty : 0);
    }
    terms_fini (&centroid);
    stemmer_destroy (&stemmer);
}

/* The best sentence not chosen that says something new; a dangling one may follow the one it points
 * at. */
static struct candidate *
candidate_best (struct summary *self)
{
    struct candidate *best = NULL;
    float best_score = 0;
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        bool alike = one->chosen;
        for (size_t k = 0; k < self->count && !alike; k++)
            alike = self->list[k].chosen
                && terms_cosine (&one->terms, &self->list[k].terms) >= most_alike;
        bool follows = i && self->list[i - 1].chosen;
        float score = one->score + (follows ? follow_bonus : 0)
            - (one->dangling && i && !follows ? dangling_penalty : 0);
        if (!alike && (!best || score > best_score)) {
            best = one;
            best_score = score;
        }
    }
    return best;
}

/* The first sentences of any kind, cut at a blank or, failing that, a code point when they are too
 * long. */
static char *
excerpt_make (const char *text, const struct sentence *list, size_t count)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < MIN_OF (count, (size_t) LOCAL_SUMMARY_SENTENCES); i++)
        sentence_add (&out, text, &list[i]);
    if (chars_count (out.data, out.len) <= SENTENCE_MOST_CHARS)
        return buf_take (&out);
    size_t end = 0, blank = 0;
    for (size_t chars = 0; chars < SENTENCE_MOST_CHARS; chars++) {
        uint32_t point;
        if (out.data[end] == ' ')
            blank = end;
        end += utf8_decode (out.data + end, out.len - end, &point);
    }
    out.len = blank > end / 2 ? blank : end;
    buf_add_str (&out, "\xe2\x80\xa6");
    return buf_take (&out);
}

static char *
text_excerpt (const char *text, size_t bytes)
{
    struct sentence *list;
    size_t count = sentence_split (text, bytes, &list), kept = 0;
    for (size_t i = 0; i < count; i++)
        if (list[i].words)
            list[kept++] = list[i];
    char *excerpt = excerpt_make (text, list, kept);
    free (list);
    return excerpt;
}

static char *
summary_make (struct summary *self)
{
    struct buf out = { 0 };
    candidates_score (self);
    for (int i = 0; i < LOCAL_SUMMARY_SENTENCES; i++) {
        struct candidate *best = candidate_best (self);
        if (best)
            best->chosen = true;
    }
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i].chosen)
            sentence_add (&out, self->text, &self->list[i].at);
        terms_fini (&self->list[i].terms);
    }
    return buf_take (&out);
}

char *
local_summarise (const char *text, size_t bytes)
{
    struct summary self = { 0 };
    struct sentence *list;
    size_t count = article_sentences (text, bytes, &self.text, &list);
    self.list = mem_alloc (CANDIDATES_MOST * sizeof *self.list);
    for (size_t i = 0; i < count && self.count < CANDIDATES_MOST; i++)
        if (sentence_serves (self.text, &list[i]))
            self.list[self.count++].at = list[i];
    char *summary =
        self.count ? summary_make (&self) : text_excerpt (self.text, strlen (self.text));
    if (!*summary) { /* nothing but a byline: better than nothing */
        free (summary);
        summary = text_excerpt (text, bytes);
    }
    free (self.list);
    free (self.text);
    free (list);
    return summary;
}
