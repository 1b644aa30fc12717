/* SPDX-License-Identifier: Apache-2.0
 *
 * talker.h - what is on its way to the gateway, and the thread that sends it.
 *
 * The lane puts whole batches in and never waits long; the thread has the socket, keeps
 * what was not answered, sends it again on the next connection, and tells the host what
 * became of each record as the answers come.
 *
 * A thread, and not the lane with host->watch: a lane that waits for the answers of its
 * sink looks at no descriptor meanwhile.
 *
 * It goes by the link that the host names, and tells what each connection carried
 * (net/uplink.h).
 *
 * Not here: what the bytes mean (zmq_link/), one connection (session.c). */
#ifndef OUT_ZMQ_TALKER_H
#define OUT_ZMQ_TALKER_H

#include <afferent/plugin.h>

#include "config.h"
#include "zmq_link/batch.h"
#include "zmq_link/keys.h"

enum { CAUSE_ROOM = 200, SCHEMAS = 256 };

struct talker;

/* Rises only; `connected` is a state. */
struct talker_counts {
    uint64_t acknowledged, refused, batches, bytes, resent, connections;
    bool connected;
    char cause[CAUSE_ROOM]; /* why not */
};

/* Schemas that a batch uses. */
struct schema_set {
    uint64_t bits[SCHEMAS / 64];
};

/* [control] NULL: no memory. */
struct talker *talker_open(const struct aff_host *host, const struct config *config, const struct curve_pair *pair,
                           const char gateway_key[CURVE_TEXT]);
void talker_close(struct talker **talker);
/* [data] False: no thread can be made. */
bool talker_start(struct talker *t);
void talker_stop(struct talker *t);

/* [data] The place of a schema in the set, and its hash; below 0: there are too many, or
 * it is too large; AFF_ERR_MEMORY. */
int talker_schema(struct talker *t, uint32_t key, const struct aff_schema *schema, uint64_t *ret_hash);
/* [data] Waits a little until one more batch may be put in. AFF_OK, AFF_AGAIN: much is on
 * its way; AFF_ERR_IO: the gateway is away, `cause` says why. */
aff_status talker_room(struct talker *t, char cause[CAUSE_ROOM]);
/* [data] How many more bytes may go now: what a batch gathers beyond keeps alarms waiting. */
uint64_t talker_pace(struct talker *t);
/* [data] Behind AFF_OK of talker_room: the batch (ended) is on its way. AFF_ERR_MEMORY. */
aff_status talker_put(struct talker *t, const struct batch *batch, const struct schema_set *schemas);
/* [data] An epoch ended: of those that ended long before nothing comes again. */
void talker_epoch(struct talker *t);
/* [data] The largest batch that the gateway takes; 0: it has not said yet. */
uint64_t talker_largest(struct talker *t);
/* [data] Counts so far. The descriptor can be read when there is something to tell. */
struct talker_counts talker_counts(struct talker *t);
int talker_bell(const struct talker *t);

#endif
