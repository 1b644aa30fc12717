/* SPDX-License-Identifier: Apache-2.0
 *
 * shape.h - what is said before anything runs. */
#ifndef OP_WHERE_SHAPE_H
#define OP_WHERE_SHAPE_H

#include "plan.h"

enum { OUTPUT_OUT, OUTPUT_REST };

aff_status where_validate(const void *config, const struct aff_report *report);
aff_status where_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
