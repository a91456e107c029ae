/* Questions wait here, not in the socket, until the collector is connected: so one that ran out is
 * never delivered, and a client that was told "unavailable" does not find a run started a minute
 * later.
 * SPDX-License-Identifier: MPL-2.0 */
#include "ask.h"
#include "base/fault.h"

struct question {
    struct question *next;
    uint64_t number;
    int64_t deadline_ms;
    char *text; /* NULL once sent */
    ask_fn *fn;
    void *arg;
};

struct ask {
    zsock_t *socket;
    uint64_t last_number;
    struct question *first, **end; /* in the order of their deadlines */
};

struct ask *
ask_new (zsock_t *socket)
{
    struct ask *self = MEM_NEW (struct ask);
    self->socket = socket;
    self->end = &self->first;
    self->last_number = num_random (); /* answers to a gateway that was here before match nothing */
    return self;
}

/* Unlinks the question and tells its owner. */
static void
finish (struct ask *self, struct question **ref, int error, const char *text, size_t size)
{
    struct question *question = *ref;
    *ref = question->next;
    if (!question->next)
        self->end = ref;
    question->fn (question->arg, error, text, size);
    free (question->text);
    free (question);
}

void
ask_destroy (struct ask **ref)
{
    struct ask *self = *ref;
    *ref = NULL;
    if (!self)
        return;
    while (self->first)
        finish (self, &self->first, -ECANCELED, NULL, 0);
    free (self);
}

void
ask_send (struct ask *self, const char *text, ask_fn *fn, void *arg)
{
    struct question *question = MEM_NEW (struct question);
    *question = (struct question){ .number = ++self->last_number,
                                   .deadline_ms = clock_mono_ms () + ASK_TIMEOUT_MS,
                                   .text = mem_dup (text),
                                   .fn = fn,
                                   .arg = arg };
    *self->end = question;
    self->end = &question->next;
}

int
ask_fd (const struct ask *self)
{
    return zsock_fd (self->socket);
}

int64_t
ask_wait_ms (const struct ask *self)
{
    return self->first ? MAX_OF (self->first->deadline_ms - clock_mono_ms (), INT64_C (0)) : -1;
}

/* An envelope as a REQ socket's, with the number before it. false when there is nothing to send
 * or no room for it. */
static bool
send_next (struct ask *self)
{
    struct question *question = self->first;
    while (question && !question->text)
        question = question->next;
    if (!question)
        return false;
    zmsg_t *message = zmsg_new ();
    zmsg_addmem (message, &question->number, sizeof question->number);
    zmsg_addmem (message, "", 0);
    zmsg_addstr (message, question->text);
    if (FAULT_POINT ("asking") || zmsg_send (&message, self->socket) < 0) {
        zmsg_destroy (&message);
        return false;
    }
    free (question->text);
    question->text = NULL;
    return true;
}

static void
receive (struct ask *self)
{
    zmsg_t *message = zmsg_recv (self->socket);
    zframe_t *number = message ? zmsg_first (message) : NULL;
    zframe_t *last = message ? zmsg_last (message) : NULL;
    struct question **ref = &self->first;
    while (*ref
           && (!number || zframe_size (number) != sizeof (*ref)->number
               || memcmp (zframe_data (number), &(*ref)->number, sizeof (*ref)->number) != 0))
        ref = &(*ref)->next;
    if (*ref && zmsg_size (message) == 3) {
        size_t size = zframe_size (last);
        char *text = mem_copy (zframe_data (last), size);
        finish (self, ref, 0, text, size);
        free (text);
    } else if (message)
        log_debug ("dropped an answer of the collector: too late, or not to a question of mine");
    zmsg_destroy (&message);
}

void
ask_run (struct ask *self)
{
    /* The descriptor tells of changes only, so the events are asked for until there are none
     * left. */
    for (;;) {
        int events = zsock_events (self->socket);
        if (events & ZMQ_POLLIN)
            receive (self);
        else if (!(events & ZMQ_POLLOUT) || !send_next (self))
            break;
    }
    int64_t now = clock_mono_ms ();
    while (self->first && self->first->deadline_ms <= now)
        finish (self, &self->first, self->first->text ? -ENOTCONN : -ETIMEDOUT, NULL, 0);
}
