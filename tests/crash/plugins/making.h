/* making.h - what the test sources have in common: names, records, turns, the end.
 *
 * A source's struct begins with a struct making, so its close is making_close.
 *
 * Not here: what a source writes down, is told and goes on from (crash_*.c). */
#ifndef CRASH_MAKING_H
#define CRASH_MAKING_H

#include "pattern.h"
#include "ports.h"

enum { MAKING_STREAMS = 64, MAKING_FILES = 2 };

struct making {
    const struct aff_host *host;
    uint64_t seed;
    uint64_t next;    /* number of the record that is made next */
    int64_t again_ns; /* none is made before */
    uint32_t subject;
    uint32_t schema;
    uint32_t count; /* of streams */
    uint32_t ended; /* so many of them */
    uint32_t streams[MAKING_STREAMS];
    int files[MAKING_FILES]; /* -1: not open */
};

/* How many are made, and how fast. */
struct making_turns {
    int64_t records;
    int64_t burst;
    int64_t pause;
};

static inline void *making_new(const struct aff_host *host, size_t size, int64_t seed)
{
    struct making *m = (struct making *)host->alloc(host, size);

    if (!m)
        return NULL;
    m->host = host;
    m->seed = (uint64_t)seed;
    for (int i = 0; i < MAKING_FILES; i++)
        m->files[i] = -1;
    return m;
}

static inline void making_close(void *self)
{
    struct making *m = (struct making *)self;

    for (int i = 0; i < MAKING_FILES; i++)
        if (m->files[i] >= 0)
            (void)close(m->files[i]);
    m->host->free(m->host, m);
}

/* The subject, and so many streams of it. */
static inline aff_status making_names(struct making *m, int64_t streams)
{
    char name[16];

    m->subject = m->host->subject(m->host, "crash");
    m->schema = m->subject ? m->host->schema(m->host, &crash_block) : 0;
    for (; m->schema && m->count < (uint64_t)streams; m->count++) {
        pattern_stream_name(name, sizeof name, m->count);
        m->streams[m->count] = m->host->stream(m->host, m->subject, name, m->schema);
        if (!m->streams[m->count])
            return AFF_ERR_MEMORY;
    }
    return m->schema ? AFF_OK : AFF_ERR_MEMORY;
}

static inline int64_t making_time(uint64_t key)
{
    return (int64_t)key * 1000000;
}

/* The record of a number, to be emitted; NULL: there is no room. */
static inline struct aff_record *making_record(const struct making *m, uint64_t key, uint32_t size)
{
    struct aff_record *r = m->host->reserve(m->host, 0, AFF_NO_INPUT, size);

    if (!r)
        return NULL;
    pattern_fill(r->data, size, m->seed, key);
    r->type = AFF_BYTES;
    r->subject = m->subject;
    r->schema = m->schema;
    r->stream = m->streams[key % m->count];
    r->event_ns = making_time(key);
    return r;
}

static inline aff_status making_end(struct making *m)
{
    while (m->ended < m->count) {
        aff_status st = m->host->stream_end(m->host, 0, m->streams[m->ended]);

        if (st != AFF_OK)
            return st;
        m->ended++;
    }
    return AFF_END;
}

/* A source's read: a burst of records by `make`, a pause; behind the last, the end. */
static inline aff_status making_read(struct making *m, const struct making_turns *turns, uint32_t want,
                                     aff_status (*make)(struct making *m))
{
    uint64_t records = (uint64_t)turns->records;
    int64_t now = turns->pause ? m->host->now_ns(m->host) : 0;
    uint32_t most = want < (uint32_t)turns->burst ? want : (uint32_t)turns->burst;

    if (m->next < records && now < m->again_ns) {
        m->host->wake_at(m->host, m->again_ns);
        return AFF_AGAIN;
    }
    for (uint32_t i = 0; i < most; i++) {
        aff_status st = m->next < records ? make(m) : making_end(m);

        if (st != AFF_OK)
            return st;
    }
    m->again_ns = now + turns->pause;
    return AFF_OK;
}

#endif
