/* SPDX-License-Identifier: Apache-2.0
 *
 * op_parse.c - frames of devices become rows of typed columns: the plugin.
 *
 * What a device sends stands in a map, not in code: kinds of frames, where their
 * values lie, and each value's name, unit and LOINC code. A frame makes one row of
 * the stream "X/rows" of its stream "X", with the columns of its kind; op_latest
 * joins the rows of several kinds. A frame that is of no kind is let go and
 * counted; a broken one is a dead letter with its reason.
 *
 * Not here: cutting bytes into frames, which sources of devices do. Options:
 * options.h; the map: map.c, check.c; frames: match.c, fields.c, binary.c; values:
 * value.c. */
#include "options.h"

#include <inttypes.h>
#include <string.h>

#define LOG_EVERY_NS INT64_C(10000000000)
enum { SCRATCH_ROOM = 65536 };

static const struct aff_port inputs[] = {
    { .name = "in", .doc = "Frames of a device, one a record, or several where split says so.",
      .types = AFF_MASK(AFF_BYTES) },
};

static const struct aff_port outputs[] = {
    { .name = "rows", .doc = "A row for each frame, on the stream \"X/rows\" of what came in on \"X\".",
      .types = AFF_MASK(AFF_FIELDS), .priority = AFF_PRIO_VITALS },
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
struct state {
    uint32_t has_rows; /* there is a stream to end */
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

static aff_status frame_take(struct parser *p, struct work *w, const struct piece *piece, bool is_whole)
{
    size_t at = 0;
    const struct frame *f = frame_match(p, piece, &at);
    enum reason reason;
    aff_status st = AFF_OK;

    if (!f) {
        p->counts[METRIC_NO_MATCH]++;
        return AFF_OK;
    }
    reason = frame_read(p, f, piece, at);
    if (!reason)
        st = row_send(p, w, &reason);
    if (st < 0 || !reason)
        return st;
    w->bad++;
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
    if (st < 0)
        return st;
    s->gap = w.gap;
    s->has_rows |= w.rows > 0;
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
    if (s && s->has_rows)
        st = route_end(&p->rows.route, mark->stream, 0, p->rows.schema);
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
