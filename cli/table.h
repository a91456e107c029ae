/* table - rows and columns of text, aligned, and cut so that a line fits. Text in, text out.
 * Cells may come from outside: control characters become blanks.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/base.h"

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *title;
    enum table_align align;
    size_t least; /* columns of the terminal it may be cut to; 0: never cut */
};

struct table;
/* columns: borrowed for the table's life. */
struct table *table_new (const struct table_column *columns, size_t count);
void table_destroy (struct table **table);
/* The next cell, row by row. */
void table_add (struct table *table, const char *text);
void table_addf (struct table *table, const char *format, ...) PRINTF_LIKE (2, 3);
/* width: of a line, in columns of the terminal; 0: no limit. */
void table_format (const struct table *table, size_t width, struct buf *out);
void table_print (const struct table *table); /* on standard output, fitting the terminal */

/* Columns of the terminal; 0 when standard output is none. COLUMNS overrides. */
size_t table_terminal_width (void);
/* Appends text without control characters, cut to width (0: never) with an ellipsis, filled up
 * with blanks when pad. */
void table_fit (struct buf *out, const char *text, size_t width, enum table_align align, bool pad);
size_t table_text_width (const char *text);

#endif
