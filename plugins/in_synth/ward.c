/* SPDX-License-Identifier: Apache-2.0
 *
 * ward.c - an instance of in_synth, made from its options.
 *
 * Times become sample numbers here, and names the host's integers. All that
 * changes later lies in struct place, which begins here at the first sample.
 *
 * Not here: the making of records (blocks.c, signals.c), the patients (ecg.c,
 * body.c, breath.c, pulse.c), schemas (ports.c). */
#include "ward_inside.h"

#include <stdio.h>

#include "date.h"

/* Changes whenever the model makes other bytes of the same options: the records
 * are then others, and must not share ids with the old ones. */
#define MODEL "in_synth model 1"
#define MODEL_OF_SIGNALS "in_synth signals 1"

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 1099511628211u;
    return hash;
}

static uint64_t deterioration_hash(uint64_t hash, const struct episode_config *e)
{
    double real[] = { e->respiratory_rate, e->spo2, e->systolic, e->temperature };
    int64_t whole[] = { e->over, e->consciousness, e->supplemental_oxygen };

    hash = hash_add(hash, real, sizeof real);
    return hash_add(hash, whole, sizeof whole);
}

static uint64_t episode_hash(uint64_t hash, const struct episode_config *e)
{
    double real[] = { e->heart_rate, e->level };
    int64_t whole[] = { e->at, e->length, e->kind, e->subject };

    hash = hash_add(hash, real, sizeof real);
    hash = hash_add(hash, whole, sizeof whole);
    return e->kind == ECG_DETERIORATION ? deterioration_hash(hash, e) : hash;
}

/* The signals beside the ECG. Without any of them the hash is what it was before
 * there were any, and so are the records' ids. */
static uint64_t signals_hash(uint64_t hash, const struct config *c)
{
    double real[] = { c->respiratory_rate, c->spo2, c->systolic, c->diastolic, c->temperature, c->variation };
    int64_t whole[] = { c->vitals_every, c->pressure_every, c->observed_every, c->consciousness,
                        c->supplemental_oxygen, 0 };

    for (uint32_t port = PORT_RESPIRATION; port < PORTS; port++)
        whole[5] |= (int64_t)config_makes(c, port) << port;
    if (!whole[5])
        return hash;
    hash = hash_add(hash, MODEL_OF_SIGNALS, sizeof MODEL_OF_SIGNALS);
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
    return signals_hash(hash, c);
}

static double or_usual(double value, double usual)
{
    return value > 0.0 ? value : usual;
}

/* What the heart has of an episode. Kinds that it has nothing of are none of its. */
static void episode_read(struct ward *w, const struct episode_config *e)
{
    static const double usual[ECG_KINDS] = { [ECG_TACHYCARDIA] = 150.0, [ECG_BRADYCARDIA] = 40.0,
                                             [ECG_DETERIORATION] = 132.0 };

    if (e->kind >= ECG_KINDS)
        return;
    w->episodes[w->model.episode_count++] = (struct ecg_episode){
        .from = when_index(w, PORT_DATA, e->at),
        .until = when_index(w, PORT_DATA, e->at + e->length),
        .over = e->kind == ECG_DETERIORATION ? when_index(w, PORT_DATA, e->over) : 0,
        .kind = (enum ecg_kind)e->kind,
        .heart_rate = or_usual(e->heart_rate, usual[e->kind]),
        .level = e->level,
        .patient = e->subject,
    };
}

/* Unless told otherwise: sepsis with failing lungs. */
static void deterioration_read(struct ward *w, const struct episode_config *e)
{
    if (e->kind != ECG_DETERIORATION)
        return;
    w->deteriorations[w->body.episode_count++] = (struct body_episode){
        .from_ns = (uint64_t)e->at,
        .until_ns = (uint64_t)(e->at + e->length),
        .over_ns = (uint64_t)e->over,
        .target = { .respiratory_rate = or_usual(e->respiratory_rate, 30.0),
                    .spo2 = or_usual(e->spo2, 86.0),
                    .systolic = or_usual(e->systolic, 86.0),
                    .temperature = or_usual(e->temperature, 39.2),
                    .consciousness = e->consciousness == LEVEL_USUAL ? BODY_C : e->consciousness - LEVEL_FIRST,
                    .oxygen = e->supplemental_oxygen },
        .patient = e->subject,
    };
}

static aff_status episodes_read(struct ward *w)
{
    const struct config *c = w->cfg;
    uint32_t n = c->episodes.count;

    if (n == 0)
        return AFF_OK;
    w->episodes = w->host->alloc(w->host, n * sizeof *w->episodes);
    w->deteriorations = w->host->alloc(w->host, n * sizeof *w->deteriorations);
    if (!w->episodes || !w->deteriorations)
        return w->host->explain(w->host, AFF_ERR_MEMORY, "no memory for %u episodes", (unsigned)n);
    for (uint32_t i = 0; i < n; i++) {
        episode_read(w, episode_at(c, i));
        deterioration_read(w, episode_at(c, i));
    }
    w->model.episodes = w->episodes;
    w->body.episodes = w->deteriorations;
    return AFF_OK;
}

static aff_status model_read(struct ward *w)
{
    const struct config *c = w->cfg;

    rate_read(c->rate, &w->rate_num, &w->rate_den);
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
    w->body = (struct body_config){ .seed = (uint64_t)c->seed, .variation = c->variation };
    pulse_forms_make(&w->forms);
    w->patients = (uint32_t)c->subjects;
    w->block = (uint32_t)when_index(w, PORT_DATA, c->block);
    w->block = w->block > 0 ? w->block : 1;
    w->total = c->duration > 0 ? when_index(w, PORT_DATA, c->duration) : UINT64_MAX;
    for (uint32_t port = 0; port < PORTS; port++)
        w->on[port] = config_makes(c, port);
    for (uint32_t port = PORT_RESPIRATION; port < PORTS; port++)
        w->alive |= w->on[port];
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

static void patient_begin(struct ward *w, uint32_t i)
{
    const struct config *c = w->cfg;
    struct body usual = { c->respiratory_rate, c->spo2, c->systolic, c->diastolic, c->temperature,
                          c->consciousness, c->supplemental_oxygen };
    struct patient *p = &w->place->ward[i];
    double rate = patient_rate(w, i);

    ecg_begin(&p->ecg, &w->model, (int64_t)i + 1, rate);
    w->beds[i].rest = body_of_patient(&usual, w->model.seed, (int64_t)i + 1, c->spread / 10.0);
    p->breath = breath_first(&w->body, &w->beds[i].rest, (int64_t)i + 1);
    p->pulse[0] = pulse_first(60.0 / rate, &w->beds[i].rest);
    p->pulses = 1;
}

static aff_status place_open(struct ward *w)
{
    const struct aff_host *host = w->host;

    w->place_size = sizeof *w->place + w->patients * sizeof w->place->ward[0];
    w->place = host->alloc(host, w->place_size);
    w->beds = host->alloc(host, w->patients * sizeof w->beds[0]);
    if (!w->place || !w->beds)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for %u subjects",
                             (unsigned)w->patients);
    w->place->config = config_hash(w->cfg);
    w->place->port = PORTS;
    for (uint32_t i = 0; i < w->patients; i++)
        patient_begin(w, i);
    start_read(w);
    return AFF_OK;
}

static const char *const stream_names[PORTS] = {
    [PORT_DATA] = "ecg",     [PORT_TRUTH] = "truth",       [PORT_RESPIRATION] = "respiration",
    [PORT_PLETH] = "pleth",  [PORT_PRESSURE] = "pressure", [PORT_VITALS] = "vitals",
};

static aff_status names_open(struct ward *w, uint32_t patient)
{
    const struct aff_host *host = w->host;
    struct bed *b = &w->beds[patient];
    char name[256];

    if (w->patients > 1)
        snprintf(name, sizeof name, "%.240s-%03u", w->cfg->subject, (unsigned)patient + 1);
    else
        snprintf(name, sizeof name, "%s", w->cfg->subject);
    b->subject = host->subject(host, name);
    if (!b->subject)
        return AFF_ERR_MEMORY;
    for (uint32_t port = 0; port < PORTS; port++) {
        if (!w->on[port])
            continue;
        b->stream[port] = host->stream(host, b->subject, stream_names[port], w->schema[port]);
        if (!b->stream[port])
            return AFF_ERR_MEMORY;
    }
    return AFF_OK;
}

static aff_status streams_open(struct ward *w)
{
    struct aff_column lead[ECG_LEADS];
    struct aff_schema data = data_schema(w->cfg, lead);
    aff_status st = AFF_OK;

    for (uint32_t port = 0; port < PORTS; port++) {
        if (!w->on[port])
            continue;
        w->schema[port] = w->host->schema(w->host, port == PORT_DATA ? &data : port_schema[port]);
        if (!w->schema[port])
            return AFF_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < w->patients && st == AFF_OK; i++)
        st = names_open(w, i);
    return st;
}

void ward_close(void *self)
{
    struct ward *w = self;
    const struct aff_host *host = w->host;

    if (w->beds)
        host->free(host, w->beds);
    if (w->place)
        host->free(host, w->place);
    if (w->episodes)
        host->free(host, w->episodes);
    if (w->deteriorations)
        host->free(host, w->deteriorations);
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
