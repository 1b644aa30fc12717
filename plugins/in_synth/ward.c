/* SPDX-License-Identifier: Apache-2.0
 *
 * ward.c - an instance of in_synth, made from its options.
 *
 * Times become sample numbers here, and names the host's integers. All that
 * changes later lies in struct place, which begins here at the first sample.
 *
 * Not here: the making of records (blocks.c), the patients (ecg.c). */
#include "ward_inside.h"

#include <stdio.h>
#include <string.h>

#include "date.h"

/* Changes whenever the model makes other bytes of the same options: the records
 * are then others, and must not share ids with the old ones. */
#define MODEL "in_synth model 1"

static const struct aff_column truth_columns[TRUTH_COLUMNS] = {
    [TRUTH_SAMPLE] = { .name = "sample", .type = AFF_INT, .required = 1 },
    [TRUTH_CODE] = { .name = "code", .type = AFF_INT, .required = 1 },
};

const struct aff_schema ward_truth_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "beats",
    .columns = truth_columns,
    .count = TRUTH_COLUMNS,
    .stride = sizeof(struct aff_column),
};

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static const struct episode_config *episode_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->episodes.items + (size_t)i * c->episodes.stride);
}

static uint64_t episode_hash(uint64_t hash, const struct episode_config *e)
{
    double real[] = { e->heart_rate, e->level };
    int64_t whole[] = { e->at, e->length, e->kind, e->subject };

    hash = hash_add(hash, real, sizeof real);
    return hash_add(hash, whole, sizeof whole);
}

/* All that the records depend on; not the pace. */
static uint64_t config_hash(const struct config *c)
{
    double real[] = { c->rate,  c->heart_rate, c->heart_rate_sd, c->spread, c->lf_hf,
                      c->noise, c->hum,        c->hum_freq,      c->wander };
    int64_t whole[] = { c->leads, c->seed, c->subjects, c->duration, c->block };
    uint64_t hash = hash_add(14695981039346656037u, MODEL, sizeof MODEL);

    hash = hash_add(hash, real, sizeof real);
    hash = hash_add(hash, whole, sizeof whole);
    hash = hash_add(hash, c->subject, strlen(c->subject) + 1);
    hash = hash_add(hash, c->start, strlen(c->start) + 1);
    for (uint32_t i = 0; i < c->episodes.count; i++)
        hash = episode_hash(hash, episode_at(c, i));
    return hash;
}

/* The first sample at or after this time. */
static uint64_t sample_at(const struct ward *w, int64_t ns)
{
    uint64_t second = (uint64_t)ns / SECOND_NS, rest = (uint64_t)ns % SECOND_NS;
    uint64_t unit = w->rate_den * SECOND_NS;

    return (second * w->rate_num) / w->rate_den +
           ((second * w->rate_num) % w->rate_den * SECOND_NS + rest * w->rate_num + unit - 1) / unit;
}

/* The rate as a fraction: as many as three decimals are meant exactly. */
static void rate_read(struct ward *w, double rate)
{
    w->rate_den = 1;
    while (w->rate_den < 1000 &&
           fabs(rate * (double)w->rate_den - exact_nearest(rate * (double)w->rate_den)) > 1e-9)
        w->rate_den *= 10;
    w->rate_num = (uint64_t)exact_nearest(rate * (double)w->rate_den);
}

static aff_status episodes_read(struct ward *w)
{
    const struct config *c = w->cfg;
    uint32_t n = c->episodes.count;

    if (n == 0)
        return AFF_OK;
    w->episodes = w->host->alloc(w->host, n * sizeof *w->episodes);
    if (!w->episodes)
        return w->host->explain(w->host, AFF_ERR_MEMORY, "no memory for %u episodes", (unsigned)n);
    for (uint32_t i = 0; i < n; i++) {
        const struct episode_config *e = episode_at(c, i);
        double usual = e->kind == ECG_TACHYCARDIA ? 150.0 : 40.0;

        w->episodes[i] = (struct ecg_episode){
            .from = sample_at(w, e->at),
            .until = sample_at(w, e->at + e->length),
            .kind = (enum ecg_kind)e->kind,
            .heart_rate = e->heart_rate > 0.0 ? e->heart_rate : usual,
            .level = e->level,
            .patient = e->subject,
        };
    }
    w->model.episodes = w->episodes;
    w->model.episode_count = n;
    return AFF_OK;
}

static aff_status model_read(struct ward *w)
{
    const struct config *c = w->cfg;

    rate_read(w, c->rate);
    w->model = (struct ecg_config){
        .rate_hz = (double)w->rate_num / (double)w->rate_den,
        .heart_rate = c->heart_rate,
        .heart_rate_sd = c->heart_rate_sd,
        .lf_hf = c->lf_hf,
        .noise_mv = c->noise,
        .hum_mv = c->hum,
        .hum_hz = c->hum_freq,
        .wander_mv = c->wander,
        .seed = (uint64_t)c->seed,
        .leads = (int)c->leads,
    };
    w->patients = (uint32_t)c->subjects;
    w->block = (uint32_t)sample_at(w, c->block);
    w->block = w->block > 0 ? w->block : 1;
    w->total = c->duration > 0 ? sample_at(w, c->duration) : UINT64_MAX;
    return episodes_read(w);
}

/* The first patient has the heart rate that was asked for, the others around it. */
static double patient_rate(const struct ward *w, uint32_t patient)
{
    struct dice d = dice_seed(w->model.seed, 1000u + patient);
    double rate = w->model.heart_rate;

    if (patient > 0)
        rate += w->cfg->spread * (2.0 * dice_unit(&d) - 1.0);
    rate = rate > ECG_RATE_MIN ? rate : ECG_RATE_MIN;
    return rate < ECG_RATE_MAX ? rate : ECG_RATE_MAX;
}

/* Sample 0 is at a given time, and then the same options make the same records
 * with the same ids; or it is now, and each run is another recording. */
static void start_read(struct ward *w)
{
    struct place *p = w->place;
    uint8_t clock = AFF_CLOCK_NONE;

    if (strcmp(w->cfg->start, "now") == 0) {
        p->start_ns = w->host->utc_ns(w->host, &clock);
        p->clock = clock;
        return;
    }
    date_read(w->cfg->start, &p->start_ns); /* validate has seen to it that this works */
    p->clock = p->start_ns ? AFF_CLOCK_RECORDED : AFF_CLOCK_NONE;
    w->host->incarnation(w->host, &p->config, sizeof p->config);
}

static aff_status place_open(struct ward *w)
{
    const struct aff_host *host = w->host;

    w->place_size = sizeof *w->place + w->patients * sizeof w->place->ecg[0];
    w->place = host->alloc(host, w->place_size);
    w->names = host->alloc(host, w->patients * sizeof w->names[0]);
    if (!w->place || !w->names)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for %u subjects",
                             (unsigned)w->patients);
    w->place->config = config_hash(w->cfg);
    for (uint32_t i = 0; i < w->patients; i++)
        ecg_begin(&w->place->ecg[i], &w->model, (int64_t)i + 1, patient_rate(w, i));
    start_read(w);
    return AFF_OK;
}

static uint32_t data_schema(const struct ward *w)
{
    struct aff_column lead[ECG_LEADS];
    struct aff_schema schema = {
        .struct_size = sizeof schema,
        .type = AFF_SAMPLES,
        .format = AFF_I16,
        .name = "ecg",
        .columns = lead,
        .count = (uint32_t)w->model.leads,
        .stride = sizeof lead[0],
        .rate_num = w->rate_num,
        .rate_den = w->rate_den,
    };

    for (int i = 0; i < ECG_LEADS; i++)
        lead[i] = (struct aff_column){ .name = ecg_lead_names[i], .unit = "mV", .gain = ECG_GAIN };
    return w->host->schema(w->host, &schema);
}

static aff_status names_open(struct ward *w, uint32_t patient)
{
    const struct aff_host *host = w->host;
    struct names *n = &w->names[patient];
    char name[256];

    if (w->patients > 1)
        snprintf(name, sizeof name, "%.240s-%03u", w->cfg->subject, (unsigned)patient + 1);
    else
        snprintf(name, sizeof name, "%s", w->cfg->subject);
    n->subject = host->subject(host, name);
    if (!n->subject)
        return AFF_ERR_MEMORY;
    n->stream[PORT_DATA] = host->stream(host, n->subject, "ecg", w->schema[PORT_DATA]);
    n->stream[PORT_TRUTH] = host->stream(host, n->subject, "truth", w->schema[PORT_TRUTH]);
    return n->stream[PORT_DATA] && n->stream[PORT_TRUTH] ? AFF_OK : AFF_ERR_MEMORY;
}

static aff_status streams_open(struct ward *w)
{
    aff_status st = AFF_OK;

    w->schema[PORT_DATA] = data_schema(w);
    w->schema[PORT_TRUTH] = w->host->schema(w->host, &ward_truth_schema);
    if (!w->schema[PORT_DATA] || !w->schema[PORT_TRUTH])
        return AFF_ERR_MEMORY;
    for (uint32_t i = 0; i < w->patients && st == AFF_OK; i++)
        st = names_open(w, i);
    return st;
}

void ward_close(void *self)
{
    struct ward *w = self;
    const struct aff_host *host = w->host;

    if (w->names)
        host->free(host, w->names);
    if (w->place)
        host->free(host, w->place);
    if (w->episodes)
        host->free(host, w->episodes);
    host->free(host, w);
}

aff_status ward_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct ward *w = host->alloc(host, sizeof *w);
    aff_status st = AFF_ERR_MEMORY;

    if (!w)
        return host->explain(host, st, "no memory for the node");
    w->host = host;
    w->cfg = config;
    st = model_read(w);
    if (st == AFF_OK)
        st = place_open(w);
    if (st == AFF_OK)
        st = streams_open(w);
    if (st < 0) {
        ward_close(w); /* safe on a half-built one */
        return st;
    }
    *ret_self = w;
    return AFF_OK;
}
