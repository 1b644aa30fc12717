/* SPDX-License-Identifier: Apache-2.0
 *
 * units.h - quantities written with their unit. Each returns 0 and leaves the
 * value alone where the text is not a number with a known unit. */
#ifndef AFF_TESTKIT_UNITS_H
#define AFF_TESTKIT_UNITS_H

#include <stdint.h>

int units_duration(const char *text, int64_t *ret_ns);
int units_bytes(const char *text, int64_t *ret_bytes);
int units_frequency(const char *text, double *ret_hz);

#endif
