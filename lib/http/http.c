/* http - the client itself: libcurl's sockets and timer behind one epoll descriptor, the queue in
 * front of it. libcurl would queue per host as well, but counts the wait as part of a transfer's
 * time; so the queue is here, and time runs from the moment a transfer leaves it.
 * SPDX-License-Identifier: MPL-2.0 */
#include "http/http.h"
#include "http/domain.h"
#include "http/transfer.h"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENTS_A_TURN 64
#define IDLE_HANDLES_MAX 64
#define IDLE_CONNECTIONS_MAX 128 /* many servers keep theirs for a minute, so the next run finds them open */
#define NEVER (-1)

struct list {
    struct transfer *first, *last;
    size_t count;
};

struct http {
    struct http_settings settings;
    CURLM *multi;
    CURLSH *share; /* TLS sessions, so that a feed's next fetch resumes */
    int epoll, timer;
    int64_t curl_due_us; /* when libcurl wants to be called, or NEVER */
    int64_t armed_us;    /* when the timer goes off, or NEVER */
    bool kicked;         /* something waits for http_turn that no socket will announce */
    struct list waiting; /* in order of arrival */
    struct list active;  /* in libcurl's hands */
    struct limit_table hosts, domains;
    CURL *idle[IDLE_HANDLES_MAX];
    size_t idle_count;
};

/* ---- lists, hosts and domains ---- */

static void
list_add (struct list *list, struct transfer *transfer)
{
    transfer->next = NULL;
    transfer->prev = list->last;
    if (list->last)
        list->last->next = transfer;
    else
        list->first = transfer;
    list->last = transfer;
    list->count++;
}

static void
list_remove (struct list *list, struct transfer *transfer)
{
    if (transfer->prev)
        transfer->prev->next = transfer->next;
    else
        list->first = transfer->next;
    if (transfer->next)
        transfer->next->prev = transfer->prev;
    else
        list->last = transfer->prev;
    transfer->next = transfer->prev = NULL;
    list->count--;
}

static void
take_place (struct http *http, struct transfer *transfer)
{
    char *domain = domain_of_host (transfer->url.host);
    transfer->host = limit_hold (&http->hosts, transfer->url.origin);
    transfer->domain = limit_hold (&http->domains, domain);
    transfer->shares_domain = domain_has_hosts (domain);
    free (domain);
}

static void
leave_place (struct http *http, struct transfer *transfer)
{
    limit_leave (&http->hosts, &transfer->host);
    limit_leave (&http->domains, &transfer->domain);
}

static bool
has_room (const struct http *http, const struct transfer *transfer)
{
    return http->active.count < http->settings.max_total && limit_has_room (&http->hosts, transfer->host)
        && (!transfer->shares_domain || limit_has_room (&http->domains, transfer->domain));
}

/* ---- sockets and timer ---- */

/* Sets the timer, unless it goes off soon enough: libcurl changes its mind several times a transfer, and waking once too often
 * costs less than that many calls. */
static void
arm (struct http *http)
{
    int64_t now_us = clock_mono_us (), due_us = http->kicked ? now_us : http->curl_due_us;
    if (due_us == NEVER || (http->armed_us != NEVER && http->armed_us <= MAX_OF (due_us, now_us)))
        return;
    int64_t wait = MAX_OF (due_us - now_us, 0);
    struct itimerspec spec = { .it_value = { (time_t) (wait / US_PER_S), (long) (wait % US_PER_S) * 1000 + (wait == 0) } };
    timerfd_settime (http->timer, 0, &spec, NULL);
    http->armed_us = now_us + wait;
}

static void
kick (struct http *http)
{
    if (http->kicked)
        return;
    http->kicked = true;
    arm (http);
}

static int
on_timer (CURLM *multi UNUSED, long timeout_ms, void *context)
{
    struct http *http = context;
    http->curl_due_us = timeout_ms < 0 ? NEVER : clock_mono_us () + (int64_t) timeout_ms * 1000;
    arm (http);
    return 0;
}

static int
on_socket (CURL *easy UNUSED, curl_socket_t fd, int what, void *context, void *of_socket)
{
    struct http *http = context;
    if (what == CURL_POLL_REMOVE) {
        /* Fails when the socket is closed already, which is as good. */
        epoll_ctl (http->epoll, EPOLL_CTL_DEL, fd, NULL);
        return 0;
    }
    struct epoll_event event = { .data.fd = fd };
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    /* A number may be known from an earlier socket that was closed behind our back, so either may be wrong. */
    int first = of_socket ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, then = of_socket ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    curl_multi_assign (http->multi, fd, http);
    return epoll_ctl (http->epoll, first, fd, &event) == 0 || epoll_ctl (http->epoll, then, fd, &event) == 0 ? 0 : -1;
}

/* ---- transfers ---- */

static CURL *
handle_take (struct http *http)
{
    return http->idle_count ? http->idle[--http->idle_count] : curl_easy_init ();
}

static void
handle_return (struct http *http, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    transfer->easy = NULL;
    if (!easy)
        return;
    curl_easy_reset (easy); /* it points into the transfer */
    if (http->idle_count < IDLE_HANDLES_MAX)
        http->idle[http->idle_count++] = easy;
    else
        curl_easy_cleanup (easy);
}

static void
drop (struct http *http, struct transfer *transfer)
{
    handle_return (http, transfer);
    leave_place (http, transfer);
    transfer_destroy (&transfer);
}

/* transfer is in no list any more, so that the callback may cancel or start whatever it likes. */
static void
finish (struct http *http, struct transfer *transfer, CURLcode code)
{
    struct http_response response;
    transfer_answer (transfer, code, &response);
    transfer->done (transfer->context, &response);
    drop (http, transfer);
}

static void
fail_start (struct http *http, struct transfer *transfer)
{
    transfer_fail (transfer, HTTP_BROKEN, "libcurl cannot start the transfer");
    list_add (&http->waiting, transfer);
    kick (http);
}

static void
begin (struct http *http, struct transfer *transfer)
{
    CURL *easy = transfer->easy ? transfer->easy : handle_take (http);
    if (!transfer->started_us)
        transfer->started_us = clock_mono_us ();
    if (transfer->queued_us)
        transfer->started_us += clock_mono_us () - transfer->queued_us;
    transfer->queued_us = 0;
    if (!easy || !transfer_prepare (transfer, easy, http->share)
        || curl_multi_add_handle (http->multi, easy)) {
        fail_start (http, transfer);
        return;
    }
    transfer->host->active++;
    transfer->domain->active++;
    list_add (&http->active, transfer);
}

static void
leave_libcurl (struct http *http, struct transfer *transfer)
{
    curl_multi_remove_handle (http->multi, transfer->easy);
    transfer->host->active--;
    transfer->domain->active--;
    list_remove (&http->active, transfer);
}

/* Whether its domain must be left alone now; it has failed then. */
static bool
is_refused (struct http *http, struct transfer *transfer)
{
    if (!http->settings.is_held || !http->settings.is_held (http->settings.context, transfer->domain->name))
        return false;
    transfer_fail (transfer, HTTP_HELD, "%s%.80s asked for a pause", transfer->hops ? "redirected here, and " : "",
                   transfer->domain->name);
    return true;
}

/* After a redirect: at the new place the same limits hold. */
static void
go_on (struct http *http, struct transfer *transfer)
{
    leave_place (http, transfer);
    take_place (http, transfer);
    if (is_refused (http, transfer)) {
        list_add (&http->waiting, transfer);
        kick (http);
        return;
    }
    if (has_room (http, transfer)) {
        begin (http, transfer);
        return;
    }
    transfer->queued_us = clock_mono_us ();
    list_add (&http->waiting, transfer);
}

static void
start_waiting (struct http *http)
{
    struct transfer *transfer = http->waiting.first, *next;
    for (; transfer && http->active.count < http->settings.max_total; transfer = next) {
        next = transfer->next;
        if (transfer->failed || !has_room (http, transfer))
            continue;
        if (is_refused (http, transfer)) {
            kick (http);
            continue;
        }
        list_remove (&http->waiting, transfer);
        begin (http, transfer);
    }
}

static void
deliver_failed (struct http *http)
{
    /* Callbacks may add more of the kind; those get the next turn, or a caller that always retries
     * would hang here. */
    size_t looks = http->waiting.count;
    http->kicked = false;
    struct transfer *transfer = http->waiting.first;
    while (transfer && looks-- > 0) {
        if (!transfer->failed) {
            transfer = transfer->next;
            continue;
        }
        list_remove (&http->waiting, transfer);
        finish (http, transfer, CURLE_OK);
        transfer = http->waiting.first; /* the callback may have changed everything */
    }
    for (transfer = http->waiting.first; transfer; transfer = transfer->next)
        if (transfer->failed) {
            kick (http);
            break;
        }
}

static void
deliver_finished (struct http *http)
{
    CURLMsg *message;
    int more;
    while ((message = curl_multi_info_read (http->multi, &more))) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        struct transfer *transfer = NULL;
        curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &transfer);
        leave_libcurl (http, transfer); /* message is gone with it */
        if (!code && transfer_redirect (transfer))
            go_on (http, transfer);
        else
            finish (http, transfer, code);
    }
}

/* ---- the interface ---- */

static void
init_libcurl (void)
{
    curl_global_init (CURL_GLOBAL_DEFAULT);
}

static bool
open_descriptors (struct http *http)
{
    http->epoll = epoll_create1 (EPOLL_CLOEXEC);
    http->timer = timerfd_create (CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (http->epoll < 0 || http->timer < 0)
        return false;
    struct epoll_event event = { .events = EPOLLIN, .data.fd = http->timer };
    return epoll_ctl (http->epoll, EPOLL_CTL_ADD, http->timer, &event) == 0;
}

static bool
open_libcurl (struct http *http)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once (&once, init_libcurl);
    http->multi = curl_multi_init ();
    http->share = curl_share_init ();
    if (!http->multi || !http->share)
        return false;
    curl_share_setopt (http->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    size_t kept = MIN_OF (http->settings.max_total, (size_t) IDLE_CONNECTIONS_MAX);
    curl_multi_setopt (http->multi, CURLMOPT_MAXCONNECTS, (long) kept);
    curl_multi_setopt (http->multi, CURLMOPT_PIPELINING, (long) CURLPIPE_MULTIPLEX);
    curl_multi_setopt (http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt (http->multi, CURLMOPT_SOCKETDATA, http);
    curl_multi_setopt (http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt (http->multi, CURLMOPT_TIMERDATA, http);
    return true;
}

struct http *
http_new (const struct http_settings *settings)
{
    struct http *http = MEM_NEW (struct http);
    http->settings = *settings;
    if (!http->settings.max_total)
        http->settings.max_total = SIZE_MAX;
    http->hosts.most = settings->max_per_host ? settings->max_per_host : SIZE_MAX;
    http->domains.most = settings->max_per_domain ? settings->max_per_domain : SIZE_MAX;
    http->epoll = http->timer = -1;
    http->curl_due_us = http->armed_us = NEVER;
    if (!open_descriptors (http) || !open_libcurl (http))
        http_destroy (&http);
    return http;
}

void
http_destroy (struct http **http)
{
    struct http *h = *http;
    if (!h)
        return;
    while (h->active.first) {
        struct transfer *transfer = h->active.first;
        leave_libcurl (h, transfer);
        drop (h, transfer);
    }
    while (h->waiting.first) {
        struct transfer *transfer = h->waiting.first;
        list_remove (&h->waiting, transfer);
        drop (h, transfer);
    }
    while (h->idle_count)
        curl_easy_cleanup (h->idle[--h->idle_count]);
    curl_multi_cleanup (h->multi);
    curl_share_cleanup (h->share);
    if (h->timer >= 0)
        close (h->timer);
    if (h->epoll >= 0)
        close (h->epoll);
    free (h);
    *http = NULL;
}

void
http_start (struct http *http, const struct http_request *request, http_done_fn *done,
            void *context)
{
    struct transfer *transfer = transfer_new (request, &http->settings);
    transfer->done = done;
    transfer->context = context;
    if (transfer->url.origin)
        take_place (http, transfer);
    list_add (&http->waiting, transfer);
    if (transfer->failed)
        kick (http);
    else
        start_waiting (http);
}

static void
cancel_in (struct http *http, struct list *list, const void *context)
{
    struct transfer *next;
    for (struct transfer *transfer = list->first; transfer; transfer = next) {
        next = transfer->next;
        if (transfer->context != context)
            continue;
        if (list == &http->active)
            leave_libcurl (http, transfer);
        else
            list_remove (list, transfer);
        drop (http, transfer);
    }
}

void
http_cancel (struct http *http, void *context)
{
    cancel_in (http, &http->waiting, context);
    cancel_in (http, &http->active, context);
    start_waiting (http);
}

bool
http_withdraw (struct http *http, void *context)
{
    for (struct transfer *transfer = http->waiting.first; transfer; transfer = transfer->next)
        if (transfer->context == context && !transfer->started_us) {
            list_remove (&http->waiting, transfer);
            drop (http, transfer);
            return true;
        }
    return false;
}

int
http_fd (const struct http *http)
{
    return http->epoll;
}

size_t
http_active (const struct http *http)
{
    return http->active.count + http->waiting.count;
}

static void
act (struct http *http, const struct epoll_event *event)
{
    int running;
    if (event->data.fd == http->timer) {
        uint64_t times;
        if (read (http->timer, &times, sizeof times) < 0)
            return; /* set again since */
        http->armed_us = NEVER;
        if (http->curl_due_us != NEVER && http->curl_due_us <= clock_mono_us ()) {
            http->curl_due_us = NEVER;
            curl_multi_socket_action (http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        arm (http);
        return;
    }
    int what = 0;
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        what |= CURL_CSELECT_IN;
    if (event->events & (EPOLLOUT | EPOLLERR))
        what |= CURL_CSELECT_OUT;
    curl_multi_socket_action (http->multi, event->data.fd, what, &running);
}

void
http_turn (struct http *http)
{
    struct epoll_event events[EVENTS_A_TURN];
    int count = epoll_wait (http->epoll, events, EVENTS_A_TURN, 0);
    for (int i = 0; i < count; i++)
        act (http, &events[i]);
    deliver_finished (http);
    if (http->kicked) {
        deliver_failed (http);
        arm (http);
    }
    start_waiting (http);
}
