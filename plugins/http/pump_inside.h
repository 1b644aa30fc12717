/* SPDX-License-Identifier: Apache-2.0
 *
 * pump_inside.h - what pump.c (the lane's side), loop.c (the thread) and finish.c
 * (answers) share. */
#ifndef HTTP_PUMP_INSIDE_H
#define HTTP_PUMP_INSIDE_H

#include "http/pump.h"
#include "http/uplink.h"
#include "net/pace.h"
#include "net/thread.h"

#include <pthread.h>

enum { RANGES = 16, STATUSES = 600, SINGLES_MOST = 2 };
#define MS INT64_C(1000000)

/* A run of a request's records. */
struct range {
    uint32_t from, count;
};

/* Records that go out together, until all are answered. While it is filled it is
 * the lane's and stands under the lock; from then on it is the thread's. Refused as a
 * whole it is cut in halves, which are sent one after the other. */
struct request {
    struct request *next;
    struct item *items;
    uint32_t count;
    struct text elements, group;
    int64_t due_ns;  /* sent then, full or not */
    int64_t sent_ns; /* what is under way of it */
    struct range ranges[RANGES]; /* the last one is under way */
    uint32_t range_count;
    uint32_t tries;   /* that failed on the way, one after another */
    uint32_t unanswered; /* how often the server may have got it, and nobody knows */
    uint32_t conflicts;  /* how often it said that it is busy with it */
    uint32_t singles; /* alone, one after another, that the server failed on */
    bool in_doubt;    /* the server failed on all of it: maybe by one of them */
    bool has_left;    /* some are to be offered again */
    bool was_renewed; /* new credentials were tried for it */
    struct call call;
};

struct requests {
    struct request *first, *last;
};

/* For the lane to tell. */
struct news {
    uint64_t counts[COUNTS_MOST];
    bool failed, recovered;
    uint8_t refused[STATUSES]; /* 1: to be told, 2: was */
    bool any_refused;
};

struct pump {
    const struct aff_host *host;
    struct pump_plug plug;
    CURLM *multi;
    int bell;
    struct request *all;
    uint32_t all_count, records_most;
    uint64_t random;
    unsigned *statuses; /* of an answer in hand */
    struct text element, group; /* the lane's: of the record in hand */
    struct transfer *own; /* the plugin's, while it is under way */
    struct http_uplink uplink; /* the thread's */
    pthread_t thread;
    bool has_lock, has_thread, is_watched;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t room;
    bool stop;
    struct requests filling, free, ready;
    uint32_t flying;
    struct pace pace;
    uint64_t held;   /* bytes of elements that were put and are not done with */
    bool wants_room; /* the lane was told AGAIN */
    bool is_failing;
    const char *why;
    int64_t retry_ns, wait_ns; /* of the next try; between tries */
    struct news news;
};

/* Under the lock. */
void requests_push(struct requests *list, struct request *r);
void requests_push_front(struct requests *list, struct request *r);
struct request *requests_pop(struct requests *list);
/* The most bytes that are taken and not done with, on the best of links. */
uint64_t pump_room_most(const struct pump *p);
/* What is being filled is ready: one of them, all that are due by `until_ns`. */
void pump_seal(struct pump *p, struct request *r);
void pump_seal_due(struct pump *p, int64_t until_ns);

/* The thread. */
void *pump_loop(void *pump);
/* Puts what is next of a request on its way. */
void request_send(struct pump *p, struct request *r);
/* Its transfer is over. */
void request_finish(struct pump *p, struct request *r, CURLcode code);
/* Its transfer is given up, and it waits in front of the others. */
void request_recall(struct pump *p, struct request *r);
/* The server does not take anything now. `after_s`: how long it asks to wait. */
void pump_failed(struct pump *p, const char *why, int64_t after_s);
void pump_works(struct pump *p);
void pump_count(struct pump *p, uint32_t row, uint64_t by);

#endif
