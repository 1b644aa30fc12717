/* SPDX-License-Identifier: Apache-2.0
 *
 * check.c - what `afferent check` says of columns, time and subject, and what
 * comes out of a node before anything runs.
 *
 * A column without a label is taken at its word: who declares columns has looked
 * at them. Undeclared ones are PHI throughout, which the host does by itself.
 *
 * Not here: options that only CSV or only JSON has. */
#include "rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool name_taken(const struct rows_config *config, uint32_t i)
{
    const struct rows_column *c = rows_column_at(config, i);
    size_t size = strlen(c->name);
    uint32_t k;

    for (k = 0; k < config->columns.count; k++) {
        const struct rows_column *other = rows_column_at(config, k);

        if (k < i && strcmp(other->name, c->name) == 0)
            return true;
        if (c->keep_text && strncmp(other->name, c->name, size) == 0 && strcmp(other->name + size, "_text") == 0)
            return true;
    }
    return false;
}

static bool column_check(const struct rows_config *config, uint32_t i, const struct aff_report *report)
{
    const struct rows_column *c = rows_column_at(config, i);
    struct when when;
    const char *wrong = NULL;
    char path[48];

    snprintf(path, sizeof path, "columns[%u]", (unsigned)i);
    if (!*c->name)
        wrong = "the column's name is empty; expected one; write what it is called in what comes out";
    else if (name_taken(config, i))
        wrong = "another column has the same name, or the one that keep_text adds has; expected each name once; "
                "rename one";
    else if (c->keep_text && c->type == COLUMN_TEXT)
        wrong = "keep_text is for numbers and times, and a text is kept anyway; expected it without; leave it out";
    else if (*c->format && c->type != COLUMN_TIME)
        wrong = "format is for times; expected type = \"time\" beside it; write so, or leave it out";
    else if (c->type == COLUMN_TIME)
        wrong = rows_column_when(config, c, &when);
    if (wrong)
        report->problem(report, path, "%s", wrong);
    return !wrong;
}

bool rows_validate(const struct rows_config *config, const struct aff_report *report)
{
    const struct rows_time *t = config->time;
    const char *wrong = t ? when_open(&(struct when){ 0 }, t->format, t->zone, t->start) : NULL;
    char path[16];
    bool ok = !wrong;
    uint32_t i;

    if (wrong) { /* it begins with the option: "format is unknown" */
        (void)snprintf(path, sizeof path, "time.%.*s", (int)strcspn(wrong, " "), wrong);
        report->problem(report, path, "time.%s", wrong);
    }
    if (t && !*t->from) {
        report->problem(report, "time.from", "is empty; expected the column that holds the time; name it");
        ok = false;
    }
    if (config->framing == FRAMING_STREAM && config->max_row > ROWS_KEPT_MOST) {
        report->problem(report, "max_row", "is kept for each stream; expected at most 1MiB with framing = \"stream\"; "
                                           "lower it");
        ok = false;
    }
    if (config->columns.count > ROWS_DECLARED_MOST) {
        report->problem(report, "columns", "has %u columns; expected at most %d; leave out what no node needs", (unsigned)config->columns.count,
                        ROWS_DECLARED_MOST);
        return false;
    }
    for (i = 0; i < config->columns.count; i++)
        ok = column_check(config, i, report) && ok;
    return ok;
}

static uint8_t higher(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* Whose and when come out of the text as often as from the record, and the text
 * may hold anything. */
static void labels_set(const struct rows_config *config, const struct aff_table *inputs, struct aff_shape *out)
{
    uint32_t i;

    for (i = 0; i < inputs->count; i++) {
        const struct aff_shape *in = (const void *)((const char *)inputs->items + (size_t)i * inputs->stride);

        out->subject = higher(out->subject, in->subject);
        out->times = higher(out->times, in->times);
        out->names = higher(out->names, in->names);
    }
    if (*config->subject || !inputs->count)
        out->subject = AFF_LABEL_PHI;
    if (config->time || !inputs->count)
        out->times = AFF_LABEL_PHI;
}

aff_status rows_shape(const struct rows_config *config, const struct aff_table *inputs,
                      const struct aff_report *report, uint32_t output)
{
    struct aff_shape shape = { .struct_size = sizeof shape, .port = output };
    struct aff_column *columns = calloc(rows_schema_count(config) + 1u, sizeof *columns);
    char *names = malloc(rows_names_size(config));
    struct aff_schema schema;
    aff_status st = AFF_ERR_MEMORY;

    if (columns && names) {
        labels_set(config, inputs, &shape);
        schema = rows_schema(config, columns, names);
        shape.schema = config->columns.count ? &schema : NULL;
        report->output(report, &shape);
        st = AFF_OK;
    }
    free(columns);
    free(names);
    return st;
}
