/* The local summariser and embedder: what a summary may hold, and that likeness of texts is
 * likeness of vectors. SPDX-License-Identifier: MPL-2.0 */
#include "model/local.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char article[] =
    "By Jane Doe\nUpdated 3:14 PM ET, Nov 3, 2025\n\n"
    "VALMERE, Tuesday \xe2\x80\x93 The harbour bridge of Valmere was closed to lorries on Monday "
    "after engineers found "
    "cracks in two of its main girders. The cracks were found by a robot that crawls along the "
    "steel once a month.\n\n"
    "Scroll down for pictures\n\n"
    "Cars and buses may still cross the harbour bridge, but lorries must take the tunnel, eleven "
    "kilometres further "
    "north. Hauliers say that the detour costs them forty minutes a trip.\n\n"
    "Engineers found cracks in two of the main girders of the Valmere harbour bridge, and closed "
    "it to lorries.\n\n"
    "It rained. The weather in the port was otherwise calm, and gulls sat on the railings. The "
    "city will decide on "
    "Friday whether the girders of the bridge can be repaired before the winter.";

static char *
summary_of (const char *text)
{
    return local_summarise ("A title", text, strlen (text));
}

static size_t
count_of (const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr (at, part)); at += strlen (part))
        count++;
    return count;
}

static void
a_summary_is_three_whole_sentences_in_order_without_byline (void **state UNUSED)
{
    char *summary = summary_of (article);
    assert_ptr_equal (strstr (summary, "The harbour bridge of Valmere was closed"), summary);
    assert_int_equal (count_of (summary, "."), LOCAL_SUMMARY_SENTENCES);
    assert_int_equal (summary[strlen (summary) - 1], '.');
    static const char *const absent[] = { "Jane",      "Updated", "VALMERE", "Scroll",
                                          "It rained", "\n",      "  ",      "gulls" };
    for (size_t i = 0; i < COUNT_OF (absent); i++)
        assert_null (strstr (summary, absent[i]));
    free (summary);
}

static void
what_was_said_is_not_said_again (void **state UNUSED)
{
    char *summary = summary_of (article);
    assert_int_equal (count_of (summary, "two of its main girders"), 1);
    assert_int_equal (count_of (summary, "two of the main girders"), 0);
    free (summary);
}

static const struct summary_case {
    const char *text, *expected;
} cases[] = {
    { "", "A title" },
    { " \n\t ", "A title" },
    { "!!! ... ???", "A title" },
    { "Rain stopped play.", "Rain stopped play." },
    { "Rain , wind and hail\n  stopped play .", "Rain, wind and hail stopped play." },
    { "Rain stopped play. Nobody came. All left.", "Rain stopped play. Nobody came. All left." },
    { "No full stop but a few words in a row", "No full stop but a few words in a row" },
    { "Short line\n\nNo full stop but a few words in a row\n\nHe left.", "No full stop but a few words in a row" },
    { "By Jane Doe", "A title" },
    { "Updated by Jane Doe on 2017-09-21 at 16:03:01Z.", "A title" },
    { "The council met on Monday to vote on the bridge and to hear ...", "A title" },
    { "The council met on Monday to vote. It heard all the engineers, who said that [\xe2\x80\xa6]",
      "The council met on Monday to vote." },
    { "the council met on monday to vote on it.", "the council met on monday to vote on it." },
    { "The mill by the river\nstopped turning on Monday.",
      "The mill by the river stopped turning on Monday." },
    { "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd\xe6\x88\x91\xe4\xbb"
      "\xac\xe5\x87\xba\xe5\x8e\xbb\xe3\x80\x82"
      "\xe6\x98\x8e\xe5\xa4\xa9\xe4\xbc\x9a\xe4\xb8\x8b\xe9\x9b\xa8\xe5\xa4\xa7\xe5\xae\xb6\xe5\x9c"
      "\xa8\xe5\xae\xb6\xe9\x87\x8c\xe3\x80\x82",
      "\xe4\xbb\x8a\xe5\xa4\xa9\xe5\xa4\xa9\xe6\xb0\x94\xe5\xbe\x88\xe5\xa5\xbd\xe6\x88\x91\xe4\xbb"
      "\xac\xe5\x87\xba\xe5\x8e\xbb\xe3\x80\x82"
      "\xe6\x98\x8e\xe5\xa4\xa9\xe4\xbc\x9a\xe4\xb8\x8b\xe9\x9b\xa8\xe5\xa4\xa7\xe5\xae\xb6\xe5\x9c"
      "\xa8\xe5\xae\xb6\xe9\x87\x8c\xe3\x80\x82" },
};

static void
short_and_odd_texts_are_given_as_they_are (void **state UNUSED)
{
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        char *summary = summary_of (cases[i].text);
        assert_string_equal (summary, cases[i].expected);
        free (summary);
    }
}

/* Articles as pages give them, each with all that a summary must not hold; expected: how the summary begins, and what
 * else is in it. */
static const struct article_case {
    const char *text, *begins, *holds;
} articles[] = {
    { "Hafenbrücke gesperrt\n\nVon Jana Beispiel\n\nStand: 03.11.2025, 15:14 Uhr\n\n"
      "Valmere (dpa) - Die Hafenbrücke von Valmere ist seit dem 3. November für Lastwagen gesperrt. Ingenieure hatten "
      "bzw. haben in zwei "
      "Trägern der Brücke Risse gefunden, sagte Prof. Dr. Roe.\n\nLesen Sie auch: Zehn Tipps für den Garten\n\n"
      "„Die Brücke ist sicher. Lastwagen müssen aber den Tunnel nehmen.“\n\n"
      "Der Tunnel liegt elf Kilometer weiter nördlich und kostet die Fahrer vierzig Minuten. Jana Beispiel ist "
      "Redakteurin im "
      "Ressort Wirtschaft. Dieser Artikel wurde zuletzt aktualisiert am 3. November 2025.",
      "Die Hafenbrücke von Valmere ist seit dem 3. November für Lastwagen gesperrt.", "sagte Prof. Dr. Roe." },
    { "Le pont du port fermé\n\nPar Jeanne Exemple\n\nPublié le 3 novembre 2025 à 18h30, mis à jour le 4 novembre "
      "2025\n\n"
      "VALMERE (AFP) - Le pont du port de Valmere est fermé aux camions depuis lundi. M. Roe, ingénieur, a trouvé des "
      "fissures "
      "dans deux poutres du pont.\n\nAbonnez-vous à notre newsletter\n\nLes camions doivent prendre le tunnel, onze "
      "kilomètres "
      "plus au nord.\n\nCe site utilise des cookies pour mesurer son audience.",
      "Le pont du port de Valmere est fermé aux camions depuis lundi.", "M. Roe, ingénieur, a trouvé" },
    { "Por Juana Ejemplo\n\nActualizado el 3 de noviembre de 2025, 10:15\n\nValmere, 3 nov (EFE).- El puente del puerto "
      "de Valmere "
      "está cerrado a los camiones desde el lunes. La Dra. Roe encontró grietas en dos vigas del puente.\n\nLea "
      "también: Diez "
      "consejos\n\nLos camiones deben usar el túnel, once kilómetros más al norte.\n\nHaz clic aquí para recibir todas "
      "las noticias.",
      "El puente del puerto de Valmere está cerrado a los camiones desde el lunes.", "La Dra. Roe encontró grietas" },
    { "ВАЛЬМЕРЕ, 3 ноя — РИА Новости. Мост в порту Вальмере закрыт для грузовиков с понедельника. Инженеры нашли "
      "трещины в двух "
      "балках моста в 2025 г. и раньше.\n\nЧитайте также: Десять советов\n\nГрузовики должны ехать через тоннель на "
      "севере города.",
      "Мост в порту Вальмере закрыт для грузовиков с понедельника.", "Инженеры нашли трещины" },
    { "【11月3日 AFP】バルメア港の橋は月曜日からトラックの通行が禁止されている。市長は「橋は安全だ。」と述べた。"
      "\n\n関連記事\n\n技師らは橋の二本の桁に亀裂を見つけた。",
      "バルメア港の橋は月曜日からトラックの通行が禁止されている。", "「橋は安全だ。」と述べた。" },
    { "新华社瓦尔梅尔11月3日电（记者张三）瓦尔梅尔港大桥周一起禁止卡车通行。工程师在大桥的两根主梁上发现了裂缝。\n\n卡车"
      "必须绕行北边十一公里的隧道。",
      "瓦尔梅尔港大桥周一起禁止卡车通行。", "工程师在大桥的两根主梁上发现了裂缝。" },
    { "القاهرة (رويترز) - أغلق جسر الميناء أمام الشاحنات منذ يوم الاثنين. وجد المهندسون شقوقا في عارضتين من عوارض "
      "الجسر.\n\nاقرأ أيضا: عشر "
      "نصائح\n\nيجب على الشاحنات أن تسلك النفق في شمال المدينة.",
      "أغلق جسر الميناء أمام الشاحنات منذ يوم الاثنين.", "وجد المهندسون شقوقا" },
    { "वालमेरे बंदरगाह का पुल सोमवार से ट्रकों के लिए बंद है। इंजीनियरों को पुल के दो गर्डरों में दरारें मिलीं।\n\nयह भी पढ़ें: दस सुझाव\n\n"
      "ट्रकों को शहर के उत्तर की सुरंग से जाना होगा।",
      "वालमेरे बंदरगाह का पुल सोमवार से ट्रकों के लिए बंद है।", "इंजीनियरों को पुल के दो गर्डरों में दरारें मिलीं।" },
    { "Harbour bridge closed to lorries\nBy JANE DOE, Associated Press\nNov 3, 2025 Updated 3:45 p.m. ET\n5 min "
      "read\nShare on Facebook\n"
      "Lorries on the bridge on Sunday. (AP Photo/John Roe)\n"
      "VALMERE, Calif. (AP) \xe2\x80\x94 The harbour bridge of Valmere, Calif., was closed to lorries on Monday. Mr. J. "
      "K. Roe of Roe & Co. found "
      "cracks in two girders, i.e. No. 5 and No. 6, on Nov. 2 at 9 a.m. in the rain.\nAdvertisement\n"
      "- Lorries must take the tunnel, eleven kilometres to the north.\n- Cars may cross\n"
      "“It is safe. Drive on,” the mayor said.\nRead more: Ten bridges\nSign up for our newsletter and get it all in "
      "your inbox.\n"
      "Jane Doe is a reporter covering bridges for the agency.\nFollow her at @janedoe.\nAll rights reserved.",
      "The harbour bridge of Valmere, Calif., was closed to lorries on Monday.",
      "i.e. No. 5 and No. 6, on Nov. 2 at 9 a.m. in the rain." },
};

static void
articles_of_many_languages_are_cleaned_first (void **state UNUSED)
{
    static const char *const absent[] = {
        "Jana",  "Stand:",    "dpa",        "Lesen",       "Redakteurin", "Artikel",   "Jeanne",        "Publié",
        "AFP",   "cookies",   "Juana",      "Actualizado", "EFE",         "Lea ",      "Haz clic",      "РИА",
        "ноя",   "Читайте",   "関連",       "新华社",      "记者",        "رويترز",    "اقرأ",          "यह भी",
        "JANE",  "Jane",      "Updated",    "min read",    "Share",       "AP",        "Advertisement", "Cars",
        "Drive", "Read more", "newsletter", "Follow",      "reserved",    "on Sunday", "- Lorries",     "\n",
    };
    for (size_t i = 0; i < COUNT_OF (articles); i++) {
        const struct article_case *row = &articles[i];
        char *summary = summary_of (row->text);
        if (strstr (summary, row->begins) != summary || !strstr (summary, row->holds))
            fail_msg ("another summary than expected: %s", summary);
        for (size_t k = 0; k < COUNT_OF (absent); k++)
            if (strstr (summary, absent[k]))
                fail_msg ("\"%s\" in a summary: %s", absent[k], summary);
        free (summary);
    }
}

/* The position's bonus is 0.6 over its root: of sentences that share nothing, the first are taken; one that says what
 * all of the article says comes from further back. */
static void
position_and_centroid_both_count (void **state UNUSED)
{
    static const char unlike[] =
        "Apples ripen slowly under northern skies. Bridges carry lorries across deep rivers. Candles burn "
        "quietly inside wooden chapels. Dogs chase rabbits through frozen meadows.";
    char *summary = summary_of (unlike);
    assert_non_null (strstr (summary, "Apples"));
    assert_non_null (strstr (summary, "Bridges"));
    assert_non_null (strstr (summary, "Candles"));
    assert_null (strstr (summary, "Dogs"));
    free (summary);
    static const char late[] =
        "Apples ripen slowly under northern skies. Harbour cranes lift steel. Candles burn quietly inside wooden "
        "chapels. Dogs chase rabbits through frozen meadows. Harbour cranes need steel cables, and the steel cables of "
        "harbour cranes wear out. Cables of steel for cranes of the harbour are dear.";
    summary = summary_of (late);
    assert_non_null (strstr (summary, "wear out."));
    assert_null (strstr (summary, "Dogs"));
    free (summary);
}

static void
a_long_text_takes_linear_time (void **state UNUSED)
{
    static const size_t sizes[] = { 1u << 17, 1u << 20 };
    int64_t took[2];
    for (size_t k = 0; k < 2; k++) {
        struct buf text = { 0 };
        for (size_t i = 0; text.len < sizes[k]; i++)
            buf_printf (&text,
                        "%sWord%zu of %zu came (again) and left the \xe2\x80\x9charbour\xe2\x80\x9d in No. %zu, e.g. "
                        "on Nov. 3.%s",
                        i % 7 ? "" : "- ", i, i % 1000, i % 10, i % 5 ? " " : "\n");
        int64_t start = clock_mono_us ();
        free (local_summarise (NULL, text.data, text.len));
        took[k] = clock_mono_us () - start;
        buf_fini (&text);
    }
    print_message ("%zu kB in %d ms, %zu kB in %d ms\n", sizes[0] >> 10, (int) (took[0] / 1000), sizes[1] >> 10,
                   (int) (took[1] / 1000));
    assert_true (took[1] < 40 * took[0] + US_PER_S); /* quadratic would be 64 times */
}

static size_t
chars_of (const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char) *text & 0xc0) != 0x80;
    return count;
}

/* Checks that a text of `unit` again and again is cut near 800 characters, before a unit, and
 * marked. */
static void
expect_cut (const char *unit)
{
    struct buf text = { 0 };
    for (int i = 0; i < 2000; i++)
        buf_add_str (&text, unit);
    char *summary = local_summarise (NULL, text.data, text.len);
    size_t bytes = strlen (summary);
    assert_int_equal (utf8_valid_bytes (summary, bytes), bytes);
    assert_in_range (chars_of (summary), 750, 801);
    assert_string_equal (summary + bytes - 3, "\xe2\x80\xa6");
    assert_memory_equal (summary, text.data, bytes - 3);
    assert_true (unit[strlen (unit) - 1] != ' ' || text.data[bytes - 3] == ' ');
    free (summary);
    buf_fini (&text);
}

static void
an_endless_sentence_is_cut_at_a_border (void **state UNUSED)
{
    expect_cut ("harbour ");
    expect_cut ("\xe5\xa5\xbd\xe5\xa4\xa9");
    expect_cut ("\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1");
    expect_cut ("x");
}

static float
cosine_of (const char *one, const char *other)
{
    float a[LOCAL_DIMENSIONS], b[LOCAL_DIMENSIONS], dot = 0;
    local_embed (one, strlen (one), a);
    local_embed (other, strlen (other), b);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        dot += a[i] * b[i];
    return dot;
}

static void
every_vector_has_length_one (void **state UNUSED)
{
    static const char *const texts[] = {
        article, "bitcoin", "to be or not to be", "", "!!!", "\xff\xfe", "\xe5\xa5\xbd", "1 2 3",
    };
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        assert_true (fabsf (cosine_of (texts[i], texts[i]) - 1) < 1e-5f);
    }
    assert_true (fabsf (cosine_of ("", "!!!") - 1) < 1e-5f);
}

static void
related_texts_are_nearer_than_others (void **state UNUSED)
{
    static const struct {
        const char *query, *near, *far;
    } rows[] = {
        { "cracks in the bridge", article,
          "The central bank kept its interest rate at four percent on Tuesday." },
        { "mining bitcoins", "A bitcoin mine heats the pool.", "A gold rush began in the valley." },
        { "Closed bridges", "The bridge was closing.", "The school was opening." },
        { "cryptography", "a cryptographic proof", "a geographic atlas" },
        { "\xe4\xb8\x8a\xe6\xb5\xb7\xe5\xa4\xa9\xe6\xb0\x94",
          "\xe4\xbb\x8a\xe5\xa4\xa9\xe4\xb8\x8a\xe6\xb5\xb7\xe4\xb8\x8b\xe9\x9b\xa8",
          "\xe5\x8c\x97\xe4\xba\xac\xe7\x9a\x84\xe5\xa4\xa7\xe5\xad\xa6" },
        { "\xd1\x86\xd0\xb5\xd0\xbd\xd0\xb0 \xd0\xbd\xd0\xb5\xd1\x84\xd1\x82\xd0\xb8",
          "\xd0\x9d\xd0\x95\xd0\xa4\xd0\xa2\xd0\x98 \xd0\xbc\xd0\xb0\xd0\xbb\xd0\xbe",
          "\xd1\x84\xd1\x83\xd1\x82\xd0\xb1\xd0\xbe\xd0\xbb "
          "\xd1\x81\xd0\xb5\xd0\xb3\xd0\xbe\xd0\xb4\xd0\xbd\xd1\x8f" },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++)
        assert_true (cosine_of (rows[i].query, rows[i].near)
                     > cosine_of (rows[i].query, rows[i].far) + 0.1f);
}

static void
case_order_and_stop_words_do_not_matter (void **state UNUSED)
{
    assert_true (cosine_of ("The bridge over the harbour", "HARBOUR bridges") > 0.999f);
    assert_true (cosine_of ("bitcoin sequencer", "turnip gardening") < 0.5f);
}

/* Stored vectors are compared with vectors of a later build: the same text must always give the
 * same numbers. */
static void
vectors_stay_as_they_are (void **state UNUSED)
{
    float vector[LOCAL_DIMENSIONS];
    char seen[64] = "";
    local_embed ("fjord", 5, vector);
    for (size_t i = 0; i < LOCAL_DIMENSIONS; i++)
        if (fabsf (vector[i]) > 0.4f)
            snprintf (seen + strlen (seen), sizeof seen - strlen (seen), "%s%zu",
                      vector[i] < 0 ? " -" : " +", i);
    assert_string_equal (seen, " -14 -19 -99 +363");
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_summary_is_three_whole_sentences_in_order_without_byline),
        cmocka_unit_test (what_was_said_is_not_said_again),
        cmocka_unit_test (short_and_odd_texts_are_given_as_they_are),
        cmocka_unit_test (articles_of_many_languages_are_cleaned_first),
        cmocka_unit_test (position_and_centroid_both_count),
        cmocka_unit_test (a_long_text_takes_linear_time),
        cmocka_unit_test (an_endless_sentence_is_cut_at_a_border),
        cmocka_unit_test (every_vector_has_length_one),
        cmocka_unit_test (related_texts_are_nearer_than_others),
        cmocka_unit_test (case_order_and_stop_words_do_not_matter),
        cmocka_unit_test (vectors_stay_as_they_are),
    };
    return cmocka_run_group_tests_name ("local", tests, NULL, NULL);
}
