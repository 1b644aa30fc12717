/* SPDX-License-Identifier: Apache-2.0
 *
 * client.h - the connection to the broker, over Paho's asynchronous client.
 *
 * Paho acknowledges a message when its callback returns, and has no other way. So the
 * callback waits: it shows the message, and returns when client_answer was called, which is
 * when the message is safe. One message is shown at a time; the others wait in the
 * connection, at most receive_maximum of them, and the broker keeps the rest.
 *
 * While a callback waits, Paho holds a lock that all clients of the process share. The
 * functions of Paho are therefore called from a thread of this client alone, never from the
 * node's, so that two nodes wait for each other's commits without standing still.
 *
 * A message that is shown when the client is stopped must not be acknowledged, and there is
 * no way to return without that: so the connection is cut under it (sockets.h), and the broker
 * sends it to the next session. Where it cannot be told which of several sockets is Paho's,
 * its thread is left waiting for good, and what it uses with it.
 *
 * Not here: what becomes of a message (in_mqtt.c), which are known (known.c). */
#ifndef IN_MQTT_CLIENT_H
#define IN_MQTT_CLIENT_H

#include <MQTTAsync.h>
#include <stdbool.h>

#include "mqtt/link.h"

enum { CAUSE_ROOM = 200, TOPICS_MOST = 64 };

enum client_state { CLIENT_AWAY, CLIENT_TRYING, CLIENT_UP };

struct client_config {
    const struct mqtt_link *link;
    const char *const *topics;
    uint32_t topic_count;
    uint16_t receive_maximum;
    uint32_t session_expiry_s;
    uint32_t packet_most;
};

struct client_message {
    const char *topic; /* ended by a zero */
    const MQTTAsync_message *message;
};

struct client_view {
    enum client_state state;
    bool session_was_lost; /* the broker had none when it was asked last */
    bool has_message;
    struct client_message message; /* borrowed until client_answer */
    char cause[CAUSE_ROOM];        /* why it is away */
};

struct client;

/* [control] The configuration is borrowed until client_close. NULL: no memory or descriptor. */
struct client *client_open(const struct client_config *config);
void client_close(struct client **client);
/* [data] Can be read when client_look has something new. */
int client_fd(const struct client *client);
/* [data] False: the thread could not be made. */
bool client_start(struct client *client);
/* A message that is shown stays without an answer. Waits some seconds at most. */
void client_stop(struct client *client);
/* [data] Connect, if that is not so. */
void client_want(struct client *client);
void client_look(struct client *client, struct client_view *ret);
/* [data] The message that is shown is safe, or known: it is acknowledged. */
void client_answer(struct client *client);

#endif
