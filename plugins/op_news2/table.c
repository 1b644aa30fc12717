/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - see table.h. Numbers only. */
#include "table.h"

#include <math.h>

static const struct news2_row respiration[] = { { 8, 3 }, { 11, 1 }, { 20, 0 }, { 24, 2 }, { HUGE_VAL, 3 } };
static const struct news2_row spo2_scale1[] = { { 91, 3 }, { 93, 2 }, { 95, 1 }, { HUGE_VAL, 0 } };
static const struct news2_row spo2_scale2_air[] = { { 83, 3 }, { 85, 2 }, { 87, 1 }, { HUGE_VAL, 0 } };
static const struct news2_row spo2_scale2_oxygen[] = { { 83, 3 }, { 85, 2 }, { 87, 1 },       { 92, 0 },
                                                       { 94, 1 }, { 96, 2 }, { HUGE_VAL, 3 } };
static const struct news2_row systolic[] = { { 90, 3 }, { 100, 2 }, { 110, 1 }, { 219, 0 }, { HUGE_VAL, 3 } };
static const struct news2_row pulse[] = { { 40, 3 }, { 50, 1 }, { 90, 0 }, { 110, 1 }, { 130, 2 }, { HUGE_VAL, 3 } };
static const struct news2_row temperature[] = { { 35.0, 3 }, { 36.0, 1 }, { 38.0, 0 }, { 39.0, 1 }, { HUGE_VAL, 2 } };

const struct news2_table news2_rcp_2017 = {
    .version = "RCP-2017",
    .respiration = respiration,
    .spo2_scale1 = spo2_scale1,
    .spo2_scale2_air = spo2_scale2_air,
    .spo2_scale2_oxygen = spo2_scale2_oxygen,
    .systolic = systolic,
    .pulse = pulse,
    .temperature = temperature,
    .oxygen = 2,
    .not_alert = 3,
    .single = 3,
    .medium = 5,
    .high = 7,
    .air_upto = 92,
};
