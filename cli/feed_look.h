/* feed_look - looks at a feed without storing anything.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FEED_LOOK_H
#define CLI_FEED_LOOK_H

#include "cli/cli.h"

int feed_parse_file (struct cli *cli, int argc, char **argv); /* feed parse FILE */
int feed_check (struct cli *cli, int argc, char **argv);      /* feed check URL */

#endif
