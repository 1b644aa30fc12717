/* SPDX-License-Identifier: Apache-2.0
 *
 * detector.h - finds heart beats in one ECG channel, sample by sample.
 *
 * Give it millivolts at any steady rate from 100 to 2000 Hz; it gives back the R
 * peaks, 99 of 100 within a second, none later than 2.5 s. It is causal, takes a
 * fixed number of steps a sample and allocates nothing. All of its state is one
 * plain struct without pointers: copy its bytes to keep it, copy them back to go
 * on. What it finds does not depend on how the samples were handed over.
 *
 * It does not classify beats, combine leads or know what a record is. */
#ifndef OP_QRS_DETECTOR_H
#define OP_QRS_DETECTOR_H

#include <stddef.h>
#include <stdint.h>

enum {
    QRS_RATE_LEAST = 100, /* Hz of the input */
    QRS_RATE_MOST = 2000,
    QRS_RATE = 200,      /* Hz inside, whatever comes in: the rate of the papers */
    QRS_RING = 256,      /* inner samples kept, 1.28 s; a power of two */
    QRS_PEAKS = 32,      /* peaks that wait for their decision */
    QRS_MISSES = 32,     /* peaks below threshold since the last beat */
    QRS_RECENT = 8,      /* beats, noise peaks, intervals that are averaged */
    QRS_BEATS_MAX = 48   /* most beats that one call can bring */
};

struct qrs_beat {
    int64_t sample; /* of the R peak, counted as the input is */
    double rr_ms;   /* since the beat before; NaN where that is not known */
    double rate;    /* per minute, mean of up to 8 intervals; NaN: no interval yet */
    double quality; /* 0 to 1: peak above noise, relative to the beats before */
};

/* A place where the QRS energy peaks. Times count inner samples. */
struct qrs_peak {
    int64_t time;
    double height;
    double slope;
    double fiducial; /* the R peak, seconds of the segment */
    double lean;     /* steepest way up to steepest way down or back, 1 or more */
};

/* The last few values, and how many there ever were. */
struct qrs_recent {
    double value[QRS_RECENT];
    uint32_t count;
    uint32_t reserved;
};

/* Second-order section, transposed direct form II. */
struct qrs_section {
    double b0, b1, b2, a1, a2;
    double z1, z2;
};

/* From the input to the energy of QRS complexes and its peaks (front.c). */
struct qrs_front {
    double rate;          /* of the input */
    struct qrs_section low[2];
    double low_before;    /* the last two low-passed inputs */
    double low_last;
    int64_t inputs;       /* of this segment */
    int64_t time;         /* inner samples made in this segment */
    double smooth[QRS_RING];
    double low_pass[QRS_RING];
    double band[QRS_RING];
    double change[QRS_RING];
    double energy;
    double peak_height;   /* of the peak that is rising or falling now, or 0 */
    int64_t peak_time;
    double window_energy[64]; /* one in eight of the last learning window */
    uint32_t energies;
    uint32_t reserved;
};

struct qrs {
    struct qrs_front front;
    int64_t segment;      /* input index of the segment's first sample */
    int64_t missing;      /* run of missing samples up to now */
    double last_value;    /* stands in for them */
    struct qrs_peak peaks[QRS_PEAKS];   /* oldest first */
    struct qrs_peak misses[QRS_MISSES]; /* oldest first */
    uint32_t peak_count;
    uint32_t miss_count;
    int64_t last_time;    /* of the last beat; far back when there was none */
    double last_slope;
    double last_fiducial; /* seconds of the segment; NaN when there was none */
    int64_t rival_time;   /* the last peak that was no other's side wave */
    double rival_height;
    struct qrs_recent beats;
    struct qrs_recent noise;
    struct qrs_recent intervals; /* inner samples */
    double beat_level, noise_level, threshold, interval;
    int64_t window_start; /* of the learning window that runs */
    double window_peak;   /* highest peak in it */
    int32_t is_learned;
    int32_t reserved;
};

/* Makes a detector for this rate (Hz). Returns -1 for a rate out of range. */
int qrs_open(struct qrs *q, double rate);

/* Takes the next sample, in mV; NaN for one that is missing. Returns how many
 * beats it wrote to `beats`, oldest first. */
size_t qrs_push(struct qrs *q, double millivolts, struct qrs_beat beats[QRS_BEATS_MAX]);

/* Data is missing or ends here: decides what was waiting and begins anew; the
 * next sample has index `next`. */
size_t qrs_restart(struct qrs *q, int64_t next, struct qrs_beat beats[QRS_BEATS_MAX]);

/* front.c: one input sample. Returns how many inner steps it brings, at most
 * two a sample; front_step makes one and returns 1 when a peak ended in it. */
void front_open(struct qrs_front *f, double rate);
void front_input(struct qrs_front *f, double millivolts);
int front_has_step(const struct qrs_front *f);
int front_step(struct qrs_front *f, struct qrs_peak *ret_peak);
/* Ends the peak that is under way, if there is one. */
int front_end_peak(struct qrs_front *f, struct qrs_peak *ret_peak);
/* The median energy since the last call. */
double front_floor(struct qrs_front *f);

#endif
