/* SPDX-License-Identifier: Apache-2.0
 *
 * link.h - what two Afferents say to each other over ZeroMQ: version 1.
 *
 * A message is one frame, the head, or two, the head and a payload. All numbers are
 * little-endian. CURVE has authenticated both ends before the first of these bytes.
 *
 *   0  8  "aff-link"                12  4  bytes of the payload when unpacked
 *   8  2  version, 1                16  8  number: of the session, or of the batch
 *  10  1  kind                      24  8  argument
 *  11  1  flags: 1 lz4, 2 sent before
 *
 *   HELLO    ->  number: the session's; argument: the sender's life, random
 *   WELCOME  <-  number: the same; argument: largest payload that is taken, unpacked
 *   SCHEMA   ->  argument: hash of its payload (schema.h)
 *   BATCH    ->  number: rising; argument: batches up to this number never come again;
 *                payload: batch.h
 *   ANSWER   <-  number: the batch's; argument: a bit for each record that is refused.
 *                All others are safe
 *   REFUSED  <-  number: as in what is refused; argument: enum link_refusal
 *
 * A batch may come again in a later session, with its flag: it has the same ids. A
 * schema is said once a session, before the first batch that uses it. Whoever reads a
 * version above its own answers REFUSED by LINK_VERSION and looks no further; a later
 * version reads this one.
 *
 * Not here: sockets and keys. */
#ifndef ZMQ_LINK_LINK_H
#define ZMQ_LINK_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINK_VERSION_1 = 1, LINK_HEAD = 32, LINK_RECORDS = 64, LINK_SCHEMA_MOST = 64 << 10 };

/* When the other end is taken for gone, at both: with nothing to send it is asked after
 * LINK_IDLE_S, LINK_PROBES times, LINK_PROBE_S apart; what TCP has sent and nobody takes is
 * waited for as long. A thin link holds seconds of what others send before an answer. */
enum { LINK_IDLE_S = 10, LINK_PROBE_S = 3, LINK_PROBES = 3, LINK_SILENT_MS = 1000 * (LINK_IDLE_S + LINK_PROBES * LINK_PROBE_S) };

enum link_kind { LINK_HELLO = 1, LINK_WELCOME, LINK_SCHEMA, LINK_BATCH, LINK_ANSWER, LINK_REFUSED };
enum { LINK_LZ4 = 1, LINK_RESENT = 2 };
enum link_refusal {
    LINK_IS_NEWER = 1, /* it speaks a version that is not known here */
    LINK_MALFORMED,
    LINK_NO_HELLO,     /* or of a session that is forgotten: begin anew */
    LINK_TOO_LARGE,
    LINK_SCHEMAS       /* more than are kept of a node, or one that was not said */
};

struct link_head {
    uint8_t kind; /* enum link_kind */
    uint8_t flags;
    uint32_t size;
    uint64_t number, argument;
};

/* [any] */
void link_head_write(uint8_t bytes[LINK_HEAD], const struct link_head *head);
/* 0, or why it is none: LINK_IS_NEWER, LINK_MALFORMED. The head of a newer version is
 * read as far as number and argument. */
int link_head_read(const void *bytes, size_t size, struct link_head *ret_head);

/* The payload, unpacked into `room` bytes at `to` where it is packed; *ret_bytes is
 * there, or borrowed of `payload`. 0, LINK_TOO_LARGE (looked at before anything is
 * unpacked), LINK_MALFORMED. */
struct link_payload {
    const void *bytes;
    size_t size;
};
int link_unpack(const struct link_head *head, struct link_payload payload, void *to, size_t room,
                struct link_payload *ret_payload);

/* Little-endian numbers at any address. */
static inline void put_le(uint8_t *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t get_le(const uint8_t *from, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)from[i] << (8 * i);
    return value;
}

#endif
