/* newsmill healthcheck - for container runtimes and supervisors: whether the process beside it is well. A process touches health.file
 * while its loop turns and its links stand; the gateway answers /healthz.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define STALE_LEAST_MS 15000
#define STALE_BEATS 4
#define BODY_MAX 65536

static int
check_file (const struct settings *settings)
{
    struct stat st;
    if (!*settings->health_file) {
        cli_say ("health.file is not set: there is nothing to look at");
        return EXIT_USAGE;
    }
    if (stat (settings->health_file, &st) < 0) {
        cli_say ("not well, or not yet: %s: %s", settings->health_file, strerror (errno));
        return 1;
    }
    int64_t age_ms = (clock_wall_us () - (st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / 1000)) / 1000;
    int64_t most_ms = MAX_OF (STALE_BEATS * settings->delivery_heartbeat, (int64_t) STALE_LEAST_MS);
    if (age_ms <= most_ms)
        return 0;
    cli_say ("not well for %" PRId64 " s: its loop does not turn, or a link to the broker or the collector is down", age_ms / 1000);
    return 1;
}

static int
check_http (const struct settings *settings)
{
    struct settings own = *settings;
    struct fetched fetched;
    bool any = strcmp (settings->http_address, "0.0.0.0") == 0 || strcmp (settings->http_address, "::") == 0;
    bool six = strchr (settings->http_address, ':') != NULL && !any;
    char *url = mem_printf ("http://%s%s%s:%" PRId64 "/healthz", six ? "[" : "", any ? "127.0.0.1" : settings->http_address,
                            six ? "]" : "", settings->http_port);
    own.fetcher_allow_private = true;
    fetch (&own, url, BODY_MAX, &fetched);
    int r = !fetched.error && fetched.status == 200 ? 0 : 1;
    if (r && fetched.error)
        cli_say ("%s: %s", url, fetched.reason);
    else if (r)
        cli_say ("%s answers %ld", url, fetched.status);
    fetched_fini (&fetched);
    free (url);
    return r;
}

int
cmd_healthcheck (struct cli *cli, int argc, char **argv)
{
    bool http = false;
    const struct cli_option options[] = { { .name = "http", .flag = &http } };
    int r = cli_parse (&argc, argv, options, COUNT_OF (options), 0, 0);
    r = r ? r : cli_load (cli);
    return r ? r : http ? check_http (&cli->settings) : check_file (&cli->settings);
}
