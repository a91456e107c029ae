/* date_words - the tables behind date.c. A language is one row; a zone is one row.
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date_words.h"
#include "base/base.h"

#include <string.h>
#include <unicode/uchar.h>

#define WORD_SIZE 64          /* bytes of a word in lower case */
#define ABBREVIATION_POINTS 3 /* letters that an abbreviated month has at least */

/* Twelve months a row, lower case. A word matches what it abbreviates, so the more common language
 * comes first; a second row of a language has its other cases, abbreviations and spellings ("-"
 * where there is none). */
static const char *const months[] = {
    /* English */
    "january february march april may june july august september october november december",
    /* German */
    "januar februar märz april mai juni juli august september oktober november dezember",
    /* German */
    "jänner feber maerz - - - - - - - - -",
    /* German */
    "- - mrz - - - - - - - - -",
    /* French */
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    /* French */
    "- fevrier - - - jui juil aout - - - decembre",
    /* Spanish */
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    /* Spanish */
    "- - - - - - - - setiembre - - -",
    /* Italian */
    ("gennaio febbraio marzo aprile maggio giugno "
     "luglio agosto settembre ottobre novembre dicembre"),
    /* Portuguese */
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    /* Dutch */
    "januari februari maart april mei juni juli augustus september oktober november december",
    /* Dutch */
    "- - mrt - - - - - - - - -",
    /* Swedish */
    "januari februari mars april maj juni juli augusti september oktober november december",
    /* Danish, Norwegian */
    "januar februar marts april maj juni juli august september oktober november december",
    /* Norwegian */
    "- - - - - - - - - - - desember",
    /* Catalan */
    "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    /* Polish */
    ("stycznia lutego marca kwietnia maja czerwca "
     "lipca sierpnia września października listopada grudnia"),
    /* Polish */
    ("styczeń luty marzec kwiecień maj czerwiec "
     "lipiec sierpień wrzesień październik listopad grudzień"),
    /* Czech */
    "ledna února března dubna května června července srpna září října listopadu prosince",
    /* Czech */
    "leden únor březen duben květen červen červenec srpen září říjen listopad prosinec",
    /* Hungarian */
    ("január február március április május június "
     "július augusztus szeptember október november december"),
    /* Hungarian */
    "- - márc ápr máj jún júl - szept - - -",
    /* Romanian */
    ("ianuarie februarie martie aprilie mai iunie "
     "iulie august septembrie octombrie noiembrie decembrie"),
    /* Turkish */
    "ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık",
    /* Finnish */
    ("tammikuu helmikuu maaliskuu huhtikuu toukokuu kesäkuu "
     "heinäkuu elokuu syyskuu lokakuu marraskuu joulukuu"),
    /* Finnish */
    ("tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta "
     "heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta"),
    /* Estonian */
    "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    /* Latvian */
    ("janvāris februāris marts aprīlis maijs jūnijs "
     "jūlijs augusts septembris oktobris novembris decembris"),
    /* Lithuanian */
    ("sausio vasario kovo balandžio gegužės birželio "
     "liepos rugpjūčio rugsėjo spalio lapkričio gruodžio"),
    /* Icelandic */
    "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    /* Slovak */
    ("januára februára marca apríla mája júna "
     "júla augusta septembra októbra novembra decembra"),
    /* Slovene */
    "januar februar marec april maj junij julij avgust september oktober november december",
    /* Croatian; its listopad, which is October, is November to all others */
    "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna - studenoga prosinca",
    /* Serbian */
    "januar februar mart april maj jun jul avgust septembar oktobar novembar decembar",
    /* Serbian */
    "јануар фебруар март април мај јун јул август септембар октобар новембар децембар",
    /* Bulgarian */
    "януари февруари март април май юни юли август септември октомври ноември декември",
    /* Indonesian */
    "januari februari maret april mei juni juli agustus september oktober november desember",
    /* Russian */
    "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    /* Russian */
    "январь февраль март апрель май июнь июль август сентябрь октябрь ноябрь декабрь",
    /* Ukrainian */
    "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    /* Greek */
    ("ιανουαρίου φεβρουαρίου μαρτίου απριλίου μαΐου ιουνίου "
     "ιουλίου αυγούστου σεπτεμβρίου οκτωβρίου νοεμβρίου δεκεμβρίου"),
    /* Greek */
    ("ιανουάριος φεβρουάριος μάρτιος απρίλιος μάιος ιούνιος "
     "ιούλιος αύγουστος σεπτέμβριος οκτώβριος νοέμβριος δεκέμβριος"),
    /* Greek */
    "ιαν φεβ μάρ απρ μαϊ ιούν ιούλ αύγ σεπ οκτ νοε δεκ",
    /* Greek */
    "ιαν φεβ μαρ απρ μαι ιουν ιουλ αυγ σεπ οκτ νοε δεκ",
    /* Hebrew */
    "ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר",
    /* Hebrew */
    "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
    /* Arabic */
    "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    /* Chinese, Japanese */
    "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
};

/* North American names first: where a name is used twice, feeds mean theirs. */
static const struct {
    const char *name;
    int offset_min;
} zones[] = {
    { "z", 0 },       { "ut", 0 },     { "utc", 0 },     { "gmt", 0 },     { "wet", 0 },
    { "est", -300 },  { "edt", -240 }, { "et", -300 },   { "cst", -360 },  { "cdt", -300 },
    { "ct", -360 },   { "mst", -420 }, { "mdt", -360 },  { "mt", -420 },   { "pst", -480 },
    { "pdt", -420 },  { "pt", -480 },  { "akst", -540 }, { "akdt", -480 }, { "hst", -600 },
    { "ast", -240 },  { "adt", -180 }, { "nst", -210 },  { "ndt", -150 },  { "brt", -180 },
    { "brst", -120 }, { "art", -180 }, { "bst", 60 },    { "ist", 330 },   { "west", 60 },
    { "cet", 60 },    { "met", 60 },   { "mez", 60 },    { "cest", 120 },  { "mest", 120 },
    { "mesz", 120 },  { "eet", 120 },  { "eest", 180 },  { "sast", 120 },  { "cat", 120 },
    { "msk", 180 },   { "msd", 240 },  { "trt", 180 },   { "gst", 240 },   { "pkt", 300 },
    { "ict", 420 },   { "wib", 420 },  { "hkt", 480 },   { "sgt", 480 },   { "awst", 480 },
    { "jst", 540 },   { "kst", 540 },  { "acst", 570 },  { "acdt", 630 },  { "aest", 600 },
    { "aedt", 660 },  { "nzst", 720 }, { "nzdt", 780 },
};

static const struct {
    const char *word;
    enum date_word_kind kind;
} other_words[] = {
    { "mon", DATE_WORD_OTHER }, { "tue", DATE_WORD_OTHER }, { "wed", DATE_WORD_OTHER },
    { "thu", DATE_WORD_OTHER }, { "fri", DATE_WORD_OTHER }, { "sat", DATE_WORD_OTHER },
    { "sun", DATE_WORD_OTHER },
    { "am", DATE_WORD_AM },   { "pm", DATE_WORD_PM },   { "오전", DATE_WORD_AM },
    { "오후", DATE_WORD_PM }, { "上午", DATE_WORD_AM }, { "下午", DATE_WORD_PM },
    { "午前", DATE_WORD_AM }, { "午後", DATE_WORD_PM },
    { "noon", DATE_WORD_NOON }, { "midnight", DATE_WORD_MIDNIGHT },
};

static const struct {
    const char *sign;
    enum date_unit unit;
} units[] = {
    { "년", DATE_UNIT_YEAR },  { "年", DATE_UNIT_YEAR }, { "월", DATE_UNIT_MONTH },
    { "月", DATE_UNIT_MONTH }, { "일", DATE_UNIT_DAY },  { "日", DATE_UNIT_DAY },
    { "号", DATE_UNIT_DAY },   { "시", DATE_UNIT_HOUR }, { "時", DATE_UNIT_HOUR },
    { "时", DATE_UNIT_HOUR },  { "点", DATE_UNIT_HOUR }, { "h", DATE_UNIT_HOUR },
    { "분", DATE_UNIT_MINUTE }, { "分", DATE_UNIT_MINUTE },
    { "초", DATE_UNIT_SECOND }, { "秒", DATE_UNIT_SECOND },
};

/* Months that are also days of the week: Tuesday in French, Italian and Spanish, Wednesday in Hungarian. */
static const char *const days_too[] = { "mar", "sze" };

/* Lower case, without dots. */
static size_t
fold (const char *word, size_t bytes, char out[WORD_SIZE])
{
    size_t length = 0;
    for (size_t at = 0; at < bytes && length + 4 < WORD_SIZE;) {
        uint32_t point;
        size_t n = utf8_decode (word + at, bytes - at, &point);
        if (!n)
            break;
        at += n;
        if (point != '.')
            length += utf8_encode ((uint32_t) u_tolower ((UChar32) point), out + length);
    }
    out[length] = '\0';
    return length;
}

static size_t
count_points (const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char) *text & 0xc0) != 0x80;
    return count;
}

/* 1 to 12, or 0. In one row a whole word wins over an abbreviation, an earlier month over a later
 * one. */
static int
find_in_row (const char *row, const char *word, size_t bytes)
{
    int month = 0, abbreviated = 0;
    bool long_enough = count_points (word) >= ABBREVIATION_POINTS;
    while (*row) {
        size_t n = strcspn (row, " ");
        month++;
        if (n == bytes && memcmp (row, word, n) == 0)
            return month;
        if (!abbreviated && long_enough && n > bytes && memcmp (row, word, bytes) == 0)
            abbreviated = month;
        row += n + (row[n] == ' ');
    }
    return abbreviated;
}

static int
find_month (const char *word, size_t bytes)
{
    for (size_t i = 0; i < COUNT_OF (months); i++) {
        int month = find_in_row (months[i], word, bytes);
        if (month)
            return month;
    }
    return 0;
}

void
date_word_find (const char *word, size_t bytes, struct date_word *ret_word)
{
    char text[WORD_SIZE];
    size_t length = fold (word, bytes, text);
    *ret_word = (struct date_word){ DATE_WORD_OTHER, 0 };
    for (size_t i = 0; i < COUNT_OF (other_words); i++)
        if (strcmp (text, other_words[i].word) == 0) {
            ret_word->kind = other_words[i].kind;
            return;
        }
    for (size_t i = 0; i < COUNT_OF (zones); i++)
        if (strcmp (text, zones[i].name) == 0) {
            *ret_word = (struct date_word){ DATE_WORD_ZONE, zones[i].offset_min };
            return;
        }
    int month = find_month (text, length);
    if (month)
        *ret_word = (struct date_word){ DATE_WORD_MONTH, month };
    for (size_t i = 0; i < COUNT_OF (days_too) && month; i++)
        if (strcmp (text, days_too[i]) == 0)
            ret_word->kind = DATE_WORD_MONTH_OR_DAY;
}

enum date_unit
date_unit_at (const char *text)
{
    for (size_t i = 0; i < COUNT_OF (units); i++)
        if (strncmp (text, units[i].sign, strlen (units[i].sign)) == 0)
            return units[i].unit;
    return DATE_UNIT_NONE;
}
