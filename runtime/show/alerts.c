/* alerts.c - see alerts.h. */
#include "show/alerts.h"

#include <stdlib.h>
#include <string.h>

#include "show/answer.h"
#include "show/when.h"

static const char *const names[ALERT_TEXTS] = { "alert", "severity", "state", "rule", "place", "text" };

/* ---- a row ---- */

static uint32_t find_column(const struct aff_schema *schema, const char *name, uint8_t type)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct aff_column *c = schema_column(schema, i);

        if (c->name && c->type == type && strcmp(c->name, name) == 0)
            return i;
    }
    return schema->count;
}

static char *text_of(const struct aff_schema *schema, const struct aff_record *r, const char *name)
{
    uint32_t column = find_column(schema, name, AFF_TEXT), length = 0;
    const char *bytes = NULL;

    if (column < schema->count && aff_row_has(r, column))
        bytes = aff_row_text(r, schema->count, column, &length);
    return strndup(bytes ? bytes : "", bytes ? length : 0);
}

static int64_t number_of(const struct aff_schema *schema, const struct aff_record *r, const char *name, uint8_t type)
{
    uint32_t column = find_column(schema, name, type);

    return column < schema->count && aff_row_has(r, column) ? aff_row_int(r, schema->count, column) : 0;
}

static void alert_free(struct alert *a)
{
    for (int i = 0; i < ALERT_TEXTS; i++)
        free(a->texts[i]);
}

static bool alert_read(struct alert *a, const struct aff_schema *schema, const struct aff_record *r)
{
    bool ok = true;

    for (int i = 0; i < ALERT_TEXTS; i++) {
        a->texts[i] = text_of(schema, r, names[i]);
        ok = ok && a->texts[i];
    }
    a->since_ns = number_of(schema, r, "since", AFF_TIME);
    a->count = number_of(schema, r, "count", AFF_INT);
    a->told_ns = r->event_ns;
    return ok;
}

/* ---- those in force ---- */

static size_t find(const struct alerts *a, const char *id)
{
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i].texts[ALERT_ID], id) == 0)
            return i;
    return a->count;
}

static bool grow(struct alerts *a)
{
    size_t room = a->room ? a->room * 2 : 16;
    struct alert *items;

    if (a->count < a->room)
        return true;
    items = realloc(a->items, room * sizeof *items);
    if (!items)
        return false;
    a->items = items;
    a->room = room;
    return true;
}

/* Takes what the alert owns. */
static void put(struct alerts *a, struct alert *alert)
{
    size_t at = find(a, alert->texts[ALERT_ID]);
    bool ended = strcmp(alert->texts[ALERT_STATE], "ended") == 0;

    if (at < a->count) {
        alert_free(&a->items[at]);
        a->items[at] = *alert;
    } else if (!ended && grow(a)) {
        a->items[a->count++] = *alert;
        return;
    } else {
        a->failed = a->failed || !ended;
        alert_free(alert);
        return;
    }
    if (ended) {
        alert_free(&a->items[at]);
        a->items[at] = a->items[--a->count];
    }
}

bool alerts_record(struct alerts *a, const struct aff_schema *schema, const struct aff_record *r)
{
    struct alert alert;

    if (!schema || !schema->name || strcmp(schema->name, "alerts") != 0 || schema->type != AFF_FIELDS)
        return true;
    if (!payload_fits(r, schema) || r->type != AFF_FIELDS)
        return false;
    a->begun = true;
    if (alert_read(&alert, schema, r)) {
        put(a, &alert);
    } else {
        a->failed = true;
        alert_free(&alert);
    }
    return true;
}

void alerts_close(struct alerts *a)
{
    for (size_t i = 0; i < a->count; i++)
        alert_free(&a->items[i]);
    free(a->items);
    *a = (struct alerts){ .count = 0 };
}

/* ---- printing ---- */

void alerts_print(const struct alerts *a, FILE *out)
{
    static const char *const heads[] = { "alert", "severity", "state", "rule", "place", "since", "told", "times", "text" };
    char when[WHEN_ROOM];
    struct table t;

    if (a->count == 0) {
        fputs("no alerts are in force\n", out);
        return;
    }
    if (!table_open(&t, sizeof heads / sizeof *heads))
        return;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        table_cell(&t, "%s", heads[i]);
    for (size_t i = 0; i < a->count; i++) {
        const struct alert *x = &a->items[i];

        for (int k = ALERT_ID; k <= ALERT_PLACE; k++)
            table_cell(&t, "%s", x->texts[k]);
        when_print(when, x->since_ns);
        table_cell(&t, "%s", when);
        when_print(when, x->told_ns);
        table_cell(&t, "%s", when);
        table_number(&t, (uint64_t)x->count);
        table_cell(&t, "%s", x->texts[ALERT_TEXT]);
    }
    table_print(&t, out);
    table_close(&t);
}

void alerts_json(const struct alerts *a, FILE *out)
{
    char when[WHEN_ROOM];
    struct json json;

    json_begin(&json, out, true);
    json_array(&json, NULL);
    for (size_t i = 0; i < a->count; i++) {
        json_object(&json, NULL);
        for (int k = 0; k < ALERT_TEXTS; k++)
            json_text(&json, names[k], a->items[i].texts[k]);
        when_print(when, a->items[i].since_ns);
        json_text(&json, "since", when);
        when_print(when, a->items[i].told_ns);
        json_text(&json, "told", when);
        json_int(&json, "count", a->items[i].count);
        json_end(&json);
    }
    json_end(&json);
    json_finish(&json);
}
