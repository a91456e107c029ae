/* model - the weights of the local embedding model: fetched, looked at, served.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef CLI_MODEL_H
#define CLI_MODEL_H

#include "cli/cli.h"

/* Fetches the weights from source (NULL: from where they are published), checks them, and has the prepared file at target when it
 * returns 0, else leaves there what was there. hasty: at a start, which must not wait for a network that does not answer: a few seconds
 * until something comes. 0; -EINTR when a signal came, another negative errno, each with what was tried in reasons, a line each that
 * ends in a semicolon, but for the last. Blocks. */
MUST_CHECK int model_pull (const char *source, const char *target, bool hasty, struct buf *reasons);

/* For `up` and `run`, before anything is started: the file that the local embedders are to use, fetched when there is none, goes into
 * the environment, where processes look. What fails is said, and they do without. false: a signal came, nothing is to be started. */
MUST_CHECK bool model_for_mill (struct cli *cli);

/* Answers the OpenAI-compatible requests for vectors, until a signal comes. weights: a prepared file. port 0: any, threads 0: one a
 * processor. Returns the exit code. */
int model_serve (const struct settings *settings, const char *weights, const char *address, int64_t port, size_t threads);

#endif
