/* query.h - reads an archive, also while it is written, also when it is damaged.
 *
 * Records come in order of subject, stream, time. Each step looks at the newest
 * state, copies what it gives out, and lets go: a reader that waits on its
 * terminal never holds the writer's pages. A record that is written while the
 * query runs is in it, if its place in the order had not gone by.
 *
 * Not here: who the subject is to the host (out_lmdb.c).
 */
#ifndef OUT_LMDB_QUERY_H
#define OUT_LMDB_QUERY_H

#include <afferent/plugin.h>

#include "format.h"

struct archive_query;

/* What is wanted; NULL: all of them. Time: from the first to before the second. */
struct archive_filter {
    const char *subject;
    const char *stream;
    int64_t from;
    int64_t to;
};

/* A record as it was put, but for subject, stream and schema, which are the
 * archive's. All pointers are borrowed until the next step. */
struct archive_found {
    struct archive_key key;
    uint64_t schema;
    uint16_t flags;
    uint8_t type;
    uint8_t clock;
    const void *data; /* aligned to 16 */
    uint32_t size;
};

aff_status query_open(struct archive_query **ret, const char *path, const struct archive_filter *filter,
                      char *cause, size_t room);
void query_close(struct archive_query *query);

/* AFF_OK: a record; AFF_END; AFF_ERR_DATA: something damaged was stepped over,
 * the next call goes on behind it; other errors end the query. */
aff_status query_next(struct archive_query *query, struct archive_found *ret);

/* Names of the record found last, ended by a zero; "#NUMBER" where the row that
 * holds the name is damaged. NULL: no memory. */
const char *query_subject(struct archive_query *query, const struct archive_found *found);
const char *query_stream(struct archive_query *query, const struct archive_found *found);
/* Canonical text of a schema, NULL if it is damaged or not there. */
const char *query_schema(struct archive_query *query, uint64_t hash, size_t *ret_length);

const char *query_cause(const struct archive_query *query);
/* Damaged pages and values so far. */
uint64_t query_damaged(const struct archive_query *query);

#endif
