/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/client.h"
#include "curve/curve.h"

#include <czmq.h>
#include <sys/un.h>

json_t *
client_request (const char *op)
{
    return json_pack ("{s:s}", "op", op);
}

bool
client_is_bound (const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    if (strncmp (endpoint, "ipc://", 6) != 0 || strlen (endpoint + 6) >= sizeof address.sun_path)
        return true;
    strcpy (address.sun_path, endpoint + 6);
    int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool refused = fd >= 0 && connect (fd, (struct sockaddr *) &address, sizeof address) != 0
                   && (errno == ENOENT || errno == ECONNREFUSED);
    if (fd >= 0)
        close (fd);
    return !refused;
}

static int
connect_to (zsock_t *socket, const struct settings *settings, char reason[CLIENT_REASON_SIZE])
{
    struct curve *curve = NULL;
    char *endpoint = curve_to_connect (settings->collector_endpoint);
    int r = 0;
    if (curve_is_on (settings, settings->collector_endpoint))
        r = curve_load (settings, "operator", &curve, reason);
    if (curve)
        curve_apply_client (curve, socket, CURVE_COLLECTOR);
    if (curve_leaves_machine (settings->collector_endpoint))
        zsock_set_ipv6 (socket, 1);
    if (r == 0 && zsock_connect (socket, "%s", endpoint) != 0) {
        snprintf (reason, CLIENT_REASON_SIZE, "cannot connect to %s: %s", endpoint, zmq_strerror (errno));
        r = -EINVAL;
    }
    curve_destroy (&curve);
    free (endpoint);
    return r;
}

/* *ret_text: given (free). */
static int
exchange (const struct settings *settings, int timeout_ms, const json_t *request, char **ret_text,
          char reason[CLIENT_REASON_SIZE])
{
    static bool quiet;
    if (!quiet)
        zsys_handler_set (NULL); /* Ctrl-C stays ours */
    quiet = true;
    zsock_t *socket = zsock_new (ZMQ_REQ);
    if (!socket) {
        snprintf (reason, CLIENT_REASON_SIZE, "no socket to be had: %s", strerror (errno));
        return -EIO;
    }
    zsock_set_linger (socket, 0);
    zsock_set_sndtimeo (socket, timeout_ms);
    zsock_set_rcvtimeo (socket, timeout_ms);
    zsock_set_reconnect_ivl (socket, 50);
    int r = connect_to (socket, settings, reason);
    char *question = json_dumps (request, JSON_COMPACT), *answer = NULL;
    if (r == 0 && zstr_send (socket, question) == 0)
        answer = zstr_recv (socket);
    free (question);
    zsock_destroy (&socket);
    if (r < 0)
        return r;
    if (!answer) {
        snprintf (reason, CLIENT_REASON_SIZE, "the collector at %s does not answer (waited %d ms)%s",
                  settings->collector_endpoint, timeout_ms,
                  curve_is_on (settings, settings->collector_endpoint)
                  ? ": it is away, or refuses this key (its log tells)" : "");
        return -ETIMEDOUT;
    }
    *ret_text = mem_dup (answer);
    zstr_free (&answer);
    return 0;
}

int
client_ask (const struct settings *settings, int timeout_ms, json_t *request, json_t **ret_reply,
            char reason[CLIENT_REASON_SIZE])
{
    char *text = NULL;
    int r = exchange (settings, timeout_ms, request, &text, reason);
    json_decref (request);
    if (r < 0)
        return r;
    json_t *reply = json_loads (text, 0, NULL);
    free (text);
    if (!json_is_object (reply)) {
        snprintf (reason, CLIENT_REASON_SIZE, "the answer from %s is no JSON object",
                  settings->collector_endpoint);
        json_decref (reply);
        return -EBADMSG;
    }
    const json_t *error = json_object_get (reply, "error");
    if (json_is_object (error)) {
        const char *message = json_string_value (json_object_get (error, "message"));
        const char *code = json_string_value (json_object_get (error, "code"));
        snprintf (reason, CLIENT_REASON_SIZE, "the collector says: %s (%s)",
                  message ? message : "an error", code ? code : "no code");
        json_decref (reply);
        return -EREMOTEIO;
    }
    *ret_reply = reply;
    return 0;
}
