/* reply_vectors - reads an embeddings answer, base64 or numbers.
 * A hundred vectors are a megabyte that a general JSON reader would copy byte by byte. So the
 * values of "embedding" are cut out first and a number put in their place; jansson reads the small
 * rest, and the values are decoded from where they stand in the body.
 * SPDX-License-Identifier: MPL-2.0 */
#include "model/base64.h"
#include "model/reply_parts.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct piece {
    const char *text; /* between the quotes or brackets */
    size_t bytes;
    bool numbers; /* else base64 */
};

struct cut {
    struct buf rest; /* the JSON without the pieces: each is its number now */
    struct piece *pieces;
    size_t count, most;
};

/* ---- cutting ---- */

static const char *
skip_blanks (const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n'))
        at++;
    return at;
}

/* at: behind the opening quote. The closing quote, or NULL. */
static const char *
string_end (const char *at, const char *end)
{
    const char *start = at;
    while ((at = memchr (at, '"', (size_t) (end - at)))) {
        const char *back = at;
        while (back > start && back[-1] == '\\')
            back--;
        if ((at - back) % 2 == 0)
            return at;
        at++;
    }
    return NULL;
}

static bool
is_embedding_key (const char *start, const char *end)
{
    static const char key[] = "embedding";
    return (size_t) (end - start) == sizeof key - 1 && memcmp (start, key, sizeof key - 1) == 0;
}

/* at: behind an "embedding" key. Returns where reading goes on. */
static const char *
cut_value (struct cut *cut, const char *at, const char *end)
{
    const char *value = skip_blanks (at, end);
    if (value == end || *value != ':' || cut->count == cut->most)
        return at;
    value = skip_blanks (value + 1, end);
    if (value == end || (*value != '"' && *value != '['))
        return at;
    const char *close =
        *value == '"' ? string_end (value + 1, end) : memchr (value, ']', (size_t) (end - value));
    if (!close) {
        /* There will be none further on either: do not look again and again. */
        cut->most = cut->count;
        return at;
    }
    buf_printf (&cut->rest, ":%zu", cut->count);
    cut->pieces[cut->count++] = (struct piece){ .text = value + 1,
                                                .bytes = (size_t) (close - value - 1),
                                                .numbers = *value == '[' };
    return close + 1;
}

static void
cut_body (struct cut *cut, const char *at, const char *end)
{
    while (at < end) {
        const char *quote = memchr (at, '"', (size_t) (end - at));
        const char *close = quote ? string_end (quote + 1, end) : NULL;
        if (!close)
            break;
        buf_add (&cut->rest, at, (size_t) (close + 1 - at));
        at = close + 1;
        if (is_embedding_key (quote + 1, close))
            at = cut_value (cut, at, end);
    }
    buf_add (&cut->rest, at, (size_t) (end - at));
}

/* ---- numbers ---- */

static double
scaled (uint64_t digits, int power)
{
    static const double tens[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    double value = (double) digits;
    int most = (int) COUNT_OF (tens) - 1;
    for (; power < -most; power += most)
        value /= tens[most];
    for (; power > most; power -= most)
        value *= tens[most];
    return power < 0 ? value / tens[-power] : value * tens[power];
}

static const char *
read_exponent (const char *at, const char *end, int *power)
{
    const int most = 400; /* beyond it every double is 0 or infinite */
    bool minus = at < end && *at == '-';
    int value = 0;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || *at < '0' || *at > '9')
        return NULL;
    for (; at < end && *at >= '0' && *at <= '9'; at++)
        value = MIN_OF (value * 10 + (*at - '0'), most);
    *power += minus ? -value : value;
    return at;
}

/* One JSON number, to within a unit in the last place of a float; strtod would depend on the locale
 * and take ten times as long. Returns the byte behind it, or NULL. */
static const char *
read_number (const char *at, const char *end, float *ret_value)
{
    uint64_t digits = 0;
    int power = 0, seen = 0;
    bool minus = at < end && *at == '-', after_point = false;
    for (at += minus; at < end; at++) {
        if (*at == '.' && !after_point && seen) {
            after_point = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            break;
        seen = 1;
        if (digits < UINT64_C (100000000000000000)) {
            digits = digits * 10 + (uint64_t) (*at - '0');
            power -= after_point;
        } else if (!after_point && power < 400)
            power++;
    }
    if (!seen)
        return NULL;
    if (at < end && (*at == 'e' || *at == 'E') && !(at = read_exponent (at + 1, end, &power)))
        return NULL;
    double value = scaled (digits, power);
    *ret_value = (float) (minus ? -value : value);
    return at;
}

/* Reads up to `most` numbers into out. Returns how many there are, or -1 when something else stands
 * there. */
static int64_t
read_numbers (const struct piece *piece, float *out, size_t most)
{
    const char *end = piece->text + piece->bytes, *at = skip_blanks (piece->text, end);
    size_t count = 0;
    while (at < end) {
        float value;
        at = read_number (at, end, &value);
        if (!at)
            return -1;
        if (count < most)
            out[count] = value;
        count++;
        at = skip_blanks (at, end);
        if (at == end)
            break;
        if (*at != ',')
            return -1;
        at = skip_blanks (at + 1, end);
        if (at == end)
            return -1;
    }
    return (int64_t) count;
}

/* ---- vectors ---- */

static int64_t
read_base64 (const struct piece *piece, float *out, size_t most)
{
    size_t bytes = base64_decoded_bytes (piece->text, piece->bytes);
    if (bytes % sizeof *out)
        return -1;
    size_t count = bytes / sizeof *out;
    if (count != most)
        return (int64_t) count;
    if (base64_decode (piece->text, piece->bytes, (uint8_t *) out))
        return -1;
#if __BYTE_ORDER == __BIG_ENDIAN
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy (&bits, &out[i], sizeof bits);
        bits = le32toh (bits);
        memcpy (&out[i], &bits, sizeof bits);
    }
#endif
    return (int64_t) count;
}

/* NULL when every number is finite and not all are zero. Looks at the bits (IEEE 754, binary32):
 * the compiler turns that into vector instructions, which it may not do with sums of floats. */
static const char *
find_fault (const float *vector, size_t dimensions)
{
    const uint32_t size_bits = 0x7fffffff, exponent_bits = 0x7f800000;
    uint32_t any = 0, endless = 0;
    for (size_t i = 0; i < dimensions; i++) {
        uint32_t bits;
        memcpy (&bits, &vector[i], sizeof bits);
        any |= bits & size_bits;
        endless |= (bits & exponent_bits) == exponent_bits;
    }
    if (endless)
        return "a number that is not finite";
    return any ? NULL : "only zeros";
}

/* first: in the answer. If that one has another size, all have, whatever the texts: another model is configured. */
static bool
read_vector (const struct reply_ask *ask, const struct piece *piece, size_t index, bool first,
             struct reply *reply)
{
    float *out = reply->vectors + index * ask->dimensions;
    int64_t count = piece->numbers ? read_numbers (piece, out, ask->dimensions)
                                   : read_base64 (piece, out, ask->dimensions);
    const char *fault = NULL;
    if (count < 0)
        reply_fail (ask, reply, MODEL_BAD, "vector %zu of %zu is unreadable", index + 1,
                    ask->count);
    else if ((uint64_t) count != ask->dimensions)
        reply_fail (ask, reply, first && count > 0 ? MODEL_REFUSED : MODEL_BAD,
                    "the model gives vectors of %lld numbers, %zu are configured",
                    (long long) count, ask->dimensions);
    else if ((fault = find_fault (out, ask->dimensions)))
        reply_fail (ask, reply, MODEL_BAD, "vector %zu of %zu holds %s", index + 1, ask->count,
                    fault);
    else
        return true;
    return false;
}

static bool
read_item (const struct reply_ask *ask, const struct cut *cut, size_t position, const json_t *item,
           bool *seen, struct reply *reply)
{
    const json_t *index = json_object_get (item, "index"),
                 *value = json_object_get (item, "embedding");
    int64_t at = index ? json_integer_value (index) : (int64_t) position;
    int64_t piece = json_is_integer (value) ? json_integer_value (value) : -1;
    if ((index && !json_is_integer (index)) || at < 0 || (uint64_t) at >= ask->count || seen[at]) {
        reply_fail (ask, reply, MODEL_BAD,
                    "a vector with an index that was not asked for or came before");
        return false;
    }
    if (piece < 0 || (uint64_t) piece >= cut->count) {
        reply_fail (ask, reply, MODEL_BAD, "vector %lld of %zu is missing", (long long) at + 1,
                    ask->count);
        return false;
    }
    seen[at] = true;
    return read_vector (ask, &cut->pieces[piece], (size_t) at, position == 0, reply);
}

static void
read_data (const struct reply_ask *ask, const struct cut *cut, const json_t *data,
           struct reply *reply)
{
    size_t given = json_array_size (data);
    if (given != ask->count) {
        reply_fail (ask, reply, MODEL_BAD, "the model gave %zu vectors for %zu texts", given,
                    ask->count);
        return;
    }
    bool *seen = mem_alloc (ask->count * sizeof *seen), good = true;
    reply->vectors = mem_grow (NULL, ask->count * ask->dimensions, sizeof *reply->vectors);
    for (size_t i = 0; good && i < given; i++)
        good = read_item (ask, cut, i, json_array_get (data, i), seen, reply);
    if (good)
        reply->count = ask->count;
    else {
        free (reply->vectors);
        reply->vectors = NULL;
    }
    free (seen);
}

void
reply_read_vectors (const struct reply_ask *ask, struct reply *reply)
{
    *reply = (struct reply){ 0 };
    struct cut cut = { .most = ask->count };
    cut.pieces = mem_grow (NULL, cut.most, sizeof *cut.pieces);
    cut_body (&cut, ask->body, ask->body + ask->bytes);
    json_t *root = json_loadb (cut.rest.data ? cut.rest.data : "", cut.rest.len, 0, NULL);
    if (!reply_is_error (ask, root, "data", reply)) {
        reply_read_usage (root, reply);
        read_data (ask, &cut, json_object_get (root, "data"), reply);
    }
    json_decref (root);
    buf_fini (&cut.rest);
    free (cut.pieces);
}
