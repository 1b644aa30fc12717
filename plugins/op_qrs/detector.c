/* SPDX-License-Identifier: Apache-2.0
 *
 * detector.c - which peaks of QRS energy are heart beats.
 *
 * The rules and their constants are those of P. Hamilton, "Open source ECG
 * analysis", Computers in Cardiology 29:101-104, 2002 (after P. Hamilton and
 * W. Tompkins, IEEE Trans. Biomed. Eng. 33(12):1157-1165, 1986, and J. Pan and
 * W. Tompkins, 32(3):230-236, 1985). Three are added, each with its reason below:
 * a mirror of the T-wave rule for P waves, a stricter test for jumps of the
 * baseline that dwarf the beats, and one that noise alone is not taken for a
 * heart after start or asystole. Their constants are our choice, the same for
 * every record, and no record needs them to be exact.
 *
 * Filters and the search for peaks are in front.c. */
#include "detector.h"

#include <math.h>
#include <string.h>

#define MS(ms) ((ms) * QRS_RATE / 1000)

enum {
    REFRACTORY = MS(200),    /* no two beats are nearer */
    P_WAVE = MS(250),        /* reach of the P-wave rule: 240 beats a minute */
    T_WAVE = MS(360),        /* a T wave peaks within this */
    PEAK_END = MS(95),       /* a peak is known this long after its top */
    LOOK_AHEAD = P_WAVE + PEAK_END,
    LEARN = MS(2000),
    LEARN_LEAST = MS(1000),  /* where the data ends before */
    SILENCE = MS(8000),      /* without a beat, learn anew */
    SEARCH_FIRST = MS(1500), /* search back after this, while no interval is known */
    SEARCH_MOST = MS(2000),  /* and after this at the latest */
    MISS_AGE = MS(2200),     /* older peaks are no news any more */
    MISSING_MOST = 250,      /* ms without samples that are bridged */
    LONG_AGO = 1 << 30
};

/* Hamilton 2002: threshold between the levels of noise and beats; the share of
 * it that suffices on searching back; that search begins at 1.5 intervals. */
static const double threshold_share = 0.3125;
static const double search_share = 0.5;
static const double search_intervals = 1.5;
/* A T wave is less than half as steep as the complex before it. */
static const double t_wave_slope = 0.5;
/* A P wave comes less than 250 ms before a complex that is clearly larger. Two
 * beats at 240 a minute differ less. */
static const double p_wave_height = 1.2;
/* An electrode that moves shifts the baseline: a way up without a way down, or
 * the other way round; a complex goes both ways (Hamilton compares them over 220
 * ms with a factor of 8; here the window is tighter). A peak that is much larger
 * than the beats must look more like one. */
static const double shift_lean = 5.0;
static const double shift_lean_large = 3.0;
static const double large = 2.0;
/* Learning. The energy of noise spreads like a Rayleigh distribution, whose
 * largest value in 2 s stays below 4 times its median; that of an ECG reaches
 * more, up to 240 narrow complexes a minute. Broad ones in quick succession do
 * not, and are known by their size: this energy (mV per 10 ms) is that of about
 * 0.5 mV, the least that a cardiotachometer must count (ANSI/AAMI EC13 4.2.6.1).
 * Below height_least the last bit of a converter would beat. */
static const double crest_least = 4.0;
static const double height_sure = 0.15;
static const double height_least = 0.005;
/* Beyond this a value is no voltage, and squares of it might overflow. */
static const double millivolts_most = 1e9;
/* The highest of the first peaks may be larger than the beats to come. */
static const double first_share = 0.8;

static void recent_add(struct qrs_recent *r, double value)
{
    r->value[r->count % QRS_RECENT] = value;
    r->count++;
    if (r->count >= 2 * QRS_RECENT) /* same slot, never overflows */
        r->count -= QRS_RECENT;
}

static uint32_t recent_size(const struct qrs_recent *r)
{
    return r->count < QRS_RECENT ? r->count : QRS_RECENT;
}

static double recent_median(const struct qrs_recent *r)
{
    double sorted[QRS_RECENT];
    uint32_t i, j, n = recent_size(r);

    for (i = 0; i < n; i++) {
        for (j = i; j > 0 && sorted[j - 1] > r->value[i]; j--)
            sorted[j] = sorted[j - 1];
        sorted[j] = r->value[i];
    }
    if (n == 0)
        return 0.0;
    return n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
}

static double recent_mean(const struct qrs_recent *r)
{
    double sum = 0.0;
    uint32_t i, n = recent_size(r);

    for (i = 0; i < n; i++)
        sum += r->value[i];
    return n ? sum / n : 0.0;
}

static void levels_update(struct qrs *q)
{
    q->beat_level = recent_median(&q->beats);
    q->noise_level = recent_median(&q->noise);
    q->threshold = q->noise_level + threshold_share * (q->beat_level - q->noise_level);
}

static void noise_add(struct qrs *q, const struct qrs_peak *p)
{
    recent_add(&q->noise, p->height);
    levels_update(q);
}

static int has_beat(const struct qrs *q)
{
    return !isnan(q->last_fiducial);
}

static double quality_of(const struct qrs *q, const struct qrs_peak *p)
{
    double span = q->beat_level - q->noise_level;
    double share = span > 0.0 ? (p->height - q->noise_level) / span : 0.0;

    return share < 0.0 ? 0.0 : share > 1.0 ? 1.0 : share;
}

static void beat_write(struct qrs *q, const struct qrs_peak *p, struct qrs_beat *beat)
{
    beat->quality = quality_of(q, p);
    beat->sample = q->segment + (int64_t)floor(p->fiducial * q->front.rate + 0.5);
    beat->rr_ms = (p->fiducial - q->last_fiducial) * 1000.0;
    if (p->time - q->last_time > SILENCE)
        memset(&q->intervals, 0, sizeof q->intervals);
    else if (has_beat(q))
        recent_add(&q->intervals, (p->fiducial - q->last_fiducial) * QRS_RATE);
    beat->rate = q->intervals.count ? 60.0 * QRS_RATE / recent_mean(&q->intervals) : (double)NAN;
    q->interval = recent_median(&q->intervals);
    q->last_fiducial = p->fiducial;
    q->last_time = p->time;
    q->last_slope = p->slope;
    recent_add(&q->beats, p->height);
    levels_update(q);
}

static void misses_drop_until(struct qrs *q, int64_t time)
{
    uint32_t i, kept = 0;

    for (i = 0; i < q->miss_count; i++)
        if (q->misses[i].time > time)
            q->misses[kept++] = q->misses[i];
    q->miss_count = kept;
}

static void miss_add(struct qrs *q, const struct qrs_peak *p)
{
    if (q->miss_count == QRS_MISSES)
        misses_drop_until(q, q->misses[0].time);
    q->misses[q->miss_count++] = *p;
}

static int is_shift(const struct qrs *q, const struct qrs_peak *p)
{
    return p->lean > (p->height > large * q->beat_level ? shift_lean_large : shift_lean);
}

/* Whether a later peak takes this one's place: any larger one that the
 * refractory period would forbid beside it, or a clearly larger one to which it
 * is the P wave. */
static int is_outdone(const struct qrs *q, const struct qrs_peak *p)
{
    const struct qrs_peak *next;
    uint32_t i;

    for (i = 0; i < q->peak_count; i++) {
        next = &q->peaks[i];
        if (next->time - p->time > P_WAVE)
            break;
        if (is_shift(q, next))
            continue;
        if (next->time - p->time <= REFRACTORY && next->height > p->height)
            return 1;
        if (next->height > q->threshold && next->height > p_wave_height * p->height)
            return 1;
    }
    return 0;
}

/* What an early peak may be, other than a beat. */
static int is_forbidden(const struct qrs *q, const struct qrs_peak *p)
{
    if (is_shift(q, p) || p->time - q->last_time <= REFRACTORY)
        return 1;
    return p->time - q->rival_time <= REFRACTORY && q->rival_height >= p->height;
}

static int is_t_wave(const struct qrs *q, const struct qrs_peak *p)
{
    return p->time - q->last_time < T_WAVE && p->slope < t_wave_slope * q->last_slope;
}

/* Decides the oldest peak; all that come within LOOK_AHEAD behind it are there. */
static size_t peak_decide(struct qrs *q, struct qrs_beat *beat)
{
    struct qrs_peak p = q->peaks[0];

    q->peak_count--;
    memmove(q->peaks, q->peaks + 1, q->peak_count * sizeof q->peaks[0]);
    if (is_forbidden(q, &p) || is_outdone(q, &p))
        return 0;
    q->rival_time = p.time;
    q->rival_height = p.height;
    if (p.height > q->threshold && !is_t_wave(q, &p)) {
        beat_write(q, &p, beat);
        q->miss_count = 0;
        return 1;
    }
    noise_add(q, &p);
    if (p.time - q->last_time >= T_WAVE)
        miss_add(q, &p);
    return 0;
}

/* After a pause of 1.5 intervals the highest peak since the last beat counts as
 * one if it reaches half of the threshold. */
static size_t search_back(struct qrs *q, struct qrs_beat *beat)
{
    double limit = q->intervals.count ? search_intervals * q->interval : (double)SEARCH_FIRST;
    int64_t from = q->last_time > 0 ? q->last_time : 0;
    const struct qrs_peak *best = NULL;
    struct qrs_peak found;
    uint32_t i;

    limit = limit > SEARCH_MOST ? (double)SEARCH_MOST : limit;
    misses_drop_until(q, q->front.time - MISS_AGE);
    if ((double)(q->front.time - from) <= limit + LOOK_AHEAD)
        return 0;
    for (i = 0; i < q->miss_count; i++)
        if (q->misses[i].time - q->last_time >= T_WAVE && (!best || q->misses[i].height > best->height))
            best = &q->misses[i];
    if (!best || best->height <= search_share * q->threshold)
        return 0;
    found = *best;
    beat_write(q, &found, beat);
    misses_drop_until(q, found.time);
    return 1;
}

/* At the end of a learning window: does it hold a heart? */
static int window_has_heart(struct qrs *q)
{
    double crest = crest_least * front_floor(&q->front);

    if (q->window_peak < height_least)
        return 0;
    return q->window_peak >= height_sure || q->window_peak >= crest;
}

static void window_open(struct qrs *q)
{
    q->window_start = q->front.time;
    q->window_peak = 0.0;
    q->front.energies = 0;
}

static void learn(struct qrs *q)
{
    memset(&q->beats, 0, sizeof q->beats);
    memset(&q->noise, 0, sizeof q->noise);
    recent_add(&q->beats, first_share * q->window_peak);
    levels_update(q);
    q->is_learned = 1;
}

/* While nothing is known, or no beat came for long, windows of 2 s are looked
 * at. Before the first is passed peaks wait; afterwards the old levels go on
 * until there are new ones, for the same beats may come back. */
static void window_step(struct qrs *q)
{
    int is_silent = q->is_learned && q->front.time - q->last_time > SILENCE;

    if (q->is_learned && !is_silent) {
        window_open(q);
        return;
    }
    if (q->front.time - q->window_start < LEARN)
        return;
    if (window_has_heart(q)) {
        learn(q);
        if (is_silent) {
            q->last_time = q->front.time - SILENCE / 2;
            q->last_fiducial = (double)NAN;
            memset(&q->intervals, 0, sizeof q->intervals);
        }
    } else if (!q->is_learned) {
        q->peak_count = 0;
    }
    window_open(q);
}

static size_t settle(struct qrs *q, int64_t age, struct qrs_beat *beats)
{
    size_t n = 0;

    while (q->peak_count && q->front.time - q->peaks[0].time > age)
        n += peak_decide(q, beats + n);
    return n;
}

static void peak_add(struct qrs *q, const struct qrs_peak *p)
{
    if (q->peak_count == QRS_PEAKS) {
        q->peak_count--;
        memmove(q->peaks, q->peaks + 1, q->peak_count * sizeof q->peaks[0]);
    }
    q->peaks[q->peak_count++] = *p;
    if (p->lean <= shift_lean && p->height > q->window_peak)
        q->window_peak = p->height;
}

static size_t inner_step(struct qrs *q, struct qrs_beat *beats)
{
    struct qrs_peak p;
    size_t n;

    if (front_step(&q->front, &p))
        peak_add(q, &p);
    window_step(q);
    if (!q->is_learned)
        return 0;
    n = settle(q, LOOK_AHEAD, beats);
    return n + search_back(q, beats + n);
}

static void segment_open(struct qrs *q, double rate, int64_t first)
{
    memset(q, 0, sizeof *q);
    front_open(&q->front, rate);
    q->segment = first;
    q->last_time = -LONG_AGO;
    q->rival_time = -LONG_AGO;
    q->last_fiducial = (double)NAN;
}

int qrs_open(struct qrs *q, double rate)
{
    if (!(rate >= QRS_RATE_LEAST && rate <= QRS_RATE_MOST))
        return -1;
    segment_open(q, rate, 0);
    return 0;
}

size_t qrs_restart(struct qrs *q, int64_t next, struct qrs_beat beats[QRS_BEATS_MAX])
{
    struct qrs_peak p;
    size_t n = 0;

    if (front_end_peak(&q->front, &p))
        peak_add(q, &p);
    if (!q->is_learned && q->front.time - q->window_start >= LEARN_LEAST && window_has_heart(q))
        learn(q);
    if (q->is_learned)
        n = settle(q, -1, beats);
    segment_open(q, q->front.rate, next);
    return n;
}

/* A short hole is bridged by the last value; in a long one the segment ends, and
 * the next begins where samples come back. */
static size_t sample_missing(struct qrs *q, struct qrs_beat *beats)
{
    if (q->front.inputs == 0) {
        q->segment++;
        return 0;
    }
    q->missing++;
    if ((double)q->missing * 1000.0 <= MISSING_MOST * q->front.rate)
        return 0;
    return qrs_restart(q, q->segment + q->front.inputs + q->missing, beats);
}

static size_t sample_take(struct qrs *q, double millivolts, struct qrs_beat *beats)
{
    size_t n = 0;

    front_input(&q->front, millivolts);
    while (front_has_step(&q->front))
        n += inner_step(q, beats + n);
    return n;
}

size_t qrs_push(struct qrs *q, double millivolts, struct qrs_beat beats[QRS_BEATS_MAX])
{
    size_t n = 0;

    if (!(fabs(millivolts) <= millivolts_most))
        return sample_missing(q, beats);
    for (; q->missing > 0; q->missing--)
        n += sample_take(q, q->last_value, beats + n);
    q->last_value = millivolts;
    return n + sample_take(q, millivolts, beats + n);
}
