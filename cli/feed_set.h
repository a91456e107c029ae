/* feed_set - what becomes of feeds that are known: switched on or off, removed, and what is their own among the settings.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_FEED_SET_H
#define CLI_FEED_SET_H

#include "cli/cli.h"

int feed_enable (struct cli *cli, int argc, char **argv);  /* feed enable URL... */
int feed_disable (struct cli *cli, int argc, char **argv); /* feed disable URL... */
int feed_remove (struct cli *cli, int argc, char **argv);  /* feed remove URL... */
int feed_set (struct cli *cli, int argc, char **argv);     /* feed set URL --OPTION VALUE... */

#endif
