/* SPDX-License-Identifier: Apache-2.0
 *
 * in_synth.c - a source that is a modelled patient, or a ward of them.
 *
 * The electrocardiogram of McSharry et al. 2003 with heart rate variability,
 * noise and episodes, as samples; the true R peaks as rows, so that a beat
 * detector can be judged without a recording; and, where asked for, breathing,
 * pulse and arterial pressure as samples and a monitor's numbers as rows. The same
 * options give the same bytes, on any machine, and they are nobody's data.
 *
 * Here: options, ports, what is refused. The models are in ecg.c, rhythm.c, body.c,
 * breath.c and pulse.c, the making of records in blocks.c and signals.c. */
#include "ward.h"

#include <string.h>

#include "date.h"

static const char *const paces[] = { "realtime", "fast", NULL };
static const char *const kinds[] = { "tachycardia", "bradycardia", "pause", "ectopy",
                                     "noise", "lead_off", "deterioration", "probe_off",
                                     "silence", NULL };
static const char *const signals[] = { "respiration", "pleth", "pressure", "vitals", NULL };
static const char *const levels[] = { "A", "C", "V", "P", "U", NULL };
static const char *const levels_or_usual[] = { "usual", "A", "C", "V", "P", "U", NULL };

/* The ranges of vital signs at rest; those of an episode may be 0 as well. */
#define BREATHS_LEAST 4.0
#define BREATHS_MOST 60.0
#define SPO2_LEAST 50.0
#define SYSTOLIC_LEAST 50.0
#define SYSTOLIC_MOST 260.0
#define TEMPERATURE_LEAST 30.0
#define TEMPERATURE_MOST 43.0

#define DAY_NS (86400.0 * SECOND_NS)
#define OVER_USUAL "\"30s\""
#define OVER_USUAL_NS (INT64_C(30) * SECOND_NS)

static const struct aff_option episode_options[] = {
    AFF_OPT_DURATION(struct episode_config, at, AFF_OPT_REQUIRED, NULL, 0.0, 36500.0 * DAY_NS,
                     "When the episode begins, from the start of the signal."),
    /* `for` is a word of C, so the member has another name than the option */
    { .name = "for",
      .doc = "How long the episode lasts.",
      .type = AFF_TYPE_DURATION,
      .flags = AFF_OPT_REQUIRED,
      .offset = offsetof(struct episode_config, length),
      .min = 1.0,
      .max = 36500.0 * DAY_NS },
    AFF_OPT_ENUM(struct episode_config, kind, AFF_OPT_REQUIRED, NULL, kinds,
                 "What happens: the rate changes, no beat begins, ventricular beats come early, "
                 "noise rises, the electrodes are off, all vital signs get worse, the SpO2 probe is "
                 "off, or nothing at all comes from the subject."),
    AFF_OPT_REAL(struct episode_config, heart_rate, 0, "0.0", 0.0, ECG_RATE_MAX, "/min",
                 "Mean heart rate of a tachycardia, bradycardia or deterioration; 0 means 150, 40 "
                 "or 132."),
    AFF_OPT_REAL(struct episode_config, level, 0, "0.3", 0.0, 10.0, "mV",
                 "Standard deviation of the white noise of an episode of noise."),
    AFF_OPT_INT(struct episode_config, subject, 0, "0", 0, SUBJECTS_MAX, NULL,
                "Number of the only subject that has the episode, counted from 1; 0 means all."),
    AFF_OPT_DURATION(struct episode_config, over, 0, OVER_USUAL, 0.0, DAY_NS,
                     "How long a deterioration takes to reach its values, in a straight line, and "
                     "afterwards to leave them; consciousness and oxygen change half way."),
    AFF_OPT_REAL(struct episode_config, respiratory_rate, 0, "0.0", 0.0, BREATHS_MOST, "/min",
                 "Respiratory rate that a deterioration leads to; 0 means 30."),
    AFF_OPT_REAL(struct episode_config, spo2, 0, "0.0", 0.0, 100.0, "%",
                 "Oxygen saturation that a deterioration leads to; 0 means 86."),
    AFF_OPT_REAL(struct episode_config, systolic, 0, "0.0", 0.0, SYSTOLIC_MOST, "mm[Hg]",
                 "Systolic pressure that a deterioration leads to, the diastolic with it; 0 means 86."),
    AFF_OPT_REAL(struct episode_config, temperature, 0, "0.0", 0.0, TEMPERATURE_MOST, "Cel",
                 "Body temperature that a deterioration leads to; 0 means 39.2."),
    AFF_OPT_ENUM(struct episode_config, consciousness, 0, "\"usual\"", levels_or_usual,
                 "Consciousness in a deterioration, by the letters of ACVPU; usual means C."),
    AFF_OPT_BOOL(struct episode_config, supplemental_oxygen, "false",
                 "Whether oxygen is given in a deterioration."),
};

static const struct aff_option signal_options[] = {
    { .name = "",
      .doc = "A signal beside the electrocardiogram.",
      .type = AFF_TYPE_ENUM,
      .min = 1.0,
      .max = -1.0,
      .choices = signals },
};

static const struct aff_option options[] = {
    AFF_OPT_FREQUENCY(struct config, rate, 0, "\"360Hz\"", 50.0, 10000.0,
                      "Samples a second of each lead."),
    AFF_OPT_INT(struct config, leads, 0, "2", 1, ECG_LEADS, "leads",
                "How many leads: II, then V1, then V5."),
    AFF_OPT_REAL(struct config, heart_rate, 0, "75.0", ECG_RATE_MIN, ECG_RATE_MAX, "/min",
                 "Mean heart rate."),
    AFF_OPT_REAL(struct config, heart_rate_sd, 0, "1.0", 0.0, 20.0, "/min",
                 "Standard deviation of the heart rate from beat to beat."),
    AFF_OPT_REAL(struct config, spread, 0, "10.0", 0.0, 100.0, "/min",
                 "How far the mean heart rates of the second and later subjects may differ from "
                 "heart_rate, either way; their other vital signs differ in proportion."),
    AFF_OPT_REAL(struct config, lf_hf, 0, "0.5", 0.0, 100.0, NULL,
                 "Power of the slow variation of heart rate (0.1 Hz) to that of breathing."),
    AFF_OPT_REAL(struct config, noise, 0, "0.01", 0.0, 10.0, "mV",
                 "Standard deviation of white noise."),
    AFF_OPT_REAL(struct config, hum, 0, "0.0", 0.0, 10.0, "mV", "Amplitude of mains hum."),
    AFF_OPT_FREQUENCY(struct config, hum_freq, 0, "\"50Hz\"", 1.0, 1000.0,
                      "Frequency of mains hum."),
    AFF_OPT_REAL(struct config, wander, 0, "0.15", 0.0, 10.0, "mV",
                 "Amplitude of the baseline's wander with breathing."),
    AFF_OPT_LIST(struct config, episodes, 0, episode_options, sizeof(struct episode_config),
                 "What happens to the patient, and when."),
    AFF_OPT_INT(struct config, seed, 0, "1", 0, 9007199254740992.0, NULL,
                "Number that chance is drawn from: the same seed gives the same signal."),
    AFF_OPT_TEXT(struct config, subject, 0, "\"patient\"",
                 "Name of the subject; with several, each has its number behind it."),
    AFF_OPT_INT(struct config, subjects, 0, "1", 1, SUBJECTS_MAX, NULL,
                "How many patients the node makes, each different."),
    AFF_OPT_DURATION(struct config, duration, 0, "\"0s\"", 0.0, 36500.0 * DAY_NS,
                     "How long the signal is; 0 means that it never ends."),
    AFF_OPT_ENUM(struct config, pace, 0, "\"realtime\"", paces,
                 "As time passes, or as fast as it can be read."),
    AFF_OPT_TEXT(struct config, start, 0, "\"1970-01-01\"",
                 "Time of the first sample: a date and time in UTC, or \"now\"."),
    AFF_OPT_DURATION(struct config, block, 0, "\"250ms\"", 1e6, 10.0 * SECOND_NS,
                     "How much signal goes into one record."),
    AFF_OPT_LIST(struct config, signals, 0, signal_options, sizeof(int32_t),
                 "What the ports beside data and truth make; a port that is not named here makes "
                 "nothing."),
    AFF_OPT_DURATION(struct config, vitals_every, 0, "\"1s\"", 0.1 * SECOND_NS, 3600.0 * SECOND_NS,
                     "Interval between rows of vital signs."),
    AFF_OPT_DURATION(struct config, pressure_every, 0, "\"5s\"", 0.1 * SECOND_NS, DAY_NS,
                     "How often the cuff takes a new blood pressure; rows between have none."),
    AFF_OPT_DURATION(struct config, observed_every, 0, "\"5s\"", 0.1 * SECOND_NS, DAY_NS,
                     "How often temperature, consciousness and oxygen are taken down; rows between "
                     "have none."),
    AFF_OPT_REAL(struct config, respiratory_rate, 0, "15.0", BREATHS_LEAST, BREATHS_MOST, "/min",
                 "Respiratory rate at rest."),
    AFF_OPT_REAL(struct config, spo2, 0, "97.0", SPO2_LEAST, 100.0, "%", "Oxygen saturation at rest."),
    AFF_OPT_REAL(struct config, systolic, 0, "122.0", SYSTOLIC_LEAST, SYSTOLIC_MOST, "mm[Hg]",
                 "Systolic pressure at rest."),
    AFF_OPT_REAL(struct config, diastolic, 0, "76.0", 20.0, 180.0, "mm[Hg]",
                 "Diastolic pressure at rest."),
    AFF_OPT_REAL(struct config, temperature, 0, "36.8", TEMPERATURE_LEAST, TEMPERATURE_MOST, "Cel",
                 "Body temperature at rest."),
    AFF_OPT_ENUM(struct config, consciousness, 0, "\"A\"", levels,
                 "Consciousness at rest, by the letters of ACVPU."),
    AFF_OPT_BOOL(struct config, supplemental_oxygen, "false", "Whether oxygen is given at rest."),
    AFF_OPT_REAL(struct config, variation, 0, "1.0", 0.0, 3.0, NULL,
                 "How much vital signs and their waves vary by themselves: 1 as in a resting adult, "
                 "0 not at all."),
};

static const struct aff_port outputs[] = {
    { .name = "data",
      .doc = "The electrocardiogram: 16-bit samples, 200 units a mV.",
      .types = AFF_MASK(AFF_SAMPLES),
      .priority = AFF_PRIO_WAVEFORM },
    { .name = "truth",
      .doc = "The R peaks that the model made: sample index and annotation code (1 normal, 5 "
             "ventricular).",
      .schema = &ward_truth_schema,
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_BULK },
    { .name = "respiration",
      .doc = "Breathing, if named in signals: impedance of the chest, 25 samples a second.",
      .schema = &ward_respiration_schema,
      .types = AFF_MASK(AFF_SAMPLES),
      .priority = AFF_PRIO_WAVEFORM },
    { .name = "pleth",
      .doc = "The pulse in a finger, if named in signals: plethysmogram, 100 samples a second; a "
             "pulse for each beat.",
      .schema = &ward_pleth_schema,
      .types = AFF_MASK(AFF_SAMPLES),
      .priority = AFF_PRIO_WAVEFORM },
    { .name = "pressure",
      .doc = "Arterial pressure, if named in signals: 125 samples a second; a pulse for each beat.",
      .schema = &ward_pressure_schema,
      .types = AFF_MASK(AFF_SAMPLES),
      .priority = AFF_PRIO_WAVEFORM },
    { .name = "vitals",
      .doc = "A monitor's numbers, if vitals is named in signals: a row each vitals_every with what "
             "is new.",
      .schema = &ward_vitals_schema,
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_VITALS },
};

static aff_status refuse(const struct aff_report *report, const char *option, const char *rule)
{
    report->problem(report, option, "%s", rule);
    return AFF_ERR_CONFIG;
}

/* A value of a deterioration: 0 for the usual, or in the range of its kind. */
static aff_status target_validate(const struct aff_report *report, const char *option, double value, double least)
{
    if (value <= 0.0 || value >= least)
        return AFF_OK;
    report->problem(report, option, "%g is too low; expected at least %g; raise it, or write 0 for the usual", value, least);
    return AFF_ERR_CONFIG;
}

static aff_status deterioration_validate(const struct episode_config *e, const struct aff_report *report)
{
    const struct {
        const char *option;
        double value, least;
    } targets[] = {
        { "episodes.heart_rate", e->heart_rate, ECG_RATE_MIN },
        { "episodes.respiratory_rate", e->respiratory_rate, BREATHS_LEAST },
        { "episodes.spo2", e->spo2, SPO2_LEAST },
        { "episodes.systolic", e->systolic, SYSTOLIC_LEAST },
        { "episodes.temperature", e->temperature, TEMPERATURE_LEAST },
    };
    aff_status worst = AFF_OK;

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        aff_status st = target_validate(report, targets[i].option, targets[i].value, targets[i].least);

        worst = st < 0 ? st : worst;
    }
    return worst;
}

/* What only a deterioration may say. */
static aff_status others_validate(const struct config *c, const struct episode_config *e,
                                  const struct aff_report *report)
{
    if (e->respiratory_rate > 0.0 || e->spo2 > 0.0 || e->systolic > 0.0 || e->temperature > 0.0 ||
        e->consciousness != LEVEL_USUAL || e->supplemental_oxygen)
        return refuse(report, "episodes",
                      "only a deterioration leads to other vital signs; expected kind = \"deterioration\" "
                      "beside respiratory_rate, spo2, systolic, temperature, consciousness and "
                      "supplemental_oxygen; write so, or remove them");
    if (e->over != OVER_USUAL_NS)
        return refuse(report, "episodes.over",
                      "only a deterioration comes and goes gradually; expected kind = \"deterioration\" "
                      "beside over; write so, or remove over");
    if (e->kind == KIND_PROBE_OFF && !config_makes(c, PORT_PLETH) && !config_makes(c, PORT_VITALS))
        return refuse(report, "episodes.kind",
                      "a probe that is off changes only pleth and vitals, and neither is made; expected "
                      "one of them in signals; name it there, or remove the episode");
    return AFF_OK;
}

static aff_status episode_validate(const struct config *c, const struct episode_config *e,
                                   const struct aff_report *report)
{
    if (e->kind <= ECG_BRADYCARDIA && e->heart_rate > 0.0 && e->heart_rate < ECG_RATE_MIN) {
        report->problem(report, "episodes.heart_rate",
                        "%g is too slow; expected %g to %g, or 0 for the usual; raise it, or for no beat "
                        "at all use kind = \"pause\"",
                        e->heart_rate, ECG_RATE_MIN, ECG_RATE_MAX);
        return AFF_ERR_CONFIG;
    }
    if (e->kind > ECG_BRADYCARDIA && e->kind != ECG_DETERIORATION && e->heart_rate > 0.0)
        return refuse(report, "episodes.heart_rate",
                      "only a tachycardia, bradycardia or deterioration has a heart rate; expected one of "
                      "these kinds beside it; remove it, or write another episode beside this one");
    if (e->subject > c->subjects) {
        report->problem(report, "episodes.subject",
                        "there is no subject %lld; expected 0 (all) to subjects = %lld; correct one of both",
                        (long long)e->subject, (long long)c->subjects);
        return AFF_ERR_CONFIG;
    }
    return e->kind == ECG_DETERIORATION ? deterioration_validate(e, report) : others_validate(c, e, report);
}

/* At the one that somebody wrote. */
static void pressures_refuse(const struct config *c, const struct aff_report *report)
{
    if (c->diastolic < 76.0 || c->diastolic > 76.0) /* its default */
        report->problem(report, "diastolic",
                        "diastolic = %g mm[Hg] is not below systolic = %g mm[Hg] by at least 10; expected at most "
                        "%g; lower it, or raise systolic",
                        c->diastolic, c->systolic, c->systolic - 10.0);
    else
        report->problem(report, "systolic",
                        "systolic = %g mm[Hg] is not above diastolic = %g mm[Hg] by at least 10; expected at least "
                        "%g; raise it, or lower diastolic",
                        c->systolic, c->diastolic, c->diastolic + 10.0);
}

static aff_status synth_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    aff_status worst = AFF_OK;
    int64_t start_ns = 0;

    for (uint32_t i = 0; i < c->episodes.count; i++) {
        const char *item = (const char *)c->episodes.items + (size_t)i * c->episodes.stride;
        aff_status st = episode_validate(c, (const void *)item, report);

        worst = st < 0 ? st : worst;
    }
    if (strcmp(c->start, "now") != 0 && !date_read(c->start, &start_ns)) {
        report->problem(report, "start",
                        "is not a time; expected \"now\" or a UTC time from 1970 to 2199; write it like "
                        "\"2026-03-01T07:30:00Z\"");
        worst = AFF_ERR_CONFIG;
    }
    if (c->hum > 0.0 && c->hum_freq >= c->rate / 2.0) {
        report->problem(report, "hum_freq",
                        "hum_freq = %g Hz is not below half of rate = %g Hz; expected less than %g Hz; choose "
                        "a faster rate or no hum",
                        c->hum_freq, c->rate, c->rate / 2.0);
        worst = AFF_ERR_CONFIG;
    }
    if (c->systolic - c->diastolic < 10.0) {
        pressures_refuse(c, report);
        worst = AFF_ERR_CONFIG;
    }
    if (c->subject[0] == '\0') {
        report->problem(report, "subject", "is empty; expected a name such as \"patient\"; write one");
        worst = AFF_ERR_CONFIG;
    }
    return worst;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_synth", "1.1.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_synth",
    .version = "1.1.0",
    .summary = "A modelled patient: electrocardiogram with the truth about its beats, and vital signs.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .outputs = AFF_TABLE(outputs),
    .validate = synth_validate,
    .open = ward_open,
    .close = ward_close,
    .start = ward_start,
    .read = ward_read,
    .snapshot = ward_snapshot,
    .restore = ward_restore,
    .shape = ward_shape,
};
