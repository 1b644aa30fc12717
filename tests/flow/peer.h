/* peer.h - a sink whose peer answers late: out of order, twice, with errors or not at all.
 *
 * The peer's side is a thread that answers what write handed over, at random. What it
 * received is judged at its far end (ends.h). */
#ifndef AFFERENT_TESTS_PEER_H
#define AFFERENT_TESTS_PEER_H

#include <pthread.h>

#include "ends.h"

enum { PEER_PENDING = 4096 };

struct peer {
    struct far_end end;
    pthread_t thread;
    pthread_mutex_t lock;
    const struct aff_host *host; /* NULL: nobody is connected */
    struct aff_id pending[PEER_PENDING];
    uint64_t seqs[PEER_PENDING];
    uint32_t count;
    uint64_t refuses; /* this seq, for its content */
    uint32_t fails;   /* one of so many is to be offered again; 0: none */
    bool is_silent;
    bool ends;
    uint64_t random;
};

struct peer *peer_open(uint64_t seed);
void peer_close(struct peer **peer);
/* Whether it says nothing from now on. */
void peer_silence(struct peer *peer, bool is_silent);
/* The sink; its config is a struct peer. */
extern const struct aff_plugin late;

#endif
