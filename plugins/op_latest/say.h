/* SPDX-License-Identifier: Apache-2.0
 *
 * say.h - what a mistake in the options is told with. */
#ifndef OP_LATEST_SAY_H
#define OP_LATEST_SAY_H

#include <afferent/plugin.h>

/* A problem with an option: "every is missing; ...". The format goes on behind
 * the option's name. */
__attribute__((format(printf, 3, 4)))
void option_problem(const struct aff_report *report, const char *option, const char *format, ...);

/* Whether b is near enough to a to be what was meant; *best is the least
 * distance so far (begin with UINT32_MAX) and is lowered when this one is less. */
int near_better(const char *a, const char *b, uint32_t *best);

#endif
