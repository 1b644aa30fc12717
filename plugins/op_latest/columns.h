/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.h - the options of op_latest, and the columns that follow from them.
 *
 * The output's schema is made of the options alone, so that it is the same in
 * each run and replay, whichever input comes first. Columns named as vital signs
 * are here (heart_rate, spo2 ...) have the usual type, unit and LOINC code.
 *
 * Not here: whether inputs have these columns (shape.c). */
#ifndef OP_LATEST_COLUMNS_H
#define OP_LATEST_COLUMNS_H

#include <afferent/plugin.h>

#include <stdbool.h>

enum { COLUMNS_MOST = 64, NAME_MOST = 64 };
#define AGE_TAIL "_age"

/* Index of the option `type`; the rest are the schema's types in their order. */
enum { TYPE_USUAL = 0 };
enum { EMIT_CHANGE, EMIT_INPUT, EMIT_INTERVAL };

struct column_config {
    const char *name, *from, *key, *stream, *unit, *code;
    int32_t type;
    int64_t max_age;
};

struct config {
    struct aff_list columns; /* struct column_config */
    const char *key, *value, *stream;
    int64_t max_age;
    int64_t every, lateness, after, span; /* span: the option `for` */
    int32_t emit, ages;
};

/* A column of the output, all options settled. */
struct want {
    const char *name;
    const char *from; /* the input's column, or the key that selects its rows */
    const char *stream; /* the only one that counts; "" for any */
    const char *unit, *code;
    int64_t max_age;
    uint32_t place; /* in the options' list */
    uint8_t type;
    bool is_long;
};

struct layout {
    struct want wants[COLUMNS_MOST];
    uint32_t count;
    uint32_t texts; /* how many are text */
    struct aff_column columns[2 * COLUMNS_MOST]; /* values, then ages */
    char ages[COLUMNS_MOST][NAME_MOST + sizeof AGE_TAIL];
    struct aff_schema schema;
};

/* Borrows the config's strings, and points into itself. */
void layout_build(struct layout *layout, const struct config *config);

/* The rules across options. */
aff_status config_validate(const void *config, const struct aff_report *report);

/* The plugin's callback of this name (shape.c). */
aff_status latest_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

/* The schema's column of this name; its count when there is none. */
uint32_t schema_find(const struct aff_schema *schema, const char *name);
const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t index);

#endif
