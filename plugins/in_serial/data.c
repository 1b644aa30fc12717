/* SPDX-License-Identifier: Apache-2.0
 *
 * data.c - the bytes of the line become records, a frame each. See serial.h. */
#include "serial.h"

#include <math.h>
#include <string.h>

#define BAD_EVERY_NS (10 * SECOND_NS)

/* Frames of one read came in an order, which an archive keeps by their times. A clock that
 * was set back is believed. */
static int64_t frame_time(const struct serial *s, int64_t ns)
{
    return ns <= s->frame_ns && s->frame_ns - ns < SECOND_NS ? s->frame_ns + 1 : ns;
}

/* The largest record that goes out: a whole frame may have escapes in it. */
static aff_status frame_emit(struct serial *s, const struct window_step *w)
{
    const struct frame_step *f = &w->step;
    struct aff_record *draft = s->host->reserve(s->host, PORT_DATA, AFF_NO_INPUT, (uint32_t)f->size);
    int64_t ns = frame_time(s, w->ns);
    aff_status status;

    if (!draft)
        return AFF_ERR_MEMORY;
    if (f->size)
        memcpy(draft->data, f->at, f->size);
    draft->subject = s->subject;
    draft->stream = s->streams[PORT_DATA];
    draft->schema = s->schemas[PORT_DATA];
    draft->type = AFF_BYTES;
    draft->event_ns = ns;
    draft->clock = w->clock;
    draft->flags = (uint16_t)((s->gap ? AFF_FLAG_GAP : 0) | (f->sure ? 0 : AFF_FLAG_SUSPECT));
    status = s->host->emit(s->host, draft, (uint32_t)f->size);
    if (status == AFF_OK)
        s->frame_ns = ns;
    return status;
}

static const uint32_t bad_metric[FRAME_REASONS] = {
    [REASON_LONG] = METRIC_BAD_LONG, [REASON_LENGTH] = METRIC_BAD_LENGTH,     [REASON_SUM] = METRIC_BAD_SUM,
    [REASON_ENCODING] = METRIC_BAD_ENCODING, [REASON_CUT] = METRIC_BAD_CUT,
};

/* Garbage is between frames, and no loss; after a bad frame something is missing. */
static void skipped(struct serial *s, enum frame_reason reason, size_t bytes)
{
    s->host->count(s->host, METRIC_SKIPPED, bytes);
    if (reason == REASON_NONE)
        device_empty(s);
    else
        device_noisy(s);
    if (reason <= REASON_GARBAGE || reason >= FRAME_REASONS)
        return;
    s->host->count(s->host, bad_metric[reason], 1);
    s->gap = true;
    s->bad++;
    s->bad_reason = reason;
}

static const char *const reason_names[FRAME_REASONS] = {
    [REASON_LONG] = "above max_frame", [REASON_LENGTH] = "wrong length field", [REASON_SUM] = "wrong checksum",
    [REASON_ENCODING] = "wrong escape or code", [REASON_CUT] = "no end",
};

/* With the reason of the last: mostly all have the same. */
static void bad_tell(struct serial *s, int64_t now)
{
    if (!s->bad || now < s->bad_next_ns)
        return;
    event_add(s, KIND_BAD_FRAMES, (int64_t)s->bad, NAN, reason_names[s->bad_reason]);
    s->bad = 0;
    s->bad_next_ns = now + BAD_EVERY_NS;
}

static bool has_expired(const struct serial *s, int64_t now)
{
    return s->config->frame_timeout && s->window.have && now - s->heard_ns >= s->config->frame_timeout;
}

/* A step of the framer: a frame into ->found. AFF_AGAIN: more must come. */
static aff_status step_take(struct serial *s, struct window_step w)
{
    if (w.step.what == FRAME_MORE)
        return AFF_AGAIN;
    if (w.step.what == FRAME_SKIP) {
        skipped(s, (enum frame_reason)w.step.reason, w.step.raw);
        return AFF_OK;
    }
    s->found = w;
    s->has_found = true;
    return AFF_OK;
}

static aff_status found_next(struct serial *s, struct turn *t)
{
    /* A bad frame may have been looked at as a whole for one byte of progress. */
    t->steps += 1 + s->window.have / 64;
    return step_take(s, window_next(&s->window));
}

static aff_status found_emit(struct serial *s, struct turn *t)
{
    aff_status st = frame_emit(s, &s->found);

    if (st != AFF_OK)
        return st;
    s->host->count(s->host, METRIC_FRAMES, 1);
    device_readable(s);
    orders_frame(s, s->found.step.at, s->found.step.size);
    s->has_found = s->gap = false;
    t->want--;
    return AFF_OK;
}

/* What waits to be read came in time, however late we are: only where there is
 * nothing has a half frame expired. */
static aff_status data_step(struct serial *s, struct turn *t)
{
    aff_status st = s->has_found ? AFF_OK : found_next(s, t);
    size_t size = 0;

    if (st == AFF_OK)
        return s->has_found ? found_emit(s, t) : AFF_OK;
    if (s->is_cut)
        data_give_up(s);
    if (s->fd < 0)
        return AFF_AGAIN;
    st = device_read(s, t->now, &size);
    t->bytes += size;
    return st == AFF_AGAIN && has_expired(s, t->now) ? step_take(s, window_expire(&s->window)) : st;
}

aff_status data_turn(struct serial *s, struct turn *t)
{
    aff_status st = AFF_OK;

    while (st == AFF_OK && t->want && t->bytes < READ_BYTES && t->steps < STEPS_TURN)
        st = data_step(s, t);
    t->more |= st == AFF_OK;
    bad_tell(s, t->now);
    return st == AFF_AGAIN ? AFF_OK : st;
}

void data_give_up(struct serial *s)
{
    size_t left = window_clear(&s->window);

    s->is_cut = false;
    if (!left)
        return;
    /* Told with the line's loss, not as a bad frame of its own. */
    s->host->count(s->host, METRIC_SKIPPED, left);
    s->host->count(s->host, METRIC_BAD_CUT, 1);
    s->gap = true;
}

int64_t data_due(const struct serial *s)
{
    int64_t due = s->bad ? s->bad_next_ns : INT64_MAX;

    if (s->config->frame_timeout && s->window.have && s->heard_ns + s->config->frame_timeout < due)
        due = s->heard_ns + s->config->frame_timeout;
    return due;
}
