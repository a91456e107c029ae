/* SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_RUNS_H
#define CLI_RUNS_H

#include <jansson.h>

/* A table of runs, as in the status document's recentRuns. */
void runs_print (const json_t *runs);

#endif
