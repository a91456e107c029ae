/* intruder - a peer with a key of its choice, at a socket of its choice: says what it could deliver or got.
 *
 *   intruder KEY SERVER-KEY ENDPOINT push HEX-FILE    prints "sent N"
 *   intruder KEY SERVER-KEY ENDPOINT pull|sub         prints "received N"
 *   intruder KEY SERVER-KEY ENDPOINT ask REQUEST      prints "answered N"
 *
 * KEY: a secret certificate, "new" for a key pair nobody knows, "none" for no encryption. SERVER-KEY: Z85, or "own" for the one the
 * certificate names. It tries for a good second.
 * SPDX-License-Identifier: MPL-2.0 */
#include "base/base.h"

#include <czmq.h>

#define TRY_MS 1200

static zframe_t *
read_hex (const char *path)
{
    struct buf bytes = { 0 };
    FILE *file = fopen (path, "r");
    unsigned byte;
    int c;
    while (file && (c = fgetc (file)) != EOF) {
        if (c == '#')
            while ((c = fgetc (file)) != EOF && c != '\n') {
            }
        else if (isxdigit (c) && ungetc (c, file) != EOF && fscanf (file, "%2x", &byte) == 1)
            buf_add_char (&bytes, (char) byte);
    }
    if (file)
        fclose (file);
    zframe_t *frame = zframe_new (bytes.data, bytes.len);
    buf_fini (&bytes);
    return frame;
}

static void
secure (zsock_t *socket, const char *key, const char *server)
{
    if (streq (key, "none"))
        return;
    zcert_t *cert = streq (key, "new") ? zcert_new () : zcert_load (key);
    if (!cert)
        exit (EXIT_USAGE);
    zcert_apply (cert, socket);
    zsock_set_curve_serverkey (socket, streq (server, "own") ? zcert_meta (cert, "broker-key") : server);
    zcert_destroy (&cert);
}

int
main (int argc, char **argv)
{
    if (argc < 5)
        return EXIT_USAGE;
    const char *how = argv[4];
    bool push = streq (how, "push"), asks = streq (how, "ask");
    zsock_t *socket = zsock_new (push ? ZMQ_PUSH : asks ? ZMQ_DEALER : streq (how, "sub") ? ZMQ_SUB : ZMQ_PULL);
    zsock_set_immediate (socket, 1);
    zsock_set_linger (socket, 500);
    secure (socket, argv[1], argv[2]);
    if (streq (how, "sub"))
        zsock_set_subscribe (socket, "");
    if (zsock_connect (socket, "%s", argv[3]) < 0)
        return EXIT_USAGE;
    int count = 0;
    bool asked = false;
    for (int64_t end = clock_mono_ms () + TRY_MS; clock_mono_ms () < end; zclock_sleep (20)) {
        if (push && argc > 5) {
            zframe_t *frame = read_hex (argv[5]);
            count += zframe_send (&frame, socket, ZFRAME_DONTWAIT) == 0;
            zframe_destroy (&frame);
            continue;
        }
        if (asks && !asked && argc > 5) {
            zmsg_t *message = zmsg_new ();
            zmsg_addstr (message, "");
            zmsg_addstr (message, argv[5]);
            zsock_set_sndtimeo (socket, 0);
            asked = zmsg_send (&message, socket) == 0;
            zmsg_destroy (&message);
        }
        zframe_t *frame = zframe_recv_nowait (socket);
        count += frame && !zframe_more (frame);
        zframe_destroy (&frame);
    }
    printf ("%s %d\n", push ? "sent" : asks ? "answered" : "received", count);
    zsock_destroy (&socket);
    return EXIT_ASKED;
}
