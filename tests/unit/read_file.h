/* read_file - for tests that read texts of other folders; after cmocka.h.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef TESTS_READ_FILE_H
#define TESTS_READ_FILE_H

#include "base/base.h"

#include <stdio.h>

/* The whole of a file that is there. given (buf_fini) */
static struct buf
read_file (const char *path)
{
    struct buf buf = { 0 };
    FILE *file = fopen (path, "rb");
    assert_non_null (file);
    char part[65536];
    for (size_t n; (n = fread (part, 1, sizeof part, file)) > 0;)
        buf_add (&buf, part, n);
    fclose (file);
    return buf;
}

#endif
