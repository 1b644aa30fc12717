/* SPDX-License-Identifier: Apache-2.0
 *
 * known.h - which message is which, and which were handed on already.
 *
 * A message is known by its topic, its content and what its publisher says of it, or else its
 * packet's number: a second delivery has the same. The last `room` of them are kept,
 * and are the source's position.
 *
 * What has no id of its publisher and the same number and content as a known one is that
 * one again where the broker says so (DUP), and else another, the `turn`-th of its kind.
 *
 * The message that is under way has its time here before it is handed on, so that it has it
 * again when it comes again after a death. */
#ifndef IN_MQTT_KNOWN_H
#define IN_MQTT_KNOWN_H

#include <afferent/plugin.h>

#include <stdbool.h>

struct digest {
    uint64_t words[2];
};

struct message_marks {
    const char *topic;
    const char *id; /* of the publisher; NULL, or empty: it gives none */
    uint32_t id_size;
    const void *payload;
    uint32_t size;
    uint16_t packet;
    bool is_again; /* DUP */
};

struct known_one {
    struct digest digest;
    uint64_t turn;
};

/* A time that a message was given, which brings none. */
struct known_stamp {
    struct known_one one;
    int64_t event_ns;
    uint64_t clock;
};

struct known {
    struct known_stamp stamp; /* of the last one */
    struct known_one *ones; /* a ring, the oldest at `next` once it is full */
    uint32_t room, count, next;
    uint64_t key[2]; /* of the digests */
};

/* [control] The key, from the session's name: the same after a death that came before anything
 * was stored, so that a message that comes again makes the same record. */
void known_key(struct known *known, const char *session);

/* [any] What tells it from all others but for its turn. */
struct digest known_digest(const struct known *known, const struct message_marks *marks);
/* [data] True: it was handed on before. Else *ret_one is what to hand on, and to add. */
bool known_is(const struct known *known, const struct message_marks *marks, struct known_one *ret_one);
/* [data] The oldest gives its place where there is none left. */
void known_add(struct known *known, const struct known_one *one);

/* [data] As bytes, in order of age; the size, also where it exceeds the room: then nothing is
 * written. */
size_t known_write(const struct known *known, void *to, size_t room);
/* [data] False: these are not such bytes. More than fit: the oldest are left out. */
bool known_read(struct known *known, const void *from, size_t size);

#endif
