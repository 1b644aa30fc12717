/* pattern.h - payloads that are made from a seed and a number, and nothing else.
 *
 * Word 0 is the number, word 1 what crash_running puts there (0 before), the rest
 * chance. Sizes are chance as well, and no multiple of anything. */
#ifndef CRASH_PATTERN_H
#define CRASH_PATTERN_H

#include <afferent/plugin.h>

#include <stdio.h>

#include "far.h"

enum { PATTERN_LEAST = 16 };

static inline uint64_t pattern_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static inline uint32_t pattern_size(uint64_t seed, uint64_t key, uint32_t least, uint32_t most)
{
    uint64_t chance = pattern_mix(seed ^ pattern_mix(key));

    return least + (uint32_t)(chance % (most - least + 1u));
}

static inline void pattern_fill(void *data, uint32_t size, uint64_t seed, uint64_t key)
{
    uint8_t *out = (uint8_t *)data;
    uint64_t chance = pattern_mix(seed + pattern_mix(~key)), none = 0;

    memcpy(out, &key, 8);
    memcpy(out + 8, &none, 8);
    for (uint32_t i = 16; i < size; i++) {
        if (i % 8u == 0)
            chance = pattern_mix(chance);
        out[i] = (uint8_t)(chance >> (i % 8u * 8u));
    }
}

static inline uint64_t pattern_key(const struct aff_record *record)
{
    uint64_t key = UINT64_MAX - 1u;

    if (record->size >= PATTERN_LEAST)
        memcpy(&key, record->data, 8);
    return key;
}

/* What crash_running keeps of a stream, one record on. */
static inline uint64_t pattern_run(uint64_t running, uint64_t key)
{
    return pattern_mix(running ^ pattern_mix(key + 1u));
}

static inline void pattern_stream_name(char *out, size_t room, uint64_t number)
{
    snprintf(out, room, "s%u", (unsigned)number);
}

static inline uint32_t pattern_stream(const char *name)
{
    return (uint32_t)far_hash(name, strlen(name));
}

/* The line of a record as a source makes it. */
static inline struct far_line pattern_made(uint64_t key, const void *data, uint32_t size, int64_t event_ns,
                                           const char *stream)
{
    struct far_line line = far_line(FAR_MADE, key);

    line.hash = far_hash(data, size);
    line.size = size;
    line.event_ns = event_ns;
    line.stream = pattern_stream(stream);
    return line;
}

/* The line of a record as it came to a sink. */
static inline struct far_line pattern_came(const struct aff_host *host, const struct aff_record *r, enum far_kind kind)
{
    const struct aff_stream_info *info = host->stream_info(host, r->stream);
    struct far_line line = far_line(kind, pattern_key(r));

    line.hash = far_hash(r->data, r->size);
    line.size = r->size;
    line.event_ns = r->event_ns;
    line.stream = info ? pattern_stream(info->name) : 0;
    line.id_source = r->id.source;
    line.id_seq = r->id.seq;
    line.flags = r->flags;
    return line;
}

#endif
