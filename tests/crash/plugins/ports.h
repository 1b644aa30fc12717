/* ports.h - what crosses the ports of the test plugins, and the instance of one
 * that keeps nothing but its host.
 *
 * Not here: what a payload holds (pattern.h). */
#ifndef CRASH_PORTS_H
#define CRASH_PORTS_H

#include <afferent/plugin.h>

static const struct aff_schema crash_block = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_BYTES,
    .name = "crash",
    .stride = sizeof(struct aff_column),
};

static const struct aff_port crash_inputs[] = {
    { .name = "in", .doc = "Records of crash_source.", .types = AFF_MASK(AFF_BYTES) },
};

/* The fields of an output port. */
#define CRASH_OUTPUT(about, rank) \
    .name = "out", .doc = (about), .schema = &crash_block, .types = AFF_MASK(AFF_BYTES), .priority = (rank)

struct passing {
    const struct aff_host *host;
};

static inline struct passing *passing_new(const struct aff_host *host)
{
    struct passing *p = (struct passing *)host->alloc(host, sizeof *p);

    if (p)
        p->host = host;
    return p;
}

static inline void passing_close(void *self)
{
    struct passing *p = (struct passing *)self;

    p->host->free(p->host, p);
}

#endif
