/* control_inside.h - what the files of the door share.
 *
 * Not here: what others may use (control.h). */
#ifndef AFFERENT_SHOW_CONTROL_INSIDE_H
#define AFFERENT_SHOW_CONTROL_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "show/control.h"

enum {
    CONTROL_WAITING = 8,    /* requests that may wait for the one in hand */
    CONTROL_TURN = 64,      /* requests taken before others are looked after */
    CONTROL_PEER_MOST = 64, /* bytes of a peer's routing id that are kept */
    CONTROL_FDS = 4096      /* connections by their descriptor that are watched */
};

/* A request on its way to the desk, and its reply on the way back. */
struct control_job {
    uint8_t peer[CONTROL_PEER_MOST];
    size_t peer_size;
    char *memory;
    const char **arguments;
    struct control_request request;
    struct text reply;
    bool is_done;
};

/* How many connections on a descriptor have asked something and are not gone. */
struct control_peer {
    uint32_t asked;
    uint64_t last; /* hash of the routing id that asked last */
};

struct control {
    struct control_work work;
    char *socket; /* paths, to be removed */
    char *file;
    void *context;
    void *router;
    void *zap;
    void *events;
    uint8_t allowed[32]; /* the one public key that may ask */
    int wake; /* eventfd: the door is to look at jobs, or to end */
    pthread_t door;
    pthread_t desk;
    bool has_door, has_desk, is_bound;
    /* jobs, oldest first, under the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct control_job jobs[CONTROL_WAITING];
    uint32_t first, count;
    bool over;
    /* the door's own */
    struct control_peer peers[CONTROL_FDS];
    uint64_t unasked; /* connections that went without a request */
    _Atomic uint64_t answered, handshake, keys, cut, too_large, malformed, unknown;
};

/* control_door.c: the thread that lets peers in. */
void *control_door(void *control);

/* control_keys.c: what a client needs, in a file of its owner alone. */
struct control_keys {
    char server[CONTROL_KEY]; /* public */
    char client[CONTROL_KEY]; /* public */
    char secret[CONTROL_KEY]; /* of the client */
    char *socket;             /* read: given; written: borrowed */
};
/* False: errno says why. */
bool control_keys_write(const char *path, const struct control_keys *keys);
/* False: there is no such file (errno ENOENT), it is not readable, or it is no such
 * file (errno EINVAL). */
bool control_keys_read(const char *path, struct control_keys *ret_keys);

#endif
