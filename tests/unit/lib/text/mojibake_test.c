/* Text that was encoded twice. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/mojibake.h"

#include <iconv.h>
#include <stdlib.h>
#include <string.h>

static const char *const texts[] = {
    "Flüchtlinge und Kältewelle",
    "Infineon-Chef: „Ohne uns fährt kein Fahrzeug autonom“",
    "L’inflation, à la veille de l’été, s’élève à 3 %",
    "O coração não está em Lisboa, e a inflação é de dois dígitos",
    "El niño pidió más azúcar, ¿verdad?",
    "Ещё один день на бирже: биткойн растёт",
    "ビットコインが急騰、過去最高値を更新",
    "比特币价格再创新高",
    "Łódź i Gdańsk: ceny rosną już od września",
    "€ 5 000 – nur für Mitglieder…",
    "The bull run is back 🚀🚀",
    "Zürich",
};

/* Each byte above ASCII as a character of ISO 8859-1, in UTF-8. given (free) */
static char *
twice (const char *text)
{
    struct buf out = { 0 };
    for (; *text; text++) {
        char encoded[4];
        buf_add (&out, encoded, utf8_encode ((unsigned char) *text, encoded));
    }
    return buf_take (&out);
}

/* The same by windows-1252; NULL where it has no character for a byte. given (free) */
static char *
twice_by_windows (const char *text)
{
    iconv_t way = iconv_open ("UTF-8", "WINDOWS-1252");
    assert_true (way != (iconv_t) -1);
    size_t left = strlen (text), room = left * 3 + 1;
    char *copy = mem_dup (text), *from = copy, *out = mem_alloc (room), *to = out;
    memset (out, 0, room);
    bool whole = iconv (way, &from, &left, &to, &room) != (size_t) -1;
    iconv_close (way);
    free (copy);
    if (!whole) {
        free (out);
        out = NULL;
    }
    return out;
}

static void
check_repaired (char *text, const char *expect)
{
    if (!mojibake_repair (text) || strcmp (text, expect) != 0)
        fail_msg ("\"%s\", not \"%s\"", text, expect);
    free (text);
}

static void
what_was_encoded_twice_is_repaired (void **state UNUSED)
{
    size_t by_windows = 0;
    for (size_t i = 0; i < COUNT_OF (texts); i++) {
        check_repaired (twice (texts[i]), texts[i]);
        char *other = twice_by_windows (texts[i]);
        if (!other)
            continue;
        by_windows++;
        check_repaired (other, texts[i]);
    }
    assert_true (by_windows >= 8);
    check_repaired (mem_dup ("itâ€™s â€œfineâ€"), "it’s “fineâ€"); /* a byte was lost on the way */
    check_repaired (mem_dup ("<p>grÃ¼n &nbsp;– fÃ¤hrt</p>"), "<p>grün &nbsp;– fährt</p>");
}

static void
check_left (const char *text)
{
    char *copy = mem_dup (text);
    if (mojibake_repair (copy) || strcmp (copy, text) != 0)
        fail_msg ("\"%s\" became \"%s\"", text, copy);
    free (copy);
}

static void
what_is_right_is_left_alone (void **state UNUSED)
{
    static const char *const others[] = {
        "", "plain", "NESTLÉ® and CAFÉ® rise", "AVELÃ… e mel", "“MAÇÔ", "SÃO PAULO – AÇÃO", "naïve café’s", "ÂNGELA", "â", "Ã",
        "«Ça va»", "50 µm ± 2 %", "Trump promet la « liberté\u00a0»", "Ligue 1\u00a0: «\u00a0On a bien joué\u00a0», assure Luis Enrique",
        "Voilà\u00a0» dit-il", "Bienvenue à\u00a0« Paris Land »", "Il a gagné\u00a0– et de loin", "“We love Mbappé…”",
        "Why fans love ‘Beyoncé’”", "“Thank you, José”—and out", "Visit to Café™®", "Vil ikke gå\u00a0– blir", "‘Irmã’”",
        "«AMANHû", "Ö, Ü und Ã¤", "2 × 3, 4×½, 5×¼, 6×¾", "Новости: «Café™®»", "ГАЗПРОМ grÃ¼n", "\xff\xfe is no UTF-8 \xc3\x83\xc2\xbc",
        "Texts with grÃ¼n in them explain what became of ü, ä, ö, é and è",
    };
    for (size_t i = 0; i < COUNT_OF (texts); i++)
        check_left (texts[i]);
    for (size_t i = 0; i < COUNT_OF (others); i++)
        check_left (others[i]);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (what_was_encoded_twice_is_repaired),
        cmocka_unit_test (what_is_right_is_left_alone),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
