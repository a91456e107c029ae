/* newsmill db migrate - brings the database up to date: the named one, that of the running mill,
 * or the private one.
 * SPDX-License-Identifier: MPL-2.0 */
#include "cli/cli.h"
#include "cli/mill.h"

#include <stdio.h>
#include <string.h>

int
cmd_db (struct cli *cli, int argc, char **argv)
{
    int applied = 0, r = cli_parse (&argc, argv, NULL, 0, 1, 1);
    struct mill *mill;
    if (r)
        return r;
    if (strcmp (argv[1], "migrate") != 0)
        return cli_usage (argv[0], "`newsmill db` has no action \"%s\"", argv[1]);
    r = mill_borrow_to_migrate (cli, &mill, &applied);
    if (r)
        return r;
    r = mill_close (&mill, 0);
    if (r == 0 && cli->json)
        printf ("{\"applied\": %d}\n", applied);
    else if (r == 0 && applied)
        printf ("the database is up to date, migrations applied: %d\n", applied);
    else if (r == 0)
        puts ("the database is up to date, there was nothing to do");
    return r;
}
