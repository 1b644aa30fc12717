/* SPDX-License-Identifier: Apache-2.0
 *
 * in_synth.c - a source that is a modelled patient, or a ward of them.
 *
 * The electrocardiogram of McSharry et al. 2003 with heart rate variability,
 * noise and episodes, as samples; and the true R peaks as rows, so that a beat
 * detector can be judged without a recording. The same options give the same
 * bytes, on any machine, and they are nobody's data.
 *
 * Here: options, ports, what is refused. The model is in ecg.c and rhythm.c, the
 * making of records in ward.c. */
#include "ward.h"

#include <string.h>

#include "date.h"

static const char *const paces[] = { "realtime", "fast", NULL };
static const char *const kinds[] = { "tachycardia", "bradycardia", "pause", "ectopy",
                                     "noise", "lead_off", NULL };

#define DAY_NS (86400.0 * SECOND_NS)

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
                 "noise rises, or the electrodes are off."),
    AFF_OPT_REAL(struct episode_config, heart_rate, 0, "0.0", 0.0, ECG_RATE_MAX, "/min",
                 "Mean heart rate of a tachycardia or bradycardia; 0 means 150 or 40."),
    AFF_OPT_REAL(struct episode_config, level, 0, "0.3", 0.0, 10.0, "mV",
                 "Standard deviation of the white noise of an episode of noise."),
    AFF_OPT_INT(struct episode_config, subject, 0, "0", 0, SUBJECTS_MAX, NULL,
                "Number of the only subject that has the episode, counted from 1; 0 means all."),
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
                 "heart_rate, either way."),
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
};

static aff_status episode_validate(const struct config *c, const struct episode_config *e,
                                   const struct aff_report *report)
{
    if (e->kind <= ECG_BRADYCARDIA && e->heart_rate > 0.0 && e->heart_rate < ECG_RATE_MIN) {
        report->problem(report, "episodes.heart_rate",
                        "%g is too slow; expected %g to %g, or 0 for the usual; for no beat at all "
                        "use kind = \"pause\"",
                        e->heart_rate, ECG_RATE_MIN, ECG_RATE_MAX);
        return AFF_ERR_CONFIG;
    }
    if (e->kind > ECG_BRADYCARDIA && e->heart_rate > 0.0) {
        report->problem(report, "episodes.heart_rate",
                        "only a tachycardia or bradycardia has a heart rate; remove it, or write "
                        "another episode beside this one");
        return AFF_ERR_CONFIG;
    }
    if (e->subject > c->subjects) {
        report->problem(report, "episodes.subject",
                        "there is no subject %lld; expected 0 (all) to subjects = %lld",
                        (long long)e->subject, (long long)c->subjects);
        return AFF_ERR_CONFIG;
    }
    return AFF_OK;
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
                        "not a time; expected \"now\" or a UTC time from 1970 to 2199 such as "
                        "\"2026-03-01T07:30:00Z\"");
        worst = AFF_ERR_CONFIG;
    }
    if (c->hum > 0.0 && c->hum_freq >= c->rate / 2.0) {
        report->problem(report, "hum_freq",
                        "%g Hz is not below half of rate = %g Hz; choose a faster rate or no hum",
                        c->hum_freq, c->rate);
        worst = AFF_ERR_CONFIG;
    }
    if (c->subject[0] == '\0') {
        report->problem(report, "subject", "is empty; expected a name such as \"patient\"");
        worst = AFF_ERR_CONFIG;
    }
    return worst;
}

AFF_PLUGIN_NOTE(AFF_SOURCE, "in_synth", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_SOURCE,
    .flags = AFF_PULL | AFF_REPLAYS,
    .name = "in_synth",
    .version = "1.0.0",
    .summary = "A modelled patient's electrocardiogram, with the truth about its beats.",
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
};
