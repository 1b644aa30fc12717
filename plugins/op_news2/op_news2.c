/* SPDX-License-Identifier: Apache-2.0
 *
 * op_news2.c - the National Early Warning Score 2 of rows of vital signs.
 *
 * Each row makes one row on a stream of its own, "latest/news2" for "latest":
 * the score of each parameter, their sum, the band, and what is missing and why.
 * A score with a parameter missing is a lower bound and says so.
 *
 * SpO2 is scored on scale 1, unless the subject is listed in scale2 or the row
 * says so: scale 2 is for a prescribed target of 88 to 92 %, which only people
 * can know.
 *
 * Not here: the table (table.c), the rule (score.c), columns and units
 * (fields.c), check (shape.c). Not for clinical use. */
#include <afferent/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fields.h"

enum { LAYOUTS = 8, NAME_MOST = 256, WORDS_ROOM = 256, SCALE2_MOST = 65536 };
#define PARAMETER_TEXTS (2 * WORDS_ROOM + 32) /* missing names and reasons, band, table */

#define COLUMN(parameter, key, usual, what)                                                                    \
    { key, "Column of the " what "; \"\" if the input has none.", NULL, "\"" usual "\"", AFF_TYPE_TEXT, 0,      \
      (uint32_t)(offsetof(struct columns_config, names) + (parameter) * sizeof(const char *)), 1, -1, NULL, NULL, 0, 0 }

static const struct aff_option column_options[] = {
    COLUMN(RESPIRATION, "respiration", "respiratory_rate", "respiratory rate, a minute"),
    COLUMN(SPO2, "spo2", "spo2", "oxygen saturation, %"),
    COLUMN(OXYGEN, "oxygen", "supplemental_oxygen", "supplemental oxygen; see the option oxygen"),
    COLUMN(SYSTOLIC, "systolic", "systolic", "systolic blood pressure, mm[Hg]"),
    COLUMN(PULSE, "pulse", "heart_rate", "pulse or heart rate, a minute"),
    COLUMN(CONSCIOUSNESS, "consciousness", "consciousness", "level of consciousness; see the option consciousness"),
    COLUMN(TEMPERATURE, "temperature", "temperature", "temperature, degrees Celsius"),
};

static const struct aff_option bound_option[] = {
    AFF_OPT_ITEM(AFF_TYPE_REAL, 0, "A bound."),
};

#define RANGE(parameter, key, usual)                                                                           \
    { key, "Lowest and highest value that is scored; " usual ".", NULL, NULL, AFF_TYPE_LIST, 0,                 \
      (uint32_t)(offsetof(struct plausible_config, ranges) + (parameter) * sizeof(struct aff_list)), 2, 2, NULL, \
      bound_option, 1, sizeof(double) }

static const struct aff_option range_options[] = {
    RANGE(RESPIRATION, "respiration", "[0, 150] a minute if not written"),
    RANGE(SPO2, "spo2", "[1, 100] % if not written"),
    RANGE(OXYGEN, "oxygen", "FiO2 as a fraction, [0.15, 1] if not written"),
    RANGE(SYSTOLIC, "systolic", "[0, 400] mm[Hg] if not written"),
    RANGE(PULSE, "pulse", "[0, 400] a minute if not written"),
    RANGE(CONSCIOUSNESS, "consciousness", "Glasgow coma scale, [3, 15] if not written"),
    RANGE(TEMPERATURE, "temperature", "[10, 50] Cel if not written"),
};

static const struct aff_option subject_option[] = {
    AFF_OPT_ITEM(AFF_TYPE_TEXT, 0, "Name of a subject."),
};

static const char *const consciousness_ways[] = { "acvpu", "gcs", NULL };
static const char *const oxygen_ways[] = { "flag", "fio2", NULL };

static const struct aff_option options[] = {
    AFF_OPT_TABLE(struct config, columns, 0, column_options, sizeof(struct columns_config),
                  "Names of the input's columns, where they are not the usual ones."),
    AFF_OPT_ENUM(struct config, consciousness, 0, "\"acvpu\"", consciousness_ways,
                 "How consciousness is given: as text A, C (new confusion), V, P or U, or by the Glasgow coma scale, "
                 "of which 15 is alert."),
    AFF_OPT_ENUM(struct config, oxygen, 0, "\"flag\"", oxygen_ways,
                 "How supplemental oxygen is given: as a bool, or as FiO2, of which more than 0.21 is oxygen."),
    { "scale2", "Subjects whose SpO2 is scored on scale 2 (prescribed target 88 to 92 %).", NULL, NULL, AFF_TYPE_LIST,
      0, (uint32_t)offsetof(struct config, scale2), 0, SCALE2_MOST, NULL, subject_option, 1, sizeof(const char *) },
    AFF_OPT_TEXT(struct config, scale_column, 0, "\"\"",
                 "Column with the SpO2 scale, 1 or 2; where a row has none, scale2 decides."),
    AFF_OPT_TABLE(struct config, plausible, 0, range_options, sizeof(struct plausible_config),
                  "Ranges outside of which a value counts as missing."),
    AFF_OPT_BOOL(struct config, keep_input, "false", "Whether the input's columns stand before those of the score."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Rows with the vital signs of a subject, such as those of op_latest.",
      .types = AFF_MASK(AFF_FIELDS) },
};

static const struct aff_port outputs[] = {
    { .name = "news2",
      .doc = "A row for each row: scores, sum, band, what is missing. The sum is a lower bound while anything is.",
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_VITALS },
};

enum { VERDICT_SCORED = 1 };
static const struct aff_verdict verdicts[] = {
    { "scored", "A row with the score stands for it.", AFF_V_REPLACE, 0, 0 },
};

enum { METRIC_PARTIAL, METRIC_IMPLAUSIBLE, METRIC_UNKNOWN, METRIC_HIGH };
static const struct aff_metric metrics[] = {
    { "partial", "Scores with a parameter missing.", NULL, AFF_METRIC_COUNTER, 0 },
    { "implausible", "Values not scored because no patient has them.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unknown", "Values not scored because of an unknown word, scale or unit.", NULL, AFF_METRIC_COUNTER, 0 },
    { "high", "Scores of the band high.", NULL, AFF_METRIC_COUNTER, 0 },
};

struct listed {
    const char *name;
    uint32_t place; /* in the option */
    uint32_t is_seen;
};

/* Of each input stream; kept over a restart. */
struct state {
    uint32_t is_scored; /* a score was made, so there is a stream to end */
};

struct news2 {
    const struct aff_host *host;
    const struct config *config;
    struct listed *scale2; /* by name */
    uint32_t end_schema; /* of a stream of scores that is known by its name only */
    struct layout layouts[LAYOUTS];
    struct made_schema made;
};

static int listed_order(const void *a, const void *b)
{
    return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static void news2_close(void *self)
{
    struct news2 *n = self;

    if (n->scale2)
        n->host->free(n->host, n->scale2);
    n->host->free(n->host, n);
}

static aff_status scale2_open(struct news2 *n)
{
    const struct aff_list *list = &n->config->scale2;
    uint32_t i;

    if (!list->count)
        return AFF_OK;
    n->scale2 = n->host->alloc(n->host, list->count * sizeof *n->scale2);
    if (!n->scale2)
        return AFF_ERR_MEMORY;
    for (i = 0; i < list->count; i++) {
        n->scale2[i].name = *(const char *const *)(const void *)((const char *)list->items + (size_t)i * list->stride);
        n->scale2[i].place = i;
    }
    qsort(n->scale2, list->count, sizeof *n->scale2, listed_order);
    return AFF_OK;
}

static aff_status tables_open(struct news2 *n)
{
    static const struct aff_schema none = { .struct_size = sizeof none, .type = AFF_FIELDS, .name = "none",
                                            .stride = sizeof(struct aff_column) };
    struct layout layout;

    if (scale2_open(n) < 0 || layout_make(&layout, &n->made, n->config, &none))
        return AFF_ERR_MEMORY;
    n->end_schema = n->host->schema(n->host, &n->made.schema);
    return n->end_schema ? n->host->state_open(n->host, sizeof(struct state), 0) : AFF_ERR_MEMORY;
}

static aff_status news2_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct news2 *n = host->alloc(host, sizeof *n);
    aff_status st;

    if (!n)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for scores");
    n->host = host;
    n->config = config;
    st = tables_open(n);
    if (st < 0) {
        news2_close(n);
        return host->explain(host, st, "no memory for scores");
    }
    *ret_self = n;
    return AFF_OK;
}

static int subject_scale(const struct news2 *n, uint32_t subject)
{
    struct listed key = { n->config->scale2.count ? n->host->subject_name(n->host, subject) : NULL, 0, 0 };
    struct listed *found;

    if (!key.name)
        return 1;
    found = bsearch(&key, n->scale2, n->config->scale2.count, sizeof key, listed_order);
    if (!found)
        return 1;
    found->is_seen = 1;
    return 2;
}

/* How rows of this schema are read and written; NULL with a status. */
static const struct layout *layout_of(struct news2 *n, const struct aff_record *r, aff_status *ret_status)
{
    const struct aff_host *host = n->host;
    const struct aff_schema *schema = host->schema_info(host, r->schema);
    struct layout *layout = &n->layouts[r->schema % LAYOUTS];
    const char *why;

    *ret_status = AFF_ERR_DATA;
    if (!schema || r->type != AFF_FIELDS || r->size < aff_row_size(schema->count, 0)) {
        host->explain(host, AFF_ERR_DATA, "a record is not a whole row with a schema; repair its source");
        return NULL;
    }
    if (layout->schema == r->schema)
        return layout;
    why = layout_make(layout, &n->made, n->config, schema);
    if (why) {
        host->explain(host, AFF_ERR_DATA, "%s", why);
        return NULL;
    }
    layout->out_schema = host->schema(host, &n->made.schema);
    *ret_status = AFF_ERR_MEMORY;
    if (!layout->out_schema)
        return NULL;
    layout->schema = r->schema;
    return layout;
}

static uint32_t stream_of_score(const struct news2 *n, uint32_t stream, uint32_t schema)
{
    const struct aff_stream_info *info = n->host->stream_info(n->host, stream);
    char name[NAME_MOST];

    if (!info)
        return 0;
    snprintf(name, sizeof name, "%s/news2", info->name);
    return n->host->stream(n->host, info->subject, name, schema);
}

/* Bytes of the texts that are copied from the input. They may overlap there. */
static uint64_t texts_kept(const struct layout *l, const struct aff_schema *schema, const struct aff_record *r)
{
    uint64_t sum = 0;
    uint32_t i, length;

    for (i = 0; i < l->kept; i++)
        if (schema_column(schema, i)->type == AFF_TEXT && aff_row_has(r, i) && aff_row_text(r, l->columns, i, &length))
            sum += length;
    return sum;
}

static void input_put(const struct layout *l, const struct aff_schema *schema, const struct aff_record *r,
                      struct aff_row *row)
{
    const char *text;
    uint32_t i, length;

    for (i = 0; i < l->kept; i++) {
        if (!aff_row_has(r, i))
            continue;
        if (schema_column(schema, i)->type != AFF_TEXT) {
            aff_row_put_int(row, i, aff_row_int(r, l->columns, i)); /* a cell's bits, whatever they mean */
            continue;
        }
        text = aff_row_text(r, l->columns, i, &length);
        if (text)
            aff_row_put_text(row, i, text, length);
    }
}

/* "spo2 oxygen" and "spo2=absent oxygen=implausible". */
static void missing_put(const struct score *s, uint32_t base, struct aff_row *row)
{
    char names[WORDS_ROOM], whys[WORDS_ROOM];
    int i, n = 0, w = 0;

    for (i = 0; i < PARAMETERS; i++) {
        if (s->parts[i] >= 0)
            continue;
        n += snprintf(names + n, sizeof names - (size_t)n, "%s%s", n ? " " : "", parameter_name(i));
        w += snprintf(whys + w, sizeof whys - (size_t)w, "%s%s=%s", w ? " " : "", parameter_name(i),
                      why_name(s->why[i]));
    }
    if (!n)
        return;
    aff_row_put_text(row, base + OUT_MISSING_NAMES, names, (uint32_t)n);
    aff_row_put_text(row, base + OUT_MISSING_WHY, whys, (uint32_t)w);
}

static void text_put(struct aff_row *row, uint32_t column, const char *text)
{
    aff_row_put_text(row, column, text, (uint32_t)strlen(text));
}

static void score_put(const struct score *s, int scale, uint32_t base, struct aff_row *row)
{
    int i;

    for (i = 0; i < PARAMETERS; i++)
        if (s->parts[i] >= 0)
            aff_row_put_int(row, base + OUT_PARTS + (uint32_t)i, s->parts[i]);
    if (s->band) { /* a sum of nothing is no score */
        aff_row_put_int(row, base + OUT_SCORE, s->sum);
        text_put(row, base + OUT_BAND, s->band);
    }
    aff_row_put_int(row, base + OUT_AT_MOST, s->at_most);
    aff_row_put_int(row, base + OUT_MISSING, s->missing);
    missing_put(s, base, row);
    aff_row_put_int(row, base + OUT_COMPLETE, s->missing == 0);
    if (scale)
        aff_row_put_int(row, base + OUT_SCALE, scale);
    text_put(row, base + OUT_TABLE, news2_rcp_2017.version);
}

static void metrics_count(const struct news2 *n, const struct score *s)
{
    uint64_t implausible = 0, unknown = 0;
    int i;

    for (i = 0; i < PARAMETERS; i++) {
        implausible += s->why[i] == WHY_IMPLAUSIBLE;
        unknown += s->why[i] == WHY_UNKNOWN || s->why[i] == WHY_UNIT;
    }
    n->host->count(n->host, METRIC_PARTIAL, s->missing > 0);
    n->host->count(n->host, METRIC_IMPLAUSIBLE, implausible);
    n->host->count(n->host, METRIC_UNKNOWN, unknown);
    n->host->count(n->host, METRIC_HIGH, s->band && s->sum >= news2_rcp_2017.high);
}

static aff_status row_emit(struct news2 *n, const struct layout *l, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_host *host = n->host;
    const struct aff_record *r = &batch->records[input];
    const struct aff_schema *schema = host->schema_info(host, r->schema);
    uint64_t texts = texts_kept(l, schema, r) + PARAMETER_TEXTS;
    struct observations seen;
    struct score score;
    struct aff_record *draft;
    struct aff_row row;
    aff_status st;

    if (texts > UINT32_MAX / 2)
        return host->explain(host, AFF_ERR_DATA, "a row's texts are too long to be kept; leave out keep_input");
    draft = host->reserve(host, 0, input, aff_row_size(l->kept + OUT_COLUMNS, (uint32_t)texts));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->stream = stream_of_score(n, r->stream, l->out_schema);
    if (!draft->stream)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = l->out_schema;
    fields_read(l, n->config, r, subject_scale(n, r->subject), &seen);
    news2_score(&news2_rcp_2017, &seen, &score);
    row = aff_row_begin(draft, l->kept + OUT_COLUMNS);
    input_put(l, schema, r, &row);
    score_put(&score, seen.scale, l->kept, &row);
    st = host->emit(host, draft, aff_row_end(&row));
    if (st < 0)
        return st;
    ((struct state *)host->state(host, r->stream))->is_scored = 1;
    batch->verdicts[input] = VERDICT_SCORED;
    metrics_count(n, &score);
    return AFF_OK;
}

static aff_status news2_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    struct news2 *n = self;
    const struct layout *layout;
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        layout = layout_of(n, &batch->records[*ret_taken], &st);
        if (!layout)
            return st;
        st = row_emit(n, layout, batch, *ret_taken);
        if (st < 0)
            return st;
    }
    return AFF_OK;
}

static aff_status news2_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct news2 *n = self;
    struct state *state = n->host->state(n->host, mark->stream);
    aff_status st = AFF_ERR_MEMORY;
    uint32_t stream;

    (void)port;
    if (!state->is_scored)
        return AFF_OK;
    stream = stream_of_score(n, mark->stream, n->end_schema);
    if (stream)
        st = n->host->stream_end(n->host, 0, stream);
    if (st == AFF_OK)
        state->is_scored = 0;
    return st;
}

/* A name that is misspelt would leave its patient on scale 1 unnoticed. */
static aff_status news2_drain(void *self)
{
    const struct news2 *n = self;
    uint32_t i;

    for (i = 0; i < n->config->scale2.count; i++)
        if (!n->scale2[i].is_seen)
            n->host->log(n->host, AFF_LOG_WARN, "scale2[%u] is no subject that came in this run; check how it is "
                         "spelt", n->scale2[i].place);
    return AFF_OK;
}

/* Which of the listed subjects came, a byte each. */
static aff_status news2_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct news2 *n = self;
    uint8_t *to = buffer;
    uint32_t i;

    *ret_size = n->config->scale2.count;
    for (i = 0; room >= *ret_size && i < n->config->scale2.count; i++)
        to[i] = n->scale2[i].is_seen != 0;
    return AFF_OK;
}

static aff_status news2_restore(void *self, const void *buffer, size_t size)
{
    struct news2 *n = self;
    const uint8_t *from = buffer;
    uint32_t i;

    if (size != n->config->scale2.count)
        return n->host->explain(n->host, AFF_ERR_DATA, "the saved state has another number of subjects in scale2");
    for (i = 0; i < n->config->scale2.count; i++)
        n->scale2[i].is_seen = from[i] != 0;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_news2", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_news2",
    .version = "1.0.0",
    .summary = "Scores vital signs by the National Early Warning Score 2. Not for clinical use.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = news2_validate,
    .open = news2_open,
    .close = news2_close,
    .process = news2_process,
    .stream_end = news2_stream_end,
    .drain = news2_drain,
    .snapshot = news2_snapshot,
    .restore = news2_restore,
    .shape = news2_shape,
};
