/* metrics - the collector's documents as Prometheus' text format, version 0.0.4.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include "base/base.h"

#include <jansson.h>

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* status, workers: the replies to these ops; NULL when there was none. What a document lacks is
 * left out. */
void metrics_write (struct buf *out, const json_t *status, const json_t *workers);
/* This process. started_us: wall clock. answered: HTTP replies by status class, 1 to 5. */
void metrics_write_process (struct buf *out, int64_t started_us, const uint64_t answered[6]);

#endif
