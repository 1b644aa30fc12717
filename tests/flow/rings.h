/* rings.h - three byte rings, three edges and three threads, for test_ring.c.
 *
 * Making records, putting them, waiting for room and looking at payloads, as lanes
 * do it, with threads that dawdle. Not here: what the threads do. */
#ifndef AFFERENT_TESTS_RINGS_H
#define AFFERENT_TESTS_RINGS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/bell.h"
#include "flow/bytes.h"
#include "flow/edge.h"

enum { MAKERS = 3, BATCH = 64 };
enum { NEAR, SHORT, FAR, EDGES_ALL }; /* first to second, first to third, second to third */

struct worker {
    struct rig_of_rings *all;
    struct bell bell;
    uint64_t random;
    uint32_t slow; /* of 256: how often it dawdles */
    uint64_t keep[MAKERS];
    pthread_t thread;
    void (*run)(struct worker *w);
};

struct rig_of_rings {
    struct bytes rings[MAKERS];
    struct edge edges[EDGES_ALL];
    struct worker first, second, third;
    bool shuffles; /* the second thread changes the order */
    uint32_t epoch_records;
    _Atomic uint64_t committed;
    _Atomic bool failed;
    _Atomic uint32_t ended; /* threads */
    _Atomic bool over;
    /* what went in and what came out, by the edges into the third thread; each is
     * written by one thread and read when all have ended */
    uint64_t put[EDGES_ALL], put_sum[EDGES_ALL];
    uint64_t got[EDGES_ALL], got_sum[EDGES_ALL];
    uint64_t largest;
};

struct rig_of_rings *rings_open(uint64_t seed);
void rings_close(struct rig_of_rings *all);

/* SplitMix64 (Steele, Lea, Flood 2014). */
uint32_t rings_pick(uint64_t *random, uint32_t below);
/* The first failure is printed; all threads end at their next wait. */
void rings_fail(struct rig_of_rings *all, const char *what, uint64_t a, uint64_t b);
/* Yields or sleeps now and then. */
void rings_dawdle(struct worker *w);
/* As lane_wait does it. False: the test has failed. */
bool rings_wait(struct worker *w, bool (*ready)(struct worker *w, const void *arg), const void *arg);
/* Each byte follows from the record's id and its place. */
void rings_check(struct rig_of_rings *all, const struct aff_record *record);
/* Mostly small; now and then a part of the ring, or all of it. */
uint32_t rings_size(struct worker *w, uint32_t maker);
/* Whether so much fits beside what the thread has in hand and not yet put. */
bool rings_fit(const struct worker *w, uint32_t maker, uint64_t size);
/* A record with its payload; waits for room. False: the test has failed. */
bool rings_make(struct worker *w, uint32_t maker, uint64_t seq, uint32_t size, struct aff_record *ret_record);
/* Puts and publishes all; waits for room. False: the test has failed. */
bool rings_put(struct worker *w, uint32_t edge, const struct aff_record *records, uint32_t count);

#endif
