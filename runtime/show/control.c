/* control.c - see control.h. Opens the door, and does what is asked.
 *
 * Not here: sockets (control_door.c), words (control_words.c). */
#include "show/control.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "show/control_inside.h"

enum {
    FRAME_MOST = CONTROL_REQUEST_MOST * 2, /* what libzmq takes at all: above it, it cuts off */
    BACKLOG = 64,
    HANDSHAKE_MS = 2000,
    HEARTBEAT_MS = 5000,
    SILENT_MS = 15000,
    LINGER_MS = 100, /* for the last reply; never longer */
    WAITING_MOST = 16 /* messages a peer */
};
static const char domain[] = "afferent";
static const char zap_address[] = "inproc://zeromq.zap.01";
static const char events_address[] = "inproc://control-events";

/* ---- the desk ---- */

/* The lock is held. NULL: it is over. */
static struct control_job *next_job(struct control *c)
{
    for (;;) {
        for (uint32_t i = 0; i < c->count; i++) {
            struct control_job *job = &c->jobs[(c->first + i) % CONTROL_WAITING];

            if (!job->is_done)
                return job;
        }
        if (c->over)
            return NULL;
        pthread_cond_wait(&c->changed, &c->lock);
    }
}

static void do_job(struct control *c, struct control_job *job)
{
    struct text answer = { 0 };
    int code = control_do(&c->work, &job->request, &answer);

    atomic_fetch_add(code < 0 ? &c->unknown : &c->answered, 1);
    if (code < 0) {
        text_free(&answer);
        text_add(&answer, "there is no such request, or its arguments are wrong; is this the same version of "
                          "afferent?");
        code = 2;
    }
    control_reply_write(&job->reply, code, &answer);
    text_free(&answer);
}

static void ring(struct control *c)
{
    uint64_t one = 1;

    while (write(c->wake, &one, sizeof one) < 0 && errno == EINTR)
        continue;
}

static void *control_desk(void *control)
{
    struct control *c = control;
    struct control_job *job;

    pthread_mutex_lock(&c->lock);
    while ((job = next_job(c))) {
        pthread_mutex_unlock(&c->lock);
        do_job(c, job);
        pthread_mutex_lock(&c->lock);
        job->is_done = true;
        ring(c);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- opening ---- */

static bool set(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

/* Whose connections are taken at all: this user's, and the superuser's. */
static bool set_users(void *router)
{
    uid_t own = geteuid(), root = 0;

    return zmq_setsockopt(router, ZMQ_IPC_FILTER_UID, &own, sizeof own) == 0 &&
           zmq_setsockopt(router, ZMQ_IPC_FILTER_UID, &root, sizeof root) == 0;
}

static bool set_router(void *router, const char *secret)
{
    int64_t most = FRAME_MOST;

    return set(router, ZMQ_CURVE_SERVER, 1) &&
           zmq_setsockopt(router, ZMQ_CURVE_SECRETKEY, secret, CONTROL_KEY - 1) == 0 &&
           zmq_setsockopt(router, ZMQ_ZAP_DOMAIN, domain, sizeof domain - 1) == 0 &&
           set_users(router) &&
           zmq_setsockopt(router, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 &&
           set(router, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) && set(router, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
           set(router, ZMQ_HEARTBEAT_TIMEOUT, SILENT_MS) && set(router, ZMQ_BACKLOG, BACKLOG) &&
           set(router, ZMQ_RCVHWM, WAITING_MOST) && set(router, ZMQ_SNDHWM, WAITING_MOST) &&
           set(router, ZMQ_LINGER, LINGER_MS);
}

/* The events' socket takes any number: libzmq's own thread waits where it is full. */
static bool open_events(struct control *c)
{
    enum {
        EVENTS = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
    };

    return zmq_socket_monitor(c->router, events_address, EVENTS) == 0 && set(c->events, ZMQ_RCVHWM, 0) &&
           set(c->events, ZMQ_LINGER, 0) && zmq_connect(c->events, events_address) == 0;
}

static bool open_sockets(struct control *c, const char *secret)
{
    c->zap = zmq_socket(c->context, ZMQ_REP);
    c->router = zmq_socket(c->context, ZMQ_ROUTER);
    c->events = zmq_socket(c->context, ZMQ_PAIR);
    return c->zap && c->router && c->events && set(c->zap, ZMQ_LINGER, 0) && zmq_bind(c->zap, zap_address) == 0 &&
           set_router(c->router, secret) && open_events(c);
}

/* The socket is bound last, and is nobody else's before the first peer can be let in:
 * its folder is closed to others, and its users are named above. */
static bool bind_socket(struct control *c)
{
    struct text address = { 0 };
    bool ok;

    text_print(&address, "ipc://%s", c->socket);
    ok = !address.failed && zmq_bind(c->router, address.data) == 0;
    c->is_bound = ok;
    text_free(&address);
    return ok && chmod(c->socket, 0600) == 0;
}

/* New pairs for both ends; the server's secret goes into the socket alone. */
static bool open_with_keys(struct control *c)
{
    struct control_keys keys = { .socket = c->socket };
    char secret[CONTROL_KEY];
    bool ok;

    ok = zmq_curve_keypair(keys.server, secret) == 0 && zmq_curve_keypair(keys.client, keys.secret) == 0 &&
         zmq_z85_decode(c->allowed, keys.client) && open_sockets(c, secret) && bind_socket(c) &&
         control_keys_write(c->file, &keys);
    explicit_bzero(secret, sizeof secret);
    explicit_bzero(&keys, sizeof keys);
    return ok;
}

/* Signals are for the threads that wait for them: these, and libzmq's own, take none. */
static bool open_threads(struct control *c)
{
    c->has_desk = pthread_create(&c->desk, NULL, control_desk, c) == 0;
    c->has_door = c->has_desk && pthread_create(&c->door, NULL, control_door, c) == 0;
    return c->has_door;
}

static bool open_all(struct control *c)
{
    sigset_t all, before;
    bool ok;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = open_with_keys(c) && open_threads(c);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

static struct control *control_new(const struct place_paths *paths, const struct control_work *work)
{
    struct control *c = calloc(1, sizeof *c);
    struct text file = { 0 };

    if (!c)
        return NULL;
    c->work = *work;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    text_print(&file, "%s/control", paths->folder);
    c->file = text_take(&file);
    c->socket = strdup(paths->socket);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    /* libzmq does not bear that memory is short: it is not asked where it is known. */
    c->context = c->file && c->socket ? zmq_ctx_new() : NULL;
    if (!c->file || !c->socket || c->wake < 0 || !c->context)
        control_close(&c);
    return c;
}

struct control *control_open(const struct place_paths *paths, const struct control_work *work, char *ret_why,
                             size_t room)
{
    struct control *c;
    int error;

    errno = 0;
    c = control_new(paths, work);
    if (c && open_all(c))
        return c;
    error = errno;
    snprintf(ret_why, room, "the control socket %s cannot be opened: %s", paths->socket,
             error ? zmq_strerror(error) : "there is no memory");
    if (c)
        control_close(&c);
    return NULL;
}

/* ---- closing ---- */

static void end_threads(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    c->over = true;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    if (c->has_desk)
        pthread_join(c->desk, NULL);
    if (c->wake >= 0)
        ring(c);
    if (c->has_door)
        pthread_join(c->door, NULL);
}

static void close_sockets(struct control *c)
{
    if (c->router)
        zmq_socket_monitor(c->router, NULL, 0);
    if (c->events)
        zmq_close(c->events);
    if (c->router)
        zmq_close(c->router);
    if (c->zap)
        zmq_close(c->zap);
    if (c->context)
        zmq_ctx_term(c->context);
}

void control_close(struct control **control)
{
    struct control *c = *control;

    *control = NULL;
    if (!c)
        return;
    end_threads(c);
    if (c->is_bound) { /* libzmq leaves it where it is */
        unlink(c->file);
        unlink(c->socket);
    }
    close_sockets(c);
    if (c->wake >= 0)
        close(c->wake);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    explicit_bzero(c->allowed, sizeof c->allowed);
    free(c->file);
    free(c->socket);
    free(c);
}

/* ---- figures ---- */

void control_figures(const struct control *c, struct control_figures *ret)
{
    *ret = (struct control_figures){
        .answered = atomic_load(&c->answered),
        .handshake = atomic_load(&c->handshake),
        .keys = atomic_load(&c->keys),
        .cut = atomic_load(&c->cut),
        .too_large = atomic_load(&c->too_large),
        .malformed = atomic_load(&c->malformed),
        .unknown = atomic_load(&c->unknown),
    };
}

uint64_t control_refused(const struct control_figures *f)
{
    return f->handshake + f->keys + f->cut + f->too_large + f->malformed + f->unknown;
}
