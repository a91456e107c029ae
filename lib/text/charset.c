/* charset - makes a document UTF-8 before any parser sees it. What the bytes are outweighs what is
 * said about them: most wrong declarations stand over UTF-8. Labels mean what browsers take them to
 * mean (the WHATWG Encoding Standard): "iso-8859-1" is windows-1252, "gb2312" is gb18030.
 * SPDX-License-Identifier: MPL-2.0 */
#include "text/charset.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unicode/ucnv.h>
#include <unicode/ucsdet.h>

#define LABEL_SIZE sizeof (((struct charset_finding *) 0)->name)
#define DECLARATION_BYTES 1024 /* how far a declaration is looked for, of XML or in <meta> */
#define DETECT_BYTES 65536     /* how much of the document a guess looks at */
#define DETECT_CONFIDENCE 40   /* of 100, below which a guess is not trusted */

/* Labels whose plain meaning is narrower than their use. */
static const struct {
    const char *label, *meant;
} labels[] = {
    { "us-ascii", "windows-1252" },
    { "ascii", "windows-1252" },
    { "iso-8859-1", "windows-1252" },
    { "iso8859-1", "windows-1252" },
    { "latin1", "windows-1252" },
    { "latin-1", "windows-1252" },
    { "iso_8859-1", "windows-1252" },
    { "iso_8859-1:1987", "windows-1252" },
    { "iso88591", "windows-1252" },
    { "l1", "windows-1252" },
    { "cp819", "windows-1252" },
    { "ansi_x3.4-1968", "windows-1252" },
    { "iso-8859-9", "windows-1254" },
    { "iso-8859-11", "windows-874" },
    { "tis-620", "windows-874" },
    { "gb2312", "gb18030" },
    { "gbk", "gb18030" },
    { "x-gbk", "gb18030" },
    { "gb_2312-80", "gb18030" },
    { "iso-ir-58", "gb18030" },
    { "logical", "iso-8859-8" },
    { "euc-kr", "windows-949" },
    { "ks_c_5601-1987", "windows-949" },
    { "shift_jis", "windows-31j" },
    { "shift-jis", "windows-31j" },
    { "sjis", "windows-31j" },
    { "x-sjis", "windows-31j" },
    { "big5", "big5-hkscs" },
    { "cp1251", "windows-1251" },
    { "win-1251", "windows-1251" },
    { "utf8", "utf-8" },
};

/* windows-1252, 0x80 to 0x9f; 0 where the standard has the control character itself. */
static const uint16_t western[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

struct mark {
    const char *bytes;
    size_t count, skip; /* skip: bytes of it that are no text */
    const char *charset;
};

/* Byte order marks, longer ones first. */
static const struct mark marks[] = {
    { "\xff\xfe\0\0", 4, 4, "UTF-32LE" }, { "\0\0\xfe\xff", 4, 4, "UTF-32BE" },
    { "\xef\xbb\xbf", 3, 3, "utf-8" },    { "\xff\xfe", 2, 2, "UTF-16LE" },
    { "\xfe\xff", 2, 2, "UTF-16BE" },
};

/* Which of the first four bytes are zero where there is no mark: a document starts with ASCII (RFC 4627, section 3). */
static const struct mark patterns[] = {
    { "\1\0\0\0", 4, 0, "UTF-32LE" },
    { "\0\0\0\1", 4, 0, "UTF-32BE" },
    { "\1\0\1\0", 4, 0, "UTF-16LE" },
    { "\0\1\0\1", 4, 0, "UTF-16BE" },
};

/* Copies a label up to its end, lower case, and maps it to its meaning. */
static void
set_label (const char *text, size_t bytes, char out[LABEL_SIZE])
{
    size_t n = 0;
    while (n < bytes && n < LABEL_SIZE - 1 &&
           (isalnum ((unsigned char) text[n]) || strchr ("-_:.", text[n]))) {
        out[n] = (char) tolower ((unsigned char) text[n]);
        n++;
    }
    out[n] = '\0';
    for (size_t i = 0; i < COUNT_OF (labels); i++)
        if (strcmp (out, labels[i].label) == 0)
            strcpy (out, labels[i].meant);
}

/* The value behind name= in text, quoted or not. False if there is none. */
static bool
find_label (const char *text, size_t bytes, const char *name, char out[LABEL_SIZE])
{
    size_t name_bytes = strlen (name);
    for (size_t i = 0; i + name_bytes < bytes; i++) {
        if (strncasecmp (text + i, name, name_bytes) != 0)
            continue;
        size_t at = i + name_bytes;
        while (at < bytes && isspace ((unsigned char) text[at]))
            at++;
        if (at == bytes || text[at] != '=')
            continue;
        at++;
        while (at < bytes &&
               (isspace ((unsigned char) text[at]) || text[at] == '"' || text[at] == '\''))
            at++;
        set_label (text + at, bytes - at, out);
        return out[0] != '\0';
    }
    return false;
}

/* The label of a <meta charset=...>, or of one whose content says "text/html; charset=...": HTML's "prescan a byte stream".
 * Tags within comments count for nothing. */
static bool
meta_label (const char *data, size_t head, char out[LABEL_SIZE])
{
    const char *end = data + head;
    for (const char *at = data; (at = memchr (at, '<', (size_t) (end - at))) != NULL; at++) {
        if (end - at > 4 && memcmp (at, "<!--", 4) == 0) {
            const char *close = memmem (at + 2, (size_t) (end - at) - 2, "-->", 3);
            if (!close)
                return false;
            at = close;
        } else if (end - at > 6 && strncasecmp (at, "<meta", 5) == 0 && strchr (" \t\r\n\f/", at[5]) && at[5]) {
            const char *close = memchr (at, '>', (size_t) (end - at));
            if (find_label (at, (size_t) ((close ? close : end) - at), "charset", out)) {
                if (strncmp (out, "utf-16", 6) == 0)
                    strcpy (out, "utf-8"); /* it could not have been read so far */
                return true;
            }
        }
    }
    return false;
}

static bool
declared_label (const char *data, size_t bytes, char out[LABEL_SIZE])
{
    size_t head = MIN_OF (bytes, (size_t) DECLARATION_BYTES);
    const char *start = memmem (data, head, "<?xml", 5);
    if (!start)
        return meta_label (data, head, out);
    size_t rest = head - (size_t) (start - data);
    const char *end = memmem (start, rest, "?>", 2);
    return find_label (start, end ? (size_t) (end - start) : rest, "encoding", out);
}

enum strictness { STRICT, LOSSY };

/* 0, or -1 if there is no such charset or, when strict, if a byte does not fit. Appends to out. */
static int
convert (const char *charset, const char *data, size_t bytes, enum strictness strictness,
         struct buf *out)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *from = ucnv_open (charset, &error);
    UConverter *to = ucnv_open ("UTF-8", &error);
    if (U_SUCCESS (error) && strictness == STRICT)
        ucnv_setToUCallBack (from, UCNV_TO_U_CALLBACK_STOP, NULL, NULL, NULL, &error);
    size_t start = out->len;
    UChar pivot[2048], *pivot_from = pivot, *pivot_to = pivot;
    const char *at = data, *end = data + bytes;
    bool first = true;
    while (U_SUCCESS (error)) {
        char part[8192], *write = part;
        ucnv_convertEx (to, from, &write, part + sizeof part, &at, end, pivot, &pivot_from,
                        &pivot_to, pivot + COUNT_OF (pivot), first, true, &error);
        buf_add (out, part, (size_t) (write - part));
        first = false;
        if (error != U_BUFFER_OVERFLOW_ERROR)
            break;
        error = U_ZERO_ERROR;
    }
    ucnv_close (from);
    ucnv_close (to);
    if (U_SUCCESS (error))
        return 0;
    out->len = start;
    return -1;
}

/* UTF-8 where it is, windows-1252 where it is not: right for either, and for one with bits of the
 * other. */
static void
convert_mixed (const char *data, size_t bytes, struct buf *out)
{
    buf_reserve (out, bytes + bytes / 8);
    for (size_t at = 0; at < bytes;) {
        size_t good = utf8_valid_bytes (data + at, bytes - at);
        buf_add (out, data + at, good);
        at += good;
        if (at == bytes)
            break;
        unsigned char c = (unsigned char) data[at++];
        uint32_t point = c >= 0x80 && c < 0xa0 && western[c - 0x80] ? western[c - 0x80] : c;
        char encoded[4];
        buf_add (out, encoded, utf8_encode (point, encoded));
    }
}

/* Whether data, which is not valid UTF-8, is mostly so. */
static bool
mostly_utf8 (const char *data, size_t bytes)
{
    size_t good = 0, bad = 0;
    for (size_t at = 0; at < bytes;) {
        uint32_t point;
        size_t n =
            (unsigned char) data[at] < 0x80 ? 1 : utf8_decode (data + at, bytes - at, &point);
        good += n > 1;
        bad += n == 0;
        at += n ? n : 1;
    }
    return good > bad;
}

static int
convert_guessed (const char *data, size_t bytes, struct buf *out, char label[LABEL_SIZE])
{
    UErrorCode error = U_ZERO_ERROR;
    UCharsetDetector *detector = ucsdet_open (&error);
    if (U_FAILURE (error))
        return -1;
    ucsdet_setText (detector, data, (int32_t) MIN_OF (bytes, (size_t) DETECT_BYTES), &error);
    ucsdet_enableInputFilter (detector, true);
    const UCharsetMatch *match = ucsdet_detect (detector, &error);
    if (U_SUCCESS (error) && match && ucsdet_getConfidence (match, &error) >= DETECT_CONFIDENCE) {
        const char *name = ucsdet_getName (match, &error);
        set_label (name, strlen (name), label);
    }
    ucsdet_close (detector);
    return label[0] ? convert (label, data, bytes, STRICT, out) : -1;
}

/* Charsets that hide their text in ASCII: being valid UTF-8 says nothing then. */
static bool
is_shifted (const char *label)
{
    return strncmp (label, "iso-2022", 8) == 0 || strcmp (label, "hz-gb-2312") == 0;
}

/* The mark that data begins with, or NULL. */
static const struct mark *
find_mark (const char *data, size_t bytes)
{
    for (size_t i = 0; i < COUNT_OF (marks); i++)
        if (bytes >= marks[i].count && memcmp (data, marks[i].bytes, marks[i].count) == 0)
            return &marks[i];
    char zeros[4];
    for (size_t i = 0; i < sizeof zeros && bytes >= sizeof zeros; i++)
        zeros[i] = data[i] != 0;
    for (size_t i = 0; i < COUNT_OF (patterns) && bytes >= sizeof zeros; i++)
        if (memcmp (zeros, patterns[i].bytes, sizeof zeros) == 0)
            return &patterns[i];
    return NULL;
}

static void
find (struct charset_finding *finding, const char *name, const char *origin)
{
    snprintf (finding->name, sizeof finding->name, "%s", name);
    finding->origin = origin;
}

/* Whether a mark said what it is, and it could be read so. Skips the mark. */
static bool
read_marked (const char **data, size_t *bytes, struct buf *out, struct charset_finding *finding)
{
    const struct mark *mark = find_mark (*data, *bytes);
    if (mark) {
        *data += mark->skip, *bytes -= mark->skip;
        find (finding, mark->charset, mark->skip ? "byte order mark" : "its bytes");
        return strcmp (mark->charset, "utf-8") != 0 && convert (mark->charset, *data, *bytes, LOSSY, out) == 0;
    }
    return false;
}

static void
read_unmarked (const char *data, size_t bytes, const char *content_type, struct buf *out, struct charset_finding *finding)
{
    struct charset_finding said[2];
    char guess[LABEL_SIZE] = "";
    size_t count = 0;
    if (content_type && find_label (content_type, strlen (content_type), "charset", said[count].name))
        said[count++].origin = "HTTP";
    if (declared_label (data, bytes, said[count].name))
        said[count++].origin = "its declaration";
    if (count == 2 && strcmp (said[0].name, "windows-1252") == 0) /* what servers say where nobody told them */
        said[0] = said[1];
    bool utf8 = utf8_valid_bytes (data, bytes) == bytes;
    for (size_t i = 0; i < count; i++)
        if ((!utf8 || is_shifted (said[i].name)) && strcmp (said[i].name, "utf-8") != 0 &&
            convert (said[i].name, data, bytes, STRICT, out) == 0) {
            *finding = said[i];
            return;
        }
    if (utf8 || mostly_utf8 (data, bytes)) {
        if (!*finding->name)
            find (finding, "utf-8", "its bytes");
        if (utf8)
            buf_add (out, data, bytes);
        else
            convert_mixed (data, bytes, out);
        return;
    }
    if (count && strcmp (said[0].name, "utf-8") != 0 && convert (said[0].name, data, bytes, LOSSY, out) == 0) {
        *finding = said[0];
        return;
    }
    bool guessed = convert_guessed (data, bytes, out, guess) == 0;
    find (finding, guessed ? guess : "windows-1252", "a guess");
    if (!guessed)
        convert_mixed (data, bytes, out);
}

void
charset_read (const char *data, size_t bytes, const char *content_type, struct buf *out, struct charset_finding *ret_finding)
{
    struct charset_finding finding = { .origin = "its bytes" };
    if (!read_marked (&data, &bytes, out, &finding))
        read_unmarked (data, bytes, content_type, out, &finding);
    if (ret_finding)
        *ret_finding = finding;
}

void
charset_to_utf8 (const char *data, size_t bytes, const char *content_type, struct buf *out)
{
    charset_read (data, bytes, content_type, out, NULL);
}
