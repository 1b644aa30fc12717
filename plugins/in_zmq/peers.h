/* SPDX-License-Identifier: Apache-2.0
 *
 * peers.h - the nodes that may send: their keys, and what is known of each.
 *
 * Everything a node can make grow is bounded: its connections, schemas, streams, ids.
 *
 * Not here: sockets (door.h), records (intake.h). */
#ifndef IN_ZMQ_PEERS_H
#define IN_ZMQ_PEERS_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include "window.h"
#include "zmq_link/keys.h"
#include "zmq_link/link.h"

enum { PEER_NAME_MOST = 64, PEER_KEY = 32, ROUTE_MOST = 32, LIVES = 16, PEER_SCHEMAS = 256 };

/* An entry of the option `peers`. */
struct peer_option {
    const char *name;
    const char *public_key; /* path */
};

/* A connection, by what ZeroMQ calls it. */
struct route {
    uint8_t size;
    uint8_t bytes[ROUTE_MOST];
};

/* A sink of a node, from its start to its end: it has a number of its own, over all its
 * connections. A node may have several at a time, and some that are over. */
struct life {
    uint64_t number; /* 0: none */
    struct route route; /* of its connection; size 0: it has none */
    struct window now;  /* what it sent and may send again */
    uint64_t used;      /* when, counted */
};

struct peer_schema {
    uint64_t hash;
    uint32_t id; /* the host's */
};

struct peer {
    const char *name;
    uint8_t key[PEER_KEY];
    struct window before; /* of lives that are no more in the list */
    struct life lives[LIVES];
    uint64_t turn;
    struct peer_schema schemas[PEER_SCHEMAS];
    uint32_t schema_count;
    bool told; /* that what it sends cannot be read */
    bool told_full; /* that there is no place for its streams, */
    bool told_many; /* and that it has too many */
    uint64_t *streams; /* hashes of their names, sorted */
    uint32_t stream_count, stream_room;
};

struct peers {
    const struct aff_host *host;
    struct peer *list;
    uint32_t count;
};

/* [control] Reads the keys; `problem` (CURVE_PROBLEM bytes) says what is wrong. */
aff_status peers_open(struct peers *peers, const struct aff_host *host, const struct aff_list *options, uint32_t window,
                      char *problem);
void peers_close(struct peers *peers);
/* [data] NULL: none has this key, or this name. */
struct peer *peers_by_key(struct peers *peers, const uint8_t key[PEER_KEY]);
struct peer *peers_by_name(struct peers *peers, const char *name, size_t size);

/* [data] Whose connection it is; NULL: nobody's that greeted. */
struct life *peer_life(struct peer *peer, const struct route *route);
/* [data] A life greets; of too many the one goes that was silent longest. */
void peer_greet(struct peer *peer, const struct route *route, uint64_t life);
/* [data] The host's integer of a schema; 0: it was not said. */
uint32_t peer_schema(const struct peer *peer, uint64_t hash);
/* [data] False: there are too many. */
bool peer_schema_add(struct peer *peer, uint64_t hash, uint32_t id);
/* [data] A stream takes one of the node's places, `most` in all, if it has none yet. `names`:
 * a hash of them. False: there is none left, or no memory. */
bool peer_stream_take(struct peer *peer, uint64_t names, uint32_t most);
/* [data] It has none any more. */
void peer_stream_drop(struct peer *peer, uint64_t names);
/* [data] NULL: it did not come. */
const struct known *peer_knows(const struct peer *peer, struct aff_id id);

/* [data] What is known, as bytes: see in_zmq.c, snapshot and restore. */
size_t peers_size(const struct peers *peers);
void peers_write(const struct peers *peers, uint8_t *to);
/* False: they are no such bytes, and nothing is known. Peers that are not there any more
 * are left out. */
bool peers_read(struct peers *peers, const uint8_t *from, size_t size);

#endif
