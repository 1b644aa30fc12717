/* SPDX-License-Identifier: Apache-2.0
 *
 * client_inside.h - what client.c and paho.c share. See client.h. */
#ifndef IN_MQTT_CLIENT_INSIDE_H
#define IN_MQTT_CLIENT_INSIDE_H

#include "client.h"

#include <pthread.h>

#include "sockets.h"

struct client {
    struct client_config config;
    struct mqtt_address address;
    int fd;
    MQTTAsync paho; /* the thread's */
    uint32_t topic; /* 3.1.1: that is being subscribed to */
    struct sockets before; /* to the broker's port, when it began to connect */
    int socket; /* Paho's own, and what it is known by; 0: not known */
    uint64_t inode;
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    enum client_state state;
    bool wanted, stopping, ended;
    bool connected;    /* the broker has welcomed us, subscriptions may be missing */
    bool disconnected; /* the farewell is through */
    bool parked;       /* a callback waits for good */
    bool left;         /* something of it is still in use: nothing is freed */
    bool session_was_lost;
    bool has_message, answered;
    struct client_message message;
    char cause[CAUSE_ROOM];
    char tls[120];
};

/* With the lock: tells both the node and who waits for `changed`. */
void client_tell(struct client *c);
/* [the thread] The client of the library; false: it has none. */
bool paho_make(struct client *c);
/* [the thread] Begins to connect; callbacks say how it ends. Not 0: a code of the library. */
int paho_connect(struct client *c);
int paho_subscribe(struct client *c);
/* [the thread] Says farewell; client->disconnected when it is through. */
bool paho_leave(struct client *c);
void paho_destroy(struct client *c);

#endif
