/* SPDX-License-Identifier: Apache-2.0
 *
 * desk.h - where the server's thread lays requests down, and the node its answers.
 *
 * A request is laid down whole and checked. The node takes it, passes its records on, and
 * answers when they are safe; the server's thread then says so to the client. One that waits
 * too long is answered without the node; what the node has in hand by then it goes on with.
 *
 * All of it is under one lock, but what stands in a request belongs to who has it. Not here:
 * HTTP (door.h, talk.h), records (intake.h). */
#ifndef IN_HTTP_DESK_H
#define IN_HTTP_DESK_H

#include <pthread.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "answer.h"
#include "arena.h"
#include "config.h"
#include "known.h"
#include "net/thread.h"
#include "route.h"

enum request_state {
    REQUEST_FREE,
    REQUEST_OPEN,    /* its body comes */
    REQUEST_QUEUED,  /* the node may take it */
    REQUEST_TAKEN,   /* the node has it */
    REQUEST_ANSWERED /* the server's thread is to say so */
};

/* A file, or the rows of JSON, a line each. */
struct part {
    const char *subject, *stream; /* in the request's memory */
    size_t at, size;
};

struct request {
    TAILQ_ENTRY(request) link;
    enum request_state state;
    bool is_gone;      /* its client was answered, and the node still has it */
    int64_t since_ns, due_ns; /* monotonic */
    void *talk;        /* the server's */
    char *memory;      /* NULL: given back */
    size_t room, used; /* of it */
    struct part parts[ROUTE_FILES_MOST];
    uint32_t part_count;
    enum takes takes;
    bool has_key, has_time, is_resent;
    uint64_t key[2], print;
    int64_t event_ns;
    struct answer answer;
    /* the node's */
    uint64_t epoch;
};
TAILQ_HEAD(request_list, request);

/* What was counted by the server's thread, which may not call the host. */
struct desk_counts {
    uint64_t refused, unknown, busy, cut;
    uint64_t connections; /* now */
    uint32_t last_status; /* of a refusal */
    char last_client[CLIENT_NAME_MOST + 1];
};

struct desk {
    const struct aff_host *host;
    pthread_mutex_t lock;
    bool has_lock;
    int lane_fd, door_fd; /* rung */
    struct request *requests;
    uint32_t count;
    struct arena arena;
    struct request_list queue, answered;
    struct desk_counts counts;
    uint32_t queued, taken;
};

/* [control] False: no memory or descriptor; desk_close is safe. */
bool desk_open(struct desk *desk, const struct aff_host *host, const struct config *config);
void desk_close(struct desk *desk);

/* ---- of the server's thread ---- */

/* NULL: there is no place, or no memory for `room` bytes: come again. */
struct request *desk_begin(struct desk *desk, size_t room);
/* What it does not need of its memory. */
void desk_shrink(struct desk *desk, struct request *request);
void desk_queue(struct desk *desk, struct request *request);
/* Its client hung up before it was laid down. */
void desk_drop(struct desk *desk, struct request *request);
/* The `talk` of the next one that is answered, and its answer; NULL: none. It is over. */
void *desk_next_answer(struct desk *desk, struct answer *ret_answer);
/* The `talk` of one that waits longer than it may, or of any with `all`; NULL: none. Its
 * answer will not come any more. *ret_next_ns: when the next is due. */
void *desk_next_late(struct desk *desk, int64_t now_ns, bool all, int64_t *ret_next_ns);
/* Whether what came is being taken. */
bool desk_is_healthy(struct desk *desk, int64_t now_ns);

/* ---- of the node ---- */

struct request *desk_take(struct desk *desk);
/* Its memory is not needed any more. */
void desk_passed_on(struct desk *desk, struct request *request);
void desk_answer(struct desk *desk, struct request *request);
struct desk_counts desk_look(struct desk *desk, uint32_t *ret_waiting);

#endif
