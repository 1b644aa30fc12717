/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.h - what is said before anything runs. */
#ifndef OP_SCORE_SHAPE_H
#define OP_SCORE_SHAPE_H

#include "match.h"

aff_status score_validate(const void *config, const struct aff_report *report);
aff_status score_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
