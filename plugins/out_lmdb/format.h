/* format.h - how keys and values of the archive look on disk.
 *
 * A key is 32 bytes, big-endian, so that its byte order is the order of
 * subject, stream, event time and record id. A value is a head of 32 bytes,
 * little-endian, and a body. The head begins with a checksum over database,
 * key, head and body: a value that was moved, cut or flipped is found out.
 *
 * Not here: what a body holds (pack.c, run.c), and LMDB itself.
 */
#ifndef OUT_LMDB_FORMAT_H
#define OUT_LMDB_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The item that says what this is and what may read it. */
#define FORMAT_KEY "format"
#define FORMAT_NAME "afferent archive" /* 16 bytes */
#define FORMAT_VERSION 1u
enum { FORMAT_BYTES = 8 + 16 + 4 };

enum {
    KEY_BYTES = 32,
    VALUE_HEAD = 32,
};

/* The databases; the numbers go into the checksums and never change. */
enum archive_db {
    DB_META = 1,
    DB_NAMES = 2,
    DB_SCHEMAS = 3,
    DB_RECORDS = 4,
    DB_SAMPLES = 5,
};

/* What was done to a body. */
enum {
    CODEC_PACKED = 1, /* samples, by pack.c */
    CODEC_LZ4 = 2,    /* last step, over everything else */
    CODEC_RUN = 4,    /* several records, by run.c */
};

struct archive_key {
    uint32_t subject;
    uint32_t stream;
    int64_t time;
    uint64_t id[2];
};

struct value {
    uint8_t codec;
    uint8_t type;
    uint8_t clock;
    uint8_t format;    /* of samples, else 0 */
    uint16_t channels; /* of samples, else 0 */
    uint16_t flags;
    uint32_t count; /* records in the body */
    uint32_t size;  /* bytes of the body before CODEC_LZ4 */
    uint64_t schema;
    const uint8_t *body;
    size_t body_size;
};

struct archive_format {
    bool known;  /* the name is ours */
    bool whole;  /* the checksum is right; only looked at in a version we know */
    uint32_t version;
};

void format_write(uint8_t out[FORMAT_BYTES]);
struct archive_format format_read(const uint8_t *in, size_t size);
/* AFF_OK, or why this archive cannot be used. */
int32_t format_judge(const struct archive_format *format, char *cause, size_t room);

uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);
uint64_t get_u64(const uint8_t *p);
void put_u16(uint8_t *p, uint16_t v);
void put_u32(uint8_t *p, uint32_t v);
void put_u64(uint8_t *p, uint64_t v);
uint32_t get_be32(const uint8_t *p);
void put_be32(uint8_t *p, uint32_t v);
uint64_t get_be64(const uint8_t *p);
void put_be64(uint8_t *p, uint64_t v);

void key_write(uint8_t out[KEY_BYTES], const struct archive_key *key);
void key_read(struct archive_key *out, const uint8_t in[KEY_BYTES]);
int key_compare(const struct archive_key *a, const struct archive_key *b);
/* The next key in order; false if there is none in the same lane. */
bool key_step(struct archive_key *key);

/* Checksum of a stored item: `data` is the item without its first 8 bytes. */
uint64_t item_sum(enum archive_db db, const void *key, size_t key_size, const void *data, size_t size);

/* Writes head and checksum in front of a body that already stands at
 * out + VALUE_HEAD, v->body_size bytes long. */
void value_seal(uint8_t *out, const struct value *v, enum archive_db db, const uint8_t key[KEY_BYTES]);
/* Reads and verifies; v->body points into `in`. False: damaged. */
bool value_open(struct value *v, enum archive_db db, const uint8_t *key, const uint8_t *in, size_t size);

/* Compresses the body at out + VALUE_HEAD in place if that saves an eighth;
 * `room` is scratch of v->body_size bytes. */
void value_squeeze(uint8_t *out, struct value *v, uint8_t *room);
/* Undoes it: gives the body of v->size bytes, in `room` if it was compressed.
 * NULL: damaged. */
const uint8_t *value_expand(const struct value *v, uint8_t *room);

#endif
