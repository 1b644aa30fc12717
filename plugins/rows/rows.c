/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c - declared columns made ready: their sources and their schema.
 *
 * Several columns, the time and the subject may be read from one place; a reader
 * looks for each place once and need not know what for.
 *
 * Not here: values (cells.c), what is refused (check.c). */
#include "rows.h"

#include <string.h>

const struct rows_column *rows_column_at(const struct rows_config *config, uint32_t i)
{
    return (const void *)((const char *)config->columns.items + (size_t)i * config->columns.stride);
}

const char *rows_column_from(const struct rows_column *column)
{
    return *column->from ? column->from : column->name;
}

const char *rows_word_from(const struct rows_config *config, const char *word)
{
    uint32_t i;

    for (i = 0; i < config->columns.count; i++)
        if (strcmp(rows_column_at(config, i)->name, word) == 0)
            return rows_column_from(rows_column_at(config, i));
    return word;
}

const char *rows_column_when(const struct rows_config *config, const struct rows_column *column, struct when *ret)
{
    const struct rows_time *t = config->time;
    const char *format = column->format;

    if (!*format && t && strcmp(rows_word_from(config, t->from), rows_column_from(column)) == 0)
        format = t->format;
    return when_open(ret, *format ? format : "iso8601", t ? t->zone : "Z", t ? t->start : "1970-01-01");
}

static const char text_ending[] = "_text";

uint32_t rows_schema_count(const struct rows_config *config)
{
    uint32_t i, count = config->columns.count;

    for (i = 0; i < config->columns.count; i++)
        count += rows_column_at(config, i)->keep_text != 0;
    return count;
}

size_t rows_names_size(const struct rows_config *config)
{
    size_t size = 1;
    uint32_t i;

    for (i = 0; i < config->columns.count; i++)
        size += strlen(rows_column_at(config, i)->name) + sizeof text_ending;
    return size;
}

struct aff_schema rows_schema(const struct rows_config *config, struct aff_column *columns, char *names)
{
    struct aff_schema schema = { .struct_size = sizeof schema, .type = AFF_FIELDS, .name = "rows" };
    struct aff_column *to = columns;
    uint32_t i;

    for (i = 0; i < config->columns.count; i++) {
        const struct rows_column *c = rows_column_at(config, i);

        memset(to, 0, sizeof *to);
        to->name = c->name;
        to->unit = *c->unit ? c->unit : NULL;
        to->code = *c->code ? c->code : NULL;
        to->type = (uint8_t)(c->type + AFF_REAL);
        to->label = (uint8_t)c->label;
        to->required = c->required != 0;
        to++;
        if (!c->keep_text)
            continue;
        *to = to[-1];
        to->type = AFF_TEXT;
        to->name = names;
        names = stpcpy(stpcpy(names, c->name), text_ending) + 1;
        to++;
    }
    schema.columns = columns;
    schema.count = (uint32_t)(to - columns);
    schema.stride = sizeof *columns;
    return schema;
}

static aff_status schema_open(struct rows *rows)
{
    const struct aff_host *host = rows->host;
    struct aff_column *columns;
    struct aff_schema schema;
    char *names;

    rows->is_open = rows->config->columns.count == 0;
    rows->columns = rows_schema_count(rows->config);
    columns = host->alloc(host, (rows->columns + 1u) * sizeof *columns);
    names = host->alloc(host, rows_names_size(rows->config));
    if (columns && names) {
        schema = rows_schema(rows->config, columns, names);
        rows->schema = host->schema(host, &schema);
    }
    if (columns)
        host->free(host, columns);
    if (names)
        host->free(host, names);
    return rows->schema ? AFF_OK : AFF_ERR_MEMORY;
}

static void use_add(struct rows *rows, const char *from, int32_t what, bool needed)
{
    struct rows_source *s;
    uint32_t i;

    for (i = 0; i < rows->source_count && strcmp(rows->sources[i].from, from) != 0; i++)
        ;
    s = &rows->sources[i];
    if (i == rows->source_count) {
        rows->source_count++;
        *s = (struct rows_source){ from, 0, false };
    }
    s->needed = s->needed || needed;
    rows->uses[rows->use_count] = (struct rows_use){ what, s->first };
    s->first = ++rows->use_count;
}

static bool targets_open(struct rows *rows)
{
    const struct rows_config *config = rows->config;
    uint32_t i, cell = 0;

    for (i = 0; i < config->columns.count; i++) {
        struct rows_target *t = &rows->targets[i];

        t->column = rows_column_at(config, i);
        t->cell = cell;
        cell += t->column->keep_text ? 2 : 1;
        if (t->column->type == COLUMN_TIME && rows_column_when(config, t->column, &t->when))
            return false;
        use_add(rows, rows_column_from(t->column), (int32_t)i, t->column->required);
    }
    rows->target_count = i;
    rows->has_time = config->time != NULL;
    if (config->time && when_open(&rows->when, config->time->format, config->time->zone, config->time->start))
        return false;
    if (config->time)
        use_add(rows, rows_word_from(config, config->time->from), USE_TIME, true);
    rows->has_subject = *config->subject != '\0';
    if (rows->has_subject)
        use_add(rows, rows_word_from(config, config->subject), USE_SUBJECT, true);
    return true;
}

aff_status rows_open(struct rows *rows, const struct aff_host *host, const struct rows_config *config)
{
    uint32_t count = config->columns.count;
    aff_status st;

    rows->host = host;
    rows->config = config;
    rows->point = '.';
    rows->route.host = host;
    rows->targets = host->alloc(host, (count + 1u) * sizeof *rows->targets);
    rows->sources = host->alloc(host, (count + 2u) * sizeof *rows->sources);
    rows->uses = host->alloc(host, (count + 2u) * sizeof *rows->uses);
    rows->cells = host->alloc(host, ROWS_COLUMNS_MOST * sizeof *rows->cells);
    if (!rows->targets || !rows->sources || !rows->uses || !rows->cells)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the columns");
    if (!targets_open(rows))
        return AFF_ERR_CONFIG; /* rows_validate says why */
    rows->c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!rows->c_locale)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the numbers' locale");
    st = schema_open(rows);
    if (st == AFF_OK)
        st = route_open(&rows->route, host, rows->has_subject);
    return st;
}

void rows_close(struct rows *rows)
{
    const struct aff_host *host = rows->host;
    void *const blocks[] = { rows->targets, rows->sources, rows->uses, rows->cells };
    size_t i;

    if (!host)
        return;
    route_close(&rows->route);
    if (rows->c_locale)
        freelocale(rows->c_locale);
    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i])
            host->free(host, blocks[i]);
}
