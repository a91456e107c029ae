/* The codec against golden bytes, and against bytes that are wrong in every way we can think of.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/guard.h"
#include "tests/unit/proto/vectors.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_US INT64_C (1763347200000000) /* 2025-11-17T02:40:00Z, of all vectors */

static struct guard guard;

static int
open_guard (void **state UNUSED)
{
    guard = guard_open (65536);
    return 0;
}

static int
close_guard (void **state UNUSED)
{
    guard_close (&guard);
    return 0;
}

static int
decode (const struct buf *frame, union wire_message *ret_message)
{
    enum wire_type type;
    return wire_decode (guard_put (&guard, frame->data, frame->len), frame->len, &type, ret_message);
}

/* The message borrows from the guarded page. */
static union wire_message
golden (const char *name)
{
    struct buf frame = { 0 };
    union wire_message message;
    vector_read (name, &frame);
    int r = decode (&frame, &message);
    if (r != 0)
        fail_msg ("%s: %d", name, r);
    buf_fini (&frame);
    return message;
}

static void
assert_text (struct wire_bytes bytes, const char *text)
{
    if (!wire_text_is (&bytes, text))
        fail_msg ("\"%.*s\" is not \"%s\"", (int) bytes.size, bytes.data, text);
}

static void
assert_header (const struct wire_header *header, uint64_t article, uint32_t attempt, int64_t deadline_us)
{
    char text[UUID_TEXT_SIZE];
    assert_string_equal (uuid_format (&header->run, text), "019a8fae-f800-7a3c-9d12-0f1e2d3c4b5a");
    assert_true (header->article == article);
    assert_int_equal (header->attempt, attempt);
    assert_true (header->deadline_us == deadline_us);
}

/* ---- golden ---- */

static void
golden_messages_encode_to_the_same_bytes (void **state UNUSED)
{
    for (size_t i = 0; i < vector_count; i++) {
        struct buf frame = { 0 }, again = { 0 };
        union wire_message message;
        enum wire_type type;
        vector_read (vectors[i].name, &frame);
        int r = wire_decode (guard_put (&guard, frame.data, frame.len), frame.len, &type, &message);
        if (r != 0)
            fail_msg ("%s: %d", vectors[i].name, r);
        assert_int_equal (type, vectors[i].type);
        assert_int_equal (wire_encode (type, &message, &again), 0);
        assert_int_equal (again.len, frame.len);
        assert_memory_equal (again.data, frame.data, frame.len);
        buf_fini (&frame);
        buf_fini (&again);
    }
}

static void
golden_article_has_its_fields (void **state UNUSED)
{
    struct wire_article a = golden ("article").article;
    assert_header (&a.header, 7, 1, MINUTE_US + 900 * US_PER_S);
    assert_int_equal (a.flags, 0);
    assert_true (a.published_us == MINUTE_US - 3600 * US_PER_S);
    assert_text (a.source, "Ærø Ledger");
    assert_text (a.url, "https://ledger.example/a?id=7");
    assert_text (a.title, "Port reopens");
    assert_text (a.author, "");
    assert_text (a.content, "The port reopened. Ships wait €5 less.");
    assert_int_equal (a.summary.size + a.summary_model.size + a.embedding_model.size, 0);
    assert_int_equal (wire_chunk_count (&a) + a.vectors.size + a.dimensions, 0);
}

static void
golden_embedded_article_has_its_fields (void **state UNUSED)
{
    struct wire_article a = golden ("article-embedded").article;
    static const unsigned char first_vector[] = { 0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0 };
    assert_header (&a.header, UINT64_C (8589934599), 3, MINUTE_US + 900 * US_PER_S);
    assert_int_equal (a.flags, WIRE_ALONE);
    assert_text (a.summary, "The port is open.");
    assert_text (a.summary_model, "local/centroid");
    assert_text (a.embedding_model, "local/hash-384");
    assert_int_equal (wire_chunk_count (&a), 2);
    struct wire_chunk one = wire_chunk_at (&a, 0), two = wire_chunk_at (&a, 1);
    assert_int_equal (one.word_start, 0);
    assert_int_equal (one.word_count, 3);
    assert_int_equal (one.byte_end, 18);
    assert_int_equal (two.word_start, 2);
    assert_int_equal (two.word_count, 5);
    assert_int_equal (two.byte_start, 9);
    assert_int_equal (two.byte_end, a.content.size);
    assert_int_equal (a.dimensions, 2);
    assert_int_equal (a.vectors.size, 16);
    assert_memory_equal (a.vectors.data, first_vector, sizeof first_vector);
}

static void
golden_results_have_their_fields (void **state UNUSED)
{
    struct wire_result r = golden ("result-done").result;
    assert_header (&r.header, 7, 1, MINUTE_US + 900 * US_PER_S);
    assert_text (r.stage, "summarizer");
    assert_text (r.worker, "summarizer-oslo-41-0a3f");
    assert_int_equal (r.outcome, WIRE_DONE);
    assert_int_equal (r.duration_ms, 1530);
    assert_text (r.summary, "The port is open.");
    assert_text (r.summary_model, "local/centroid");
    r = golden ("result-failed").result;
    assert_int_equal (r.outcome, WIRE_FAILED);
    assert_int_equal (r.fault, WIRE_BLAMED);
    assert_text (r.reason, "came without summary or vectors");
    r = golden ("result-spent").result;
    assert_header (&r.header, 0, 0, 0);
    assert_int_equal (r.outcome, WIRE_SPENT);
    assert_int_equal (r.fault, WIRE_TRANSIENT);
    assert_int_equal (r.calls, 1);
    assert_true (r.tokens_in == UINT64_C (5000000000) && r.tokens_out == 12);
    assert_true (r.cost == 0.015625);
    assert_int_equal (r.retry_after_ms, 2000);
}

static void
golden_heartbeat_tick_and_event_have_their_fields (void **state UNUSED)
{
    struct wire_heartbeat h = golden ("heartbeat").heartbeat;
    assert_true (uuid_is_nil (&h.header.run));
    assert_text (h.host, "oslo");
    assert_int_equal (h.pid, 44);
    assert_int_equal (h.state, WIRE_ALIVE);
    assert_int_equal (h.interval_ms, 2000);
    assert_int_equal (h.held.size, 16);
    assert_true (wire_id_at (&h.held, 0) == 7 && wire_id_at (&h.held, 1) == UINT64_C (8589934599));
    assert_text (h.statistics, "{\"cut\":12}");
    struct wire_tick t = golden ("tick").tick;
    assert_header (&t.header, 0, 0, 0);
    assert_true (t.scheduled_us == MINUTE_US);
    struct wire_event e = golden ("event-gate").event;
    assert_int_equal (e.kind, WIRE_GATE);
    assert_text (e.stage, "summarizer");
    assert_true (e.until_us == MINUTE_US + 2 * US_PER_S);
    assert_text (e.reason, "HTTP 429");
}

static void
packed_lists_are_big_endian (void **state UNUSED)
{
    struct buf out = { 0 };
    const float values[] = { 1.0f, -0.5f };
    const struct wire_chunk chunk = { 1, 2, 0x01020304, 0xfffefdfc };
    wire_vector_put (&out, values, 2);
    wire_id_put (&out, 0x0102030405060708);
    wire_chunk_put (&out, &chunk);
    static const unsigned char expect[] = { 0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
                                            0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc };
    assert_int_equal (out.len, sizeof expect);
    assert_memory_equal (out.data, expect, sizeof expect);
    buf_fini (&out);
}

/* ---- damaged ---- */

static void
cut_at_every_length_is_refused (void **state UNUSED)
{
    for (size_t i = 0; i < vector_count; i++) {
        struct buf frame = { 0 };
        union wire_message message;
        vector_read (vectors[i].name, &frame);
        for (size_t whole = frame.len; frame.len-- > 0;)
            if (decode (&frame, &message) != -EBADMSG)
                fail_msg ("%s is taken when cut to %zu of %zu bytes", vectors[i].name, frame.len, whole);
        frame.len = 0;
        buf_fini (&frame);
    }
}

static void
left_over_byte_is_refused (void **state UNUSED)
{
    for (size_t i = 0; i < vector_count; i++) {
        struct buf frame = { 0 };
        union wire_message message;
        vector_read (vectors[i].name, &frame);
        buf_add_char (&frame, '\0');
        assert_int_equal (decode (&frame, &message), -EBADMSG);
        buf_fini (&frame);
    }
}

/* Whatever is taken must mean exactly its bytes. */
static void
damaged_byte_is_refused_or_faithful (void **state UNUSED)
{
    size_t taken = 0, refused = 0;
    for (size_t i = 0; i < vector_count; i++) {
        struct buf frame = { 0 }, again = { 0 };
        vector_read (vectors[i].name, &frame);
        char *bytes = guard_put (&guard, frame.data, frame.len);
        for (size_t at = 0; at < frame.len; at++)
            for (int flip = 1; flip < 256; flip++) {
                union wire_message message;
                enum wire_type type;
                bytes[at] = (char) (frame.data[at] ^ flip);
                if (wire_decode (bytes, frame.len, &type, &message) < 0)
                    refused++;
                else {
                    taken++;
                    buf_clear (&again);
                    if (wire_encode (type, &message, &again) != 0 || again.len != frame.len
                        || memcmp (again.data, bytes, again.len) != 0)
                        fail_msg ("%s with byte %zu flipped by %02x is not what it says", vectors[i].name, at, flip);
                }
                bytes[at] = frame.data[at];
            }
        buf_fini (&frame);
        buf_fini (&again);
    }
    assert_true (taken > 1000 && refused > 1000);
}

static void
wrong_head_is_told_apart (void **state UNUSED)
{
    static const struct { size_t at; char value; int expect; } heads[] = {
        { 0, 'n', -EBADMSG }, { 1, 'N', -EBADMSG },
        { 2, 0, -EPROTONOSUPPORT }, { 2, WIRE_VERSION + 1, -EPROTONOSUPPORT }, { 2, (char) 0xff, -EPROTONOSUPPORT },
        { 3, 0, -ENOMSG }, { 3, 6, -ENOMSG }, { 3, (char) 0xff, -ENOMSG },
        { 3, WIRE_TICK, 0 },
    };
    for (size_t i = 0; i < COUNT_OF (heads); i++) {
        struct buf frame = { 0 };
        union wire_message message;
        vector_read ("tick", &frame);
        frame.data[heads[i].at] = heads[i].value;
        assert_int_equal (decode (&frame, &message), heads[i].expect);
        buf_fini (&frame);
    }
}

static void
what_the_release_before_sends_is_read (void **state UNUSED)
{
    struct buf frame = { 0 };
    union wire_message newer = golden ("result-spent");
    uint64_t tokens = newer.result.tokens_in;
    assert_int_equal (newer.result.priced, 1);
    vector_read ("result-spent-1", &frame);
    assert_int_equal (wire_check (frame.data, frame.len, WIRE_RESULTS), 0);
    union wire_message older = golden ("result-spent-1");
    assert_true (older.result.tokens_in == tokens);
    assert_int_equal (older.result.priced, 0);
    buf_fini (&frame);
}

/* Else whoever knows only that version would have to refuse it. */
static void
a_type_that_did_not_change_keeps_its_version (void **state UNUSED)
{
    static const struct { const char *name; char version; } frames[] = {
        { "article", 1 }, { "heartbeat", 1 }, { "tick", 1 }, { "event-gate", 1 }, { "result-done", 2 },
    };
    for (size_t i = 0; i < COUNT_OF (frames); i++) {
        struct buf frame = { 0 };
        union wire_message message;
        vector_read (frames[i].name, &frame);
        assert_int_equal (frame.data[WIRE_VERSION_OFFSET], frames[i].version);
        frame.data[WIRE_VERSION_OFFSET] = (char) (frames[i].version + 1);
        assert_int_equal (decode (&frame, &message), -EPROTONOSUPPORT);
        buf_fini (&frame);
    }
}

static void
the_broker_sees_by_the_header_what_belongs (void **state UNUSED)
{
    static const struct { const char *name; unsigned links; } frames[] = {
        { "article", 1u << WIRE_ARTICLES | 1u << WIRE_SUMMARIES | 1u << WIRE_CHUNKS | 1u << WIRE_VECTORS },
        { "result-done", 1u << WIRE_RESULTS }, { "heartbeat", 1u << WIRE_RESULTS },
        { "tick", 1u << WIRE_TICKS }, { "event-gate", 1u << WIRE_EVENTS },
    };
    for (size_t i = 0; i < COUNT_OF (frames); i++) {
        struct buf frame = { 0 };
        vector_read (frames[i].name, &frame);
        for (int link = 0; link < WIRE_LINK_COUNT; link++)
            assert_int_equal (wire_check (frame.data, frame.len, (enum wire_link) link),
                              frames[i].links & 1u << link ? 0 : -EPROTOTYPE);
        assert_int_equal (wire_check (frame.data, WIRE_HEADER_BYTES - 1, WIRE_RESULTS), -EBADMSG);
        frame.data[3] = 77;
        assert_int_equal (wire_check (frame.data, frame.len, WIRE_RESULTS), -ENOMSG);
        frame.data[2] = WIRE_VERSION + 1;
        assert_int_equal (wire_check (frame.data, frame.len, WIRE_RESULTS), -EPROTONOSUPPORT);
        frame.data[0] = 'X';
        assert_int_equal (wire_check (frame.data, frame.len, WIRE_RESULTS), -EBADMSG);
        buf_fini (&frame);
    }
}

static void
refusal_leaves_outputs_alone (void **state UNUSED)
{
    union wire_message message;
    enum wire_type type = WIRE_EVENT;
    memset (&message, 0x55, sizeof message);
    struct buf frame = { 0 };
    vector_read ("article", &frame);
    assert_int_equal (wire_decode (frame.data, frame.len - 1, &type, &message), -EBADMSG);
    assert_int_equal (type, WIRE_EVENT);
    for (size_t i = 0; i < sizeof message; i++)
        assert_int_equal (((const unsigned char *) &message)[i], 0x55);
    buf_fini (&frame);
}

static void
huge_sizes_are_refused (void **state UNUSED)
{
    static const uint32_t sizes[] = { 0xffffffff, 0xfffffffc, 0x80000000, 0x7fffffff };
    for (size_t i = 0; i < COUNT_OF (sizes); i++) {
        struct buf frame = { 0 };
        union wire_message message;
        vector_read ("event-gate", &frame);
        for (size_t j = 0; j < 4; j++)
            frame.data[WIRE_HEADER_BYTES + 4 + j] = (char) (sizes[i] >> (24 - 8 * j));
        assert_int_equal (decode (&frame, &message), -EBADMSG);
        buf_fini (&frame);
    }
}

/* ---- limits, from the tables ---- */

/* A message of the layout that is right, with all texts empty. */
static union wire_message
plain (enum wire_type type)
{
    union wire_message m;
    memset (&m, 0, sizeof m);
    m.header.run = (struct uuid){ { 1 } };
    m.header.article = 1;
    if (type == WIRE_RESULT)
        m.result.outcome = WIRE_DONE;
    if (type == WIRE_HEARTBEAT)
        m.heartbeat.state = WIRE_ALIVE;
    if (type == WIRE_EVENT)
        m.event.kind = WIRE_RUN_OPENED;
    return m;
}

/* The same bytes as the encoder would write if it had no limits: taken from a legal message, by hand. */
static void
check_number (const struct wire_layout *layout, const struct wire_field *field)
{
    union wire_message m = plain (layout->type), back;
    enum wire_type type;
    struct buf out = { 0 };
    uint32_t most = (uint32_t) field->most, over = most + 1;
    memcpy ((char *) &m + field->offset, &most, sizeof most);
    assert_int_equal (wire_encode (layout->type, &m, &out), 0);
    assert_int_equal (wire_decode (out.data, out.len, &type, &back), 0);
    size_t legal = out.len;
    memcpy ((char *) &m + field->offset, &over, sizeof over);
    assert_int_equal (wire_encode (layout->type, &m, &out), -EINVAL);
    assert_int_equal (out.len, legal); /* nothing half written */
    /* Where the number stands: behind the fields before it, which are all at their least. */
    size_t at = WIRE_HEADER_BYTES;
    for (const struct wire_field *f = layout->fields; f < field; f++)
        at += f->kind == WIRE_U64 || f->kind == WIRE_I64 || f->kind == WIRE_F64 ? 8 : 4;
    for (size_t i = 0; i < 4; i++)
        out.data[at + i] = (char) (over >> (24 - 8 * i));
    assert_int_equal (wire_decode (out.data, out.len, &type, &back), -EBADMSG);
    buf_fini (&out);
}

/* Inserts a value of `size` letters into the frame of a plain message, past what the encoder would allow. */
static int
decode_with_text (const struct wire_layout *layout, const struct wire_field *field, char letter, size_t size)
{
    union wire_message m = plain (layout->type), back;
    enum wire_type type;
    struct buf out = { 0 }, frame = { 0 };
    assert_int_equal (wire_encode (layout->type, &m, &out), 0);
    size_t at = WIRE_HEADER_BYTES;
    for (const struct wire_field *f = layout->fields; f < field; f++)
        at += f->kind == WIRE_U64 || f->kind == WIRE_I64 || f->kind == WIRE_F64 ? 8 : 4;
    buf_add (&frame, out.data, at);
    for (int shift = 24; shift >= 0; shift -= 8)
        buf_add_char (&frame, (char) (size >> shift));
    buf_reserve (&frame, size);
    memset (frame.data + frame.len, letter, size);
    frame.len += size;
    buf_add (&frame, out.data + at + 4, out.len - at - 4);
    int r = wire_decode (frame.data, frame.len, &type, &back);
    buf_fini (&out);
    buf_fini (&frame);
    return r;
}

static void
check_text (const struct wire_layout *layout, const struct wire_field *field)
{
    size_t step = field->each ? field->each : 1, most = (size_t) field->most;
    char *text = mem_alloc (most + step);
    memset (text, 'a', most + step);
    union wire_message m = plain (layout->type);
    struct wire_bytes value = { text, most + step };
    struct buf out = { 0 };
    memcpy ((char *) &m + field->offset, &value, sizeof value);
    assert_int_equal (wire_encode (layout->type, &m, &out), -EINVAL);
    assert_int_equal (decode_with_text (layout, field, 'a', most + step), -EBADMSG);
    if (field->kind == WIRE_TEXT) {
        assert_int_equal (decode_with_text (layout, field, 'a', most), 0);
        assert_int_equal (decode_with_text (layout, field, '\0', 1), -EBADMSG);
        assert_int_equal (decode_with_text (layout, field, (char) 0xc3, 1), -EBADMSG);
        assert_int_equal (decode_with_text (layout, field, (char) 0xff, 3), -EBADMSG);
    } else
        assert_int_equal (decode_with_text (layout, field, 'a', step + 1), -EBADMSG);
    free (text);
    buf_fini (&out);
}

static void
limits_of_every_field_hold (void **state UNUSED)
{
    size_t count;
    const struct wire_layout *layouts = wire_layouts (&count);
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0; i < layouts[m].field_count; i++) {
            const struct wire_field *field = &layouts[m].fields[i];
            if (field->kind == WIRE_TEXT || field->kind == WIRE_BINARY)
                check_text (&layouts[m], field);
            else if (field->kind == WIRE_U32 && field->most)
                check_number (&layouts[m], field);
        }
}

static void
whole_frame_has_a_limit (void **state UNUSED)
{
    union wire_message m = plain (WIRE_ARTICLE);
    struct buf out = { 0 };
    enum wire_type type;
    char *room = mem_alloc (WIRE_FRAME_MAX);
    m.article.vectors = (struct wire_bytes){ room, WIRE_FRAME_MAX };
    buf_add_str (&out, "before");
    assert_int_equal (wire_encode (WIRE_ARTICLE, &m, &out), -EMSGSIZE);
    assert_int_equal (out.len, 6);
    assert_int_equal (wire_decode (room, (size_t) WIRE_FRAME_MAX + 1, &type, &m), -EBADMSG);
    free (room);
    buf_fini (&out);
}

static void
infinite_cost_is_refused (void **state UNUSED)
{
    static const double costs[] = { NAN, INFINITY, -INFINITY };
    for (size_t i = 0; i < COUNT_OF (costs); i++) {
        union wire_message m = plain (WIRE_RESULT);
        struct buf out = { 0 };
        m.result.cost = costs[i];
        assert_int_equal (wire_encode (WIRE_RESULT, &m, &out), -EINVAL);
        buf_fini (&out);
    }
    struct buf frame = { 0 };
    union wire_message m;
    vector_read ("result-spent", &frame);
    char *cost = memmem (frame.data, frame.len, "\x3f\x90\0\0\0\0\0\0", 8);
    assert_non_null (cost);
    memcpy (cost, "\x7f\xf8", 2);
    assert_int_equal (decode (&frame, &m), -EBADMSG);
    buf_fini (&frame);
}

/* ---- fields that promise each other something ---- */

struct chunk_case {
    const char *why;
    struct wire_chunk chunks[3];
    size_t count, vector_bytes;
    uint32_t dimensions;
    int expect;
};

static void
chunks_and_vectors_must_fit (void **state UNUSED)
{
    static const struct chunk_case cases[] = {
        { "one over all", { { 0, 1, 0, 8 } }, 1, 8, 2, 0 },
        { "overlapping", { { 0, 1, 0, 3 }, { 0, 1, 1, 8 } }, 2, 8, 1, 0 },
        { "chunks without vectors", { { 0, 1, 0, 8 } }, 1, 0, 0, 0 },
        { "dimensions without vectors", { { 0, 1, 0, 8 } }, 1, 0, 2, 0 },
        { "nothing at all", { { 0 } }, 0, 0, 0, 0 },
        { "an empty chunk", { { 0, 1, 4, 4 } }, 1, 0, 0, -EBADMSG },
        { "a chunk backwards", { { 0, 1, 5, 4 } }, 1, 0, 0, -EBADMSG },
        { "past the text", { { 0, 1, 0, 9 } }, 1, 0, 0, -EBADMSG },
        { "far past the text", { { 0, 1, 0xfffffff0, 0xffffffff } }, 1, 0, 0, -EBADMSG },
        { "two that begin alike", { { 0, 1, 0, 3 }, { 0, 1, 0, 8 } }, 2, 0, 0, -EBADMSG },
        { "out of order", { { 0, 1, 1, 3 }, { 0, 1, 0, 8 } }, 2, 0, 0, -EBADMSG },
        { "third out of order", { { 0, 1, 0, 1 }, { 0, 1, 4, 8 }, { 0, 1, 1, 8 } }, 3, 0, 0, -EBADMSG },
        { "begins inside a letter", { { 0, 1, 2, 8 } }, 1, 0, 0, -EBADMSG },
        { "ends inside a letter", { { 0, 1, 0, 2 } }, 1, 0, 0, -EBADMSG },
        { "vectors without chunks", { { 0 } }, 0, 8, 2, -EBADMSG },
        { "vectors without dimensions", { { 0, 1, 0, 8 } }, 1, 8, 0, -EBADMSG },
        { "too few vectors", { { 0, 1, 0, 3 }, { 0, 1, 1, 8 } }, 2, 8, 2, -EBADMSG },
        { "too many vectors", { { 0, 1, 0, 8 } }, 1, 16, 2, -EBADMSG },
    };
    for (size_t i = 0; i < COUNT_OF (cases); i++) {
        const struct chunk_case *c = &cases[i];
        union wire_message m = plain (WIRE_ARTICLE), back;
        struct buf chunks = { 0 }, out = { 0 };
        char vectors_room[16] = { 0 };
        for (size_t j = 0; j < c->count; j++)
            wire_chunk_put (&chunks, &c->chunks[j]);
        m.article.content = wire_text ("a\xc3\xa9" "bcdef");
        m.article.chunks = (struct wire_bytes){ chunks.data, chunks.len };
        m.article.dimensions = c->dimensions;
        m.article.vectors = (struct wire_bytes){ vectors_room, c->vector_bytes };
        assert_int_equal (wire_encode (WIRE_ARTICLE, &m, &out), 0);
        int r = decode (&out, &back);
        if (r != c->expect)
            fail_msg ("%s: %d, not %d", c->why, r, c->expect);
        buf_fini (&chunks);
        buf_fini (&out);
    }
}

static void
messages_that_say_nothing_are_refused (void **state UNUSED)
{
    for (int type = WIRE_ARTICLE; type <= WIRE_EVENT; type++) {
        union wire_message m = plain ((enum wire_type) type), back;
        struct buf out = { 0 };
        assert_int_equal (wire_encode ((enum wire_type) type, &m, &out), 0);
        assert_int_equal (decode (&out, &back), 0);
        buf_clear (&out);
        memset (&m, 0, sizeof m);
        assert_int_equal (wire_encode ((enum wire_type) type, &m, &out), 0);
        assert_int_equal (decode (&out, &back), -EBADMSG);
        buf_fini (&out);
    }
    for (uint32_t outcome = WIRE_DONE; outcome <= WIRE_SPENT; outcome++) { /* only SPENT may be about no article */
        union wire_message m = plain (WIRE_RESULT), back;
        struct buf out = { 0 };
        m.header.article = 0;
        m.result.outcome = outcome;
        assert_int_equal (wire_encode (WIRE_RESULT, &m, &out), 0);
        assert_int_equal (decode (&out, &back), outcome == WIRE_SPENT ? 0 : -EBADMSG);
        buf_fini (&out);
    }
}

int
main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (golden_messages_encode_to_the_same_bytes),
        cmocka_unit_test (golden_article_has_its_fields),
        cmocka_unit_test (golden_embedded_article_has_its_fields),
        cmocka_unit_test (golden_results_have_their_fields),
        cmocka_unit_test (golden_heartbeat_tick_and_event_have_their_fields),
        cmocka_unit_test (packed_lists_are_big_endian),
        cmocka_unit_test (cut_at_every_length_is_refused),
        cmocka_unit_test (left_over_byte_is_refused),
        cmocka_unit_test (damaged_byte_is_refused_or_faithful),
        cmocka_unit_test (wrong_head_is_told_apart),
        cmocka_unit_test (what_the_release_before_sends_is_read),
        cmocka_unit_test (a_type_that_did_not_change_keeps_its_version),
        cmocka_unit_test (the_broker_sees_by_the_header_what_belongs),
        cmocka_unit_test (refusal_leaves_outputs_alone),
        cmocka_unit_test (huge_sizes_are_refused),
        cmocka_unit_test (limits_of_every_field_hold),
        cmocka_unit_test (whole_frame_has_a_limit),
        cmocka_unit_test (infinite_cost_is_refused),
        cmocka_unit_test (chunks_and_vectors_must_fit),
        cmocka_unit_test (messages_that_say_nothing_are_refused),
    };
    return cmocka_run_group_tests (tests, open_guard, close_guard);
}
