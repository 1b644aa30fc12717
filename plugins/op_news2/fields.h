/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.h - the options of op_news2, and where observations stand in a row.
 *
 * A layout says, for rows of one schema, which columns are read and what the
 * output's columns are: those of the score, behind those of the input where
 * keep_input is set. It is made alike at check and at run time.
 *
 * Not here: the score itself (score.c), what check says (shape.c). */
#ifndef OP_NEWS2_FIELDS_H
#define OP_NEWS2_FIELDS_H

#include <afferent/plugin.h>

#include "score.h"

enum { OXYGEN_FLAG, OXYGEN_FIO2 };
enum { CONSCIOUSNESS_ACVPU, CONSCIOUSNESS_GCS };

struct columns_config {
    const char *names[PARAMETERS];
};

struct plausible_config {
    struct aff_list ranges[PARAMETERS]; /* two reals, or empty: the usual range */
};

struct config {
    const struct columns_config *columns; /* NULL: all as usual */
    const struct plausible_config *plausible;
    int32_t consciousness, oxygen;
    struct aff_list scale2; /* const char *: names of subjects */
    const char *scale_column;
    int32_t keep_input;
};

/* The columns of a score. */
enum {
    OUT_PARTS,
    OUT_SCORE = PARAMETERS,
    OUT_AT_MOST,
    OUT_MISSING,
    OUT_MISSING_NAMES,
    OUT_MISSING_WHY,
    OUT_COMPLETE,
    OUT_BAND,
    OUT_SCALE,
    OUT_TABLE,
    OUT_COLUMNS
};

enum { KEPT_MOST = 496, NO_COLUMN = 0xffff };

struct layout {
    uint32_t schema;     /* of the input; 0: unused */
    uint32_t out_schema; /* the host's number of it */
    uint32_t columns;    /* of the input */
    uint32_t kept;       /* how many of them are in the output */
    uint16_t at[PARAMETERS]; /* NO_COLUMN: none */
    uint16_t scale_at;
    uint8_t types[PARAMETERS], scale_type;
    uint8_t wrong_unit[PARAMETERS];
    uint8_t is_percent; /* FiO2 in %, not as a fraction */
};

/* Room for an output's schema; borrows names from the input's. */
struct made_schema {
    struct aff_schema schema;
    struct aff_column columns[KEPT_MOST + OUT_COLUMNS];
};

/* Why a layout cannot be made: NULL, or a sentence. */
const char *layout_make(struct layout *layout, struct made_schema *made, const struct config *config,
                        const struct aff_schema *in);

/* What one row says. `scale` is that of the subject where the row has none. */
void fields_read(const struct layout *layout, const struct config *config, const struct aff_record *record, int scale,
                 struct observations *ret_observations);

/* The name of a parameter's column; "" where the input has none, by the options. */
const char *column_name(const struct config *config, int parameter);
/* NULL when a column of this unit can be scored; else what to do about it. */
const char *unit_problem(const struct config *config, int parameter, const char *unit);
int type_fits(const struct config *config, int parameter, uint8_t type);
uint16_t schema_find(const struct aff_schema *schema, const char *name);
const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t i);

/* The plugin's callbacks of these names (shape.c). */
aff_status news2_validate(const void *config, const struct aff_report *report);
aff_status news2_shape(const void *config, const struct aff_table *inputs, const struct aff_report *report);

#endif
