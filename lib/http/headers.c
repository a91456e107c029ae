/* headers - values out of an answer's headers, as http_response has them. Text in, text out.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/http.h"

#include <string.h>
#include <strings.h>

/* The value behind line, if it is the header of that name; else NULL. Not NUL-ended: up to the end of the line. */
static const char *
value_in (const char *line, const char *name)
{
    size_t bytes = strlen (name);
    if (strncasecmp (line, name, bytes) != 0 || line[bytes] != ':')
        return NULL;
    return line + bytes + 1 + strspn (line + bytes + 1, " \t");
}

static const char *
next_line (const char *line)
{
    line += strcspn (line, "\n");
    return line + (*line == '\n');
}

char *
http_header_value (const char *headers, const char *name)
{
    for (const char *line = headers; *line; line = next_line (line)) {
        const char *value = value_in (line, name);
        if (value)
            return mem_copy (value, strcspn (value, "\n"));
    }
    return NULL;
}

/* Bytes before the first `end` that stands between no quotes, or to the end of the line. */
static size_t
bytes_before (const char *text, char end)
{
    bool quoted = false;
    size_t n = 0;
    for (; text[n] && text[n] != '\n' && (quoted || text[n] != end); n++)
        quoted ^= text[n] == '"';
    return n;
}

static bool
has_word (const char *text, size_t bytes, const char *word)
{
    const char *end = text + bytes;
    for (size_t n; text < end; text += n + 1) {
        n = 0;
        while (text + n < end && !strchr (" \t\"", text[n]))
            n++;
        if (n == strlen (word) && strncasecmp (text, word, n) == 0)
            return true;
    }
    return false;
}

/* Whether the parameters behind a link's address, `;name=value` each, have rel among the words of their rel. */
static bool
has_rel (const char *parameters, size_t bytes, const char *rel)
{
    for (const char *at = parameters; at < parameters + bytes;) {
        size_t n = bytes_before (at, ';'), name = strspn (at, " \t");
        n = MIN_OF (n, (size_t) (parameters + bytes - at));
        if (n > name + 4 && strncasecmp (at + name, "rel=", 4) == 0 && has_word (at + name + 4, n - name - 4, rel))
            return true;
        at += n + 1;
    }
    return false;
}

char *
http_header_link (const char *headers, const char *rel)
{
    for (const char *line = headers; *line; line = next_line (line)) {
        const char *at = value_in (line, "Link");
        while (at && *at == '<') {
            size_t address = strcspn (at + 1, ">\n");
            if (at[1 + address] != '>')
                break;
            const char *behind = at + 2 + address;
            size_t bytes = bytes_before (behind, ',');
            if (has_rel (behind, bytes, rel))
                return mem_copy (at + 1, address);
            at = behind + bytes;
            at += strspn (at, ", \t");
        }
    }
    return NULL;
}
