/* Bytes to UTF-8. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "text/charset.h"

#include <string.h>

struct sample {
    const char *bytes;
    size_t count; /* 0: bytes end in NUL */
    const char *content_type, *expect;
};

static void
check (const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct sample *s = &samples[i];
        struct buf out = { 0 };
        charset_to_utf8 (s->bytes, s->count ? s->count : strlen (s->bytes), s->content_type, &out);
        if (!out.data || strcmp (out.data, s->expect) != 0)
            fail_msg ("sample %zu: \"%s\", not \"%s\"", i, out.data ? out.data : "", s->expect);
        buf_fini (&out);
    }
}

static void
the_mark_outweighs_all (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "\xef\xbb\xbf<a>\xc3\xa9", 0, "text/xml; charset=koi8-r", "<a>é" },
        { "\xff\xfe<\0\xe9\0", 6, "text/xml; charset=utf-8", "<é" },
        { "\xfe\xff\0<\0\xe9", 6, NULL, "<é" },
        { "\xff\xfe\0\0<\0\0\0\xe9\0\0\0", 12, NULL, "<é" },
        { "<\0?\0\xe9\0", 6, NULL, "<?é" },
        { "\0<\0?\0\xe9", 6, NULL, "<?é" },
    };
    check (samples, COUNT_OF (samples));
}

static void
zero_bytes_tell_where_no_mark_does (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "\n\0<\0\xe9\0", 6, "text/xml; charset=utf-8", "\n<é" },
        { "\0 \0<\0\xe9", 6, NULL, " <é" },
        { "{\0\0\0\xe9\0\0\0", 8, NULL, "{é" },
        { "\0\0\0{\0\0\0\xe9", 8, NULL, "{é" },
    };
    check (samples, COUNT_OF (samples));
}

static void
being_utf8_outweighs_what_is_said (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "<a>\xc3\xa9", 0, "text/xml; charset=iso-8859-1", "<a>é" },
        { "<?xml version='1.0' encoding='windows-1251'?>\xc3\xa9", 0, NULL,
          "<?xml version='1.0' encoding='windows-1251'?>é" },
        /* save where text hides in ASCII */
        { "<a>\x1b$B%S\x1b(B", 0, "text/xml; charset=iso-2022-jp", "<a>ビ" },
    };
    check (samples, COUNT_OF (samples));
}

static void
http_then_declaration_then_guess (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "<?xml encoding='koi8-r'?>\xcf\xf0", 0, "text/xml; charset=\"Windows-1251\"",
          "<?xml encoding='koi8-r'?>Пр" },
        { "<?xml encoding = \"koi8-r\" ?>\xf0\xd2", 0, "text/xml",
          "<?xml encoding = \"koi8-r\" ?>Пр" },
        { "<?xml encoding='koi8-r'?>\xf0\xd2", 0, "text/xml; charset=no-such-thing",
          "<?xml encoding='koi8-r'?>Пр" },
        { "\x93quoted\x94 \x80", 0, "text/xml; charset=ISO-8859-1", "“quoted” €" },
        { "\xb1\xc8\xcc\xd8\x81\x39\xee\x39", 0, "x; charset=gb2312", "比特㐀" },
        /* UTF-8 with a foreign byte in it */
        { "\xc3\xa9 \xc3\xa8 \xe4 \xc3\xa0", 0, "text/xml; charset=utf-8", "é è ä à" },
        { "caf\xe9", 0, NULL, "café" },
        /* servers say iso-8859-1 of all they have */
        { "<?xml encoding='koi8-r'?>\xf0\xd2", 0, "text/xml; charset=iso-8859-1", "<?xml encoding='koi8-r'?>Пр" },
    };
    check (samples, COUNT_OF (samples));
}

static void
labels_mean_what_publishers_mean (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "\x93\x80", 0, "x; charset=ISO_8859-1", "“€" },
        { "\x93\x80", 0, "x; charset=cp819", "“€" },
        { "\xcf\xf0", 0, "x; charset=win-1251", "Пр" },
        { "\xe0\xe1", 0, "x; charset=logical", "אב" },
        { "\xe0\xe1", 0, "x; charset=iso-8859-8-i", "אב" },
        { "\x82\xa2", 0, "x; charset=x-sjis", "い" },
    };
    check (samples, COUNT_OF (samples));
}

static void
meta_is_a_declaration (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "<head><meta charset=koi8-r>\xf0\xd2", 0, "text/html", "<head><meta charset=koi8-r>Пр" },
        { "<META http-equiv=Content-Type content='text/html; charset=windows-1251'>\xcf\xf0", 0, NULL,
          "<META http-equiv=Content-Type content='text/html; charset=windows-1251'>Пр" },
        { "<meta charset=\"iso-8859-1\">\x93x\x94", 0, NULL, "<meta charset=\"iso-8859-1\">“x”" },
        { "<meta charset=iso-8859-1>\xc3\xa9", 0, NULL, "<meta charset=iso-8859-1>é" },
        { "<!-- <meta charset=koi8-r> --><meta charset=windows-1251>\xcf\xf0", 0, NULL,
          "<!-- <meta charset=koi8-r> --><meta charset=windows-1251>Пр" },
        { "<metadata charset=koi8-r>caf\xe9", 0, NULL, "<metadata charset=koi8-r>café" },
        /* HTTP before it */
        { "<meta charset=koi8-r>\xcf\xf0", 0, "text/html; charset=windows-1251", "<meta charset=koi8-r>Пр" },
    };
    check (samples, COUNT_OF (samples));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (the_mark_outweighs_all),
        cmocka_unit_test (zero_bytes_tell_where_no_mark_does),
        cmocka_unit_test (labels_mean_what_publishers_mean),
        cmocka_unit_test (being_utf8_outweighs_what_is_said),
        cmocka_unit_test (http_then_declaration_then_guess),
        cmocka_unit_test (meta_is_a_declaration),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
