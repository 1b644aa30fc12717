/* SPDX-License-Identifier: Apache-2.0
 *
 * match.h - which column each feature of a model is, and what goes out.
 *
 * Used at `check`, with all problems said, and for each schema of a run.
 *
 * Not here: rows (op_score.c). */
#ifndef OP_SCORE_MATCH_H
#define OP_SCORE_MATCH_H

#include "score.h"

enum { ON_MISSING_EMPTY, ON_MISSING_MEAN, ON_MISSING_SKIP, ON_MISSING_DEAD };

struct feature_config { /* of the map: the model's name, the column's */
    const char *key, *column;
};

struct config {
    const char *model;
    const char *name;
    const char *prefix;
    struct aff_list features; /* struct feature_config */
    int32_t on_missing;
    int32_t keep_input;
};

enum { COLUMNS_MAX = 1024, OPTION_TEXT_MAX = 64 };

const struct feature_config *config_feature(const struct config *c, uint32_t i);

/* Says a problem of an option. At `check` with advice; in a run without names
 * and units of the input, which a file may have brought. */
struct teller {
    void (*say)(const struct teller *teller, const char *option, const char *text);
    const void *context;
    bool is_check;
};

const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t i);
int schema_find(const struct aff_schema *schema, const char *name);

/* Whether the map `features` names features of the model only. 0 or -1. */
int map_check(const struct config *c, const struct model *m, const struct teller *teller);

/* The column of each feature, into `columns`; 0, or -1 where one lacks, is no
 * number, or has another unit than the model says. */
int match_columns(const struct config *c, const struct model *m, const struct aff_schema *schema, uint16_t *columns,
                  const struct teller *teller);

/* ---- what goes out ---- */

enum out_column {
    OUT_SCORE,
    OUT_PROBABILITY, /* where the backend gives one */
    OUT_MISSING,
    OUT_MISSING_NAMES,
    OUT_OF_RANGE,
    OUT_OF_RANGE_NAMES,
    OUT_MODEL,
    OUT_VERSION,
    OUT_HASH,
    OUTS
};

struct result_names { /* with their prefix */
    char text[OUTS][OPTION_TEXT_MAX + 24];
};
void names_fill(struct result_names *names, const char *prefix);

/* The place of a result among the columns, after `kept` ones of the input. */
static inline uint32_t result_place(const struct score_backend *b, uint32_t kept, enum out_column k)
{
    return kept + (uint32_t)k - (k > OUT_PROBABILITY && !b->gives_probability);
}

/* What a schema is made of, for one input schema. `columns` has room for
 * COLUMNS_MAX + OUTS; results carry `label`. -1 where a name is taken by the
 * input. */
struct outline {
    const struct config *config;
    const struct model *model;
    const struct result_names *names;
    struct aff_column *columns;
    uint8_t label;
};
int outline_schema(const struct outline *o, const struct aff_schema *in, struct aff_schema *ret,
                   const struct teller *teller);

/* The highest label of the columns that the features are. */
uint8_t match_label(const struct model *m, const struct aff_schema *schema, const uint16_t *columns);

#endif
