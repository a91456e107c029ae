/* newsmill trigger - starts a run now, or joins the one in progress.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/client.h"

#include <stdio.h>

int
cmd_trigger (struct cli *cli, int argc, char **argv)
{
    json_t *reply;
    int r = cli_parse (&argc, argv, NULL, 0, 0, 0);
    r = r ? r : cli_ask (cli, client_request ("trigger"), &reply);
    if (r)
        return r;
    if (cli->json)
        cli_print_json (reply);
    else
        printf ("%s %s\n",
                json_is_true (json_object_get (reply, "joined")) ? "joined the run in progress:"
                                                                 : "started",
                cli_text (reply, "run"));
    json_decref (reply);
    return 0;
}
