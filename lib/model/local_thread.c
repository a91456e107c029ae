/* SPDX-License-Identifier: MPL-2.0 */
#include "model/local_thread.h"
#include "model/local.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct job {
    struct job *next;
    struct buf text;      /* of all */
    size_t *ends, count;
    float *vectors;
    int64_t duration_ms;
    bool cut;             /* not all vectors are there */
    model_done_fn *done;
    void *context;
};

struct queue {
    struct job *first, **end;
};

struct local_thread {
    struct minilm *minilm; /* the thread's */
    pthread_t thread;
    int fd;
    atomic_bool stopping, hurried; /* hurried: what is not done yet need not be done */
    pthread_mutex_t mutex; /* for what follows */
    pthread_cond_t asked;
    struct queue waiting, finished;
};

static void
queue_init (struct queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
}

static void
queue_add (struct queue *queue, struct job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

static struct job *
queue_take (struct queue *queue)
{
    struct job *job = queue->first;
    if (job)
        queue->first = job->next;
    if (!queue->first)
        queue->end = &queue->first;
    return job;
}

static void
job_free (struct job *job)
{
    buf_fini (&job->text);
    free (job->ends);
    free (job->vectors);
    free (job);
}

/* ---- in the thread ---- */

static void
embed (struct local_thread *self, struct job *job)
{
    int64_t start_ms = clock_mono_ms ();
    for (size_t i = 0, begin = 0; i < job->count; begin = job->ends[i++]) {
        const struct minilm_text text = { job->text.data + begin, job->ends[i] - begin };
        job->cut = atomic_load (&self->hurried);
        if (job->cut)
            break;
        minilm_embed (self->minilm, &text, 1, job->vectors + i * MINILM_DIMENSIONS);
    }
    job->duration_ms = clock_mono_ms () - start_ms;
}

static void *
run (void *arg)
{
    struct local_thread *self = arg;
    const uint64_t one = 1;
    pthread_mutex_lock (&self->mutex);
    while (!atomic_load (&self->stopping)) {
        struct job *job = queue_take (&self->waiting);
        if (!job) {
            pthread_cond_wait (&self->asked, &self->mutex);
            continue;
        }
        pthread_mutex_unlock (&self->mutex);
        embed (self, job);
        pthread_mutex_lock (&self->mutex);
        queue_add (&self->finished, job);
        if (write (self->fd, &one, sizeof one) != sizeof one)
            log_error ("cannot tell that vectors are there: %s", strerror (errno));
    }
    pthread_mutex_unlock (&self->mutex);
    return NULL;
}

/* ---- in the loop ---- */

struct local_thread *
local_thread_new (const char *weights, char reason[MINILM_REASON])
{
    struct minilm *minilm;
    if (minilm_open (weights, &minilm, reason) < 0)
        return NULL;
    struct local_thread *self = MEM_NEW (struct local_thread);
    self->minilm = minilm;
    self->fd = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    queue_init (&self->waiting);
    queue_init (&self->finished);
    pthread_mutex_init (&self->mutex, NULL);
    pthread_cond_init (&self->asked, NULL);
    int error = self->fd < 0 ? errno : pthread_create (&self->thread, NULL, run, self);
    if (error == 0)
        return self;
    snprintf (reason, MINILM_REASON, "no thread can be started for the embedding model: %s", strerror (error));
    if (self->fd >= 0)
        close (self->fd);
    pthread_cond_destroy (&self->asked);
    pthread_mutex_destroy (&self->mutex);
    minilm_close (&self->minilm);
    free (self);
    return NULL;
}

void
local_thread_destroy (struct local_thread **ref)
{
    struct local_thread *self = *ref;
    struct job *job;
    if (!self)
        return;
    pthread_mutex_lock (&self->mutex);
    atomic_store (&self->stopping, true);
    atomic_store (&self->hurried, true);
    pthread_cond_signal (&self->asked);
    pthread_mutex_unlock (&self->mutex);
    pthread_join (self->thread, NULL);
    while ((job = queue_take (&self->waiting)) || (job = queue_take (&self->finished)))
        job_free (job);
    close (self->fd);
    pthread_cond_destroy (&self->asked);
    pthread_mutex_destroy (&self->mutex);
    minilm_close (&self->minilm);
    free (self);
    *ref = NULL;
}

void
local_thread_embed (struct local_thread *self, const struct model_text *texts, size_t count, model_done_fn *done, void *context)
{
    struct job *job = MEM_NEW (struct job);
    job->count = count;
    job->done = done;
    job->context = context;
    job->ends = mem_grow (NULL, count, sizeof *job->ends);
    job->vectors = mem_grow (NULL, count * MINILM_DIMENSIONS, sizeof *job->vectors);
    for (size_t i = 0; i < count; i++) {
        local_text_put (texts[i].title, texts[i].text, texts[i].bytes, &job->text);
        job->ends[i] = job->text.len;
    }
    pthread_mutex_lock (&self->mutex);
    queue_add (&self->waiting, job);
    pthread_cond_signal (&self->asked);
    pthread_mutex_unlock (&self->mutex);
}

void
local_thread_hurry (struct local_thread *self)
{
    atomic_store (&self->hurried, true);
}

int
local_thread_fd (const struct local_thread *self)
{
    return self->fd;
}

void
local_thread_turn (struct local_thread *self)
{
    uint64_t count;
    struct job *job;
    if (read (self->fd, &count, sizeof count) < 0)
        return;
    do {
        pthread_mutex_lock (&self->mutex);
        job = queue_take (&self->finished);
        pthread_mutex_unlock (&self->mutex);
        if (!job)
            break;
        const struct model_reply reply = { .outcome = job->cut ? MODEL_RETRY : MODEL_OK,
                                           .reason = "cut short, for the process leaves",
                                           .retry_after_ms = -1,
                                           .duration_ms = job->duration_ms,
                                           .name = MINILM_NAME,
                                           .count = job->count,
                                           .vectors = job->vectors,
                                           .dimensions = MINILM_DIMENSIONS };
        job->done (job->context, &reply);
        job_free (job);
    } while (true);
}
