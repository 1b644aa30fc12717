/* SPDX-License-Identifier: Apache-2.0
 *
 * op_score.c - scores rows by a model from a file: the plugin.
 *
 * Each row makes one row on a stream of its own, "vitals/score" for "vitals",
 * with the same time. It says which model it comes from (name, version, hash of
 * its file), which features were missing and which lay out of the range of the
 * training. State is one bit per stream: whether results were begun.
 *
 * Not here: the file (model.h), the arithmetic (score.h), columns (match.h). */
#include <afferent/plugin.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "shape.h"

enum {
    SCHEMAS = 8,       /* matched at a time; by the schema's number modulo this */
    WARNINGS_MAX = 8,  /* about schemas that do not fit, a run */
    STREAM_NAME = 1024 /* bytes; a longer one is cut */
};

static const char *const on_missing_names[] = { "empty", "mean", "skip", "dead", NULL };

static const struct aff_option feature_item[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, offsetof(struct feature_config, column), "Column that the feature is."),
};

static const struct aff_option options[] = {
    AFF_OPT_PATH(struct config, model, AFF_OPT_REQUIRED, NULL,
                 "JSON file of the model; its hash goes with each result."),
    AFF_OPT_MAP(struct config, features, 0, feature_item, sizeof(struct feature_config),
                "Columns of features whose names differ: { model_name = \"column\" }."),
    AFF_OPT_ENUM(struct config, on_missing, 0, "\"empty\"", on_missing_names,
                 "What becomes of a row that lacks a feature: a result without a score that says what is missing; a "
                 "score "
                 "with the mean of the training in its place; nothing; a dead letter."),
    AFF_OPT_BOOL(struct config, keep_input, "false",
                 "Whether the columns of the input stand before those of the result."),
    AFF_OPT_TEXT(struct config, name, 0, "\"score\"",
                 "What results are called: stream \"vitals/score\" for \"vitals\"."),
    AFF_OPT_TEXT(struct config, prefix, 0, "\"\"", "Put before the name of each column of the result."),
};

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "Rows with a column for each feature of the model.", .types = AFF_MASK(AFF_FIELDS) },
};

static const struct aff_port outputs[] = {
    { .name = "out",
      .doc = "A row for each: score, for logistic models its probability, what was missing or out of range, the "
             "model.",
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_VITALS },
};

enum { USED, SKIPPED, FEATURE_MISSING, MISFIT, BROKEN_ROW, OVERFLOW };
static const struct aff_verdict verdicts[] = {
    { "skipped", "A feature is missing, with on_missing = \"skip\".", AFF_V_DROP, 0, 0 },
    { "feature_missing", "A feature is missing, with on_missing = \"dead\".", AFF_V_DEAD, 0, 0 },
    { "misfit", "The row has no column for a feature, or one of another type or unit.", AFF_V_DEAD, 0, 0 },
    { "broken_row", "The row is shorter than its columns need, or a text lies outside of it.", AFF_V_DEAD, 0, 0 },
    { "overflow", "The features are so large that the model has no finite result.", AFF_V_DEAD, 0, 0 },
};

enum { METRIC_SCORED, METRIC_MISSING, METRIC_OUT_OF_RANGE };
static const struct aff_metric metrics[] = {
    { "scored", "Rows that got a score.", NULL, AFF_METRIC_COUNTER, 0 },
    { "missing", "Features that were missing, over all results.", NULL, AFF_METRIC_COUNTER, 0 },
    { "out_of_range", "Features outside of the range of the training, over all results.", NULL, AFF_METRIC_COUNTER,
      0 },
};

struct slot {
    uint32_t schema; /* of the input; 0: free */
    uint32_t out_schema;
    bool fits;
    uint16_t *columns; /* of each feature */
};

struct state { /* of a stream */
    uint32_t is_begun;
    uint32_t reserved;
};

/* What is said of one row beside its score. */
struct remark {
    char *text;
    uint32_t length, count;
};

struct scorer {
    const struct aff_host *host;
    const struct config *config;
    struct model *model;
    const struct score_backend *backend;
    struct result_names names;
    double *values;
    struct remark missing, out_of_range;
    struct aff_column *columns;
    uint16_t *matched; /* of all slots */
    uint32_t warnings;
    struct slot slots[SCHEMAS];
};

static void score_close(void *self)
{
    struct scorer *s = self;

    s->host->free(s->host, s->matched);
    s->host->free(s->host, s->columns);
    s->host->free(s->host, s->out_of_range.text);
    s->host->free(s->host, s->missing.text);
    s->host->free(s->host, s->values);
    model_give(s->host, s->model);
    s->host->free(s->host, s);
}

static void open_say(const struct teller *teller, const char *option, const char *text)
{
    const struct aff_host *host = teller->context;

    (void)host->explain(host, AFF_ERR_CONFIG, "%s: %s", option, text);
}

static aff_status score_fill(struct scorer *s)
{
    const struct aff_host *host = s->host;
    struct teller teller = { open_say, host, true };
    struct model_fault fault = { "" };
    aff_status st = model_load(host, s->config->model, &s->model, &fault);
    uint32_t i, names;

    if (st < 0)
        return host->explain(host, st, "%s", fault.text);
    if (map_check(s->config, s->model, &teller) < 0)
        return AFF_ERR_CONFIG;
    s->backend = score_backend(s->model);
    names_fill(&s->names, s->config->prefix);
    names = s->model->name_bytes + 2 * s->model->count;
    s->values = host->alloc(host, s->model->count * sizeof *s->values);
    s->missing.text = host->alloc(host, names);
    s->out_of_range.text = host->alloc(host, names);
    s->columns = host->alloc(host, (COLUMNS_MAX + OUTS) * sizeof *s->columns);
    s->matched = host->alloc(host, (size_t)SCHEMAS * s->model->count * sizeof *s->matched);
    if (!s->values || !s->missing.text || !s->out_of_range.text || !s->columns || !s->matched)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the model");
    for (i = 0; i < SCHEMAS; i++)
        s->slots[i].columns = s->matched + i * s->model->count;
    return host->state_open(host, sizeof(struct state), 0);
}

static aff_status score_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct scorer *s = host->alloc(host, sizeof *s);
    aff_status st;

    if (!s)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the model");
    s->host = host;
    s->config = config;
    st = score_fill(s);
    if (st < 0) {
        score_close(s);
        return st;
    }
    *ret_self = s;
    return AFF_OK;
}

/* ---- schemas ---- */

static void misfit_say(const struct teller *teller, const char *option, const char *text)
{
    struct scorer *s = (struct scorer *)(uintptr_t)teller->context;

    if (s->warnings++ < WARNINGS_MAX)
        s->host->log(s->host, AFF_LOG_WARN, "rows whose columns do not fit the model become dead letters: %s%s%s",
                     option ? option : "", option ? ": " : "", text);
}

static bool slot_match(struct scorer *s, struct slot *slot, const struct aff_schema *schema, struct aff_schema *ret)
{
    struct outline o = { s->config, s->model, &s->names, s->columns, 0 };
    struct teller teller = { misfit_say, s, false };

    if (match_columns(s->config, s->model, schema, slot->columns, &teller) < 0)
        return false;
    o.label = match_label(s->model, schema, slot->columns);
    return outline_schema(&o, schema, ret, &teller) == 0;
}

static aff_status slot_find(struct scorer *s, uint32_t id, struct slot **ret_slot,
                            const struct aff_schema **ret_schema)
{
    struct slot *slot = &s->slots[id % SCHEMAS];
    const struct aff_schema *schema = s->host->schema_info(s->host, id);
    struct aff_schema out;

    *ret_slot = slot;
    *ret_schema = schema;
    if (!schema || schema->type != AFF_FIELDS)
        return s->host->explain(s->host, AFF_ERR_DATA, "a record is no row with a schema; repair its source");
    if (slot->schema == id)
        return AFF_OK;
    slot->schema = 0;
    slot->fits = slot_match(s, slot, schema, &out);
    slot->out_schema = slot->fits ? s->host->schema(s->host, &out) : 0;
    if (slot->fits && !slot->out_schema)
        return AFF_ERR_MEMORY;
    slot->schema = id;
    return AFF_OK;
}

/* ---- features ---- */

static void remark_add(struct remark *to, const char *name)
{
    size_t length = strlen(name);

    if (to->count++ > 0) {
        memcpy(to->text + to->length, ", ", 2);
        to->length += 2;
    }
    memcpy(to->text + to->length, name, length);
    to->length += (uint32_t)length;
}

/* A cell as a number; NaN where it is missing or not finite. */
static double cell_value(const struct aff_record *r, const struct aff_schema *schema, uint32_t column)
{
    uint8_t type = schema_column(schema, column)->type;
    double value;

    if (!aff_row_has(r, column))
        return (double)NAN;
    if (type == AFF_BOOL)
        return aff_row_int(r, schema->count, column) != 0;
    if (type == AFF_INT)
        return (double)aff_row_int(r, schema->count, column);
    value = aff_row_real(r, schema->count, column);
    return isfinite(value) ? value : (double)NAN;
}

static void values_read(struct scorer *s, const struct slot *slot, const struct aff_record *r,
                        const struct aff_schema *schema)
{
    uint32_t i;

    s->missing.length = s->missing.count = 0;
    s->out_of_range.length = s->out_of_range.count = 0;
    for (i = 0; i < s->model->count; i++) {
        const struct feature *f = &s->model->features[i];
        double value = cell_value(r, schema, slot->columns[i]);

        if (isnan(value)) {
            remark_add(&s->missing, f->name);
            value = f->mean;
        } else if (value < f->min || value > f->max) {
            remark_add(&s->out_of_range, f->name);
        }
        s->values[i] = value;
    }
}

/* ---- rows ---- */

/* "vitals" has its results in "vitals/score". 0: the bound of streams is reached. */
static uint32_t stream_of_results(const struct scorer *s, uint32_t input, uint32_t schema)
{
    const struct aff_stream_info *info = s->host->stream_info(s->host, input);
    char name[STREAM_NAME];

    if (!info)
        return 0;
    (void)snprintf(name, sizeof name, "%s/%s", info->name, s->config->name);
    return s->host->stream(s->host, info->subject, name, schema);
}

/* Bytes of the input's texts that are kept; -1 for a broken row. */
static int64_t kept_texts(const struct scorer *s, const struct aff_record *r, const struct aff_schema *schema)
{
    int64_t size = 0;
    uint32_t i, length;

    for (i = 0; s->config->keep_input && i < schema->count; i++) {
        if (schema_column(schema, i)->type != AFF_TEXT || !aff_row_has(r, i))
            continue;
        if (!aff_row_text(r, schema->count, i, &length))
            return -1;
        size += length;
    }
    return size;
}

static void kept_put(struct aff_row *to, const struct aff_record *r, const struct aff_schema *schema)
{
    const char *text;
    uint32_t i, length;
    int64_t cell;

    for (i = 0; i < schema->count; i++) {
        uint8_t type = schema_column(schema, i)->type;

        if (!aff_row_has(r, i))
            continue;
        cell = aff_row_int(r, schema->count, i); /* bit by bit, whatever it is */
        text = type == AFF_TEXT ? aff_row_text(r, schema->count, i, &length) : NULL;
        if (text)
            aff_row_put_text(to, i, text, length);
        else
            aff_row_put_int(to, i, type == AFF_BOOL ? cell != 0 : cell);
    }
}

static void remark_put(struct aff_row *to, uint32_t count_at, uint32_t names_at, const struct remark *remark)
{
    aff_row_put_int(to, count_at, remark->count);
    if (remark->count)
        aff_row_put_text(to, names_at, remark->text, remark->length);
}

static void results_put(const struct scorer *s, struct aff_row *to, uint32_t kept, const struct score *score)
{
    const struct score_backend *b = s->backend;
    const struct model *m = s->model;

    if (score)
        aff_row_put_real(to, result_place(b, kept, OUT_SCORE), score->score);
    if (score && b->gives_probability)
        aff_row_put_real(to, result_place(b, kept, OUT_PROBABILITY), score->probability);
    remark_put(to, result_place(b, kept, OUT_MISSING), result_place(b, kept, OUT_MISSING_NAMES), &s->missing);
    remark_put(to, result_place(b, kept, OUT_OF_RANGE), result_place(b, kept, OUT_OF_RANGE_NAMES), &s->out_of_range);
    aff_row_put_text(to, result_place(b, kept, OUT_MODEL), m->name, (uint32_t)strlen(m->name));
    aff_row_put_text(to, result_place(b, kept, OUT_VERSION), m->version, (uint32_t)strlen(m->version));
    aff_row_put_text(to, result_place(b, kept, OUT_HASH), m->hash, MODEL_HASH);
}

struct job {
    const struct aff_record *record;
    const struct aff_schema *schema;
    const struct slot *slot;
    uint32_t input;
    int64_t texts; /* bytes of those that are kept */
};

/* `score` NULL: a result without one. */
static aff_status result_emit(struct scorer *s, const struct job *j, const struct score *score)
{
    const struct aff_host *host = s->host;
    uint32_t kept = s->config->keep_input ? j->schema->count : 0,
             count = result_place(s->backend, kept, OUT_HASH) + 1;
    uint32_t texts = (uint32_t)(strlen(s->model->name) + strlen(s->model->version)) + MODEL_HASH + s->missing.length +
                     s->out_of_range.length + (uint32_t)j->texts;
    struct aff_record *draft = host->reserve(host, 0, j->input, aff_row_size(count, texts));
    struct aff_row to;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->stream = stream_of_results(s, j->record->stream, j->slot->out_schema);
    if (!draft->stream)
        return AFF_ERR_MEMORY;
    draft->schema = j->slot->out_schema;
    to = aff_row_begin(draft, count);
    if (kept)
        kept_put(&to, j->record, j->schema);
    results_put(s, &to, kept, score);
    return host->emit(host, draft, aff_row_end(&to));
}

static void results_count(struct scorer *s, const struct score *score)
{
    if (score)
        s->host->count(s->host, METRIC_SCORED, 1);
    if (s->missing.count)
        s->host->count(s->host, METRIC_MISSING, s->missing.count);
    if (s->out_of_range.count)
        s->host->count(s->host, METRIC_OUT_OF_RANGE, s->out_of_range.count);
}

static aff_status row_score(struct scorer *s, const struct job *j, uint8_t *verdict)
{
    int32_t on_missing = s->config->on_missing;
    struct score score;
    bool has_score;
    aff_status st;

    values_read(s, j->slot, j->record, j->schema);
    has_score = !s->missing.count || on_missing == ON_MISSING_MEAN;
    if (!has_score && on_missing != ON_MISSING_EMPTY) {
        *verdict = on_missing == ON_MISSING_SKIP ? SKIPPED : FEATURE_MISSING;
        return AFF_OK;
    }
    if (has_score && !s->backend->run(s->model, s->values, &score)) {
        *verdict = OVERFLOW;
        return AFF_OK;
    }
    st = result_emit(s, j, has_score ? &score : NULL);
    if (st < 0)
        return st;
    ((struct state *)s->host->state(s->host, j->record->stream))->is_begun = 1;
    results_count(s, has_score ? &score : NULL);
    return AFF_OK;
}

static aff_status record_process(struct scorer *s, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    uint8_t *verdict = &batch->verdicts[input];
    struct job j = { .record = r, .input = input };
    struct slot *slot;
    aff_status st = slot_find(s, r->schema, &slot, &j.schema);

    if (st < 0)
        return st;
    j.slot = slot;
    if (!slot->fits) {
        *verdict = MISFIT;
        return AFF_OK;
    }
    j.texts = r->size < aff_row_size(j.schema->count, 0) ? -1 : kept_texts(s, r, j.schema);
    if (j.texts < 0) {
        *verdict = BROKEN_ROW;
        return AFF_OK;
    }
    if (j.texts > INT32_MAX)
        return s->host->explain(s->host, AFF_ERR_DATA,
                                "the texts of a row refer to more than 2 GiB; repair its source");
    return row_score(s, &j, verdict);
}

static aff_status score_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status score_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct scorer *s = self;
    struct state *state = s->host->state(s->host, mark->stream);
    const struct aff_schema *schema;
    struct slot *slot;
    uint32_t stream;
    aff_status st;

    (void)port;
    if (!state->is_begun)
        return AFF_OK;
    st = slot_find(s, mark->schema, &slot, &schema); /* after a restart the stream may have no name yet */
    if (st < 0)
        return st;
    stream = stream_of_results(s, mark->stream, slot->fits ? slot->out_schema : mark->schema);
    if (!stream)
        return AFF_ERR_MEMORY;
    st = s->host->stream_end(s->host, 0, stream);
    if (st == AFF_OK)
        state->is_begun = 0;
    return st;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_score", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_score",
    .version = "1.0.0",
    .summary = "Scores rows by a linear or logistic model from a JSON file.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = score_validate,
    .open = score_open,
    .close = score_close,
    .process = score_process,
    .stream_end = score_stream_end,
    .shape = score_shape,
};
