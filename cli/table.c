/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define GAP 2
#define ELLIPSIS "\xe2\x80\xa6"

struct table {
    const struct table_column *columns;
    size_t column_count;
    char **cells;
    size_t cell_count, cell_cap;
};

struct table *
table_new (const struct table_column *columns, size_t count)
{
    struct table *self = MEM_NEW (struct table);
    self->columns = columns;
    self->column_count = count;
    return self;
}

void
table_destroy (struct table **table)
{
    if (!*table)
        return;
    for (size_t i = 0; i < (*table)->cell_count; i++)
        free ((*table)->cells[i]);
    free ((*table)->cells);
    free (*table);
    *table = NULL;
}

static void
add_given (struct table *self, char *cell)
{
    if (self->cell_count == self->cell_cap) {
        self->cell_cap = self->cell_cap ? self->cell_cap * 2 : 64;
        self->cells = mem_grow (self->cells, self->cell_cap, sizeof *self->cells);
    }
    self->cells[self->cell_count++] = cell;
}

void
table_add (struct table *self, const char *text)
{
    add_given (self, mem_dup (text ? text : ""));
}

void
table_addf (struct table *self, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start (args, format);
    vsnprintf (text, sizeof text, format, args);
    va_end (args);
    table_add (self, text);
}

/* ---- text on a terminal ---- */

/* Reads the next letter as it may be shown. Returns its bytes in text, 0 at the end. */
static size_t
next_letter (const char *text, uint32_t *ret_point, size_t *ret_width)
{
    uint32_t point = 0xfffd;
    if (!*text)
        return 0;
    size_t step = utf8_decode (text, strlen (text), &point);
    if (point < 0x20 || (point >= 0x7f && point < 0xa0))
        point = ' ';
    int width = wcwidth ((wchar_t) point);
    bool steers =
        (point >= 0x200e && point <= 0x200f) || (point >= 0x202a && point <= 0x202e)
        || (point >= 0x2066 && point <= 0x2069); /* direction marks would garble the line */
    *ret_point = steers ? ' ' : point;
    *ret_width = width < 0 || steers ? 1 : (size_t) width;
    return step ? step : 1;
}

size_t
table_text_width (const char *text)
{
    size_t sum = 0, width;
    uint32_t point;
    for (size_t step; (step = next_letter (text, &point, &width)) > 0; text += step)
        sum += width;
    return sum;
}

static void
add_blanks (struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_add_char (out, ' ');
}

void
table_fit (struct buf *out, const char *text, size_t width, enum table_align align, bool pad)
{
    size_t full = table_text_width (text), used = 0, each;
    if (!width)
        width = full;
    size_t room = full > width ? width - 1 : width;
    uint32_t point;
    if (pad && align == TABLE_RIGHT && full < width)
        add_blanks (out, width - full);
    for (size_t step; (step = next_letter (text, &point, &each)) > 0 && used + each <= room;
         text += step) {
        char code[4];
        buf_add (out, code, utf8_encode (point, code));
        used += each;
    }
    if (full > width) {
        buf_add_str (out, ELLIPSIS);
        used++;
    }
    if (pad && align == TABLE_LEFT && used < width)
        add_blanks (out, width - used);
}

size_t
table_terminal_width (void)
{
    const char *columns = getenv ("COLUMNS");
    int64_t wish;
    if (columns && num_parse (columns, 20, 10000, &wish) == 0)
        return (size_t) wish;
    struct winsize size;
    if (ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 0;
}

/* ---- layout ---- */

static void
measure (const struct table *self, size_t *widths)
{
    for (size_t i = 0; i < self->column_count; i++)
        widths[i] = table_text_width (self->columns[i].title);
    for (size_t i = 0; i < self->cell_count; i++) {
        size_t width = table_text_width (self->cells[i]), *most = &widths[i % self->column_count];
        *most = MAX_OF (*most, width);
    }
}

/* Takes from the widest column that may be cut, until the line fits or none is left. */
static void
shrink (const struct table *self, size_t *widths, size_t room)
{
    size_t sum = GAP * (self->column_count - 1);
    for (size_t i = 0; i < self->column_count; i++)
        sum += widths[i];
    while (sum > room) {
        size_t widest = self->column_count;
        for (size_t i = 0; i < self->column_count; i++)
            if (self->columns[i].least && widths[i] > self->columns[i].least
                && (widest == self->column_count || widths[i] > widths[widest]))
                widest = i;
        if (widest == self->column_count)
            return;
        widths[widest]--;
        sum--;
    }
}

static void
add_row (const struct table *self, const size_t *widths, const char *const *cells, struct buf *out)
{
    for (size_t i = 0; i < self->column_count; i++) {
        bool last = i + 1 == self->column_count;
        table_fit (out, cells ? cells[i] : self->columns[i].title, widths[i],
                   self->columns[i].align, !last || self->columns[i].align == TABLE_RIGHT);
        if (!last)
            add_blanks (out, GAP);
    }
    while (out->len && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    buf_add_char (out, '\n');
}

void
table_format (const struct table *self, size_t width, struct buf *out)
{
    size_t *widths = mem_grow (NULL, self->column_count, sizeof *widths);
    measure (self, widths);
    if (width)
        shrink (self, widths, width);
    add_row (self, widths, NULL, out);
    for (size_t i = 0; i + self->column_count <= self->cell_count; i += self->column_count)
        add_row (self, widths, (const char *const *) self->cells + i, out);
    free (widths);
}

void
table_print (const struct table *self)
{
    struct buf out = { 0 };
    table_format (self, table_terminal_width (), &out);
    fputs (out.data, stdout);
    buf_fini (&out);
}
