/* links - what one link between two processes carries over TCP on loopback, plain and with CURVE: messages and bytes a
 * second, and the CPU time of the sender and of the receiver. Both take turns in each round, so that they meet the same
 * machine; medians of the rounds. Prints Markdown.
 * usage: links [SECONDS [ROUNDS]]
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS_MAX 99
#define WARM_MESSAGES 100  /* connection and handshake are over */
#define BATCH 16           /* messages between two looks at the clock */
#define PATIENCE_MS 30000

struct side {
    double messages, seconds, cpu;
};

struct sample {
    struct side sender, receiver;
};

/* What the receiver tells the sender: where it listens, and the key it shows. */
struct address {
    char endpoint[256], key[41]; /* Z85 */
};

static void
die (const char *what)
{
    fprintf (stderr, "links: %s: %s\n", what, zmq_strerror (errno));
    _exit (EXIT_TEMP);
}

static void
put (int fd, const void *data, size_t bytes)
{
    if (write (fd, data, bytes) != (ssize_t) bytes)
        die ("pipe");
}

static void
get (int fd, void *data, size_t bytes)
{
    if (read (fd, data, bytes) != (ssize_t) bytes)
        die ("the other process ended");
}

/* Of all threads: ZeroMQ's own one does the encryption. */
static double
cpu_seconds (void)
{
    struct rusage usage;
    getrusage (RUSAGE_SELF, &usage);
    return (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
           + (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / US_PER_S;
}

static zsock_t *
socket_new (int type)
{
    zsock_t *socket = zsock_new (type);
    stage_tune_socket (socket, false);
    return socket;
}

/* ---- the two processes ---- */

static void
receive (bool curve, int address_fd, int report_fd)
{
    struct address address = { 0 };
    struct side side = { 0 };
    zactor_t *auth = NULL;
    zsock_t *socket = socket_new (ZMQ_PULL);
    if (curve) { /* the authenticator runs before anything is bound */
        auth = zactor_new (zauth, NULL);
        zstr_sendx (auth, "CURVE", CURVE_ALLOW_ANY, NULL);
        zsock_wait (auth);
        zcert_t *cert = zcert_new ();
        snprintf (address.key, sizeof address.key, "%s", zcert_public_txt (cert));
        zsock_set_zap_domain (socket, "newsmill");
        zcert_apply (cert, socket);
        zsock_set_curve_server (socket, 1);
        zcert_destroy (&cert);
    }
    if (zsock_bind (socket, "tcp://127.0.0.1:*") < 0)
        die ("bind");
    snprintf (address.endpoint, sizeof address.endpoint, "%s", zsock_endpoint (socket));
    put (address_fd, &address, sizeof address);
    zsock_set_rcvtimeo (socket, PATIENCE_MS);

    int64_t since_us = 0;
    double cpu = 0;
    for (uint64_t n = 0;; n++) {
        zframe_t *frame = zframe_recv (socket);
        if (!frame)
            die ("nothing arrives");
        bool last = zframe_size (frame) == 0;
        zframe_destroy (&frame);
        if (last)
            break;
        if (n == WARM_MESSAGES) {
            since_us = clock_mono_us ();
            cpu = cpu_seconds ();
        } else if (n > WARM_MESSAGES)
            side.messages++;
    }
    side.seconds = (double) (clock_mono_us () - since_us) / US_PER_S;
    side.cpu = cpu_seconds () - cpu;
    put (report_fd, &side, sizeof side);
    zsock_destroy (&socket);
    zactor_destroy (&auth);
    zsys_shutdown ();
}

static void
send_one (zsock_t *socket, const char *data, size_t bytes)
{
    zframe_t *frame = zframe_new (data, bytes); /* a copy, as in the stages */
    if (zframe_send (&frame, socket, 0) < 0)
        die ("nothing is taken");
}

static void
transmit (size_t bytes, double seconds, int address_fd, int report_fd)
{
    struct address address;
    struct side side = { 0 };
    char *data = mem_alloc (bytes);
    memset (data, 'x', bytes);
    get (address_fd, &address, sizeof address);
    zsock_t *socket = socket_new (ZMQ_PUSH);
    if (*address.key) {
        zcert_t *cert = zcert_new ();
        zcert_apply (cert, socket);
        zsock_set_curve_serverkey (socket, address.key);
        zcert_destroy (&cert);
    }
    zsock_set_sndtimeo (socket, PATIENCE_MS);
    if (zsock_connect (socket, "%s", address.endpoint) < 0)
        die ("connect");
    for (int i = 0; i < WARM_MESSAGES; i++)
        send_one (socket, data, bytes);

    int64_t since_us = clock_mono_us (), until_us = since_us + (int64_t) (seconds * US_PER_S);
    double cpu = cpu_seconds ();
    while (clock_mono_us () < until_us)
        for (int i = 0; i < BATCH; i++, side.messages++)
            send_one (socket, data, bytes);
    send_one (socket, "", 0);
    zsock_set_linger (socket, PATIENCE_MS);
    zsock_destroy (&socket);
    zsys_shutdown (); /* returns when all is sent */
    side.seconds = (double) (clock_mono_us () - since_us) / US_PER_S;
    side.cpu = cpu_seconds () - cpu;
    put (report_fd, &side, sizeof side);
    free (data);
}

/* ---- measuring ---- */

/* This process never touches ZeroMQ, so that it may fork. */
static struct sample
measure (bool curve, size_t bytes, double seconds)
{
    int address[2], sent[2], received[2], status, bad = 0;
    struct sample sample;
    if (pipe2 (address, O_CLOEXEC) < 0 || pipe2 (sent, O_CLOEXEC) < 0 || pipe2 (received, O_CLOEXEC) < 0)
        die ("pipe");
    pid_t receiver = fork ();
    if (receiver == 0) {
        close (address[0]);
        receive (curve, address[1], received[1]);
        _exit (0);
    }
    pid_t sender = fork ();
    if (sender == 0) {
        close (address[1]);
        transmit (bytes, seconds, address[0], sent[1]);
        _exit (0);
    }
    close (address[0]);
    close (address[1]);
    close (sent[1]);
    close (received[1]);
    get (sent[0], &sample.sender, sizeof sample.sender);
    get (received[0], &sample.receiver, sizeof sample.receiver);
    close (sent[0]);
    close (received[0]);
    while (wait (&status) > 0)
        bad |= status;
    if (bad)
        exit (EXIT_TEMP);
    return sample;
}

static int
compare (const void *a, const void *b)
{
    double x = *(const double *) a, y = *(const double *) b;
    return (x > y) - (x < y);
}

static double
median (double *values, size_t count)
{
    qsort (values, count, sizeof *values, compare);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* What a sample says. CPU is of both processes unless it names one. */
enum figure { RATE, CPU_SENDER, CPU_RECEIVER, CPU_BOTH, FIGURES };

static double
figure_of (const struct sample *sample, enum figure figure)
{
    double sender = sample->sender.cpu / sample->sender.messages, receiver = sample->receiver.cpu / sample->receiver.messages;
    const double figures[FIGURES] = { sample->receiver.messages / sample->receiver.seconds, sender, receiver,
                                      sender + receiver };
    return figures[figure];
}

static double
median_of (const struct sample *samples, size_t count, enum figure figure)
{
    double values[ROUNDS_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = figure_of (&samples[i], figure);
    return median (values, count);
}

/* Of each round by itself. */
static double
median_ratio (const struct sample *over, const struct sample *under, size_t count, enum figure figure)
{
    double values[ROUNDS_MAX];
    for (size_t i = 0; i < count; i++)
        values[i] = figure_of (&over[i], figure) / figure_of (&under[i], figure);
    return median (values, count);
}

static void
show (size_t bytes, const char *kind, const struct sample *samples, size_t rounds)
{
    double rate = median_of (samples, rounds, RATE), cpu = median_of (samples, rounds, CPU_BOTH);
    printf ("| %zu KB | %s | %.0f | %.0f | %.1f | %.1f | %.2f |", bytes / 1000, kind, rate, rate * (double) bytes / 1e6,
            1e6 * median_of (samples, rounds, CPU_SENDER), 1e6 * median_of (samples, rounds, CPU_RECEIVER),
            cpu / (double) bytes * 1e9);
}

int
main (int argc, char **argv)
{
    static const size_t sizes[] = { 1000, 10000, 100000 };
    static struct sample plain[ROUNDS_MAX], curve[ROUNDS_MAX];
    int64_t seconds = 2, rounds = 5;
    if (argc > 3 || (argc > 1 && num_parse (argv[1], 1, 600, &seconds) < 0)
        || (argc > 2 && num_parse (argv[2], 1, ROUNDS_MAX, &rounds) < 0)) {
        fputs ("usage: links [SECONDS [ROUNDS]]\n", stderr);
        return EXIT_USAGE;
    }
    int major, minor, patch;
    double load = 0;
    zmq_version (&major, &minor, &patch); /* and zmq_has: neither makes a context */
    if (!zmq_has ("curve")) {
        fputs ("links: this libzmq was built without CURVE\n", stderr);
        return EXIT_TEMP;
    }
    getloadavg (&load, 1);
    printf ("%ld cores, load %.2f at the start, libzmq %d.%d.%d; %" PRId64 " rounds of %" PRId64 " s each, medians\n\n",
            sysconf (_SC_NPROCESSORS_ONLN), load, major, minor, patch, rounds, seconds);
    puts ("| message | link | messages/s | MB/s | sender, CPU µs each | receiver, CPU µs each | both, CPU s a GB |"
          " rate, times plain | CPU, times plain |\n"
          "|---|---|---|---|---|---|---|---|---|");
    for (size_t s = 0; s < COUNT_OF (sizes); s++) {
        for (int64_t i = 0; i < rounds; i++) {
            plain[i] = measure (false, sizes[s], (double) seconds);
            curve[i] = measure (true, sizes[s], (double) seconds);
        }
        size_t count = (size_t) rounds;
        show (sizes[s], "plain", plain, count);
        puts (" | |");
        show (sizes[s], "CURVE", curve, count);
        printf (" %.2f | %.2f |\n", median_ratio (curve, plain, count, RATE), median_ratio (curve, plain, count, CPU_BOTH));
        fflush (stdout);
    }
    return 0;
}
