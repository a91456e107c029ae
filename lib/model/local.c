/* The local summariser; local_embed is in local_embed.c.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"
#include "model/terms.h"
#include "text/sentence.h"
#include "text/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SENTENCE_MOST_CHARS = 400,
    EXCERPT_MOST_CHARS = 800,
};

static const float position_bonus = 0.6f; /* of the first sentence; the n-th has it divided by the root of n */
static const float most_alike = 0.5f;     /* cosine of two sentences that say the same */

struct candidate {
    struct sentence at;
    struct terms terms;
    float norm, score;
    bool chosen, alike; /* alike: to a chosen one */
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

/* Whether a full stop or comma at `at` ends a word, though a blank stands before it. */
static bool
mark_is_torn (const char *text, size_t bytes, size_t at)
{
    return (text[at] == '.' || text[at] == ',') && (at + 1 == bytes || (unsigned char) text[at + 1] <= ' ');
}

/* Adds text with each run of white space folded to one blank, none before a full stop, and without bytes that are no
 * UTF-8. */
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
            if (gap && out->len && !mark_is_torn (text, bytes, at))
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
    return !memcmp (last, "\xe3\x80", 2) || !memcmp (last, "\xef\xbc", 2) || !memcmp (last, "\xef\xbd", 2);
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
    size_t bytes = at->end - at->start;
    return at->whole && at->words >= SENTENCE_LEAST_WORDS
           && chars_count (text + at->start, bytes) <= SENTENCE_MOST_CHARS
           && !article_sentence_is_noise (text + at->start, bytes);
}

/* The cosine of a sentence and another vector, of the length `norm`. */
static float
candidate_cosine (const struct candidate *one, const struct terms *other, float norm)
{
    return one->norm > 0 && norm > 0 ? terms_dot (&one->terms, other) / (one->norm * norm) : 0;
}

static void
candidates_score (struct summary *self)
{
    struct stemmer *stemmer = stemmer_new ();
    struct terms centroid = { 0 };
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        terms_read (&one->terms, stemmer, self->text + one->at.start, one->at.end - one->at.start, TERMS_OF_STEMS);
        terms_merge (&centroid, &one->terms);
        one->norm = terms_norm (&one->terms);
    }
    float norm = terms_norm (&centroid);
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        one->score = candidate_cosine (one, &centroid, norm) + position_bonus / sqrtf ((float) (i + 1));
    }
    terms_fini (&centroid);
    stemmer_destroy (&stemmer);
}

/* Chooses the best sentence that says something new. */
static void
candidate_choose (struct summary *self)
{
    struct candidate *best = NULL;
    for (size_t i = 0; i < self->count; i++) {
        struct candidate *one = &self->list[i];
        if (!one->chosen && !one->alike && (!best || one->score > best->score))
            best = one;
    }
    if (!best)
        return;
    best->chosen = true;
    for (size_t i = 0; i < self->count; i++)
        self->list[i].alike |= candidate_cosine (&self->list[i], &best->terms, best->norm) >= most_alike;
}

static char *
summary_make (struct summary *self)
{
    struct buf out = { 0 };
    candidates_score (self);
    for (int i = 0; i < LOCAL_SUMMARY_SENTENCES; i++)
        candidate_choose (self);
    for (size_t i = 0; i < self->count; i++) {
        if (self->list[i].chosen)
            sentence_add (&out, self->text, &self->list[i].at);
        terms_fini (&self->list[i].terms);
    }
    return buf_take (&out);
}

/* ---- texts without a sentence that serves ---- */

/* How little a piece lacks of a sentence. From RANK_FAIR on, it may stand for the article. */
enum { RANK_ENDS = 1, RANK_LONG = 2, RANK_UNCUT = 4, RANK_PROSE = 8, RANK_FAIR = RANK_UNCUT + RANK_PROSE };

static int
piece_rank (const char *text, const struct sentence *at)
{
    bool noise = article_sentence_is_noise (text + at->start, at->end - at->start);
    return (noise ? 0 : RANK_PROSE) + (at->trails ? 0 : RANK_UNCUT)
           + (at->words >= SENTENCE_LEAST_WORDS ? RANK_LONG : 0) + (at->ends ? RANK_ENDS : 0);
}

/* The first of the best pieces, and those behind it as far as they are sentences. Returns its rank, -1 if there are no
 * words. */
static int
excerpt_read (struct buf *out, const char *text, const struct sentence *list, size_t count)
{
    size_t best = 0;
    int rank = -1;
    for (size_t i = 0; i < count; i++) {
        int found = list[i].words ? piece_rank (text, &list[i]) : -1;
        if (found > rank) {
            rank = found;
            best = i;
        }
    }
    for (size_t i = best; rank >= 0 && i < MIN_OF (count, best + LOCAL_SUMMARY_SENTENCES); i++) {
        if (i > best && !(list[i - 1].ends && list[i].ends && piece_rank (text, &list[i]) >= RANK_FAIR))
            break;
        sentence_add (out, text, &list[i]);
    }
    return rank;
}

/* Cuts at a blank or, failing that, a code point when it is too long. */
static void
excerpt_cut (struct buf *out)
{
    if (chars_count (out->data, out->len) <= EXCERPT_MOST_CHARS)
        return;
    size_t end = 0, blank = 0;
    for (size_t chars = 0; chars < EXCERPT_MOST_CHARS; chars++) {
        uint32_t point;
        if (out->data[end] == ' ')
            blank = end;
        end += utf8_decode (out->data + end, out->len - end, &point);
    }
    out->len = blank > end / 2 ? blank : end;
    buf_add_str (out, "\xe2\x80\xa6");
}

/* What stands for an article without a sentence: its fullest line; the title rather than a teaser that breaks off or a
 * byline; and those rather than nothing. */
static char *
text_excerpt (const char *title, const char *text, size_t bytes, const struct summary *self,
              const struct sentence *list, size_t count)
{
    struct buf out = { 0 };
    int rank = excerpt_read (&out, self->text, list, count);
    if (rank < RANK_FAIR && title && word_count_most (title, strlen (title), 1)) {
        buf_clear (&out);
        text_fold (&out, title, strlen (title));
    } else if (rank < 0) {
        struct sentence *raw;
        count = sentence_split (text, bytes, &raw);
        (void) excerpt_read (&out, text, raw, count);
        free (raw);
    }
    excerpt_cut (&out);
    return buf_take (&out);
}

char *
local_summarise (const char *title, const char *text, size_t bytes)
{
    struct summary self = { .text = article_clean (text, bytes) };
    struct sentence *list;
    size_t count = sentence_split (self.text, strlen (self.text), &list);
    self.list = mem_alloc (count * sizeof *self.list);
    for (size_t i = 0; i < count; i++)
        if (sentence_serves (self.text, &list[i]))
            self.list[self.count++].at = list[i];
    char *summary = self.count ? summary_make (&self) : text_excerpt (title, text, bytes, &self, list, count);
    free (self.list);
    free (self.text);
    free (list);
    return summary;
}
