/* op_template - multiplies samples by a factor; what does not fit is clipped.
 *
 * A complete plugin to copy: rename op_template, then change the options, the
 * ports and `scale`. It takes 16-bit samples, edits them where they lie, and
 * counts what it clipped. A missing sample (INT16_MIN) stays missing.
 *
 * It keeps nothing between records, so it needs neither state nor snapshot.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <afferent/plugin.h>

#include <math.h>

/* 1. What the user may set. The host fills this struct; no text is parsed here. */
struct config {
    double factor;
};

static const struct aff_option options[] = {
    AFF_OPT_REAL(struct config, factor, 0, "1.0", -1000.0, 1000.0, NULL, "Each sample is multiplied by this factor."),
};

/* 2. The ways in and out. Input 0 leaves by output 0, edited. */
static const struct aff_port inputs[] = {
    { "in", "Samples of 16 bits.", NULL, AFF_MASK(AFF_SAMPLES), AFF_PORT_EDITS, 0, 0, 0 },
};
static const struct aff_port outputs[] = {
    { "out", "The same samples, multiplied.", NULL, AFF_MASK(AFF_SAMPLES), 0, AFF_PASSES(0), AFF_PRIO_WAVEFORM, 0 },
};

/* 3. What may become of a record beside passing, and what is counted. */
enum { PASS, WRONG_FORMAT };
static const struct aff_verdict verdicts[] = {
    { "wrong_format", "The samples are not of 16 bits.", AFF_V_DEAD, 0, 0 },
};
enum { CLIPPED };
static const struct aff_metric metrics[] = {
    { "clipped", "Samples that did not fit into 16 bits.", "1", AFF_METRIC_COUNTER, 0 },
};

/* 4. The instance: everything lives here, nothing in variables of the file. */
struct op_template {
    const struct aff_host *host;
    const struct config *config;
};

static aff_status template_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct op_template *self = host->alloc(host, sizeof *self);

    if (!self)
        return AFF_ERR_MEMORY;
    self->host = host;
    self->config = config;
    *ret_self = self;
    return AFF_OK;
}

static void template_close(void *self)
{
    const struct aff_host *host = ((struct op_template *)self)->host;

    host->free(host, self);
}

/* 5. The work on one channel. Returns how many samples were clipped. Clipping
 * stops one short of INT16_MIN, which would say "missing". */
static uint64_t scale(int16_t *samples, uint32_t count, double factor)
{
    uint64_t clipped = 0;
    uint32_t i;

    for (i = 0; i < count; i++) {
        double value = nearbyint(samples[i] * factor);

        if (samples[i] == INT16_MIN)
            continue;
        clipped += value > INT16_MAX || value < -INT16_MAX;
        samples[i] = (int16_t)fmax(-INT16_MAX, fmin(INT16_MAX, value));
    }
    return clipped;
}

/* 6. [data] A batch. Each record gets a verdict; 0, which passes, is preset. */
static aff_status template_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct op_template *t = self;
    uint64_t clipped = 0;
    uint32_t i;
    uint16_t c;

    for (i = 0; i < batch->count; i++) {
        const struct aff_record *record = &batch->records[i];
        const struct aff_samples *s = aff_samples_of(record);

        if (s->format != AFF_I16) {
            batch->verdicts[i] = WRONG_FORMAT;
            continue;
        }
        for (c = 0; c < s->channels; c++)
            clipped += scale(aff_plane(record, c), s->count, t->config->factor);
    }
    if (clipped)
        t->host->count(t->host, CLIPPED, clipped);
    *ret_taken = batch->count;
    return AFF_OK;
}

/* 7. The two things that make this file a plugin. */
AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_template", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = 0,
    .kind = AFF_PROCESSOR,
    .name = "op_template",
    .version = "1.0.0",
    .summary = "Multiplies samples by a factor.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .open = template_open,
    .close = template_close,
    .process = template_process,
};
