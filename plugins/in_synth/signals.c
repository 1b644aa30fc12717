/* SPDX-License-Identifier: Apache-2.0
 *
 * signals.c - the waves beside the ECG, and the rows of a monitor's numbers.
 *
 * For each block the patient's breaths and pulses are taken to hand: those that
 * still last from before, and those that begin in it. Every sample and every row
 * of the block is a function of these, of the options and of its time, so cuts
 * and restarts change nothing. Not here: the averaging by which a monitor's
 * numbers come late, but for the heart rate. */
#include "ward_inside.h"

#define INTERVALS 8         /* of which the heart rate is the mean */
#define STANDSTILL_S 4.0    /* without a beat for so long, there is no pulse */
#define CUFF_MMHG 1.5       /* standard deviation of a reading */

static const struct body *rest_of(const struct ward *w)
{
    return &w->beds[w->place->patient].rest;
}

static int64_t number_of(const struct ward *w)
{
    return (int64_t)w->place->patient + 1;
}

/* --- to hand ----------------------------------------------------------- */

void hand_take(struct ward *w, double until)
{
    struct hand *h = &w->place->hand;
    const struct patient *p = &w->place->ward[w->place->patient];

    h->breath[0] = p->breath;
    h->breaths = 1;
    while (h->breaths < BREATHS_MAX) {
        const struct breath *last = &h->breath[h->breaths - 1];

        if (last->start + last->period >= until)
            break;
        h->breath[h->breaths++] = breath_next(last, &w->body, rest_of(w), number_of(w));
    }
    memcpy(h->pulse, p->pulse, p->pulses * sizeof h->pulse[0]);
    h->pulses = p->pulses;
}

void hand_back(struct ward *w)
{
    const struct hand *h = &w->place->hand;
    struct patient *p = &w->place->ward[w->place->patient];

    p->breath = h->breath[h->breaths - 1];
    p->pulses = h->pulses < PULSES_KEPT ? h->pulses : PULSES_KEPT;
    memcpy(p->pulse, h->pulse + h->pulses - p->pulses, p->pulses * sizeof p->pulse[0]);
}

/* The breath that lasts at a time, looked for from `from` on. */
static uint32_t breath_at(const struct hand *h, uint32_t from, double seconds)
{
    while (from + 1 < h->breaths && h->breath[from + 1].start <= seconds)
        from++;
    return from;
}

void hand_beats(struct ward *w, const struct ecg_mark *mark, size_t count)
{
    struct hand *h = &w->place->hand;

    for (size_t i = 0; i < count && h->pulses < PULSES_KEPT + MARKS_MAX; i++) {
        double at = (double)mark[i].sample / w->model.rate_hz;
        const struct breath *breath = &h->breath[breath_at(h, 0, at)];
        struct body body = body_at(&w->body, rest_of(w), number_of(w), (uint64_t)(at * 1e9));
        struct beat beat = { .at = at, .interval = mark[i].interval, .volume = breath_volume(breath, at),
                             .ectopic = mark[i].code == ECG_CODE_PVC };
        double full = rest_of(w)->systolic - rest_of(w)->diastolic;

        h->pulse[h->pulses] = pulse_make(&w->forms, &h->pulse[h->pulses - 1], &beat, &body, full);
        h->pulses++;
    }
}

/* --- waves ------------------------------------------------------------- */

/* Two uniform numbers make a triangle: standard deviation 1, and none beyond 2.5. */
static double wave_noise(const struct ward *w, uint32_t port, uint64_t index)
{
    uint64_t state = w->body.seed + port, z = dice_mix(&state) ^ (uint64_t)number_of(w) << 40;

    state = z + index;
    z = dice_mix(&state);
    return ((double)(z >> 32) + (double)(z & 0xffffffffu) - 4294967296.0) * (2.449489742783178 / 4294967296.0);
}

static double respiration_at(const struct ward *w, uint32_t *at, double seconds)
{
    const struct hand *h = &w->place->hand;

    *at = breath_at(h, *at, seconds);
    return breath_volume(&h->breath[*at], seconds);
}

static double pressure_at(const struct ward *w, uint32_t *at, double seconds)
{
    const struct hand *h = &w->place->hand;

    while (*at + 1 < h->pulses && pulse_pressure_foot(&h->pulse[*at + 1]) <= seconds)
        ++*at;
    return pulse_pressure(&w->forms, &h->pulse[*at], seconds);
}

static double pleth_at(const struct ward *w, uint32_t *at, double seconds)
{
    const struct hand *h = &w->place->hand;

    while (*at + 1 < h->pulses && pulse_pleth_foot(&h->pulse[*at + 1]) <= seconds)
        ++*at;
    return pulse_pleth(&w->forms, &h->pulse[*at], seconds);
}

static const struct wave {
    double (*at)(const struct ward *w, uint32_t *at, double seconds);
    double hz, gain, noise;
} waves[PORTS] = {
    [PORT_RESPIRATION] = { respiration_at, RESPIRATION_HZ, RESPIRATION_GAIN, 0.008 },
    [PORT_PLETH] = { pleth_at, PLETH_HZ, PLETH_GAIN, 0.003 },
    [PORT_PRESSURE] = { pressure_at, PRESSURE_HZ, PRESSURE_GAIN, 0.2 },
};

void wave_fill(const struct ward *w, uint32_t port, int16_t *out, uint32_t n)
{
    const struct wave *wave = &waves[port];
    uint32_t at = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t index = w->place->at + i;
        double y = wave->at(w, &at, (double)index / wave->hz);

        if (w->body.variation > 0.0)
            y += w->body.variation * wave->noise * wave_noise(w, port, index);
        y = exact_nearest(y * wave->gain);
        y = y < INT16_MAX ? y : INT16_MAX;
        out[i] = (int16_t)(y > -INT16_MAX ? y : -INT16_MAX);
    }
}

/* --- numbers ----------------------------------------------------------- */

/* What a monitor shows, in its steps: heart rate is counted from the beats, pressure
 * is taken by a cuff now and then and needs a pulse, as does the saturation. */

struct heart {
    double rate;  /* counted; 0: it stands still */
    bool counted; /* there were beats enough, or none for too long */
    bool beats;   /* there is a pulse to measure */
};

static struct heart heart_count(const struct hand *h, double seconds)
{
    double last = 0.0, first = 0.0, mean = 0.0, since = 0.0;
    int n = 0;

    for (uint32_t i = h->pulses; i > 0 && n <= INTERVALS; i--) {
        double at = h->pulse[i - 1].at;

        if (at > seconds)
            continue;
        if (at < 0.0 || (n > 0 ? first : seconds) - at > STANDSTILL_S)
            break;
        last = n == 0 ? at : last;
        first = at;
        n++;
    }
    if (n == 0 && seconds > STANDSTILL_S)
        return (struct heart){ .counted = true };
    if (n < 2)
        return (struct heart){ .beats = true };
    mean = (last - first) / (n - 1);
    since = seconds - last; /* one that is long overdue counts as well */
    return (struct heart){ .rate = 60.0 / (since > 1.5 * mean ? since : mean), .counted = true, .beats = true };
}

/* Rows in which something is new that is measured only now and then. */
static bool is_due(const struct ward *w, int64_t every)
{
    uint64_t row = w->place->at;

    return row == 0 || when_is(w, PORT_VITALS, row) / every != when_is(w, PORT_VITALS, row - 1) / every;
}

static void put(struct aff_row *row, uint32_t column, double value, double steps)
{
    aff_row_put_real(row, column, exact_nearest(value * steps) / steps);
}

static void pressure_put(const struct ward *w, struct aff_row *row, const struct body *b, double rate)
{
    double noise = body_noise(w->body.seed, number_of(w), NOISE_PRESSURE, w->place->at);
    double off = CUFF_MMHG * w->body.variation * noise, mean = 0.0;

    off = off < 4.0 ? off : 4.0;
    off = off > -4.0 ? off : -4.0;
    mean = pulse_mean(&w->forms, b->systolic + off, b->diastolic + 0.5 * off, rate > 0.0 ? 60.0 / rate : 0.8);
    put(row, VITALS_SYSTOLIC, b->systolic + off, 1.0);
    put(row, VITALS_DIASTOLIC, b->diastolic + 0.5 * off, 1.0);
    put(row, VITALS_MEAN_PRESSURE, mean, 1.0);
}

uint32_t vitals_fill(const struct ward *w, struct aff_record *draft)
{
    const struct place *p = w->place;
    struct aff_row row = aff_row_begin(draft, VITALS_COLUMNS);
    int64_t ns = when_is(w, PORT_VITALS, p->at);
    struct body b = body_at(&w->body, rest_of(w), number_of(w), (uint64_t)ns);
    struct heart heart = heart_count(&p->hand, (double)ns / 1e9);

    put(&row, VITALS_RESPIRATORY_RATE, b.respiratory_rate, 1.0);
    if (heart.beats && !when_has(w, p->patient, KIND_PROBE_OFF, ns))
        put(&row, VITALS_SPO2, b.spo2, 1.0);
    if (heart.counted && !when_has(w, p->patient, ECG_LEAD_OFF, ns))
        put(&row, VITALS_HEART_RATE, heart.rate, 1.0);
    if (heart.beats && is_due(w, w->cfg->pressure_every))
        pressure_put(w, &row, &b, heart.rate);
    if (is_due(w, w->cfg->observed_every)) {
        put(&row, VITALS_TEMPERATURE, b.temperature, 10.0);
        aff_row_put_text(&row, VITALS_CONSCIOUSNESS, &body_letter[b.consciousness], 1);
        aff_row_put_int(&row, VITALS_OXYGEN, b.oxygen);
    }
    return aff_row_end(&row);
}
