/* SPDX-License-Identifier: Apache-2.0
 *
 * intake.h - from messages to records, and from commits to answers.
 *
 * One batch is in hand at a time. Each of its records that did not come before is passed
 * on; the batch is answered when all of them are safe, those that came before included.
 *
 * Not here: sockets (door.h), what is known of a node (peers.h). */
#ifndef IN_ZMQ_INTAKE_H
#define IN_ZMQ_INTAKE_H

#include "config.h"
#include "door.h"
#include "zmq_link/batch.h"

enum { PENDING = 1024 /* batches that wait for a commit */ };

/* A batch that is passed on and not safe. */
struct pending {
    struct route route;
    uint64_t number, refused, epoch;
};

/* A stream of the batch. It is made with the first record that is passed on: what comes
 * again makes none anew that has ended. */
struct place {
    bool is_made;
    struct batch_item item;
    uint32_t subject, stream, schema;
    uint64_t said;  /* the schema, as its node calls it */
    uint64_t names; /* of subject and stream, hashed */
};

/* The batch in hand. */
struct hand {
    bool is_open, has_item;
    struct peer *peer;
    struct life *life; /* of the peer */
    struct batch_reader reader;
    struct batch_item item; /* the next one, where has_item */
    struct place streams[BATCH_STREAMS];
    uint32_t record;  /* index of the next record */
    uint32_t tries;   /* of the item */
    bool resent;
    struct pending answer;
};

struct intake {
    const struct aff_host *host;
    const struct config *config;
    struct door *door;
    void *unpacked; /* `largest` bytes */
    struct message message;
    bool has_message; /* it is to be taken up again */
    uint32_t tries;   /* so often it was */
    struct hand hand;
    struct pending pending[PENDING];
    uint32_t first, count;
    int64_t since_ns; /* how long the oldest of them waits, or more */
    uint64_t safe;    /* epoch */
    int64_t full_until_ns; /* the host had no place for a stream: none is waited for */
};

/* [data] Takes up the message: greets, learns a schema, opens a batch, refuses.
 * AFF_ERR_MEMORY: call again with the same (has_message). */
aff_status intake_message(struct intake *in);
/* [data] Goes on with the batch in hand up to its next record that was passed on
 * (*ret_emitted), or to its end (hand.is_open is false). AFF_ERR_MEMORY: call again. */
aff_status intake_step(struct intake *in, bool *ret_emitted);
/* [data] Asks for a commit when it is time. */
void intake_hasten(struct intake *in);
/* [data] All up to this epoch is safe: answers. */
void intake_committed(struct intake *in, uint64_t epoch);

#endif
