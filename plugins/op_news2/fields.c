/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.c - see fields.h. */
#include "fields.h"

#include <math.h>
#include <string.h>

/* What each parameter is by itself: the usual column, the unit of the table, and
 * values beyond which it is a fault of the measurement. These are wide on
 * purpose: a pulse of 0 is scored, a temperature of 0 is a thermometer in the air. */
struct usual {
    const char *column, *unit;
    double low, high;
};

static const struct usual usuals[PARAMETERS] = {
    [RESPIRATION] = { "respiratory_rate", "/min", 0, 150 },
    [SPO2] = { "spo2", "%", 1, 100 },
    [OXYGEN] = { "supplemental_oxygen", NULL, 0.15, 1 }, /* FiO2 */
    [SYSTOLIC] = { "systolic", "mm[Hg]", 0, 400 },
    [PULSE] = { "heart_rate", "/min", 0, 400 },
    [CONSCIOUSNESS] = { "consciousness", NULL, 3, 15 }, /* GCS */
    [TEMPERATURE] = { "temperature", "Cel", 10, 50 },
};

#define AIR 0.21 /* FiO2 of air */

const char *column_name(const struct config *config, int parameter)
{
    return config->columns ? config->columns->names[parameter] : usuals[parameter].column;
}

const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

uint16_t schema_find(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; *name && i < schema->count && i < NO_COLUMN; i++)
        if (strcmp(schema_column(schema, i)->name, name) == 0)
            return (uint16_t)i;
    return NO_COLUMN;
}

/* UCUM: what stands in braces is a remark, and 1/min is /min. */
static int is_per_minute(const char *unit)
{
    if (*unit == '1')
        unit++;
    else if (*unit == '{')
        unit = strchr(unit, '}') ? strchr(unit, '}') + 1 : unit;
    return strcmp(unit, "/min") == 0;
}

static const char *oxygen_unit_problem(const struct config *config, const char *unit)
{
    if (config->oxygen == OXYGEN_FLAG)
        return "write oxygen = \"fio2\" if it is the fraction of oxygen; else make it a bool in a node before this one "
               "(oxygen = flow > 0)";
    return strcmp(unit, "%") == 0 || strcmp(unit, "1") == 0 ? NULL : "FiO2 is a fraction (unit 1) or %";
}

static const char *temperature_unit_problem(const char *unit)
{
    if (strcmp(unit, "Cel") == 0)
        return NULL;
    if (strcmp(unit, "[degF]") == 0 || strcmp(unit, "degF") == 0)
        return "expected Cel, as NEWS2 has it; convert it in a node before this one: (temperature - 32) / 1.8";
    if (strcmp(unit, "K") == 0)
        return "expected Cel, as NEWS2 has it; convert it in a node before this one: temperature - 273.15";
    return "expected Cel, as NEWS2 has it; if it is that, correct the unit where the column is declared";
}

static const char *pressure_unit_problem(const char *unit)
{
    if (strcmp(unit, "mm[Hg]") == 0)
        return NULL;
    if (strcmp(unit, "kPa") == 0)
        return "expected mm[Hg], as NEWS2 has it; convert it in a node before this one: systolic * 7.50062";
    return "expected mm[Hg], as NEWS2 has it; if it is that, correct the unit where the column is declared";
}

const char *unit_problem(const struct config *config, int parameter, const char *unit)
{
    if (!unit || !*unit)
        return NULL;
    switch (parameter) {
    case RESPIRATION:
    case PULSE:
        return is_per_minute(unit) ? NULL : "expected /min, as NEWS2 has it; convert it, or correct the unit where it is declared";
    case SPO2:
        if (strcmp(unit, "1") == 0)
            return "expected %, as NEWS2 has it; convert it in a node before this one: spo2 * 100";
        return strcmp(unit, "%") == 0 ? NULL : "expected %, as NEWS2 has it; convert it, or correct the unit where it is declared";
    case OXYGEN:
        return oxygen_unit_problem(config, unit);
    case SYSTOLIC:
        return pressure_unit_problem(unit);
    case TEMPERATURE:
        return temperature_unit_problem(unit);
    default:
        return NULL;
    }
}

int type_fits(const struct config *config, int parameter, uint8_t type)
{
    if (parameter == CONSCIOUSNESS && config->consciousness == CONSCIOUSNESS_ACVPU)
        return type == AFF_TEXT;
    if (parameter == OXYGEN && config->oxygen == OXYGEN_FLAG)
        return type == AFF_BOOL || type == AFF_INT || type == AFF_REAL;
    return type == AFF_REAL || type == AFF_INT;
}

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

static const struct aff_column score_columns[OUT_COLUMNS] = {
    [OUT_PARTS + RESPIRATION] = { .name = "respiration_score", .type = AFF_INT },
    [OUT_PARTS + SPO2] = { .name = "spo2_score", .type = AFF_INT },
    [OUT_PARTS + OXYGEN] = { .name = "oxygen_score", .type = AFF_INT },
    [OUT_PARTS + SYSTOLIC] = { .name = "systolic_score", .type = AFF_INT },
    [OUT_PARTS + PULSE] = { .name = "pulse_score", .type = AFF_INT },
    [OUT_PARTS + CONSCIOUSNESS] = { .name = "consciousness_score", .type = AFF_INT },
    [OUT_PARTS + TEMPERATURE] = { .name = "temperature_score", .type = AFF_INT },
    [OUT_SCORE] = { .name = "score", .type = AFF_INT },
    [OUT_AT_MOST] = { .name = "at_most", .type = AFF_INT },
    [OUT_MISSING] = { .name = "missing", .type = AFF_INT },
    [OUT_MISSING_NAMES] = { .name = "missing_names", .type = AFF_TEXT },
    [OUT_MISSING_WHY] = { .name = "missing_why", .type = AFF_TEXT },
    [OUT_COMPLETE] = { .name = "complete", .type = AFF_BOOL },
    [OUT_BAND] = { .name = "band", .type = AFF_TEXT },
    [OUT_SCALE] = { .name = "scale", .type = AFF_INT },
    [OUT_TABLE] = { .name = "table", .type = AFF_TEXT },
};

/* A part of the score has the label of the column it is made of; SpO2 on scale 2
 * depends on oxygen and scale as well; sums and what is missing on all. */
static void labels_put(const struct layout *l, const struct aff_schema *in, struct aff_column *out)
{
    uint8_t all = AFF_LABEL_NONE;
    int i;

    for (i = 0; i < PARAMETERS; i++)
        if (l->at[i] != NO_COLUMN)
            out[OUT_PARTS + i].label = schema_column(in, l->at[i])->label;
    if (l->scale_at != NO_COLUMN)
        out[OUT_SCALE].label = schema_column(in, l->scale_at)->label;
    out[OUT_PARTS + SPO2].label = higher(out[OUT_PARTS + SPO2].label,
                                         higher(out[OUT_PARTS + OXYGEN].label, out[OUT_SCALE].label));
    for (i = 0; i < PARAMETERS; i++)
        all = higher(all, out[OUT_PARTS + i].label);
    for (i = OUT_SCORE; i <= OUT_BAND; i++)
        out[i].label = all;
}

static const char *columns_make(const struct layout *l, struct made_schema *made, const struct aff_schema *in)
{
    uint32_t i;

    for (i = 0; i < l->kept; i++)
        made->columns[i] = *schema_column(in, i);
    memcpy(made->columns + l->kept, score_columns, sizeof score_columns);
    labels_put(l, in, made->columns + l->kept);
    made->schema = (struct aff_schema){ .struct_size = sizeof made->schema,
                                        .type = AFF_FIELDS,
                                        .name = "news2",
                                        .columns = made->columns,
                                        .count = l->kept + OUT_COLUMNS,
                                        .stride = sizeof made->columns[0] };
    for (i = 0; l->kept && i < OUT_COLUMNS; i++)
        if (schema_find(in, score_columns[i].name) != NO_COLUMN)
            return "a column of the input has the name of one of the score (score, missing, band, scale, table ...); "
                   "rename it, or leave out keep_input";
    return NULL;
}

const char *layout_make(struct layout *layout, struct made_schema *made, const struct config *config,
                        const struct aff_schema *in)
{
    const struct aff_column *column;
    int i;

    *layout = (struct layout){ .columns = in->count, .kept = config->keep_input ? in->count : 0 };
    if (layout->kept > KEPT_MOST)
        return "the input has more columns than can be kept; leave out keep_input";
    for (i = 0; i < PARAMETERS; i++) {
        layout->at[i] = schema_find(in, column_name(config, i));
        if (layout->at[i] == NO_COLUMN)
            continue;
        column = schema_column(in, layout->at[i]);
        layout->types[i] = column->type;
        layout->wrong_unit[i] = unit_problem(config, i, column->unit) != NULL;
        if (i == OXYGEN && column->unit && strcmp(column->unit, "%") == 0)
            layout->is_percent = 1;
    }
    layout->scale_at = schema_find(in, config->scale_column);
    if (layout->scale_at != NO_COLUMN)
        layout->scale_type = schema_column(in, layout->scale_at)->type;
    return columns_make(layout, made, in);
}

static int is_plausible(const struct config *config, int parameter, double value)
{
    double low = usuals[parameter].low, high = usuals[parameter].high;
    const struct aff_list *range = config->plausible ? &config->plausible->ranges[parameter] : NULL;

    if (range && range->count == 2) {
        low = *(const double *)range->items;
        high = *(const double *)(const void *)((const char *)range->items + range->stride);
    }
    return value >= low && value <= high; /* no for NaN */
}

static double cell_number(const struct layout *l, const struct aff_record *r, uint32_t column, uint8_t type)
{
    return type == AFF_REAL ? aff_row_real(r, l->columns, column) : (double)aff_row_int(r, l->columns, column);
}

/* One letter, or the word that it stands for. */
static enum why acvpu_read(const char *text, uint32_t length, double *ret)
{
    static const char *const words[] = { "A", "Alert",  "C",    "Confused", "Confusion",      "New confusion", "V",
                                         "Voice", "P", "Pain", "U",       "Unresponsive" };
    uint32_t i, k;

    for (i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strlen(words[i]) != length)
            continue;
        for (k = 0; k < length && (text[k] | 0x20) == (words[i][k] | 0x20); k++)
            continue;
        if (k == length) {
            *ret = i < 2 ? 0 : 1;
            return WHY_KNOWN;
        }
    }
    return WHY_UNKNOWN;
}

static enum why consciousness_read(const struct layout *l, const struct config *config, const struct aff_record *r,
                                   double *ret)
{
    uint32_t length, at = l->at[CONSCIOUSNESS];
    const char *text;
    double gcs;

    if (config->consciousness == CONSCIOUSNESS_ACVPU) {
        text = aff_row_text(r, l->columns, at, &length);
        if (text && length == 0)
            return WHY_ABSENT;
        return text ? acvpu_read(text, length, ret) : WHY_UNKNOWN;
    }
    gcs = cell_number(l, r, at, l->types[CONSCIOUSNESS]);
    if (!is_plausible(config, CONSCIOUSNESS, gcs) || gcs > floor(gcs))
        return WHY_IMPLAUSIBLE;
    *ret = gcs < 15 ? 1 : 0;
    return WHY_KNOWN;
}

static enum why oxygen_read(const struct layout *l, const struct config *config, const struct aff_record *r,
                            double *ret)
{
    double value = cell_number(l, r, l->at[OXYGEN], l->types[OXYGEN]);

    if (config->oxygen == OXYGEN_FLAG) {
        if (!(value >= 0 && value <= 1) || (value > 0 && value < 1))
            return WHY_IMPLAUSIBLE;
        *ret = value;
        return WHY_KNOWN;
    }
    if (l->is_percent)
        value /= 100;
    if (!is_plausible(config, OXYGEN, value))
        return WHY_IMPLAUSIBLE;
    *ret = value > AIR + 1e-9;
    return WHY_KNOWN;
}

static enum why parameter_read(const struct layout *l, const struct config *config, const struct aff_record *r,
                               int parameter, double *ret)
{
    uint32_t at = l->at[parameter];

    if (at == NO_COLUMN || !aff_row_has(r, at))
        return WHY_ABSENT;
    if (!type_fits(config, parameter, l->types[parameter]))
        return WHY_UNKNOWN;
    if (l->wrong_unit[parameter])
        return WHY_UNIT;
    if (parameter == CONSCIOUSNESS)
        return consciousness_read(l, config, r, ret);
    if (parameter == OXYGEN)
        return oxygen_read(l, config, r, ret);
    *ret = cell_number(l, r, at, l->types[parameter]);
    return is_plausible(config, parameter, *ret) ? WHY_KNOWN : WHY_IMPLAUSIBLE;
}

/* A scale that is neither 1 nor 2 is not guessed. */
static int scale_read(const struct layout *l, const struct aff_record *r, int scale)
{
    double value;

    if (l->scale_at == NO_COLUMN || !aff_row_has(r, l->scale_at))
        return scale;
    if (l->scale_type != AFF_REAL && l->scale_type != AFF_INT)
        return 0;
    value = cell_number(l, r, l->scale_at, l->scale_type);
    if (value >= 1 && value <= 1)
        return 1;
    return value >= 2 && value <= 2 ? 2 : 0;
}

void fields_read(const struct layout *layout, const struct config *config, const struct aff_record *record, int scale,
                 struct observations *ret_observations)
{
    int i;

    ret_observations->scale = scale_read(layout, record, scale);
    for (i = 0; i < PARAMETERS; i++)
        ret_observations->why[i] = parameter_read(layout, config, record, i, &ret_observations->values[i]);
    if (ret_observations->scale == 0 && ret_observations->why[SPO2] == WHY_KNOWN)
        ret_observations->why[SPO2] = WHY_UNKNOWN;
}
