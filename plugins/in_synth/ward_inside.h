/* SPDX-License-Identifier: Apache-2.0
 *
 * ward_inside.h - the instance, shared by ward.c (made of options), blocks.c (whose
 * turn it is), signals.c (waves and vital signs), when.c (times and silences). */
#ifndef IN_SYNTH_WARD_INSIDE_H
#define IN_SYNTH_WARD_INSIDE_H

#include "breath.h"
#include "pulse.h"
#include "ward.h"

/* 10 s of beats, 0.2 s apart, and room for early ones. */
#define MARKS_MAX 64

/* 10 s of breaths, BREATH_SHORTEST apart, and those at the ends. */
#define BREATHS_MAX 24

/* Pulses that are kept from block to block: the interval mean of a monitor is
 * over eight, and two may be on their way. */
#define PULSES_KEPT 10

struct patient {
    struct ecg ecg;
    struct breath breath; /* the last that was begun */
    struct pulse pulse[PULSES_KEPT];
    uint32_t pulses;
    uint32_t truth_gap; /* rows of the truth are missing before the next one */
};

/* The breaths and pulses of the patient whose turn it is, from before the block
 * until its end. */
struct hand {
    struct breath breath[BREATHS_MAX];
    struct pulse pulse[PULSES_KEPT + MARKS_MAX];
    uint32_t breaths;
    uint32_t pulses;
};

/* Where the ward stands. */
struct place {
    uint64_t config; /* hash of the options that made it */
    uint64_t block;  /* the one at hand */
    int64_t start_ns;
    uint64_t at;      /* what comes next of the port at hand, by index: sample, row, */
    uint64_t end;     /* and where the block ends for it */
    uint32_t patient; /* whose turn it is, from 0 */
    uint32_t port;    /* at hand; PORTS: the turn is to begin */
    uint32_t ended;   /* streams ended, of PORTS a patient */
    uint32_t clock;   /* what start_ns is worth */
    uint32_t marks;   /* rows of the truth that wait, */
    uint32_t told;    /* of which these are out */
    struct ecg_mark mark[MARKS_MAX];
    struct hand hand;
    struct patient ward[];
};

/* What does not change about a patient: the host's small integers, and the vital
 * signs at rest. */
struct bed {
    uint32_t subject;
    uint32_t stream[PORTS];
    struct body rest;
};

struct ward {
    const struct aff_host *host;
    const struct config *cfg;
    struct ecg_config model;
    struct body_config body;
    struct pulse_forms forms;
    struct ecg_episode *episodes;       /* the model's, owned here */
    struct body_episode *deteriorations; /* the body's, owned here */
    uint64_t rate_num, rate_den;
    uint64_t total; /* samples of each patient; UINT64_MAX: no end */
    uint32_t block; /* samples in a record */
    uint32_t patients;
    bool on[PORTS]; /* made at all */
    bool alive;     /* breaths and pulses are needed */
    uint32_t schema[PORTS];
    struct bed *beds;
    int64_t begin_ns; /* boot time at which sample 0 was, at real-time pace */
    struct place *place;
    size_t place_size;
};

/* --- when.c ------------------------------------------------------------ */

/* The time of a port's index since the start, rounded down; the first index at
 * or after a time. */
int64_t when_is(const struct ward *w, uint32_t port, uint64_t index);
uint64_t when_index(const struct ward *w, uint32_t port, int64_t ns);

/* Whether a port of a patient (from 0) is silent at an index; *ret_edge is the
 * first later index at which that may change. */
bool when_silent(const struct ward *w, uint32_t patient, uint32_t port, uint64_t index, uint64_t *ret_edge);

/* Whether a patient has an episode of this kind at a time. */
bool when_has(const struct ward *w, uint32_t patient, int32_t kind, int64_t ns);

/* --- signals.c --------------------------------------------------------- */

/* Takes the patient's breaths and last pulses to hand, until the end of a block
 * in seconds, and lays them back. */
void hand_take(struct ward *w, double until);
void hand_back(struct ward *w);

/* Beats of the block at hand: a pulse each. */
void hand_beats(struct ward *w, const struct ecg_mark *mark, size_t count);

/* Fills the records of a wave (n samples from place->at), and of a row of vital
 * signs: returns its bytes. */
void wave_fill(const struct ward *w, uint32_t port, int16_t *out, uint32_t n);
uint32_t vitals_fill(const struct ward *w, struct aff_record *draft);

/* --- ports.c ----------------------------------------------------------- */

/* The rate as a fraction: as many as three decimals are meant exactly. */
void rate_read(double rate, uint64_t *ret_num, uint64_t *ret_den);

/* The schema of the port `data`; `lead` must have room for ECG_LEADS. */
struct aff_schema data_schema(const struct config *cfg, struct aff_column *lead);

/* Of the other ports. */
extern const struct aff_schema *const port_schema[PORTS];

static inline const struct episode_config *episode_at(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->episodes.items + (size_t)i * c->episodes.stride);
}

#endif
