/* history - what each process did with each article, in the order of time, for tests that count afterwards; nothing is left
 * of it in a build without NEWSMILL_FAULTS. A line an event is appended to the file $NEWSMILL_HISTORY, if that is set:
 *   SECONDS PROCESS PID EVENT KEY=VALUE ...
 * Seconds are of the monotonic clock, which no step of the time of day moves. tests/system/history.py reads
 * it.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_HISTORY_H
#define BASE_HISTORY_H

#include "base/base.h"

#ifdef NEWSMILL_FAULTS
void history_add (const char *format, ...) PRINTF_LIKE (1, 2); /* "EVENT KEY=VALUE ..."; PIPE_BUF bytes at most */
#define HISTORY(...) history_add (__VA_ARGS__)
#else
#define HISTORY(...) ((void) 0)
#endif

#endif
