/* control_door.c - lets peers in, takes requests, hands out replies.
 *
 * One thread for all sockets. It answers the handshake's question whether a key is
 * known (ZAP), looks at what came, and never waits for what is asked to be done:
 * that is the desk's (control.c).
 *
 * A frame above ZMQ_MAXMSGSIZE makes libzmq cut the peer off and say only that it
 * left. So connections are counted by their descriptor: one that came through the
 * handshake and left without having asked anything was cut off.
 *
 * Not here: keys and files (control_keys.c), words (control_words.c). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "show/control_inside.h"

static void count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- the allow-list: ZAP, RFC 27 ---- */

enum { ZAP_VERSION, ZAP_ID, ZAP_DOMAIN, ZAP_ADDRESS, ZAP_IDENTITY, ZAP_MECHANISM, ZAP_KEY, ZAP_FRAMES };

struct zap_question {
    uint8_t frames[ZAP_FRAMES][256];
    size_t sizes[ZAP_FRAMES];
    uint32_t count; /* of all that came, also above ZAP_FRAMES */
};

/* False: nothing is there. */
static bool zap_take(void *socket, struct zap_question *q)
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
            q->sizes[q->count] = (size_t)size;
        q->count++;
        if (zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
    }
    return true;
}

static bool zap_allows(const struct control *c, const struct zap_question *q)
{
    return q->count == ZAP_FRAMES && q->sizes[ZAP_MECHANISM] == 5 &&
           memcmp(q->frames[ZAP_MECHANISM], "CURVE", 5) == 0 && q->sizes[ZAP_KEY] == sizeof c->allowed &&
           memcmp(q->frames[ZAP_KEY], c->allowed, sizeof c->allowed) == 0;
}

static void zap_answer(struct control *c)
{
    struct zap_question q;

    while (zap_take(c->zap, &q)) {
        bool allowed = zap_allows(c, &q);
        size_t id_size = q.count > ZAP_ID && q.sizes[ZAP_ID] <= sizeof q.frames[ZAP_ID] ? q.sizes[ZAP_ID] : 0;

        if (!allowed)
            count(&c->keys);
        zmq_send(c->zap, "1.0", 3, ZMQ_SNDMORE);
        zmq_send(c->zap, q.frames[ZAP_ID], id_size, ZMQ_SNDMORE);
        zmq_send(c->zap, allowed ? "200" : "400", 3, ZMQ_SNDMORE);
        zmq_send(c->zap, allowed ? "OK" : "No", 2, ZMQ_SNDMORE);
        zmq_send(c->zap, "operator", allowed ? 8 : 0, ZMQ_SNDMORE);
        zmq_send(c->zap, "", 0, 0);
    }
}

/* ---- requests ---- */

static void reply(struct control *c, const void *peer, size_t peer_size, const struct text *text)
{
    if (zmq_send(c->router, peer, peer_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(c->router, text->data ? text->data : "", text->length, ZMQ_DONTWAIT);
}

static void refuse(struct control *c, zmq_msg_t *peer, const char *why)
{
    struct text answer = { 0 }, text = { 0 };

    text_add(&answer, why);
    control_reply_write(&text, 2, &answer);
    if (!text.failed)
        reply(c, zmq_msg_data(peer), zmq_msg_size(peer), &text);
    text_free(&answer);
    text_free(&text);
}

/* A place for one more; NULL: too many wait, or no memory. */
static struct control_job *job_new(struct control *c, size_t size)
{
    struct control_job *job = &c->jobs[(c->first + c->count) % CONTROL_WAITING];

    if (c->count == CONTROL_WAITING)
        return NULL;
    *job = (struct control_job){ .memory = malloc(size + 1),
                                 .arguments = calloc(CONTROL_ARGUMENTS, sizeof *job->arguments) };
    if (job->memory && job->arguments)
        return job;
    free(job->memory);
    free(job->arguments);
    return NULL;
}

static void job_free(struct control_job *job)
{
    free(job->memory);
    free(job->arguments);
    text_free(&job->reply);
}

/* The lock is held. One request a peer: who sends a thousand fills no queue. */
static bool has_job(const struct control *c, zmq_msg_t *peer)
{
    for (uint32_t i = 0; i < c->count; i++) {
        const struct control_job *job = &c->jobs[(c->first + i) % CONTROL_WAITING];

        if (job->peer_size == zmq_msg_size(peer) && memcmp(job->peer, zmq_msg_data(peer), job->peer_size) == 0)
            return true;
    }
    return false;
}

/* The lock is held. NULL: it waits at the desk. */
static const char *enqueue(struct control *c, zmq_msg_t *peer, zmq_msg_t *body)
{
    struct control_job *job;

    if (c->over)
        return "it is ending";
    if (has_job(c, peer))
        return "it is busy with an earlier request of yours";
    job = job_new(c, zmq_msg_size(body));
    if (!job)
        return "it is busy with other requests; try again";
    job->peer_size = zmq_msg_size(peer);
    memcpy(job->peer, zmq_msg_data(peer), job->peer_size);
    if (!control_request_read(zmq_msg_data(body), zmq_msg_size(body), job->memory, job->arguments, &job->request)) {
        job_free(job);
        count(&c->malformed);
        return "the request is malformed, or of another version of afferent";
    }
    c->count++;
    pthread_cond_signal(&c->changed);
    return NULL;
}

/* The first frame of a message is the peer, the second the request: it has no third. */
static void one_request(struct control *c, zmq_msg_t *peer, zmq_msg_t *body, bool is_single)
{
    const char *why = NULL;

    if (zmq_msg_size(peer) > CONTROL_PEER_MOST) {
        count(&c->malformed);
        return;
    }
    if (!is_single) {
        count(&c->malformed);
        why = "the request is malformed: it is one frame";
    } else if (zmq_msg_size(body) > CONTROL_REQUEST_MOST) {
        count(&c->too_large);
        why = "the request is too large";
    } else {
        pthread_mutex_lock(&c->lock);
        why = enqueue(c, peer, body);
        pthread_mutex_unlock(&c->lock);
    }
    if (why)
        refuse(c, peer, why);
}

/* Notes that the connection asked something, once a connection. */
static void note_peer(struct control *c, zmq_msg_t *body, zmq_msg_t *peer)
{
    const char *text = zmq_msg_gets(body, "__fd");
    int fd = text ? atoi(text) : -1;
    uint64_t hash = text_hash(zmq_msg_data(peer), zmq_msg_size(peer));

    if (fd < 0 || fd >= CONTROL_FDS || (c->peers[fd].asked > 0 && c->peers[fd].last == hash))
        return;
    c->peers[fd].asked++;
    c->peers[fd].last = hash;
}

/* Takes one message, all its frames. False: nothing is there. */
static bool take_request(struct control *c)
{
    zmq_msg_t peer, body, beyond;
    uint32_t frames = 1;

    zmq_msg_init(&peer);
    zmq_msg_init(&body);
    if (zmq_msg_recv(&peer, c->router, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&peer);
        zmq_msg_close(&body);
        return false;
    }
    if (zmq_msg_more(&peer) && zmq_msg_recv(&body, c->router, ZMQ_DONTWAIT) >= 0)
        frames = 2;
    for (bool more = frames == 2 && zmq_msg_more(&body); more; frames++) {
        zmq_msg_init(&beyond);
        more = zmq_msg_recv(&beyond, c->router, ZMQ_DONTWAIT) >= 0 && zmq_msg_more(&beyond);
        zmq_msg_close(&beyond);
    }
    note_peer(c, &body, &peer);
    one_request(c, &peer, &body, frames == 2);
    zmq_msg_close(&peer);
    zmq_msg_close(&body);
    return true;
}

/* Sends what the desk has done. */
static void send_done(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    while (c->count > 0 && c->jobs[c->first].is_done) {
        struct control_job *job = &c->jobs[c->first];

        reply(c, job->peer, job->peer_size, &job->reply);
        job_free(job);
        c->first = (c->first + 1) % CONTROL_WAITING;
        c->count--;
    }
    pthread_mutex_unlock(&c->lock);
}

/* ---- what libzmq says of connections ---- */

static void peer_left(struct control *c, uint32_t fd)
{
    while (take_request(c)) /* what it said before it left came first */
        continue;
    if (fd >= CONTROL_FDS)
        return;
    if (c->peers[fd].asked > 0)
        c->peers[fd].asked--;
    else
        c->unasked++;
}

static void take_event(struct control *c, const uint8_t *bytes)
{
    uint16_t event;
    uint32_t value;

    memcpy(&event, bytes, sizeof event);
    memcpy(&value, bytes + 2, sizeof value);
    if (event == ZMQ_EVENT_DISCONNECTED)
        peer_left(c, value);
    else if (event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) /* counted by zap_answer */
        count(&c->handshake);
}

static void take_events(struct control *c)
{
    uint8_t event[8], address[256];
    uint64_t told;

    while (zmq_recv(c->events, event, sizeof event, ZMQ_DONTWAIT) == 6) {
        zmq_recv(c->events, address, sizeof address, ZMQ_DONTWAIT);
        take_event(c, event);
    }
    told = atomic_load(&c->handshake) + atomic_load(&c->keys);
    if (c->unasked > told + atomic_load(&c->cut))
        atomic_store(&c->cut, c->unasked - told);
}

/* ---- the thread ---- */

static bool is_over(struct control *c)
{
    bool over;

    pthread_mutex_lock(&c->lock);
    over = c->over && c->count == 0;
    pthread_mutex_unlock(&c->lock);
    return over;
}

void *control_door(void *control)
{
    struct control *c = control;
    zmq_pollitem_t items[] = { { .socket = c->zap, .events = ZMQ_POLLIN },
                               { .socket = c->router, .events = ZMQ_POLLIN },
                               { .socket = c->events, .events = ZMQ_POLLIN },
                               { .fd = c->wake, .events = ZMQ_POLLIN } };
    uint64_t woken;

    while (!is_over(c)) {
        if (zmq_poll(items, sizeof items / sizeof *items, -1) < 0 && errno != EINTR)
            break;
        if ((items[3].revents & ZMQ_POLLIN) && read(c->wake, &woken, sizeof woken) < 0 && errno != EAGAIN)
            break;
        zap_answer(c);
        for (int i = 0; i < CONTROL_TURN && take_request(c); i++)
            continue;
        take_events(c);
        send_done(c);
    }
    return NULL;
}
