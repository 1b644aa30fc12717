/* SPDX-License-Identifier: Apache-2.0
 *
 * score.h - NEWS2 of one set of observations.
 *
 * What is not known has no score, and says why; it is never scored as normal.
 * The sum is then a lower bound, and `at_most` the upper one.
 *
 * Not here: where observations come from (fields.c). */
#ifndef OP_NEWS2_SCORE_H
#define OP_NEWS2_SCORE_H

#include <stdbool.h>

#include "table.h"

/* Why a parameter has no score. */
enum why {
    WHY_KNOWN,
    WHY_ABSENT,      /* no value */
    WHY_IMPLAUSIBLE, /* a value that no patient has */
    WHY_UNKNOWN,     /* a word or scale that the table does not know */
    WHY_UNIT,        /* in a unit that the table does not have */
    WHY_OXYGEN       /* SpO2 above 92 on scale 2, and oxygen unknown */
};

/* OXYGEN: 0 for air, 1 for oxygen. CONSCIOUSNESS: 0 for alert, 1 for all else.
 * SPO2 in %, TEMPERATURE in degrees Celsius. */
struct observations {
    double values[PARAMETERS];
    enum why why[PARAMETERS];
    int scale; /* 1 or 2 */
};

struct score {
    int parts[PARAMETERS]; /* -1: none */
    enum why why[PARAMETERS];
    int sum, at_most, missing;
    const char *band; /* of the sum; NULL when nothing is known */
};

void news2_score(const struct news2_table *table, const struct observations *observations, struct score *ret_score);

const char *why_name(enum why why);
const char *parameter_name(int parameter);

#endif
