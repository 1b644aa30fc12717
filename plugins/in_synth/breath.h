/* SPDX-License-Identifier: Apache-2.0
 *
 * breath.h - breathing, one breath after another.
 *
 * Plain numbers without pointers: its bytes may be copied away and back. */
#ifndef IN_SYNTH_BREATH_H
#define IN_SYNTH_BREATH_H

#include "body.h"

#define BREATH_SHORTEST 0.75 /* s */

struct breath {
    double start;  /* s since the signal's beginning; the first one's lies before it */
    double period; /* s, to the start of the next */
    double depth;  /* of a quiet breath of a healthy adult: 1 */
    uint64_t number;
};

/* The patient's first breath, in whose midst the signal begins. */
struct breath breath_first(const struct body_config *cfg, const struct body *rest, int64_t patient);

/* The one after this one. */
struct breath breath_next(const struct breath *b, const struct body_config *cfg, const struct body *rest,
                          int64_t patient);

/* How full the lungs are at a time within the breath: 0 at its start and end, its
 * depth at the end of inspiration. */
double breath_volume(const struct breath *b, double seconds);

/* The mean of breath_volume over a breath of depth 1. */
#define BREATH_MEAN 0.4375

#endif
