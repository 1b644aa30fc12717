/* SPDX-License-Identifier: Apache-2.0
 *
 * op_filter.c - Butterworth filters and a notch over samples, edited in place.
 *
 * Each stream has its state, per channel, in the host's keeping; coefficients
 * are designed once for each sampling rate that comes by. A record marked GAP,
 * a jump in the sample index, another rate, channel count or baseline settles
 * the stream anew on the next sample.
 *
 * Not here: the design (design.c), the inner loops (run.c). Zero-phase filters:
 * they need the future, and an alarm cannot wait for it. */
#include <afferent/plugin.h>

#include <stdbool.h>
#include <string.h>

#include "run.h"

/* Rates whose design is at hand. More are fine, only designed again and again. */
#define DESIGNS 8

struct edge_config {
    double freq;
    int64_t order;
};

struct band_config {
    double low;
    double high;
    int64_t order;
};

struct notch_config {
    double freq;
    double q;
};

struct config {
    const struct edge_config *high;
    const struct edge_config *low;
    const struct band_config *band;
    const struct band_config *stop;
    const struct notch_config *notch;
    int64_t channels;
};

#define HZ_MIN 1e-6
#define HZ_MAX 1e8

static const struct aff_option edge_options[] = {
    AFF_OPT_FREQUENCY(struct edge_config, freq, AFF_OPT_REQUIRED, NULL, HZ_MIN, HZ_MAX,
                      "Edge of the filter, where it lets half the power pass (-3 dB)."),
    AFF_OPT_INT(struct edge_config, order, 0, "2", 1, IIR_ORDER_MAX, NULL,
                "Steepness in poles: 6 dB an octave each."),
};

static const struct aff_option band_options[] = {
    AFF_OPT_FREQUENCY(struct band_config, low, AFF_OPT_REQUIRED, NULL, HZ_MIN, HZ_MAX,
                      "Lower edge of the band (-3 dB)."),
    AFF_OPT_FREQUENCY(struct band_config, high, AFF_OPT_REQUIRED, NULL, HZ_MIN, HZ_MAX,
                      "Upper edge of the band (-3 dB)."),
    AFF_OPT_INT(struct band_config, order, 0, "2", 1, IIR_ORDER_MAX, NULL,
                "Steepness on each side in poles: 6 dB an octave each."),
};

static const struct aff_option notch_options[] = {
    AFF_OPT_FREQUENCY(struct notch_config, freq, AFF_OPT_REQUIRED, NULL, HZ_MIN, HZ_MAX,
                      "The frequency to take out."),
    AFF_OPT_REAL(struct notch_config, q, 0, "30.0", 1.0, 10000.0, NULL,
                 "Narrowness: the width between the -3 dB points is freq / q."),
};

static const struct aff_option options[] = {
    AFF_OPT_TABLE(struct config, high, 0, edge_options, sizeof(struct edge_config),
                  "High pass: takes out what is slower than its edge; runs first."),
    AFF_OPT_TABLE(struct config, low, 0, edge_options, sizeof(struct edge_config),
                  "Low pass: takes out what is faster than its edge; runs second."),
    AFF_OPT_TABLE(struct config, band, 0, band_options, sizeof(struct band_config),
                  "Band pass: lets pass what lies between its edges; runs third."),
    AFF_OPT_TABLE(struct config, stop, 0, band_options, sizeof(struct band_config),
                  "Band stop: takes out what lies between its edges; runs fourth."),
    AFF_OPT_TABLE(struct config, notch, 0, notch_options, sizeof(struct notch_config),
                  "Notch: takes out one frequency, such as the mains'; runs last."),
    AFF_OPT_INT(struct config, channels, 0, "16", 1, 1024, "channels",
                "Most channels that a stream may have; it sets the memory kept for each stream."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Samples of any format, filtered in place; a stream begins, and begins anew behind a "
             "gap, as if its first sample had stood there for ever.",
      .types = AFF_MASK(AFF_SAMPLES),
      .flags = AFF_PORT_EDITS },
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "The same samples, filtered.",
      .types = AFF_MASK(AFF_SAMPLES),
      .passes = AFF_PASSES(0),
      .priority = AFF_PRIO_WAVEFORM },
};

enum { METRIC_CLIPPED, METRIC_SETTLED };
static const struct aff_metric metrics[] = {
    { "clipped", "Samples that did not fit their format after filtering.", "samples",
      AFF_METRIC_COUNTER, 0 },
    { "settled", "Times that a stream was begun, or begun anew after a gap.", NULL,
      AFF_METRIC_COUNTER, 0 },
};

struct design {
    uint64_t rate_num, rate_den;
    uint64_t mark; /* hash of the coefficients: never 0 */
    struct iir_chain chain;
};

struct filter {
    const struct aff_host *host;
    uint32_t spec_count;
    uint32_t sections;
    uint32_t channels; /* room in each state */
    uint32_t used;     /* designs in use */
    uint32_t victim;   /* the next to give way */
    struct iir_spec spec[IIR_KINDS];
    struct design design[DESIGNS];
};

/* A stream's state: this head, then `channels` lanes. The mark tells whether
 * the lanes were made by the filter at hand: after a restart with another
 * configuration they were not. */
struct state {
    uint64_t mark;
    int64_t next; /* sample index that follows without a jump */
    uint32_t channels;
    uint32_t format;
};

struct lane {
    iir_age age;
    double zero;
    double memory[];
};

static size_t lane_bytes(const struct filter *f)
{
    return sizeof(struct lane) + 2 * sizeof(double) * f->sections;
}

static struct lane *state_lane(const struct filter *f, struct state *s, uint32_t channel)
{
    return (struct lane *)(void *)((char *)(s + 1) + channel * lane_bytes(f));
}

static void specs_read(struct filter *f, const struct config *c)
{
    struct iir_spec *s = f->spec;

    if (c->high)
        *s++ = (struct iir_spec){ IIR_HIGH, (int)c->high->order, c->high->freq, 0.0, 0.0 };
    if (c->low)
        *s++ = (struct iir_spec){ IIR_LOW, (int)c->low->order, 0.0, c->low->freq, 0.0 };
    if (c->band)
        *s++ = (struct iir_spec){ IIR_BAND, (int)c->band->order, c->band->low, c->band->high, 0.0 };
    if (c->stop)
        *s++ = (struct iir_spec){ IIR_STOP, (int)c->stop->order, c->stop->low, c->stop->high, 0.0 };
    if (c->notch)
        *s++ = (struct iir_spec){ IIR_NOTCH, 0, c->notch->freq, 0.0, c->notch->q };
    f->spec_count = (uint32_t)(s - f->spec);
    for (uint32_t i = 0; i < f->spec_count; i++)
        f->sections += iir_sections(&f->spec[i]);
}

static aff_status band_validate(const struct band_config *band, const char *option,
                                const struct aff_report *report)
{
    if (!band || band->low < band->high)
        return AFF_OK;
    report->problem(report, option, "%s = %g Hz is not below high = %g Hz; expected the lower edge in low; "
                    "exchange them", option, band->low, band->high);
    return AFF_ERR_CONFIG;
}

static aff_status filter_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status band = band_validate(c->band, "band.low", report);
    aff_status stop = band_validate(c->stop, "stop.low", report);

    if (!c->high && !c->low && !c->band && !c->stop && !c->notch) {
        report->problem(report, NULL,
                        "no filter is given; expected at least one of high, low, band, stop, notch; "
                        "write one, such as band = { low = \"0.5Hz\", high = \"40Hz\", order = 2 }");
        return AFF_ERR_CONFIG;
    }
    return band ? band : stop;
}

static aff_status filter_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct filter *f = host->alloc(host, sizeof *f);
    aff_status st = AFF_ERR_MEMORY;

    if (!f)
        return host->explain(host, st, "no memory for the filter");
    f->host = host;
    f->channels = (uint32_t)c->channels;
    specs_read(f, c);
    st = host->state_open(host, sizeof(struct state) + f->channels * lane_bytes(f), 0);
    if (st < 0) {
        host->free(host, f);
        return st;
    }
    *ret_self = f;
    return AFF_OK;
}

static void filter_close(void *self)
{
    struct filter *f = self;

    f->host->free(f->host, f);
}

/* FNV-1a over the coefficients. */
static uint64_t chain_mark(const struct iir_chain *chain)
{
    const unsigned char *p = (const unsigned char *)chain->section;
    uint64_t hash = 14695981039346656037u;

    for (size_t i = 0; i < chain->count * sizeof chain->section[0]; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash | 1u;
}

static aff_status design_make(struct filter *f, const struct aff_schema *schema, struct design *d)
{
    double rate_hz = schema->rate_den ? (double)schema->rate_num / (double)schema->rate_den : 0.0;

    *d = (struct design){ .rate_num = schema->rate_num, .rate_den = schema->rate_den };
    for (uint32_t i = 0; i < f->spec_count; i++) {
        enum iir_fault fault = iir_append(&d->chain, &f->spec[i], rate_hz);
        char text[256];

        if (fault) {
            iir_explain(fault, &f->spec[i], rate_hz, text, sizeof text);
            return f->host->explain(f->host, AFF_ERR_DATA, "%s", text);
        }
    }
    d->mark = chain_mark(&d->chain);
    return AFF_OK;
}

/* The design for a schema's rate. A rate that cannot be served is not kept, so
 * a stream of that rate pays for its design with each record it loses. */
static aff_status design_find(struct filter *f, const struct aff_schema *schema,
                              const struct design **ret_design)
{
    struct design made;
    aff_status st = AFF_OK;

    for (uint32_t i = 0; i < f->used; i++) {
        if (f->design[i].rate_num == schema->rate_num &&
            f->design[i].rate_den == schema->rate_den) {
            *ret_design = &f->design[i];
            return AFF_OK;
        }
    }
    st = design_make(f, schema, &made);
    if (st < 0)
        return st;
    if (f->used < DESIGNS)
        f->victim = f->used++;
    f->design[f->victim] = made;
    *ret_design = &f->design[f->victim];
    f->victim = (f->victim + 1) % DESIGNS;
    return AFF_OK;
}

/* What makes the lanes useless for this record, beside a baseline that moved. */
static bool state_fits(const struct state *s, const struct aff_record *r, const struct design *d)
{
    const struct aff_samples *head = r->data;

    return s->mark == d->mark && s->next == head->first && s->channels == head->channels &&
           s->format == head->format && !(r->flags & AFF_FLAG_GAP);
}

static double schema_baseline(const struct aff_schema *schema, uint32_t channel)
{
    const struct aff_column *column =
        (const void *)((const char *)schema->columns + (size_t)channel * schema->stride);

    return column->baseline;
}

static void state_begin(struct filter *f, struct state *s, const struct aff_record *r,
                        const struct design *d)
{
    const struct aff_samples *head = r->data;

    s->mark = d->mark;
    s->channels = head->channels;
    s->format = head->format;
    for (uint32_t k = 0; k < s->channels; k++)
        state_lane(f, s, k)->age = 0;
    f->host->count(f->host, METRIC_SETTLED, 1);
}

static size_t lane_run(const struct iir_chain *chain, struct lane *lane, const struct aff_record *r,
                       uint16_t channel)
{
    const struct aff_samples *head = r->data;
    struct iir_lane run = { .age = &lane->age, .memory = lane->memory, .zero = lane->zero };
    void *plane = aff_plane(r, channel);

    switch (head->format) {
    case AFF_I16:
        return iir_run_i16(chain, run, plane, head->count);
    case AFF_I32:
        return iir_run_i32(chain, run, plane, head->count);
    default:
        return iir_run_f32(chain, run, plane, head->count);
    }
}

static void record_filter(struct filter *f, const struct aff_record *r,
                          const struct aff_schema *schema, const struct design *d)
{
    const struct aff_samples *head = r->data;
    struct state *s = f->host->state(f->host, r->stream);
    size_t clipped = 0;

    if (!state_fits(s, r, d))
        state_begin(f, s, r, d);
    for (uint16_t k = 0; k < head->channels; k++) {
        struct lane *lane = state_lane(f, s, k);
        double zero = schema_baseline(schema, k);

        if (lane->zero < zero || lane->zero > zero)
            lane->age = 0;
        lane->zero = zero;
        clipped += lane_run(&d->chain, lane, r, k);
    }
    s->next = (int64_t)((uint64_t)head->first + head->count);
    if (clipped)
        f->host->count(f->host, METRIC_CLIPPED, clipped);
}

/* Everything that may refuse a record comes before its first changed byte: a
 * dead letter is unedited. */
static aff_status record_check(struct filter *f, const struct aff_record *r,
                               const struct aff_schema *schema)
{
    const struct aff_host *host = f->host;

    if (!schema || !aff_samples_ok(r->data, r->size))
        return host->explain(host, AFF_ERR_DATA,
                             "a record is not whole samples with a schema; repair its source");
    if (((const struct aff_samples *)r->data)->channels > schema->count)
        return host->explain(host, AFF_ERR_DATA,
                             "a record has %u channels, its schema %u; repair its source",
                             (unsigned)((const struct aff_samples *)r->data)->channels,
                             (unsigned)schema->count);
    if (((const struct aff_samples *)r->data)->channels > f->channels)
        return host->explain(host, AFF_ERR_DATA,
                             "a stream has %u channels and room is for %u; set channels = %u",
                             (unsigned)((const struct aff_samples *)r->data)->channels,
                             (unsigned)f->channels,
                             (unsigned)((const struct aff_samples *)r->data)->channels);
    return AFF_OK;
}

static aff_status filter_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct filter *f = self;

    for (uint32_t i = 0; i < batch->count; i++) {
        const struct aff_record *r = &batch->records[i];
        const struct aff_schema *schema = f->host->schema_info(f->host, r->schema);
        const struct design *design = NULL;
        aff_status st = record_check(f, r, schema);

        if (st == AFF_OK)
            st = design_find(f, schema, &design);
        if (st < 0) {
            *ret_taken = i;
            return st;
        }
        record_filter(f, r, schema, design);
    }
    *ret_taken = batch->count;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_filter", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_filter",
    .version = "1.0.0",
    .summary = "Filters samples: Butterworth high, low, band pass, band stop, and notch.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .metrics = AFF_TABLE(metrics),
    .validate = filter_validate,
    .open = filter_open,
    .close = filter_close,
    .process = filter_process,
};
