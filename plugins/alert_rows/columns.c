/* SPDX-License-Identifier: Apache-2.0
 *
 * columns.c - the words, columns and row of an alert; columns of rows by their names.
 *
 * Not here: when there is one. */
#include "columns.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ID_DIGITS = 16, WORDS_MOST = 16 + 16 };

const char *const severity_names[SEVERITIES + 1] = { "high", "medium", "low", "technical", NULL };
const char *const state_names[STATES] = { "raised", "repeated", "ended", "acknowledged" };

const struct aff_column alert_columns[OUT_COLUMNS] = {
    [OUT_SEVERITY] = { .name = "severity", .type = AFF_TEXT, .required = 1 },
    [OUT_STATE] = { .name = "state", .type = AFF_TEXT, .required = 1 },
    [OUT_RULE] = { .name = "rule", .type = AFF_TEXT, .required = 1 },
    [OUT_PLACE] = { .name = "place", .type = AFF_TEXT, .required = 1 },
    [OUT_TEXT] = { .name = "text", .type = AFF_TEXT, .required = 1 },
    [OUT_ALERT] = { .name = "alert", .type = AFF_TEXT, .required = 1 },
    [OUT_SINCE] = { .name = "since", .type = AFF_TIME, .required = 1 },
    [OUT_COUNT] = { .name = "count", .type = AFF_INT, .required = 1 },
};

const struct aff_schema alert_schema = {
    .struct_size = sizeof(struct aff_schema),
    .type = AFF_FIELDS,
    .name = "alerts",
    .columns = alert_columns,
    .count = OUT_COLUMNS,
    .stride = sizeof(struct aff_column),
};

struct part column_text(const struct aff_schema *s, const struct aff_record *r, const char *name)
{
    struct part part = { NULL, 0 };
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const void *)((const char *)s->columns + (size_t)i * s->stride);

        if (c->name && c->type == AFF_TEXT && strcmp(c->name, name) == 0 && aff_row_has(r, i)) {
            part.at = aff_row_text(r, s->count, i, &part.length);
            break;
        }
    }
    return part;
}

bool column_number(const struct aff_schema *s, const struct aff_record *r, const char *name, uint8_t type, int64_t *ret)
{
    uint32_t i;

    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const void *)((const char *)s->columns + (size_t)i * s->stride);

        if (c->name && c->type == type && strcmp(c->name, name) == 0 && aff_row_has(r, i)) {
            *ret = aff_row_int(r, s->count, i);
            return true;
        }
    }
    return false;
}

bool part_is(const struct part *p, const char *word)
{
    return p->at && strlen(word) == p->length && memcmp(word, p->at, p->length) == 0;
}

uint32_t alert_row_room(const struct alert_row *a)
{
    size_t texts = WORDS_MOST + strlen(a->rule) + strlen(a->place) + a->text_length + ID_DIGITS;

    return aff_row_size(OUT_COLUMNS, (uint32_t)texts);
}

uint32_t alert_row_write(struct aff_record *draft, const struct alert_row *a)
{
    const char *severity = severity_names[a->severity], *state = state_names[a->state];
    struct aff_row row = aff_row_begin(draft, OUT_COLUMNS);
    char alert[ID_DIGITS + 1];

    (void)snprintf(alert, sizeof alert, "%016" PRIx64, a->alert);
    aff_row_put_text(&row, OUT_SEVERITY, severity, (uint32_t)strlen(severity));
    aff_row_put_text(&row, OUT_STATE, state, (uint32_t)strlen(state));
    aff_row_put_text(&row, OUT_RULE, a->rule, (uint32_t)strlen(a->rule));
    aff_row_put_text(&row, OUT_PLACE, a->place, (uint32_t)strlen(a->place));
    aff_row_put_text(&row, OUT_TEXT, a->text, a->text_length);
    aff_row_put_text(&row, OUT_ALERT, alert, ID_DIGITS);
    aff_row_put_int(&row, OUT_SINCE, a->since_ns);
    aff_row_put_int(&row, OUT_COUNT, a->count);
    return aff_row_end(&row);
}
