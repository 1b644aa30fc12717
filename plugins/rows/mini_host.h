/* SPDX-License-Identifier: Apache-2.0
 *
 * mini_host.h - the smallest host that op_csv and op_json run in, for benchmark
 * and fuzz programs: one stream, a ring that is never full, a hash over the rows.
 *
 * Not here: any check of what a plugin does; that is the test kit's. */
#ifndef ROWS_MINI_HOST_H
#define ROWS_MINI_HOST_H

#include <afferent/plugin.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MINI_RING = 1 << 20 };

struct mini_host {
    struct aff_host host;
    struct aff_stream_info stream;
    struct aff_schema schema;
    void *state;
    char *ring;
    size_t at;
    struct aff_record draft;
    const struct aff_record *input;
    uint32_t port; /* of the draft */
    uint64_t rows, dead; /* rows: on the first port */
    uint64_t counts[8]; /* metrics */
    uint64_t hash; /* over the rows, if `hashes` */
    bool hashes;
};

static inline struct mini_host *host_of(const struct aff_host *host)
{
    union {
        const struct aff_host *from;
        struct mini_host *to;
    } p = { host };

    return p.to;
}

static inline void *host_alloc(const struct aff_host *host, size_t size)
{
    (void)host;
    return calloc(1, size);
}

static inline void host_free(const struct aff_host *host, void *memory)
{
    (void)host;
    free(memory);
}

static inline int64_t host_now(const struct aff_host *host)
{
    (void)host;
    return 0;
}

static inline void host_log(const struct aff_host *host, int level, const char *format, ...)
{
    (void)host;
    (void)level;
    (void)format;
}

static inline aff_status host_explain(const struct aff_host *host, aff_status status, const char *format, ...)
{
    (void)host;
    (void)format;
    return status;
}

static inline void host_count(const struct aff_host *host, uint32_t metric, uint64_t by)
{
    if (metric < sizeof host_of(host)->counts / sizeof host_of(host)->counts[0])
        host_of(host)->counts[metric] += by;
}

static inline uint32_t host_subject(const struct aff_host *host, const char *name)
{
    (void)host;
    (void)name;
    return 1;
}

static inline uint32_t host_stream(const struct aff_host *host, uint32_t subject, const char *name, uint32_t schema)
{
    (void)host;
    (void)subject;
    (void)name;
    (void)schema;
    return 1;
}

static inline uint32_t host_schema(const struct aff_host *host, const struct aff_schema *schema)
{
    (void)host;
    (void)schema;
    return 1;
}

static inline const struct aff_stream_info *host_stream_info(const struct aff_host *host, uint32_t stream)
{
    (void)stream;
    return &host_of(host)->stream;
}

static inline aff_status host_state_open(const struct aff_host *host, size_t bytes, int per_subject)
{
    (void)per_subject;
    host_of(host)->state = calloc(1, bytes);
    return host_of(host)->state ? AFF_OK : AFF_ERR_MEMORY;
}

static inline void *host_state(const struct aff_host *host, uint32_t stream)
{
    (void)stream;
    return host_of(host)->state;
}

static inline struct aff_record *host_reserve(const struct aff_host *host, uint32_t port, uint32_t input, uint32_t size)
{
    struct mini_host *h = host_of(host);

    (void)input;
    h->port = port;
    if (size > MINI_RING)
        return NULL;
    if (h->at + size > MINI_RING)
        h->at = 0;
    h->draft = *h->input;
    h->draft.data = h->ring + h->at;
    return &h->draft;
}

/* FNV-1a. */
static inline void mini_hash(struct mini_host *h, const struct aff_record *r, uint32_t size)
{
    const unsigned char *at = r->data;
    uint32_t i;

    h->hash = (h->hash ^ (uint64_t)r->event_ns) * UINT64_C(1099511628211);
    h->hash = (h->hash ^ r->flags) * UINT64_C(1099511628211);
    for (i = 0; i < size; i++)
        h->hash = (h->hash ^ at[i]) * UINT64_C(1099511628211);
}

static inline aff_status host_emit(const struct aff_host *host, struct aff_record *draft, uint32_t size)
{
    struct mini_host *h = host_of(host);

    if (h->hashes)
        mini_hash(h, draft, size);
    h->at += (size + 15u) & ~15u;
    h->rows += h->port == 0;
    return AFF_OK;
}

static inline aff_status host_dead(const struct aff_host *host, uint32_t input, uint8_t verdict, uint64_t offset,
                            const void *bytes, uint32_t size)
{
    (void)input;
    (void)verdict;
    (void)offset;
    (void)bytes;
    (void)size;
    host_of(host)->dead++;
    return AFF_OK;
}

static inline aff_status host_stream_end(const struct aff_host *host, uint32_t port, uint32_t stream)
{
    (void)host;
    (void)port;
    (void)stream;
    return AFF_OK;
}

static inline void mini_open(struct mini_host *h)
{
    *h = (struct mini_host){
        .host = { .struct_size = sizeof h->host, .major = AFF_ABI_MAJOR, .alloc = host_alloc, .free = host_free,
                  .now_ns = host_now, .log = host_log, .explain = host_explain, .count = host_count,
                  .subject = host_subject, .stream = host_stream, .schema = host_schema,
                  .stream_info = host_stream_info, .state_open = host_state_open, .state = host_state,
                  .reserve = host_reserve,
                  .emit = host_emit, .stream_end = host_stream_end, .dead = host_dead },
        .stream = { .stream = 1, .subject = 1, .schema = 1, .name = "vitals", .subject_name = "bench" },
        .ring = malloc(MINI_RING),
    };
    if (!h->ring)
        exit(1);
}

static inline void mini_close(struct mini_host *h)
{
    free(h->state);
    free(h->ring);
}

#endif
