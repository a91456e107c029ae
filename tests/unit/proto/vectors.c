/* SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/proto/vectors.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct vector vectors[] = {
    { "article", WIRE_ARTICLE },        { "article-embedded", WIRE_ARTICLE }, { "result-done", WIRE_RESULT },
    { "result-failed", WIRE_RESULT },   { "result-spent", WIRE_RESULT },      { "heartbeat", WIRE_HEARTBEAT },
    { "tick", WIRE_TICK },              { "event-gate", WIRE_EVENT },
};
const size_t vector_count = COUNT_OF (vectors);

const struct vector old_vectors[] = { { "result-spent-1", WIRE_RESULT } };
const size_t old_vector_count = COUNT_OF (old_vectors);

char *
file_read (const char *path)
{
    char *full = mem_printf ("%s/%s", SOURCE_DIR, path), block[4096];
    struct buf text = { 0 };
    FILE *f = fopen (full, "re");
    if (!f)
        fail_msg ("cannot read %s", full);
    for (size_t n; (n = fread (block, 1, sizeof block, f)) > 0;)
        buf_add (&text, block, n);
    fclose (f);
    free (full);
    return buf_take (&text);
}

static int
digit (char c)
{
    return isdigit ((unsigned char) c) ? c - '0' : c - 'a' + 10;
}

static bool
is_pair (const char *at, const char *end)
{
    static const char digits[] = "0123456789abcdef";
    return end - at >= 2 && at[0] && strchr (digits, at[0]) && at[1] && strchr (digits, at[1])
           && (end - at == 2 || strchr (" \n", at[2]));
}

void
hex_read (const char *text, size_t size, struct buf *ret_bytes)
{
    const char *end = text + size;
    for (const char *line = text; line < end;) {
        const char *next = memchr (line, '\n', (size_t) (end - line));
        next = next ? next + 1 : end;
        for (const char *at = line; is_pair (at, next); at += 3) {
            buf_add_char (ret_bytes, (char) (digit (at[0]) << 4 | digit (at[1])));
            if (next - at < 3 || at[2] == '\n')
                break;
        }
        line = next;
    }
}

void
vector_read (const char *name, struct buf *ret_bytes)
{
    char *path = mem_printf ("proto/vectors/%s.hex", name);
    char *text = file_read (path);
    hex_read (text, strlen (text), ret_bytes);
    if (ret_bytes->len < WIRE_HEADER_BYTES)
        fail_msg ("%s holds no message", path);
    free (text);
    free (path);
}
