/* SPDX-License-Identifier: Apache-2.0
 *
 * ward.h - the options of in_synth, and the instance behind its callbacks. */
#ifndef IN_SYNTH_WARD_H
#define IN_SYNTH_WARD_H

#include <afferent/plugin.h>

#include "ecg.h"

#define SUBJECTS_MAX 1000
#define SECOND_NS 1000000000

/* Output ports. */
enum { PORT_DATA, PORT_TRUTH, PORT_RESPIRATION, PORT_PLETH, PORT_PRESSURE, PORT_VITALS, PORTS };

/* Choices of `signals`, in the order of the ports behind the first two. */
#define SIGNAL_PORT(choice) ((uint32_t)(choice) + PORT_RESPIRATION)

enum { PACE_REALTIME, PACE_FAST };

/* Samples a second and adc units a unit of the waves beside the ECG. */
#define RESPIRATION_HZ 25
#define PLETH_HZ 100
#define PRESSURE_HZ 125
#define RESPIRATION_GAIN 5000.0
#define PLETH_GAIN 8000.0
#define PRESSURE_GAIN 50.0

/* Columns of the port `truth`. */
enum { TRUTH_SAMPLE, TRUTH_CODE, TRUTH_COLUMNS };
extern const struct aff_schema ward_truth_schema;

/* Columns of the port `vitals`. */
enum { VITALS_RESPIRATORY_RATE, VITALS_SPO2, VITALS_HEART_RATE, VITALS_SYSTOLIC, VITALS_DIASTOLIC,
       VITALS_MEAN_PRESSURE, VITALS_TEMPERATURE, VITALS_CONSCIOUSNESS, VITALS_OXYGEN, VITALS_COLUMNS };
extern const struct aff_schema ward_vitals_schema, ward_respiration_schema, ward_pleth_schema,
    ward_pressure_schema;

/* Kinds of episodes: those of the heart (enum ecg_kind), then these. */
enum { KIND_PROBE_OFF = ECG_KINDS, KIND_SILENCE };

/* Choices of an episode's `consciousness`: this, then BODY_A and so on. */
enum { LEVEL_USUAL, LEVEL_FIRST };

struct episode_config {
    int64_t at;
    int64_t length;
    int32_t kind;
    double heart_rate;
    double level;
    int64_t subject;
    int64_t over;
    double respiratory_rate;
    double spo2;
    double systolic;
    double temperature;
    int32_t consciousness;
    int32_t supplemental_oxygen;
};

struct config {
    double rate;
    int64_t leads;
    double heart_rate;
    double heart_rate_sd;
    double spread;
    double lf_hf;
    double noise;
    double hum;
    double hum_freq;
    double wander;
    struct aff_list episodes;
    int64_t seed;
    const char *subject;
    int64_t subjects;
    int64_t duration;
    int32_t pace;
    const char *start;
    int64_t block;
    struct aff_list signals; /* of int32_t */
    int64_t vitals_every;
    int64_t pressure_every;
    int64_t observed_every;
    double respiratory_rate;
    double spo2;
    double systolic;
    double diastolic;
    double temperature;
    int32_t consciousness;
    int32_t supplemental_oxygen;
    double variation;
};

/* Whether a port is made at all. */
bool config_makes(const struct config *c, uint32_t port);

aff_status ward_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);
aff_status ward_open(const struct aff_host *host, const void *config, void **ret_self);
void ward_close(void *self);
aff_status ward_start(void *self);
aff_status ward_read(void *self, uint32_t want);
aff_status ward_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status ward_restore(void *self, const void *buffer, size_t size);

#endif
