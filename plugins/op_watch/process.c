/* SPDX-License-Identifier: Apache-2.0
 *
 * process.c - records, time and ends of streams, as the host brings them.
 *
 * A record is judged on a copy of its subject's state, which counts only when all
 * that it led to could be sent. At a timer each record is noted at once, and a call
 * that failed goes on behind it. A stream that ends is not silent: what was found on
 * it is forgotten, and not told as cleared, since nobody knows.
 *
 * Not here: judging (values.c, judge.c), records (tell.c). */
#include "watch.h"

#include <string.h>

#define BACK_NS INT64_C(60000000000) /* farther back than records of one stream come in disorder */

int32_t watch_active(struct watch *w, struct subject *s)
{
    int32_t active = 0;
    uint32_t slot, i;

    for (slot = 0; slot < SLOTS; slot++)
        for (i = 0; s->slots[slot].stream && i < w->plan.count; i++)
            active += judge_active(&states_of(w, s, slot)[i]);
    return active;
}

static bool is_alone(const struct subject *s, const struct slot *slot)
{
    uint32_t i;

    for (i = 0; i < SLOTS; i++)
        if (s->slots[i].stream && &s->slots[i] != slot)
            return false;
    return true;
}

/* The host's timers know one time of all: for a stream whose clock was set back they
 * would come too early, and it is judged by its records alone. Where there is no other
 * they have gone back with it. */
static bool is_timed(const struct subject *s, uint32_t slot)
{
    const struct slot *of = &s->slots[slot];

    return of->stream && (!of->is_behind || (of->last_ns >= s->last_ns && is_alone(s, of)));
}

static void timer_arm(struct watch *w, uint32_t subject, struct subject *s)
{
    int64_t due = INT64_MAX, one;
    uint32_t slot, i;

    for (slot = 0; slot < SLOTS; slot++)
        for (i = 0; is_timed(s, slot) && i < w->plan.count; i++) {
            one = judge_due(&w->plan.rules[i], &states_of(w, s, slot)[i]);
            due = one < due ? one : due;
        }
    if (s->is_armed && s->armed_ns == due)
        return;
    s->is_armed = 1;
    s->armed_ns = due;
    w->host->timer(w->host, subject, due);
}

/* The slot of a stream, a new one if it has none; SLOTS: all are taken. */
static uint32_t slot_take(struct watch *w, struct subject *s, uint32_t stream, bool events)
{
    uint32_t i, free = SLOTS;

    for (i = 0; i < SLOTS; i++) {
        if (s->slots[i].stream == stream && s->slots[i].events == events)
            return i;
        if (!s->slots[i].stream && free == SLOTS)
            free = i;
    }
    if (free == SLOTS) {
        w->tally[METRIC_UNWATCHED]++;
        return SLOTS;
    }
    s->slots[free].stream = stream;
    s->slots[free].events = events;
    return free;
}

static int64_t early_by(int64_t last_ns, int64_t at_ns)
{
    int64_t by;

    return __builtin_sub_overflow(last_ns, at_ns, &by) ? INT64_MAX : by;
}

static void subject_set(struct subject *s, const struct aff_record *r)
{
    s->last_ns = r->event_ns;
    s->last_stream = r->stream;
    s->clock = r->clock;
    s->has_back = 0;
    s->begun = 1;
}

/* The time of the host's timers, by their rule: two records in a row that are far too
 * early, of the stream that the latest time is of, are a clock that was set back. */
static void subject_note(struct subject *s, const struct aff_record *r)
{
    bool is_far;

    if (!s->begun || r->event_ns >= s->last_ns) {
        subject_set(s, r);
        return;
    }
    if (s->last_stream != r->stream)
        return;
    is_far = early_by(s->last_ns, r->event_ns) >= BACK_NS;
    if (s->has_back && r->event_ns >= s->back_ns && is_far) {
        subject_set(s, r);
        return;
    }
    s->has_back = is_far;
    s->back_ns = r->event_ns;
}

static void slot_set_back(struct watch *w, struct subject *s, uint32_t slot, int64_t by_ns)
{
    struct slot *to = &s->slots[slot];
    uint32_t i;

    for (i = 0; i < w->plan.count; i++)
        judge_set_back(&w->plan.rules[i], &states_of(w, s, slot)[i], by_ns);
    to->is_behind = 1;
    to->caught_ns = to->last_ns > s->last_ns ? to->last_ns : s->last_ns;
}

/* A record that is a little early came by another way, and moves nothing back. One
 * that is far too early may be a stray one; two in a row are a clock that was set. */
static void slot_note(struct watch *w, struct subject *s, uint32_t slot, int64_t at_ns)
{
    struct slot *to = &s->slots[slot];

    if (to->begun && at_ns < to->last_ns) {
        if (early_by(to->last_ns, at_ns) < BACK_NS)
            return;
        if (!to->has_back || at_ns < to->back_ns) {
            to->has_back = 1;
            to->back_ns = at_ns;
            return;
        }
        slot_set_back(w, s, slot, early_by(to->last_ns, to->back_ns));
    }
    to->begun = 1;
    to->has_back = 0;
    to->last_ns = at_ns;
    to->is_behind = to->is_behind && at_ns < to->caught_ns;
}

static aff_status record_take(struct watch *w, const struct aff_batch *batch, uint32_t input)
{
    const struct aff_record *r = &batch->records[input];
    const struct telling t = { input, r->subject, r };
    struct subject *kept = w->host->state(w->host, r->subject);
    aff_status st = AFF_OK;
    uint32_t slot;

    if (!kept)
        return AFF_ERR_MEMORY;
    memset(w->tally, 0, sizeof w->tally);
    w->top = r->subject > w->top ? r->subject : w->top;
    memcpy(w->work, kept, w->state_bytes);
    subject_note(w->work, r);
    slot = slot_take(w, w->work, r->stream, batch->port == PORT_EVENTS);
    if (slot < SLOTS)
        slot_note(w, w->work, slot, r->event_ns);
    if (slot < SLOTS)
        st = batch->port == PORT_EVENTS ? event_judge(w, &t, w->work, slot, r) : record_judge(w, &t, w->work, slot, r);
    if (st == AFF_ERR_DATA) {
        batch->verdicts[input] = VERDICT_BAD_EVENT;
        return AFF_OK;
    }
    if (st < 0)
        return st;
    memcpy(kept, w->work, w->state_bytes);
    timer_arm(w, r->subject, kept);
    tally_send(w);
    return AFF_OK;
}

aff_status watch_process(void *self, const struct aff_batch *batch, uint32_t *ret_taken)
{
    aff_status st;

    for (*ret_taken = 0; *ret_taken < batch->count; (*ret_taken)++) {
        st = record_take(self, batch, *ret_taken);
        if (st != AFF_OK)
            return st;
    }
    return AFF_OK;
}

/* ---- time and ends ---- */

aff_status watch_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct watch *w = self;
    const struct telling t = { AFF_NO_INPUT, subject, NULL };
    struct subject *s = w->host->state(w->host, subject);
    aff_status st = AFF_OK;
    uint32_t slot, i;

    if (!s)
        return AFF_OK;
    memset(w->tally, 0, sizeof w->tally);
    for (slot = 0; slot < SLOTS && st == AFF_OK; slot++)
        for (i = 0; is_timed(s, slot) && i < w->plan.count && st == AFF_OK; i++)
            st = rule_settle(w, &t, s, i, &states_of(w, s, slot)[i], due_ns, false);
    tally_send(w);
    if (st == AFF_OK) {
        s->is_armed = 0;
        timer_arm(w, subject, s);
    }
    return st;
}

static bool slots_empty(const struct subject *s)
{
    uint32_t i;

    for (i = 0; i < SLOTS; i++)
        if (s->slots[i].stream)
            return false;
    return true;
}

static void slot_clear(struct watch *w, struct subject *s, uint32_t slot)
{
    int32_t before = watch_active(w, s);

    memset(states_of(w, s, slot), 0, w->plan.count * sizeof(struct rule_state));
    memset(&s->slots[slot], 0, sizeof s->slots[slot]);
    memset(w->tally, 0, sizeof w->tally);
    w->tally[METRIC_ACTIVE] = watch_active(w, s) - before;
    tally_send(w);
}

aff_status watch_stream_end(void *self, uint32_t port, const struct aff_record *mark)
{
    struct watch *w = self;
    struct subject *s = w->host->state(w->host, mark->subject);
    aff_status st = AFF_OK;
    uint32_t i;

    for (i = 0; s && i < SLOTS; i++)
        if (s->slots[i].stream == mark->stream && s->slots[i].events == (port == PORT_EVENTS))
            slot_clear(w, s, i);
    if (!s || !s->begun || !slots_empty(s)) {
        if (s && s->begun)
            timer_arm(w, mark->subject, s);
        return AFF_OK;
    }
    st = tell_subject_end(w, mark->subject, s);
    if (st < 0)
        return st;
    w->host->timer(w->host, mark->subject, INT64_MAX);
    memset(s, 0, w->state_bytes);
    return AFF_OK;
}

/* A place without {subject} has its streams for all subjects; they end with the
 * last input. */
aff_status watch_drain(void *self)
{
    return tell_all_end(self);
}
