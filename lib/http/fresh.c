/* SPDX-License-Identifier: MPL-2.0 */
#include "http/fresh.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool
is_name (const char *text, size_t bytes, const char *name)
{
    return strlen (name) == bytes && !strncasecmp (text, name, bytes);
}

/* Delta seconds; FRESH_UNKNOWN when it is no number. Some write them as quoted strings. */
static int64_t
read_seconds (const char *text, size_t bytes)
{
    int64_t seconds;
    if (bytes >= 2 && text[0] == '"' && text[bytes - 1] == '"') {
        text++;
        bytes -= 2;
    }
    char *copy = mem_copy (text, bytes);
    int r = num_parse (copy, 0, FRESH_MAX_S, &seconds);
    bool is_negative = *copy == '-';
    free (copy);
    return r == 0 ? seconds : r == -ERANGE && !is_negative ? FRESH_MAX_S : FRESH_UNKNOWN;
}

/* The end of a directive: a comma outside of quotes, or the end. */
static size_t
directive_bytes (const char *text)
{
    bool quoted = false;
    size_t n = 0;
    for (; text[n] && (quoted || text[n] != ','); n++)
        if (text[n] == '"')
            quoted = !quoted;
        else if (quoted && text[n] == '\\' && text[n + 1])
            n++;
    return n;
}

static void
take_cache_control (struct fresh *fresh, const char *value)
{
    for (size_t size; *value; value += size + (value[size] == ',')) {
        size = directive_bytes (value);
        const char *start = value, *end = value + size;
        while (start < end && (*start == ' ' || *start == '\t'))
            start++;
        while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        size_t name = MIN_OF (strcspn (start, "="), (size_t) (end - start));
        int64_t seconds = FRESH_UNKNOWN;
        if (is_name (start, name, "no-store") || is_name (start, name, "no-cache"))
            seconds = 0;
        else if (is_name (start, name, "max-age") && start + name < end)
            seconds = read_seconds (start + name + 1, (size_t) (end - start) - name - 1);
        if (seconds != FRESH_UNKNOWN && (fresh->max_age_s == FRESH_UNKNOWN || seconds < fresh->max_age_s))
            fresh->max_age_s = seconds; /* the strictest of several */
    }
}

void
fresh_take (struct fresh *fresh, const char *name, size_t name_bytes, const char *value)
{
    if (is_name (name, name_bytes, "cache-control"))
        take_cache_control (fresh, value);
    else if (is_name (name, name_bytes, "age"))
        fresh->age_s = read_seconds (value, strlen (value));
    else if (is_name (name, name_bytes, "date")) {
        time_t when = curl_getdate (value, NULL);
        fresh->date_s = when < 0 ? FRESH_UNKNOWN : (int64_t) when;
    } else if (is_name (name, name_bytes, "expires"))
        fresh->expires_s = MAX_OF ((int64_t) curl_getdate (value, NULL), 0); /* what is no date, as "0", is over */
}

int64_t
fresh_left_s (const struct fresh *fresh, int64_t now_s)
{
    int64_t life_s = fresh->max_age_s;
    if (life_s == FRESH_UNKNOWN && fresh->expires_s != FRESH_UNKNOWN)
        life_s = fresh->expires_s - (fresh->date_s != FRESH_UNKNOWN ? fresh->date_s : now_s);
    else if (life_s == FRESH_UNKNOWN)
        return FRESH_UNKNOWN;
    return MIN_OF (MAX_OF (life_s - MAX_OF (fresh->age_s, 0), 0), FRESH_MAX_S);
}
