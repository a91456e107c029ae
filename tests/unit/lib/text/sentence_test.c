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
    { "Dr. A. B. Roe, Ph.D., met Gen. Doe at No. 5, Main St. in Ohio. They left.",
      "Dr. A. B. Roe, Ph.D., met Gen. Doe at No. 5, Main St. in Ohio.|They left." },
    { "State Del. Jane Doe won. Lt. Gov. Roe lost.", "State Del. Jane Doe won.|Lt. Gov. Roe lost." },
    { "Han tog det. Jens kom ud. Lene gik.", "Han tog det.|Jens kom ud.|Lene gik." },
    { "It burned a year ago. Smith saw it.", "It burned a year ago.|Smith saw it." },
    { "She calls it the ID. Buzz and likes it. He left the EU. They did not.",
      "She calls it the ID. Buzz and likes it.|He left the EU.|They did not." },
    { "He scored 25. The match was over.", "He scored 25.|The match was over." },
    { "\xe2\x80\x9cIt is over,\xe2\x80\x9d she said (again). \xe2\x80\x9cGo home!\xe2\x80\x9d",
      "\xe2\x80\x9cIt is over,\xe2\x80\x9d she said (again).|\xe2\x80\x9cGo home!\xe2\x80\x9d" },
    { "Visit Roe & Co. now. Really?! Yes.", "Visit Roe & Co. now.|Really?!|Yes." },
    { "Am 28. Oktober 2022, d. h. bzw. Donnerstag, tagt Prof. Dr. Roe. Das ist sicher.",
      "Am 28. Oktober 2022, d. h. bzw. Donnerstag, tagt Prof. Dr. Roe.|Das ist sicher." },
    { "M. Roe et Mme. Doe partent. Ils rient.", "M. Roe et Mme. Doe partent.|Ils rient." },
    { "El Sr. Roe vive en EE. UU. con la Dra. Doe. \xc2\xbfPor qu\xc3\xa9? Nadie sabe.",
      "El Sr. Roe vive en EE. UU. con la Dra. Doe.|\xc2\xbfPor qu\xc3\xa9?|Nadie sabe." },
    { "В 2012 г. цена была 5 тыс. руб. за тонну. Это А. С. Пушкин.",
      "В 2012 г. цена была 5 тыс. руб. за тонну.|Это А. С. Пушкин." },
    { "彼は「行く。」と言った。そして去った。", "彼は「行く。」と言った。|そして去った。" },
    { "ذهب الولد. هل عاد؟ نعم.", "ذهب الولد.|هل عاد؟|نعم." },
    { "लड़का गया। वह लौटा। क्यों?", "लड़का गया।|वह लौटा।|क्यों?" },
    { "یہ سچ ہے۔ وہ گیا۔", "یہ سچ ہے۔|وہ گیا۔" },
    { "A heading that is longer than the fifty bytes of a short line\nThe text of the article follows in one line that "
      "no mail program has wrapped, and it is long.",
      "A heading that is longer than the fifty bytes of a short line|The text of the article follows in one line that "
      "no mail program has wrapped, and it is long." },
    { "one list item\nthat goes on\nAnother one.", "one list item\nthat goes on|Another one." },
    { "The first ends.\nthe second begins small.", "The first ends.|the second begins small." },
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
    assert_false (list[0].ends || list[0].whole || list[0].trails);
    assert_int_equal (list[0].words, 2);
    assert_true (list[1].ends && !list[1].whole);
    assert_true (list[2].ends && !list[2].whole);
    assert_true (list[3].ends && list[3].whole);
    assert_int_equal (list[3].words, 6);
    free (list);
}

static void
half_sentences_are_not_whole (void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ends, whole, trails;
    } rows[] = {
        { "It is done.", true, true, false },
        { "It is done.\xe2\x80\x9d", true, false, false },
        { "\xe2\x80\x9eSie sagte: Nein.\xe2\x80\x9c", true, true, false },
        { "\xe2\x80\x9eSie sagte: Nein.", true, false, false },
        { "\xe2\x80\x9dHan kom,\xe2\x80\x9d sa hon.", true, true, false },
        { "\xc2\xabIl dit non.", true, false, false },
        { "The list (of three.", true, false, false },
        { "and so it ended.", true, false, false },
        { ", and so it ended.", true, false, false },
        { "eBay sold it.", true, true, false },
        { "It went on and on...", false, false, true },
        { "It went on and \xe2\x80\xa6", false, false, true },
        { "It went on and [\xe2\x80\xa6]", false, false, true },
        { "It went on. . .", false, false, true },
        { "These are the three reasons:", false, false, false },
        { "天气好。", true, true, false },
        { "สวัสดีชาวโลก", true, true, false },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++) {
        struct sentence *list;
        assert_true (sentence_split (rows[i].text, strlen (rows[i].text), &list) >= 1);
        if (list[0].ends != rows[i].ends || list[0].whole != rows[i].whole || list[0].trails != rows[i].trails)
            fail_msg ("taken for something else: %s", rows[i].text);
        free (list);
    }
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
    { "Von Jane Doe\nStand: 17.11.2025, 08:30 Uhr\nDer Rat tagt heute.", "Der Rat tagt heute." },
    { "Par Jean Doe\nPublié le 3 novembre 2025 à 18h30\nLe conseil siège.", "Le conseil siège." },
    { "Por Juana Doe\nActualizado el 3 de noviembre de 2025, 10:15\nLa junta vota hoy.", "La junta vota hoy." },
    { "Feb. 23, 2015 -- " PROSE, PROSE },
    { "Nov 3 (Reuters) - " PROSE, PROSE },
    { "(ANSA) - ROMA, 03 NOV - Il consiglio vota oggi.", "Il consiglio vota oggi." },
    { "Madrid, 3 nov (EFE).- La junta vota hoy.", "La junta vota hoy." },
    { "Potsdam \xe2\x80\x93 Der Rat tagt heute.", "Der Rat tagt heute." },
    { "Potsdam \xe2\x80\x93 Hauptstadt des Landes \xe2\x80\x93 baut.",
      "Potsdam \xe2\x80\x93 Hauptstadt des Landes \xe2\x80\x93 baut." },
    { "Neuss · " PROSE, PROSE },
    { "Nendeln, 27.6.2025 – " PROSE, PROSE },
    { "BEIJING: " PROSE, PROSE },
    { "Accra, Ghana: " PROSE, PROSE },
    { "The mayor: We are ready.", "The mayor: We are ready." },
    { "القاهرة (رويترز) - قال الوزير إنه سيعود.", "قال الوزير إنه سيعود." },
    { "【6月18日 AFP】攻撃があった。", "攻撃があった。" },
    { "新华社北京11月3日电（记者张三）会议今天召开。", "会议今天召开。" },
    { "(서울=연합뉴스) 김철수 기자 = 회의가 열렸다.", "회의가 열렸다." },
    { "[엔터미디어=김철수] 회의가 열렸다.", "회의가 열렸다." },
    { "近日电影节开幕，观众很多。", "近日电影节开幕，观众很多。" },
    { "भारत ने कहा - यह सच है।", "भारत ने कहा - यह सच है।" },
    { "\xe2\x80\x94 " PROSE, PROSE },
    { "- " PROSE "\n- Another item of it.", PROSE "\n\nAnother item of it." },
    { "The mill, opens new tab stood(öffnet im neuen Fenster) there.", "The mill stood there." },
    { "The mill stood.[12] It burned.[a][3]", "The mill stood. It burned." },
    { "The council saved money.It met på.Det er nok.- Ja.", "The council saved money. It met på. Det er nok. - Ja." },
    { "See Mail.Ru, What.CD, and example.com, or Node.Js in EE.UU and the U.S.Army.",
      "See Mail.Ru, What.CD, and example.com, or Node.Js in EE.UU and the U.S.Army." },
    { PROSE "\nLesen Sie auch: Zehn Tipps", PROSE },
    { PROSE "\nLire aussi\nLea también: Otra nota\nLeia mais no Jornal", PROSE },
    { "Photo: Jane Doe/AP\n" PROSE, PROSE },
};

static void
sentences_about_the_text_are_noise (void **state UNUSED)
{
    static const char *const noise[] = {
        "This post was written by Jane Doe, MD, of the clinic.",
        "This is a guest post by Jane, a travel blogger.",
        "This article was originally published on October 7, 2008.",
        "Article mis à jour le 7 janvier 2020.",
        "Dieser Beitrag erschien zuerst in der Zeitung von gestern.",
        "Updated at 3:45 p.m. ET with a statement of the company.",
        "Editor\xe2\x80\x99s Note, December 19, 2025: We have added three shoes.",
        "Jane Doe is a senior reporter covering energy in the north.",
        "Jane van Doe ist Redakteurin im Ressort Wirtschaft und lebt dort.",
        "Follow us on the channels that you like most of all.",
        "Sign up for our newsletter and get it in your inbox each day.",
        "This site uses cookies to give you the best experience.",
        "We may earn a commission when you buy through our links.",
        "When you buy something, we earn an affiliate commission on it.",
        "Additional reporting by John Roe in Oslo and Jane Doe there.",
        "Write to jane@example.com with what you think of it.",
        "The mill at dusk. \xc2\xa9 John Roe of the agency",
        "Home > News > The mill burned down at night.",
        "It starts on 2025-11-03 10:00:00 in the hall of the town.",
        "15.04.2026 - 15:48 UhrLesedauer: 2 Min. Der Rat tagt heute.",
        "Mit Informationen der Agenturen und unserer Leute in Oslo.",
        "記事をマイページに保存し、あとで読むことができます。",
        "[What you need to know to start the day: it is all here.]",
        "File photo of the mayor at a meeting last year.",
        "The post The mill burned down at night appeared first on The Coin Ferry.",
        "What a day it was! pic.example.com/1 \xe2\x80\x94 Jane Doe (@jane) said it.",
        "All of it is at https://example.com/mill for those who want it.",
        "An dieser Stelle finden Sie einen externen Inhalt von einem Anbieter.",
        "La suite de cet article est réservée aux abonnés du journal.",
    };
    static const char *const prose[] = {
        PROSE,
        "The report, published on Monday, says that the mill is old.",
        "Readers of this article will know the mill by the river.",
        "Jane Doe is a farmer who found a reporter in her barn.",
        "The company updated its forecast on Monday after the storm.",
        "He is an editor of films and lives by the river.",
        "Cookies are baked at the mill twice a week by hand.",
        "This week, a report published by the council says the same.",
        "The bill is sponsored by a member of the council from there.",
        "Am 31.10.2023, gegen 23:40 Uhr, kam es zu einem Brand.",
        "Either/or is not a question that the council asks itself.",
    };
    for (size_t i = 0; i < COUNT_OF (noise); i++)
        if (!article_sentence_is_noise (noise[i], strlen (noise[i])))
            fail_msg ("taken for prose: %s", noise[i]);
    for (size_t i = 0; i < COUNT_OF (prose); i++)
        if (article_sentence_is_noise (prose[i], strlen (prose[i])))
            fail_msg ("taken for noise: %s", prose[i]);
}

static void
cleaning_drops_what_is_no_prose_and_nothing_else (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cleans); i++) {
        char *clean = article_clean (cleans[i].text, strlen (cleans[i].text));
        assert_string_equal (clean, cleans[i].expected);
        free (clean);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (sentences_end_where_a_reader_ends_them),
        cmocka_unit_test (sentences_know_their_kind),
        cmocka_unit_test (half_sentences_are_not_whole),
        cmocka_unit_test (words_are_read_as_search_sees_them),
        cmocka_unit_test (an_endless_word_is_cut_between_code_points),
        cmocka_unit_test (stop_words_stems_and_weights),
        cmocka_unit_test (cleaning_drops_what_is_no_prose_and_nothing_else),
        cmocka_unit_test (sentences_about_the_text_are_noise),
    };
    return cmocka_run_group_tests_name ("sentence", tests, NULL, NULL);
}
