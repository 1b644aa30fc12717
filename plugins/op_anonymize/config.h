/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h - the options of op_anonymize as the host fills them in. */
#ifndef OP_ANONYMIZE_CONFIG_H
#define OP_ANONYMIZE_CONFIG_H

#include <afferent/plugin.h>

enum action {
    ACTION_KEEP,  /* the value, with its label */
    ACTION_CLEAR, /* the value, without its label: the integrator vouches */
    ACTION_DROP,
    ACTION_PSEUDONYM,
    ACTION_SHIFT,
    ACTION_REDACT,
    ACTION_GENERALISE
};

enum { SUBJECT_PSEUDONYM, SUBJECT_DROP };
enum { TIMES_SHIFT, TIMES_KEEP };
enum { STEP_DAY, STEP_WEEK };
enum { FLOOR_NONE, FLOOR_DAY, FLOOR_MONTH, FLOOR_YEAR };

enum { KIND_MOST = 256 }; /* bytes of a name that is written in the pipeline */

struct column_config {
    const char *key;
    int32_t action;
};

struct generalise_config {
    const char *key;
    int64_t width, top, digits;
    int32_t floor;
};

struct text_config {
    const char *key;
    const char *text;
};

struct quasi_config {
    const char *name;
};

struct config {
    const char *key;
    const char *project;
    struct aff_list columns;    /* column_config */
    struct aff_list generalise; /* generalise_config */
    struct aff_list kinds;      /* text_config */
    struct aff_list streams;    /* text_config */
    struct aff_list quasi;      /* quasi_config */
    int32_t subject, times, shift_step;
    int64_t shift_most;
    int64_t combinations;
    const char *report;
};

/* Input and output ports, by row. */
enum { PORT_ROWS, PORT_SAMPLES };

static inline const void *list_at(const struct aff_list *list, uint32_t i)
{
    return (const char *)list->items + (size_t)i * list->stride;
}

static inline const struct aff_column *column_of(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

#endif
