/* runtime - the state of a stage, and what the files of this folder do for each other.
 *   stage.c      options, start, stop
 *   sockets.c    endpoints and socket options
 *   links.c      connects and binds, encrypts, and tells of links that break
 *   zap.c        who may come in to the sockets this process binds
 *   messages.c   sends and receives
 *   articles.c   articles in hand and their four ends
 *   heartbeat.c  what is in hand, told
 *   loop.c       the poll loop
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_RUNTIME_H
#define STAGE_RUNTIME_H

#include "base/fault.h"
#include "base/history.h"
#include "curve/curve.h"
#include "stage/loop.h"
#include "stage/stage.h"

/* Messages the broker can't take yet. */
struct outbox {
    zsock_t *socket;
    zlist_t *frames;
};

/* A socket that is watched. */
struct link {
    struct stage *stage;
    zsock_t *socket, *monitor;
    char *endpoint;
    char name[24];                          /* "vectors.in", "collector" */
    char peer[64];                          /* bound: who came last */
    bool bound, up;
    bool refused;                           /* libzmq gave it up, as it does after a refusal: to be connected anew */
    int64_t since_ms;                       /* down since, monotonic */
    int64_t told_ms[3];                     /* bound: when a refusal of each kind was last logged */
    uint64_t refusals;
    struct link *next;
};

struct stage {
    const struct stage_def *def;
    struct settings settings;
    struct loop *loop;
    struct db *db;
    void *state;
    char worker[64], host[64];
    int signal_fd;
    struct curve *curve;                    /* NULL: no socket of it leaves the machine */
    struct zap *zap;                        /* who binds encrypted sockets */
    struct link *links;
    bool link_lost, untouched;              /* and said so; untouched: health.file */
    int64_t link_told_ms;                   /* when a link that does not stand was last logged: one line for all */
    zsock_t *in, *events, *ticks;
    struct outbox out, results, publish[2]; /* publish: ticks, events */
    struct stage_article *first;            /* in hand */
    size_t in_hand, capacity;
    bool started, stopping, reading;
    bool telling;                           /* a heartbeat out of turn is due */
    bool busy;                              /* said by the stage itself */
    bool holding;                           /* or the last heartbeat listed articles: it promised the next one soon */
    zlist_t *told;                          /* struct stage_article: came again, told of, and not yet touched */
    int64_t told_turn;                      /* when idle, in turns of heartbeats */
    int64_t stop_by_ms;
    int exit_code;
    uint64_t frames_refused;
};

/* ---- links.c ---- */

/* 0, or negative after it logged why: plain sockets that would leave the machine, a key that is missing. */
MUST_CHECK int links_open (struct stage *stage);
void links_close (struct stage *stage);
void links_check (struct stage *stage);     /* each few seconds: says what is not reached, touches health.file */

/* ---- zap.c ---- */

/* Before any bind. clients: folder of public certificates. NULL after it logged why. */
struct zap *zap_new (struct loop *loop, const char *clients);
void zap_destroy (struct zap **zap);
/* Of the sockets that bind: where peers of the domain come in, so that they can be cut off. */
void zap_add_domain (struct zap *zap, const char *domain, const char *endpoint);

/* ---- messages.c ---- */

int outbox_send (struct stage *stage, struct outbox *box, enum wire_type type, const void *message);
void outbox_open (struct stage *stage, struct outbox *box, int type, enum wire_link link);
void outbox_close (struct stage *stage, struct outbox *box);
void outbox_flush (void *context, void *arg); /* a loop_fn */
zsock_t *open_input (struct stage *stage, int type, enum wire_link link, loop_fn *fn);
void on_input (void *context, void *arg);   /* loop_fn: articles, events, ticks */
void on_events (void *context, void *arg);
void on_ticks (void *context, void *arg);

/* ---- articles.c ---- */

void update_input (struct stage *stage);    /* reads on, or not: after whatever changed in hand or in the outbox */
struct stage_article *article_new (struct stage *stage, zframe_t *frame, const struct wire_article *wire);
void article_drop (struct stage *stage, struct stage_article **article);

/* ---- heartbeat.c ---- */

void heartbeat (void *context, void *arg);  /* loop_fn */
void beat (void *context, void *arg);       /* loop_fn: each delivery.heartbeat */
/* What is in hand is told within 100 ms, so that it is known whose articles a dead worker had. */
void tell_soon (struct stage *stage);

#endif
