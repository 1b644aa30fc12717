/* SPDX-License-Identifier: Apache-2.0
 *
 * op_parse.c - frames of devices become rows of typed columns: the plugin.
 *
 * What a device sends stands in a map, not in code: kinds of frames, where their
 * values lie, and each value's name, unit and LOINC code. A frame makes one row of
 * the stream "X/rows" of its stream "X", with the columns of its kind; op_latest
 * joins the rows of several kinds. A frame that is of no kind is let go and
 * counted; a broken one is a dead letter with its reason. Both are told as events.
 *
 * Not here: cutting bytes into frames, which sources of devices do. Options:
 * options.h; the map: map.c, check.c; frames: match.c, fields.c, binary.c; values:
 * value.c. */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LOG_EVERY_NS INT64_C(10000000000)
enum { SCRATCH_ROOM = 65536 };

enum { PORT_ROWS, PORT_EVENTS };
enum { EVENT_KIND, EVENT_COUNT, EVENT_WHY, EVENT_COLUMNS };
static const struct aff_column event_columns[EVENT_COLUMNS] = {
    [EVENT_KIND] = { .name = "kind", .type = AFF_TEXT, .required = 1 },
    [EVENT_COUNT] = { .name = "count", .unit = "1", .type = AFF_INT },
    [EVENT_WHY] = { .name = "why", .type = AFF_TEXT },
};
static const struct aff_schema event_schema = {
    .struct_size = sizeof(struct aff_schema), .type = AFF_FIELDS, .name = "unread",
    .columns = event_columns, .count = EVENT_COLUMNS, .stride = sizeof(struct aff_column),
};

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "Frames of a device, one a record, or several where split says so.",
      .types = AFF_MASK(AFF_BYTES) },
};

static const struct aff_port outputs[] = {
    { .name = "rows", .doc = "A row for each frame, on the stream \"X/rows\" of what came in on \"X\".",
      .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
    { .name = "events", .doc = "A row for each record with frames that could not be read, on the stream \"X/rows/events\": "
                               "kind (bad_frames), count, and why, a verdict's name. For bad_rate of op_watch.",
      .schema = &event_schema, .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
};

static const struct aff_verdict verdicts[] = {
    { "bad_frame", "A frame of a known kind is broken: cut, too short, or with other fields.", AFF_V_DEAD, 0, 0 },
    { "bad_value", "A value is not of its column's type, and its column says bad = \"frame\".", AFF_V_DEAD, 0, 0 },
    { "out_of_range", "A value is outside of low and high, and its column says outside = \"frame\".", AFF_V_DEAD, 0, 0 },
    { "missing_value", "A required value is missing.", AFF_V_DEAD, 0, 0 },
    { "bad_time", "The time is missing or not in its format.", AFF_V_DEAD, 0, 0 },
    { "no_subject", "The subject is missing or longer than 200 bytes.", AFF_V_DEAD, 0, 0 },
    { "too_many_subjects", "More subjects than one node keeps apart.", AFF_V_DEAD, 0, 0 },
    { "too_large", "What a frame comes out as is larger than a record may be; raise edge.buffer of the node behind to "
                   "four times its size, or max_record.", AFF_V_DEAD, 0, 0 },
    { "no_match", "The record holds no frame of any kind in the map.", AFF_V_DROP, 0, 0 },
};

static const struct aff_metric metrics[METRICS] = {
    [METRIC_ROWS] = { "rows", "Rows that came out.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_BAD] = { "bad_frames", "Frames that were set aside.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_NO_MATCH] = { "no_match", "Frames of no kind in the map.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_BAD_VALUES] = { "bad_values", "Values that were not of their column's type.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_OUTSIDE] = { "outside", "Values outside of low and high.", NULL, AFF_METRIC_COUNTER, 0 },
    [METRIC_SUSPECT] = { "suspect", "Rows marked SUSPECT here.", NULL, AFF_METRIC_COUNTER, 0 },
};

/* Of each input stream; kept over a restart. */
enum { BEGUN_ROWS = 1, BEGUN_EVENTS = 2 };
struct state {
    uint32_t begun;    /* streams to end */
    uint32_t gap;      /* the next row is the first one behind a gap */
};

/* ---- open and close ---- */

static aff_status parse_validate(const void *config, const struct aff_report *report)
{
    return map_check(config, report) ? AFF_OK : AFF_ERR_CONFIG;
}

static void parse_close(void *self)
{
    struct parser *p = self;
    const struct aff_host *host = p->host;
    void *const blocks[] = { p->columns, p->places, p->frames, p->split.fields, p->scratch };
    size_t i;

    rows_close(&p->rows);
    for (i = 0; i < sizeof blocks / sizeof blocks[0]; i++)
        if (blocks[i])
            host->free(host, blocks[i]);
    host->free(host, p);
}

static void frames_open(struct parser *p)
{
    struct place *place = p->places;
    uint32_t i, k;

    p->frame_count = p->config->frames.count;
    for (i = 0; i < p->frame_count; i++) {
        const struct frame_config *f = frame_at(p->config, i);

        map_frame(p->config, i, &p->frames[i]);
        p->frames[i].places = place;
        p->frames[i].place_count = f->columns.count;
        for (k = 0; k < f->columns.count; k++)
            map_place(column_at(f, k), map_find(&p->rows_config, column_at(f, k)->out.name), place++);
    }
    p->frame_target = *p->config->frame_column ? (int32_t)map_find(&p->rows_config, p->config->frame_column) : -1;
}

static aff_status parser_fill(struct parser *p)
{
    const struct aff_host *host = p->host;
    uint32_t count = map_count(p->config) + 1;
    aff_status st;

    p->columns = host->alloc(host, count * sizeof *p->columns);
    p->places = host->alloc(host, count * sizeof *p->places);
    p->frames = host->alloc(host, p->config->frames.count * sizeof *p->frames);
    p->split.fields = host->alloc(host, FIELDS_MOST * sizeof *p->split.fields);
    p->scratch = host->alloc(host, SCRATCH_ROOM);
    if (!p->columns || !p->places || !p->frames || !p->split.fields || !p->scratch)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the map of frames");
    p->scratch_room = SCRATCH_ROOM;
    map_flatten(p->config, p->columns, &p->rows_config);
    st = rows_open(&p->rows, host, &p->rows_config);
    if (st < 0)
        return st;
    p->rows.route.ending = p->config->stream;
    (void)snprintf(p->unread_ending, sizeof p->unread_ending, "%.255s/events", p->config->stream);
    p->unread.ending = p->unread_ending;
    p->unread_schema = host->schema(host, &event_schema);
    if (!p->unread_schema)
        return AFF_ERR_MEMORY;
    st = route_open(&p->unread, host, false);
    if (st < 0)
        return st;
    frames_open(p);
    return host->state_open(host, sizeof(struct state), 0);
}

static aff_status parse_open(const struct aff_host *host, const void *config, void **ret_self)
{
    struct parser *p = host->alloc(host, sizeof *p);
    aff_status st;

    if (!p)
        return host->explain(host, AFF_ERR_MEMORY, "no memory for the map of frames");
    p->host = host;
    p->config = config;
    p->log_after_ns = INT64_MIN;
    st = parser_fill(p);
    if (st < 0) {
        parse_close(p);
        return st;
    }
    *ret_self = p;
    return AFF_OK;
}

/* ---- frames ---- */

/* Which column of which frame, and why; never what. */
static void bad_log(struct parser *p, enum reason reason, uint64_t at)
{
    int64_t now = p->host->now_ns(p->host);

    if (now < p->log_after_ns) {
        p->unlogged++;
        return;
    }
    p->host->log(p->host, AFF_LOG_WARN, "%s, at byte %" PRIu64 " of its record (%s)%s", p->why, at,
                 verdicts[reason - 1].name, p->unlogged ? "; there were others since the last line like this" : "");
    p->unlogged = 0;
    p->log_after_ns = now + LOG_EVERY_NS;
}

static enum reason reason_of(enum rows_reason reason)
{
    return reason == ROWS_FINE ? FINE : reason == ROWS_TOO_MANY_SUBJECTS ? TOO_MANY_SUBJECTS : TOO_LARGE;
}

/* What a record came to so far. Its rows are a nanosecond apart, so that whoever sorts
 * by time keeps their order. */
struct work {
    uint32_t input, stream;
    bool gap;
    uint32_t rows, bad;
    uint32_t unread;  /* frames that are told */
    enum reason why;  /* the last of them */
    enum reason reason; /* of a bad frame that is the whole record */
};

static aff_status row_send(struct parser *p, struct work *w, enum reason *ret_reason)
{
    uint16_t flags = (uint16_t)((w->gap ? AFF_FLAG_GAP : 0) | (p->suspect ? AFF_FLAG_SUSPECT : 0));
    struct rows_send send = { w->input, w->stream, p->rows.schema, p->rows.columns, flags, w->rows };
    enum rows_reason reason;
    aff_status st = rows_emit(&p->rows, &send, &reason);

    if (st < 0)
        return st;
    *ret_reason = reason_of(reason);
    if (*ret_reason) {
        (void)frame_bad(p, &p->frames[0], NULL, *ret_reason, "cannot be sent");
        return AFF_OK;
    }
    w->gap = false;
    w->rows++;
    p->counts[METRIC_ROWS]++;
    p->counts[METRIC_SUSPECT] += p->suspect;
    return AFF_OK;
}

static enum reason frame_read(struct parser *p, const struct frame *f, const struct piece *piece, size_t at)
{
    size_t size = piece->size - at;
    enum reason reason;

    p->scratch_used = 0;
    p->suspect = false;
    rows_begin(&p->rows, p->rows.columns);
    if (f->config->size > 0 && f->config->kind == KIND_BINARY && piece->size != (size_t)f->config->size)
        return frame_bad(p, f, NULL, BAD_FRAME, "is not as long as `size` says");
    if (f->config->kind == KIND_BINARY) {
        reason = frame_read_binary(p, f, (const unsigned char *)piece->text, piece->size);
    } else {
        while (size && (piece->text[at + size - 1] == '\r' || piece->text[at + size - 1] == '\n'))
            size--;
        if (f->config->kind == KIND_FIXED && f->config->size > 0 && size != (size_t)f->config->size)
            return frame_bad(p, f, NULL, BAD_FRAME, "is not as long as `size` says");
        reason = frame_read_text(p, f, piece->text + at, size);
    }
    return reason ? reason : values_end(p, f);
}

static void unread_note(struct work *w, enum reason why)
{
    w->unread++;
    w->why = why;
}

static aff_status frame_take(struct parser *p, struct work *w, const struct piece *piece, bool is_whole)
{
    size_t at = 0;
    const struct frame *f = frame_match(p, piece, &at);
    enum reason reason;
    aff_status st = AFF_OK;

    if (!f) {
        p->counts[METRIC_NO_MATCH]++;
        if (!frame_ignored(p, piece))
            unread_note(w, NO_MATCH);
        return AFF_OK;
    }
    reason = frame_read(p, f, piece, at);
    if (!reason)
        st = row_send(p, w, &reason);
    if (st < 0 || !reason)
        return st;
    w->bad++;
    unread_note(w, reason);
    p->counts[METRIC_BAD]++;
    bad_log(p, reason, piece->at);
    if (is_whole) {
        w->reason = reason;
        return AFF_OK;
    }
    return p->host->dead(p->host, w->input, (uint8_t)reason, piece->at, piece->text, (uint32_t)piece->size);
}

static bool splits(int32_t way, char c)
{
    switch (way) {
    case SPLIT_LF:    return c == '\n';
    case SPLIT_CR:    return c == '\r';
    case SPLIT_LINES: return c == '\n' || c == '\r';
    default:          return c == '\0';
    }
}

/* The frame that begins at `from`; *ret_next is behind what ends it. */
static struct piece piece_at(int32_t way, const struct aff_record *r, size_t from, size_t *ret_next)
{
    const char *text = (const char *)r->data + from;
    size_t size = r->size - from, at = way == SPLIT_NONE ? size : 0;

    while (at < size && !splits(way, text[at]))
        at++;
    *ret_next = from + at + (at < size);
    return (struct piece){ text, at, from };
}

static aff_status pieces_take(struct parser *p, struct work *w, const struct aff_record *r)
{
    size_t from = 0, next;
    aff_status st = AFF_OK;

    while (from < r->size && st == AFF_OK) {
        struct piece piece = piece_at(p->config->split, r, from, &next);

        if (piece.size)
            st = frame_take(p, w, &piece, from == 0 && next == r->size);
        from = next;
    }
    return st;
}

static void counts_send(struct parser *p)
{
    uint32_t i;

    for (i = 0; i < METRICS; i++)
        if (p->counts[i])
            p->host->count(p->host, i, p->counts[i]);
}

static aff_status unread_tell(struct parser *p, const struct work *w)
{
    static const char kind[] = "bad_frames";
    const char *why = verdicts[w->why - 1].name;
    uint32_t texts = (uint32_t)(sizeof kind + strlen(why));
    struct aff_record *draft;
    struct route_entry to;
    struct aff_row row;
    aff_status st = route_own(&p->unread, w->stream, p->unread_schema, &to);

    if (st < 0)
        return st;
    draft = p->host->reserve(p->host, PORT_EVENTS, w->input, aff_row_size(EVENT_COLUMNS, texts));
    if (!draft)
        return AFF_ERR_MEMORY;
    draft->type = AFF_FIELDS;
    draft->schema = p->unread_schema;
    draft->subject = to.subject;
    draft->stream = to.stream;
    draft->flags = 0;
    row = aff_row_begin(draft, EVENT_COLUMNS);
    aff_row_put_text(&row, EVENT_KIND, kind, sizeof kind - 1);
    aff_row_put_int(&row, EVENT_COUNT, w->unread);
    aff_row_put_text(&row, EVENT_WHY, why, (uint32_t)strlen(why));
    return p->host->emit(p->host, draft, aff_row_end(&row));
}

static aff_status record_take(struct parser *p, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    struct state *s = p->host->state(p->host, r->stream);
    struct work w = { .input = input, .stream = r->stream };
    aff_status st;

    if (!s)
        return AFF_ERR_MEMORY;
    w.gap = s->gap || (r->flags & AFF_FLAG_GAP);
    memset(p->counts, 0, sizeof p->counts);
    st = pieces_take(p, &w, r);
    if (st == AFF_OK && w.unread)
        st = unread_tell(p, &w);
    if (st < 0)
        return st;
    s->gap = w.gap;
    s->begun |= (w.rows ? BEGUN_ROWS : 0u) | (w.unread ? BEGUN_EVENTS : 0u);
    if (w.reason)
        batch->verdicts[input] = (uint8_t)w.reason;
    else if (!w.rows && !w.bad)
        batch->verdicts[input] = NO_MATCH;
    counts_send(p);
    return AFF_OK;
}

static aff_status parse_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_take(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

/* ---- ends and restart ---- */

static aff_status parse_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct parser *p = self;
    struct state *s = p->host->state(p->host, mark->stream);
    aff_status st = AFF_OK;

    (void)port;
    if (s && (s->begun & BEGUN_ROWS))
        st = route_end(&p->rows.route, mark->stream, PORT_ROWS, p->rows.schema);
    if (s && st == AFF_OK)
        s->begun &= ~(uint32_t)BEGUN_ROWS;
    if (s && st == AFF_OK && (s->begun & BEGUN_EVENTS))
        st = route_end(&p->unread, mark->stream, PORT_EVENTS, p->unread_schema);
    if (s && st == AFF_OK)
        memset(s, 0, sizeof *s);
    return st;
}

static aff_status parse_snapshot(void *self, void *buffer, size_t room, size_t *ret_size)
{
    const struct parser *p = self;

    return route_snapshot(&p->rows.route, buffer, room, ret_size);
}

static aff_status parse_restore(void *self, const void *buffer, size_t size)
{
    struct parser *p = self;

    return route_restore(&p->rows.route, buffer, size);
}

AFF_PLUGIN_NOTE(AFF_PROCESSOR, "op_parse", "1.0.0");

AFF_EXPORT const struct aff_plugin afferent_plugin_v1 = {
    .struct_size = sizeof(struct aff_plugin),
    .major = AFF_ABI_MAJOR,
    .minor = AFF_ABI_MINOR,
    .kind = AFF_PROCESSOR,
    .name = "op_parse",
    .version = "1.0.0",
    .summary = "Reads the frames of a device into rows of columns, by a map of its protocol.",
    .license = "Apache-2.0",
    .config_size = sizeof(struct config),
    .options = AFF_TABLE(options),
    .inputs = AFF_TABLE(inputs),
    .outputs = AFF_TABLE(outputs),
    .verdicts = AFF_TABLE(verdicts),
    .metrics = AFF_TABLE(metrics),
    .validate = parse_validate,
    .open = parse_open,
    .close = parse_close,
    .process = parse_process,
    .stream_end = parse_stream_end,
    .snapshot = parse_snapshot,
    .restore = parse_restore,
    .shape = map_shape,
};
