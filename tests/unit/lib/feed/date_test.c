/* Dates as feeds write them. SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "feed/date.h"
#include "feed/feed.h"

#include <stdio.h>
#include <string.h>

struct sample {
    const char *text, *expect; /* expect: NULL if it is no date */
};

static void
check (const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[CLOCK_TEXT_SIZE] = "no date";
        int64_t date = date_parse (samples[i].text);
        if (date != FEED_NO_DATE)
            clock_format (date, text);
        const char *expect = samples[i].expect ? samples[i].expect : "no date";
        if (strcmp (text, expect) != 0)
            fail_msg ("\"%s\": %s, not %s", samples[i].text, text, expect);
    }
}

static void
reads_rfc822_and_its_abuses (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21.000Z" },
        { "Thu, 01 Jan 04 19:48:21 GMT", "2004-01-01T19:48:21.000Z" },
        { "1 Jan 99 00:00 +0000", "1999-01-01T00:00:00.000Z" },
        { "Mon, 2 Jan 2006 15:04:05 -0700", "2006-01-02T22:04:05.000Z" },
        { "Mon,02 January 2006 15:04:05 EST", "2006-01-02T20:04:05.000Z" },
        { "Mon, 13 Feb, 2012 06:28:00 UTC", "2012-02-13T06:28:00.000Z" },
        { "Tue, Feb 16 2016 23:16:00 EDT", "2016-02-17T03:16:00.000Z" },
        { "Sun Jan  4 16:29:06 2004", "2004-01-04T16:29:06.000Z" },
        { "Sun Jul 15 01:16:00 +0000 2012", "2012-07-15T01:16:00.000Z" },
        { "Thu, 29 Oct 2020 07:36:03 GMT-07:00", "2020-10-29T14:36:03.000Z" },
        { "Fri, 31 Mar 2023 20:19:00 America/Los_Angeles", "2023-04-01T03:19:00.000Z" },
        { "Wed, 19 Aug 2009 18:28:00 Etc/GMT", "2009-08-19T18:28:00.000Z" },
        { "Monday, October 6, 2023 - 4:29pm", "2023-10-06T16:29:00.000Z" },
        { "Jan. 4, 2016, 12:37 p.m.", "2016-01-04T12:37:00.000Z" },
        { "Jan. 4, 2016, 12:37 a.m.", "2016-01-04T00:37:00.000Z" },
        { "Fri, 23rd Jun 2023 09:32:20 GMT", "2023-06-23T09:32:20.000Z" },
        { "5 Jun 2017 24:05 PDT", "2017-06-05T07:05:00.000Z" },
        { "26 Sep 2022 GMT", "2022-09-26T00:00:00.000Z" },
        { "\n\t Mon, 2 Jan 2006 15:04:05 Z \n", "2006-01-02T15:04:05.000Z" },
    };
    check (samples, COUNT_OF (samples));
}

static void
reads_iso8601 (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "2003-12-31T10:14:55Z", "2003-12-31T10:14:55.000Z" },
        { "2003-12-31T10:14:55.1234-08:00", "2003-12-31T18:14:55.123Z" },
        { "2003-12-31T10:14:55+0800", "2003-12-31T02:14:55.000Z" },
        { "2003-12-31 10:14:55", "2003-12-31T10:14:55.000Z" },
        { "2003-12-31T10:14Z", "2003-12-31T10:14:00.000Z" },
        { "2003-12-31T24:00:00Z", "2004-01-01T00:00:00.000Z" },
        { "2003-12-31T23:59:60Z", "2004-01-01T00:00:00.000Z" },
        { "2003-12-31", "2003-12-31T00:00:00.000Z" },
        { "2003-12", "2003-12-01T00:00:00.000Z" },
        { "2003", "2003-01-01T00:00:00.000Z" },
        { "20031231", "2003-12-31T00:00:00.000Z" },
        { "20031231T101455Z", "2003-12-31T10:14:55.000Z" },
        { "2004-366", "2004-12-31T00:00:00.000Z" },
        { "1969-12-31T23:59:59.500Z", "1969-12-31T23:59:59.500Z" },
        { "2000-02-28T18:14:55-08:00", "2000-02-29T02:14:55.000Z" },
    };
    check (samples, COUNT_OF (samples));
}

static void
reads_other_languages_and_shapes (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "Lundi, 16. Novembre 2020 - 15:54", "2020-11-16T15:54:00.000Z" },
        { "mar., 01 déc. 2020 16:11:02 +0000", "2020-12-01T16:11:02.000Z" },
        { "Di, 03 Mrz 2020 10:00:00 +0100", NULL }, /* no row knows "Mrz" */
        { "Di, 03 März 2020 10:00:00 +0100", "2020-03-03T09:00:00.000Z" },
        { "Κυρ, 11 Ιούλ 2004 12:00:00 EST", "2004-07-11T17:00:00.000Z" },
        { "Чт, 27 авг 2020 20:10:00 MSK", "2020-08-27T17:10:00.000Z" },
        { "2004년 05월 28일  01:31:15", "2004-05-28T01:31:15.000Z" },
        { "2004-05-25 오후 11:23:17", "2004-05-25T23:23:17.000Z" },
        { "2004年5月28日", "2004-05-28T00:00:00.000Z" },
        { "Fri, 2006/09/15 08:19:53 EDT", "2006-09-15T12:19:53.000Z" },
        { "Fri, 26/06/2020", "2020-06-26T00:00:00.000Z" },
        { "Mon, 03/30/2020 - 19:19", "2020-03-30T19:19:00.000Z" },
        { "30.10.23", "2023-10-30T00:00:00.000Z" },
        { "1518478934", "2018-02-12T23:42:14.000Z" },
        { "1518478934123", "2018-02-12T23:42:14.123Z" },
    };
    check (samples, COUNT_OF (samples));
}

static void
refuses_what_is_no_date (void **state UNUSED)
{
    static const struct sample samples[] = {
        { "", NULL },
        { "  ", NULL },
        { "Tomorrow", NULL },
        { "Sun, 16 zzz 2012 11:47:32 GMT", NULL },
        { "Sun, 16 Dec zz 11:47:32 GMT", NULL },
        { "2003-13-01", NULL },
        { "2003-02-29", NULL },
        { "2003-12-31T25:00:00Z", NULL },
        { "2003-12-31T10:61:00Z", NULL },
        { "9999-12-31T23:59:59-99:99", NULL },
        { "0000-00-00 00:00:00", NULL },
        { "99999999999999999999999999", NULL },
        { "2003-12-31T10:14:55Z and then a long text that goes on and on and on, far beyond what "
          "any date "
          "could have to say of itself, to see that it is refused",
          NULL },
    };
    check (samples, COUNT_OF (samples));
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (reads_rfc822_and_its_abuses),
        cmocka_unit_test (reads_iso8601),
        cmocka_unit_test (reads_other_languages_and_shapes),
        cmocka_unit_test (refuses_what_is_no_date),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
