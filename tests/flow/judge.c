/* judge.c - parts for verdicts, emits, holds, state and joins. See parts.h. */
#include <string.h>

#include "parts.h"

enum { MOST_HELD = 64, EMIT_SIZE = 16 };

struct judge {
    const struct aff_host *host;
    struct part_judge *config;
    const struct aff_record *held[MOST_HELD];
    uint32_t first;
    uint32_t count;
};

static const struct aff_port judge_in[] = { { .name = "in", .types = AFF_MASK(AFF_BYTES) } };
static const struct aff_port judge_out[] = {
    { .name = "out", .types = AFF_MASK(AFF_BYTES), .passes = AFF_PASSES(0) },
    { .name = "made", .types = AFF_MASK(AFF_BYTES) },
    { .name = "side", .types = AFF_MASK(AFF_BYTES) },
};
static const struct aff_verdict judge_verdicts[] = {
    { .name = "dropped", .kind = AFF_V_DROP },   { .name = "dead", .kind = AFF_V_DEAD },
    { .name = "used", .kind = AFF_V_USED },      { .name = "replaced", .kind = AFF_V_REPLACE },
    { .name = "side", .kind = AFF_V_PORT, .port = 2 }, { .name = "held", .kind = AFF_V_HOLD },
};

static aff_status judge_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct judge *j = host->alloc(host, sizeof *j);

    if (!j)
        return AFF_ERR_MEMORY;
    j->host = host;
    j->config = (struct part_judge *)(uintptr_t)config;
    *ret_self = j;
    return AFF_OK;
}

static void judge_close(void *self)
{
    struct judge *j = self;

    j->host->free(j->host, j);
}

static aff_status release_oldest(struct judge *j)
{
    const struct aff_record *r = j->held[j->first];

    j->first = (j->first + 1) % MOST_HELD;
    j->count--;
    return j->host->release(j->host, r, 0);
}

static aff_status hold_one(struct judge *j, const struct aff_record *r)
{
    const struct aff_record *held = j->host->hold(j->host, r);

    if (!held)
        return AFF_ERR_MEMORY;
    j->held[(j->first + j->count++) % MOST_HELD] = held;
    return j->count > j->config->keep ? release_oldest(j) : AFF_OK;
}

static aff_status emit_one(struct judge *j, uint32_t port, uint32_t input, uint64_t seq, uint64_t k)
{
    struct aff_record *r = j->host->reserve(j->host, port, input, EMIT_SIZE);
    uint64_t *data;

    if (!r)
        return AFF_ERR_MEMORY;
    data = r->data;
    data[0] = seq;
    data[1] = k;
    return j->host->emit(j->host, r, EMIT_SIZE);
}

static aff_status judge_one(struct judge *j, const struct aff_batch *batch, uint32_t i)
{
    struct part_judge *c = j->config;
    const struct aff_record *r = &batch->records[i];
    uint32_t k, emits;
    aff_status st = AFF_OK;
    uint64_t seq;

    memcpy(&seq, r->data, sizeof seq);
    if (c->times > 0 && seq == c->status_seq) {
        c->times--;
        return c->status;
    }
    batch->verdicts[i] = c->judge ? c->judge(seq) : JUDGE_PASS;
    emits = c->emits ? c->emits(seq) : 0;
    for (k = 0; st == AFF_OK && k < emits; k++)
        st = emit_one(j, 1, i, seq, k);
    if (st == AFF_OK && batch->verdicts[i] == JUDGE_REPLACE)
        st = emit_one(j, 0, i, seq, 0);
    if (st == AFF_OK && batch->verdicts[i] == JUDGE_HOLD)
        st = hold_one(j, r);
    return st;
}

static aff_status judge_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    uint32_t i;

    for (i = 0; i < batch->count; i++) {
        aff_status st = judge_one(self, batch, i);

        if (st != AFF_OK) {
            *ret_taken = i;
            return st;
        }
    }
    return AFF_OK;
}

static aff_status judge_drain(void *self)
{
    struct judge *j = self;

    while (j->count > 0)
        if (release_oldest(j) < 0)
            return AFF_ERR_MEMORY;
    return AFF_OK;
}

const struct aff_plugin part_judge = {
    .struct_size = sizeof part_judge, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "part_judge",
    .inputs = AFF_TABLE(judge_in), .outputs = AFF_TABLE(judge_out), .verdicts = AFF_TABLE(judge_verdicts),
    .open = judge_open, .close = judge_close, .process = judge_process, .drain = judge_drain,
};

/* ---- state ---- */

struct counter {
    const struct aff_host *host;
    struct part_counter *config;
};

static aff_status counter_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct counter *c = host->alloc(host, sizeof *c);

    if (!c)
        return AFF_ERR_MEMORY;
    c->host = host;
    c->config = (struct part_counter *)(uintptr_t)config;
    *ret_self = c;
    if (host->state_open(host, sizeof(uint64_t), 0) == AFF_OK)
        return AFF_OK;
    host->free(host, c);
    return AFF_ERR_MEMORY;
}

static aff_status counter_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct counter *c = self;
    uint32_t i;

    (void)ret_taken;
    for (i = 0; i < batch->count; i++) {
        uint64_t *seen = c->host->state(c->host, batch->records[i].stream);

        if ((*seen)++ == 0)
            c->config->streams_seen++;
    }
    return AFF_OK;
}

const struct aff_plugin part_counter = {
    .struct_size = sizeof part_counter, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "part_counter",
    .inputs = AFF_TABLE(judge_in), .outputs = { judge_out, 1, sizeof judge_out[0] },
    .open = counter_open, .close = judge_close, .process = counter_process,
};

/* ---- join ---- */

static const struct aff_port join_in[] = {
    { .name = "left", .types = AFF_MASK(AFF_BYTES) },
    { .name = "right", .types = AFF_MASK(AFF_BYTES) },
};
static const struct aff_verdict join_verdicts[] = { { .name = "out", .kind = AFF_V_PORT, .port = 0 } };

static aff_status join_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    (void)self;
    (void)ret_taken;
    memset(batch->verdicts, 1, batch->count);
    return AFF_OK;
}

const struct aff_plugin part_join = {
    .struct_size = sizeof part_join, .major = AFF_ABI_MAJOR, .kind = AFF_PROCESSOR, .name = "part_join",
    .inputs = AFF_TABLE(join_in), .outputs = { judge_out, 1, sizeof judge_out[0] },
    .verdicts = AFF_TABLE(join_verdicts), .process = join_process,
};
