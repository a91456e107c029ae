/* Tag soup to XML. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/impl.h"

#include <libxml/parser.h>
#include <string.h>

static void
check (const char *soup, const char *expect)
{
    struct xml_body body;
    struct buf out = { 0 };
    repair_prolog (soup, strlen (soup), &body);
    repair_xml (&body, &out);
    assert_string_equal (out.data ? out.data : "", expect);
    buf_fini (&out);
}

static void
drops_the_prolog (void **state UNUSED)
{
    check ("\n <?xml version='1.0'?><!-- <rss> --><!DOCTYPE rss SYSTEM \"x>\" [<!ENTITY a '>'> "
           "]><rss/>",
           "<rss/>");
    check ("Warning: <b>on</b> line 1<br/><?xml version='1.0'?><atom:feed a='1'></atom:feed>",
           "<atom:feed a=\"1\"></atom:feed>");
    check ("<!DOCTYPE rss [", "");
}

static void
reads_references (void **state UNUSED)
{
    check ("<rss>a & b &eacute;&nbsp;&#233;&#xe9; &nosuch; &amp;lt; &#0;&#x1F; AT&T</rss>",
           "<rss>a &amp; b é\xc2\xa0éé &amp;nosuch; &amp;lt;  AT&amp;T</rss>");
    check ("<!DOCTYPE rss [<!ENTITY own \"x &amp; &lt;b>\"><!ENTITY two "
           "'&own;&own;'>]><rss>&own;|&two;</rss>",
           "<rss>x &amp; &lt;b&gt;|&amp;own;&amp;own;</rss>");
}

static void
balances_tags (void **state UNUSED)
{
    check ("<rss><a><b>x</a></c>y", "<rss><a><b>x</b></a>y</rss>");
    check ("<rss><d>one<br>two<IMG src=x></d></rss>",
           "<rss><d>one<br/>two<IMG src=\"x\"/></d></rss>");
    check ("<rss><item><t>1<item><t>2</t></item></rss>",
           "<rss><item><t>1</t></item><item><t>2</t></item></rss>");
    check ("<rss><a>x</A></rss>", "<rss><a>x</a></rss>");
    check ("<rss>a</rss><rss>b</rss>", "<rss>a</rss>");
    check ("<rss>1 < 2 <3 <= 4</rss>", "<rss>1 &lt; 2 &lt;3 &lt;= 4</rss>");
    check ("<rss>cut <b attr=\"", "<rss>cut </rss>");
}

static void
repairs_attributes (void **state UNUSED)
{
    check ("<rss a=1 b='<&\"' a=\"2\" c / d>x</rss>",
           "<rss a=\"1\" b=\"&lt;&amp;&quot;\" c=\"\" d=\"\">x</rss>");
    check ("<rss a = 'b'/>", "<rss a=\"b\"/>");
    check ("<rss a='b>x</rss>", "<rss a=\"b\">x</rss>");
}

static void
keeps_sections_and_drops_the_rest (void **state UNUSED)
{
    check ("<rss><![CDATA[<b> & ]] ]]><!-- gone --><?gone?></rss>",
           "<rss>&lt;b&gt; &amp; ]] </rss>");
    check ("<rss><![CDATA[open", "<rss>open</rss>");
    check ("<rss>a<!-- open", "<rss>a</rss>");
    check ("<rss>a\x01\x0b"
           "b</rss>",
           "<rss>ab</rss>");
}

static bool
is_due (const char *document)
{
    struct xml_body body;
    repair_prolog (document, strlen (document), &body);
    return repair_is_due (&body);
}

static void
too_many_attributes_make_it_due (void **state UNUSED)
{
    struct buf few = { 0 }, many = { 0 };
    for (int i = 0; i < 64; i++)
        buf_printf (&few, " a%d='= > <b c=1'", i);
    buf_printf (&many, "%s a64=''", few.data);
    static const struct {
        const char *form;
        bool due; /* with one more than 64 in its place */
    } rows[] = {
        { "<rss>%s</rss>", false },
        { "<rss%s></rss>", true },
        { "<rss><a/><b%s/></rss>", true },
        { "<rss><!-- <a --> <b%s/></rss>", true },
        { "<rss><![CDATA[ <a b=' ]]><?x <a b=\" ?><b%s/></rss>", true },
        { "<rss><!-- <b%s --></rss>", false },
        { "<rss><![CDATA[ <b%s> ]]></rss>", false },
        { "<rss><b c='open%s></rss>", false },
        { "<rss><b%s 'open", true },
        { "<rss><!-- open <b%s></rss>", false },
        { "%s", false },
    };
    for (size_t i = 0; i < COUNT_OF (rows); i++)
        for (int n = 0; n < 2; n++) {
            struct buf document = { 0 };
            const char *place = strstr (rows[i].form, "%s");
            buf_add (&document, rows[i].form, (size_t) (place - rows[i].form));
            buf_add_str (&document, n ? many.data : few.data);
            buf_add_str (&document, place + 2);
            if (is_due (document.data) != (n && rows[i].due))
                fail_msg ("row %zu: %s", i, rows[i].form);
            buf_fini (&document);
        }
    buf_fini (&few);
    buf_fini (&many);
}

static void
depth_is_bounded (void **state UNUSED)
{
    enum { DEEP = 100000 };
    struct buf soup = { 0 }, out = { 0 };
    buf_add_str (&soup, "<rss>");
    for (int i = 0; i < DEEP; i++)
        buf_add_str (&soup, "<b>");
    buf_add_str (&soup, "deep");
    for (int i = 0; i < DEEP; i++)
        buf_add_str (&soup, "</b>");
    buf_add_str (&soup, "<c>after</c></rss>");
    struct xml_body body;
    repair_prolog (soup.data, soup.len, &body);
    repair_xml (&body, &out);
    xmlDoc *doc = xmlReadMemory (out.data, (int) out.len, NULL, NULL, XML_PARSE_NONET);
    assert_non_null (doc);
    assert_non_null (strstr (out.data, "deep"));
    assert_non_null (strstr (out.data, "</b><c>after</c></rss>"));
    xmlFreeDoc (doc);
    buf_fini (&soup);
    buf_fini (&out);
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (drops_the_prolog),
        cmocka_unit_test (reads_references),
        cmocka_unit_test (balances_tags),
        cmocka_unit_test (repairs_attributes),
        cmocka_unit_test (keeps_sections_and_drops_the_rest),
        cmocka_unit_test (too_many_attributes_make_it_due),
        cmocka_unit_test (depth_is_bounded),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
