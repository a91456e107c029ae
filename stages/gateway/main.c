/* gateway - the HTTP bridge: status, trigger and metrics for browsers, scripts and monitors. Asks
 * the collector and holds no truth of its own. See newsmill-gateway(8).
 * SPDX-License-Identifier: MPL-2.0 */
#include "gateway.h"
#include "stage/stage.h"

static void
turn (struct stage *stage, void *arg)
{
    int64_t wait_ms = gateway_run (arg);
    if (wait_ms >= 0)
        stage_after (stage, wait_ms, turn, arg);
}

static int
on_start (struct stage *stage, void **ret_state)
{
    zsock_t *collector = stage_connect_collector (stage, ZMQ_DEALER); /* closed with the stage */
    zsock_set_linger (collector, 0); /* a question whose asker is gone */
    zsock_set_sndtimeo (collector, 0);
    struct gateway *gateway = gateway_new (stage_settings (stage), collector);
    if (!gateway)
        return -EIO;
    *ret_state = gateway;
    stage_watch_fd (stage, gateway_fd (gateway), false, turn, gateway);
    turn (stage, gateway);
    return 0;
}

static void
on_stop (struct stage *stage UNUSED, void *state)
{
    gateway_quiesce (state);
}

static bool
is_idle (void *state)
{
    return gateway_is_idle (state);
}

static void
on_statistics (void *state, json_t *numbers)
{
    gateway_statistics (state, numbers);
}

static void
on_finish (struct stage *stage UNUSED, void *state)
{
    struct gateway *gateway = state;
    gateway_destroy (&gateway);
}

int
main (int argc, char **argv)
{
    static const struct stage_def def = {
        .name = "gateway",
        .in = WIRE_NO_LINK,
        .out = WIRE_NO_LINK,
        .database = false, /* it must tell of a database that is away */
        .start = on_start,
        .on_stop = on_stop,
        .is_idle = is_idle,
        .statistics = on_statistics,
        .finish = on_finish,
    };
    return stage_main (&def, argc, argv);
}
