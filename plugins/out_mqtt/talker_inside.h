/* SPDX-License-Identifier: Apache-2.0
 *
 * talker_inside.h - what talker.c and session.c share. See talker.h. */
#ifndef OUT_MQTT_TALKER_INSIDE_H
#define OUT_MQTT_TALKER_INSIDE_H

#include "net/pace.h"
#include "net/thread.h"
#include "net/uplink.h"
#include "talker.h"

#include <mosquitto.h>
#include <pthread.h>

/* More than the host has without an answer at a time. */
enum { FLIGHTS = 2048 };

enum state { STATE_AWAY, STATE_CONNECTING, STATE_UP };

struct flight {
    struct aff_id id;
    int mid;
    bool used;
    uint32_t size;
    int64_t sent_ns;
};

struct answer {
    int mid, reason;
};

struct talker {
    const struct aff_host *host;
    const struct mqtt_link *link;
    struct mqtt_address address;
    uint32_t in_flight;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* guards what follows, up to the next comment */
    pthread_cond_t changed;
    enum state state;
    bool stopping, wanted;
    int farewells; /* turns of the loop since it is stopping */
    struct mosquitto *mosq; /* made and ended by the thread */
    struct flight flights[FLIGHTS];
    uint32_t flight_count;
    uint64_t flight_bytes;
    struct pace pace;
    uint32_t careful; /* so many go one at a time */
    uint32_t barren;  /* connections in a row that ended without an answer to what was sent */
    struct talker_counts counts;
    char cause[CAUSE_ROOM];
    /* the thread's alone, also in callbacks of the library, which it runs */
    struct net_uplink uplink;
    uint64_t random;
    unsigned misses; /* attempts in a row without a welcome */
    struct answer answers[FLIGHTS];
    uint32_t answer_count;
    int welcome;    /* -1: none yet; else the CONNACK's code */
    int end_reason; /* of the server's DISCONNECT; 0: none */
    char tls[120];  /* what was wrong with the handshake */
    bool is_recalled; /* the connection is given up, for another link is to be used */
};

/* [the thread] One connection, from its beginning to its end. True: it was up. */
bool session_run(struct talker *t);

#endif
