/* ends.c - see ends.h. */
#include "ends.h"

#include <string.h>

struct end_self {
    const struct aff_host *host;
    struct far_end *end;
    uint32_t failed;
};

static aff_status end_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct end_self *s = host->alloc(host, sizeof *s);

    if (!s)
        return AFF_ERR_MEMORY;
    s->host = host;
    s->end = (struct far_end *)(uintptr_t)config;
    *ret_self = s;
    return AFF_OK;
}

static void end_close(void *self)
{
    struct end_self *s = self;

    s->host->free(s->host, s);
}

static void note(struct far_end *e, struct seen *seen, const struct aff_record *r)
{
    if (seen->times > 0) {
        e->unmarked += !(r->flags & AFF_FLAG_RESENT);
        e->renamed += seen->id.source != r->id.source || seen->id.seq != r->id.seq;
    }
    seen->times++;
    seen->id = r->id;
}

/* The sum of a stream's first n seqs: stream i has i, i + ENDS_STREAMS, ... */
static uint64_t sum_of(uint64_t stream, uint64_t n)
{
    return n * stream + ENDS_STREAMS * (n * (n - 1u) / 2u);
}

void far_end_take(struct far_end *e, const struct aff_record *r)
{
    uint64_t x[3] = { 0 };

    memcpy(x, r->data, r->size < sizeof x ? r->size : sizeof x);
    if (r->size == sizeof x) { /* a sum: stream, count, sum */
        if (x[0] >= ENDS_STREAMS || x[1] >= ENDS_RECORDS || x[2] != sum_of(x[0], x[1])) {
            e->wrong++;
            return;
        }
        note(e, &e->sums[x[0] * ENDS_RECORDS + x[1]], r);
    } else if (x[0] < ENDS_RECORDS) {
        note(e, &e->records[x[0]], r);
    } else {
        e->invented++;
    }
}

static aff_status end_write(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct end_self *s = self;
    uint64_t seq, bytes = 0;
    uint32_t i;

    for (i = 0; i < batch->count; i++)
        bytes += batch->records[i].size;
    s->end->most = bytes > s->end->most ? bytes : s->end->most;
    if (s->end->is_dead || s->failed < s->end->fails) {
        s->failed++;
        return AFF_ERR_IO;
    }
    s->failed = 0;
    for (; *ret_taken < batch->count; ++*ret_taken) {
        memcpy(&seq, batch->records[*ret_taken].data, sizeof seq);
        if (s->end->refuses && seq == s->end->refuses)
            return s->host->explain(s->host, AFF_ERR_DATA, "of no use");
        far_end_take(s->end, &batch->records[*ret_taken]);
    }
    return AFF_OK;
}

static aff_status end_stream(void *self, uint32_t port, const struct aff_record *mark)
{
    struct end_self *s = self;

    (void)port;
    (void)mark;
    s->end->ends++;
    return AFF_OK;
}

static const struct aff_port in_any[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port out_two[] = {
    { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "sums", .types = AFF_MASK(AFF_BYTES) },
};
const struct aff_plugin far_end = {
    .struct_size = sizeof far_end, .major = AFF_ABI_MAJOR, .kind = AFF_SINK, .name = "far_end",
    .inputs = AFF_TABLE(in_any), .open = end_open, .close = end_close, .write = end_write,
    .stream_end = end_stream,
};

/* ---- a processor with state: every seventh record of a stream, the sum so far ---- */

struct sums {
    uint64_t count, sum, first;
};

static aff_status sums_open(const struct aff_host *host, const void *config, void **ret_self)
{
    (void)config;
    *ret_self = (void *)(uintptr_t)host;
    return host->state_open(host, sizeof(struct sums), 0);
}

static aff_status sums_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    const struct aff_host *host = self;
    uint64_t seq;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];
        struct sums *s = host->state(host, r->stream);

        memcpy(&seq, r->data, sizeof seq);
        if (s->count == 0)
            s->first = seq;
        s->count++;
        s->sum += seq;
        if (s->count % ENDS_SUM_EVERY == 0) {
            struct aff_record *d = host->reserve(host, 1, i, 24);
            uint64_t x[3] = { s->first, s->count, s->sum };

            if (!d)
                return AFF_ERR_MEMORY;
            memcpy(d->data, x, sizeof x);
            if (host->emit(host, d, sizeof x) < 0)
                return AFF_ERR_BUG;
        }
    }
    return AFF_OK;
}

const struct aff_plugin sums = {
    .struct_size = sizeof sums, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "sums",
    .inputs = AFF_TABLE(in_any), .outputs = AFF_TABLE(out_two), .open = sums_open, .process = sums_process,
};
