/* SPDX-License-Identifier: Apache-2.0
 *
 * op_latest.c - the last value of each column, joined by subject: the plugin.
 *
 * Rows of any streams of a subject go in; one wide row comes out, with the last
 * value of each wanted column that is not older than its max_age, on each
 * change, for each input, or at full multiples of `every` in event time. Long
 * rows (a key, a value) become wide ones by the way.
 *
 * Rows at full intervals depend on event times alone: a row for time t holds
 * what has a time of at most t, whatever came first, as long as no record comes
 * more than `lateness` behind the newest of its subject. Rows on change and by
 * input depend on the order in which several in-edges are read. Where a stream's
 * clock is set back, its values go on to count, and rows have its new time.
 *
 * Not here: options (columns.c), values and intervals (store.c), cells
 * (reading.c), what the output carries (shape.c). */
#include <afferent/plugin.h>

#include <string.h>

#include "columns.h"
#include "reading.h"
#include "store.h"

enum { READINGS = 16 };
#define DAYS(n) ((n) * 86400e9)
#define MS 1e6

static const char *const types[] = { "usual", "real", "int", "bool", "time", "text", NULL };
static const char *const emits[] = { "change", "input", "interval", NULL };

static const struct aff_option column_options[] = {
    AFF_OPT_TEXT(struct column_config, name, AFF_OPT_REQUIRED, NULL, "Name of the column in the output."),
    AFF_OPT_TEXT(struct column_config, from, 0, "\"\"",
                 "Column of the input; the one of the same name if empty."),
    AFF_OPT_TEXT(struct column_config, key, 0, "\"\"",
                 "For long rows: the key whose rows hold the value; the column's name if both are empty and the "
                 "node has a key."),
    AFF_OPT_TEXT(struct column_config, stream, 0, "\"\"",
                 "The stream that it is taken from, such as \"ecg/beats\", where others have a column of this name "
                 "too; any if empty."),
    AFF_OPT_ENUM(struct column_config, type, 0, "\"usual\"", types,
                 "Type of the value; \"usual\" is that of the vital sign of this name, else real."),
    AFF_OPT_TEXT(struct column_config, unit, 0, "\"\"",
                 "Unit (UCUM) of the input's column; if empty that of the vital sign of this name, else none."),
    AFF_OPT_TEXT(struct column_config, code, 0, "\"\"",
                 "LOINC code; if empty that of the vital sign of this name, else none."),
    AFF_OPT_DURATION(struct column_config, max_age, 0, "\"0s\"", 0, DAYS(3650),
                     "Age from which a value no longer counts; the node's max_age if 0."),
};

static const struct aff_option options[] = {
    { "columns", "The columns of the output, 1 to 64.", NULL, NULL, AFF_TYPE_LIST, AFF_OPT_REQUIRED,
      (uint32_t)offsetof(struct config, columns), 1, COLUMNS_MOST, NULL, column_options,
      (uint32_t)(sizeof column_options / sizeof column_options[0]), sizeof(struct column_config) },
    AFF_OPT_TEXT(struct config, key, 0, "\"\"", "For long rows: the column that says what a row's value is."),
    AFF_OPT_TEXT(struct config, value, 0, "\"\"", "For long rows: the column that holds the value."),
    AFF_OPT_DURATION(struct config, max_age, 0, "\"1h\"", MS, DAYS(3650),
                     "Age from which a value no longer counts, where the column does not say."),
    AFF_OPT_ENUM(struct config, emit, 0, "\"change\"", emits,
                 "When a row is made: when a value changes or becomes too old (change), for each row that comes in "
                 "(input), or at full multiples of every (interval)."),
    AFF_OPT_DURATION(struct config, every, 0, "\"0s\"", 0, DAYS(31),
                     "The interval; rows have its full multiples as time, counted from 1970 in UTC."),
    AFF_OPT_DURATION(struct config, lateness, 0, "\"0s\"", 0, DAYS(366),
                     "How far a subject's records may be out of order in time, as those of several inputs are; an "
                     "interval's row is made that much later. Two rows of a stream one after the other that are "
                     "earlier by more, and by a minute, are a clock that was set back."),
    AFF_OPT_DURATION(struct config, after, 0, "\"0s\"", 0, DAYS(366),
                     "No interval's row is made until this long after the subject's first record."),
    { "for", "Rows are made at each interval until this long after the subject's first record, with values or "
             "without, and none later; as long as there are values if 0.", NULL, "\"0s\"", AFF_TYPE_DURATION, 0,
      (uint32_t)offsetof(struct config, span), 0, DAYS(3650), NULL, NULL, 0, 0 },
    AFF_OPT_BOOL(struct config, ages, "false",
                 "Whether each column has another one beside it, NAME_age: the age of the value in seconds."),
    AFF_OPT_TEXT(struct config, stream, 0, "\"latest\"",
                 "Name of the stream that is made for each subject; two such nodes in a pipeline need two names."),
};

static const struct aff_port inputs[] = {
    { .name = "in",
      .doc = "Rows of any columns, from any number of streams; they are joined by subject.",
      .types = AFF_MASK(AFF_FIELDS) },
};

static const struct aff_port outputs[] = {
    { .name = "latest",
      .doc = "Rows of the columns that the options name.",
      .types = AFF_MASK(AFF_FIELDS),
      .priority = AFF_PRIO_VITALS },
};

enum { VERDICT_NO_VALUE = 1, VERDICT_OVER, VERDICT_NO_TIME };
static const struct aff_verdict verdicts[] = {
    { "no_value", "The row has no value for any of the columns; only its time counted.", AFF_V_DROP, 0, 0 },
    { "over", "The row is later than the option for says.", AFF_V_DROP, 0, 0 },
    { "no_time", "The time is more than 250 years from 1970.", AFF_V_DEAD, 0, 0 },
};

enum { METRIC_ROWS, METRIC_LATE, METRIC_OLDER, METRIC_UNFIT, METRIC_STREAMS };
static const struct aff_metric metrics[] = {
    { "rows", "Rows made.", NULL, AFF_METRIC_COUNTER, 0 },
    { "late", "Records too late for the row of their interval; their values count in later rows.", NULL,
      AFF_METRIC_COUNTER, 0 },
    { "older", "Values not taken, because a later one was there.", NULL, AFF_METRIC_COUNTER, 0 },
    { "unfit", "Values that are of another type than the column, not a number, or a text of more than 32 bytes; "
               "the column is absent from their time on.", NULL, AFF_METRIC_COUNTER, 0 },
    { "streams_not_tracked", "Records of a subject's streams beyond the 64 whose end is waited for.", NULL,
      AFF_METRIC_COUNTER, 0 },
};

struct latest {
    const struct aff_host *host;
    const struct config *config;
    struct layout layout;
    struct store store;
    uint32_t schema;
    uint32_t row_bytes;
    struct reading readings[READINGS];
    struct found found;   /* of the record in hand */
    bool is_met[COLUMNS_MOST]; /* a record of the column's stream has come */
    struct subject *undo; /* the subject's state before it */
};

static void latest_close(void *self)
{
    struct latest *l = self;

    if (l->undo)
        l->host->free(l->host, l->undo);
    l->host->free(l->host, l);
}

static aff_status latest_open(const struct aff_host *host, const void *config, void **ret_self)
{
    const struct config *c = config;
    struct latest *l = host->alloc(host, sizeof *l);
    aff_status st = AFF_ERR_MEMORY;

    if (!l)
        return host->explain(host, st, "no memory for the latest values");
    l->host = host;
    l->config = c;
    layout_build(&l->layout, c);
    store_open(&l->store, &l->layout, c);
    l->row_bytes = aff_row_size(l->layout.schema.count, l->layout.texts * TEXT_MOST);
    l->undo = host->alloc(host, store_bytes(&l->store));
    l->schema = l->undo ? host->schema(host, &l->layout.schema) : 0;
    if (l->schema)
        st = host->state_open(host, store_bytes(&l->store), 1);
    if (st < 0) {
        latest_close(l);
        return st;
    }
    *ret_self = l;
    return AFF_OK;
}

static const char *stream_name(const struct latest *l, uint32_t stream)
{
    const struct aff_stream_info *info = l->host->stream_info(l->host, stream);

    return info ? info->name : "";
}

/* Names are the same in each run; FNV-1a, 64 bits. */
static uint64_t stream_hash(const struct latest *l, uint32_t stream)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    const char *at;

    for (at = stream_name(l, stream); *at; at++)
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    return hash;
}

static void cell_put(struct aff_row *row, uint32_t column, const struct want *want, const struct value *v)
{
    if (want->type == AFF_TEXT)
        aff_row_put_text(row, column, v->text, v->length);
    else if (want->type == AFF_REAL)
        aff_row_put_real(row, column, v->number.real);
    else
        aff_row_put_int(row, column, v->number.whole);
}

/* What holds at time t, into a draft. */
static uint32_t row_fill(const struct latest *l, const struct subject *s, int64_t t, struct aff_record *draft)
{
    struct aff_row row = aff_row_begin(draft, l->layout.schema.count);
    uint32_t c;

    draft->flags = 0; /* the record in hand is one of several that are in the row */
    for (c = 0; c < l->layout.count; c++) {
        const struct value *v = store_at(&l->store, s, c, t);

        if (!v)
            continue;
        cell_put(&row, c, &l->layout.wants[c], v);
        if (v->is_suspect)
            draft->flags = AFF_FLAG_SUSPECT;
        if (l->config->ages)
            aff_row_put_real(&row, l->layout.count + c, (double)(t - v->at) / 1e9);
    }
    return aff_row_end(&row);
}

static aff_status row_emit(const struct latest *l, struct subject *s, uint32_t subject, uint32_t input, int64_t t)
{
    const struct aff_host *host = l->host;
    struct aff_record *draft = host->reserve(host, 0, input, l->row_bytes);
    aff_status st;

    if (!draft)
        return AFF_ERR_MEMORY;
    draft->stream = host->stream(host, subject, l->config->stream, l->schema);
    if (!draft->stream)
        return AFF_ERR_MEMORY;
    draft->subject = subject;
    draft->event_ns = t;
    draft->type = AFF_FIELDS;
    draft->schema = l->schema;
    draft->clock = s->clock;
    st = host->emit(host, draft, row_fill(l, s, t, draft));
    if (st < 0)
        return st;
    s->has_stream = 1;
    host->count(host, METRIC_ROWS, 1);
    return AFF_OK;
}

static void timer_set(const struct latest *l, const struct subject *s, uint32_t subject)
{
    int64_t due = INT64_MAX;

    if (l->config->emit == EMIT_CHANGE)
        due = store_expiry(&l->store, s, s->newest);
    else if (s->is_due)
        due = s->due * l->store.every + l->store.lateness;
    l->host->timer(l->host, subject, due);
}

static bool value_same(const struct value *a, const struct value *b, uint8_t type)
{
    if (!a || !b)
        return a == b;
    if (type == AFF_TEXT)
        return a->length == b->length && memcmp(a->text, b->text, a->length) == 0;
    if (type == AFF_REAL)
        return !(a->number.real < b->number.real) && !(a->number.real > b->number.real);
    return a->number.whole == b->number.whole;
}

/* Takes in the values of the record in hand; whether what holds changed. */
static bool values_put(struct latest *l, struct subject *s, uint32_t *ret_older)
{
    bool is_changed = false;
    uint32_t c;

    *ret_older = 0;
    for (c = 0; c < l->layout.count; c++) {
        const struct value *held;
        struct value before;
        int is_held;

        if (!l->found.is_given[c])
            continue;
        held = store_at(&l->store, s, c, s->newest);
        is_held = held != NULL;
        if (held)
            before = *held;
        if (!store_put(&l->store, s, c, &l->found.values[c]))
            (*ret_older)++;
        held = store_at(&l->store, s, c, s->newest);
        is_changed |= !value_same(is_held ? &before : NULL, held, l->layout.wants[c].type);
    }
    return is_changed;
}

/* Takes in the record and makes the row that it calls for. */
static aff_status record_take(struct latest *l, const struct aff_batch *batch, uint32_t input, struct subject *s,
                              int64_t at)
{
    const struct aff_record *r = &batch->records[input];
    const struct aff_host *host = l->host;
    int32_t emit = l->config->emit;
    int64_t expiry = s->is_begun ? store_expiry(&l->store, s, s->newest) : INT64_MAX;
    bool on_time = store_note(&l->store, s, at), is_wanted;
    aff_status st = AFF_OK;
    uint32_t older;

    s->clock = r->clock;
    is_wanted = values_put(l, s, &older) || expiry <= s->newest;
    if (emit == EMIT_INPUT)
        is_wanted = l->found.given > 0;
    if (emit != EMIT_INTERVAL && is_wanted)
        st = row_emit(l, s, r->subject, input, s->newest);
    if (st < 0)
        return st;
    if (emit != EMIT_INPUT) {
        store_resume(&l->store, s);
        timer_set(l, s, r->subject);
    }
    if (l->found.given == 0 && (emit != EMIT_CHANGE || !is_wanted))
        batch->verdicts[input] = VERDICT_NO_VALUE;
    host->count(host, METRIC_LATE, !on_time);
    host->count(host, METRIC_OLDER, older);
    host->count(host, METRIC_UNFIT, l->found.unfit);
    return AFF_OK;
}

static const struct reading *reading_of(struct latest *l, const struct aff_record *r)
{
    const struct aff_schema *schema = l->host->schema_info(l->host, r->schema);
    struct reading *reading = &l->readings[r->schema % READINGS];

    if (!schema || r->type != AFF_FIELDS || r->size < aff_row_size(schema->count, 0))
        return NULL;
    if (reading->schema != r->schema)
        reading_open(reading, &l->layout, l->config, r->schema, schema);
    return reading;
}

/* `at`: the record's time beside those of the store. One that is over leaves no
 * trace: a clock that jumped ahead of the end would be set back with all that is known. */
static aff_status record_judge(struct latest *l, const struct aff_batch *batch, uint32_t input, struct subject *s,
                               int64_t at)
{
    struct aff_record own = batch->records[input];
    uint32_t i;

    own.event_ns = at;
    if (store_is_over(&l->store, s, at)) {
        batch->verdicts[input] = VERDICT_OVER;
        memcpy(s, l->undo, store_bytes(&l->store));
        return AFF_OK;
    }
    reading_take(reading_of(l, &own), &l->layout, &own, stream_name(l, own.stream), &l->found);
    for (i = 0; i < l->layout.count; i++)
        l->is_met[i] |= l->found.is_met[i];
    return record_take(l, batch, input, s, at);
}

static aff_status record_process(struct latest *l, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    const struct reading *reading = reading_of(l, r);
    struct subject *s = l->host->state(l->host, r->subject);
    size_t bytes = store_bytes(&l->store);
    bool is_tracked;
    aff_status st;
    int64_t at;

    if (!reading)
        return l->host->explain(l->host, AFF_ERR_DATA, "a record is not a whole row with a schema; repair its source");
    if (r->event_ns > TIME_MOST || r->event_ns < -TIME_MOST) {
        batch->verdicts[input] = VERDICT_NO_TIME;
        return AFF_OK;
    }
    if (l->config->emit != EMIT_INTERVAL || l->store.span) /* else nothing can fail */
        memcpy(l->undo, s, bytes);
    is_tracked = store_time(&l->store, s, stream_hash(l, r->stream), r->event_ns, &at);
    st = record_judge(l, batch, input, s, at);
    if (st < 0)
        memcpy(s, l->undo, bytes);
    else
        l->host->count(l->host, METRIC_STREAMS, !is_tracked);
    return st;
}

static aff_status latest_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_process(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

static aff_status interval_tell(const struct latest *l, struct subject *s, uint32_t subject)
{
    aff_status st = AFF_OK;

    if (store_tells(&l->store, s))
        st = row_emit(l, s, subject, AFF_NO_INPUT, s->due * l->store.every);
    if (st == AFF_OK)
        store_settle(&l->store, s);
    return st;
}

/* Values have become too old: a change as any other. */
static aff_status expiry_tell(const struct latest *l, struct subject *s, uint32_t subject, int64_t due)
{
    aff_status st = AFF_OK;

    if (store_expiry(&l->store, s, s->newest) > due)
        return AFF_OK;
    st = row_emit(l, s, subject, AFF_NO_INPUT, due);
    if (st == AFF_OK)
        s->newest = due;
    return st;
}

static aff_status latest_timer(void *self, uint32_t subject, int64_t due_ns)
{
    const struct latest *l = self;
    struct subject *s = l->host->state(l->host, subject);
    aff_status st = AFF_OK;

    if (!s->is_begun)
        return AFF_OK;
    if (l->config->emit == EMIT_CHANGE)
        st = expiry_tell(l, s, subject, due_ns);
    else if (s->is_due && s->due * l->store.every + l->store.lateness <= due_ns)
        st = interval_tell(l, s, subject);
    if (st == AFF_OK)
        timer_set(l, s, subject);
    return st;
}

/* The subject is over when the last of its streams has ended: intervals that are
 * open are told, up to the one in which its data ended or as long as `for` says. */
static aff_status subject_end(const struct latest *l, struct subject *s, uint32_t subject)
{
    const struct aff_host *host = l->host;
    aff_status st = AFF_OK;
    uint32_t stream;

    while (st == AFF_OK && s->is_due && (l->store.span || s->due <= store_interval(&l->store, s->newest)))
        st = interval_tell(l, s, subject);
    if (st == AFF_OK && s->has_stream) {
        stream = host->stream(host, subject, l->config->stream, l->schema);
        st = stream ? host->stream_end(host, 0, stream) : AFF_ERR_MEMORY;
    }
    if (st < 0)
        return st;
    host->timer(host, subject, INT64_MAX);
    memset(s, 0, store_bytes(&l->store));
    return AFF_OK;
}

static aff_status latest_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    const struct latest *l = self;
    struct subject *s = l->host->state(l->host, mark->subject);
    uint64_t hash = stream_hash(l, mark->stream);

    (void)port;
    if (s->clocks.count == 1 && clocks_has(&s->clocks, hash))
        return subject_end(l, s, mark->subject);
    (void)clocks_end(&s->clocks, hash);
    return AFF_OK;
}

/* A stream that is misspelt would leave its column empty unnoticed. */
static aff_status latest_drain(void *self)
{
    const struct latest *l = self;
    uint32_t i;

    for (i = 0; i < l->layout.count; i++)
        if (!l->is_met[i] && *l->layout.wants[i].stream)
            l->host->log(l->host, AFF_LOG_WARN, "columns[%u].stream: no record of such a stream came in this run; "
                         "check how it is spelt", i);
    return AFF_OK;
}

/* Which streams came; all else is in the subjects' state. */
static aff_status latest_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct latest *l = self;

    *ret_size = l->layout.count * sizeof l->is_met[0];
    if (room >= *ret_size && *ret_size > 0)
        memcpy(buffer, l->is_met, *ret_size);
    return AFF_OK;
}

static aff_status latest_restore(void *self, const void *buffer, size_t size)
{
    struct latest *l = self;
    const uint8_t *met = buffer;
    uint32_t i;

    if (size != l->layout.count * sizeof l->is_met[0])
        return l->host->explain(l->host, AFF_ERR_DATA, "the saved state has another number of columns");
    for (i = 0; i < l->layout.count; i++)
        l->is_met[i] = met[i] != 0;
    return AFF_OK;
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_latest", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_latest",
    .version = "1.0.0",
    .summary = "Joins the last values of a subject into one row, on change or at full intervals.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = config_validate,
    .open = latest_open,
    .close = latest_close,
    .process = latest_process,
    .stream_end = latest_stream_end,
    .drain = latest_drain,
    .snapshot = latest_snapshot,
    .restore = latest_restore,
    .shape = latest_shape,
    .timer = latest_timer,
};
