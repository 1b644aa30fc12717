/* SPDX-License-Identifier: Apache-2.0
 *
 * ecg.c - McSharry's dynamical model of the electrocardiogram, streamed.
 *
 * McSharry et al. 2003 (cited in rhythm.c): a point runs round a circle, once a
 * beat; five Gaussians at fixed angles (P Q R S T) push the voltage z, which
 * otherwise falls back to a baseline that breathes:
 *     theta' = omega,  z' = -sum a_i d_i exp(-d_i^2 / 2 b_i^2) - (z - z0)
 * Their circle attracts; we begin on it and stay, so only its angle is kept.
 * With the push in proportion to omega (Sameni et al., IEEE Trans Biomed Eng
 * 54(12):2172-2185, 2007) the first term is the derivative of g = sum alpha_i
 * exp(-d_i^2 / 2 b_i^2), so z = g + v with v' = z0 - g - v: g is evaluated
 * exactly and only the slow v is integrated, in place of Runge-Kutta. Widths and
 * angles follow the heart rate as in the authors' ECGSYN. */
#include "ecg.h"

#include "ramp.h"

#define TWO_PI (2.0 * EXACT_PI)
#define DEGREE (EXACT_PI / 180.0)
#define BLOCK 128

enum { P, Q, R, S, T };

/* Table I of the paper, with the T of ECGSYN; push and width at 60 beats a minute. */
static const double angle_deg[ECG_WAVES] = { -70.0, -15.0, 0.0, 15.0, 100.0 };
static const double width[ECG_WAVES] = { 0.25, 0.1, 0.1, 0.1, 0.4 };

/* mV. Lead II: alpha = a b^2 / 2 pi of the paper's a = 1.2, -5, 30, -7.5, 0.75,
 * times 25, which brings R to 1.2 mV as ECGSYN does. The paper has one lead; the
 * others have usual adult amplitudes (rS in V1, tall R in V5). */
static const double normal_mv[ECG_WAVES][ECG_LEADS] = {
    [P] = { 0.298, 0.10, 0.15 },   [Q] = { -0.199, 0.0, -0.10 }, [R] = { 1.194, 0.30, 1.60 },
    [S] = { -0.298, -1.10, -0.20 }, [T] = { 0.477, -0.15, 0.45 },
};

/* A ventricular beat has no P, is wide and tall, and its T goes the other way. */
static const double ectopic_mv[ECG_WAVES][ECG_LEADS] = {
    [P] = { 0.0, 0.0, 0.0 },     [Q] = { 0.0, 0.0, 0.0 },      [R] = { 1.60, 1.20, -1.40 },
    [S] = { -0.50, -0.20, 0.30 }, [T] = { -0.45, -0.30, 0.40 },
};
static const double ectopic_width[ECG_WAVES] = { 0.25, 0.2, 0.2, 0.2, 0.4 };
static const double ectopic_angle_deg[ECG_WAVES] = { -70.0, -30.0, 0.0, 40.0, 110.0 };

/* A premature beat comes after 0.65 of the interval (half of it lies behind when
 * it is chosen), and the next one where it would have been anyhow. */
#define EARLY_ANGLE (-0.15 * TWO_PI)
#define COMPENSATION 0.35

#define INTERVAL_MIN 0.2
#define INTERVAL_MAX 6.0

/* The mean heart rate moves to that of an episode by a tenth a beat at most. */
#define RATE_STEP 1.1

const char *const ecg_lead_names[ECG_LEADS] = { "II", "V1", "V5" };

static void wave_set(struct ecg *e, int i, double degrees, double b, const double *amplitude)
{
    double factor = sqrt(e->heart_rate / 60.0), root = sqrt(factor);
    double stretch = i == P || i == T ? root : factor;
    struct ecg_wave *w = &e->wave[i];

    b *= factor;
    w->centre = degrees * DEGREE * stretch;
    w->narrow = 1.0 / (2.0 * b * b);
    w->reach = 5.5 * b;
    for (int lead = 0; lead < ECG_LEADS; lead++)
        w->amplitude[lead] = amplitude[lead];
}

static void waves_set(struct ecg *e)
{
    for (int i = 0; i < ECG_WAVES; i++) {
        if (e->premature)
            wave_set(e, i, ectopic_angle_deg[i], ectopic_width[i], ectopic_mv[i]);
        else
            wave_set(e, i, angle_deg[i], width[i], normal_mv[i]);
    }
}

/* The sum of Gaussians at an angle, for each lead. */
static inline void waves_at(const struct ecg_wave *wave, double theta, double *restrict g)
{
    for (int lead = 0; lead < ECG_LEADS; lead++)
        g[lead] = 0.0;
    for (int i = 0; i < ECG_WAVES; i++) {
        const struct ecg_wave *w = &wave[i];
        double d = theta - w->centre, push = 0.0;

        d = d > EXACT_PI ? d - TWO_PI : d < -EXACT_PI ? d + TWO_PI : d;
        if (d > w->reach || d < -w->reach)
            continue;
        push = exact_exp(-d * d * w->narrow);
        for (int lead = 0; lead < ECG_LEADS; lead++)
            g[lead] += w->amplitude[lead] * push;
    }
}

static double breath_mv(const struct ecg_config *cfg, uint64_t sample)
{
    double t = (double)sample / cfg->rate_hz;

    return cfg->wander_mv > 0.0 ? cfg->wander_mv * exact_sin_turns(RHYTHM_BREATH_HZ * t) : 0.0;
}

/* Changes the shape of the waves, and perhaps the angle, where z must not jump:
 * what g loses v gains. */
static void shape_change(struct ecg *e, double theta)
{
    double before[ECG_LEADS], after[ECG_LEADS];

    waves_at(e->wave, e->theta, before);
    waves_set(e);
    waves_at(e->wave, theta, after);
    for (int lead = 0; lead < ECG_LEADS; lead++) {
        e->lag[lead] += before[lead] - after[lead];
        e->drive[lead] += before[lead] - after[lead];
    }
    e->theta = theta;
}

/* Between two beats, half an interval behind R: what kind is the next one, and
 * is there one at all? The phase stands still during a pause. */
static void beat_choose(struct ecg *e, const struct ecg_config *cfg)
{
    bool was_premature = e->premature;
    double rest = was_premature ? COMPENSATION * e->interval * cfg->rate_hz : 0.0;

    e->theta -= TWO_PI;
    e->premature = e->ectopy && !was_premature && !e->pause && dice_unit(&e->chance) < 1.0 / 3.0;
    shape_change(e, e->premature ? EARLY_ANGLE : e->theta);
    e->release = e->sample + (uint64_t)rest;
    e->held = e->pause || rest >= 1.0;
}

static double rate_towards(double rate, double target)
{
    if (target > rate)
        return target < rate * RATE_STEP ? target : rate * RATE_STEP;
    return target > rate / RATE_STEP ? target : rate / RATE_STEP;
}

/* The mean rate aimed at now, deteriorations included; the first of a list is
 * applied last. */
static double rate_aimed(const struct ecg *e, const struct ecg_config *cfg)
{
    double rate = e->target_rate;

    for (size_t i = e->ramped ? cfg->episode_count : 0; i > 0; i--) {
        const struct ecg_episode *x = &cfg->episodes[i - 1];

        if (x->kind == ECG_DETERIORATION && (!x->patient || x->patient == e->patient))
            rate += ramp_weight(e->sample, x->from, x->until, x->over) * (x->heart_rate - rate);
    }
    return rate;
}

/* At R: how long until the next one? Standard deviations of rate and interval
 * are related as in ECGSYN: sd(RR) = 60 sd(HR) / HR^2. */
static void interval_choose(struct ecg *e, const struct ecg_config *cfg)
{
    double x = rhythm_at(&e->rhythm, (double)e->sample / cfg->rate_hz);
    double rr = 0.0;

    e->heart_rate = rate_towards(e->heart_rate, rate_aimed(e, cfg));
    rr = 60.0 / e->heart_rate + x * 60.0 * cfg->heart_rate_sd / (e->heart_rate * e->heart_rate);
    rr = rr > INTERVAL_MIN ? rr : INTERVAL_MIN;
    e->interval = rr < INTERVAL_MAX ? rr : INTERVAL_MAX;
    e->omega = TWO_PI / (e->interval * cfg->rate_hz);
}

/* Moves the phase on to the sample at hand. True at an R peak; *ret_late is how
 * much of a sample it lies behind. */
static inline bool phase_step(struct ecg *e, const struct ecg_config *cfg, double *ret_late)
{
    double before = e->theta;

    if (e->held) {
        e->held = e->pause || e->sample < e->release;
        return false;
    }
    e->theta += e->omega;
    if (before < 0.0 && e->theta >= 0.0) {
        *ret_late = e->theta / e->omega;
        interval_choose(e, cfg);
        e->theta = *ret_late * e->omega;
        return true;
    }
    if (e->theta >= EXACT_PI)
        beat_choose(e, cfg);
    return false;
}

static void mark_add(const struct ecg *e, double late, struct ecg_mark *marks, size_t *count,
                     size_t room)
{
    if (*count >= room)
        return;
    marks[*count] = (struct ecg_mark){ .sample = (int64_t)e->sample - (late > 0.5 && e->sample > 0),
                                       .code = e->premature ? ECG_CODE_PVC : ECG_CODE_NORMAL,
                                       .unseen = e->lead_off,
                                       .interval = e->interval };
    ++*count;
}

struct marks {
    struct ecg_mark *mark;
    size_t room;
    size_t count;
};

/* The clean voltages of a block. v' = drive - v over one sample, the drive taken
 * as the mean of its ends: exact but for the drive's curvature. */
static void block_clean(struct ecg *e, const struct ecg_config *cfg, double (*mv)[BLOCK], size_t n,
                        struct marks *m)
{
    double keep = exact_exp(-1.0 / cfg->rate_hz);

    for (size_t i = 0; i < n; i++) {
        double g[ECG_LEADS], late = 0.0, z0 = breath_mv(cfg, e->sample);

        if (phase_step(e, cfg, &late))
            mark_add(e, late, m->mark, &m->count, m->room);
        waves_at(e->wave, e->theta, g);
        for (int lead = 0; lead < ECG_LEADS; lead++) {
            double drive = z0 - g[lead];

            e->lag[lead] = keep * e->lag[lead] + (1.0 - keep) * 0.5 * (drive + e->drive[lead]);
            e->drive[lead] = drive;
            mv[lead][i] = g[lead] + e->lag[lead];
        }
        e->sample++;
    }
}

static void block_noise(struct ecg *e, const struct ecg_config *cfg, double (*mv)[BLOCK], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double normal[4];

        dice_normal2(&e->noise, normal);
        if (cfg->leads > 2)
            dice_normal2(&e->noise, normal + 2);
        for (int lead = 0; lead < cfg->leads; lead++)
            mv[lead][i] += e->noise_mv * normal[lead];
    }
}

/* The angle comes from the sample's number, so it never drifts: after a year it is
 * still good to a millionth of a turn. */
static void block_hum(const struct ecg_config *cfg, uint64_t first, double (*mv)[BLOCK], size_t n)
{
    double step = cfg->hum_hz / cfg->rate_hz;

    for (size_t i = 0; i < n; i++) {
        double hum = cfg->hum_mv * exact_sin_turns(step * (double)(first + i));

        for (int lead = 0; lead < cfg->leads; lead++)
            mv[lead][i] += hum;
    }
}

static void block_round(const struct ecg *e, const double *mv, int16_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double y = exact_nearest(mv[i] * ECG_GAIN);

        y = y < INT16_MAX ? y : INT16_MAX;
        y = y > -INT16_MAX ? y : -INT16_MAX;
        out[i] = e->lead_off ? ECG_MISSING : (int16_t)y;
    }
}

/* When an episode begins or ceases to have an effect, next after this sample. */
static uint64_t episode_edge(const struct ecg_episode *x, uint64_t sample)
{
    if (sample < x->from)
        return x->from;
    return sample < x->until ? x->until : x->until + x->over;
}

/* What is in force from this sample on, and until when that holds. The first
 * episode of a list that speaks about the rate is the one that counts. */
static void episodes_look(struct ecg *e, const struct ecg_config *cfg)
{
    bool rated = false;

    e->edge = UINT64_MAX;
    e->target_rate = e->base_rate;
    e->noise_mv = cfg->noise_mv;
    e->pause = e->ectopy = e->lead_off = e->ramped = false;
    for (size_t i = 0; i < cfg->episode_count; i++) {
        const struct ecg_episode *x = &cfg->episodes[i];
        uint64_t edge = episode_edge(x, e->sample);

        if ((x->patient && x->patient != e->patient) || e->sample >= edge)
            continue;
        e->edge = edge < e->edge ? edge : e->edge;
        if (e->sample < x->from)
            continue;
        e->ramped |= x->kind == ECG_DETERIORATION;
        e->pause |= x->kind == ECG_PAUSE;
        e->ectopy |= x->kind == ECG_ECTOPY;
        e->lead_off |= x->kind == ECG_LEAD_OFF;
        if (x->kind == ECG_NOISE && x->level > e->noise_mv)
            e->noise_mv = x->level;
        if (x->kind <= ECG_BRADYCARDIA && !rated) {
            e->target_rate = x->heart_rate;
            rated = true;
        }
    }
}

void ecg_begin(struct ecg *e, const struct ecg_config *cfg, int64_t patient, double heart_rate)
{
    uint64_t mix = cfg->seed, seed = dice_mix(&mix) ^ (uint64_t)patient;

    *e = (struct ecg){ .patient = patient, .base_rate = heart_rate, .heart_rate = heart_rate };
    rhythm_begin(&e->rhythm, seed, cfg->lf_hf);
    e->noise = dice_seed(seed, 2);
    e->chance = dice_seed(seed, 3);
    episodes_look(e, cfg);
    waves_set(e);
    interval_choose(e, cfg);
    e->theta = (dice_unit(&e->chance) - 1.0) * EXACT_PI;
    e->heart_rate = heart_rate;
}

/* As many samples as one block and one set of episodes allow. */
static size_t block_run(struct ecg *e, const struct ecg_config *cfg, double (*mv)[BLOCK], size_t n,
                        struct marks *m)
{
    uint64_t first = e->sample;

    if (e->sample >= e->edge)
        episodes_look(e, cfg);
    n = n < BLOCK ? n : BLOCK;
    n = n < e->edge - e->sample ? n : (size_t)(e->edge - e->sample);
    block_clean(e, cfg, mv, n, m);
    if (e->noise_mv > 0.0)
        block_noise(e, cfg, mv, n);
    if (cfg->hum_mv > 0.0)
        block_hum(cfg, first, mv, n);
    return n;
}

size_t ecg_run(struct ecg *e, const struct ecg_config *cfg, int16_t *const *planes, size_t n,
               struct ecg_mark *marks, size_t room)
{
    double mv[ECG_LEADS][BLOCK];
    struct marks m = { .mark = marks, .room = room };

    for (size_t at = 0, got = 0; at < n; at += got) {
        got = block_run(e, cfg, mv, n - at, &m);
        for (int lead = 0; lead < cfg->leads; lead++)
            block_round(e, mv[lead], planes[lead] + at, got);
    }
    return m.count;
}
