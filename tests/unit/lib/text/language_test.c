/* Which language texts are told to be in. The texts are ours; articles from real pages and collections of English texts come in
 * where they are at hand, and are skipped where not.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/language.h"
#include "tests/unit/guard.h"

#include <glob.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARED SOURCE_DIR "/../shared/"
#define UNTOLD "nothing"

struct row {
    const char *language; /* NULL: it can't be told */
    const char *text;
};

static const char *
told (const char *text, size_t bytes)
{
    const char *language = language_of (text, bytes);
    return language ? language : UNTOLD;
}

static void
check (const struct row *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        const char *wanted = rows[i].language ? rows[i].language : UNTOLD, *got = told (rows[i].text, strlen (rows[i].text));
        if (strcmp (got, wanted)) {
            print_error ("%s, not %s: %s\n", got, wanted, rows[i].text);
            wrong++;
        }
    }
    assert_int_equal (wrong, 0);
}

/* About as long as what a feed has of an article. */
static void
summaries_are_told (void **state UNUSED)
{
    static const struct row rows[] = {
        { "en", "The harbour will stay closed until Thursday because the storm damaged two of its cranes. Ships wait outside, and the "
                "company that runs the port says nobody knows yet what the repair will cost." },
        { "de", "Der Hafen bleibt bis Donnerstag geschlossen, weil der Sturm zwei Kräne beschädigt hat. Die Schiffe warten draußen, und "
                "was die Reparatur kosten wird, weiß nach Angaben des Betreibers noch niemand." },
        { "fr", "Le port restera fermé jusqu'à jeudi parce que la tempête a endommagé deux grues. Les navires attendent au large, et "
                "l'exploitant affirme que personne ne sait encore combien coûtera la réparation." },
        { "es", "El puerto seguirá cerrado hasta el jueves porque la tormenta dañó dos de sus grúas. Los barcos esperan fuera y la "
                "empresa que lo gestiona dice que nadie sabe todavía cuánto costará la reparación." },
        { "pt", "O porto vai continuar fechado até quinta-feira porque a tempestade danificou dois guindastes. Os navios esperam lá fora "
                "e a empresa que o administra diz que ninguém sabe ainda quanto vai custar o conserto." },
        { "it", "Il porto resterà chiuso fino a giovedì perché la tempesta ha danneggiato due gru. Le navi aspettano al largo e la "
                "società che lo gestisce dice che nessuno sa ancora quanto costerà la riparazione." },
        { "nl", "De haven blijft tot donderdag gesloten omdat de storm twee kranen heeft beschadigd. De schepen wachten buiten en "
                "volgens het bedrijf weet nog niemand wat het herstel gaat kosten." },
        { "sv", "Hamnen är stängd till på torsdag eftersom stormen skadade två av kranarna. Fartygen väntar utanför och bolaget som "
                "driver hamnen säger att ingen ännu vet vad reparationen kommer att kosta." },
        { "da", "Havnen er lukket indtil torsdag, fordi stormen ødelagde to af kranerne. Skibene venter udenfor, og selskabet bag havnen "
                "siger, at ingen endnu ved, hvad det vil koste at få dem lavet." },
        { "no", "Havna holdes stengt til torsdag fordi stormen ødela to av kranene. Skipene venter utenfor, og selskapet som driver "
                "havna, sier at ingen ennå vet hva reparasjonen kommer til å koste." },
        { "fi", "Satama pysyy suljettuna torstaihin asti, koska myrsky vaurioitti kahta nosturia. Laivat odottavat ulkona, eikä kukaan "
                "yhtiön mukaan vielä tiedä, mitä korjaus tulee maksamaan." },
        { "pl", "Port pozostanie zamknięty do czwartku, ponieważ burza uszkodziła dwa dźwigi. Statki czekają na redzie, a spółka, która "
                "nim zarządza, mówi, że nikt jeszcze nie wie, ile będzie kosztować naprawa." },
        { "cs", "Přístav zůstane zavřený až do čtvrtka, protože bouře poškodila dva jeřáby. Lodě čekají venku a společnost, která ho "
                "provozuje, říká, že zatím nikdo neví, kolik bude oprava stát." },
        { "hu", "A kikötő csütörtökig zárva marad, mert a vihar megrongálta két darut. A hajók odakint várakoznak, és az üzemeltető "
                "szerint még senki sem tudja, mennyibe kerül majd a javítás." },
        { "ro", "Portul rămâne închis până joi, pentru că furtuna a avariat două macarale. Navele așteaptă în larg, iar compania care îl "
                "administrează spune că nimeni nu știe încă cât va costa reparația." },
        { "tr", "Fırtına iki vince zarar verdiği için liman perşembe gününe kadar kapalı kalacak. Gemiler dışarıda bekliyor ve limanı "
                "işleten şirket onarımın kaça mal olacağını henüz kimsenin bilmediğini söylüyor." },
        { "vi", "Cảng sẽ đóng cửa đến thứ năm vì cơn bão đã làm hỏng hai cần cẩu. Tàu thuyền đang chờ ở bên ngoài, và công ty điều hành "
                "cảng cho biết chưa ai biết việc sửa chữa sẽ tốn bao nhiêu tiền." },
        { "id", "Pelabuhan akan tetap ditutup sampai hari Kamis karena badai merusak dua derek. Kapal-kapal menunggu di luar, dan "
                "perusahaan yang mengelolanya mengatakan belum ada yang tahu berapa biaya perbaikannya." },
        { "ru", "Порт останется закрытым до четверга, потому что шторм повредил два крана. Суда ждут на рейде, а в компании, которая им "
                "управляет, говорят, что пока никто не знает, сколько будет стоить ремонт." },
        { "uk", "Порт залишиться закритим до четверга, тому що буря пошкодила два крани. Судна чекають на рейді, а в компанії, яка ним "
                "керує, кажуть, що поки ніхто не знає, скільки коштуватиме ремонт." },
        { "bg", "Пристанището ще остане затворено до четвъртък, защото бурята повреди два крана. Корабите чакат навън, а от компанията, "
                "която го управлява, казват, че още никой не знае колко ще струва ремонтът." },
        { "el", "Το λιμάνι θα μείνει κλειστό μέχρι την Πέμπτη, επειδή η καταιγίδα προκάλεσε ζημιές σε δύο γερανούς. Τα πλοία περιμένουν "
                "έξω και κανείς δεν ξέρει ακόμη πόσο θα κοστίσει η επισκευή." },
        { "he", "הנמל יישאר סגור עד יום חמישי כי הסערה פגעה בשני עגורנים. האוניות ממתינות בחוץ, והחברה שמפעילה אותו אומרת שאיש עדיין אינו "
                "יודע כמה יעלה התיקון." },
        { "ar", "سيبقى الميناء مغلقا حتى يوم الخميس لأن العاصفة ألحقت أضرارا برافعتين. وتنتظر السفن في الخارج، وتقول الشركة التي تديره إن "
                "أحدا لا يعرف بعد كم ستبلغ تكلفة الإصلاح." },
        { "fa", "بندر تا روز پنجشنبه بسته می‌ماند، چون توفان به دو جرثقیل آسیب زده است. کشتی‌ها بیرون منتظرند و شرکت گرداننده می‌گوید هنوز "
                "هیچ‌کس نمی‌داند تعمیر آن چقدر هزینه خواهد داشت." },
        { "hi", "तूफ़ान से दो क्रेनें टूट जाने के कारण बंदरगाह गुरुवार तक बंद रहेगा। जहाज़ बाहर इंतज़ार कर रहे हैं और इसे चलाने वाली कंपनी का कहना है कि मरम्मत पर "
                "कितना खर्च आएगा, यह अभी किसी को नहीं पता।" },
        { "th", "ท่าเรือจะปิดจนถึงวันพฤหัสบดีเพราะพายุทำให้ปั้นจั่นเสียหายสองตัว เรือกำลังรออยู่ข้างนอก และบริษัทบอกว่ายังไม่มีใครรู้ว่าค่าซ่อมจะเป็นเท่าไร" },
        { "ja", "嵐でクレーン二基が壊れたため、港は木曜日まで閉鎖されます。船は沖で待っており、修理にいくらかかるかはまだ誰にもわからないと運営会社は話しています。" },
        { "zh", "由于风暴损坏了两台起重机，港口将关闭到星期四。船只在外面等候，经营港口的公司说，目前还没有人知道修理要花多少钱。" },
        { "zh", "由於風暴損壞了兩台起重機，港口將關閉到星期四。船隻在外面等候，經營港口的公司說，目前還沒有人知道修理要花多少錢。" },
        { "ko", "폭풍으로 기중기 두 대가 부서져 항구는 목요일까지 문을 닫는다. 배들은 밖에서 기다리고 있으며, 수리비가 얼마나 들지는 아직 아무도 모른다고 "
                "운영 회사는 말했다." },
    };
    check (rows, COUNT_OF (rows));
}

static void
headlines_are_told (void **state UNUSED)
{
    static const struct row rows[] = {
        { "en", "Central bank keeps rates unchanged as inflation slows" },
        { "de", "Notenbank lässt die Zinsen unverändert, weil die Inflation nachlässt" },
        { "fr", "La banque centrale laisse ses taux inchangés face au ralentissement de l'inflation" },
        { "es", "El banco central mantiene los tipos mientras la inflación se frena" },
        { "pt", "Banco central mantém os juros enquanto a inflação desacelera" },
        { "it", "La banca centrale lascia i tassi invariati mentre l'inflazione rallenta" },
        { "nl", "Centrale bank laat de rente ongewijzigd nu de inflatie daalt" },
        { "pl", "Bank centralny nie zmienia stóp procentowych, bo inflacja spada" },
        { "ru", "Центральный банк сохранил ставку, так как инфляция замедляется" },
        { "uk", "Центральний банк залишив ставку без змін, бо інфляція сповільнюється" },
        { "tr", "Merkez bankası enflasyon yavaşlarken faizi değiştirmedi" },
        { "vi", "Ngân hàng trung ương giữ nguyên lãi suất khi lạm phát chậm lại" },
        { "id", "Bank sentral menahan suku bunga karena inflasi melambat" },
        { "ja", "中央銀行、金利を据え置き インフレは鈍化" },
        { "zh", "通胀放缓，央行维持利率不变" },
        { "ko", "물가 상승 둔화에 중앙은행 기준금리 동결" },
        { "ar", "البنك المركزي يبقي أسعار الفائدة دون تغيير مع تباطؤ التضخم" },
        { "hi", "महंगाई घटने पर केंद्रीय बैंक ने ब्याज दरें नहीं बदलीं" },
    };
    check (rows, COUNT_OF (rows));
}

static void
names_and_tickers_leave_english_english (void **state UNUSED)
{
    static const struct row rows[] = {
        { "en", "Tether mints 1B USDT on Tron as BTC, ETH, SOL and DOGE rally" },
        { "en", "Vitalik Buterin, Changpeng Zhao and Michael Saylor clash over Binance, MicroStrategy and Ethereum L2s" },
        { "en", "Kraken lists PEPE, BONK, WIF and FLOKI perpetuals; Coinbase follows" },
        { "en", "BTC ETF SOL XRP jump 5%\n$BTC $ETH $SOL $XRP all rose after BlackRock's IBIT took in $450M, said Eric Balchunas. "
                "@saylor: \"HODL\". Aave, Lido and EigenLayer TVL is up 12% w/w; the Uniswap DAO votes on UNI fees." },
        { "en", "Nakamura, Müller and Gonçalves leave the Zürich-based Fundação Ethereum for São Paulo's Itaú, Tōkyō's bitFlyer and "
                "München's Börse. All three have worked on Solidity since 2019." },
    };
    check (rows, COUNT_OF (rows));
}

static void
what_has_no_language_has_none (void **state UNUSED)
{
    static const struct row rows[] = {
        { NULL, "" },
        { NULL, " \n\t " },
        { NULL, "BTC" },
        { NULL, "Bitcoin cae" },
        { NULL, "12345 67890 1.234,56 99% -3.2 +7" },
        { NULL, "$BTC $ETH $SOL $AVAX $DOT $LINK $ADA" },
        { NULL, "0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D" },
        { NULL, "asdf jkl qwer uiop zxcv bnm asdfg hjkl" },
        { NULL, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
        { NULL, "\xf0\x9f\x9a\x80\xf0\x9f\x9a\x80\xf0\x9f\x9a\x80 \xf0\x9f\x9a\xa8\xf0\x9f\x9a\xa8" },
        { NULL, "\xff\xfe\x80\x81 \xc3\x28 \xed\xa0\x80 \xf8\x88\x80\x80\x80" },
        { NULL, "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor" },
    };
    check (rows, COUNT_OF (rows));
}

static void
bad_bytes_do_not_hide_the_language (void **state UNUSED)
{
    static const char text[] = "Der Hafen bleibt bis\xff Donnerstag geschlossen,\x01 weil der Sturm\0 zwei Kr\xc3\xa4ne besch\xe4"
                               "digt hat.\xed\xa0\x80 Was die Reparatur kosten wird, wei\xc3";
    assert_string_equal (told (text, sizeof text - 1), "de");
}

static void
only_the_beginning_counts (void **state UNUSED)
{
    struct buf text = { 0 };
    while (text.len < LANGUAGE_BYTES)
        buf_add_str (&text, "Die Schiffe warten draußen, und niemand weiß, was es kosten wird. ");
    size_t german = text.len;
    while (text.len < 4 * german)
        buf_add_str (&text, "The ships wait outside, and nobody knows what it will cost. ");
    assert_string_equal (told (text.data, text.len), "de");
    buf_fini (&text);
}

/* Every beginning of a text in five scripts, and noise, against a page that can't be read. */
static void
any_bytes_will_do (void **state UNUSED)
{
    static const char letters[] = " eaöß大ح<&;", scripts[] = "Größe и размер 大小 크기 حجم आकार the size of it \xf0\x9f\x9a\x80";
    struct guard g = guard_open (2 * LANGUAGE_BYTES);
    for (size_t i = 0; i < sizeof scripts; i++)
        (void) language_of (guard_put (&g, scripts, i), i);
    char noise[2 * LANGUAGE_BYTES];
    unsigned seed = 1;
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < sizeof noise; i++) {
            seed = seed * 1103515245u + 12345u;
            noise[i] = round % 3 ? (char) (seed >> 24) : letters[(seed >> 24) % (sizeof letters - 1)];
        }
        size_t bytes = seed % sizeof noise;
        (void) language_of (guard_put (&g, noise, bytes), bytes);
    }
    guard_close (&g);
}

/* Those that are not English, by hand. nytimes-5 is a list of articles, three of five in Spanish. */
static const struct {
    const char *name, *language;
} foreign[] = {
    { "sh-3252222e61fe", "pt" }, { "sh-23aaecd14171", "pt" },     { "sh-21486419bb10", "id" },      { "sh-7837c9d66c81", "id" },
    { "sh-f105de6e63ca", "ja" }, { "np-japanese-article", "ja" }, { "np-japanese-article2", "ja" }, { "moz-hukumusume", "ja" },
    { "sh-0ec95c7261d1", "ko" }, { "sh-9da36ae4714b", "ko" },     { "np-chinese-article", "zh" },   { "np-burmese-article", "my" },
    { "moz-nytimes-5", "es" },
};

/* Lorem ipsum, from its beginning or from its midst: of no language. */
static bool
is_placeholder (const char *text)
{
    return strstr (text, "consectetur") || strstr (text, "tempor in");
}

static size_t
wrong_in (const char *folder, size_t *count)
{
    glob_t found = { 0 };
    size_t wrong = 0;
    char *pattern = mem_printf ("%s/*.txt", folder);
    (void) glob (pattern, 0, NULL, &found); /* none found is told by the count */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char text[LANGUAGE_BYTES + 1], *name = basename (found.gl_pathv[i]);
        FILE *file = fopen (found.gl_pathv[i], "rb");
        assert_non_null (file);
        size_t bytes = fread (text, 1, sizeof text - 1, file);
        fclose (file);
        text[bytes] = '\0';
        name[strlen (name) - strlen (".txt")] = '\0';
        const char *wanted = is_placeholder (text) ? UNTOLD : "en", *got = told (text, bytes);
        for (size_t k = 0; k < COUNT_OF (foreign); k++)
            if (!strcmp (name, foreign[k].name))
                wanted = foreign[k].language;
        if (strcmp (got, wanted)) {
            print_error ("%s: %s, not %s\n", name, got, wanted);
            wrong++;
        }
    }
    *count += found.gl_pathc;
    globfree (&found);
    free (pattern);
    return wrong;
}

static void
articles_are_told (void **state UNUSED)
{
    size_t count = 0, wrong = wrong_in (SHARED "extraction", &count);
    if (!count) {
        print_message ("skipped: there are no pages in " SHARED "extraction\n");
        skip ();
    }
    char folder[] = "/tmp/language_test-XXXXXX";
    assert_non_null (mkdtemp (folder));
    char *unpack = mem_printf ("tar -xJf " SHARED "extraction/more.tar.xz -C %s --wildcards '*.txt'", folder);
    char *remove = mem_printf ("rm -r %s", folder);
    if (system (unpack) == 0)
        wrong += wrong_in (folder, &count);
    else
        print_message ("without those that tar could not unpack\n");
    assert_int_equal (system (remove), 0);
    free (unpack);
    free (remove);
    print_message ("%zu articles\n", count);
    assert_int_equal (wrong, 0);
}

static void
english_collections_are_english (void **state UNUSED)
{
    static const char *const paths[] = { SHARED "retrieval/scifact/docs.tsv", SHARED "retrieval/xquad/docs.tsv" };
    size_t count = 0, wrong = 0, room = 0;
    char *line = NULL;
    for (size_t i = 0; i < COUNT_OF (paths); i++) {
        FILE *file = fopen (paths[i], "r");
        if (!file) {
            print_message ("skipped: %s is not here\n", paths[i]);
            skip ();
        }
        for (ssize_t bytes; (bytes = getline (&line, &room, file)) > 0; count++) {
            const char *text = strchr (line, '\t');
            assert_non_null (text);
            if (strcmp (told (text, (size_t) (line + bytes - text)), "en")) {
                print_error ("%s", line);
                wrong++;
            }
        }
        fclose (file);
    }
    free (line);
    print_message ("%zu texts\n", count);
    assert_in_range (wrong, 0, 1); /* there is one with a long German title */
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (summaries_are_told),
        cmocka_unit_test (headlines_are_told),
        cmocka_unit_test (names_and_tickers_leave_english_english),
        cmocka_unit_test (what_has_no_language_has_none),
        cmocka_unit_test (bad_bytes_do_not_hide_the_language),
        cmocka_unit_test (only_the_beginning_counts),
        cmocka_unit_test (any_bytes_will_do),
        cmocka_unit_test (articles_are_told),
        cmocka_unit_test (english_collections_are_english),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
