/* SPDX-License-Identifier: Apache-2.0
 *
 * batch.h - records as bytes on the link, and back; nothing that is read is believed.
 *
 * The payload of a BATCH: how many streams and records it holds, then items, each of
 * which begins with its tag. Little-endian.
 *
 *   head     2 streams   2 records   4 zero
 *   STREAM   1 tag (1)   1 zero   2 bytes of the subject's name   2 of the stream's
 *            2 zero   8 hash of its schema   then both names, UTF-8 without zeros
 *   RECORD   1 tag (2)   1 clock   2 flags   2 its stream, counted from 0
 *            2 zero   4 bytes   4 zero   8 event time   16 id   then its bytes
 *
 * A stream stands before its first record. A record that ends its stream
 * (AFF_FLAG_END) has no bytes, and its id is not answered. Bytes are as in record.h.
 *
 * Not here: schemas (schema.h), whether a row's bytes fit its schema (schema.h). */
#ifndef ZMQ_LINK_BATCH_H
#define ZMQ_LINK_BATCH_H

#include <afferent/plugin.h>

#include <stdbool.h>

#include "zmq_link/link.h"

enum {
    BATCH_HEAD = 8,
    BATCH_STREAM = 16,
    BATCH_RECORD = 40,
    BATCH_NAME_MOST = 1023,
    BATCH_STREAMS = 2 * LINK_RECORDS, /* each record and each end may have its own */
    BATCH_FLAGS = AFF_FLAG_GAP | AFF_FLAG_SUSPECT | AFF_FLAG_RESENT | AFF_FLAG_END | AFF_FLAG_PHI
};

/* ---- writing ---- */

struct batch {
    uint8_t *bytes; /* borrowed */
    size_t room, used;
    uint32_t streams, records, ends;
    uint64_t keys[BATCH_STREAMS]; /* the host's integers of stream and schema */
    struct aff_id ids[LINK_RECORDS];
};

struct batch_stream {
    uint64_t key; /* stream and schema, as integers */
    uint64_t schema;
    const char *subject, *name;
};

/* [data] Begins one in this memory, of BATCH_HEAD bytes at least. */
void batch_begin(struct batch *batch, void *memory, size_t room);
/* [data] Adds a record, or an end (flag END); false: it does not fit behind what is there. */
bool batch_add(struct batch *batch, const struct batch_stream *stream, const struct aff_record *record);
/* [data] Bytes that a record takes with a new stream of these names. */
size_t batch_need(const struct batch_stream *stream, uint32_t size);
/* [data] Writes the head; what is at `bytes`, `used` of it, is whole. */
void batch_end(struct batch *batch);
static inline bool batch_is_empty(const struct batch *batch)
{
    return batch->records + batch->ends == 0;
}

/* ---- reading ---- */

struct batch_item {
    bool is_stream;
    uint16_t stream; /* its index */
    /* a stream's; names are borrowed, and not ended by a zero */
    uint64_t schema;
    const char *subject, *name;
    uint16_t subject_size, name_size;
    /* a record's */
    uint8_t clock;
    uint16_t flags;
    uint32_t size;
    int64_t event_ns;
    struct aff_id id;
    const void *data; /* borrowed, at any address */
};

struct batch_reader {
    const uint8_t *at, *end;
    uint32_t streams, records;
};

/* [data] False: it is none; nothing of it may be used. Reads all of it once, so that
 * batch_next meets whole items alone. `size` bytes, borrowed. */
bool batch_open(struct batch_reader *reader, const void *bytes, size_t size);
/* [data] False: it was the last. */
bool batch_next(struct batch_reader *reader, struct batch_item *ret_item);

#endif
