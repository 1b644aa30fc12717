/* SPDX-License-Identifier: Apache-2.0
 *
 * door.c - sockets of the gateway. See door.h. */
#include "door.h"

#include <errno.h>
#include <string.h>

static const char domain[] = "afferent-link";
static const char zap_address[] = "inproc://zeromq.zap.01";
static const char events_address[] = "inproc://in-zmq-events";
enum {
    BACKLOG = 128,
    HANDSHAKE_MS = 5000,
    SILENT_MS = 8000,  /* what TCP has sent and is not taken for so long ends the connection */
    IDLE_S = 10,       /* with nothing to send the other end is asked after so long, */
    PROBE_S = 3,       /* each so long, */
    PROBES = 3,        /* so often */
    LINGER_MS = 200,   /* for the last answers */
    QUEUE = 8,         /* messages of a connection that libzmq holds for the lane */
    ANSWERS = 2048,    /* ... and answers to it */
    BAD_MOST = 64      /* messages that are none, a call */
};

/* ---- the allow-list: ZAP, RFC 27 ---- */

enum { ZAP_VERSION, ZAP_ID, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY, ZAP_FRAMES };

struct question {
    uint8_t frames[ZAP_FRAMES][256];
    size_t sizes[ZAP_FRAMES];
    uint32_t count; /* also of those that do not fit */
};

static bool question_take(void *socket, struct question *q)
{
    int more = 1;
    size_t more_size = sizeof more;

    q->count = 0;
    while (more) {
        uint8_t beyond[256];
        bool fits = q->count < ZAP_FRAMES;
        int size = zmq_recv(socket, fits ? q->frames[q->count] : beyond, sizeof beyond, ZMQ_DONTWAIT);

        if (size < 0)
            return false;
        if (fits)
            q->sizes[q->count] = (size_t)size < sizeof beyond ? (size_t)size : sizeof beyond;
        q->count++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
    }
    return true;
}

static const struct peer *asks(struct door *d, const struct question *q)
{
    if (q->count != ZAP_FRAMES || q->sizes[ZAP_MECHANISM] != 5 || memcmp(q->frames[ZAP_MECHANISM], "CURVE", 5) != 0 ||
        q->sizes[ZAP_KEY] != PEER_KEY)
        return NULL;
    return peers_by_key(d->peers, q->frames[ZAP_KEY]);
}

static void zap_answer(struct door *d)
{
    struct question q;

    while (question_take(d->zap, &q)) {
        const struct peer *p = asks(d, &q);

        d->keys += !p;
        (void)zmq_send(d->zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, q.frames[ZAP_ID], q.count > ZAP_ID ? q.sizes[ZAP_ID] : 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? "200" : "400", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? "OK" : "No", 2, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? p->name : "", p ? strlen(p->name) : 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, "", 0, ZMQ_DONTWAIT);
    }
}

static void take_events(struct door *d)
{
    uint8_t bytes[8], address[512];
    uint16_t event;

    while (zmq_recv(d->events, bytes, sizeof bytes, ZMQ_DONTWAIT) == 6) {
        (void)zmq_recv(d->events, address, sizeof address, ZMQ_DONTWAIT);
        memcpy(&event, bytes, sizeof event);
        d->handshakes += event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH; /* counted by zap_answer */
    }
}

/* ---- opening ---- */

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* Without ZMTP's heartbeat: see session.c of out_zmq. */
static bool set_router(void *router, const struct curve_pair *pair, int64_t largest)
{
    return set(router, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, pair->secret_key, CURVE_TEXT - 1) == 0 &&
           zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, domain, sizeof domain - 1) == 0 &&
           zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &largest, sizeof largest) == 0 &&
           set(router, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) && set(router, ZMQ_TCP_KEEPALIVE, 1) &&
           set(router, ZMQ_TCP_KEEPALIVE_IDLE, IDLE_S) && set(router, ZMQ_TCP_KEEPALIVE_INTVL, PROBE_S) &&
           set(router, ZMQ_TCP_KEEPALIVE_CNT, PROBES) && set(router, ZMQ_TCP_MAXRT, SILENT_MS) && set(router, ZMQ_BACKLOG, BACKLOG) &&
           set(router, ZMQ_RCVHWM, QUEUE) && set(router, ZMQ_SNDHWM, ANSWERS) && set(router, ZMQ_IPV6, 1) &&
           set(router, ZMQ_LINGER, LINGER_MS);
}

/* The events' socket takes any number: libzmq's own thread waits where it is full. */
static bool open_events(struct door *d)
{
    enum {
        EVENTS = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
    };

    return zmq_socket_monitor(d->router, events_address, EVENTS) == 0 && set(d->events, ZMQ_RCVHWM, 0) &&
           set(d->events, ZMQ_LINGER, 0) && zmq_connect(d->events, events_address) == 0;
}

bool door_open(struct door *d, struct peers *peers, const struct curve_pair *pair, int64_t largest)
{
    *d = (struct door){ .peers = peers, .context = zmq_ctx_new() };
    if (!d->context)
        return false;
    d->zap = zmq_socket(d->context, ZMQ_REP);
    d->router = zmq_socket(d->context, ZMQ_ROUTER);
    d->events = zmq_socket(d->context, ZMQ_PAIR);
    return d->zap && d->router && d->events && set(d->zap, ZMQ_LINGER, 0) && zmq_bind(d->zap, zap_address) == 0 &&
           set_router(d->router, pair, largest) && open_events(d);
}

bool door_bind(struct door *d, const char *address)
{
    return zmq_bind(d->router, address) == 0;
}

void door_close(struct door *d)
{
    if (d->router)
        (void)zmq_socket_monitor(d->router, NULL, 0);
    if (d->events)
        (void)zmq_close(d->events);
    if (d->router)
        (void)zmq_close(d->router);
    if (d->zap)
        (void)zmq_close(d->zap);
    if (d->context)
        (void)zmq_ctx_term(d->context);
    d->router = d->events = d->zap = d->context = NULL;
}

static int fd_of(void *socket)
{
    int fd = -1;
    size_t size = sizeof fd;

    return zmq_getsockopt(socket, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
}

void door_fds(const struct door *d, int fds[DOOR_FDS])
{
    fds[0] = fd_of(d->router);
    fds[1] = fd_of(d->zap);
    fds[2] = fd_of(d->events);
}

/* ---- messages ---- */

/* The rest of a message that has too many frames. */
static void skip_rest(void *router, bool more)
{
    while (more) {
        zmq_msg_t beyond;

        (void)zmq_msg_init(&beyond);
        more = zmq_msg_recv(&beyond, router, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&beyond);
        (void)zmq_msg_close(&beyond);
    }
}

/* Whose connection it came by, as ZAP named it. */
static struct peer *sender_of(struct door *d, zmq_msg_t *frame)
{
    const char *name = zmq_msg_gets(frame, "User-Id");

    return name ? peers_by_name(d->peers, name, strlen(name)) : NULL;
}

/* False: nothing is there. *ret_good: a message of a head, and a payload or none. */
static bool take(struct door *d, struct message *m, bool *ret_good)
{
    zmq_msg_t route;
    bool more;

    (void)zmq_msg_init(&route);
    if (zmq_msg_recv(&route, d->router, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&route);
        return false;
    }
    *ret_good = zmq_msg_size(&route) <= ROUTE_MOST && zmq_msg_more(&route);
    if (*ret_good) {
        m->route.size = (uint8_t)zmq_msg_size(&route);
        memcpy(m->route.bytes, zmq_msg_data(&route), m->route.size);
    }
    more = zmq_msg_more(&route) && zmq_msg_recv(&m->head, d->router, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&m->head);
    more = more && zmq_msg_recv(&m->payload, d->router, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&m->payload);
    (void)zmq_msg_close(&route);
    *ret_good = *ret_good && !more;
    skip_rest(d->router, more);
    m->peer = *ret_good ? sender_of(d, &m->head) : NULL;
    *ret_good = *ret_good && m->peer;
    return true;
}

bool door_take(struct door *d, struct message *m)
{
    bool good = false, any = true;
    uint32_t bad = 0;

    zap_answer(d);
    take_events(d);
    while (any && !good && bad < BAD_MOST) {
        (void)zmq_msg_close(&m->head);
        (void)zmq_msg_close(&m->payload);
        (void)zmq_msg_init(&m->head);
        (void)zmq_msg_init(&m->payload);
        any = take(d, m, &good);
        bad += any && !good;
    }
    d->malformed += bad;
    return good;
}

void door_say(struct door *d, const struct route *route, const struct link_head *head)
{
    uint8_t bytes[LINK_HEAD];

    link_head_write(bytes, head);
    if (zmq_send(d->router, route->bytes, route->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        (void)zmq_send(d->router, bytes, sizeof bytes, ZMQ_DONTWAIT);
}
