/* SPDX-License-Identifier: Apache-2.0
 *
 * ward_inside.h - the instance, shared by ward.c (made of options) and blocks.c
 * (makes records). */
#ifndef IN_SYNTH_WARD_INSIDE_H
#define IN_SYNTH_WARD_INSIDE_H

#include "ward.h"

/* 10 s of beats, 0.2 s apart, and room for early ones. */
#define MARKS_MAX 64

/* Where the ward stands. */
struct place {
    uint64_t config; /* hash of the options that made it */
    uint64_t block;  /* the one at hand */
    int64_t start_ns;
    uint32_t patient; /* whose turn it is, from 0 */
    uint32_t ended;   /* streams ended, of two a patient */
    uint32_t clock;   /* what start_ns is worth */
    uint32_t marks;   /* rows about the patient before, */
    uint32_t told;    /* of which these are out */
    uint32_t reserved;
    struct ecg_mark mark[MARKS_MAX];
    struct ecg ecg[];
};

/* The host's small integers of a patient. */
struct names {
    uint32_t subject;
    uint32_t stream[PORTS];
};

struct ward {
    const struct aff_host *host;
    const struct config *cfg;
    struct ecg_config model;
    struct ecg_episode *episodes; /* the model's, owned here */
    uint64_t rate_num, rate_den;
    uint64_t total; /* samples of each patient; UINT64_MAX: no end */
    uint32_t block; /* samples in a record */
    uint32_t patients;
    uint32_t schema[PORTS];
    struct names *names; /* of each patient */
    int64_t begin_ns;    /* boot time at which sample 0 was, at real-time pace */
    struct place *place;
    size_t place_size;
};

/* ns from sample 0 to this sample, rounded down. 2^63 ns are reached long before
 * the product overflows. */
static inline int64_t ward_sample_ns(const struct ward *w, uint64_t sample)
{
    uint64_t ticks = sample * w->rate_den, second = ticks / w->rate_num;

    return (int64_t)(second * SECOND_NS + ticks % w->rate_num * SECOND_NS / w->rate_num);
}

#endif
