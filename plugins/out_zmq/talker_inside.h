/* SPDX-License-Identifier: Apache-2.0
 *
 * talker_inside.h - what talker.c and session.c share. */
#ifndef OUT_ZMQ_TALKER_INSIDE_H
#define OUT_ZMQ_TALKER_INSIDE_H

#include <pthread.h>
#include <zmq.h>

#include "net/pace.h"
#include "net/thread.h"
#include "net/uplink.h"
#include "talker.h"

/* EPOCHS: no host has more in flight; what was answered that many ends of epochs ago is stored as answered. */
enum { SLOTS = 256, EPOCHS = 16, ADDRESS_MOST = 255 };

/* A batch that is not answered: at slots[number % SLOTS]. */
struct slot {
    bool used, was_sent;
    uint64_t number;
    int64_t sent_ns; /* on this connection */
    zmq_msg_t payload;
    uint32_t size; /* unpacked */
    bool is_packed;
    uint32_t count;
    struct aff_id ids[LINK_RECORDS];
    struct schema_set schemas;
};

struct known_schema {
    uint32_t key;
    uint64_t hash, told; /* session that it was said in */
    uint8_t *bytes;
    size_t size;
};

struct talker {
    const struct aff_host *host;
    const struct config *config;
    struct curve_pair pair;
    char gateway_key[CURVE_TEXT];
    void *context;
    void *packed; /* the lane's */
    size_t packed_room;
    uint64_t life;
    int wake, bell; /* eventfds: of the thread, of the lane */
    pthread_t thread;
    bool runs;
    uint64_t marks[EPOCHS]; /* the lane's: the last number before which all was answered, at the end of each epoch */
    uint64_t epochs;

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t changed;
    struct slot slots[SLOTS];
    uint64_t oldest, next, to_send; /* numbers: not answered, of the next batch, not sent in this session */
    uint64_t bytes; /* in slots */
    struct pace pace;
    uint64_t settled;
    struct known_schema schemas[SCHEMAS];
    uint32_t schema_count;
    uint64_t largest;
    int64_t away_since_ns; /* 0: it is there */
    bool stopping;
    struct talker_counts counts;

    /* the thread's */
    uint64_t session, random;
    struct net_uplink uplink;
};

/* One connection, from its socket's beginning to its end. True: the gateway greeted. */
bool session_run(struct talker *t);

#endif
