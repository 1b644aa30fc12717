/* SPDX-License-Identifier: Apache-2.0
 *
 * ecg.h - one modelled patient: electrocardiogram and the truth about it.
 *
 * struct ecg is plain numbers without pointers: copying its bytes away and back
 * resumes the patient exactly. What comes out depends on the configuration alone,
 * not on how the samples are cut into calls. */
#ifndef IN_SYNTH_ECG_H
#define IN_SYNTH_ECG_H

#include <stdbool.h>
#include <stddef.h>

#include "rhythm.h"

#define ECG_LEADS 3
#define ECG_WAVES 5 /* P Q R S T */
#define ECG_GAIN 200.0
#define ECG_MISSING INT16_MIN

/* Rates and rhythms beyond these are refused by the options. */
#define ECG_RATE_MIN 20.0
#define ECG_RATE_MAX 250.0

enum ecg_kind {
    ECG_TACHYCARDIA,
    ECG_BRADYCARDIA,
    ECG_PAUSE,   /* no beat begins */
    ECG_ECTOPY,  /* every third beat or so is a premature ventricular one */
    ECG_NOISE,   /* more noise, `level` mV */
    ECG_LEAD_OFF, /* all samples are missing; beats are not in the truth */
    ECG_DETERIORATION, /* the rate goes to heart_rate and back gradually */
    ECG_KINDS
};

struct ecg_episode {
    uint64_t from;  /* first sample */
    uint64_t until; /* the first that is not in it */
    uint64_t over;  /* of a deterioration: samples that it takes, each way */
    enum ecg_kind kind;
    double heart_rate;
    double level;
    int64_t patient; /* 0: all, else only the patient of this number, from 1 */
};

struct ecg_config {
    double rate_hz;
    double heart_rate;    /* beats a minute, mean */
    double heart_rate_sd; /* its standard deviation */
    double lf_hf;         /* power of Mayer waves to that of breathing */
    double noise_mv;      /* standard deviation of white noise */
    double hum_mv;        /* amplitude of the mains */
    double hum_hz;
    double wander_mv;     /* amplitude of the baseline's breathing */
    uint64_t seed;
    int leads;
    const struct ecg_episode *episodes;
    size_t episode_count;
};

/* Annotation codes of WFDB (ecgcodes.h), as readers of recordings give them. */
enum { ECG_CODE_NORMAL = 1, ECG_CODE_PVC = 5 };

struct ecg_mark {
    int64_t sample;
    int32_t code;
    int32_t unseen;  /* 1: no lead showed it; not for the truth */
    double interval; /* s, to the next one, unless something comes between */
};

struct ecg_wave {
    double centre;  /* rad */
    double narrow;  /* 1 / 2 b^2 */
    double reach;   /* rad beyond which it is below a thousandth of a microvolt */
    double amplitude[ECG_LEADS];
};

struct ecg {
    uint64_t sample;  /* of the next output */
    uint64_t edge;    /* sample at which the set of episodes changes */
    uint64_t release; /* phase stands still until this sample */
    int64_t patient;
    double theta;     /* phase, -pi to pi; R at 0 */
    double omega;     /* rad a sample */
    double interval;  /* RR at hand, s */
    double heart_rate; /* mean at hand, on its way to the target */
    double target_rate;
    double base_rate;
    double noise_mv;
    double lag[ECG_LEADS];   /* slow part of z */
    double drive[ECG_LEADS]; /* what drove it at the sample before */
    struct ecg_wave wave[ECG_WAVES];
    struct rhythm rhythm;
    struct dice noise;
    struct dice chance;
    bool held;
    bool pause;
    bool ectopy;
    bool lead_off;
    bool premature; /* the beat at hand is ectopic */
    bool ramped;    /* the rate is on its way, or will be, in a deterioration */
    bool reserved[2];
};

extern const char *const ecg_lead_names[ECG_LEADS];

/* Patients are numbered from 1; each has dice of its own. heart_rate is this
 * patient's mean, which may differ from the configuration's. */
void ecg_begin(struct ecg *e, const struct ecg_config *cfg, int64_t patient, double heart_rate);

/* The next n samples of each lead, and at most `room` marks of the beats whose R
 * peak lies there (a peak may be marked one sample late or early of a cut, at
 * its true index all the same). Returns the number of marks. A beat needs at
 * least 0.2 s, so n * 5 / rate + 2 is room enough. */
size_t ecg_run(struct ecg *e, const struct ecg_config *cfg, int16_t *const *planes, size_t n,
               struct ecg_mark *marks, size_t room);

#endif
