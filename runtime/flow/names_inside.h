/* names_inside.h - what the table of names is made of.
 *
 * Shared by names.c, which keeps it while a pipeline runs, and names_keep.c, which
 * writes it for the store and reads it back.
 *
 * Not here: what others see of it (names.h). */
#ifndef AFFERENT_FLOW_NAMES_INSIDE_H
#define AFFERENT_FLOW_NAMES_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/names.h"

enum { NAMES_RELEASES = 4 };

struct subject {
    char *name;
    uint32_t generation;
    uint32_t by_source; /* streams that a source (or a maker) still writes to */
    uint32_t streams;   /* head of its list, 0: none */
    uint32_t late;      /* ends and releases of it that are not committed */
    uint64_t released[NAMES_RELEASES]; /* when the latest of these releases was; domains share places */
    uint64_t claims;    /* as stream.sources: asked for it, no stream yet */
    uint64_t born;      /* counts subjects: of one name the older has the lower */
    uint32_t held;      /* records of it that nodes hold */
    bool is_made;       /* by a processor: those that write to it count as sources do */
    bool ending;        /* in the list of those to let go */
};

struct stream {
    struct aff_stream_info info;
    char *name;
    uint32_t next; /* of the same subject */
    uint64_t sources; /* bit n % 64: node n writes to it and has not ended it */
};

struct schema {
    struct aff_schema public;
    uint64_t hash;
    char *text; /* owns all strings of it */
    struct aff_column *columns;
};

/* An end, or a release, that is not committed yet: what is stored must not know of
 * it. */
struct late {
    uint64_t when;
    uint64_t nodes; /* the bit of stream.sources that an end took away; 0: a release */
    uint32_t stream;
};

struct names {
    pthread_mutex_t lock;
    struct subject subjects[NAMES_SUBJECTS + 1];
    struct stream streams[NAMES_STREAMS + 1];
    struct schema schemas[NAMES_SCHEMAS + 1];
    uint32_t subject_top, stream_top, schema_top; /* highest ever used */
    uint32_t subject_free[NAMES_SUBJECTS], stream_free[NAMES_STREAMS];
    uint32_t subject_frees, stream_frees;
    uint32_t ending[NAMES_SUBJECTS];
    uint32_t ending_count;
    struct late *late;
    uint32_t late_count, late_room;
    uint64_t births;
    _Atomic uint64_t changes;
    _Atomic uint32_t subjects_live, streams_live;
};

static inline uint64_t names_node_bit(uint32_t node)
{
    return (uint64_t)1 << (node % 64u);
}

/* Under the lock, or while nobody else has the table: the list of those to let go. */
void names_ending(struct names *names, uint32_t subject);
/* Under the lock: the stream that names_by.kept means; 0: none. */
uint32_t names_kept(const struct names *names, const char *subject, const char *stream, const uint32_t *kept);
/* Empties the table. */
void names_clear(struct names *names);
/* False: no memory. `names_schema_copy` copies texts and columns. */
bool names_schema_hash(const struct aff_schema *schema, uint64_t *ret_hash);
bool names_schema_copy(struct schema *to, const struct aff_schema *schema);

#endif
