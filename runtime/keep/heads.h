/* heads.h - what the store keeps about itself, in its database `state`.
 *
 * Keys begin with a byte that says what they are: the format, which stands first and
 * is never sealed, so that it can be read by whoever opens; the store's own counts;
 * one a queue; and the named pieces of the data path.
 *
 * Not here: values (value.h), pages (pages.h). */
#ifndef AFFERENT_KEEP_HEADS_H
#define AFFERENT_KEEP_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "keep/value.h"

#define HEADS_STATE "state"
#define HEADS_DEAD "dead"
#define HEADS_NODE "node"
#define HEADS_QUEUE "q:" /* and the queue's name */
#define HEADS_DATA "data.mdb"

enum { HEAD_FORMAT = 1, HEAD_STORE = 2, HEAD_QUEUE = 3, HEAD_PIECE = 4 };
enum { HEADS_VERSION = 1, HEADS_NAME_MOST = 480, HEADS_NUMBER = 8 };

/* A key, or the name of a database: bytes, ended by zero too. */
struct heads_key {
    size_t size;
    uint8_t bytes[VALUE_KEY_MOST + 1];
};
/* False: the name is too long or empty. */
bool heads_key(struct heads_key *ret_key, int kind, const char *name);
bool heads_database(struct heads_key *ret_key, const char *queue);
/* The key of letter `number` in node `name`'s list. */
bool heads_node(struct heads_key *ret_key, const char *name, uint64_t number);

void heads_number_put(uint8_t to[HEADS_NUMBER], uint64_t number); /* big-endian: sorts */
uint64_t heads_number(const uint8_t from[HEADS_NUMBER]);

struct heads_format {
    uint32_t version;
    bool is_sealed;
    uint8_t key_id[SEAL_ID];
};
/* What all transactions write. */
struct heads_store {
    uint64_t group;
    uint64_t incarnation;
    uint64_t letters;      /* number of the next letter */
    uint64_t lost, set_aside;
    uint64_t used;
    int64_t utc_ns, boot_ns;
    uint8_t boot_id[16];
    bool is_clean;         /* closed in order after that */
};
struct heads_queue {
    uint64_t next;  /* above the newest that was ever stored */
    uint64_t acked; /* all up to this one are done with */
    uint64_t records, bytes;
    uint32_t priority;
};

enum { HEADS_FORMAT_BYTES = 40, HEADS_STORE_BYTES = 96, HEADS_QUEUE_BYTES = 40 };
void heads_format_write(const struct heads_format *format, uint8_t to[HEADS_FORMAT_BYTES]);
void heads_store_write(const struct heads_store *store, uint8_t to[HEADS_STORE_BYTES]);
void heads_queue_write(const struct heads_queue *queue, uint8_t to[HEADS_QUEUE_BYTES]);
/* False: these bytes are none. */
bool heads_format_read(const uint8_t *from, size_t size, struct heads_format *ret_format);
bool heads_store_read(const uint8_t *from, size_t size, struct heads_store *ret_store);
bool heads_queue_read(const uint8_t *from, size_t size, struct heads_queue *ret_queue);

/* [any] Writes down the clocks, as they are now. */
void heads_now(struct heads_store *store);

#endif
