/* chunks - how fast a text is cut into chunks on one core: MB/s over generated English, German, Chinese and mixed text, in
 * the same run beside memcpy and a loop that only counts words between ASCII blanks.
 * usage: chunks [MEGABYTES]
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"
#include "stages/chunker/chunk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 7 /* the best of them counts: the others were disturbed */
#define WORDS_A_PARAGRAPH 60

struct language {
    const char *name, *between; /* words */
    const char *const *words;
    size_t count;
};

static const char *const english[] = {
    "the",    "of",     "and",  "to",      "in",     "a",       "that",    "market",     "price",        "said",
    "for",    "bank",   "on",   "was",     "with",   "by",      "network", "blockchain", "transaction,", "its",
    "from",   "at",     "has",  "traders", "which",  "fell",    "percent", "billion",    "regulators",   "week.",
    "after",  "who",    "will", "it",      "more",   "analyst", "tokens",  "investors",  "exchange",     "not",
};
static const char *const german[] = {
    "der",      "die",          "und",     "in",     "den",    "von",        "zu",        "das",     "für",
    "Währung",  "Börse",        "mit",     "sich",   "des",    "Anleger",    "über",      "dem",     "Regulierungsbehörde,",
    "könnte",   "Milliarden",   "Prozent", "auf",    "ist",    "größte",     "Kurs",      "nach",    "Handelsplattform.",
    "Jahr",     "Unternehmen",  "es",      "werden", "wurde",  "gegenüber",  "eine",      "Schlüssel",
};
static const char *const chinese[] = {
    "比特币", "市场", "价格", "的", "在", "交易所", "投资者", "表示", "，", "美元", "上涨", "。", "监管机构", "区块链", "以太坊", "今年",
};
static const char *const mixed[] = {
    "the",    "price",  "比特币", "für",    "Währung", "of",     "рынок",  "биржа",  "and",     "市场",  "El",
    "número", "de",     "ビット", "コイン", "시장",    "가격이", "traders", "said,", "Börse",   "“up”",  "12\u00a0000",
};

static const struct language languages[] = {
    { "english", " ", english, COUNT_OF (english) },
    { "german", " ", german, COUNT_OF (german) },
    { "chinese", "", chinese, COUNT_OF (chinese) },
    { "mixed", " ", mixed, COUNT_OF (mixed) },
};

static void
generate (const struct language *language, size_t bytes, struct buf *out)
{
    uint64_t seed = 1;
    buf_reserve (out, bytes + 64);
    for (size_t n = 1; out->len < bytes; n++) {
        seed = seed * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407); /* Knuth's MMIX */
        buf_add_str (out, language->words[(seed >> 33) % language->count]);
        buf_add_str (out, n % WORDS_A_PARAGRAPH ? language->between : "\n\n");
    }
}

typedef size_t work_fn (const struct buf *text, char *copy);

static size_t
cut (const struct buf *text, char *copy UNUSED)
{
    const struct chunk_rule rule = { .size = 600, .overlap = 100, .cjk = true };
    struct chunk *chunks = NULL;
    size_t count = 0;
    if (chunk_split (text->data, text->len, &rule, &chunks, &count) < 0)
        abort ();
    free (chunks);
    return count;
}

static size_t
count_words (const struct buf *text, char *copy UNUSED)
{
    size_t words = 0;
    bool inside = false;
    for (size_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char) text->data[i];
        bool blank = c == ' ' || (c >= '\t' && c <= '\r');
        words += !blank && !inside;
        inside = !blank;
    }
    return words;
}

static size_t
copy_bytes (const struct buf *text, char *copy)
{
    memcpy (copy, text->data, text->len);
    return (unsigned char) copy[text->len / 2];
}

/* MB/s, a million bytes each. */
static double
measure (work_fn *work, const struct buf *text, char *copy, size_t *ret_result)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = clock_mono_us ();
        *ret_result = work (text, copy);
        best = MIN_OF (best, MAX_OF (clock_mono_us () - start, INT64_C (1)));
    }
    return (double) text->len / (double) best;
}

int
main (int argc, char **argv)
{
    int64_t megabytes = 16;
    if (argc > 2 || (argc == 2 && num_parse (argv[1], 1, 1024, &megabytes) < 0)) {
        fprintf (stderr, "usage: chunks [MEGABYTES]\n");
        return EXIT_USAGE;
    }
    printf ("%-8s %8s %8s %10s %10s %10s\n", "text", "words", "chunks", "cut MB/s", "loop MB/s", "copy MB/s");
    for (size_t i = 0; i < COUNT_OF (languages); i++) {
        struct buf text = { 0 };
        size_t words, chunks, byte;
        generate (&languages[i], (size_t) megabytes * 1000000, &text);
        char *copy = mem_alloc (text.len);
        double copied = measure (copy_bytes, &text, copy, &byte), counted = measure (count_words, &text, copy, &words);
        double cuts = measure (cut, &text, copy, &chunks);
        printf ("%-8s %8zu %8zu %10.0f %10.0f %10.0f\n", languages[i].name, words, chunks, cuts, counted, copied);
        free (copy);
        buf_fini (&text);
    }
    return 0;
}
