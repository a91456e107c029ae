/* The golden messages of proto/vectors, and hex as they and WIRE.md write it. SPDX-License-Identifier: MPL-2.0 */
#ifndef UNIT_PROTO_VECTORS_H
#define UNIT_PROTO_VECTORS_H

#include "proto/wire.h"

struct vector {
    const char *name;
    enum wire_type type;
};
extern const struct vector vectors[];
extern const size_t vector_count;
extern const struct vector old_vectors[]; /* as a release before sends them: read, and never written */
extern const size_t old_vector_count;

void vector_read (const char *name, struct buf *ret_bytes);       /* fails the test if it can't be read */
char *file_read (const char *path);                               /* below the source tree. given (free) */
/* Pairs of hex digits at the start of each line of text, up to size; what follows them on a line is a comment. */
void hex_read (const char *text, size_t size, struct buf *ret_bytes);

#endif
