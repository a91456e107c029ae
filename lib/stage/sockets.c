/* Endpoints and socket options, the same for the broker and for everyone who connects to it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "stage/stage.h"

#include <sys/stat.h>

#define CLOSE_HWM 2
#define CLOSE_BUFFER_BYTES (32 * 1024)
#define OPEN_HWM 1000
#define PEER_LOST_MS 6000
#define WORKER_LOST_MS 90000
#define CURVE_OVERHEAD 64 /* bytes a message grows by: 33, RFC 26 */

char *
stage_endpoint (const char *base, enum wire_link link, enum stage_side side)
{
    if (strncmp (base, "tcp://", 6) == 0) {
        const char *colon = strrchr (base, ':');
        int64_t port = 0;
        if (num_parse (colon + 1, 1, 65535 - 2 * WIRE_LINK_COUNT, &port) < 0)
            return mem_dup (base); /* attaching fails, and says so */
        return mem_printf ("%.*s:%d", (int) (colon - base), base,
                           (int) port + 2 * (int) link + (side == STAGE_OUT));
    }
    return mem_printf ("%s/%s.%s", base, wire_link_name (link), side == STAGE_IN ? "in" : "out");
}

void
stage_tune_socket (zsock_t *socket, bool close)
{
    zsock_set_linger (socket, 1000);
    zsock_set_immediate (socket, 1);
    zsock_set_maxmsgsize (socket, WIRE_FRAME_MAX + CURVE_OVERHEAD);
    zsock_set_sndhwm (socket, close ? CLOSE_HWM : OPEN_HWM);
    zsock_set_rcvhwm (socket, close ? CLOSE_HWM : OPEN_HWM);
    if (close) {
        zsock_set_sndbuf (socket, CLOSE_BUFFER_BYTES);
        zsock_set_rcvbuf (socket, CLOSE_BUFFER_BYTES);
    }
    zsock_set_heartbeat_ivl (socket, 20000);
    zsock_set_heartbeat_timeout (socket, 40000);
    zsock_set_tcp_keepalive (socket, 1);
    zsock_set_tcp_keepalive_idle (socket, 30);
    zsock_set_reconnect_ivl (socket, 100);
    zsock_set_reconnect_ivl_max (socket, 5000);
}

/* Between machines a peer that vanished must be noticed sooner than after the minutes TCP takes, and before its articles go to
 * others. But not on the way to a worker: that one does not read while its hands are full, as long as the slowest model takes,
 * and who does not read hears no heartbeat and acknowledges no window; libzmq would end a link that is well, with what waits
 * in it, and may abort when it opens anew (libzmq issue 3937). */
void
stage_tune_remote (zsock_t *socket, bool close)
{
    int lost_ms = close ? WORKER_LOST_MS : PEER_LOST_MS;
    zsock_set_ipv6 (socket, 1); /* and IPv4, where the address is one */
    zsock_set_heartbeat_ivl (socket, lost_ms / 3);
    zsock_set_heartbeat_timeout (socket, lost_ms);
    zsock_set_tcp_maxrt (socket, lost_ms);
    zsock_set_connect_timeout (socket, 5000);
    zsock_set_handshake_ivl (socket, 10000);
}

int
stage_make_folder (const char *folder)
{
    if (mkdir (folder, 0700) == 0 || errno == EEXIST)
        return 0;
    log_error ("cannot make the folder %s: %s", folder, strerror (errno));
    return -errno;
}

int
stage_bind (zsock_t *socket, const char *endpoint)
{
    if (strncmp (endpoint, "ipc:///", 7) == 0) {
        char *folder = mem_copy (endpoint + 6, (size_t) (strrchr (endpoint, '/') - (endpoint + 6)));
        int r = stage_make_folder (folder);
        free (folder);
        if (r < 0)
            return r;
    }
    if (zsock_bind (socket, "%s", endpoint) >= 0)
        return 0;
    int r = -errno;
    log_error ("cannot listen on %s: %s", endpoint, zmq_strerror (-r));
    return r;
}
