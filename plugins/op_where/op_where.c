/* SPDX-License-Identifier: Apache-2.0
 *
 * op_where.c - selects, routes and derives by expressions over fields.
 *
 * Rows for which `where` is true pass; they are made anew only where columns are
 * derived, kept or dropped. The expressions are parsed once, and bound once per
 * schema that turns up, in a bounded table. The node keeps no state: a replay
 * gives the same.
 *
 * Not here: expressions (expr.h), what they mean for a schema (plan.h), what is
 * said at `check` (shape.c). */
#include <afferent/plugin.h>

#include <stdio.h>
#include <string.h>

#include "shape.h"

enum {
    SCHEMAS = 16,    /* bound at a time; by the schema's number modulo this */
    WARNINGS_MAX = 8 /* about schemas that do not fit, a run */
};

static const char *const otherwise_names[] = { "drop", "rest", NULL };

static const struct aff_option derive_options[] = {
    AFF_OPT_TEXT(struct derive_config, name, AFF_OPT_REQUIRED, NULL, "Name of the column; one of the input is replaced."),
    AFF_OPT_TEXT(struct derive_config, value, AFF_OPT_REQUIRED, NULL,
                 "Expression for its value; columns that are derived before it may be used."),
    AFF_OPT_TEXT(struct derive_config, unit, 0, NULL, "Unit of the value, in UCUM; no conversion is made."),
    AFF_OPT_TEXT(struct derive_config, code, 0, NULL, "LOINC code of the value."),
};

static const struct aff_option name_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "Name of a column."),
};

static const struct aff_option options[] = {
    AFF_OPT_TEXT(struct config, where, 0, NULL,
                 "Condition that a row must meet, such as \"spo2 < 92 and not is_missing(heart_rate)\"; columns that are "
                 "derived here may be used."),
    AFF_OPT_ENUM(struct config, otherwise, 0, "\"drop\"", otherwise_names,
                 "What becomes of other rows: let go, or sent to the output rest as they came."),
    { "derive", "Columns to add, in this order.", NULL, NULL, AFF_TYPE_LIST, 0, offsetof(struct config, derive), 0,
      DERIVE_MAX, NULL, derive_options, sizeof derive_options / sizeof *derive_options, sizeof(struct derive_config) },
    AFF_OPT_LIST(struct config, keep, 0, name_item, sizeof(const char *),
                 "Columns of the input that stay, in this order; those derived follow. All if not given."),
    AFF_OPT_LIST(struct config, drop, 0, name_item, sizeof(const char *),
                 "Columns that go; a derived one may then serve the condition only."),
};

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "Rows.", .types = AFF_MASK(AFF_FIELDS) },
};

static const struct aff_port outputs[] = {
    [OUTPUT_OUT] = { .name = "out",
                     .doc = "Rows that meet the condition, with the columns asked for.",
                     .types = AFF_MASK(AFF_FIELDS),
                     .passes = AFF_PASSES(0),
                     .priority = AFF_PRIO_VITALS },
    [OUTPUT_REST] = { .name = "rest",
                      .doc = "The other rows as they came, with otherwise = \"rest\".",
                      .types = AFF_MASK(AFF_FIELDS),
                      .priority = AFF_PRIO_VITALS },
};

enum { PASS, NOT_SELECTED, UNDECIDED, REST, REST_UNDECIDED, REWRITTEN, MISFIT, BROKEN_ROW };
static const struct aff_verdict verdicts[] = {
    { "not_selected", "The condition is false.", AFF_V_DROP, 0, 0 },
    { "undecided", "The condition is missing, since a value that it needs is.", AFF_V_DROP, 0, 0 },
    { "rest", "The condition is false; the row goes to rest.", AFF_V_PORT, OUTPUT_REST, 0 },
    { "rest_undecided", "The condition is missing; the row goes to rest.", AFF_V_PORT, OUTPUT_REST, 0 },
    { "rewritten", "A row with other columns stands for it.", AFF_V_REPLACE, 0, 0 },
    { "misfit", "The row lacks a column that the options name, or it has another type.", AFF_V_DEAD, 0, 0 },
    { "broken_row", "The row is shorter than its columns need, or a text lies outside of it.", AFF_V_DEAD, 0, 0 },
};

struct slot {
    uint32_t schema;     /* of the input; 0: free */
    uint32_t out_schema; /* where rows are made anew; 0: not known yet */
    bool fits;
    struct plan *plan;
};

struct where {
    const struct aff_host *host;
    const struct config *config;
    struct rules *rules;
    struct expr_value *stack, *derived;
    struct aff_column *columns; /* where rows are made anew */
    uint32_t warnings;
    struct slot slots[SCHEMAS];
};

static void where_close(void *self)
{
    struct where *w = self;
    uint32_t i;

    for (i = 0; i < SCHEMAS; i++)
        w->host->free(w->host, w->slots[i].plan);
    w->host->free(w->host, w->columns);
    w->host->free(w->host, w->derived);
    w->host->free(w->host, w->stack);
    w->host->free(w->host, w->rules);
    w->host->free(w->host, w);
}

static bool where_fill(struct where *w)
{
    const struct aff_host *host = w->host;
    uint32_t i;

    w->rules = rules_new(host, w->config);
    if (!w->rules)
        return false;
    w->stack = host->alloc(host, w->rules->stack * sizeof *w->stack);
    w->derived = host->alloc(host, (w->rules->derived + 1) * sizeof *w->derived);
    if (!w->stack || !w->derived)
        return false;
    if (config_rewrites(w->config) && !(w->columns = host->alloc(host, EXPR_COLUMNS_MAX * sizeof *w->columns)))
        return false;
    for (i = 0; i < SCHEMAS; i++)
        if (!(w->slots[i].plan = plan_new(host, w->rules)))
            return false;
    return true;
}

static aff_status where_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct where *w = host->alloc(host, sizeof *w);

    if (!w)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the expressions");
    w->host = host;
    w->config = config;
    if (!where_fill(w)) {
        where_close(w);
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the expressions");
    }
    *ret_self = w;
    return AFF_OK;
}

/* ---- schemas ---- */

static void misfit_say(struct where *w, const struct expr_fault *f)
{
    char place[32] = "";

    if (w->warnings++ >= WARNINGS_MAX)
        return;
    if (f->at)
        (void)snprintf(place, sizeof place, "character %u: ", (unsigned)f->at);
    w->host->log(w->host, AFF_LOG_WARN, "rows with other columns than the options expect become dead letters: %s: %s%s",
                 f->option, place, f->text);
}

/* Binds the rules to a schema in the place of whatever was there. */
static aff_status slot_bind(struct where *w, struct slot *slot, const struct aff_schema *schema, uint32_t id)
{
    struct expr_scope scope = { .schema = schema };
    struct expr_fault fault = { .at = 0 };
    struct aff_schema out;

    slot->schema = 0;
    slot->out_schema = 0;
    slot->fits = plan_bind(slot->plan, &scope, &fault) == 0;
    if (!slot->fits)
        misfit_say(w, &fault);
    if (slot->fits && config_rewrites(w->config)) {
        out = plan_schema(slot->plan, schema, w->columns);
        slot->out_schema = w->host->schema(w->host, &out);
        if (!slot->out_schema)
            return AFF_ERR_MEMORY;
    }
    slot->schema = id;
    return AFF_OK;
}

static aff_status slot_find(struct where *w, uint32_t id, struct slot **ret_slot)
{
    struct slot *slot = &w->slots[id % SCHEMAS];
    const struct aff_schema *schema;

    *ret_slot = slot;
    if (slot->schema == id)
        return AFF_OK;
    schema = w->host->schema_info(w->host, id);
    if (!schema || schema->type != AFF_FIELDS)
        return w->host->explain(w->host, AFF_ERR_DATA, "a record is no row with a schema; repair its source");
    return slot_bind(w, slot, schema, id);
}

/* ---- rows ---- */

/* What goes out in one column; false for a text outside of the row. */
static bool source_value(const struct where *w, const struct plan *plan, const struct expr_row *row, uint32_t column,
                         const struct aff_schema *out, struct expr_value *ret)
{
    uint32_t from = plan->from[column];
    uint8_t type = scope_column(out, column)->type;

    if (from & FROM_DERIVED) {
        *ret = w->derived[from & ~FROM_DERIVED];
        return true;
    }
    if (type == AFF_TEXT || type == AFF_BOOL)
        return cell_load(row, from, type, ret);
    memset(ret, 0, sizeof *ret);
    ret->has = aff_row_has(row->record, from);
    ret->of.integer = aff_row_int(row->record, row->columns, from); /* bit by bit, whatever it is */
    return true;
}

static void value_put(struct aff_row *to, uint32_t column, uint8_t type, const struct expr_value *v)
{
    uint32_t i;
    char *text;

    if (!v->has)
        return;
    if (type != AFF_TEXT) {
        aff_row_put_int(to, column, v->of.integer);
        return;
    }
    aff_row_put_text(to, column, v->of.text, v->length);
    text = (char *)to->cells + to->used - v->length;
    for (i = 0; v->folded && i < v->length; i++)
        text[i] = folded_at(v, i);
}

/* Bytes of all texts that go out; -1 for a broken row. */
static int64_t texts_size(const struct where *w, const struct plan *plan, const struct expr_row *row,
                          const struct aff_schema *out)
{
    struct expr_value v;
    int64_t size = 0;
    uint32_t i;

    for (i = 0; i < out->count; i++) {
        if (scope_column(out, i)->type != AFF_TEXT)
            continue;
        if (!source_value(w, plan, row, i, out, &v))
            return -1;
        size += v.has ? v.length : 0;
    }
    return size;
}

static aff_status row_make(struct where *w, const struct slot *slot, const struct expr_row *row, uint32_t input,
                           uint8_t *ret_verdict)
{
    const struct aff_host *host = w->host;
    const struct aff_schema *out = host->schema_info(host, slot->out_schema);
    int64_t texts = texts_size(w, slot->plan, row, out);
    struct aff_record *draft;
    struct expr_value v;
    struct aff_row to;
    uint32_t i;

    if (texts < 0) {
        *ret_verdict = BROKEN_ROW;
        return AFF_OK;
    }
    if (texts > INT32_MAX)
        return host->explain(host, AFF_ERR_DATA, "the texts of a row refer to more than 2 GiB; repair its source");
    draft = host->reserve(host, OUTPUT_OUT, input, aff_row_size(out->count, (uint32_t)texts));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->schema = slot->out_schema;
    to = aff_row_begin(draft, out->count);
    for (i = 0; i < out->count; i++)
        if (source_value(w, slot->plan, row, i, out, &v))
            value_put(&to, i, scope_column(out, i)->type, &v);
    *ret_verdict = REWRITTEN;
    return host->emit(host, draft, aff_row_end(&to));
}

/* Works out what is derived, then the condition. False: the row is broken. */
static bool row_judge(struct where *w, const struct plan *plan, struct expr_row *row, uint8_t *ret_verdict)
{
    bool to_rest = w->config->otherwise == OTHERWISE_REST;
    uint32_t i;

    *ret_verdict = PASS;
    row->derived = w->derived;
    for (i = 0; i < w->rules->count; i++) {
        if (!expr_run(&plan->programs[i], row, w->stack))
            return false;
        if (i < w->rules->derived)
            w->derived[i] = w->stack[0];
        else if (!w->stack[0].has)
            *ret_verdict = to_rest ? REST_UNDECIDED : UNDECIDED;
        else if (!w->stack[0].of.integer)
            *ret_verdict = to_rest ? REST : NOT_SELECTED;
    }
    return true;
}

static aff_status record_process(struct where *w, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    uint8_t *verdict = &batch->verdicts[input];
    struct expr_row row = { .record = r };
    struct slot *slot;
    aff_status st = slot_find(w, r->schema, &slot);

    if (st < 0)
        return st;
    if (!slot->fits) {
        *verdict = MISFIT;
        return AFF_OK;
    }
    row.columns = slot->plan->columns_in;
    if (r->size < aff_row_size(row.columns, 0) || !row_judge(w, slot->plan, &row, verdict)) {
        *verdict = BROKEN_ROW;
        return AFF_OK;
    }
    if (*verdict != PASS || !slot->out_schema)
        return AFF_OK;
    return row_make(w, slot, &row, input, verdict);
}

static aff_status where_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_where", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_where",
    .version = "1.0.0",
    .summary = "Selects, routes and derives rows by expressions over their columns.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .validate = where_validate,
    .open = where_open,
    .close = where_close,
    .process = where_process,
    .shape = where_shape,
};
