/* SPDX-License-Identifier: Apache-2.0
 *
 * ports.c - what the ports carry: schemas, and what `check` is told about them.
 *
 * The patient is nobody, but a pipeline that is tried on it should treat whose
 * data it is, when, and what streams are called as it would a real patient's. */
#include "ward_inside.h"

static const struct aff_column truth_columns[TRUTH_COLUMNS] = {
    [TRUTH_SAMPLE] = { .name = "sample", .type = AFF_INT, .required = 1 },
    [TRUTH_CODE] = { .name = "code", .type = AFF_INT, .required = 1 },
};

const struct aff_schema ward_truth_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "beats",
    .columns = truth_columns,
    .count = TRUTH_COLUMNS,
    .stride = sizeof(struct aff_column),
};

static const struct aff_column vitals_columns[VITALS_COLUMNS] = {
    [VITALS_RESPIRATORY_RATE] = { .name = "respiratory_rate", .unit = "/min", .code = "9279-1", .type = AFF_REAL },
    [VITALS_SPO2] = { .name = "spo2", .unit = "%", .code = "59408-5", .type = AFF_REAL },
    [VITALS_HEART_RATE] = { .name = "heart_rate", .unit = "/min", .code = "8867-4", .type = AFF_REAL },
    [VITALS_SYSTOLIC] = { .name = "systolic", .unit = "mm[Hg]", .code = "8480-6", .type = AFF_REAL },
    [VITALS_DIASTOLIC] = { .name = "diastolic", .unit = "mm[Hg]", .code = "8462-4", .type = AFF_REAL },
    [VITALS_MEAN_PRESSURE] = { .name = "mean_pressure", .unit = "mm[Hg]", .code = "8478-0", .type = AFF_REAL },
    [VITALS_TEMPERATURE] = { .name = "temperature", .unit = "Cel", .code = "8310-5", .type = AFF_REAL },
    [VITALS_CONSCIOUSNESS] = { .name = "consciousness", .code = "80288-4", .type = AFF_TEXT },
    [VITALS_OXYGEN] = { .name = "supplemental_oxygen", .type = AFF_BOOL },
};

const struct aff_schema ward_vitals_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "vitals",
    .columns = vitals_columns,
    .count = VITALS_COLUMNS,
    .stride = sizeof(struct aff_column),
};

static const struct aff_column respiration_column = { .name = "respiration", .unit = "Ohm",
                                                      .gain = RESPIRATION_GAIN };
static const struct aff_column pleth_column = { .name = "pleth", .unit = "1", .gain = PLETH_GAIN };
static const struct aff_column pressure_column = { .name = "pressure", .unit = "mm[Hg]", .gain = PRESSURE_GAIN };

#define WAVE_SCHEMA(name_, hz)                                              \
    {                                                                       \
        .struct_size = sizeof(struct aff_schema), .type = AFF_SAMPLES,      \
        .format = AFF_I16, .name = #name_, .columns = &name_##_column,      \
        .count = 1, .stride = sizeof(struct aff_column), .rate_num = (hz),  \
        .rate_den = 1                                                       \
    }
const struct aff_schema ward_respiration_schema = WAVE_SCHEMA(respiration, RESPIRATION_HZ);
const struct aff_schema ward_pleth_schema = WAVE_SCHEMA(pleth, PLETH_HZ);
const struct aff_schema ward_pressure_schema = WAVE_SCHEMA(pressure, PRESSURE_HZ);

const struct aff_schema *const port_schema[PORTS] = {
    [PORT_TRUTH] = &ward_truth_schema,
    [PORT_RESPIRATION] = &ward_respiration_schema,
    [PORT_PLETH] = &ward_pleth_schema,
    [PORT_PRESSURE] = &ward_pressure_schema,
    [PORT_VITALS] = &ward_vitals_schema,
};

void rate_read(double rate, uint64_t *ret_num, uint64_t *ret_den)
{
    uint64_t den = 1;

    while (den < 1000 && fabs(rate * (double)den - exact_nearest(rate * (double)den)) > 1e-9)
        den *= 10;
    *ret_num = (uint64_t)exact_nearest(rate * (double)den);
    *ret_den = den;
}

struct aff_schema data_schema(const struct config *cfg, struct aff_column *lead)
{
    struct aff_schema schema = {
        .struct_size = sizeof schema,
        .type = AFF_SAMPLES,
        .format = AFF_I16,
        .name = "ecg",
        .columns = lead,
        .count = (uint32_t)cfg->leads,
        .stride = sizeof lead[0],
    };

    rate_read(cfg->rate, &schema.rate_num, &schema.rate_den);
    for (int i = 0; i < ECG_LEADS; i++)
        lead[i] = (struct aff_column){ .name = ecg_lead_names[i], .unit = "mV", .gain = ECG_GAIN };
    return schema;
}

bool config_makes(const struct config *c, uint32_t port)
{
    if (port < PORT_RESPIRATION)
        return true;
    for (uint32_t i = 0; i < c->signals.count; i++) {
        const int32_t *choice = (const void *)((const char *)c->signals.items + (size_t)i * c->signals.stride);

        if (SIGNAL_PORT(*choice) == port)
            return true;
    }
    return false;
}

aff_status ward_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report)
{
    struct aff_column lead[ECG_LEADS];
    struct aff_schema data = data_schema(config, lead);

    (void)inputs;
    for (uint32_t port = 0; port < PORTS; port++) {
        struct aff_shape shape = {
            .struct_size = sizeof shape,
            .port = port,
            .schema = port == PORT_DATA ? &data : port_schema[port],
            .subject = AFF_LABEL_PHI,
            .times = AFF_LABEL_PHI,
            .names = AFF_LABEL_PHI,
            .silent = !config_makes(config, port),
        };

        report->output(report, &shape);
    }
    return AFF_OK;
}
