/* One table of fields a message; one encoder and one decoder for all of them.
 * SPDX-License-Identifier: MPL-2.0 */
#include "proto/wire.h"

#include <endian.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

#define FIELD(type, name, kind, most, each) FIELD_SINCE (1, type, name, kind, most, each)
#define FIELD_SINCE(version, type, name, kind, most, each) \
    { #name, kind, offsetof (struct wire_##type, name), most, each, version }

static const struct wire_field article_fields[] = {
    FIELD (article, flags, WIRE_U32, WIRE_ALONE, 0),
    FIELD (article, published_us, WIRE_I64, 0, 0),
    FIELD (article, source, WIRE_TEXT, 1024, 0),
    FIELD (article, url, WIRE_TEXT, 4096, 0),
    FIELD (article, title, WIRE_TEXT, 4096, 0),
    FIELD (article, author, WIRE_TEXT, 1024, 0),
    FIELD (article, content, WIRE_TEXT, 2 * MIB, 0),
    FIELD (article, summary, WIRE_TEXT, 64 * 1024, 0),
    FIELD (article, summary_model, WIRE_TEXT, 256, 0),
    FIELD (article, chunks, WIRE_BINARY, WIRE_CHUNKS_MAX * WIRE_CHUNK_BYTES, WIRE_CHUNK_BYTES),
    FIELD (article, dimensions, WIRE_U32, WIRE_DIMENSIONS_MAX, 0),
    FIELD (article, embedding_model, WIRE_TEXT, 256, 0),
    FIELD (article, vectors, WIRE_BINARY, WIRE_FRAME_MAX, 4),
};

static const struct wire_field result_fields[] = {
    FIELD (result, stage, WIRE_TEXT, 32, 0),
    FIELD (result, worker, WIRE_TEXT, 64, 0),
    FIELD (result, outcome, WIRE_U32, WIRE_SPENT, 0),
    FIELD (result, fault, WIRE_U32, WIRE_REFUSED, 0),
    FIELD (result, reason, WIRE_TEXT, 4096, 0),
    FIELD (result, duration_ms, WIRE_U32, 0, 0),
    FIELD (result, calls, WIRE_U32, 0, 0),
    FIELD (result, tokens_in, WIRE_U64, 0, 0),
    FIELD (result, tokens_out, WIRE_U64, 0, 0),
    FIELD (result, cost, WIRE_F64, 0, 0),
    FIELD (result, retry_after_ms, WIRE_U32, 0, 0),
    FIELD (result, chunks, WIRE_U32, WIRE_CHUNKS_MAX, 0),
    FIELD (result, summary, WIRE_TEXT, 64 * 1024, 0),
    FIELD (result, summary_model, WIRE_TEXT, 256, 0),
    FIELD_SINCE (2, result, priced, WIRE_U32, 1, 0),
};

static const struct wire_field heartbeat_fields[] = {
    FIELD (heartbeat, stage, WIRE_TEXT, 32, 0),
    FIELD (heartbeat, worker, WIRE_TEXT, 64, 0),
    FIELD (heartbeat, host, WIRE_TEXT, 256, 0),
    FIELD (heartbeat, pid, WIRE_U32, 0, 0),
    FIELD (heartbeat, state, WIRE_U32, WIRE_LEAVING, 0),
    FIELD (heartbeat, interval_ms, WIRE_U32, 600000, 0),
    FIELD (heartbeat, held, WIRE_BINARY, WIRE_HELD_MAX * 8, 8),
    FIELD (heartbeat, statistics, WIRE_TEXT, 64 * 1024, 0),
};

static const struct wire_field tick_fields[] = {
    FIELD (tick, scheduled_us, WIRE_I64, 0, 0),
};

static const struct wire_field event_fields[] = {
    FIELD (event, kind, WIRE_U32, WIRE_BREAKER, 0),
    FIELD (event, stage, WIRE_TEXT, 32, 0),
    FIELD (event, until_us, WIRE_I64, 0, 0),
    FIELD (event, reason, WIRE_TEXT, 4096, 0),
};

#define LAYOUT(type, name, fields) { type, name, fields, COUNT_OF (fields) }
static const struct wire_layout layouts[] = {
    LAYOUT (WIRE_ARTICLE, "ARTICLE", article_fields),
    LAYOUT (WIRE_RESULT, "RESULT", result_fields),
    LAYOUT (WIRE_HEARTBEAT, "HEARTBEAT", heartbeat_fields),
    LAYOUT (WIRE_TICK, "TICK", tick_fields),
    LAYOUT (WIRE_EVENT, "EVENT", event_fields),
};

static const char *const link_names[WIRE_LINK_COUNT] = {
    "articles", "summaries", "chunks", "vectors", "results", "ticks", "events",
};

const char *
wire_link_name (enum wire_link link)
{
    return link_names[link];
}

bool
wire_link_fans_out (enum wire_link link)
{
    return link == WIRE_TICKS || link == WIRE_EVENTS;
}

const struct wire_layout *
wire_layouts (size_t *ret_count)
{
    *ret_count = COUNT_OF (layouts);
    return layouts;
}

static const struct wire_layout *
layout_of (unsigned type)
{
    for (size_t i = 0; i < COUNT_OF (layouts); i++)
        if (layouts[i].type == type)
            return &layouts[i];
    return NULL;
}

#ifdef NEWSMILL_FAULTS
/* A test has some processes be of the release before. */
static unsigned
version_here (void)
{
    return getenv ("NEWSMILL_FAULT_OLD") ? WIRE_VERSION_OLDEST : WIRE_VERSION;
}
#else
static unsigned
version_here (void)
{
    return WIRE_VERSION;
}
#endif

/* The one it last changed in: who knows that one reads the message, however much newer its sender is. */
static unsigned
version_of (const struct wire_layout *layout)
{
    unsigned newest = layout->fields[layout->field_count - 1].since; /* new fields come at the end */
    return MIN_OF (MAX_OF (newest, (unsigned) WIRE_VERSION_OLDEST), version_here ());
}

/* ---- big-endian numbers ---- */

static void
put (struct buf *out, uint64_t value, size_t bytes)
{
    char raw[8];
    for (size_t i = 0; i < bytes; i++)
        raw[i] = (char) (value >> 8 * (bytes - 1 - i));
    buf_add (out, raw, bytes);
}

static uint64_t
peek (const char *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char) at[i];
    return value;
}

struct reader {
    const char *at;
    size_t left;
    bool failed;
};

static const char *
take (struct reader *r, size_t bytes)
{
    if (r->failed || bytes > r->left) {
        r->failed = true;
        return NULL;
    }
    const char *at = r->at;
    r->at += bytes;
    r->left -= bytes;
    return at;
}

static uint64_t
take_number (struct reader *r, size_t bytes)
{
    const char *at = take (r, bytes);
    return at ? peek (at, bytes) : 0;
}

/* ---- one field ---- */

static bool
bytes_are_legal (const struct wire_field *field, const struct wire_bytes *value)
{
    if (value->size > field->most)
        return false;
    if (field->kind == WIRE_BINARY)
        return value->size % field->each == 0;
    return utf8_valid_bytes (value->data, value->size) == value->size && !memchr (value->data, 0, value->size);
}

static bool
number_is_legal (const struct wire_field *field, uint64_t value)
{
    return !field->most || value <= field->most;
}

/* No JSON number and no sum can hold the others. */
static bool
real_is_legal (uint64_t bits)
{
    double value;
    memcpy (&value, &bits, sizeof value);
    return isfinite (value);
}

static int
encode_field (const struct wire_field *field, const char *message, struct buf *out)
{
    const void *at = message + field->offset;
    uint32_t u32;
    uint64_t u64;
    struct wire_bytes value;
    switch (field->kind) {
    case WIRE_U32:
        memcpy (&u32, at, sizeof u32);
        put (out, u32, 4);
        return number_is_legal (field, u32) ? 0 : -EINVAL;
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_F64:
        memcpy (&u64, at, sizeof u64);
        put (out, u64, 8);
        return field->kind != WIRE_F64 || real_is_legal (u64) ? 0 : -EINVAL;
    case WIRE_TEXT:
    case WIRE_BINARY:
        memcpy (&value, at, sizeof value);
        if (value.size && !bytes_are_legal (field, &value))
            return -EINVAL;
        put (out, value.size, 4);
        buf_add (out, value.data, value.size);
        return 0;
    }
    return -EINVAL;
}

static void
decode_field (const struct wire_field *field, struct reader *r, char *message)
{
    void *at = message + field->offset;
    uint32_t u32;
    uint64_t u64;
    struct wire_bytes value;
    switch (field->kind) {
    case WIRE_U32:
        u32 = (uint32_t) take_number (r, 4);
        r->failed |= !number_is_legal (field, u32);
        memcpy (at, &u32, sizeof u32);
        return;
    case WIRE_U64:
    case WIRE_I64:
    case WIRE_F64:
        u64 = take_number (r, 8);
        r->failed |= field->kind == WIRE_F64 && !real_is_legal (u64);
        memcpy (at, &u64, sizeof u64);
        return;
    case WIRE_TEXT:
    case WIRE_BINARY:
        value.size = (size_t) take_number (r, 4);
        value.data = take (r, value.size);
        if (!r->failed && !bytes_are_legal (field, &value))
            r->failed = true;
        memcpy (at, &value, sizeof value);
        return;
    }
}

/* ---- what the fields of an article promise each other ---- */

static bool
is_border (const struct wire_bytes *text, size_t at)
{
    return at == text->size || (text->data[at] & 0xc0) != 0x80;
}

static bool
article_is_consistent (const struct wire_article *article)
{
    size_t count = wire_chunk_count (article), before = 0;
    for (size_t i = 0; i < count; i++) {
        struct wire_chunk chunk = wire_chunk_at (article, i);
        if (chunk.byte_start >= chunk.byte_end || chunk.byte_end > article->content.size
            || !is_border (&article->content, chunk.byte_start) || !is_border (&article->content, chunk.byte_end)
            || (i && chunk.byte_start <= before))
            return false;
        before = chunk.byte_start;
    }
    if (!article->vectors.size)
        return true;
    return article->dimensions && article->vectors.size == count * article->dimensions * 4;
}

static bool
message_is_consistent (enum wire_type type, const union wire_message *message)
{
    switch (type) {
    case WIRE_ARTICLE:
        return message->header.article != 0 && article_is_consistent (&message->article);
    case WIRE_RESULT:
        return message->result.outcome != 0 && (message->result.outcome == WIRE_SPENT || message->header.article);
    case WIRE_HEARTBEAT:
        return message->heartbeat.state != 0;
    case WIRE_TICK:
        return !uuid_is_nil (&message->header.run);
    case WIRE_EVENT:
        return message->event.kind != 0;
    }
    return false;
}

int
wire_encode (enum wire_type type, const void *message, struct buf *out)
{
    const struct wire_header *header = message;
    const struct wire_layout *layout = layout_of (type);
    size_t start = out->len;
    unsigned version = version_of (layout);
    buf_add (out, "NM", 2);
    put (out, version, 1);
    put (out, type, 1);
    buf_add (out, header->run.bytes, sizeof header->run.bytes);
    put (out, header->article, 8);
    put (out, header->attempt, 4);
    put (out, (uint64_t) header->deadline_us, 8);
    for (size_t i = 0; i < layout->field_count && layout->fields[i].since <= version; i++) {
        int r = encode_field (&layout->fields[i], message, out);
        if (r == 0 && out->len - start > WIRE_FRAME_MAX)
            r = -EMSGSIZE;
        if (r < 0) {
            out->len = start;
            return r;
        }
    }
    return 0;
}

/* What can be told from magic, version and type. head: WIRE_HEADER_BYTES at least. */
static int
read_head (const char *head, const struct wire_layout **ret_layout)
{
    if (memcmp (head, "NM", 2) != 0)
        return -EBADMSG;
    unsigned version = (unsigned char) head[WIRE_VERSION_OFFSET];
    if (version < WIRE_VERSION_OLDEST || version > version_here ())
        return -EPROTONOSUPPORT;
    const struct wire_layout *layout = layout_of ((unsigned char) head[WIRE_TYPE_OFFSET]);
    if (!layout)
        return -ENOMSG;
    *ret_layout = layout;
    return version <= version_of (layout) ? 0 : -EPROTONOSUPPORT;
}

int
wire_decode (const void *frame, size_t bytes, enum wire_type *ret_type, union wire_message *ret_message)
{
    struct reader r = { frame, bytes, bytes > WIRE_FRAME_MAX };
    const char *head = take (&r, WIRE_HEADER_BYTES);
    const struct wire_layout *layout = NULL;
    int fault = head ? read_head (head, &layout) : -EBADMSG;
    if (fault < 0)
        return fault;
    union wire_message message;
    memset (&message, 0, sizeof message);
    memcpy (message.header.run.bytes, head + 4, 16);
    message.header.article = peek (head + 20, 8);
    message.header.attempt = (uint32_t) peek (head + 28, 4);
    message.header.deadline_us = (int64_t) peek (head + 32, 8);
    unsigned version = (unsigned char) head[WIRE_VERSION_OFFSET];
    for (size_t i = 0; i < layout->field_count && layout->fields[i].since <= version; i++)
        decode_field (&layout->fields[i], &r, (char *) &message);
    if (r.failed || r.left || !message_is_consistent (layout->type, &message))
        return -EBADMSG;
    *ret_type = layout->type;
    *ret_message = message;
    return 0;
}

static bool
belongs (enum wire_type type, enum wire_link link)
{
    switch (link) {
    case WIRE_ARTICLES:
    case WIRE_SUMMARIES:
    case WIRE_CHUNKS:
    case WIRE_VECTORS:
        return type == WIRE_ARTICLE;
    case WIRE_RESULTS:
        return type == WIRE_RESULT || type == WIRE_HEARTBEAT;
    case WIRE_TICKS:
        return type == WIRE_TICK;
    case WIRE_EVENTS:
        return type == WIRE_EVENT;
    case WIRE_LINK_COUNT:
    case WIRE_NO_LINK:
        break;
    }
    return false;
}

int
wire_check (const void *frame, size_t bytes, enum wire_link link)
{
    const struct wire_layout *layout = NULL;
    int r = bytes < WIRE_HEADER_BYTES || bytes > WIRE_FRAME_MAX ? -EBADMSG : read_head (frame, &layout);
    return r < 0 ? r : belongs (layout->type, link) ? 0 : -EPROTOTYPE;
}

const char *
wire_fault (int error)
{
    return error == -EPROTONOSUPPORT ? "another version" : error == -ENOMSG ? "unknown type"
           : error == -EPROTOTYPE ? "a type that does not belong on the link" : "malformed";
}

/* ---- the packed lists ---- */

size_t
wire_chunk_count (const struct wire_article *article)
{
    return article->chunks.size / WIRE_CHUNK_BYTES;
}

struct wire_chunk
wire_chunk_at (const struct wire_article *article, size_t index)
{
    const char *at = article->chunks.data + index * WIRE_CHUNK_BYTES;
    return (struct wire_chunk){ (uint32_t) peek (at, 4), (uint32_t) peek (at + 4, 4),
                                (uint32_t) peek (at + 8, 4), (uint32_t) peek (at + 12, 4) };
}

void
wire_chunk_put (struct buf *out, const struct wire_chunk *chunk)
{
    put (out, chunk->word_start, 4);
    put (out, chunk->word_count, 4);
    put (out, chunk->byte_start, 4);
    put (out, chunk->byte_end, 4);
}

uint64_t
wire_id_at (const struct wire_bytes *ids, size_t index)
{
    return peek (ids->data + index * 8, 8);
}

void
wire_id_put (struct buf *out, uint64_t id)
{
    put (out, id, 8);
}

void
wire_vector_put (struct buf *out, const float *values, size_t count)
{
    buf_reserve (out, count * 4);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy (&bits, &values[i], sizeof bits);
        bits = htobe32 (bits);
        memcpy (out->data + out->len + i * 4, &bits, sizeof bits);
    }
    out->len += count * 4;
    out->data[out->len] = '\0';
}

struct wire_bytes
wire_text (const char *text)
{
    return (struct wire_bytes){ text, text ? strlen (text) : 0 };
}

bool
wire_text_is (const struct wire_bytes *bytes, const char *text)
{
    return bytes->size == strlen (text) && memcmp (bytes->data, text, bytes->size) == 0;
}
