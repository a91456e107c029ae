/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_fini (struct buf *buf)
{
    free (buf->data);
    *buf = (struct buf){ 0 };
}

void
buf_clear (struct buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void
buf_reserve (struct buf *buf, size_t more)
{
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return;
    size_t cap = MAX_OF (buf->cap + buf->cap / 2, (size_t) 64);
    buf->cap = MAX_OF (cap, need);
    buf->data = mem_grow (buf->data, buf->cap, 1);
    buf->data[buf->len] = '\0';
}

void
buf_add (struct buf *buf, const void *data, size_t bytes)
{
    buf_reserve (buf, bytes);
    if (bytes)
        memcpy (buf->data + buf->len, data, bytes);
    buf->len += bytes;
    buf->data[buf->len] = '\0';
}

void
buf_add_str (struct buf *buf, const char *text)
{
    buf_add (buf, text, strlen (text));
}

void
buf_add_char (struct buf *buf, char c)
{
    buf_add (buf, &c, 1);
}

static const char *
escape (unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    default:
        return c < 0x20 && c != '\t' && c != '\n' && c != '\r' ? "" : NULL;
    }
}

void
buf_add_escaped (struct buf *buf, const char *text)
{
    const char *run = text;
    for (; *text; text++) {
        const char *escaped = escape ((unsigned char) *text);
        if (!escaped)
            continue;
        buf_add (buf, run, (size_t) (text - run));
        buf_add_str (buf, escaped);
        run = text + 1;
    }
    buf_add (buf, run, (size_t) (text - run));
}

void
buf_printf (struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start (args, format);
    va_copy (again, args);
    int n = vsnprintf (NULL, 0, format, args);
    va_end (args);
    if (n > 0) {
        buf_reserve (buf, (size_t) n);
        vsnprintf (buf->data + buf->len, (size_t) n + 1, format, again);
        buf->len += (size_t) n;
    }
    va_end (again);
}

char *
buf_take (struct buf *buf)
{
    char *data = buf->data ? buf->data : mem_copy ("", 0);
    *buf = (struct buf){ 0 };
    return data;
}
