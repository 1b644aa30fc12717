/* SPDX-License-Identifier: Apache-2.0
 *
 * feed.c - input records become a text, the text rows, and bad rows dead letters.
 *
 * A row that a record does not end is kept, at most max_row bytes of it, and
 * looked at again together with what follows. A row that is longer, and all up
 * to the next line end, is set aside in pieces: no byte is lost. Behind a gap of
 * a text that is cut anywhere the rest of a line is set aside too: half a number
 * is a number.
 *
 * Nothing is changed before the whole record is through: a record that could not
 * be taken is offered again. */
#include "feed.h"

#include <inttypes.h>
#include <string.h>

#define LOG_EVERY_NS INT64_C(10000000000)

size_t feed_state_size(const struct feed *feed)
{
    return sizeof(struct feed_state) + (feed->keeps ? feed->max_row + 1 : 0);
}

aff_status feed_open(struct feed *feed, struct rows *rows, const struct feed_ops *ops, void *self)
{
    feed->rows = rows;
    feed->host = rows->host;
    feed->ops = ops;
    feed->self = self;
    feed->framing = rows->config->framing;
    feed->max_row = (size_t)rows->config->max_row;
    feed->log_after_ns = INT64_MIN;
    if (!feed->keeps)
        return AFF_OK;
    feed->join = feed->host->alloc(feed->host, 2 * feed->max_row + 2);
    return feed->join ? AFF_OK : feed->host->explain(feed->host, AFF_ERR_MEMORY, "no memory for a row");
}

void feed_close(struct feed *feed)
{
    if (feed->join)
        feed->host->free(feed->host, feed->join);
}

/* Where and why, never what. Of parts of a record the host says so itself, but by
 * the reason's name alone. */
static void bad_log(struct feed *feed, const char *what, int reason, uint64_t offset)
{
    int64_t now = feed->host->now_ns(feed->host);

    if (now < feed->log_after_ns) {
        feed->unlogged++;
        return;
    }
    feed->host->log(feed->host, AFF_LOG_WARN, "%s at byte %" PRIu64 " of its stream is no row: %s (%s)%s", what, offset,
                    feed->verdicts[reason - 1].name, feed->verdicts[reason - 1].doc,
                    feed->unlogged ? "; there were others since the last line like this" : "");
    feed->unlogged = 0;
    feed->log_after_ns = now + LOG_EVERY_NS;
}

/* Besides the row there are at most a byte order mark and a line end. */
static bool covers(const struct feed_text *t, size_t at, size_t size)
{
    size_t behind = t->size - at - size;

    if (at != 0 && !(at == 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0))
        return false;
    return behind == 0 || (behind <= 2 && (t->text[at + size] == '\r' || t->text[at + size] == '\n'));
}

static aff_status set_aside(struct feed *feed, int reason, size_t at, size_t size)
{
    const struct feed_text *t = &feed->text;

    if (feed->is_whole && covers(t, at, size)) {
        feed->verdict = (uint8_t)reason;
        return AFF_OK;
    }
    return feed->host->dead(feed->host, feed->input, (uint8_t)reason, t->offset + at, t->text + at, (uint32_t)size);
}

aff_status feed_bad(struct feed *feed, int reason, size_t at, size_t size)
{
    feed->bad++;
    if (feed->is_whole && covers(&feed->text, at, size))
        bad_log(feed, "a record", reason, feed->text.offset + at);
    else if (reason == ROWS_TOO_LARGE)
        bad_log(feed, "the text", reason, feed->text.offset + at);
    return set_aside(feed, reason, at, size);
}

aff_status feed_emit(struct feed *feed, uint32_t schema, uint32_t columns, size_t at, size_t size)
{
    struct rows_send send = { feed->input, feed->stream, schema, columns, feed->gap ? AFF_FLAG_GAP : 0, 0 };
    enum rows_reason reason;
    aff_status st = rows_emit(feed->rows, &send, &reason);

    if (st < 0)
        return st;
    if (reason != ROWS_FINE)
        return feed_bad(feed, (int)reason, at, size);
    feed->gap = false;
    feed->good++;
    feed->bad_values += feed->rows->bad_values;
    return AFF_OK;
}

/* The first line end at or after `at`; `size`: there is none. */
static size_t line_find(const struct feed *feed, const char *text, size_t at, size_t size)
{
    while (at < size && text[at] != '\n' && !(feed->cr_ends && text[at] == '\r'))
        at++;
    return at;
}

/* Behind the line end at `at`. */
static size_t line_behind(const char *text, size_t at, size_t size)
{
    return at + (text[at] == '\r' && at + 1 < size && text[at + 1] == '\n' ? 2 : 1);
}

static void text_set(struct feed *feed, const struct feed_text *t, bool is_whole)
{
    feed->text = *t;
    feed->is_whole = is_whole;
    feed->ops->text(feed->self, t);
}

/* The row at *at has no end within max_row. If it has several lines, an unclosed
 * quote may have made them one: so far they are read again, each for itself. That
 * distance is max_row, wherever the text was cut, so that the rows are the same;
 * and it is passed once, so that no text is read again and again. */
static aff_status row_runaway(struct feed *feed, struct feed_text *t, size_t *at, uint8_t *skip)
{
    size_t end = line_find(feed, t->text, *at, t->size), from = *at;

    if (end < t->size && end - from < feed->max_row && t->line_until < from + feed->max_row) {
        t->line_until = from + feed->max_row;
        return AFF_OK;
    }
    *at = end < t->size ? line_behind(t->text, end, t->size) : end;
    *skip = end < t->size || t->final || t->ends_line ? 0 : ROWS_TOO_LONG;
    return feed_bad(feed, ROWS_TOO_LONG, from, end - from);
}

/* Rows of a text from *at on, up to `until` or the text's end; *at is then behind
 * the last one. What is left at the end is the beginning of a row, shorter than
 * max_row unless `cut` says that the text goes on and was not given whole. */
static aff_status rows_take(struct feed *feed, struct feed_text *t, size_t *at, size_t until, bool cut, uint8_t *skip)
{
    aff_status st = AFF_OK;
    size_t end = 0;
    bool more;

    while (*at < until && st == AFF_OK) {
        more = false;
        st = feed->ops->row(feed->self, t, *at, &end, &more);
        if (st < 0)
            break;
        if (!more) {
            *at = end;
            continue;
        }
        if (!t->final && !cut && t->size - *at <= feed->max_row)
            break;
        st = row_runaway(feed, t, at, skip);
    }
    return st;
}

/* What is being worked on: a record and what was kept before it. */
struct work {
    struct feed_state state; /* as it will be */
    const char *record;
    size_t size;
    size_t at;          /* in the record */
    const char *kept;   /* bytes kept so far: the state's own */
    const char *tail;   /* bytes to keep from now on */
    size_t tail_size;
};

/* Bytes of the record that are no row for a reason known before. */
static aff_status skip_take(struct feed *feed, struct work *w)
{
    struct feed_text t = { w->record, w->size, w->state.offset - w->at, 0, false, false };
    size_t end = line_find(feed, w->record, w->at, w->size), from = w->at;
    int reason = w->state.skip;

    feed->text = t;
    feed->is_whole = true;
    if (end < w->size || feed->framing == FRAMING_LINES)
        w->state.skip = 0;
    w->at = end < w->size ? line_behind(w->record, end, w->size) : end;
    w->state.offset += w->at - from;
    return set_aside(feed, reason, from, w->at - from);
}

static size_t until_of(const struct feed_state *s, uint64_t offset)
{
    return s->line_until > offset ? (size_t)(s->line_until - offset) : 0;
}

static void until_keep(struct feed_state *s, const struct feed_text *t)
{
    if (t->line_until)
        s->line_until = t->offset + t->line_until;
}

/* Rows that begin in what was kept. */
static aff_status kept_take(struct feed *feed, struct work *w)
{
    size_t kept = w->state.kept, left = w->size - w->at, at = 0;
    size_t take = left < feed->max_row ? left : feed->max_row;
    struct feed_text t = { feed->join, kept + take, w->state.offset, until_of(&w->state, w->state.offset),
                           feed->framing == FRAMING_LINES && take == left, false };
    aff_status st;

    memcpy(feed->join, w->kept, kept);
    memcpy(feed->join + kept, w->record + w->at, take);
    text_set(feed, &t, false);
    st = rows_take(feed, &t, &at, kept, take < left, &w->state.skip);
    until_keep(&w->state, &t);
    w->state.kept = 0;
    w->state.offset += at;
    if (at < kept) {
        w->tail = feed->join + at;
        w->tail_size = t.size - at;
        w->at = w->size;
    } else {
        w->at += at - kept;
    }
    return st;
}

/* Rows that lie in the record. */
static aff_status record_take(struct feed *feed, struct work *w)
{
    bool record = feed->framing == FRAMING_RECORD;
    struct feed_text t = { w->record + w->at, w->size - w->at, w->state.offset,
                           until_of(&w->state, w->state.offset), feed->framing != FRAMING_STREAM, record };
    size_t at = 0;
    aff_status st;

    text_set(feed, &t, w->at == 0);
    st = rows_take(feed, &t, &at, t.size, false, &w->state.skip);
    until_keep(&w->state, &t);
    w->state.offset += at;
    w->tail = t.text + at;
    w->tail_size = t.size - at;
    w->at = w->size;
    return st;
}

/* Data is missing in front of this record. */
static aff_status gap_take(struct feed *feed, struct work *w)
{
    struct feed_text t = { w->kept, w->state.kept, w->state.offset, 0, false, false };
    aff_status st = AFF_OK;

    feed->text = t;
    feed->is_whole = false;
    if (t.size)
        st = feed_bad(feed, ROWS_TORN, 0, t.size);
    w->state.offset += w->state.kept;
    w->state.kept = 0;
    w->state.gap = 1;
    if (feed->framing == FRAMING_STREAM)
        w->state.skip = ROWS_TORN;
    return st;
}

static aff_status work_run(struct feed *feed, struct work *w)
{
    aff_status st = AFF_OK;

    feed->gap = w->state.gap;
    do {
        if (w->state.skip)
            st = skip_take(feed, w);
        else if (w->state.kept)
            st = kept_take(feed, w);
        else
            st = record_take(feed, w);
    } while (st == AFF_OK && w->at < w->size);
    w->state.gap = feed->gap;
    return st;
}

/* A record that is lines ends one, which its bytes may not show. */
static bool line_unshown(const struct feed *feed, const struct work *w)
{
    return feed->framing == FRAMING_LINES && (!w->size || w->record[w->size - 1] != '\n');
}

/* The bytes are kept where those before them lie, which may be the same. */
static void tail_keep(const struct feed *feed, struct work *w, char *room)
{
    if (!w->tail_size)
        return;
    memmove(room, w->tail, w->tail_size);
    if (line_unshown(feed, w))
        room[w->tail_size++] = '\n';
    w->state.kept = (uint32_t)w->tail_size;
}

static void counts_send(struct feed *feed)
{
    const struct aff_host *host = feed->host;

    if (feed->good)
        host->count(host, ROWS_METRIC_ROWS, feed->good);
    if (feed->bad)
        host->count(host, ROWS_METRIC_BAD, feed->bad);
    if (feed->bad_values)
        host->count(host, ROWS_METRIC_BAD_VALUES, feed->bad_values);
}

static void hand_clear(struct feed *feed, uint32_t input, uint32_t stream)
{
    feed->input = input;
    feed->stream = stream;
    feed->verdict = 0;
    feed->good = 0;
    feed->bad = 0;
    feed->bad_values = 0;
}

/* A record that memory never sufficed for became a dead letter: a gap. */
static bool lost_one(const struct feed_state *s, const struct aff_record *r)
{
    return s->has_failed && (s->failed.source != r->id.source || s->failed.seq != r->id.seq);
}

aff_status feed_record(struct feed *feed, struct feed_state *state, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    char *room = (char *)(state + 1);
    struct work w = { .state = *state, .record = r->data, .size = r->size, .kept = room };
    aff_status st = AFF_OK;

    hand_clear(feed, input, r->stream);
    w.state.has_failed = 0;
    if (feed->framing == FRAMING_RECORD) {
        w.state.offset = 0;
        w.state.line_until = 0;
    }
    if ((r->flags & AFF_FLAG_GAP) || lost_one(state, r))
        st = gap_take(feed, &w);
    if (st == AFF_OK && (r->size || w.state.kept))
        st = work_run(feed, &w);
    if (st < 0) {
        state->failed = r->id;
        state->has_failed = 1;
        return st;
    }
    if (feed->keeps)
        tail_keep(feed, &w, room);
    w.state.offset += line_unshown(feed, &w) && !w.state.kept ? 1 : 0;
    w.state.has_rows |= feed->good > 0;
    *state = w.state;
    batch->verdicts[input] = feed->verdict;
    counts_send(feed);
    return AFF_OK;
}

aff_status feed_flush(struct feed *feed, struct feed_state *state, uint32_t stream)
{
    const char *room = (const char *)(state + 1);
    struct feed_text t = { room, state->kept, state->offset, until_of(state, state->offset), true, true };
    size_t at = state->flushed;
    uint8_t skip = 0;
    aff_status st = AFF_OK;

    hand_clear(feed, AFF_NO_INPUT, stream);
    feed->gap = state->gap;
    text_set(feed, &t, false);
    while (at < t.size && st == AFF_OK) {
        st = rows_take(feed, &t, &at, at + 1, false, &skip);
        state->flushed = (uint32_t)at;
        until_keep(state, &t);
    }
    state->gap = feed->gap;
    state->has_rows |= feed->good > 0;
    counts_send(feed);
    if (st == AFF_OK) {
        state->kept = 0;
        state->flushed = 0;
    }
    return st;
}
