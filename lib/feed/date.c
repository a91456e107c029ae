/* date - one reader for all shapes. The text is cut into tokens; each token fills a field of the
 * date by what it looks like and by what is known already. What is left over is ignored, a date
 * without year, month or sense is refused. Languages and zones are tables (date_words.c).
 * SPDX-License-Identifier: MPL-2.0 */
#include "feed/date.h"
#include "feed/date_words.h"
#include "feed/feed.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

#define TEXT_MAX 128 /* no date is longer */
#define UNKNOWN (-1)
#define YEAR_MIN 1000 /* years before are what software writes where it knows none */
#define CENTURY_PIVOT 69 /* two-digit years from here on are of the twentieth century (POSIX) */

struct date {
    int year, month, day;
    int hour, minute, second, microsecond;
    bool has_time, has_zone, pm, am;
    bool month_is_word; /* the month came as a word */
    bool month_is_weak; /* of a word that may be a day of the week */
    bool is_torn;       /* a time of which a part is no number */
    int offset_min;     /* east of UTC */
    char region[48];    /* a zone like Europe/Berlin, or empty */
};

static int
read_digits (const char *at, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count && i < 9; i++)
        value = value * 10 + (at[i] - '0');
    return value;
}

static size_t
digits_at (const char *at)
{
    size_t n = 0;
    while (isdigit ((unsigned char) at[n]))
        n++;
    return n;
}

static int
full_year (int year, size_t digits)
{
    return digits > 2 ? year : year < CENTURY_PIVOT ? 2000 + year : 1900 + year;
}

/* ---- the calendar ---- */

static int
days_in_month (int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar: years start in March, so that the leap
 * day is last. */
static int64_t
days_since_epoch (int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* What a region's clock was ahead of UTC, in minutes, when it showed this local time. */
static int
region_offset (const struct date *d)
{
    UChar id[COUNT_OF (d->region)];
    UErrorCode error = U_ZERO_ERROR;
    u_uastrcpy (id, d->region);
    UCalendar *calendar = ucal_open (id, -1, "en", UCAL_GREGORIAN, &error);
    if (U_FAILURE (error))
        return 0;
    ucal_setDateTime (calendar, d->year, d->month - 1, d->day, d->hour, d->minute, d->second,
                      &error);
    int32_t ms = ucal_get (calendar, UCAL_ZONE_OFFSET, &error) +
                 ucal_get (calendar, UCAL_DST_OFFSET, &error);
    ucal_close (calendar);
    return U_SUCCESS (error) ? ms / 60000 : 0;
}

static int64_t
finish (struct date *d)
{
    if (d->year == UNKNOWN || d->month == UNKNOWN || (d->day == UNKNOWN && d->has_time) || d->is_torn)
        return FEED_NO_DATE;
    if (d->day == UNKNOWN)
        d->day = 1;
    int extra_days = 0;
    if (d->hour == 24) { /* ISO 8601 ends a day with it; others mean the day's first hour */
        extra_days = d->minute == 0 && d->second == 0;
        d->hour = 0;
    }
    if (d->pm && d->hour < 12)
        d->hour += 12;
    if (d->am && d->hour == 12)
        d->hour = 0;
    if (d->year < YEAR_MIN || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1 ||
        d->hour > 23 || d->minute > 59 || d->second > 60 ||
        d->day > days_in_month (d->year, d->month))
        return FEED_NO_DATE;
    int offset = d->region[0] ? region_offset (d) : d->offset_min;
    int64_t s = (days_since_epoch (d->year, d->month, d->day) + extra_days) * 86400 +
                (d->hour * 60 + d->minute - offset) * 60 + d->second;
    return s * US_PER_S + d->microsecond;
}

/* ---- tokens: each reader takes what it knows and returns how many bytes that was, or 0 ---- */

static size_t
read_time (const char *at, struct date *d)
{
    size_t n = digits_at (at), m;
    bool dated = d->year != UNKNOWN && d->month != UNKNOWN && d->day != UNKNOWN;
    if (d->has_time || n < 1 || n > 2 || (at[n] != ':' && !(at[n] == '.' && dated)))
        return 0;
    m = digits_at (at + n + 1);
    if (m < 1 || m > 2) {
        d->is_torn = d->is_torn || at[n] == ':';
        return 0;
    }
    d->hour = read_digits (at, n);
    d->minute = read_digits (at + n + 1, m);
    d->has_time = true;
    const char *p = at + n + 1 + m;
    n = *p == ':' || *p == '.' ? digits_at (p + 1) : 0;
    if (n == 1 || n == 2) {
        d->second = read_digits (p + 1, n);
        p += n + 1;
        n = *p == '.' || *p == ',' || *p == ':' ? digits_at (p + 1) : 0;
        if (n) {
            int scale = 100000;
            for (size_t i = 1; i <= n && scale; i++, scale /= 10)
                d->microsecond += (p[i] - '0') * scale;
            p += n + 1;
        }
    }
    d->is_torn = d->is_torn || (*p == ':' && isalpha ((unsigned char) p[1]));
    return (size_t) (p - at);
}

/* "5 p.m.", "5pm": an hour alone, known by what follows. */
static size_t
read_hour (const char *at, struct date *d)
{
    size_t n = digits_at (at), skip = n;
    while (at[skip] == ' ')
        skip++;
    if (d->has_time || n < 1 || n > 2 || !at[skip] || !strchr ("aApP", at[skip]))
        return 0;
    const char *rest = at + skip + 1;
    rest += *rest == '.';
    if ((*rest != 'm' && *rest != 'M') || isalpha ((unsigned char) rest[1]))
        return 0;
    d->hour = read_digits (at, n);
    d->has_time = true;
    return n;
}

/* +hhmm, +hh:mm, +hh, behind a time. */
static size_t
read_offset (const char *at, struct date *d)
{
    size_t n = digits_at (at + 1), used = n + 1;
    if ((*at != '+' && *at != '-') || !d->has_time || n < 1 || n > 4)
        return 0;
    int value = read_digits (at + 1, n);
    int hours = n > 2 ? value / 100 : value, minutes = n > 2 ? value % 100 : 0;
    if (n <= 2 && at[used] == ':' && digits_at (at + used + 1) == 2) {
        minutes = read_digits (at + used + 1, 2);
        used += 3;
    }
    if (minutes > 59)
        d->year = UNKNOWN, d->month = 0; /* an impossible zone makes an impossible date */
    d->offset_min = (hours * 60 + minutes) * (*at == '-' ? -1 : 1);
    d->has_zone = true;
    d->region[0] = '\0';
    return used;
}

/* Three numbers with one separator: 2006/09/15, 30.10.23, 03/30/2020. */
static size_t
read_triple (const char *at, struct date *d)
{
    size_t a = digits_at (at), b, c;
    char mark = a && a <= 4 ? at[a] : '\0';
    if (!mark || !strchr ("/.-", mark) || !(b = digits_at (at + a + 1)) || at[a + 1 + b] != mark ||
        !(c = digits_at (at + a + b + 2)) || b > 3 || c > 4)
        return 0;
    int first = read_digits (at, a), second = read_digits (at + a + 1, b),
        third = read_digits (at + a + b + 2, c);
    if (a > 2 || (mark == '-' && a == 2 && c == 2 && second <= 12 && third <= 31)) {
        d->year = full_year (first, a), d->month = second, d->day = third; /* ISO 8601 had two-digit years once */
    } else {
        bool day_first = mark != '/' || first > 12;
        d->day = day_first ? first : second;
        d->month = day_first ? second : first;
        d->year = full_year (third, c);
    }
    return a + b + c + 2;
}

static void
set_day_of_year (struct date *d, int day)
{
    for (d->month = 1; d->month < 12 && day > days_in_month (d->year, d->month); d->month++)
        day -= days_in_month (d->year, d->month);
    d->day = day;
}

/* hhmm or hhmmss; anything else is no time. */
static size_t
read_compact_time (const char *at, size_t digits, struct date *d)
{
    if (d->has_time || (digits != 4 && digits != 6))
        return 0;
    d->hour = read_digits (at, 2), d->minute = read_digits (at + 2, 2);
    d->second = digits == 6 ? read_digits (at + 4, 2) : 0;
    d->has_time = true;
    return digits;
}

/* YYYYMMDD, perhaps with a time behind it or behind a T; YYMMDD. */
static size_t
read_compact (const char *at, struct date *d)
{
    size_t n = digits_at (at), year = n == 6 ? 2 : 4, t;
    if (d->year != UNKNOWN || (n != 6 && n != 8 && n != 12 && n != 14))
        return 0;
    d->year = full_year (read_digits (at, year), year);
    d->month = read_digits (at + year, 2), d->day = read_digits (at + year + 2, 2);
    if (n > 8)
        return 8 + read_compact_time (at + 8, n - 8, d);
    t = at[n] == 'T' || at[n] == 't' ? read_compact_time (at + n + 1, digits_at (at + n + 1), d) : 0;
    return t ? n + 1 + t : n;
}

/* YYYY-MM, YYYY-DDD, YYYYDDD. */
static size_t
read_iso_short (const char *at, struct date *d)
{
    size_t n = digits_at (at), m = at[n] == '-' ? digits_at (at + n + 1) : 0;
    if (d->year != UNKNOWN || !(n == 7 || (n == 4 && (m == 2 || m == 3))))
        return 0;
    d->year = read_digits (at, 4);
    if (n == 7 || m == 3) {
        set_day_of_year (d, read_digits (n == 7 ? at + 4 : at + 5, 3));
        return n == 7 ? 7 : 8;
    }
    d->month = read_digits (at + 5, m);
    return 7;
}

/* 14h30, 14時20分05秒; minutes behind an h need no sign of their own. */
static void
set_unit (struct date *d, enum date_unit unit, int value, const char *sign)
{
    if (unit == DATE_UNIT_HOUR && !d->has_time) {
        size_t n = *sign == 'h' ? digits_at (sign + 1) : 0;
        d->minute = n == 2 ? read_digits (sign + 1, n) : 0;
        d->hour = value;
        d->has_time = true;
    } else if (unit == DATE_UNIT_MINUTE) {
        d->minute = value;
    } else if (unit == DATE_UNIT_SECOND) {
        d->second = value;
    }
}

/* A number alone: what it is follows from what is missing, or from the word that follows it. */
static size_t
read_number (const char *at, struct date *d)
{
    size_t n = digits_at (at);
    if (!n)
        return 0;
    int value = read_digits (at, n);
    enum date_unit unit = date_unit_at (at + n);
    if (unit == DATE_UNIT_YEAR)
        d->year = full_year (value, n);
    else if (unit == DATE_UNIT_MONTH)
        d->month = value;
    else if (unit == DATE_UNIT_DAY)
        d->day = value;
    else if (unit != DATE_UNIT_NONE)
        set_unit (d, unit, value, at + n);
    else if (n == 4)
        d->year = d->year == UNKNOWN ? value : d->year;
    else if (n <= 2 && d->day == UNKNOWN && value <= 31)
        d->day = value;
    else if (n <= 2 && d->year == UNKNOWN)
        d->year = full_year (value, n);
    return n;
}

/* A word with the dots within it: letters, bytes beyond ASCII, and '/' or '_' for regions. */
static size_t
word_bytes (const char *at)
{
    size_t n = 0;
    while (isalpha ((unsigned char) at[n]) || (unsigned char) at[n] >= 0x80 ||
           (n && (at[n] == '.' || at[n] == '_' || at[n] == '/') &&
            isalpha ((unsigned char) at[n + 1])))
        n++;
    return n;
}

static void
use_word (const char *at, size_t bytes, struct date *d)
{
    struct date_word word;
    date_word_find (at, bytes, &word);
    switch (word.kind) {
    case DATE_WORD_MONTH:
    case DATE_WORD_MONTH_OR_DAY: /* "mar. 1 déc." is a Tuesday, "1 mar." a month */
        if (d->month != UNKNOWN && !d->month_is_weak)
            break;
        d->month_is_weak = word.kind == DATE_WORD_MONTH_OR_DAY;
        d->month = word.value;
        d->month_is_word = true;
        break;
    case DATE_WORD_ZONE: /* the first: "+0100 (CET)", "PST8PDT" */
        if (!d->has_zone && (d->has_time || d->day != UNKNOWN)) {
            d->offset_min = word.value;
            d->has_zone = true;
        }
        break;
    case DATE_WORD_AM:
        d->am = true;
        break;
    case DATE_WORD_PM:
        d->pm = true;
        break;
    case DATE_WORD_NOON:
    case DATE_WORD_MIDNIGHT:
        d->hour = d->has_time ? d->hour : word.kind == DATE_WORD_NOON ? 12 : 0;
        d->has_time = true;
        break;
    case DATE_WORD_OTHER:
        if (memchr (at, '/', bytes) && bytes < sizeof d->region) {
            memcpy (d->region, at, bytes);
            d->region[bytes] = '\0';
        }
        break;
    }
}

/* A number of seconds or milliseconds since 1970, and nothing else but a fraction. */
static int64_t
read_epoch (const char *text)
{
    size_t n = digits_at (text);
    const char *rest = text[n] == '.' ? text + n + 1 : text + n;
    if (rest[digits_at (rest)] || n < 9 || n > 13 || n == 12)
        return FEED_NO_DATE;
    int64_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value * 10 + (text[i] - '0');
    return n == 13 ? value * 1000 : value * US_PER_S;
}

static int64_t
read_all (const char *at)
{
    struct date d = { .year = UNKNOWN, .month = UNKNOWN, .day = UNKNOWN };
    static size_t (*const readers[]) (const char *, struct date *) = {
        read_time, read_hour, read_offset, read_triple, read_compact, read_iso_short, read_number,
    };
    while (*at) {
        size_t used = 0;
        for (size_t i = 0; i < COUNT_OF (readers) && !used; i++)
            used = readers[i](at, &d);
        size_t word = used ? 0 : word_bytes (at);
        if (word)
            use_word (at, word, &d);
        at += used ? used : word ? word : 1;
    }
    /* A year alone is a date only by itself. */
    if (d.year != UNKNOWN && d.month == UNKNOWN && d.day == UNKNOWN && !d.has_time &&
        !d.month_is_word)
        d.month = 1;
    return finish (&d);
}

int64_t
date_parse (const char *text)
{
    while (isspace ((unsigned char) *text))
        text++;
    size_t bytes = strlen (text);
    while (bytes && isspace ((unsigned char) text[bytes - 1]))
        bytes--;
    if (!bytes || bytes >= TEXT_MAX)
        return FEED_NO_DATE;
    char copy[TEXT_MAX];
    memcpy (copy, text, bytes);
    copy[bytes] = '\0';
    int64_t epoch = read_epoch (copy);
    if (copy[0] == '-') /* a year before the first */
        return FEED_NO_DATE;
    return epoch != FEED_NO_DATE ? epoch : read_all (copy);
}
