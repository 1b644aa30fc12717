/* wire.h - what the store keeps, as bytes.
 *
 * Little-endian, each piece carries its version. Records are stored with the
 * names of their subject and stream and the hash of their schema, so that a record
 * in a queue or a dead letter means the same in any later run.
 *
 * Readers of bytes trust nothing: a length that lies, a text that does not end, a
 * number out of range makes the whole piece bad, and is no crash.
 *
 * Not here: what a node keeps (snap.h), where it is kept (kept.h). */
#ifndef AFFERENT_FLOW_WIRE_H
#define AFFERENT_FLOW_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <afferent/plugin.h>

struct names;

/* A buffer that grows, and is used again. */
struct wire {
    uint8_t *bytes; /* aligned to 16 */
    size_t size;
    size_t room;
    bool failed; /* no memory */
};
void wire_clear(struct wire *wire);
void wire_free(struct wire *wire);
void wire_u8(struct wire *wire, uint8_t value);
void wire_u32(struct wire *wire, uint32_t value);
void wire_u64(struct wire *wire, uint64_t value);
void wire_bytes(struct wire *wire, const void *bytes, size_t size); /* u32 size, then bytes */
void wire_text(struct wire *wire, const char *text);                /* with its zero; NULL: none */
void wire_pad(struct wire *wire, size_t to);                        /* zeros up to a multiple */
/* Room for `more` bytes behind what is written, to be written directly: then add to
 * `size`. NULL: no memory, and `failed` says so. */
void *wire_room(struct wire *wire, size_t more);

/* Writes over four bytes that stand at `at` since an earlier wire_u32. */
void wire_patch_u32(struct wire *wire, size_t at, uint32_t value);

/* A reader; once `bad`, all it gives is 0 or NULL. */
struct wire_in {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};
uint8_t wire_in_u8(struct wire_in *in);
uint32_t wire_in_u32(struct wire_in *in);
uint64_t wire_in_u64(struct wire_in *in);
const void *wire_in_bytes(struct wire_in *in, size_t *ret_size); /* borrowed */
const char *wire_in_text(struct wire_in *in);                    /* borrowed, ended by zero */
const void *wire_in_take(struct wire_in *in, size_t size);       /* borrowed, without a size before */

/* A record with its names, as text: what a queue or a dead letter keeps. */
struct wire_record {
    struct aff_record record; /* data borrowed; subject, stream, schema 0 */
    const char *subject;
    const char *stream;
    uint64_t schema; /* identity: the hash of its canonical text */
};
/* [any] Appends the record. The payload comes first, so that it is as aligned as the
 * buffer is; names and header stand behind it, 59 bytes and the names. A record
 * without subject, stream or schema has empty names and schema 0. */
void wire_record(struct wire *wire, const struct names *names, const struct aff_record *record);
/* [any] The same, of a record that was read. */
void wire_record_again(struct wire *wire, const struct wire_record *from);
/* [any] The other way; texts and data are borrowed from `bytes`. False: they are bad. */
bool wire_record_read(const void *bytes, size_t size, struct wire_record *ret_record);
/* [any] Whether the payload is what its schema (NULL: not known) says: nodes trust
 * the host in this. */
bool wire_record_whole(const struct aff_record *record, const struct aff_schema *schema);
/* [any] The same, with subject, stream and schema as integers of this run; by: who
 * asks (names.h). origin is EDGE_NO_ORIGIN. False: its schema is not known here, the
 * payload is not whole by it, or there is no room for a name. */
struct names_by;
bool wire_record_intern(const struct wire_record *from, struct names *names, const struct names_by *by,
                        struct aff_record *ret_record);

/* A dead letter: the record and why. */
struct wire_letter {
    const char *node;   /* where it failed, by its name in the pipeline */
    const char *port;   /* input port of that node; NULL: made there, or a part set aside */
    const char *reason; /* verdict's name, or "refused" for a status DATA */
    const char *cause;  /* what explain said, for people; may be "" */
    int64_t utc_ns;     /* when, by the wall clock */
    uint64_t offset;    /* of a part set aside: where it began in its stream */
    bool is_part;       /* set aside out of an input: not to be tried again */
    uint32_t tries;     /* by `dlq retry` */
    struct wire_record record; /* of a part: its input's names; data is the part */
};
/* [any] record NULL: letter->record, as it was read; else that is passed over. */
void wire_letter(struct wire *wire, const struct names *names, const struct wire_letter *letter,
                 const struct aff_record *record);
/* [any] Texts and data are borrowed from `bytes`. False: they are bad. */
bool wire_letter_read(const void *bytes, size_t size, struct wire_letter *ret_letter);

/* What a group holds, and of which plan. */
struct wire_group {
    const char *const *nodes; /* names of the nodes, by index */
    uint32_t node_count;
    const uint64_t *below; /* by domain: epochs below this one are in the group */
    uint32_t domain_count;
};
/* [any, under the commit lock] The whole table of names: schemas, subjects, streams,
 * by their integers and generations (names_keep.c). Ends in epochs that are not in the
 * group are left out, as if they had not been. Nodes stand there by name, since the
 * next run may number them otherwise. Without news, by names_changes() and by what is
 * in the group, it gives the same bytes as before. */
void wire_names(struct wire *wire, struct names *names, const struct wire_group *group);
/* [control] Into an empty table. What was written by nodes alone that are no longer in
 * the plan is over. False: the bytes are bad, and the table is empty. */
bool wire_names_read(const void *bytes, size_t size, struct names *names, const char *const *nodes,
                     uint32_t node_count);
/* [control] For readers without a run: the schema of that hash out of such bytes;
 * NULL: it is not there. Given: free it. */
struct aff_schema *wire_schema_find(const void *bytes, size_t size, uint64_t hash);

#endif
