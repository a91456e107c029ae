/* flood - messages for the measurements of bench/capacity: as many as a link takes, and what comes out on the other side.
 *
 *   flood relay BASE SECONDS LINK:BYTES[:COUNT]...      frames into these links in turn, and out of them again
 *   flood results BASE RUN FIRST COUNT done|summary|returned    RESULT messages about articles FIRST, FIRST + 1, ...
 *   flood vectors BASE RUN FIRST COUNT WORDS CHUNKS DIMENSIONS  finished articles for the writer
 *   flood drain BASE LINK COUNT                         takes so many frames out
 *
 * BASE is broker.endpoint. Says "begin" and "end MESSAGES BYTES SECONDS" when what it counts begins and has ended.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define WARM_MS 500
#define PATIENCE_MS 60000
#define FLOWS_MAX 8

/* One link's share of the traffic: so many frames of this size in each turn. */
struct flow {
    enum wire_link link;
    int64_t bytes, count;
    zsock_t *socket;
    struct buf frame;
};

struct tally {
    uint64_t messages, bytes;
    int64_t since_us;
};

static int
usage (void)
{
    fputs ("usage: flood relay BASE SECONDS LINK:BYTES[:COUNT]...\n"
           "       flood results BASE RUN FIRST COUNT done|summary|returned\n"
           "       flood vectors BASE RUN FIRST COUNT WORDS CHUNKS DIMENSIONS\n"
           "       flood drain BASE LINK COUNT\n", stderr);
    return EXIT_USAGE;
}

static int64_t
number (const char *text, int64_t most)
{
    int64_t value;
    if (num_parse (text, 1, most, &value) < 0) {
        fprintf (stderr, "flood: %s is no number from 1 to %" PRId64 "\n", text, most);
        exit (EXIT_USAGE);
    }
    return value;
}

static enum wire_link
link_named (const char *name)
{
    for (int i = 0; i <= WIRE_RESULTS; i++)
        if (strcmp (name, wire_link_name ((enum wire_link) i)) == 0)
            return (enum wire_link) i;
    fprintf (stderr, "flood: %s is no work link\n", name);
    exit (EXIT_USAGE);
}

static zsock_t *
connect_side (const char *base, enum wire_link link, enum stage_side side)
{
    char *endpoint = stage_endpoint (base, link, side);
    zsock_t *socket = zsock_new (side == STAGE_IN ? ZMQ_PUSH : ZMQ_PULL);
    stage_tune_socket (socket, side == STAGE_OUT && link <= WIRE_VECTORS); /* as the stages set theirs */
    if (zsock_attach (socket, endpoint, false) < 0) {
        fprintf (stderr, "flood: cannot connect to %s\n", endpoint);
        exit (EXIT_TEMP);
    }
    free (endpoint);
    return socket;
}

static void
send_frame (zsock_t *socket, const struct buf *bytes)
{
    zframe_t *frame = zframe_new (bytes->data, bytes->len); /* a copy, as in the stages */
    if (zframe_send (&frame, socket, 0) < 0)
        exit (EXIT_TEMP);
}

static void
say_begin (struct tally *tally)
{
    *tally = (struct tally){ .since_us = clock_mono_us () };
    puts ("begin");
    fflush (stdout);
}

static void
say_end (const struct tally *tally)
{
    printf ("end %" PRIu64 " %" PRIu64 " %.6f\n", tally->messages, tally->bytes,
            (double) (clock_mono_us () - tally->since_us) / US_PER_S);
    fflush (stdout);
}

static struct buf
encode (enum wire_type type, const void *message)
{
    struct buf bytes = { 0 };
    if (wire_encode (type, message, &bytes) < 0) {
        fputs ("flood: the message could not be encoded\n", stderr);
        exit (EXIT_USAGE);
    }
    return bytes;
}

/* ---- relay ---- */

/* A message such as belongs on the link, with as long a text as its size takes. */
static struct buf
frame_of (enum wire_link link, int64_t bytes)
{
    struct wire_header header = { .run = uuid_v7 (), .article = 1, .attempt = 1 };
    struct wire_article article = { .header = header, .source = wire_text ("flood"), .content = wire_text ("x"),
                                    .url = wire_text ("http://flood.example/1"), .title = wire_text ("Of a given size") };
    struct wire_result result = { .header = header, .stage = wire_text ("embedder"), .worker = wire_text ("flood"),
                                  .outcome = WIRE_DONE, .reason = wire_text ("x") };
    bool is_result = link == WIRE_RESULTS;
    enum wire_type type = is_result ? WIRE_RESULT : WIRE_ARTICLE;
    const void *message = is_result ? (const void *) &result : &article;
    struct wire_bytes *text = is_result ? &result.reason : &article.content;
    struct buf least = encode (type, message);
    char *filler = mem_alloc ((size_t) bytes);
    memset (filler, 'x', (size_t) bytes);
    if ((size_t) bytes > least.len)
        *text = (struct wire_bytes){ filler, (size_t) bytes - least.len + 1 };
    struct buf frame = encode (type, message);
    buf_fini (&least);
    free (filler);
    return frame;
}

static struct flow
flow_of (char *text)
{
    struct flow flow = { .count = 1 };
    char *rest = text;
    flow.link = link_named (strsep (&rest, ":"));
    char *bytes = strsep (&rest, ":");
    flow.bytes = bytes ? number (bytes, WIRE_FRAME_MAX) : 1000;
    if (rest)
        flow.count = number (rest, 1000);
    return flow;
}

static void
pour (const char *base, struct flow *flows, int count)
{
    prctl (PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < count; i++) {
        flows[i].socket = connect_side (base, flows[i].link, STAGE_IN);
        flows[i].frame = frame_of (flows[i].link, flows[i].bytes);
    }
    for (;;)
        for (int i = 0; i < count; i++)
            for (int64_t k = 0; k < flows[i].count; k++)
                send_frame (flows[i].socket, &flows[i].frame);
}

static void
catch_until (struct flow *flows, int count, int64_t until_us, struct tally *tally)
{
    zmq_pollitem_t items[FLOWS_MAX];
    for (int i = 0; i < count; i++)
        items[i] = (zmq_pollitem_t){ zsock_resolve (flows[i].socket), -1, ZMQ_POLLIN, 0 };
    while (clock_mono_us () < until_us) {
        zmq_poll (items, count, 100);
        for (int i = 0; i < count; i++)
            for (int k = 0; k < 64 && items[i].revents; k++) {
                zframe_t *frame = zframe_recv_nowait (flows[i].socket);
                if (!frame)
                    break;
                tally->messages++;
                tally->bytes += zframe_size (frame);
                zframe_destroy (&frame);
            }
    }
}

static int
relay (int argc, char **argv)
{
    struct flow flows[FLOWS_MAX];
    int count = argc - 4;
    if (argc < 5 || count > FLOWS_MAX)
        return usage ();
    const char *base = argv[2];
    int64_t seconds = number (argv[3], 3600);
    for (int i = 0; i < count; i++)
        flows[i] = flow_of (argv[4 + i]);
    pid_t sender = fork (); /* before anything of ZeroMQ */
    if (sender == 0)
        pour (base, flows, count);
    struct tally tally = { 0 };
    for (int i = 0; i < count; i++)
        flows[i].socket = connect_side (base, flows[i].link, STAGE_OUT);
    int64_t patience_us = clock_mono_us () + PATIENCE_MS * INT64_C (1000);
    while (!tally.messages && clock_mono_us () < patience_us)
        catch_until (flows, count, clock_mono_us () + WARM_MS * INT64_C (1000), &tally);
    catch_until (flows, count, clock_mono_us () + WARM_MS * INT64_C (1000), &tally);
    say_begin (&tally);
    catch_until (flows, count, clock_mono_us () + seconds * US_PER_S, &tally);
    say_end (&tally);
    kill (sender, SIGKILL);
    waitpid (sender, NULL, 0);
    for (int i = 0; i < count; i++)
        zsock_destroy (&flows[i].socket);
    return tally.messages ? 0 : EXIT_TEMP;
}

/* ---- drain ---- */

static int
drain (int argc, char **argv)
{
    if (argc != 5)
        return usage ();
    uint64_t wanted = (uint64_t) number (argv[4], 100000000);
    zsock_t *socket = connect_side (argv[2], link_named (argv[3]), STAGE_OUT);
    struct tally tally = { 0 };
    zsock_set_rcvtimeo (socket, PATIENCE_MS);
    zframe_t *frame = zframe_recv (socket);
    if (!frame)
        return EXIT_TEMP;
    say_begin (&tally);
    while (frame) {
        tally.messages++;
        tally.bytes += zframe_size (frame);
        zframe_destroy (&frame);
        frame = tally.messages < wanted ? zframe_recv (socket) : NULL;
    }
    say_end (&tally);
    zsock_destroy (&socket);
    return tally.messages == wanted ? 0 : EXIT_TEMP;
}

/* ---- results and finished articles ---- */

struct target {
    zsock_t *socket;
    struct uuid run;
    uint64_t first;
    int64_t count;
};

static struct target
target_of (char **argv, enum wire_link link)
{
    struct target target = { .first = (uint64_t) number (argv[4], INT64_MAX), .count = number (argv[5], 100000000) };
    if (uuid_parse (argv[3], &target.run) < 0) {
        fprintf (stderr, "flood: %s is no UUID\n", argv[3]);
        exit (EXIT_USAGE);
    }
    target.socket = connect_side (argv[2], link, STAGE_IN);
    return target;
}

static struct wire_result
result_of (const char *kind, char *summary)
{
    static const char text[] = "The report tells at some length how officials, experts and residents look at the matter. ";
    struct wire_result result = { .outcome = WIRE_DONE, .stage = wire_text ("embedder"), .worker = wire_text ("flood"),
                                  .duration_ms = 1000 };
    if (strcmp (kind, "summary") == 0) {
        for (int i = 0; i < 5; i++)
            strcat (summary, text);
        result.stage = wire_text ("summarizer");
        result.summary = wire_text (summary);
        result.summary_model = wire_text ("flood");
    } else if (strcmp (kind, "returned") == 0)
        result.outcome = WIRE_RETURNED;
    else if (strcmp (kind, "done") != 0)
        exit (usage ());
    return result;
}

static int
results (int argc, char **argv)
{
    char summary[1000] = "";
    if (argc != 7)
        return usage ();
    struct target target = target_of (argv, WIRE_RESULTS);
    struct wire_result result = result_of (argv[6], summary);
    struct tally tally;
    say_begin (&tally);
    for (int64_t i = 0; i < target.count; i++) {
        result.header = (struct wire_header){ .run = target.run, .article = target.first + (uint64_t) i, .attempt = 1 };
        struct buf bytes = encode (WIRE_RESULT, &result);
        send_frame (target.socket, &bytes);
        tally.messages++;
        tally.bytes += bytes.len;
        buf_fini (&bytes);
    }
    zsock_set_linger (target.socket, PATIENCE_MS);
    zsock_destroy (&target.socket);
    say_end (&tally);
    return 0;
}

static uint64_t
random_number (void)
{
    static uint64_t state = 88172645463325252u; /* xorshift64 (G. Marsaglia, 2003) */
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Words of six bytes with the blank behind them; chunks of equal length without overlap. */
static void
put_text (struct buf *content, struct buf *chunks, uint32_t words, uint32_t count)
{
    for (uint32_t i = 0; i < words; i++)
        buf_printf (content, "%05x%s", (unsigned) (random_number () & 0xfffff), i + 1 < words ? " " : "");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = words * i / count, to = words * (i + 1) / count;
        struct wire_chunk chunk = { from, to - from, 6 * from, 6 * to - 1 };
        wire_chunk_put (chunks, &chunk);
    }
}

/* A random direction: for an HNSW index the hardest case, as nothing has neighbours. */
static void
put_vectors (struct buf *out, size_t values)
{
    float *vector = mem_alloc (values * sizeof *vector);
    for (size_t i = 0; i < values; i++)
        vector[i] = (float) (int32_t) (random_number () >> 32) / (float) INT32_MAX;
    wire_vector_put (out, vector, values);
    free (vector);
}

static int
vectors (int argc, char **argv)
{
    if (argc != 9)
        return usage ();
    struct target target = target_of (argv, WIRE_VECTORS);
    uint32_t words = (uint32_t) number (argv[6], 100000), count = (uint32_t) number (argv[7], 1000);
    uint32_t dimensions = (uint32_t) number (argv[8], WIRE_DIMENSIONS_MAX);
    struct tally tally;
    say_begin (&tally);
    for (int64_t i = 0; i < target.count; i++) {
        struct buf content = { 0 }, chunks = { 0 }, packed = { 0 };
        put_text (&content, &chunks, words, count);
        put_vectors (&packed, (size_t) count * dimensions);
        struct wire_article article = {
            .header = { .run = target.run, .article = target.first + (uint64_t) i, .attempt = 1 },
            .source = wire_text ("flood"), .url = wire_text ("http://flood.example/"), .title = wire_text ("Flood"),
            .content = { content.data, content.len }, .summary = wire_text ("What the article says, in short."),
            .summary_model = wire_text ("flood"), .chunks = { chunks.data, chunks.len }, .dimensions = dimensions,
            .embedding_model = wire_text ("flood"), .vectors = { packed.data, packed.len },
        };
        struct buf bytes = encode (WIRE_ARTICLE, &article);
        send_frame (target.socket, &bytes);
        tally.messages++;
        tally.bytes += bytes.len;
        buf_fini (&bytes);
        buf_fini (&content);
        buf_fini (&chunks);
        buf_fini (&packed);
    }
    zsock_set_linger (target.socket, PATIENCE_MS);
    zsock_destroy (&target.socket);
    say_end (&tally);
    return 0;
}

int
main (int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run) (int argc, char **argv);
    } modes[] = { { "relay", relay }, { "results", results }, { "vectors", vectors }, { "drain", drain } };
    setenv ("ZSYS_SIGHANDLER", "false", 1);
    for (size_t i = 0; argc > 1 && i < COUNT_OF (modes); i++)
        if (strcmp (argv[1], modes[i].name) == 0)
            return modes[i].run (argc, argv);
    return usage ();
}
