/* repair - makes XML of what publishers send; see repair.c for what that is. For whoever reads their XML: feeds, lists of
 * feeds. Bytes in, bytes out; what it reads is hostile.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef FEED_REPAIR_H
#define FEED_REPAIR_H

#include "base/base.h"

#define REPAIR_ENTITIES_MAX 64

/* A document without its prolog. Everything here borrows from the text given to repair_prolog. */
struct xml_body {
    const char *text;
    size_t bytes;
    struct xml_entity {
        const char *name, *value;
        size_t name_bytes, value_bytes;
    } entities[REPAIR_ENTITIES_MAX]; /* declared in the document type, if any */
    size_t entity_count;
};

/* Leaves out what stands before the document, its XML declaration and its document type. */
void repair_prolog (const char *text, size_t bytes, struct xml_body *ret_body);
/* Whether a tag has more attributes than anyone needs: libxml2 compares each with all the others, for hours. */
bool repair_is_due (const struct xml_body *body);
/* Rewrites tag soup as well-formed XML of bounded depth. given (buf_fini) */
void repair_xml (const struct xml_body *body, struct buf *out);

#endif
