/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h - the table of the National Early Warning Score 2, as data.
 *
 * Source: Royal College of Physicians. National Early Warning Score (NEWS) 2:
 * Standardising the assessment of acute-illness severity in the NHS. Updated
 * report of a working party. London: RCP, 2017; chart 1, "The NEWS scoring
 * system", and chart 2, "thresholds and triggers".
 *
 * A later edition is another table with another version; each row that is
 * scored says by which one. Not here: the rule that reads it (score.c). */
#ifndef OP_NEWS2_TABLE_H
#define OP_NEWS2_TABLE_H

#include <stdint.h>

/* In the order of the chart. */
enum { RESPIRATION, SPO2, OXYGEN, SYSTOLIC, PULSE, CONSCIOUSNESS, TEMPERATURE, PARAMETERS };

/* A row of the chart: values up to this bound that no row before took. */
struct news2_row {
    double upto;
    int score;
};

/* `rows` are ended by one whose bound is infinite. */
struct news2_table {
    const char *version;
    const struct news2_row *respiration, *spo2_scale1, *spo2_scale2_air, *spo2_scale2_oxygen;
    const struct news2_row *systolic, *pulse, *temperature;
    int oxygen;       /* for any supplemental oxygen */
    int not_alert;    /* for new confusion, voice, pain, unresponsive */
    int single;       /* a parameter with this score is "low-medium" by itself */
    int medium, high; /* sums from which the band is this */
    double air_upto;  /* SpO2 on scale 2 up to which oxygen makes no difference */
};

extern const struct news2_table news2_rcp_2017;

#endif
