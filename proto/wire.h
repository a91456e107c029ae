/* wire - the messages between newsmill's processes, as structs, and the codec that turns them into one frame and back.
 * WIRE.md is the authority; a test compares it with the tables in wire.c. Knows nothing of sockets.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "base/base.h"

#define WIRE_VERSION 2        /* of the newest message; each is sent with the version that it last changed in */
#define WIRE_VERSION_OLDEST 1 /* still read */
#define WIRE_HEADER_BYTES 40
#define WIRE_ARTICLE_ID_OFFSET 20  /* in the header; 8 bytes */
#define WIRE_VERSION_OFFSET 2
#define WIRE_TYPE_OFFSET 3
#define WIRE_FRAME_MAX (16u << 20) /* bytes of a whole message; also the sockets' maximum message size */
#define WIRE_CHUNKS_MAX 10000      /* chunks of one article */
#define WIRE_DIMENSIONS_MAX 16000  /* what pgvector's vector type can hold */
#define WIRE_REASON_MAX 4096       /* bytes of a reason */
#define WIRE_HELD_MAX 100000       /* articles in one heartbeat */

/* In pipeline order. A link is a pair of endpoints at the broker: one to send to, one to receive from. */
enum wire_link {
    WIRE_ARTICLES,  /* fetcher to summarizer */
    WIRE_SUMMARIES, /* to chunker */
    WIRE_CHUNKS,    /* to embedder */
    WIRE_VECTORS,   /* to writer */
    WIRE_RESULTS,   /* every stage to collector */
    WIRE_TICKS,     /* ticker to fetcher, PUB/SUB */
    WIRE_EVENTS,    /* collector to every stage, PUB/SUB */
    WIRE_LINK_COUNT,
    WIRE_NO_LINK = -1,
};
const char *wire_link_name (enum wire_link link); /* "articles" */
bool wire_link_fans_out (enum wire_link link);    /* PUB/SUB rather than PUSH/PULL */

enum wire_type {
    WIRE_ARTICLE = 1,
    WIRE_RESULT = 2,
    WIRE_HEARTBEAT = 3,
    WIRE_TICK = 4,
    WIRE_EVENT = 5,
};

/* What a stage has begun stands in its heartbeats (held), so that starting costs no message. */
enum wire_outcome {
    WIRE_DONE = 1,     /* this stage's work is passed on; from the writer: stored */
    WIRE_FAILED = 2,   /* see wire_class */
    WIRE_RETURNED = 3, /* handed back untouched, as at shutdown */
    WIRE_SPENT = 4,    /* model calls, tokens and cost; about no single article */
};

enum wire_class {
    WIRE_NO_FAULT = 0,
    WIRE_TRANSIENT = 1, /* 429, 5xx, time-out, database away: does not count against the article */
    WIRE_BLAMED = 2,    /* the article itself: counts as an attempt */
    WIRE_REFUSED = 3,   /* key, credit, model: nothing works until a person acts */
};

enum wire_event_kind {
    WIRE_RUN_OPENED = 1,
    WIRE_RUN_PROGRESS = 2, /* leases were freed: there may be room for more */
    WIRE_RUN_CLOSED = 3,
    WIRE_GATE = 4,         /* no calls of `stage` before until_us */
    WIRE_BREAKER = 5,      /* the model refused `stage`: no dispatch in this run */
};

enum wire_worker_state { WIRE_ALIVE = 1, WIRE_LEAVING = 2 };

/* An article's flags. */
#define WIRE_ALONE 1u /* never in a batch with others: a worker died with it in hand */

struct wire_bytes {
    const char *data; /* borrowed from the frame, or from whoever encodes */
    size_t size;
};

struct wire_header {
    struct uuid run;
    uint64_t article;    /* 0 where a message is about none */
    uint32_t attempt;    /* which dispatch of the article, from 1 */
    int64_t deadline_us; /* wall clock; 0: none */
};

/* One piece of the article's content, as the chunker cut it; 16 bytes on the wire. */
struct wire_chunk {
    uint32_t word_start, word_count, byte_start, byte_end;
};
#define WIRE_CHUNK_BYTES 16

/* An article grows as it travels: the summarizer adds the summary, the chunker the chunks, the embedder the vectors. */
struct wire_article {
    struct wire_header header;
    uint32_t flags;
    int64_t published_us; /* 0: unknown */
    struct wire_bytes source, url, title, author, content;
    struct wire_bytes summary, summary_model;
    struct wire_bytes chunks;          /* WIRE_CHUNK_BYTES each */
    uint32_t dimensions;               /* of a vector; 0 before the embedder */
    struct wire_bytes embedding_model;
    struct wire_bytes vectors;         /* a vector a chunk, each value a big-endian IEEE 754 binary32 */
};

struct wire_result {
    struct wire_header header;
    struct wire_bytes stage, worker;
    uint32_t outcome;                  /* enum wire_outcome */
    uint32_t fault;                    /* enum wire_class */
    struct wire_bytes reason;
    uint32_t duration_ms;              /* in this stage's hands */
    uint32_t calls;                    /* SPENT: model calls */
    uint64_t tokens_in, tokens_out;
    double cost;                       /* USD, as reported */
    uint32_t retry_after_ms;           /* TRANSIENT: the provider's wish; 0: none */
    uint32_t chunks;                   /* DONE of the writer: vectors stored */
    struct wire_bytes summary, summary_model; /* DONE of the summarizer: the checkpoint */
    uint32_t priced;                   /* SPENT: 1: cost is what the server reported, 0: it reported none */
};

struct wire_heartbeat {
    struct wire_header header;
    struct wire_bytes stage, worker, host;
    uint32_t pid;
    uint32_t state;                    /* enum wire_worker_state */
    uint32_t interval_ms;              /* until the next one */
    struct wire_bytes held;            /* article ids in hand, 8 bytes each */
    struct wire_bytes statistics;      /* a JSON object of numbers and the text "model", or empty */
};

struct wire_tick {
    struct wire_header header;
    int64_t scheduled_us;
};

struct wire_event {
    struct wire_header header;
    uint32_t kind;                     /* enum wire_event_kind */
    struct wire_bytes stage;           /* GATE, BREAKER: whom it concerns */
    int64_t until_us;                  /* GATE: wall clock */
    struct wire_bytes reason;
};

union wire_message {
    struct wire_header header; /* first in every message */
    struct wire_article article;
    struct wire_result result;
    struct wire_heartbeat heartbeat;
    struct wire_tick tick;
    struct wire_event event;
};

/* Appends the message to out. 0; -EMSGSIZE past WIRE_FRAME_MAX, -EINVAL for a field out of its limits: out is as it was. */
MUST_CHECK int wire_encode (enum wire_type type, const void *message, struct buf *out);
/* frame: borrowed by *ret_message as long as that is used. Checks everything that can be checked without the rest of the
 * pipeline: 0; -EBADMSG (short, left-over or illegal bytes), -EPROTONOSUPPORT (another version), -ENOMSG (unknown type). */
MUST_CHECK int wire_decode (const void *frame, size_t bytes, enum wire_type *ret_type, union wire_message *ret_message);
/* The header alone, as the broker looks at it: 0; -EBADMSG (no header), -EPROTONOSUPPORT (another version), -ENOMSG (unknown
 * type), -EPROTOTYPE (a type that does not belong on the link). */
MUST_CHECK int wire_check (const void *frame, size_t bytes, enum wire_link link);
const char *wire_fault (int error); /* what was wrong with a frame, in words, of wire_check and wire_decode */

size_t wire_chunk_count (const struct wire_article *article);
struct wire_chunk wire_chunk_at (const struct wire_article *article, size_t index);
void wire_chunk_put (struct buf *out, const struct wire_chunk *chunk);
uint64_t wire_id_at (const struct wire_bytes *ids, size_t index);
void wire_id_put (struct buf *out, uint64_t id);
void wire_vector_put (struct buf *out, const float *values, size_t count);
struct wire_bytes wire_text (const char *text); /* NULL gives the empty text */
bool wire_text_is (const struct wire_bytes *bytes, const char *text);

/* The tables, for the test that compares them with WIRE.md. */
enum wire_kind { WIRE_U32, WIRE_U64, WIRE_I64, WIRE_F64, WIRE_TEXT, WIRE_BINARY };
struct wire_field {
    const char *name;
    enum wire_kind kind;
    size_t offset;
    uint64_t most;  /* of a number, or of the bytes of a text; 0 for numbers: no limit of its own */
    uint32_t each;  /* BINARY: the size must be a multiple of this */
    unsigned since; /* version; new fields come at the end, and are 0 or empty in a message that is older */
};
struct wire_layout {
    enum wire_type type;
    const char *name;
    const struct wire_field *fields;
    size_t field_count;
};
const struct wire_layout *wire_layouts (size_t *ret_count);

#endif
