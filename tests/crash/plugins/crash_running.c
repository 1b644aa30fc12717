/* crash_running.c - state that shows whether it came back: a sum over a stream.
 *
 * Each record leaves with a value in word 1 that depends on all numbers of its
 * stream before it, in their order. A record that is skipped, taken twice or out of
 * order changes all that follow, and the judge sees each of them as altered. */
#include <afferent/plugin.h>

#include "pattern.h"
#include "ports.h"

static const struct aff_port outputs[] = {
    { CRASH_OUTPUT("The same with the stream's running value.", AFF_PRIO_BULK) },
};

enum { REPLACED = 1 };
static const struct aff_verdict verdicts[] = {
    { "stamped", "The record with its running value stands for it.", AFF_V_REPLACE, 0, 0 },
};

static aff_status running_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct passing *s = passing_new(host);
    aff_status st;

    (void)config;
    if (!s)
        return AFF_ERR_MEMORY;
    st = host->state_open(host, sizeof(uint64_t), 0);
    if (st != AFF_OK) {
        passing_close(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

static aff_status running_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct passing *s = self;
    aff_status st;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct aff_record *in = &batch->records[i];
        uint64_t *state = s->host->state(s->host, in->stream), value;
        struct aff_record *out = s->host->reserve(s->host, 0, i, in->size);

        *ret_taken = i;
        if (!out)
            return AFF_ERR_MEMORY;
        value = pattern_run(*state, pattern_key(in));
        memcpy(out->data, in->data, in->size);
        if (in->size >= PATTERN_LEAST)
            memcpy((uint8_t *)out->data + 8, &value, 8);
        st = s->host->emit(s->host, out, in->size);
        if (st != AFF_OK)
            return st;
        *state = value;
        batch->verdicts[i] = REPLACED;
    }
    *ret_taken = batch->count;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "crash_running", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_PROCESSOR,
    .name = "crash_running",
    .version = "1.0.0",
    .summary = "Stamps each record with a value over its stream so far, for the tests of delivery.",
    .license = "Apache-2.0",
    .config_size = 0,
    .options = AFF_NO_TABLE,
    .inputs = AFF_TABLE(crash_inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_NO_TABLE,
    .open = running_open,
    .close = passing_close,
    .process = running_process,
};
