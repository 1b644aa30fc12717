/* SPDX-License-Identifier: Apache-2.0
 *
 * op_qrs.c - heart beats and heart rate from an ECG: the plugin.
 *
 * One channel of each stream of samples goes through a detector of its own,
 * whose state is in the host's keeping. A beat becomes a row on a stream of its
 * own, "ecg/beats" for "ecg", whose event time is that of its R peak. A gap, a jump of the sample index or
 * another rate, gain or baseline ends the segment and begins one.
 *
 * Not here: how beats are found (detector.c). A stream that pauses without an
 * end keeps its last, undecided third of a second for when it goes on. */
#include <afferent/plugin.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "detector.h"

#define NS_PER_S 1000000000
/* Event times that stray further from the count of samples move the anchor. */
#define STRAY_NS 1000000
#define RATE_PART_MOST 1000000000u

struct config {
    const char *channel;
};

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, channel, 0, "\"\"",
                 "Name of the channel in which beats are sought; the first one if empty."),
};

enum { COLUMN_SAMPLE, COLUMN_RR, COLUMN_RATE, COLUMN_QUALITY, COLUMNS };
static const struct aff_column beat_columns[COLUMNS] = {
    { .name = "sample", .type = AFF_INT, .required = 1 },
    { .name = "rr", .unit = "ms", .code = "8637-1", .type = AFF_REAL },
    { .name = "heart_rate", .unit = "/min", .code = "8867-4", .type = AFF_REAL },
    { .name = "quality", .unit = "1", .type = AFF_REAL, .required = 1 },
};

static const struct aff_schema beat_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "beats",
    .columns = beat_columns,
    .count = COLUMNS,
    .stride = sizeof(struct aff_column),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "An ECG of 100 to 2000 samples a second, in V, mV or uV.",
      .types = AFF_MASK(AFF_SAMPLES) },
};

static const struct aff_port outputs[] = {
    { .name = "beats",
      .doc = "A row for each beat, at the time of its R peak: sample index, interval to the beat before, "
             "heart rate over eight intervals, and how well the beat stands out (0 to 1).",
      .schema = &beat_schema,
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_VITALS },
};

enum { NAME_MOST = 256 }; /* bytes of a stream's name; a longer one is cut */

enum { VERDICT_NO_ECG = 1 };
static const struct aff_verdict verdicts[] = {
    { "no_ecg", "The stream has no channel of the wanted name that is measured in volts.", AFF_V_DROP, 0, 0 },
};

enum { METRIC_BEATS, METRIC_SEGMENTS, METRIC_RATE };
static const struct aff_metric metrics[] = {
    { "beats", "Beats found.", NULL, AFF_METRIC_COUNTER, 0 },
    { "segments", "Times that a stream was begun, or begun anew after a gap.", NULL, AFF_METRIC_COUNTER, 0 },
    { "heart_rate", "Heart rate at the latest beat of any stream.", "/min", AFF_METRIC_GAUGE, 0 },
};

/* A stream's state. Samples are counted from the segment's first one, which has
 * index `first`; anchor_at of them lie before event time anchor_ns. */
struct state {
    uint64_t rate_num, rate_den;
    double gain, baseline;
    int64_t next; /* sample index that follows without a jump */
    int64_t first;
    int64_t anchor_at;
    int64_t anchor_ns;
    uint32_t is_open;
    uint32_t flushed; /* beats of the last segment that are out already */
    struct qrs detector;
};

struct beats {
    const struct aff_host *host;
    const char *channel;
    uint32_t schema;
    /* Of the record in hand; kept and counted only if it was taken. */
    struct state work;
    uint64_t new_beats, new_segments;
    double rate;
};

/* One channel of one record. */
struct lead {
    const struct aff_samples *head;
    const void *plane;
    uint64_t rate_num, rate_den;
    double gain; /* adc units per mV */
    double baseline;
};

static aff_status beats_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct beats *b = host->alloc(host, sizeof *b);
    aff_status st = AFF_ERR_MEMORY;

    if (!b)
        return host->explain(host, st, "no memory for the beat detector");
    b->host = host;
    b->channel = c->channel;
    b->schema = host->schema(host, &beat_schema);
    if (b->schema)
        st = host->state_open(host, sizeof(struct state), 0);
    if (st < 0) {
        host->free(host, b);
        return st;
    }
    *ret_self = b;
    return AFF_OK;
}

static void beats_close(void *self)
{
    struct beats *b = self;

    b->host->free(b->host, b);
}

/* Units per mV; 0 for what is no voltage. Without a unit an ECG is in mV. */
static double units_per_mv(const char *unit)
{
    if (!unit || !*unit || strcmp(unit, "mV") == 0)
        return 1.0;
    if (strcmp(unit, "uV") == 0)
        return 1000.0;
    return strcmp(unit, "V") == 0 ? 0.001 : 0.0;
}

static const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

/* The wanted channel of a record: -1 when it has none. */
static int lead_find(const struct beats *b, const struct aff_record *r, const struct aff_schema *schema,
                     struct lead *ret_lead)
{
    const struct aff_samples *head = r->data;
    const struct aff_column *column;
    uint32_t i = 0;

    while (*b->channel && i < schema->count && strcmp(schema_column(schema, i)->name, b->channel) != 0)
        i++;
    if (i >= schema->count || i >= head->channels)
        return -1;
    column = schema_column(schema, i);
    ret_lead->head = head;
    ret_lead->plane = aff_plane(r, (uint16_t)i);
    ret_lead->rate_num = schema->rate_num;
    ret_lead->rate_den = schema->rate_den;
    ret_lead->baseline = column->baseline;
    ret_lead->gain = column->gain * units_per_mv(column->unit);
    return fabs(ret_lead->gain) > 0.0 ? 0 : -1;
}

static double lead_value(const struct lead *l, uint32_t i)
{
    double raw;

    switch (l->head->format) {
    case AFF_I16:
        raw = ((const int16_t *)l->plane)[i] == INT16_MIN ? (double)NAN : ((const int16_t *)l->plane)[i];
        break;
    case AFF_I32:
        raw = ((const int32_t *)l->plane)[i] == INT32_MIN ? (double)NAN : ((const int32_t *)l->plane)[i];
        break;
    default:
        raw = (double)((const float *)l->plane)[i];
        break;
    }
    return (raw - l->baseline) / l->gain;
}

static int64_t wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

/* How long `samples` last. Exact for ten thousand years. */
static int64_t samples_ns(const struct state *s, int64_t samples)
{
    uint64_t n = samples < 0 ? 0u - (uint64_t)samples : (uint64_t)samples;
    uint64_t part = n % s->rate_num * s->rate_den;
    uint64_t seconds = n / s->rate_num * s->rate_den + part / s->rate_num;
    uint64_t ns = seconds * NS_PER_S + part % s->rate_num * NS_PER_S / s->rate_num;

    return (int64_t)(samples < 0 ? 0u - ns : ns);
}

static int64_t sample_ns(const struct state *s, int64_t sample)
{
    return wrap_add(s->anchor_ns, samples_ns(s, sample - s->anchor_at));
}

/* Beats are a signal of their own: "ecg" has its beats in "ecg/beats". 0: the
 * bound of streams is reached. */
static uint32_t stream_of_beats(const struct beats *b, uint32_t ecg)
{
    const struct aff_stream_info *info = b->host->stream_info(b->host, ecg);
    char name[NAME_MOST];

    if (!info)
        return 0;
    snprintf(name, sizeof name, "%s/beats", info->name);
    return b->host->stream(b->host, info->subject, name, b->schema);
}

static aff_status beat_emit(struct beats *b, const struct state *s, uint32_t input, const struct qrs_beat *beat)
{
    const struct aff_host *host = b->host;
    struct aff_record *draft = host->reserve(host, 0, input, aff_row_size(COLUMNS, 0));
    struct aff_row row;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->stream = stream_of_beats(b, draft->stream);
    if (!draft->stream)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = b->schema;
    draft->flags = 0; /* what the record in hand says is not about this beat */
    draft->event_ns = sample_ns(s, beat->sample);
    row = aff_row_begin(draft, COLUMNS);
    aff_row_put_int(&row, COLUMN_SAMPLE, wrap_add(s->first, beat->sample));
    if (!isnan(beat->rr_ms))
        aff_row_put_real(&row, COLUMN_RR, beat->rr_ms);
    if (!isnan(beat->rate))
        aff_row_put_real(&row, COLUMN_RATE, beat->rate);
    aff_row_put_real(&row, COLUMN_QUALITY, beat->quality);
    return host->emit(host, draft, aff_row_end(&row));
}

static aff_status beats_emit(struct beats *b, const struct state *s, uint32_t input,
                             const struct qrs_beat *beats, size_t count)
{
    aff_status st = AFF_OK;
    size_t i;

    for (i = 0; i < count && st == AFF_OK; i++) {
        st = beat_emit(b, s, input, &beats[i]);
        b->new_beats += st == AFF_OK;
        b->rate = beats[i].rate;
    }
    return st;
}

static void metrics_count(struct beats *b)
{
    if (b->new_beats)
        b->host->count(b->host, METRIC_BEATS, b->new_beats);
    if (b->new_beats && !isnan(b->rate))
        b->host->gauge(b->host, METRIC_RATE, b->rate);
    if (b->new_segments)
        b->host->count(b->host, METRIC_SEGMENTS, b->new_segments);
    b->new_beats = 0;
    b->new_segments = 0;
}

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

static bool state_fits(const struct state *s, const struct aff_record *r, const struct lead *l)
{
    return s->is_open && s->next == l->head->first && !(r->flags & AFF_FLAG_GAP) && s->rate_num == l->rate_num &&
           s->rate_den == l->rate_den && same(s->gain, l->gain) && same(s->baseline, l->baseline);
}

/* What the old segment still holds goes out, and a new one begins here. */
static aff_status segment_open(struct beats *b, uint32_t input, const struct aff_record *r, const struct lead *l)
{
    struct state *s = &b->work;
    struct qrs_beat beats[QRS_BEATS_MAX];
    size_t count = s->is_open ? qrs_restart(&s->detector, 0, beats) : 0;
    aff_status st = beats_emit(b, s, input, beats, count);

    if (st < 0)
        return st;
    memset(s, 0, sizeof *s);
    if (qrs_open(&s->detector, (double)l->rate_num / (double)l->rate_den) < 0)
        return AFF_ERR_BUG; /* rate_check let it pass */
    s->is_open = 1;
    s->rate_num = l->rate_num;
    s->rate_den = l->rate_den;
    s->gain = l->gain;
    s->baseline = l->baseline;
    s->first = l->head->first;
    s->next = l->head->first;
    s->anchor_ns = r->event_ns;
    b->new_segments++;
    return AFF_OK;
}

/* A device's clock drifts against the count of its samples. */
static void anchor_follow(struct state *s, const struct aff_record *r)
{
    int64_t at = wrap_add(s->next, (int64_t)(0u - (uint64_t)s->first));
    int64_t stray = wrap_add(r->event_ns, (int64_t)(0u - (uint64_t)sample_ns(s, at)));

    if (stray >= -STRAY_NS && stray <= STRAY_NS)
        return;
    s->anchor_at = at;
    s->anchor_ns = r->event_ns;
}

static aff_status record_take(struct beats *b, uint32_t input, const struct aff_record *r, const struct lead *l)
{
    struct state *s = &b->work;
    struct qrs_beat beats[QRS_BEATS_MAX];
    aff_status st = AFF_OK;
    size_t count;
    uint32_t i;

    if (!state_fits(s, r, l))
        st = segment_open(b, input, r, l);
    if (st < 0)
        return st;
    anchor_follow(s, r);
    for (i = 0; i < l->head->count && st == AFF_OK; i++) {
        count = qrs_push(&s->detector, lead_value(l, i), beats);
        st = beats_emit(b, s, input, beats, count);
    }
    s->next = wrap_add(l->head->first, l->head->count);
    return st;
}

static aff_status rate_check(const struct beats *b, const struct lead *l)
{
    double rate = l->rate_den ? (double)l->rate_num / (double)l->rate_den : 0.0;

    if (rate >= QRS_RATE_LEAST && rate <= QRS_RATE_MOST && l->rate_num <= RATE_PART_MOST &&
        l->rate_den <= RATE_PART_MOST)
        return AFF_OK;
    return b->host->explain(b->host, AFF_ERR_DATA, "an ECG has %g samples a second; %d to %d can be used", rate,
                            QRS_RATE_LEAST, QRS_RATE_MOST);
}

static aff_status record_process(struct beats *b, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_host *host = b->host;
    const struct aff_record *r = &batch->records[input];
    const struct aff_schema *schema = host->schema_info(host, r->schema);
    struct state *kept;
    struct lead lead;
    aff_status st;

    if (!schema || !aff_samples_ok(r->data, r->size))
        return host->explain(host, AFF_ERR_DATA, "a record is not whole samples with a schema; repair its source");
    if (lead_find(b, r, schema, &lead) < 0) {
        batch->verdicts[input] = VERDICT_NO_ECG;
        return AFF_OK;
    }
    st = rate_check(b, &lead);
    if (st < 0)
        return st;
    kept = host->state(host, r->stream);
    b->work = *kept;
    b->new_beats = 0;
    b->new_segments = 0;
    st = record_take(b, input, r, &lead);
    if (st < 0)
        return st;
    *kept = b->work;
    metrics_count(b);
    return AFF_OK;
}

static aff_status beats_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status beats_end(const struct beats *b, const struct aff_record *mark)
{
    uint32_t stream = stream_of_beats(b, mark->stream);

    return stream ? b->host->stream_end(b->host, 0, stream) : AFF_ERR_MEMORY;
}

/* What is emitted here stays out when a later reserve fails: the next call goes
 * on behind it. */
static aff_status beats_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct beats *b = self;
    struct state *kept = b->host->state(b->host, mark->stream);
    struct qrs_beat beats[QRS_BEATS_MAX];
    aff_status st = AFF_OK;
    size_t count;

    (void)port;
    if (!kept->is_open)
        return AFF_OK;
    b->work = *kept;
    count = qrs_restart(&b->work.detector, 0, beats);
    while (kept->flushed < count && st == AFF_OK) {
        st = beats_emit(b, kept, AFF_NO_INPUT, &beats[kept->flushed], 1);
        kept->flushed += st == AFF_OK;
    }
    metrics_count(b);
    if (st == AFF_OK)
        st = beats_end(b, mark);
    if (st == AFF_OK)
        memset(kept, 0, sizeof *kept);
    return st;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_qrs", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_qrs",
    .version = "1.0.0",
    .summary = "Finds heart beats in an ECG and tells the heart rate.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .open = beats_open,
    .close = beats_close,
    .process = beats_process,
    .stream_end = beats_stream_end,
};
