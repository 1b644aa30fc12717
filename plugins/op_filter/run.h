/* SPDX-License-Identifier: Apache-2.0
 *
 * run.h - runs samples through a chain of sections, in place.
 *
 * A lane is one channel of one stream: plain numbers, no pointers, so its bytes
 * may be copied away and back. What a lane puts out depends only on the samples
 * it has seen, never on how they were cut into calls. */
#ifndef OP_FILTER_RUN_H
#define OP_FILTER_RUN_H

#include "design.h"

/* Samples since the lane was settled; 0: the next sample settles it. */
typedef uint64_t iir_age;

/* One channel. `memory` holds 2 doubles a section. `zero` is the sample value
 * that means 0 units (the baseline): the filter sees samples less this value,
 * so that a high pass leaves the signal around its baseline. */
struct iir_lane {
    iir_age *age;
    double *memory;
    double zero;
};

/* Each returns how many samples were clipped to what the type can hold. A
 * missing sample (INT16_MIN, INT32_MIN, not finite) stays missing, and the lane
 * settles anew on the first sample behind it. */
size_t iir_run_i16(const struct iir_chain *chain, struct iir_lane lane, int16_t *x, size_t n);
size_t iir_run_i32(const struct iir_chain *chain, struct iir_lane lane, int32_t *x, size_t n);
size_t iir_run_f32(const struct iir_chain *chain, struct iir_lane lane, float *x, size_t n);

#endif
