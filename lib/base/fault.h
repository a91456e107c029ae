/* fault - points at which a test makes a process fail; nothing is left of them in a build without NEWSMILL_FAULTS.
 * A test arms one by writing what is to happen into $NEWSMILL_FAULT_DIR/PROCESS.NAME (writer.storing): "kill", "error", or
 * "delay" and milliseconds. The process that gets there next takes the file away and does it, so it happens once.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#ifdef NEWSMILL_FAULTS
bool fault_at (const char *name);
const char *fault_process (void); /* this one's name: "writer" */
void fault_poison (const char *text, size_t bytes); /* dies if it holds $NEWSMILL_FAULT_POISON */
#define FAULT_POISON(text, bytes) fault_poison (text, bytes)
#define FAULT_POINT(name) fault_at (name) /* before a step: whether it is to fail, and not be done */
#define FAULT_DONE(name) fault_at (name)  /* after a step: whether nothing is to be heard of it, as after a time-out */
#else
#define FAULT_POINT(name) false
#define FAULT_DONE(name) false
#define FAULT_POISON(text, bytes) ((void) 0)
#endif

#endif
