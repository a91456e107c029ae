/* headers - values out of an answer's headers, as http_response has them. Text in, text out.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/http.h"

#include <stdlib.h>
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

/* Whether the parameters behind a link's address have rel among the words of their rel. */
static bool
has_rel (const char *parameters, const char *rel)
{
    const char *at = strcasestr (parameters, "rel=");
    if (!at || (at > parameters && !strchr ("; \t", at[-1])))
        return false;
    at += strlen ("rel=");
    const char *end = *at == '"' ? at + 1 + strcspn (at + 1, "\"") : at + strcspn (at, "; \t");
    at += *at == '"';
    for (size_t n; at < end; at += n) {
        at += strspn (at, " \t");
        n = strcspn (at, " \t\";");
        if (n == strlen (rel) && strncasecmp (at, rel, n) == 0)
            return true;
        n += n == 0;
    }
    return false;
}

/* A comma sets links apart, unless it stands between quotes. */
static size_t
parameters_bytes (const char *text)
{
    bool quoted = false;
    size_t n = 0;
    for (; text[n] && text[n] != '\n' && (quoted || text[n] != ','); n++)
        quoted ^= text[n] == '"';
    return n;
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
            size_t bytes = parameters_bytes (behind);
            char *parameters = mem_copy (behind, bytes);
            bool found = has_rel (parameters, rel);
            free (parameters);
            if (found)
                return mem_copy (at + 1, address);
            at = behind + bytes;
            at += strspn (at, ", \t");
        }
    }
    return NULL;
}
