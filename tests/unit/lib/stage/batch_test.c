/* The batcher with a stage, a clock and dice of the test's own.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/batch.h"

#define ITEMS_MAX 400
#define CALLS_MAX 64
#define WALL_START_US INT64_C (1763347200000000)

/* ---- the world: one stage, one model ---- */

struct item {
    int ends;                /* how often accept or give_up had it */
    int calls;               /* how often it was in a call */
    bool in_call, accepted;
    enum wire_class fault;
    char reason[64];
};

struct stage {
    int64_t now_ms, due_ms;
    stage_fn *fn;            /* NULL: no wish */
    void *arg;
    uint64_t dice, dice_step;
    struct batcher *batcher;
    struct item items[ITEMS_MAX];
    size_t added;
    struct batch *open[CALLS_MAX];
    size_t open_count, open_most, call_count, sizes[ITEMS_MAX];
    enum model_outcome instant;
    bool answers_at_once;
    int depth, depth_most;
    struct wire_result reported; /* the last one; its texts are gone */
    size_t report_count;
};

static struct stage *world;

int64_t __wrap_clock_mono_ms (void);
int64_t __wrap_clock_wall_us (void);
uint64_t __wrap_num_random (void);

int64_t
__wrap_clock_mono_ms (void)
{
    return world->now_ms;
}

int64_t
__wrap_clock_wall_us (void)
{
    return WALL_START_US + world->now_ms * 1000;
}

uint64_t
__wrap_num_random (void)
{
    world->dice += world->dice_step;
    return world->dice;
}

void
stage_after (struct stage *stage, int64_t after_ms, stage_fn *fn, void *arg)
{
    assert_true (after_ms >= 0);
    stage->due_ms = stage->now_ms + after_ms;
    stage->fn = fn;
    stage->arg = arg;
}

void
stage_report (struct stage *stage, struct wire_result *result)
{
    stage->reported = *result;
    stage->report_count++;
}

static void
answer (struct batch *batch, enum model_outcome outcome, int64_t retry_after_ms)
{
    struct model_reply reply = { .outcome = outcome, .reason = "because", .retry_after_ms = retry_after_ms,
                                 .duration_ms = 12, .tokens_in = 100, .tokens_out = 7, .cost_usd = 0.5,
                                 .count = batch->count };
    for (size_t i = 0; i < batch->count; i++)
        ((struct item *) batch->items[i])->in_call = false;
    batch_reply (batch, &reply);
}

static void
on_call (void *context, struct batch *batch)
{
    struct stage *w = context;
    assert_true (batch->count > 0);
    w->sizes[w->call_count++ % ITEMS_MAX] = batch->count;
    for (size_t i = 0; i < batch->count; i++) {
        struct item *item = batch->items[i];
        assert_int_equal (item->ends, 0);
        assert_false (item->in_call);
        item->in_call = true;
        item->calls++;
    }
    w->depth++;
    w->depth_most = MAX_OF (w->depth_most, w->depth);
    if (w->answers_at_once)
        answer (batch, w->instant, -1);
    else {
        assert_true (w->open_count < CALLS_MAX);
        w->open[w->open_count++] = batch;
        w->open_most = MAX_OF (w->open_most, w->open_count);
    }
    w->depth--;
}

static void
on_accept (void *context UNUSED, struct batch *batch, const struct model_reply *reply)
{
    assert_int_equal (reply->count, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        struct item *item = batch->items[i];
        item->ends++;
        item->accepted = true;
    }
}

static void
on_give_up (void *context UNUSED, void *arg, enum wire_class fault, const char *reason)
{
    struct item *item = arg;
    item->ends++;
    item->fault = fault;
    snprintf (item->reason, sizeof item->reason, "%s", reason);
}

static void
start (size_t max_items, size_t max_calls, int64_t linger_ms)
{
    const struct batch_settings settings = { max_items, max_calls, linger_ms, on_call, on_accept, on_give_up, world };
    batcher_destroy (&world->batcher);
    world->batcher = batcher_new (world, &settings);
}

static int
set_up (void **state UNUSED)
{
    world = MEM_NEW (struct stage);
    world->now_ms = 1000;
    return 0;
}

static void
add_one (bool alone)
{
    const struct uuid run = { { 1, 2, 3 } };
    batcher_add (world->batcher, &world->items[world->added++], &run, alone);
}

static void
add (size_t count)
{
    while (count--)
        add_one (false);
}

/* Lets time pass, and the wishes that fall due with it. */
static void
advance (int64_t ms)
{
    int64_t end = world->now_ms + ms;
    while (world->fn && world->due_ms <= end) {
        stage_fn *fn = world->fn;
        world->now_ms = MAX_OF (world->now_ms, world->due_ms);
        world->fn = NULL;
        fn (world, world->arg);
    }
    world->now_ms = end;
}

static void
reply (size_t index, enum model_outcome outcome, int64_t retry_after_ms)
{
    struct batch *batch = world->open[index];
    memmove (&world->open[index], &world->open[index + 1], (--world->open_count - index) * sizeof batch);
    answer (batch, outcome, retry_after_ms);
}

static int
tear_down (void **state UNUSED)
{
    batcher_return_waiting (world->batcher);
    while (world->open_count)
        reply (0, MODEL_OK, -1);
    batcher_destroy (&world->batcher);
    assert_null (world->batcher);
    free (world);
    world = NULL;
    return 0;
}

static void
assert_ended (size_t from, size_t to, bool accepted, enum wire_class fault)
{
    for (size_t i = from; i < to; i++) {
        const struct item *item = &world->items[i];
        if (item->ends != 1 || item->accepted != accepted || item->fault != fault)
            fail_msg ("item %zu: %d ends, accepted %d, fault %d", i, item->ends, item->accepted, (int) item->fault);
    }
}

/* ---- filling ---- */

static void
full_batch_goes_at_once (void **state UNUSED)
{
    start (3, 10, 50);
    add (7);
    assert_int_equal (world->call_count, 2);
    assert_int_equal (world->sizes[0], 3);
    assert_int_equal (world->sizes[1], 3);
    assert_int_equal (batcher_calls (world->batcher), 2);
    assert_ptr_equal (world->open[1]->items[0], &world->items[3]); /* in the order they came */
}

static void
linger_closes_what_is_not_full (void **state UNUSED)
{
    start (5, 10, 50);
    add (1);
    advance (30);
    add (1);
    advance (19);
    assert_int_equal (world->call_count, 0);
    advance (1); /* 50 ms after the oldest */
    assert_int_equal (world->call_count, 1);
    assert_int_equal (world->sizes[0], 2);
}

static void
no_linger_means_no_wait (void **state UNUSED)
{
    start (5, 10, 0);
    add (1);
    assert_int_equal (world->call_count, 1);
}

static void
calls_at_once_are_limited_and_the_queue_fills_meanwhile (void **state UNUSED)
{
    start (4, 2, 0);
    add (8);
    assert_int_equal (world->call_count, 2); /* of one each: nothing lingers */
    advance (1000);
    assert_int_equal (world->call_count, 2);
    reply (0, MODEL_OK, -1);
    assert_int_equal (world->call_count, 3);
    assert_int_equal (world->sizes[2], 4);
    assert_int_equal (world->open_most, 2);
}

static void
alone_travels_alone (void **state UNUSED)
{
    start (5, 10, 50);
    add (2);
    add_one (true);
    add (2);
    assert_int_equal (world->call_count, 2); /* the five make a full queue, but the third ends the batch */
    assert_int_equal (world->sizes[0], 2);
    assert_int_equal (world->sizes[1], 1);
    advance (50);
    assert_int_equal (world->call_count, 3);
    assert_int_equal (world->sizes[2], 2);
}

static void
alone_waits_for_nobody (void **state UNUSED)
{
    start (5, 10, 50);
    add_one (true);
    assert_int_equal (world->call_count, 1);
    add (1);
    add_one (true);
    add (1);
    advance (50);
    assert_int_equal (world->call_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal (world->sizes[i], 1);
}

/* ---- answers ---- */

static void
good_answer_is_accepted_and_booked (void **state UNUSED)
{
    start (3, 10, 50);
    add (3);
    reply (0, MODEL_OK, -1);
    assert_ended (0, 3, true, WIRE_NO_FAULT);
    assert_int_equal (world->report_count, 1);
    const struct wire_result *r = &world->reported;
    assert_int_equal (r->outcome, WIRE_SPENT);
    assert_int_equal (r->fault, WIRE_NO_FAULT);
    assert_int_equal (r->header.run.bytes[1], 2);
    assert_int_equal (r->header.article, 0);
    assert_int_equal (r->calls, 1);
    assert_int_equal (r->duration_ms, 12);
    assert_true (r->tokens_in == 100 && r->tokens_out == 7 && r->cost == 0.5);
    assert_int_equal (r->retry_after_ms, 0);
    assert_int_equal (batcher_calls (world->batcher), 0);
}

static void
bad_batch_is_halved_until_the_bad_item_stands_alone (void **state UNUSED)
{
    start (5, 10, 50);
    add (5);
    reply (0, MODEL_BAD, -1);
    assert_int_equal (world->open_count, 2);
    assert_int_equal (world->open[0]->count + world->open[1]->count, 5);
    assert_int_equal (world->open[0]->tries, 1); /* of their own */
    /* Item 3 is the bad one: whatever holds it is refused. */
    while (world->open_count) {
        bool bad = false;
        for (size_t i = 0; i < world->open[0]->count; i++)
            bad |= world->open[0]->items[i] == &world->items[3];
        reply (0, bad ? MODEL_BAD : MODEL_OK, -1);
    }
    assert_ended (0, 3, true, WIRE_NO_FAULT);
    assert_ended (3, 4, false, WIRE_BLAMED);
    assert_string_equal (world->items[3].reason, "because");
    assert_ended (4, 5, true, WIRE_NO_FAULT);
}

static void
batch_over_budget_is_halved_and_one_item_is_refused (void **state UNUSED)
{
    start (4, 10, 50);
    add (4);
    reply (0, MODEL_OVER_BUDGET, -1);
    assert_int_equal (world->reported.fault, WIRE_NO_FAULT); /* no breaker */
    assert_int_equal (world->open_count, 2);
    reply (0, MODEL_OK, -1);
    reply (0, MODEL_OVER_BUDGET, -1);
    reply (0, MODEL_OVER_BUDGET, -1);
    assert_int_equal (world->reported.fault, WIRE_REFUSED);
    assert_ended (2, 3, false, WIRE_REFUSED);
}

static void
retry_backs_off_and_gives_up (void **state UNUSED)
{
    /* The dice give 0: the least wait is the same each time. */
    start (1, 10, 0);
    add (1);
    for (int try = 1; try < 5; try++) {
        assert_int_equal (world->call_count, try);
        assert_int_equal (world->open[0]->tries, try);
        reply (0, MODEL_RETRY, -1);
        assert_int_equal (world->reported.fault, WIRE_TRANSIENT);
        advance (249);
        assert_int_equal (world->call_count, try);
        advance (1);
    }
    assert_int_equal (world->call_count, 5);
    reply (0, MODEL_RETRY, -1);
    assert_ended (0, 1, false, WIRE_TRANSIENT);
    advance (100000);
    assert_int_equal (world->call_count, 5);
}

static void
ceiling_of_the_back_off_doubles (void **state UNUSED)
{
    static const int64_t ceilings[] = { 1000, 2000, 4000, 8000 };
    start (1, 10, 0);
    add (1);
    for (size_t i = 0; i < COUNT_OF (ceilings); i++) {
        world->dice = (uint64_t) ceilings[i] - 1;
        reply (0, MODEL_RETRY, -1);
        advance (250 + ceilings[i] - 2);
        assert_int_equal (world->open_count, 0);
        advance (1);
        assert_int_equal (world->open_count, 1);
    }
}

static void
retry_does_not_hold_up_the_others (void **state UNUSED)
{
    start (1, 10, 0);
    add (1);
    reply (0, MODEL_RETRY, -1);
    add (1);
    assert_int_equal (world->open_count, 1);
    assert_ptr_equal (world->open[0]->items[0], &world->items[1]);
}

static void
retry_after_pauses_all_calls (void **state UNUSED)
{
    start (1, 10, 0);
    add (2);
    reply (0, MODEL_RETRY, 2000);
    assert_int_equal (world->reported.retry_after_ms, 2000);
    add (1);
    assert_int_equal (world->call_count, 2);
    reply (0, MODEL_OK, -1); /* what was under way may end */
    advance (1999);
    assert_int_equal (world->call_count, 2);
    advance (250); /* the pause ends; the retry adds a little so that not all come at once */
    assert_int_equal (world->call_count, 4);
}

static void
told_wait_is_bounded_in_the_report (void **state UNUSED)
{
    start (1, 10, 0);
    add (1);
    reply (0, MODEL_RETRY, INT64_C (100) * 3600 * 1000);
    assert_int_equal (world->reported.retry_after_ms, 3600000);
}

static void
refusal_allows_one_careful_call_at_a_time (void **state UNUSED)
{
    start (1, 3, 0);
    add (3);
    reply (0, MODEL_REFUSED, -1);
    assert_ended (0, 1, false, WIRE_REFUSED);
    assert_int_equal (world->reported.fault, WIRE_REFUSED);
    add (3);
    assert_int_equal (world->call_count, 3); /* two are under way still */
    reply (0, MODEL_REFUSED, -1);
    assert_int_equal (world->call_count, 3);
    reply (0, MODEL_REFUSED, -1);
    assert_int_equal (world->call_count, 4);
    assert_int_equal (batcher_calls (world->batcher), 1);
    reply (0, MODEL_OK, -1); /* a person acted */
    assert_int_equal (batcher_calls (world->batcher), 2);
    assert_ended (3, 4, true, WIRE_NO_FAULT);
}

/* ---- events and the end ---- */

static struct wire_event
event (enum wire_event_kind kind, const char *stage, int64_t after_ms)
{
    return (struct wire_event){ .kind = kind, .stage = wire_text (stage),
                                .until_us = WALL_START_US + (world->now_ms + after_ms) * 1000 };
}

static void
gate_of_the_stage_pauses_it (void **state UNUSED)
{
    start (1, 10, 0);
    struct wire_event other = event (WIRE_GATE, "embedder", 5000), own = event (WIRE_GATE, "summarizer", 700);
    batcher_event (world->batcher, "summarizer", &other);
    add (1);
    assert_int_equal (world->call_count, 1);
    batcher_event (world->batcher, "summarizer", &own);
    struct wire_event shorter = event (WIRE_GATE, "summarizer", 10);
    batcher_event (world->batcher, "summarizer", &shorter); /* does not end the longer one */
    add (1);
    advance (699);
    assert_int_equal (world->call_count, 1);
    advance (1);
    assert_int_equal (world->call_count, 2);
}

/* It is repeated as long as it stands; whoever's clock is wrong stands still no longer than the others. */
static void
check_gate_by_a_clock_off_by (int64_t off_ms)
{
    start (1, 10, 0);
    for (int k = 0; k < 5; k++) {
        struct wire_event gate = event (WIRE_GATE, "summarizer", off_ms);
        batcher_event (world->batcher, "summarizer", &gate);
        if (k == 0)
            add (1);
        advance (200);
        assert_int_equal (world->call_count, 0);
    }
    advance (799);
    assert_int_equal (world->call_count, 0);
    advance (1);
    assert_int_equal (world->call_count, 1);
}

static void
gate_holds_where_the_clock_is_ahead (void **state UNUSED)
{
    check_gate_by_a_clock_off_by (-3600000);
}

static void
gate_ends_where_the_clock_is_behind (void **state UNUSED)
{
    check_gate_by_a_clock_off_by (30000);
}

static void
nothing_is_held_for_a_pause_of_long (void **state UNUSED)
{
    start (1, 2, 0);
    add (3); /* two in calls, one waits */
    reply (0, MODEL_RETRY, 100000);
    assert_ended (0, 1, false, WIRE_TRANSIENT);
    assert_ended (2, 3, false, WIRE_TRANSIENT);
    assert_string_equal (world->items[2].reason, "the provider wants no calls for 100 s");
    reply (0, MODEL_OK, -1);
    advance (30000);
    add (1);
    assert_ended (3, 4, false, WIRE_TRANSIENT);
    advance (10000);
    add (1); /* for this one it is worth while */
    advance (59999);
    assert_int_equal (world->call_count, 2);
    advance (1);
    assert_int_equal (world->call_count, 3);
}

static void
breaker_hands_back_what_waits (void **state UNUSED)
{
    start (1, 2, 0);
    add (5);
    reply (0, MODEL_RETRY, -1); /* item 0 waits for its retry, item 2 is called */
    struct wire_event breaker = event (WIRE_BREAKER, "summarizer", 0);
    batcher_event (world->batcher, "summarizer", &breaker);
    assert_ended (0, 1, false, WIRE_NO_FAULT);
    assert_ended (3, 5, false, WIRE_NO_FAULT);
    assert_int_equal (world->items[1].ends + world->items[2].ends, 0);
    assert_int_equal (batcher_calls (world->batcher), 2);
    reply (0, MODEL_REFUSED, -1);
    reply (0, MODEL_REFUSED, -1);
    add (2); /* of the next run */
    assert_int_equal (batcher_calls (world->batcher), 1);
}

static void
stop_hands_back_what_is_not_in_a_call (void **state UNUSED)
{
    start (2, 3, 0);
    add (3);                    /* three calls of one */
    reply (0, MODEL_RETRY, -1); /* item 0 waits */
    add (1);                    /* takes its place */
    add (3);                    /* wait */
    batcher_return_waiting (world->batcher);
    assert_ended (0, 1, false, WIRE_NO_FAULT);
    assert_ended (4, 7, false, WIRE_NO_FAULT);
    assert_int_equal (batcher_calls (world->batcher), 3);
    reply (0, MODEL_OK, -1);
    assert_ended (1, 2, true, WIRE_NO_FAULT);
    reply (0, MODEL_RETRY, 1000);
    assert_ended (2, 3, false, WIRE_NO_FAULT);
    reply (0, MODEL_BAD, -1);
    assert_ended (3, 4, false, WIRE_NO_FAULT);
    size_t calls = world->call_count;
    advance (100000);
    assert_int_equal (world->call_count, calls);
    assert_int_equal (batcher_calls (world->batcher), 0);
}

/* The local model answers inside the call. */
static void
answer_inside_the_call_does_not_nest (void **state UNUSED)
{
    start (4, 1, 10);
    world->answers_at_once = true;
    world->instant = MODEL_OK;
    batcher_pause (world->batcher, 100); /* so that a queue gathers */
    add (ITEMS_MAX - 1);
    assert_int_equal (world->call_count, 0);
    advance (110);
    assert_ended (0, ITEMS_MAX - 1, true, WIRE_NO_FAULT);
    assert_int_equal (world->depth_most, 1);
    world->instant = MODEL_RETRY;
    add (1);
    advance (100000);
    assert_ended (ITEMS_MAX - 1, ITEMS_MAX, false, WIRE_TRANSIENT);
    assert_int_equal (world->items[ITEMS_MAX - 1].calls, 5);
}

/* Whatever the model says, in whatever order: every item ends once. */
static void
every_item_ends_exactly_once (void **state UNUSED)
{
    uint64_t seed = 88172645463325252;
    for (int round = 0; round < 40; round++) {
        memset (world->items, 0, sizeof world->items);
        world->added = world->open_count = world->open_most = 0;
        world->fn = NULL;
        world->dice_step = 7919;
        size_t max_calls = 1 + (size_t) round % 7;
        start (1 + (size_t) round % 9, max_calls, round % 3 * 20);
        for (int step = 0; step < 20000 && (world->added < 200 || step < 1000); step++) {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            if (seed % 4 == 0 && world->added < 200)
                add_one (seed % 28 == 0);
            else if (seed % 4 == 1)
                advance ((int64_t) (seed >> 8) % 300);
            else if (world->open_count) {
                static const enum model_outcome outcomes[] = { MODEL_OK, MODEL_OK, MODEL_OK, MODEL_BAD, MODEL_BAD,
                                                               MODEL_RETRY, MODEL_RETRY, MODEL_REFUSED };
                reply ((seed >> 16) % world->open_count, outcomes[(seed >> 8) % 8], seed >> 30 & 1 ? 500 : -1);
            }
        }
        for (int i = 0; i < 10000 && (world->open_count || world->fn); i++) {
            advance (60000);
            while (world->open_count)
                reply (0, MODEL_OK, -1);
        }
        assert_int_equal (world->added, 200);
        assert_in_range (world->open_most, 1, max_calls);
        for (size_t i = 0; i < world->added; i++)
            if (world->items[i].ends != 1)
                fail_msg ("round %d: item %zu ended %d times", round, i, world->items[i].ends);
    }
}

#define BATCH_TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        BATCH_TEST (full_batch_goes_at_once),
        BATCH_TEST (linger_closes_what_is_not_full),
        BATCH_TEST (no_linger_means_no_wait),
        BATCH_TEST (calls_at_once_are_limited_and_the_queue_fills_meanwhile),
        BATCH_TEST (alone_travels_alone),
        BATCH_TEST (alone_waits_for_nobody),
        BATCH_TEST (good_answer_is_accepted_and_booked),
        BATCH_TEST (bad_batch_is_halved_until_the_bad_item_stands_alone),
        BATCH_TEST (batch_over_budget_is_halved_and_one_item_is_refused),
        BATCH_TEST (retry_backs_off_and_gives_up),
        BATCH_TEST (ceiling_of_the_back_off_doubles),
        BATCH_TEST (retry_does_not_hold_up_the_others),
        BATCH_TEST (retry_after_pauses_all_calls),
        BATCH_TEST (told_wait_is_bounded_in_the_report),
        BATCH_TEST (refusal_allows_one_careful_call_at_a_time),
        BATCH_TEST (gate_of_the_stage_pauses_it),
        BATCH_TEST (gate_holds_where_the_clock_is_ahead),
        BATCH_TEST (gate_ends_where_the_clock_is_behind),
        BATCH_TEST (nothing_is_held_for_a_pause_of_long),
        BATCH_TEST (breaker_hands_back_what_waits),
        BATCH_TEST (stop_hands_back_what_is_not_in_a_call),
        BATCH_TEST (answer_inside_the_call_does_not_nest),
        BATCH_TEST (every_item_ends_exactly_once),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
