/* SPDX-License-Identifier: Apache-2.0
 *
 * door.c - sockets of the gateway. See door.h. */
#include "door.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#include "net/thread.h"

static const char domain[] = "afferent-link";
static const char zap_address[] = "inproc://zeromq.zap.01";
static const char events_address[] = "inproc://in-zmq-events";
enum {
    BACKLOG = 128,
    HANDSHAKE_MS = 5000,
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

static bool zap_answer(struct door *d)
{
    struct question q;
    bool turned_away = false;

    while (question_take(d->zap, &q)) {
        const struct peer *p = asks(d, &q);

        turned_away = turned_away || !p;
        atomic_fetch_add(&d->keys, !p);
        (void)zmq_send(d->zap, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, q.frames[ZAP_ID], q.count > ZAP_ID ? q.sizes[ZAP_ID] : 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? "200" : "400", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? "OK" : "No", 2, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, p ? p->name : "", p ? strlen(p->name) : 0, ZMQ_SNDMORE | ZMQ_DONTWAIT);
        (void)zmq_send(d->zap, "", 0, ZMQ_DONTWAIT);
    }
    return turned_away;
}

static bool take_events(struct door *d)
{
    uint8_t bytes[8], address[512];
    uint16_t event;
    bool any = false;

    while (zmq_recv(d->events, bytes, sizeof bytes, ZMQ_DONTWAIT) == 6) {
        (void)zmq_recv(d->events, address, sizeof address, ZMQ_DONTWAIT);
        memcpy(&event, bytes, sizeof event);
        atomic_fetch_add(&d->handshakes, event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH); /* counted by zap_answer */
        any = true;
    }
    return any;
}

static void *door_run(void *self)
{
    struct door *d = self;
    const struct aff_host *host = d->peers->host;
    zmq_pollitem_t items[] = { { .socket = d->zap, .events = ZMQ_POLLIN },
                               { .socket = d->events, .events = ZMQ_POLLIN },
                               { .fd = d->bell, .events = ZMQ_POLLIN } };

    while (!(items[2].revents & ZMQ_POLLIN)) {
        bool keys = zap_answer(d), handshakes = take_events(d);

        if (keys || handshakes)
            host->rouse(host); /* it is told there */
        if (zmq_poll(items, 3, -1) < 0 && errno != EINTR)
            break;
    }
    return NULL;
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
           set(router, ZMQ_TCP_KEEPALIVE_IDLE, LINK_IDLE_S) && set(router, ZMQ_TCP_KEEPALIVE_INTVL, LINK_PROBE_S) &&
           set(router, ZMQ_TCP_KEEPALIVE_CNT, LINK_PROBES) && set(router, ZMQ_TCP_MAXRT, LINK_SILENT_MS) &&
           set(router, ZMQ_BACKLOG, BACKLOG) &&
           set(router, ZMQ_RCVHWM, QUEUE) && set(router, ZMQ_SNDHWM, ANSWERS) && set(router, ZMQ_IPV6, 1) &&
           set(router, ZMQ_LINGER, LINGER_MS);
}

/* The events' socket takes any number, since libzmq's own thread would wait where it is
 * full; it never holds many, since ours takes them. */
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
    *d = (struct door){ .peers = peers, .context = zmq_ctx_new(), .bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK) };
    if (!d->context && d->bell >= 0)
        (void)close(d->bell); /* door_close has a context, or nothing to do */
    if (!d->context || d->bell < 0)
        return false;
    d->zap = zmq_socket(d->context, ZMQ_REP);
    d->router = zmq_socket(d->context, ZMQ_ROUTER);
    d->events = zmq_socket(d->context, ZMQ_PAIR);
    d->runs = d->zap && d->router && d->events && set(d->zap, ZMQ_LINGER, 0) && zmq_bind(d->zap, zap_address) == 0 &&
              set_router(d->router, pair, largest) && open_events(d) && net_thread_start(&d->thread, door_run, d);
    return d->runs;
}

bool door_bind(struct door *d, const char *address)
{
    return zmq_bind(d->router, address) == 0;
}

void door_close(struct door *d)
{
    if (d->runs) {
        net_ring(d->bell);
        (void)pthread_join(d->thread, NULL);
    }
    d->runs = false;
    if (d->router)
        (void)zmq_socket_monitor(d->router, NULL, 0);
    if (d->events)
        (void)zmq_close(d->events);
    if (d->router)
        (void)zmq_close(d->router);
    if (d->zap)
        (void)zmq_close(d->zap);
    if (d->context) {
        (void)zmq_ctx_term(d->context);
        if (d->bell >= 0)
            (void)close(d->bell);
    }
    d->router = d->events = d->zap = d->context = NULL;
}

int door_fd(const struct door *d)
{
    int fd = -1;
    size_t size = sizeof fd;

    return zmq_getsockopt(d->router, ZMQ_FD, &fd, &size) == 0 ? fd : -1;
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
