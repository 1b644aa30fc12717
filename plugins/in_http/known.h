/* SPDX-License-Identifier: Apache-2.0
 *
 * known.h - which requests were passed on already, by their keys, and the one that a death
 * cut in two. Both are the source's position.
 *
 * A key is a digest of who sends and what the header Idempotency-Key says; its print is that
 * of what was sent, so that a key that is used for something else is noticed. The time that
 * its records have is known before the first of them is passed on, so that they have it again
 * after a death. The last `room` are kept. Not here: digests (talk_body.c). */
#ifndef IN_HTTP_KNOWN_H
#define IN_HTTP_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct known_one {
    uint64_t key[2];
    uint64_t print;
    int64_t event_ns;   /* of its records */
    uint32_t records;   /* passed on */
    uint32_t set_aside; /* of these */
    uint32_t is_part;   /* more are to come, or were when this node died */
    uint32_t clock;     /* of the time */
    uint64_t epoch;     /* it is safe with; 0: of an earlier run. Not kept */
};

/* The request that was in hand when an epoch ended. */
struct known_torn {
    struct known_one one; /* records 0: none */
    uint32_t stream; /* of a file that has begun, 0: none */
};

struct known {
    struct known_one *ones; /* a ring, the oldest at `next` once it is full */
    uint32_t room, count, next;
};

/* NULL: it is not known. Borrowed until the next known_add. */
struct known_one *known_find(struct known *known, const uint64_t key[2]);
/* One with the same key is replaced, else the oldest where there is no place left. */
void known_add(struct known *known, const struct known_one *one);

/* As bytes, in order of age; the size, also where it exceeds the room: then nothing is
 * written. */
size_t known_write(const struct known *known, const struct known_torn *torn, void *to, size_t room);
/* False: these are not such bytes. More than fit: the oldest are left out. */
bool known_read(struct known *known, struct known_torn *torn, const void *from, size_t size);

#endif
