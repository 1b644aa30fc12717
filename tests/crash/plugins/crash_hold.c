/* crash_hold.c - holds the last record of each batch until the next batch comes.
 *
 * It keeps no list of its own: what is held it asks the host for, so records held
 * at a kill are released by the next run. What is released leaves before all inputs
 * of its call: so the order stays as it was, however batches are cut. */
#include <afferent/plugin.h>

#include "ports.h"

#include <stddef.h>

static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("The same records in the same order.", AFF_PRIO_BULK), .passes = AFF_PASSES(0) },
};

enum { HELD = 1 };
static const struct aff_verdict verdicts[] = {
    { "held", "Waits for the next record.", AFF_V_HOLD, 0, 0 },
};

static aff_status hold_open(const struct aff_host *host, const void *config, void **ret_self)
{
    if (host->struct_size < offsetof(struct aff_host, held) + sizeof host->held)
        return host->explain(host, AFF_ERR_CONFIG, "this host cannot say what is held; a later one is needed");
    (void)config;
    *ret_self = passing_new(host);
    return *ret_self ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status let_go(struct passing *s)
{
    const struct aff_record *held;
    aff_status st = AFF_OK;

    while (st == AFF_OK && (held = s->host->held(s->host, 0)) != NULL)
        st = s->host->release(s->host, held, 0);
    return st;
}

static aff_status hold_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct passing *s = self;
    aff_status st;

    st = let_go(s);
    if (st != AFF_OK)
        return st;
    if (s->host->hold(s->host, &batch->records[batch->count - 1u]))
        batch->verdicts[batch->count - 1u] = HELD;
    *ret_taken = batch->count;
    return AFF_OK;
}

/* Any stream's end: what is held belongs to one of them. */
static aff_status hold_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    (void)port;
    (void)mark;
    return let_go(self);
}

static aff_status hold_drain(void *self)
{
    return let_go(self);
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "crash_hold", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_PROCESSOR,
    .name = "crash_hold",
    .version = "1.0.0",
    .summary = "Holds some records for a while and passes all, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = 0,
    .options = AFF_NO_TABLE,
    .inputs = AFF_TABLE(crash_inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_NO_TABLE,
    .open = hold_open,
    .close = passing_close,
    .process = hold_process,
    .stream_end = hold_stream_end,
    .drain = hold_drain,
};
