/* local_thread - vectors by the embedding model in a thread of its own: a batch takes seconds, and the loop that asked goes on.
 * All calls from one thread, that of the loop.
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef MODEL_LOCAL_THREAD_H
#define MODEL_LOCAL_THREAD_H

#include "minilm/minilm.h"
#include "model/model.h"

struct local_thread;

/* weights: path of a prepared file. NULL, with reason, as minilm_open has it. */
struct local_thread *local_thread_new (const char *weights, char reason[MINILM_REASON]);
void local_thread_destroy (struct local_thread **thread); /* waits for one text at most; what is under way is cut without calling back */
/* texts: borrowed until return. done is called once, later, from local_thread_turn. One batch after the other. */
void local_thread_embed (struct local_thread *thread, const struct model_text *texts, size_t count, model_done_fn *done, void *context);
/* From now on a batch is cut after the text in hand, and answered by MODEL_RETRY. */
void local_thread_hurry (struct local_thread *thread);
int local_thread_fd (const struct local_thread *thread); /* readable when local_thread_turn has work */
void local_thread_turn (struct local_thread *thread);

#endif
