/* SPDX-License-Identifier: Apache-2.0
 *
 * ramp.h - how strong an episode is that comes and goes gradually. */
#ifndef IN_SYNTH_RAMP_H
#define IN_SYNTH_RAMP_H

#include <stdint.h>

/* 0 before `from`; rises in a straight line to 1 during `over`; stays; falls back
 * in as long a time after `until`. One that ends while it rises turns there. Any
 * unit of time, the same for all four. */
static inline double ramp_weight(uint64_t t, uint64_t from, uint64_t until, uint64_t over)
{
    uint64_t risen = (t < until ? t : until) - from;
    double up = 0.0, down = 0.0;

    if (t < from)
        return 0.0;
    up = risen < over ? (double)risen / (double)over : 1.0;
    if (t < until)
        return up;
    if (t - until >= over)
        return 0.0;
    down = (double)(t - until) / (double)over;
    return up > down ? up - down : 0.0;
}

#endif
