/* The poll loop: timers, descriptors, sockets, and handlers that change what is watched.
 * SPDX-License-Identifier: MPL-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "stage/loop.h"

#include <sys/eventfd.h>

struct world {
    struct loop *loop;
    int fds[3];
    int calls[3];
    int64_t times_ms[8];
    int count;
};

static int
set_up (void **state)
{
    struct world *w = MEM_NEW (struct world);
    w->loop = loop_new (w);
    for (int i = 0; i < 3; i++)
        w->fds[i] = eventfd (0, EFD_NONBLOCK | EFD_CLOEXEC);
    *state = w;
    return 0;
}

static int
tear_down (void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 3; i++)
        close (w->fds[i]);
    loop_destroy (&w->loop);
    assert_null (w->loop);
    free (w);
    return 0;
}

static void
ring (int fd)
{
    assert_int_equal (eventfd_write (fd, 1), 0);
}

/* No turn of a test may wait for something that never comes. */
static void
stop_waiting (void *context UNUSED, void *arg UNUSED)
{
}

static void
turn_within (struct world *w, int64_t ms)
{
    loop_after (w->loop, ms, stop_waiting, NULL);
    loop_turn (w->loop);
}

static void
turn_until (struct world *w, int64_t ms)
{
    int64_t end = clock_mono_ms () + ms;
    while (clock_mono_ms () < end)
        turn_within (w, end - clock_mono_ms ());
}

static void
note (void *context, void *arg)
{
    struct world *w = context;
    ++*(int *) arg;
    if (w->count < (int) COUNT_OF (w->times_ms))
        w->times_ms[w->count++] = clock_mono_ms ();
}

/* ---- timers ---- */

static void
wish_comes_true_once_and_not_early (void **state)
{
    struct world *w = *state;
    int64_t start = clock_mono_ms ();
    loop_after (w->loop, 20, note, &w->calls[0]);
    turn_until (w, 80);
    assert_int_equal (w->calls[0], 1);
    assert_true (w->times_ms[0] - start >= 20);
}

static void
newer_wish_replaces_the_older (void **state)
{
    struct world *w = *state;
    int64_t start = clock_mono_ms ();
    loop_after (w->loop, 5, note, &w->calls[0]);
    loop_after (w->loop, 40, note, &w->calls[0]);
    loop_after (w->loop, 5, note, &w->calls[1]); /* another argument: another wish */
    turn_until (w, 90);
    assert_int_equal (w->calls[0], 1);
    assert_int_equal (w->calls[1], 1);
    assert_true (w->times_ms[1] - start >= 40);
}

static void
timer_repeats (void **state)
{
    struct world *w = *state;
    loop_timer (w->loop, 15, note, &w->calls[0]);
    turn_until (w, 100);
    assert_in_range (w->calls[0], 4, 7);
    for (int i = 1; i < w->count; i++)
        assert_true (w->times_ms[i] / 15 > w->times_ms[i - 1] / 15); /* at each multiple once */
    int before = w->calls[0];
    loop_after (w->loop, 15, note, &w->calls[0]); /* a wish beside the timer, not instead */
    turn_until (w, 100);
    assert_in_range (w->calls[0] - before, 5, 8);
}

static void
wish_again (void *context, void *arg)
{
    struct world *w = context;
    if (++*(int *) arg < 5)
        loop_after (w->loop, 0, wish_again, arg);
}

static void
handler_may_wish_for_itself (void **state)
{
    struct world *w = *state;
    loop_after (w->loop, 0, wish_again, &w->calls[0]);
    turn_until (w, 20);
    assert_int_equal (w->calls[0], 5);
}

static void
slots_of_past_wishes_are_free_again (void **state)
{
    struct world *w = *state;
    int calls[300] = { 0 };
    for (size_t i = 0; i < COUNT_OF (calls); i++) {
        loop_after (w->loop, 0, note, &calls[i]);
        loop_turn (w->loop);
        assert_int_equal (calls[i], 1);
    }
}

/* ---- descriptors ---- */

static void
readable_is_told_until_it_is_read (void **state)
{
    struct world *w = *state;
    loop_watch_fd (w->loop, w->fds[0], false, note, &w->calls[0]);
    loop_watch_fd (w->loop, w->fds[1], false, note, &w->calls[1]);
    turn_within (w, 1);
    assert_int_equal (w->calls[0] + w->calls[1], 0);
    ring (w->fds[1]);
    turn_within (w, 1000);
    turn_within (w, 1000);
    assert_int_equal (w->calls[0], 0);
    assert_int_equal (w->calls[1], 2);
    eventfd_t value;
    assert_int_equal (eventfd_read (w->fds[1], &value), 0);
    turn_within (w, 1);
    assert_int_equal (w->calls[1], 2);
}

static void
watching_again_changes_the_watch (void **state)
{
    struct world *w = *state;
    loop_watch_fd (w->loop, w->fds[0], false, note, &w->calls[0]);
    turn_within (w, 1);
    assert_int_equal (w->calls[0], 0);
    loop_watch_fd (w->loop, w->fds[0], true, note, &w->calls[1]); /* an eventfd has always room */
    turn_within (w, 1000);
    assert_int_equal (w->calls[0], 0);
    assert_int_equal (w->calls[1], 1);
    loop_watch_fd (w->loop, w->fds[0], false, note, &w->calls[1]);
    turn_within (w, 1);
    assert_int_equal (w->calls[1], 1);
    loop_unwatch_fd (w->loop, w->fds[0]);
    loop_unwatch_fd (w->loop, w->fds[0]); /* twice does no harm */
    ring (w->fds[0]);
    turn_within (w, 1);
    assert_int_equal (w->calls[1], 1);
}

static void
take_the_others_away (void *context, void *arg)
{
    struct world *w = context;
    ++*(int *) arg;
    loop_unwatch_fd (w->loop, w->fds[1]);
    loop_unwatch_fd (w->loop, w->fds[2]);
    loop_watch_fd (w->loop, w->fds[2], false, note, &w->calls[2]); /* a new watch: from the next turn on */
}

static void
removed_in_a_handler_is_not_called (void **state)
{
    struct world *w = *state;
    loop_watch_fd (w->loop, w->fds[0], false, take_the_others_away, &w->calls[0]);
    loop_watch_fd (w->loop, w->fds[1], false, note, &w->calls[1]);
    loop_watch_fd (w->loop, w->fds[2], false, note, &w->calls[1]);
    for (int i = 0; i < 3; i++)
        ring (w->fds[i]);
    turn_within (w, 1000);
    assert_int_equal (w->calls[0], 1);
    assert_int_equal (w->calls[1], 0);
    assert_int_equal (w->calls[2], 0);
    loop_unwatch_fd (w->loop, w->fds[0]);
    turn_within (w, 1000);
    assert_int_equal (w->calls[1], 0);
    assert_int_equal (w->calls[2], 1);
}

static void
slots_of_removed_watches_are_free_again (void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 1000; i++) {
        loop_watch_fd (w->loop, w->fds[i % 3], false, note, &w->calls[0]);
        loop_unwatch_fd (w->loop, w->fds[i % 3]);
        turn_within (w, 0);
    }
    loop_watch_fd (w->loop, w->fds[0], false, note, &w->calls[0]);
    ring (w->fds[0]);
    turn_within (w, 1000);
    assert_int_equal (w->calls[0], 1);
}

/* ---- sockets ---- */

static void
socket_is_watched_for_messages_and_for_room (void **state)
{
    struct world *w = *state;
    zsock_t *pull = zsock_new_pull ("@inproc://loop-test"), *push = zsock_new_push (">inproc://loop-test");
    loop_watch_socket (w->loop, pull, false, note, &w->calls[0]);
    turn_within (w, 1);
    assert_int_equal (w->calls[0], 0);
    zstr_send (push, "hello");
    turn_within (w, 1000);
    assert_int_equal (w->calls[0], 1);
    char *text = zstr_recv (pull);
    assert_string_equal (text, "hello");
    zstr_free (&text);
    loop_watch_socket (w->loop, push, true, note, &w->calls[1]);
    turn_within (w, 1000);
    assert_int_equal (w->calls[1], 1);
    loop_unwatch_socket (w->loop, push, false); /* the other direction: this watch stays */
    turn_within (w, 1000);
    assert_int_equal (w->calls[1], 2);
    loop_unwatch_socket (w->loop, push, true);
    turn_within (w, 1);
    assert_int_equal (w->calls[1], 2);
    zsock_destroy (&push);
    loop_unwatch_socket (w->loop, pull, false);
    zsock_destroy (&pull);
}

struct taker {
    zsock_t *socket;
    int taken;
};

static void
take_one (void *context, void *arg)
{
    struct taker *self = arg;
    (void) context;
    zframe_t *frame = zframe_recv_nowait (self->socket);
    assert_non_null (frame);
    zframe_destroy (&frame);
    self->taken++;
}

/* A handler that takes one of many leaves nothing that its descriptor would tell of. */
static void
messages_left_are_told_of_again (void **state)
{
    struct world *w = *state;
    zsock_t *pull = zsock_new_pull ("@inproc://loop-left"), *push = zsock_new_push (">inproc://loop-left");
    struct taker taker = { .socket = pull };
    loop_watch_socket (w->loop, pull, false, take_one, &taker);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++)
            zstr_send (push, "one of many");
        for (int i = 0; i < 5; i++)
            turn_within (w, 1000);
        assert_int_equal (taker.taken, 5 * (round + 1));
        turn_within (w, 1);
        assert_int_equal (taker.taken, 5 * (round + 1));
    }
    loop_unwatch_socket (w->loop, pull, false);
    zsock_destroy (&push);
    zsock_destroy (&pull);
}

/* A use elsewhere silences the descriptor, for every watch of the socket. */
static void
socket_used_elsewhere_is_asked_again (void **state)
{
    struct world *w = *state;
    zsock_t *mine = zsock_new_dealer ("@inproc://loop-used"), *theirs = zsock_new_dealer (">inproc://loop-used");
    struct taker taker = { .socket = mine };
    loop_watch_socket (w->loop, mine, false, take_one, &taker);
    turn_within (w, 1);
    zstr_send (theirs, "hello");
    assert_int_equal (zsock_events (mine) & ZMQ_POLLIN, ZMQ_POLLIN);
    loop_used (w->loop, mine);
    turn_within (w, 1000);
    assert_int_equal (taker.taken, 1);

    loop_watch_socket (w->loop, mine, true, note, &w->calls[1]);
    zstr_send (theirs, "hello");
    turn_within (w, 1000);
    assert_int_equal (taker.taken, 2);
    assert_int_equal (w->calls[1], 1);
    zstr_send (theirs, "hello");
    assert_int_equal (zsock_events (mine) & ZMQ_POLLIN, ZMQ_POLLIN);
    loop_watch_socket (w->loop, mine, true, note, &w->calls[2]); /* the other watch hears of it too */
    turn_within (w, 1000);
    assert_int_equal (taker.taken, 3);
    assert_int_equal (w->calls[2], 1);
    loop_unwatch_socket (w->loop, mine, false);
    loop_unwatch_socket (w->loop, mine, true);
    zsock_destroy (&theirs);
    zsock_destroy (&mine);
}

#define LOOP_TEST(name) cmocka_unit_test_setup_teardown (name, set_up, tear_down)

int
main (void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST (wish_comes_true_once_and_not_early),
        LOOP_TEST (newer_wish_replaces_the_older),
        LOOP_TEST (timer_repeats),
        LOOP_TEST (handler_may_wish_for_itself),
        LOOP_TEST (slots_of_past_wishes_are_free_again),
        LOOP_TEST (readable_is_told_until_it_is_read),
        LOOP_TEST (watching_again_changes_the_watch),
        LOOP_TEST (removed_in_a_handler_is_not_called),
        LOOP_TEST (slots_of_removed_watches_are_free_again),
        LOOP_TEST (socket_is_watched_for_messages_and_for_room),
        LOOP_TEST (messages_left_are_told_of_again),
        LOOP_TEST (socket_used_elsewhere_is_asked_again),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
