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
enum { PORT_DATA, PORT_TRUTH, PORTS };

enum { PACE_REALTIME, PACE_FAST };

/* Columns of the port `truth`. */
enum { TRUTH_SAMPLE, TRUTH_CODE, TRUTH_COLUMNS };
extern const struct aff_schema ward_truth_schema;

struct episode_config {
    int64_t at;
    int64_t length;
    int32_t kind;
    double heart_rate;
    double level;
    int64_t subject;
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
};

aff_status ward_open(const struct aff_host *host, const void *config, void **ret_self);
void ward_close(void *self);
aff_status ward_start(void *self);
aff_status ward_read(void *self, uint32_t want);
aff_status ward_snapshot(void *self, void *buffer, size_t room, size_t *ret_size);
aff_status ward_restore(void *self, const void *buffer, size_t size);

#endif
