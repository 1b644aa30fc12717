/* SPDX-License-Identifier: Apache-2.0
 *
 * parts.h - texts that are longer than a short message: cut for sending, joined
 * when they come (3GPP TS 23.040, 9.2.3.24.1).
 *
 * Parts come in any order, twice, or never. What waits for its other parts is
 * bounded in number and time; what gives up its place is handed out as far as it
 * is there.
 *
 * Not here: the messages themselves (pdu.h), where they are stored. */
#ifndef IN_MODEM_PARTS_H
#define IN_MODEM_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pdu.h"

/* ---- cutting ---- */

enum { PARTS_MOST = 255, SINGLE_SEPTETS = 160, PART_SEPTETS = 153, SINGLE_UNITS = 70, PART_UNITS = 67 };

/* Where the parts of a text end, as an index of units; ends[count - 1] is where
 * the last does: below the text's length if it needs more than `most` parts. */
struct sms_cuts {
    enum sms_coding coding; /* SMS_GSM7 where the alphabet has all of it, else SMS_UCS2 */
    uint16_t count;         /* at least 1, also for an empty text */
    uint16_t ends[PARTS_MOST];
};
/* Cuts into as few parts as it takes, never between an escape and its letter or
 * the halves of a pair. `most`: 1 to PARTS_MOST. `count` up to 65535. */
void sms_cut(const uint16_t *units, size_t count, uint16_t most, struct sms_cuts *ret);

/* ---- joining ---- */

/* Where the modem keeps a part. Not old and without a slot: it does not. */
enum { NO_SLOT = 0xffff, NO_STORE = 0xff };

struct place {
    uint16_t slot;  /* index in the store, or NO_SLOT */
    uint8_t store;  /* which store */
    uint8_t looked; /* stores that were listed without it since it is old, by bit */
    bool old;       /* of the modem as it was: to be found anew */
    bool seen;      /* in the list that runs */
};

struct part {
    struct sms sms;
    uint64_t digest;  /* of the PDU and its copy: tells a part that came twice */
    uint64_t pdu;     /* of the PDU alone */
    int64_t since_ns; /* boot clock: when it came */
    int64_t seen_ns;  /* UTC: when it came */
    uint64_t order;   /* counts up: which came first */
    uint64_t epoch;   /* with this it becomes `kept`: a restart does not forget it */
    union {
        uint16_t slot; /* of `at` */
        struct place at;
    };
    uint16_t copy; /* which of those with equal PDUs, from 0 */
    uint8_t clock; /* of seen_ns */
    bool kept;
    bool closed; /* its message waits for no more parts */
    bool used;
};

/* The pool is the caller's memory: `room` parts, zeroed at first. */
struct joiner {
    struct part *parts;
    uint32_t room, count;
    uint64_t order;
};

enum join_result { JOIN_TAKEN, JOIN_TWICE, JOIN_FULL };
/* Takes a copy of a part (also of a message that is whole by itself). TWICE: it
 * is there already, also its slot is now the given one; FULL: there is no room,
 * take a message by joiner_oldest first. */
enum join_result joiner_add(struct joiner *j, const struct part *part);

/* A message that is whole, or the one that waits longest: `count` parts in their
 * order; missing ones are NULL. Borrowed until the next add or drop. */
struct joined {
    struct part *parts[PARTS_MOST];
    uint16_t count;   /* 1 for one by itself */
    uint16_t present; /* of them */
};
/* The whole message that came first; false: there is none. */
bool joiner_whole(struct joiner *j, struct joined *ret);
/* The message whose last part came longest ago; false: the pool is empty. Whether
 * it is due is the caller's to say, by joined_newest. */
bool joiner_oldest(struct joiner *j, struct joined *ret);
int64_t joined_newest(const struct joined *joined);
/* The part that came first: it has the sender and the time. Never NULL. */
const struct part *joined_first(const struct joined *joined);
/* Its text as UTF-8, whole characters of it, at most `room` bytes. Where parts
 * are missing stands U+2026. */
size_t joined_text(const struct joined *joined, char *to, size_t room);
/* Forgets the parts of this message. */
void joiner_drop(struct joiner *j, const struct joined *joined);

#endif
