/* values.c - see values.h. */
#include "values.h"

#include <math.h>
#include <string.h>

/* A value that is older than this when it is told has its age beside it: a text
 * must not show what was for what is. */
#define FRESH_NS UINT64_C(120000000000)

uint64_t text_hash(const char *text)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

bool rule_takes(enum rule_kind kind, uint8_t type)
{
    if (kind == RULE_ABSENT)
        return true;
    if (kind == RULE_EQUALS)
        return type == AFF_TEXT;
    return type == AFF_REAL || type == AFF_INT || type == AFF_BOOL;
}

const char *type_name(uint8_t type)
{
    static const char *const names[] = { "of no type", "a number", "an integer", "true or false", "a time", "text" };

    return names[type <= AFF_TEXT ? type : 0];
}

const char *kind_needs(enum rule_kind kind)
{
    return kind == RULE_EQUALS ? "text" : "a number";
}

static void column_find(struct lookup *l, uint32_t to, const char *name, const struct aff_schema *s)
{
    uint32_t i;

    l->index[to] = -1;
    l->type[to] = 0;
    l->label[to] = AFF_LABEL_NONE;
    for (i = 0; i < s->count; i++) {
        const struct aff_column *c = (const void *)((const char *)s->columns + (size_t)i * s->stride);

        if (!c->name || strcmp(c->name, name) != 0)
            continue;
        l->index[to] = (int32_t)i;
        l->type[to] = c->type;
        l->label[to] = c->label;
        return;
    }
}

int32_t lookup_open(struct lookup *l, const struct plan *p, uint32_t schema, const struct aff_schema *info)
{
    uint32_t i;

    l->schema = 0;
    l->count = info->count;
    for (i = 0; i < p->column_count; i++)
        column_find(l, i, p->columns[i].name, info);
    for (i = 0; i < p->rule_count; i++) {
        int32_t column = p->rules[i].column;

        if (column >= 0 && l->index[column] >= 0 && !rule_takes(p->rules[i].kind, l->type[column]))
            return (int32_t)i;
    }
    l->schema = schema;
    return -1;
}

static bool equals_any(const struct rule_config *r, const char *text, uint32_t length)
{
    const char *const *texts = r->equals.items;
    uint32_t i;

    for (i = 0; i < r->equals.count; i++)
        if (strlen(texts[i]) == length && memcmp(texts[i], text, length) == 0)
            return true;
    return false;
}

bool row_given(const struct plan *p, const struct lookup *l, const struct aff_record *r, uint32_t rule,
               struct given *ret)
{
    int32_t column = p->rules[rule].column;
    uint32_t index, length;
    const char *text;

    *ret = (struct given){ r->event_ns, r->id, 0.0, false, false };
    if (column < 0)
        return true; /* the row itself is what must not be absent */
    if (l->index[column] < 0 || !aff_row_has(r, (uint32_t)l->index[column]))
        return false;
    index = (uint32_t)l->index[column];
    if (l->type[column] == AFF_TEXT) {
        text = aff_row_text(r, l->count, index, &length);
        ret->equal = text && equals_any(p->rules[rule].config, text, length);
        return text != NULL;
    }
    ret->is_whole = l->type[column] != AFF_REAL;
    ret->number = ret->is_whole ? (double)aff_row_int(r, l->count, index) : aff_row_real(r, l->count, index);
    return !isnan(ret->number);
}

/* As much of a text as fits, cut between characters. */
static void text_keep(struct value *v, const char *text, uint32_t length)
{
    uint32_t n = length < VALUE_MOST ? length : VALUE_MOST;

    v->was_cut = n < length;
    while (v->was_cut && n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    memcpy(v->is.text, text, n);
    v->length = (uint8_t)n;
}

static void value_keep(struct value *v, const struct lookup *l, uint32_t column, const struct aff_record *r)
{
    uint32_t index = (uint32_t)l->index[column], length = 0;
    const char *text = NULL;

    if (v->type && r->event_ns < v->at_ns)
        return;
    if (l->type[column] == AFF_REAL && isnan(aff_row_real(r, l->count, index)))
        return;
    if (l->type[column] == AFF_TEXT && !(text = aff_row_text(r, l->count, index, &length)))
        return;
    v->at_ns = r->event_ns;
    v->type = l->type[column];
    v->label = l->label[column];
    if (text)
        text_keep(v, text, length);
    else if (v->type == AFF_REAL)
        v->is.real = aff_row_real(r, l->count, index);
    else
        v->is.integer = aff_row_int(r, l->count, index);
}

void row_keep(const struct plan *p, const struct lookup *l, const struct aff_record *r, const struct view *v)
{
    uint32_t i;

    for (i = 0; i < p->column_count; i++)
        if (p->columns[i].value >= 0 && l->index[i] >= 0 && aff_row_has(r, (uint32_t)l->index[i]))
            value_keep(&v->values[p->columns[i].value], l, i, r);
}

static void age_tell(uint64_t age_ns, struct line *line)
{
    int64_t minutes = (int64_t)(age_ns / UINT64_C(60000000000));

    line_say(line, " (");
    line_integer(line, minutes < 120 ? minutes : minutes / 60);
    line_say(line, minutes < 120 ? " min ago)" : " h ago)");
}

uint8_t value_tell(const struct plan *p, const struct view *v, const struct piece *piece, int64_t now_ns,
                   struct line *line)
{
    int32_t column = plan_column(p, piece->at, piece->length);
    const struct value *value;

    if (column < 0 || p->columns[column].value < 0 || !v->values[p->columns[column].value].type) {
        line_say(line, "?");
        return AFF_LABEL_NONE;
    }
    value = &v->values[p->columns[column].value];
    switch (value->type) {
    case AFF_REAL: line_number(line, value->is.real); break;
    case AFF_INT:  line_integer(line, value->is.integer); break;
    case AFF_BOOL: line_say(line, value->is.integer ? "yes" : "no"); break;
    case AFF_TIME: line_time(line, value->is.integer); break;
    default:
        line_add(line, value->is.text, value->length);
        line_say(line, value->was_cut ? "..." : "");
        break;
    }
    if (now_ns > value->at_ns && (uint64_t)now_ns - (uint64_t)value->at_ns >= FRESH_NS)
        age_tell((uint64_t)now_ns - (uint64_t)value->at_ns, line);
    return value->label;
}
