/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/runtime.h"

#define OUTBOX_FULL 16         /* messages waiting for the broker: no more input until they are gone */

/* Reads on while there is room behind it: that is all the back-pressure a stage needs. */
void
update_input (struct stage *self)
{
    if (!self->in)
        return;
    size_t waiting = self->out.frames ? zlist_size (self->out.frames) : 0;
    bool want = self->started && self->in_hand < self->capacity && waiting < OUTBOX_FULL;
    if (want == self->reading)
        return;
    self->reading = want;
    if (want)
        loop_watch_socket (self->loop, self->in, false, on_input, NULL);
    else
        loop_unwatch_socket (self->loop, self->in, false);
}

void
stage_set_capacity (struct stage *self, size_t articles)
{
    self->capacity = articles;
    update_input (self);
}

struct stage_article *
article_new (struct stage *self, zframe_t *frame, const struct wire_article *wire)
{
    struct stage_article *article = MEM_NEW (struct stage_article);
    article->wire = *wire;
    article->frame = frame;
    article->since_ms = clock_mono_ms ();
    article->next = self->first;
    if (self->first)
        self->first->previous = article;
    self->first = article;
    self->in_hand++;
    HISTORY ("took article=%" PRIu64 " attempt=%u", wire->header.article, wire->header.attempt);
    return article;
}

void
article_drop (struct stage *self, struct stage_article **ref)
{
    struct stage_article *article = *ref;
    *ref = NULL;
    if (article->previous)
        article->previous->next = article->next;
    else
        self->first = article->next;
    if (article->next)
        article->next->previous = article->previous;
    zframe_t *frame = article->frame;
    zframe_destroy (&frame);
    free (article);
    self->in_hand--;
    update_input (self);
}

static void
article_end (struct stage *self, struct stage_article **article, struct wire_result *result)
{
    result->header = (*article)->wire.header;
    result->duration_ms = (uint32_t) (clock_mono_ms () - (*article)->since_ms);
    static const char *const outcomes[] = { "", "done", "failed", "returned" };
    log_debug ("article=%" PRIu64 " attempt=%u %s in_ms=%u", result->header.article, result->header.attempt,
               outcomes[result->outcome], result->duration_ms);
    HISTORY ("ended article=%" PRIu64 " attempt=%u outcome=%s", result->header.article, result->header.attempt,
             outcomes[result->outcome]);
    stage_report (self, result);
    article_drop (self, article);
}

void
stage_pass (struct stage *self, struct stage_article **article)
{
    const struct wire_article *wire = &(*article)->wire;
    struct wire_result result = { .outcome = WIRE_DONE, .summary = { "", 0 } };
    if (self->def->in == WIRE_ARTICLES) { /* the checkpoint: what a crash further down must not pay for again */
        result.summary = wire->summary;
        result.summary_model = wire->summary_model;
    }
    if (FAULT_POINT ("passing")) {
        stage_fail (self, article, WIRE_TRANSIENT, "fault");
        return;
    }
    int r = stage_dispatch (self, wire);
    if (FAULT_DONE ("passed")) {
        article_drop (self, article);
        return;
    }
    if (r < 0) {
        stage_fail (self, article, WIRE_BLAMED, r == -EMSGSIZE ? "too large for one message" : "a field is past its limit");
        return;
    }
    article_end (self, article, &result);
}

void
stage_done (struct stage *self, struct stage_article **article, uint32_t chunks)
{
    struct wire_result result = { .outcome = WIRE_DONE, .chunks = chunks };
    article_end (self, article, &result);
}

void
stage_fail (struct stage *self, struct stage_article **article, enum wire_class fault, const char *reason)
{
    struct wire_result result = { .outcome = WIRE_FAILED, .fault = fault, .reason = wire_text (reason) };
    log_debug ("article=%" PRIu64 " failed: %s", (*article)->wire.header.article, reason);
    article_end (self, article, &result);
}

void
stage_return (struct stage *self, struct stage_article **article)
{
    struct wire_result result = { .outcome = WIRE_RETURNED };
    article_end (self, article, &result);
}

size_t
stage_in_hand (const struct stage *self)
{
    return self->in_hand;
}
