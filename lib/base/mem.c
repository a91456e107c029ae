/* SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *
checked (void *block)
{
    if (!block) {
        log_error ("out of memory");
        abort ();
    }
    return block;
}

void *
mem_alloc (size_t bytes)
{
    return checked (calloc (1, bytes ? bytes : 1));
}

void *
mem_grow (void *block, size_t count, size_t each)
{
    return checked (reallocarray (block, count ? count : 1, each));
}

char *
mem_copy (const void *data, size_t bytes)
{
    char *copy = checked (malloc (bytes + 1));
    if (bytes)
        memcpy (copy, data, bytes);
    copy[bytes] = '\0';
    return copy;
}

char *
mem_dup (const char *text)
{
    return text ? mem_copy (text, strlen (text)) : NULL;
}

char *
mem_printf (const char *format, ...)
{
    va_list args;
    va_start (args, format);
    char *text = NULL;
    int n = vasprintf (&text, format, args);
    va_end (args);
    return checked (n < 0 ? NULL : text);
}
