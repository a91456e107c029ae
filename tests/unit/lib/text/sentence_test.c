/* Sentence borders, words and stems, and what article_clean drops and keeps.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/sentence.h"
#include "text/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* expected: sentences joined by '|'. */
static const struct split_case {
    const char *text, *expected;
} splits[] = {
    { "", "" },
    { " \n\n \t", "" },
    { "One came. Two went! Three? Four", "One came.|Two went!|Three?|Four" },
    { "Mr. Doe met Dr. Roe. They spoke.", "Mr. Doe met Dr. Roe.|They spoke." },
    { "Sen. J. K. Rowan spoke. It ended.", "Sen. J. K. Rowan spoke.|It ended." },
    { "It left the U.S. The firm stayed.", "It left the U.S.|The firm stayed." },
    { "The U.S. Senate met.", "The U.S. Senate met." },
    { "It opens at 9 a.m. on Nov. 3. All come.", "It opens at 9 a.m. on Nov. 3.|All come." },
    { "Acme Inc. bought Roe Ltd. The price rose.", "Acme Inc. bought Roe Ltd.|The price rose." },
    { "Fruit, e.g. Apples, is cheap.", "Fruit, e.g. Apples, is cheap." },
    { "It fell 3.5 percent. No. 7 won.", "It fell 3.5 percent.|No. 7 won." },
    { "No, no. Seven won.", "No, no.|Seven won." },
    { "See example.com. It works.", "See example.com.|It works." },
    { "\xe2\x80\x9cStop.\xe2\x80\x9d She ran.", "\xe2\x80\x9cStop.\xe2\x80\x9d|She ran." },
    { "\xe2\x80\x9cWhy?\xe2\x80\x9d he asked. Nobody knew.",
      "\xe2\x80\x9cWhy?\xe2\x80\x9d he asked.|Nobody knew." },
    { "He paused... and left. She waited... Then it rang.",
      "He paused... and left.|She waited...|Then it rang." },
    { "It read \xe2\x88\x92"
      "31 \xc2\xb0"
      "C. Every van started.",
      "It read \xe2\x88\x92"
      "31 \xc2\xb0"
      "C.|Every van started." },
    { "1. First item. 2. Second item.", "1. First item.|2. Second item." },
    { "A heading\n\nThe text follows.", "A heading|The text follows." },
    { "A heading\nThe text follows.", "A heading|The text follows." },
    { "This line of a mail was wrapped at seventy-two columns, as it was usual\nonce. So it goes "
      "on.",
      "This line of a mail was wrapped at seventy-two columns, as it was usual\nonce.|So it goes "
      "on." },
    { "\xe5\xa4\xa9\xe6\xb0\x94\xe5\xa5\xbd\xe3\x80\x82\xe5\x87\xba\xe5\x8e\xbb\xef\xbc\x81\xe5\xa5"
      "\xbd",
      "\xe5\xa4\xa9\xe6\xb0\x94\xe5\xa5\xbd\xe3\x80\x82|\xe5\x87\xba\xe5\x8e\xbb\xef\xbc\x81|"
      "\xe5\xa5\xbd" },
    { "\xe3\x80\x8c\xe5\xa5\xbd\xe3\x80\x82\xe3\x80\x8d\xe5\xa5\xbd\xe3\x80\x82",
      "\xe3\x80\x8c\xe5\xa5\xbd\xe3\x80\x82\xe3\x80\x8d|\xe5\xa5\xbd\xe3\x80\x82" },
    { "\xc3\x89l vino. \xc3\x81ngel fue.", "\xc3\x89l vino.|\xc3\x81ngel fue." },
    { "Trailing blanks \xc2\xa0\xe3\x80\x80", "Trailing blanks" },
    { "Bad \xff byte. It stays.", "Bad \xff byte.|It stays." },
};

static void
sentences_end_where_a_reader_ends_them (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (splits); i++) {
        struct sentence *list;
        struct buf joined = { 0 };
        buf_add_str (&joined, "");
        size_t count = sentence_split (splits[i].text, strlen (splits[i].text), &list);
        for (size_t k = 0; k < count; k++) {
            if (k)
                buf_add_char (&joined, '|');
            buf_add (&joined, splits[i].text + list[k].start, list[k].end - list[k].start);
        }
        assert_string_equal (joined.data, splits[i].expected);
        free (list);
        buf_fini (&joined);
    }
}

static void
sentences_know_their_kind (void **state UNUSED)
{
    static const char text[] =
        "A heading\n\n\xe2\x80\x9cWe saw it. It (all was fine.\n\nThe end is near, he said.";
    struct sentence *list;
    assert_int_equal (sentence_split (text, strlen (text), &list), 4);
    assert_false (list[0].whole);
    assert_true (list[0].balanced && list[0].opens_paragraph);
    assert_int_equal (list[0].words, 2);
    assert_true (list[1].whole && list[1].opens_paragraph);
    assert_false (list[1].balanced);
    assert_false (list[2].balanced);
    assert_false (list[2].opens_paragraph);
    assert_true (list[3].whole && list[3].balanced && list[3].opens_paragraph);
    assert_int_equal (list[3].words, 6);
    free (list);
}

/* expected: words joined by '|', a gram with '+' before it. */
static const struct split_case words[] = {
    { "The Quick fox", "the|quick|fox" },
    { "didn't, can\xe2\x80\x99t; Jane's dogs' 'hay'", "didnt|cant|jane|dogs|hay" },
    { "1,400 men, 3.5% of $7.90", "1400|men|3.5|of|7.90" },
    { "the U.S. and e.g. that.", "the|us|and|eg|that" },
    { "well-known co\xc2\xadoperate", "well|known|cooperate" },
    { "\xc3\x89"
      "COLE \xd0\x9c\xd0\x98\xd0\xa0 \xef\xbc\xa1\xef\xbc\xa2",
      "\xc3\xa9"
      "cole|\xd0\xbc\xd0\xb8\xd1\x80|ab" },
    { "GDP\xe5\xa4\xa9\xe6\xb0\x94\xe5\xa5\xbd x\xe5\xa5\xbd",
      "gdp|+\xe5\xa4\xa9\xe6\xb0\x94|+\xe6\xb0\x94\xe5\xa5\xbd|x|+\xe5\xa5\xbd" },
    { "\xe5\xa4\xa9\xe3\x80\x82\xe6\xb0\x94", "+\xe5\xa4\xa9|+\xe6\xb0\x94" },
    { "\xed\x95\x9c\xea\xb5\xad \xeb\xa7\x90", "\xed\x95\x9c\xea\xb5\xad|\xeb\xa7\x90" },
    { "a\xff"
      "b --- !!!",
      "a|b" },
};

static void
words_are_read_as_search_sees_them (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (words); i++) {
        struct word_reader reader;
        struct word word;
        struct buf joined = { 0 };
        word_reader_init (&reader, words[i].text, strlen (words[i].text));
        while (word_next (&reader, &word)) {
            assert_int_equal (strlen (word.text), word.bytes);
            buf_printf (&joined, "%s%s%s", joined.len ? "|" : "", word.gram ? "+" : "", word.text);
        }
        assert_string_equal (joined.data, words[i].expected);
        buf_fini (&joined);
    }
}

static void
an_endless_word_is_cut_between_code_points (void **state UNUSED)
{
    struct buf text = { 0 };
    for (int i = 0; i < 500; i++)
        buf_add_str (&text, "a\xc3\xa9");
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, text.data, text.len);
    assert_true (word_next (&reader, &word));
    assert_true (word.bytes > WORD_MAX_BYTES - 4 && word.bytes <= WORD_MAX_BYTES);
    assert_int_equal (utf8_valid_bytes (word.text, word.bytes), word.bytes);
    assert_false (word_next (&reader, &word));
    buf_fini (&text);
}

static struct word
word_of (const char *text)
{
    struct word_reader reader;
    struct word word;
    word_reader_init (&reader, text, strlen (text));
    assert_true (word_next (&reader, &word));
    return word;
}

static void
stop_words_stems_and_weights (void **state UNUSED)
{
    static const char *const stops[] = { "a", "The", "DIDN'T", "yourselves", "youve", "and" };
    static const char *const content[] = { "shell", "shed", "bitcoin", "harbour", "\xe7\x9a\x84" };
    static const char *const stems[][2] = { { "Running", "run" },
                                            { "cities", "citi" },
                                            { "\xe5\xa5\xbd", "\xe5\xa5\xbd" } };
    struct stemmer *stemmer = stemmer_new ();
    for (size_t i = 0; i < COUNT_OF (stops); i++) {
        struct word word = word_of (stops[i]);
        assert_true (word_is_stop (&word));
    }
    for (size_t i = 0; i < COUNT_OF (content); i++) {
        struct word word = word_of (content[i]);
        assert_false (word_is_stop (&word));
    }
    for (size_t i = 0; i < COUNT_OF (stems); i++) {
        struct word word = word_of (stems[i][0]);
        stemmer_apply (stemmer, &word);
        assert_string_equal (word.text, stems[i][1]);
        assert_int_equal (word.bytes, strlen (stems[i][1]));
    }
    struct word common = word_of ("time"), middling = word_of ("budget"),
                rare = word_of ("sequencer");
    assert_true (stem_weight (&common) < stem_weight (&middling));
    assert_true (stem_weight (&middling) < stem_weight (&rare));
    assert_true (stem_weight (&rare) == 1.0f);
    stemmer_destroy (&stemmer);
    assert_null (stemmer);
    stemmer_destroy (&stemmer);
}

#define PROSE "The council met on Monday to vote."

static const struct split_case cleans[] = {
    { "By Jane Doe\n\n" PROSE, PROSE },
    { "By Jane Doe and John O'Roe, Staff Writers\n" PROSE, PROSE },
    { "Written by Jane van der Berg\n" PROSE, PROSE },
    { "Reporting by Jane Doe in Oslo; editing by John Roe\n" PROSE, PROSE },
    { "By Monday the river had risen by a metre.", "By Monday the river had risen by a metre." },
    { "By the time anyone knew, it was gone.", "By the time anyone knew, it was gone." },
    { "Updated 3:14 PM ET, Nov 3, 2025\n\n" PROSE, PROSE },
    { "Published: 17 November 2025 at 08:30 GMT | 4 min read\n" PROSE, PROSE },
    { "Nov 3, 2025\n" PROSE, PROSE },
    { "2025-11-03T10:00Z\n" PROSE, PROSE },
    { "3 hours ago\n" PROSE, PROSE },
    { "Updated 3:14 PM ET, Nov 3, 2025 " PROSE, PROSE },
    { "On 3 November the mill burned.", "On 3 November the mill burned." },
    { "VALMERE, Tuesday \xe2\x80\x93 " PROSE, PROSE },
    { "NEW YORK (Reuters) - " PROSE, PROSE },
    { "WASHINGTON, Nov. 3 (AP) \xe2\x80\x94 " PROSE, PROSE },
    { "London (AFP) \xe2\x80\x93 " PROSE, PROSE },
    { "(Reuters) - " PROSE, PROSE },
    { "NASA \xe2\x80\x93 the space agency \xe2\x80\x93 said no.",
      "NASA \xe2\x80\x93 the space agency \xe2\x80\x93 said no." },
    { "The old plan \xe2\x80\x93 Harbour Loan 7 \xe2\x80\x93 is dead.",
      "The old plan \xe2\x80\x93 Harbour Loan 7 \xe2\x80\x93 is dead." },
    { "Scroll down for the video\n" PROSE, PROSE },
    { PROSE "\n\nRead more: Ten tips for a garden", PROSE },
    { PROSE "\nAdvertisement\n" PROSE, PROSE "\n\n" PROSE },
    { "Subscribers left the paper in droves last year, it said.",
      "Subscribers left the paper in droves last year, it said." },
    { "\xc2\xa9 2025 The Coin Ferry. All rights reserved.\n" PROSE, PROSE },
    { "One line\nand its second.\n\n\n\nNext.", "One line\nand its second.\n\nNext." },
    { "By Jane Doe", "" },
};

static void
cleaning_drops_what_is_no_prose_and_nothing_else (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cleans); i++) {
        char *clean = article_clean (cleans[i].text, strlen (cleans[i].text));
        assert_string_equal (clean, cleans[i].expected);
        free (clean);
    }
}

static void
an_article_gives_its_sentences_of_five_words (void **state UNUSED)
{
    static const char text[] = "By Jane Doe\n\nIt rained. " PROSE " Nobody came.";
    struct sentence *list;
    char *clean;
    assert_int_equal (article_sentences (text, strlen (text), &clean, &list), 1);
    assert_memory_equal (clean + list[0].start, PROSE, strlen (PROSE));
    assert_int_equal (list[0].end - list[0].start, strlen (PROSE));
    free (list);
    free (clean);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (sentences_end_where_a_reader_ends_them),
        cmocka_unit_test (sentences_know_their_kind),
        cmocka_unit_test (words_are_read_as_search_sees_them),
        cmocka_unit_test (an_endless_word_is_cut_between_code_points),
        cmocka_unit_test (stop_words_stems_and_weights),
        cmocka_unit_test (cleaning_drops_what_is_no_prose_and_nothing_else),
        cmocka_unit_test (an_article_gives_its_sentences_of_five_words),
    };
    return cmocka_run_group_tests_name ("sentence", tests, NULL, NULL);
}
