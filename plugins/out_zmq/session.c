/* SPDX-License-Identifier: Apache-2.0
 *
 * session.c - one connection to the gateway, in the talker's thread. See talker.h.
 *
 * A socket lives for one connection: libzmq gives a peer up for good whose key was
 * refused once, and what it lost at a reconnection it does not say. So the socket's
 * monitor tells when the connection stands and falls, and the talker makes the next.
 *
 * Not here: pauses between two (talker.c), what the gateway keeps (in_zmq). */
#include "talker_inside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char events_address[] = "inproc://out-zmq-events";
enum {
    HANDSHAKE_MS = 5000,
    QUEUE = 64,          /* messages that libzmq holds, each way */
    MESSAGE_MOST = 1024, /* of what the gateway says */
    STEP_MS = 500
};
#define BEGIN_NS INT64_C(10000000000)  /* to connect and be greeted */
#define ANSWER_NS INT64_C(60000000000) /* without any answer it begins anew */

enum phase { CONNECTING, GREETING, UP, OVER };

struct session {
    struct talker *t;
    void *dealer, *events;
    enum phase phase;
    bool was_up, is_full; /* is_full: libzmq takes no more now */
    bool was_heard, is_recalled; /* somebody answered; another link is to be used */
    int64_t since_ns;     /* of the phase; UP: of the last answer, or of an empty window */
    char cause[CAUSE_ROOM];
};

static void over(struct session *s, const char *cause)
{
    if (s->phase != OVER)
        (void)snprintf(s->cause, sizeof s->cause, "%s", cause);
    s->phase = OVER;
}

/* ---- the socket ---- */

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool set_keys(const struct talker *t, void *dealer)
{
    return zmq_setsockopt(dealer, ZMQ_CURVE_SERVERKEY, t->gateway_key, CURVE_TEXT - 1) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_PUBLICKEY, t->pair.public_key, CURVE_TEXT - 1) == 0 &&
           zmq_setsockopt(dealer, ZMQ_CURVE_SECRETKEY, t->pair.secret_key, CURVE_TEXT - 1) == 0;
}

/* Whether the other end lives is TCP's to find out: ZMTP's own heartbeat ends the process
 * in libzmq 4.3 (an assertion) where a connection fails whose messages nobody takes now. */
static bool set_all(const struct talker *t, void *dealer)
{
    int64_t most = MESSAGE_MOST;

    return set_keys(t, dealer) && set(dealer, ZMQ_IMMEDIATE, 1) && set(dealer, ZMQ_RECONNECT_IVL, -1) &&
           set(dealer, ZMQ_LINGER, 0) && set(dealer, ZMQ_SNDHWM, QUEUE) && set(dealer, ZMQ_RCVHWM, SLOTS) &&
           set(dealer, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) && set(dealer, ZMQ_CONNECT_TIMEOUT, HANDSHAKE_MS) &&
           set(dealer, ZMQ_TCP_KEEPALIVE, 1) && set(dealer, ZMQ_TCP_KEEPALIVE_IDLE, LINK_IDLE_S) &&
           set(dealer, ZMQ_TCP_KEEPALIVE_INTVL, LINK_PROBE_S) && set(dealer, ZMQ_TCP_KEEPALIVE_CNT, LINK_PROBES) &&
           set(dealer, ZMQ_TCP_MAXRT, LINK_SILENT_MS) && set(dealer, ZMQ_IPV6, 1) &&
           zmq_setsockopt(dealer, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0;
}

/* To the interface of the link; on the same machine there is none. */
static bool set_interface(const struct talker *t, void *dealer)
{
    const char *name = net_uplink_interface(&t->uplink);

    return !*name || strncmp(t->config->address, "ipc://", 6) == 0 ||
           zmq_setsockopt(dealer, ZMQ_BINDTODEVICE, name, strlen(name)) == 0;
}

static bool open_sockets(struct session *s)
{
    struct talker *t = s->t;

    s->dealer = zmq_socket(t->context, ZMQ_DEALER);
    s->events = zmq_socket(t->context, ZMQ_PAIR);
    return s->dealer && s->events && set_all(t, s->dealer) && set_interface(t, s->dealer) && set(s->events, ZMQ_LINGER, 0) &&
           zmq_socket_monitor(s->dealer, events_address, ZMQ_EVENT_ALL) == 0 &&
           zmq_connect(s->events, events_address) == 0 && zmq_connect(s->dealer, t->config->address) == 0;
}

static void close_sockets(struct session *s)
{
    if (s->dealer)
        (void)zmq_socket_monitor(s->dealer, NULL, 0);
    if (s->events)
        (void)zmq_close(s->events);
    if (s->dealer)
        (void)zmq_close(s->dealer);
}

/* ---- sending ---- */

/* False: libzmq takes no more now, or ever. */
static bool send_frame(struct session *s, const void *bytes, size_t size, int flags)
{
    if (zmq_send(s->dealer, bytes, size, flags | ZMQ_DONTWAIT) >= 0)
        return true;
    s->is_full = true;
    if (errno != EAGAIN)
        over(s, "the connection failed");
    return false;
}

static bool send_head(struct session *s, const struct link_head *head, int flags)
{
    uint8_t bytes[LINK_HEAD];

    link_head_write(bytes, head);
    return send_frame(s, bytes, sizeof bytes, flags);
}

static void greet(struct session *s)
{
    struct link_head hello = { .kind = LINK_HELLO, .number = s->t->session, .argument = s->t->life };

    s->phase = GREETING;
    s->since_ns = net_clock();
    if (!send_head(s, &hello, 0))
        over(s, "the connection takes nothing");
}

/* Under the lock. What the batch uses and this session has not said. */
static bool send_schemas(struct session *s, const struct slot *slot)
{
    struct talker *t = s->t;

    for (uint32_t i = 0; i < t->schema_count; i++) {
        struct known_schema *k = &t->schemas[i];
        struct link_head head = { .kind = LINK_SCHEMA, .size = (uint32_t)k->size, .argument = k->hash };

        if (!(slot->schemas.bits[i / 64u] >> (i % 64u) & 1u) || k->told == t->session)
            continue;
        if (!send_head(s, &head, ZMQ_SNDMORE) || !send_frame(s, k->bytes, k->size, 0))
            return false;
        k->told = t->session;
    }
    return true;
}

/* Under the lock. */
static bool send_batch(struct session *s, struct slot *slot)
{
    struct talker *t = s->t;
    struct link_head head = { .kind = LINK_BATCH, .size = slot->size, .number = slot->number, .argument = t->settled };
    zmq_msg_t payload;

    head.flags = (uint8_t)((slot->is_packed ? LINK_LZ4 : 0) | (slot->was_sent ? LINK_RESENT : 0));
    if (!send_schemas(s, slot) || !send_head(s, &head, ZMQ_SNDMORE))
        return false;
    (void)zmq_msg_init(&payload);
    if (zmq_msg_copy(&payload, &slot->payload) != 0 || zmq_msg_send(&payload, s->dealer, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&payload);
        over(s, "the connection failed");
        return false;
    }
    t->counts.resent += slot->was_sent ? slot->count : 0;
    t->counts.batches++;
    t->counts.bytes += LINK_HEAD + zmq_msg_size(&slot->payload);
    slot->was_sent = true;
    slot->sent_ns = net_clock();
    return true;
}

static void send_waiting(struct session *s)
{
    struct talker *t = s->t;

    pthread_mutex_lock(&t->lock);
    for (; t->to_send < t->next; t->to_send++) {
        struct slot *slot = &t->slots[t->to_send % SLOTS];

        if (slot->used && slot->number == t->to_send && !send_batch(s, slot))
            break;
    }
    pthread_mutex_unlock(&t->lock);
}

/* ---- what the gateway says ---- */

/* Under the lock. The batch is done with. */
static void slot_free(struct talker *t, struct slot *slot)
{
    t->bytes -= zmq_msg_size(&slot->payload);
    (void)zmq_msg_close(&slot->payload);
    slot->used = false;
    while (t->oldest < t->next && !t->slots[t->oldest % SLOTS].used)
        t->oldest++;
}

static const char *refusal_text(uint64_t why)
{
    switch (why) {
    case LINK_IS_NEWER: return "the gateway speaks an older version of the link; update it";
    case LINK_TOO_LARGE: return "the gateway takes no message that large; raise its `largest`";
    case LINK_SCHEMAS: return "the gateway keeps no more schemas of this node";
    case LINK_NO_HELLO: return "the gateway has begun anew";
    default: return "the gateway could not read what was sent";
    }
}

/* Under the lock. A batch that was made before the gateway told its limit: its records come
 * again from the host, in batches that fit. */
static void give_back(struct talker *t, struct slot *slot)
{
    for (uint32_t i = 0; i < slot->count; i++)
        t->host->ack(t->host, slot->ids[i], AFF_AGAIN);
    slot_free(t, slot);
}

static void welcome(struct session *s, const struct link_head *head)
{
    struct talker *t = s->t;

    if (s->phase != GREETING || head->number != t->session)
        return;
    s->phase = UP;
    s->was_up = true;
    s->since_ns = net_clock();
    pthread_mutex_lock(&t->lock);
    t->largest = head->argument;
    pace_begin(&t->pace, (uint64_t)t->config->in_flight);
    for (uint32_t i = 0; i < SLOTS; i++)
        if (t->slots[i].used && t->slots[i].size > t->largest)
            give_back(t, &t->slots[i]);
    t->to_send = t->oldest;
    t->away_since_ns = 0;
    t->counts.connected = true;
    t->counts.connections++;
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    net_ring(t->bell);
}

static void answer(struct session *s, const struct link_head *head)
{
    struct talker *t = s->t;
    struct slot *slot = &t->slots[head->number % SLOTS];

    s->since_ns = net_clock();
    pthread_mutex_lock(&t->lock);
    if (slot->used && slot->number == head->number && slot->was_sent) {
        for (uint32_t i = 0; i < slot->count; i++) {
            bool refused = head->argument >> i & 1u;

            t->counts.refused += refused;
            t->counts.acknowledged += !refused;
            t->host->ack(t->host, slot->ids[i], refused ? AFF_ERR_DATA : AFF_OK);
        }
        pace_answered(&t->pace, slot->sent_ns, s->since_ns, zmq_msg_size(&slot->payload), t->bytes);
        slot_free(t, slot);
        pthread_cond_broadcast(&t->changed);
    }
    pthread_mutex_unlock(&t->lock);
}

static void take(struct session *s, const void *bytes, size_t size)
{
    struct link_head head;
    int bad = link_head_read(bytes, size, &head);

    if (bad == LINK_IS_NEWER)
        over(s, "the gateway speaks a newer version of the link; update this node");
    else if (bad)
        over(s, "the gateway speaks another language");
    else if (head.kind == LINK_WELCOME)
        welcome(s, &head);
    else if (head.kind == LINK_ANSWER)
        answer(s, &head);
    else if (head.kind == LINK_REFUSED)
        over(s, refusal_text(head.argument));
}

/* One message, its first frame alone. False: there is none. */
static bool take_one(struct session *s)
{
    zmq_msg_t frame;
    bool more;

    (void)zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, s->dealer, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&frame);
        return false;
    }
    take(s, zmq_msg_data(&frame), zmq_msg_size(&frame));
    for (more = zmq_msg_more(&frame); more; more = zmq_msg_more(&frame))
        if (zmq_msg_recv(&frame, s->dealer, ZMQ_DONTWAIT) < 0)
            break;
    (void)zmq_msg_close(&frame);
    return true;
}

/* ---- what libzmq says of the connection ---- */

/* libzmq says which descriptor it is. Where it is closed by now, and the number another's,
 * the other end tells them apart. */
static void count_from(struct session *s, uint32_t fd)
{
    const char *port = strrchr(s->t->config->address, ':');
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } peer;
    socklen_t size = sizeof peer;

    memset(&peer, 0, sizeof peer);
    if (fd > INT_MAX || getpeername((int)fd, &peer.any, &size) != 0 ||
        (peer.any.sa_family != AF_INET && peer.any.sa_family != AF_INET6))
        return;
    if (ntohs(peer.any.sa_family == AF_INET6 ? peer.v6.sin6_port : peer.v4.sin_port) == strtoul(port + 1, NULL, 10))
        net_uplink_take(&s->t->uplink, (int)fd);
}

static void take_event(struct session *s, uint16_t event, uint32_t value)
{
    switch (event) {
    case ZMQ_EVENT_CONNECTED:
        count_from(s, value);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        s->was_heard = true;
        net_uplink_tried(&s->t->uplink, true);
        greet(s);
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        s->was_heard = true;
        over(s, "the gateway does not know this node's key; give it the .pub file");
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        over(s, "no handshake with the gateway; is gateway_key the key of the one at this address?");
        break;
    case ZMQ_EVENT_DISCONNECTED:
        while (take_one(s)) /* what it said before it left came first */
            continue;
        s->was_heard = s->was_heard && !net_uplink_is_silent(&s->t->uplink, 1000 * LINK_IDLE_S);
        over(s, s->phase == CONNECTING ? "no handshake with the gateway; is gateway_key the key of the one at this address?"
                                       : "the connection to the gateway is lost");
        break;
    case ZMQ_EVENT_CLOSED:
    case ZMQ_EVENT_CONNECT_RETRIED:
        over(s, "the gateway is not reached");
        break;
    default:
        break;
    }
}

static void take_events(struct session *s)
{
    uint8_t bytes[8], address[512];
    uint16_t event;
    uint32_t value;

    while (s->phase != OVER && zmq_recv(s->events, bytes, sizeof bytes, ZMQ_DONTWAIT) == 6) {
        (void)zmq_recv(s->events, address, sizeof address, ZMQ_DONTWAIT);
        memcpy(&event, bytes, sizeof event);
        memcpy(&value, bytes + sizeof event, sizeof value);
        take_event(s, event, value);
    }
}

/* ---- the loop ---- */

static void look_at_time(struct session *s)
{
    struct talker *t = s->t;
    int64_t now = net_clock();
    bool waits;

    pthread_mutex_lock(&t->lock);
    waits = t->oldest < t->to_send;
    if (t->stopping)
        over(s, "it is ending");
    pthread_mutex_unlock(&t->lock);
    if (s->phase == UP && !waits)
        s->since_ns = now;
    if (s->phase == UP && now - s->since_ns > ANSWER_NS) {
        s->was_heard = false;
        over(s, "the gateway answers nothing");
    }
    if (net_uplink_look(&t->uplink)) {
        s->is_recalled = true;
        over(s, "the connection is given up, for another link is to be used");
    }
    if (s->phase < UP && now - s->since_ns > BEGIN_NS)
        over(s, s->phase == CONNECTING ? "the gateway is not reached" : "the gateway does not greet");
}

static void turn(struct session *s)
{
    zmq_pollitem_t items[] = { { .socket = s->dealer, .events = (short)(ZMQ_POLLIN | (s->is_full ? ZMQ_POLLOUT : 0)) },
                               { .socket = s->events, .events = ZMQ_POLLIN },
                               { .fd = s->t->wake, .events = ZMQ_POLLIN } };

    if (zmq_poll(items, 3, STEP_MS) < 0 && errno != EINTR)
        over(s, "the connection failed");
    s->is_full = false;
    net_hush(s->t->wake);
    net_uplink_spent(&s->t->uplink); /* before the answers: what they end may be committed */
    while (s->phase != OVER && take_one(s))
        continue;
    take_events(s);
    look_at_time(s);
    if (s->phase == UP)
        send_waiting(s);
}

static void session_end(struct session *s)
{
    struct talker *t = s->t;
    bool stops;

    pthread_mutex_lock(&t->lock);
    stops = t->stopping;
    if (t->away_since_ns == 0)
        t->away_since_ns = net_clock();
    t->counts.connected = false;
    (void)snprintf(t->counts.cause, CAUSE_ROOM, "%s", s->cause);
    pthread_cond_broadcast(&t->changed);
    pthread_mutex_unlock(&t->lock);
    net_ring(t->bell);
    if (!stops && !s->is_recalled && !s->was_heard)
        net_uplink_tried(&t->uplink, false);
}

bool session_run(struct talker *t)
{
    struct session s = { .t = t, .phase = CONNECTING, .since_ns = net_clock() };

    t->session++;
    if (!open_sockets(&s))
        over(&s, errno == EINVAL ? "the address of the gateway cannot be used" : "no socket to the gateway can be opened");
    while (s.phase != OVER)
        turn(&s);
    session_end(&s);
    net_uplink_drop(&t->uplink);
    close_sockets(&s);
    return s.was_up || s.is_recalled;
}
