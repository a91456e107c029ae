/* stage - what every process of newsmill is built on: settings, logging, the poll loop, the links to the broker,
 * heartbeats, results, an orderly stop. A process is a table and its handlers.
 *
 * A stage ends every article it was given in exactly one of four ways: pass, done, fail, return.
 * One thread; handlers must not block for long, or they delay heartbeats (the limit is three intervals).
 * SPDX-License-Identifier: MPL-2.0 */
#ifndef STAGE_STAGE_H
#define STAGE_STAGE_H

#include "base/base.h"
#include "conf/conf.h"
#include "proto/wire.h"

#include <czmq.h>
#include <jansson.h>

struct stage;
struct db; /* db/db.h: only for those that have a database */

/* An article in a stage's hands. Its fields borrow from the frame it came in; what a stage adds must live until the
 * article is passed on. */
struct stage_article {
    struct wire_article wire;
    int64_t since_ms;         /* monotonic: when it came */
    void *frame;              /* zframe_t: private to the runtime */
    struct stage_article *previous, *next;
};

#define STAGE_REASON_SIZE 512
/* Apart from the runtime, so that a process without a database carries no database client: link stage_db for it. */
struct stage_database {
    struct db *(*open) (const char *url, const char *process);
    void (*close) (struct db **db);
    bool (*ready) (struct db *db);
    int (*check) (struct db *db, int64_t dimensions, char ret_reason[STAGE_REASON_SIZE]);
};
extern const struct stage_database stage_postgres;

#define STAGE_LINK(link) (1u << (link))
struct stage_def {
    const char *name;
    enum wire_link in, out;   /* WIRE_NO_LINK: none */
    bool ticks;               /* receives ticks */
    unsigned publishes;       /* STAGE_LINK of each fan-out link it publishes on: connected from the start, because what is
                                 published before the broker's subscription came back is lost */
    const struct stage_database *database; /* &stage_postgres: waits for a migrated database before it starts; or NULL */
    int (*start) (struct stage *stage, void **ret_state); /* 0, or negative: leave with 111, after it logged why */
    void (*on_article) (struct stage *stage, void *state, struct stage_article *article); /* taken */
    void (*on_tick) (struct stage *stage, void *state, const struct wire_tick *tick);
    void (*on_event) (struct stage *stage, void *state, const struct wire_event *event);
    void (*on_stop) (struct stage *stage, void *state);   /* asked to stop: begin nothing new, return what isn't begun */
    bool (*is_idle) (void *state);                        /* nothing under way any more; NULL: always */
    void (*statistics) (void *state, json_t *numbers);    /* added to the heartbeat, by name, "model" a text; may be NULL */
    void (*held) (void *state, struct buf *ids);          /* ids (wire_id_put) it holds besides; may be NULL */
    void (*finish) (struct stage *stage, void *state);    /* frees state */
};

/* The whole program: options -c FILE, -o section.name=value, -t (check settings), -V. Returns the exit code. */
int stage_main (const struct stage_def *def, int argc, char **argv);

const struct settings *stage_settings (const struct stage *stage);
struct db *stage_db (struct stage *stage);
const char *stage_name (const struct stage *stage);    /* of its table */
const char *stage_worker (const struct stage *stage);  /* unique name of this process: "chunker-host-1234-9f3a" */
bool stage_is_stopping (const struct stage *stage);
void stage_stop (struct stage *stage, int exit_code);  /* as if asked to by a signal */

/* The four ends of an article; each takes it and nulls the pointer. */
void stage_pass (struct stage *stage, struct stage_article **article); /* encodes article->wire to the way out */
void stage_done (struct stage *stage, struct stage_article **article, uint32_t chunks); /* the writer: stored */
void stage_fail (struct stage *stage, struct stage_article **article, enum wire_class fault, const char *reason);
void stage_return (struct stage *stage, struct stage_article **article);

/* Takes articles from the link only while fewer than this are in hand. 0 pauses. Default 64. */
void stage_set_capacity (struct stage *stage, size_t articles);
size_t stage_in_hand (const struct stage *stage);

/* Whether the stage would be missed though it holds no article: heartbeats then keep their full pace. */
void stage_set_busy (struct stage *stage, bool busy);

/* Puts an article on the way out that did not come in by a link (the fetcher). 0 or what wire_encode says. Never blocks:
 * what the broker can't take yet waits here. */
MUST_CHECK int stage_dispatch (struct stage *stage, const struct wire_article *article);
size_t stage_backlog (const struct stage *stage); /* articles that wait here for the broker */
/* Sends a result about no single article: model calls, a pause the provider asked for, a refusal. */
void stage_report (struct stage *stage, struct wire_result *result);
/* Publishes on a fan-out link (ticker, collector). */
void stage_publish (struct stage *stage, enum wire_link link, enum wire_type type, const void *message);

/* The loop. fd handlers are called while fd is readable (or writable, if asked); socket handlers while a message waits. */
typedef void stage_fn (struct stage *stage, void *arg);
void stage_watch_fd (struct stage *stage, int fd, bool writable, stage_fn *fn, void *arg); /* again: changes it */
void stage_unwatch_fd (struct stage *stage, int fd);
void stage_watch_socket (struct stage *stage, zsock_t *socket, stage_fn *fn, void *arg);
void stage_unwatch_socket (struct stage *stage, zsock_t *socket);
/* fn is called while socket could send a message. */
void stage_watch_room (struct stage *stage, zsock_t *socket, stage_fn *fn, void *arg);
void stage_unwatch_room (struct stage *stage, zsock_t *socket);
/* To be said after a watched socket was used by another than its handlers, or they may never be called. */
void stage_used (struct stage *stage, const zsock_t *socket);
/* fn is called from the loop at each multiple of every_ms of the monotonic clock, so the first time before a period is over. */
void stage_timer (struct stage *stage, int64_t every_ms, stage_fn *fn, void *arg);
/* Calls fn once, after_ms from now; replaces an earlier wish of the same fn and arg. */
void stage_after (struct stage *stage, int64_t after_ms, stage_fn *fn, void *arg);

/* The endpoint of one side of a link at the broker. given (free) */
enum stage_side { STAGE_IN, STAGE_OUT }; /* into the broker, out of the broker */
char *stage_endpoint (const char *base, enum wire_link link, enum stage_side side);
/* Options every socket gets before it connects or binds: limits, heartbeats, keepalive, back-off. close: a pipe that holds
 * as little as can be, for the way from the broker to a worker: what waits in it is seen by nobody. */
void stage_tune_socket (zsock_t *socket, bool close);
void stage_tune_remote (zsock_t *socket, bool close); /* besides, when it leaves the machine */
/* Binds, after making the folder of an ipc endpoint (0700; its parent must be there). 0 or negative errno, logged. */
MUST_CHECK int stage_bind (zsock_t *socket, const char *endpoint);
MUST_CHECK int stage_make_folder (const char *folder);

/* Sockets to the broker and the collector, and theirs: tuned, encrypted and authenticated where security.curve asks for it,
 * and watched: links that break or are refused are logged. Connecting never fails for good, it is tried on;
 * binding is NULL after it logged why. What the stage leaves open is closed with it. */
zsock_t *stage_connect_link (struct stage *stage, int type, enum wire_link link, enum stage_side side);
zsock_t *stage_connect_collector (struct stage *stage, int type);
zsock_t *stage_bind_link (struct stage *stage, int type, enum wire_link link, enum stage_side side);
zsock_t *stage_bind_collector (struct stage *stage, int type);
void stage_close (struct stage *stage, zsock_t **socket); /* NULL is nothing to do */
/* The first frame of the next message, the rest of it thrown away; NULL when there is none. *ret_whole: there was no rest. Does not
 * block. given (zframe_destroy) */
zframe_t *stage_receive_frame (zsock_t *socket, bool *ret_whole);

#endif
