/* SPDX-License-Identifier: Apache-2.0
 *
 * match.c - features and columns, by name, type and unit. */
#include <afferent/words.h>

#include "match.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX = 64, PROBLEMS_MAX = 5 };

__attribute__((format(printf, 3, 4))) static void tell(const struct teller *t, const char *option, const char *format,
                                                       ...)
{
    char text[700];
    va_list args;

    if (!t)
        return;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->say(t, option, text);
}

const struct feature_config *config_feature(const struct config *c, uint32_t i)
{
    return (const void *)((const char *)c->features.items + (size_t)i * c->features.stride);
}

const struct aff_column *schema_column(const struct aff_schema *schema, uint32_t i)
{
    return (const void *)((const char *)schema->columns + (size_t)i * schema->stride);
}

int schema_find(const struct aff_schema *schema, const char *name)
{
    uint32_t i;

    for (i = 0; i < schema->count; i++)
        if (strcmp(schema_column(schema, i)->name, name) == 0)
            return (int)i;
    return -1;
}

/* ---- what was probably meant ---- */

/* "; did you mean x?", or what else to do. */
static void advice(char *to, size_t room, const struct aff_guess *g, const char *otherwise)
{
    if (g->best)
        (void)snprintf(to, room, "did you mean %.80s?", g->best);
    else
        (void)snprintf(to, room, "%s", otherwise);
}

/* ---- features ---- */

static int feature_find(const struct model *m, const char *name)
{
    uint32_t i;

    for (i = 0; i < m->count; i++)
        if (strcmp(m->features[i].name, name) == 0)
            return (int)i;
    return -1;
}

int map_check(const struct config *c, const struct model *m, const struct teller *teller)
{
    char meant[120], option[WORD_MAX + 24];
    int status = 0;
    uint32_t i, k;

    for (i = 0; i < c->features.count; i++) {
        struct aff_guess g = { .word = config_feature(c, i)->key };

        if (feature_find(m, g.word) >= 0)
            continue;
        for (k = 0; k < m->count; k++)
            aff_guess_offer(&g, m->features[k].name);
        advice(meant, sizeof meant, &g, "see \"names\" in its file");
        (void)snprintf(option, sizeof option, "features.%.64s", g.word);
        tell(teller, option, "the model has no feature \"%.80s\"; expected one of its names; %s", g.word, meant);
        status = -1;
    }
    return status;
}

/* The column that a feature is: that of its name if the map says nothing. */
static const char *column_name(const struct config *c, const char *feature)
{
    uint32_t i;

    for (i = 0; i < c->features.count; i++)
        if (strcmp(config_feature(c, i)->key, feature) == 0)
            return config_feature(c, i)->column;
    return feature;
}

static void lack_tell(const struct teller *teller, const struct aff_schema *schema, const char *feature,
                      const char *name)
{
    struct aff_guess g = { .word = name };
    char meant[160], otherwise[160];
    uint32_t i;

    if (!teller)
        return;
    for (i = 0; teller->is_check && i < schema->count; i++)
        aff_guess_offer(&g, schema_column(schema, i)->name);
    (void)snprintf(otherwise, sizeof otherwise, "say which it is: features = { \"%.60s\" = \"COLUMN\" }", feature);
    advice(meant, sizeof meant, &g, otherwise);
    tell(teller, "features",
         "the input has no column \"%.80s\" for feature \"%.80s\"; expected one for each feature; %s", name, feature,
         meant);
}

static int match_one(const struct config *c, const struct feature *f, const struct aff_schema *schema,
                     uint16_t *column, const struct teller *teller)
{
    const char *name = column_name(c, f->name);
    int at = schema_find(schema, name);
    const struct aff_column *found;

    if (at < 0) {
        lack_tell(teller, schema, f->name, name);
        return -1;
    }
    found = schema_column(schema, (uint32_t)at);
    if (found->type != AFF_REAL && found->type != AFF_INT && found->type != AFF_BOOL) {
        tell(teller, "features",
             "column \"%.80s\" for feature \"%.80s\" is no number; expected one, or true and false; "
             "convert it before",
             name, f->name);
        return -1;
    }
    if (f->unit && found->unit && *found->unit && strcmp(f->unit, found->unit) != 0) {
        tell(teller, "features", "column \"%.80s\" is in %.40s; the model was trained with %.40s; convert it before",
             name, teller && teller->is_check ? found->unit : "another unit", f->unit);
        return -1;
    }
    *column = (uint16_t)at;
    return 0;
}

int match_columns(const struct config *c, const struct model *m, const struct aff_schema *schema, uint16_t *columns,
                  const struct teller *teller)
{
    uint32_t i, problems = 0;

    if (schema->count > COLUMNS_MAX) {
        tell(teller, NULL, "rows of %u columns; expected at most %d", (unsigned)schema->count, COLUMNS_MAX);
        return -1;
    }
    for (i = 0; i < m->count && problems < PROBLEMS_MAX; i++)
        problems += match_one(c, &m->features[i], schema, &columns[i], teller) < 0;
    return problems ? -1 : 0;
}

uint8_t match_label(const struct model *m, const struct aff_schema *schema, const uint16_t *columns)
{
    uint8_t label = AFF_LABEL_NONE;
    uint32_t i;

    for (i = 0; i < m->count; i++)
        if (schema_column(schema, columns[i])->label > label)
            label = schema_column(schema, columns[i])->label;
    return label;
}

/* ---- what goes out ---- */

static const struct {
    const char *name;
    uint8_t type;
    bool is_about_data; /* carries the label of the features */
} results[OUTS] = {
    [OUT_SCORE] = { "score", AFF_REAL, true },
    [OUT_PROBABILITY] = { "probability", AFF_REAL, true },
    [OUT_MISSING] = { "missing", AFF_INT, true },
    [OUT_MISSING_NAMES] = { "missing_names", AFF_TEXT, true },
    [OUT_OF_RANGE] = { "out_of_range", AFF_INT, true },
    [OUT_OF_RANGE_NAMES] = { "out_of_range_names", AFF_TEXT, true },
    [OUT_MODEL] = { "model", AFF_TEXT, false },
    [OUT_VERSION] = { "version", AFF_TEXT, false },
    [OUT_HASH] = { "model_hash", AFF_TEXT, false },
};

void names_fill(struct result_names *names, const char *prefix)
{
    int k;

    for (k = 0; k < OUTS; k++)
        (void)snprintf(names->text[k], sizeof names->text[k], "%.*s%s", OPTION_TEXT_MAX, prefix, results[k].name);
}

static int kept_fill(const struct outline *o, const struct aff_schema *in, const struct teller *teller)
{
    uint32_t i;
    int k;

    for (i = 0; i < in->count; i++) {
        memset(&o->columns[i], 0, sizeof o->columns[i]);
        memcpy(&o->columns[i], schema_column(in, i),
               in->stride < sizeof *o->columns ? in->stride : sizeof *o->columns);
    }
    for (k = 0; k < OUTS; k++) {
        if (schema_find(in, o->names->text[k]) < 0)
            continue;
        tell(teller, "prefix",
             "the input has a column \"%.80s\" already; expected another name for the result; set "
             "prefix, as in prefix = \"second_\"",
             o->names->text[k]);
        return -1;
    }
    return 0;
}

static void result_fill(const struct outline *o, struct aff_column *c, enum out_column k)
{
    memset(c, 0, sizeof *c);
    c->name = o->names->text[k];
    c->type = results[k].type;
    c->label = results[k].is_about_data ? o->label : AFF_LABEL_NONE;
    if (k == OUT_SCORE) {
        c->unit = o->model->unit;
        c->code = o->model->code;
    }
    if (k == OUT_PROBABILITY)
        c->unit = "1";
}

int outline_schema(const struct outline *o, const struct aff_schema *in, struct aff_schema *ret,
                   const struct teller *teller)
{
    const struct score_backend *b = score_backend(o->model);
    uint32_t kept = o->config->keep_input ? in->count : 0;
    enum out_column k;

    if (kept && kept_fill(o, in, teller) < 0)
        return -1;
    for (k = OUT_SCORE; k < OUTS; k++)
        if (k != OUT_PROBABILITY || b->gives_probability)
            result_fill(o, &o->columns[result_place(b, kept, k)], k);
    *ret = (struct aff_schema){ .struct_size = sizeof *ret,
                                .type = AFF_FIELDS,
                                .name = o->config->name,
                                .columns = o->columns,
                                .count = result_place(b, kept, OUT_HASH) + 1,
                                .stride = sizeof *o->columns };
    return 0;
}
