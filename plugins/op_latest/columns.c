/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c - see columns.h. */
#include "columns.h"

#include <stdio.h>
#include <string.h>

#include "store.h"

/* More rows than this from one value, or without any, are a mistake in units. */
#define ROWS_MOST 100000

/* What a column is by its name alone. */
struct usual {
    const char *name, *unit, *code;
    uint8_t type;
};

static const struct usual usuals[] = {
    { "respiratory_rate", "/min", "9279-1", AFF_REAL },
    { "spo2", "%", "59408-5", AFF_REAL },
    { "heart_rate", "/min", "8867-4", AFF_REAL },
    { "systolic", "mm[Hg]", "8480-6", AFF_REAL },
    { "diastolic", "mm[Hg]", "8462-4", AFF_REAL },
    { "mean_pressure", "mm[Hg]", "8478-0", AFF_REAL },
    { "temperature", "Cel", "8310-5", AFF_REAL },
    { "consciousness", NULL, "80288-4", AFF_TEXT },
    { "supplemental_oxygen", NULL, NULL, AFF_BOOL },
};

static struct usual usual_find(const char *name)
{
    struct usual none = { name, NULL, NULL, AFF_REAL };
    size_t i;

    for (i = 0; i < sizeof usuals / sizeof usuals[0]; i++)
        if (strcmp(usuals[i].name, name) == 0)
            return usuals[i];
    return none;
}

const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t index)
{
    return (const void *)((const char *)schema->columns + (size_t)index * schema->stride);
}

uint32_t schema_find(const struct aff_schema *schema, const char *name)
{
    uint32_t i = 0;

    while (i < schema->count && strcmp(schema_column(schema, i)->name, name) != 0)
        i++;
    return i;
}

static const struct column_config *column_at(const struct config *config, uint32_t i)
{
    return (const void *)((const char *)config->columns.items + (size_t)i * config->columns.stride);
}

static struct want want_of(const struct config *config, uint32_t i)
{
    const struct column_config *c = column_at(config, i);
    struct usual usual = usual_find(c->name);
    struct want w = { .name = c->name, .place = i };

    w.is_long = *c->key || (!*c->from && *config->key);
    w.from = *c->key ? c->key : *c->from ? c->from : c->name;
    w.stream = c->stream;
    w.type = c->type == TYPE_USUAL ? usual.type : (uint8_t)c->type;
    w.unit = *c->unit ? c->unit : usual.unit;
    w.code = *c->code ? c->code : usual.code;
    w.max_age = c->max_age ? c->max_age : config->max_age;
    return w;
}

void layout_build(struct layout *layout, const struct config *config)
{
    uint32_t i, n = config->columns.count;

    memset(layout, 0, sizeof *layout);
    layout->count = n;
    for (i = 0; i < n; i++) {
        struct want *w = &layout->wants[i];

        *w = want_of(config, i);
        layout->texts += w->type == AFF_TEXT;
        layout->columns[i] = (struct aff_column){ .name = w->name, .unit = w->unit, .code = w->code, .type = w->type };
        if (!config->ages)
            continue;
        snprintf(layout->ages[i], sizeof layout->ages[i], "%s" AGE_TAIL, w->name);
        layout->columns[n + i] = (struct aff_column){ .name = layout->ages[i], .unit = "s", .type = AFF_REAL };
    }
    layout->schema = (struct aff_schema){ .struct_size = sizeof layout->schema,
                                          .type = AFF_FIELDS,
                                          .name = "latest",
                                          .columns = layout->columns,
                                          .count = config->ages ? 2 * n : n,
                                          .stride = sizeof layout->columns[0] };
}

/* The checks below say what they find and return how much that was. */
static int column_check(const struct config *config, uint32_t i, const struct aff_report *report)
{
    const struct column_config *c = column_at(config, i);
    char path[40];
    int wrong = 0;

    snprintf(path, sizeof path, "columns[%u].name", i);
    if (!*c->name || strlen(c->name) > NAME_MOST) {
        report->problem(report, path, "is empty or longer than %d bytes; name the column of the output", NAME_MOST);
        wrong++;
    }
    snprintf(path, sizeof path, "columns[%u].key", i);
    if (*c->key && *c->from) {
        report->problem(report, path, "stands beside from; a column has one of them: from takes a column of the input, "
                       "key takes the rows that have this key");
        wrong++;
    }
    if (*c->key && !*config->key) {
        report->problem(report, path, "needs to know where keys stand; add key = \"...\" and value = \"...\" to the "
                       "node: the names of the columns that hold them");
        wrong++;
    }
    return wrong;
}

static bool is_age_of(const char *age, const char *name)
{
    size_t length = strlen(name);

    return strncmp(age, name, length) == 0 && strcmp(age + length, AGE_TAIL) == 0;
}

static int names_check(const struct config *config, const struct aff_report *report)
{
    uint32_t i, k;
    char path[40];
    int wrong = 0;

    for (i = 0; i < config->columns.count; i++)
        for (k = 0; k < config->columns.count; k++) {
            const char *a = column_at(config, i)->name, *b = column_at(config, k)->name;

            snprintf(path, sizeof path, "columns[%u].name", i);
            if (k < i && strcmp(a, b) == 0) {
                report->problem(report, path, "is the name of columns[%u] too; give each column its own name", k);
                wrong++;
            } else if (config->ages && is_age_of(a, b)) {
                report->problem(report, path, "is the name of the age of columns[%u]; take another, or leave out ages",
                               k);
                wrong++;
            }
        }
    return wrong;
}

static int form_check(const struct config *config, const struct aff_report *report)
{
    if (*config->key && !*config->value) {
        report->problem(report, "value", "is missing beside key; name the column that holds the values");
        return 1;
    }
    if (*config->value && !*config->key) {
        report->problem(report, "key", "is missing beside value; name the column that holds the keys");
        return 1;
    }
    if (!*config->stream) {
        report->problem(report, "stream", "is empty; expected a name such as \"latest\"");
        return 1;
    }
    return 0;
}

static int64_t age_most(const struct config *config)
{
    int64_t most = config->max_age;
    uint32_t i;

    for (i = 0; i < config->columns.count; i++)
        if (column_at(config, i)->max_age > most)
            most = column_at(config, i)->max_age;
    return most;
}

static int interval_check(const struct config *config, const struct aff_report *report)
{
    int64_t every = config->every;
    int wrong = 0;

    if (!every) {
        report->problem(report, "every", "is missing; expected a duration, since emit = \"interval\" makes a row at each full multiple of it; "
                       "write for example every = \"1h\"");
        return 1;
    }
    if (config->lateness > (DEPTH_MOST - 1) * every) {
        report->problem(report, "lateness", "is more than %d times every; at most that many intervals are kept open; "
                       "make it shorter, or every longer", DEPTH_MOST - 1);
        wrong++;
    }
    if (age_most(config) / every > ROWS_MOST || config->span / every > ROWS_MOST) {
        report->problem(report, "every", "is too short beside max_age or for: one value, or one patient, would make "
                       "more than %d rows; make it longer", ROWS_MOST);
        wrong++;
    }
    if (config->span && config->after > config->span) {
        report->problem(report, "after", "is longer than for; no row would be made");
        wrong++;
    }
    return wrong;
}

static int other_check(const struct config *config, const struct aff_report *report)
{
    const struct {
        const char *name;
        int64_t value;
    } only[] = { { "every", config->every }, { "lateness", config->lateness }, { "after", config->after },
                 { "for", config->span } };
    int wrong = 0;
    size_t i;

    for (i = 0; i < sizeof only / sizeof only[0]; i++)
        if (only[i].value) {
            report->problem(report, only[i].name, "is for rows at full intervals only; add emit = \"interval\", or "
                           "leave it out");
            wrong++;
        }
    return wrong;
}

aff_status config_validate(const void *config, const struct aff_report *report)
{
    const struct config *c = config;
    int wrong = form_check(c, report) + names_check(c, report);
    uint32_t i;

    for (i = 0; i < c->columns.count; i++)
        wrong += column_check(c, i, report);
    wrong += c->emit == EMIT_INTERVAL ? interval_check(c, report) : other_check(c, report);
    return wrong ? AFF_ERR_CONFIG : AFF_OK;
}
