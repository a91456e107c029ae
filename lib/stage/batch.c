/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/batch.h"
#include "base/fault.h"

#define TRIES_MAX 5
#define BACKOFF_LEAST_MS 500
#define BACKOFF_MOST_MS 30000
#define GATE_REPEATED_MS INT64_C (1000)
#define GATE_MOST_MS INT64_C (3600000)
#define PATIENCE_MS 60000 /* nothing is held for a longer pause: a run would end by its time limit, and send a copy */

struct waiting {
    void *item;
    struct uuid run;
    bool alone;
    int64_t since_ms;
    struct waiting *next;
};

struct batcher {
    struct stage *stage;
    struct batch_settings settings;
    struct waiting *first, *last; /* not yet in a batch */
    size_t waiting_count;
    struct batch *retries;        /* ready made, by due time */
    size_t calls;
    int64_t paused_until_ms;
    bool refused;                 /* one careful call at a time until one succeeds */
    bool stopped;
    bool pumping;                 /* the local model answers inside the call: no recursion */
};

static void pump (struct stage *stage, void *arg);

struct batcher *
batcher_new (struct stage *stage, const struct batch_settings *settings)
{
    struct batcher *self = MEM_NEW (struct batcher);
    self->stage = stage;
    self->settings = *settings;
    return self;
}

static struct batch *
batch_new (struct batcher *self, size_t count)
{
    struct batch *batch = MEM_NEW (struct batch);
    batch->items = mem_alloc (count * sizeof *batch->items);
    batch->batcher = self;
    return batch;
}

static void
batch_free (struct batch *batch)
{
    free (batch->items);
    free (batch);
}

void
batcher_destroy (struct batcher **ref)
{
    struct batcher *self = *ref;
    if (!self)
        return;
    while (self->retries) {
        struct batch *batch = self->retries;
        self->retries = batch->next;
        batch_free (batch);
    }
    while (self->first) {
        struct waiting *w = self->first;
        self->first = w->next;
        free (w);
    }
    free (self);
    *ref = NULL;
}

void
batcher_add (struct batcher *self, void *item, const struct uuid *run, bool alone)
{
    struct waiting *w = MEM_NEW (struct waiting);
    *w = (struct waiting){ item, *run, alone, clock_mono_ms (), NULL };
    if (self->last)
        self->last->next = w;
    else
        self->first = w;
    self->last = w;
    self->waiting_count++;
    pump (self->stage, self);
}

static void *
take_first (struct batcher *self)
{
    struct waiting *w = self->first;
    void *item = w->item;
    self->first = w->next;
    if (!self->first)
        self->last = NULL;
    self->waiting_count--;
    free (w);
    return item;
}

/* From the front of the queue: up to max_items that may travel together. */
static struct batch *
batch_from_queue (struct batcher *self)
{
    struct batch *batch = batch_new (self, self->settings.max_items);
    batch->run = self->first->run;
    do {
        bool alone = self->first->alone;
        if (alone && batch->count)
            break;
        batch->items[batch->count++] = take_first (self);
        if (alone)
            break;
    } while (self->first && batch->count < self->settings.max_items);
    return batch;
}

/* The next batch that may be called now, or NULL and how long to wait (-1: until something happens). */
static struct batch *
next_batch (struct batcher *self, int64_t now, int64_t *ret_wait_ms)
{
    *ret_wait_ms = -1;
    size_t most = self->refused ? 1 : self->settings.max_calls;
    if (self->calls >= most || self->stopped)
        return NULL;
    if (now < self->paused_until_ms) {
        *ret_wait_ms = self->paused_until_ms - now;
        return NULL;
    }
    struct batch *retry = self->retries;
    if (retry && retry->due_ms <= now) {
        self->retries = retry->next;
        return retry;
    }
    if (retry)
        *ret_wait_ms = retry->due_ms - now;
    if (!self->first)
        return NULL;
    int64_t linger = self->first->since_ms + self->settings.linger_ms - now;
    if (self->first->alone || self->waiting_count >= self->settings.max_items || linger <= 0)
        return batch_from_queue (self);
    *ret_wait_ms = *ret_wait_ms < 0 ? linger : MIN_OF (*ret_wait_ms, linger);
    return NULL;
}

static void
give_up (struct batcher *self, struct batch *batch, enum wire_class fault, const char *reason)
{
    for (size_t i = 0; i < batch->count; i++)
        self->settings.give_up (self->settings.context, batch->items[i], fault, reason);
    batch_free (batch);
}

static void
return_all (struct batcher *self, enum wire_class fault, const char *reason)
{
    while (self->first)
        self->settings.give_up (self->settings.context, take_first (self), fault, reason);
    while (self->retries) {
        struct batch *batch = self->retries;
        self->retries = batch->next;
        give_up (self, batch, fault, reason);
    }
}

static void
return_waiting_for_long (struct batcher *self, int64_t wait_ms)
{
    char reason[64];
    snprintf (reason, sizeof reason, "the provider wants no calls for %" PRId64 " s", wait_ms / 1000);
    return_all (self, WIRE_TRANSIENT, reason);
}

static void
pump (struct stage *stage, void *arg)
{
    struct batcher *self = arg;
    struct batch *batch;
    int64_t wait_ms;
    if (self->pumping)
        return;
    self->pumping = true;
    if (self->paused_until_ms - clock_mono_ms () > PATIENCE_MS)
        return_waiting_for_long (self, self->paused_until_ms - clock_mono_ms ());
    while ((batch = next_batch (self, clock_mono_ms (), &wait_ms)) != NULL) {
        self->calls++;
        batch->tries++;
        static const struct model_reply failed = { .outcome = MODEL_RETRY, .reason = "fault" };
        if (FAULT_POINT ("calling"))
            batch_reply (batch, &failed);
        else
            self->settings.call (self->settings.context, batch);
    }
    self->pumping = false;
    if (wait_ms >= 0)
        stage_after (stage, wait_ms, pump, self);
}

static void
retry_later (struct batcher *self, struct batch *batch, int64_t after_ms)
{
    batch->due_ms = clock_mono_ms () + after_ms;
    struct batch **at = &self->retries;
    while (*at && (*at)->due_ms <= batch->due_ms)
        at = &(*at)->next;
    batch->next = *at;
    *at = batch;
}

static void
bisect (struct batcher *self, struct batch *batch)
{
    size_t half = batch->count / 2;
    struct batch *parts[2] = { batch_new (self, half), batch_new (self, batch->count - half) };
    for (size_t i = 0; i < batch->count; i++) {
        struct batch *part = parts[i >= half];
        part->items[part->count++] = batch->items[i];
        part->run = batch->run;
    }
    batch_free (batch);
    retry_later (self, parts[0], 0);
    retry_later (self, parts[1], 0);
}

static int64_t
backoff_ms (const struct batch *batch, int64_t wish_ms)
{
    int64_t ceiling = MIN_OF ((int64_t) BACKOFF_LEAST_MS << batch->tries, (int64_t) BACKOFF_MOST_MS);
    int64_t jitter = (int64_t) (num_random () % (uint64_t) ceiling);
    return wish_ms > 0 ? wish_ms + jitter % 250 : BACKOFF_LEAST_MS / 2 + jitter;
}

/* A smaller batch may cost less than is left; when one item costs too much, only credit helps: no item is to blame. */
static enum model_outcome
outcome_of (const struct batch *batch, const struct model_reply *reply)
{
    if (reply->outcome != MODEL_OVER_BUDGET)
        return reply->outcome;
    return batch->count > 1 ? MODEL_BAD : MODEL_REFUSED;
}

static void
report_spent (struct batcher *self, const struct batch *batch, const struct model_reply *reply)
{
    enum model_outcome outcome = outcome_of (batch, reply);
    struct wire_result result = {
        .header.run = batch->run,
        .outcome = WIRE_SPENT,
        .fault = outcome == MODEL_REFUSED ? WIRE_REFUSED : outcome == MODEL_RETRY ? WIRE_TRANSIENT : WIRE_NO_FAULT,
        .reason = wire_text (reply->outcome == MODEL_OK ? "" : reply->reason),
        .duration_ms = (uint32_t) reply->duration_ms,
        .calls = 1,
        .tokens_in = (uint64_t) reply->tokens_in,
        .tokens_out = (uint64_t) reply->tokens_out,
        .cost = reply->cost_usd,
        .priced = reply->priced,
        .retry_after_ms = outcome == MODEL_RETRY && reply->retry_after_ms > 0
                          ? (uint32_t) MIN_OF (reply->retry_after_ms, (int64_t) 3600000) : 0,
    };
    stage_report (self->stage, &result);
}

void
batch_reply (void *context, const struct model_reply *reply)
{
    struct batch *batch = context;
    struct batcher *self = batch->batcher;
    struct model_reply lost = { .outcome = MODEL_RETRY, .reason = "fault: the answer did not come" };
    if (FAULT_DONE ("called"))
        reply = &lost;
    self->calls--;
    report_spent (self, batch, reply);
    if (reply->outcome != MODEL_OK)
        log_warn ("model call failed: %s items=%zu try=%d", reply->reason, batch->count, batch->tries);
    switch (outcome_of (batch, reply)) {
    case MODEL_OK:
        self->refused = false;
        self->settings.accept (self->settings.context, batch, reply);
        batch_free (batch);
        break;
    case MODEL_RETRY:
        if (self->stopped)
            give_up (self, batch, WIRE_NO_FAULT, "");
        else if (batch->tries >= TRIES_MAX)
            give_up (self, batch, WIRE_TRANSIENT, reply->reason);
        else
            retry_later (self, batch, backoff_ms (batch, reply->retry_after_ms));
        if (reply->retry_after_ms > 0)
            batcher_pause (self, reply->retry_after_ms);
        break;
    case MODEL_REFUSED:
        self->refused = true;
        give_up (self, batch, WIRE_REFUSED, reply->reason);
        break;
    case MODEL_OVER_BUDGET: /* outcome_of left none */
    case MODEL_BAD:
        if (self->stopped)
            give_up (self, batch, WIRE_NO_FAULT, "");
        else if (batch->count > 1)
            bisect (self, batch);
        else
            give_up (self, batch, WIRE_BLAMED, reply->reason);
        break;
    }
    pump (self->stage, self);
}

void
batcher_pause (struct batcher *self, int64_t wait_ms)
{
    self->paused_until_ms = MAX_OF (self->paused_until_ms, clock_mono_ms () + wait_ms);
    pump (self->stage, self);
}

/* It is repeated while it stands, so it holds for a little longer than that only: until_us is a time of day, and clocks
 * differ from host to host and are set right. */
static void
take_gate (struct batcher *self, int64_t until_us)
{
    int64_t wait_ms = (until_us - clock_wall_us ()) / 1000;
    if (wait_ms > PATIENCE_MS)
        return_waiting_for_long (self, MIN_OF (wait_ms, GATE_MOST_MS));
    batcher_pause (self, wait_ms > 0 && wait_ms < GATE_REPEATED_MS ? wait_ms : GATE_REPEATED_MS);
}

void
batcher_return_waiting (struct batcher *self)
{
    self->stopped = true;
    return_all (self, WIRE_NO_FAULT, "");
}

void
batcher_event (struct batcher *self, const char *stage, const struct wire_event *event)
{
    if (!wire_text_is (&event->stage, stage))
        return;
    if (event->kind == WIRE_GATE)
        take_gate (self, event->until_us);
    if (event->kind == WIRE_BREAKER) { /* nothing here can succeed: back to the ledger, until the next run tries again */
        self->refused = true;
        return_all (self, WIRE_NO_FAULT, "");
    }
}

size_t
batcher_calls (const struct batcher *self)
{
    return self->calls;
}
