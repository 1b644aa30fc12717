/* value.h - one value of the store, as bytes.
 *
 *     magic 4 | size 4 | database 8 | key size 2, group 6 | key |
 *         plain:  check 8 | payload
 *         sealed: nonce 24 | payload, encrypted | tag 16
 *
 * All little-endian. A value says where it belongs, how long it is and in which
 * group it was written, so that it can be found and judged without the pages of
 * LMDB around it (rescue.c). The check is XXH3 over all of it; the seal covers
 * head and key as associated data. A check notices accidents and no intent: only a
 * seal does that.
 *
 * Not here: where values are kept (store.c), what is in a payload (flow/wire.h). */
#ifndef AFFERENT_KEEP_VALUE_H
#define AFFERENT_KEEP_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VALUE_HEAD = 24,
    VALUE_KEY_MOST = 511, /* LMDB's */
    SEAL_KEY = 32,
    SEAL_ID = 16
};

/* The first four bytes, in a file. */
extern const uint8_t value_plain[4];
extern const uint8_t value_sealed[4];

/* How values are written: in plain, or with a key. */
struct seal {
    bool is_on;
    uint8_t key[SEAL_KEY];
};
/* [control] NULL: in plain. False: the library of ciphers does not start. */
bool seal_set(struct seal *seal, const uint8_t *key);
void seal_forget(struct seal *seal);
/* What tells one key from another, and does not lead back to it. */
void seal_id(const struct seal *seal, uint8_t ret_id[SEAL_ID]);

/* The hash by which a value names its database. */
uint64_t value_database(const char *name);

/* Where a value stands. */
struct value_place {
    uint64_t database;
    const void *key;
    size_t key_size; /* 1 to VALUE_KEY_MOST */
};

/* [any] The bytes that a payload takes as a value; SIZE_MAX: it is too long. */
size_t value_size(const struct seal *seal, size_t key_size, size_t size);
/* [any] Writes a value of that size to `to`. */
void value_write(const struct seal *seal, const struct value_place *place, uint64_t group,
                 const void *bytes, size_t size, uint8_t *to);

/* A value that was found; all pointers go into the bytes looked at. */
struct value {
    struct value_place place;
    uint64_t group;
    const uint8_t *head;
    const uint8_t *body; /* behind the key */
    size_t size;         /* of the payload */
    size_t whole;        /* of all */
    bool is_sealed;
};
/* [any] Takes a head apart; compares lengths with `room`, and trusts nothing. False:
 * these bytes do not begin with a value, or it is longer than `room`. */
bool value_look(const void *bytes, size_t room, struct value *ret_value);
/* [any] Whether it is whole, by check or seal; the payload is copied to `to` (NULL: only
 * asked). False also where it is sealed and there is no key, or the other way round. */
bool value_open(const struct seal *seal, const struct value *value, void *to);
/* [any] Both, for one place: what stands there is expected to fill `bytes` exactly. */
bool value_read(const struct seal *seal, const struct value_place *place, const void *bytes, size_t room,
                struct value *ret_value);

/* [any] What a record counts for in store_limit: payload + 62, above 2 KiB whole pages. */
uint64_t value_cost(const struct seal *seal, size_t key_size, size_t size);

#endif
