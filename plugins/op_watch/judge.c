/* SPDX-License-Identifier: Apache-2.0
 *
 * judge.c - the phases of one rule on one stream, moved by data and by time.
 *
 * Kinds silent and flat are about what does not happen: they are pending from each
 * record, or change, on, and cleared by one that comes when all was well for
 * `clear_for`. Flat is judged by values alone, never by a timer: where values stop,
 * that is silence.
 *
 * What has to be told is left in `untold` and made one record at a time, so that a
 * record that cannot be made now is made later, and none twice. */
#include "judge.h"

#include <math.h>
#include <string.h>

bool judge_active(const struct rule_state *s)
{
    return s->phase == PHASE_RAISED || s->phase == PHASE_CLEARING;
}

static void phase_set(struct rule_state *s, enum phase phase, int64_t at_ns)
{
    s->phase = (uint8_t)phase;
    s->since_ns = at_ns;
}

/* A pause in what should be steady makes the wait for calm begin anew. */
void judge_activity(const struct rule *r, struct rule_state *s, int64_t at_ns)
{
    bool paused = s->has_last && at_ns - s->last_ns >= r->config->hold;

    switch (s->phase) {
    case PHASE_RAISED:
        phase_set(s, PHASE_CLEARING, at_ns);
        break;
    case PHASE_CLEARING:
        if (paused)
            s->since_ns = at_ns;
        break;
    default:
        phase_set(s, PHASE_PENDING, at_ns);
    }
    s->last_ns = at_ns;
    s->has_last = 1;
}

void judge_condition(const struct rule *r, struct rule_state *s, int64_t at_ns, bool holds)
{
    (void)r;
    switch (s->phase) {
    case PHASE_PENDING:
        if (!holds)
            phase_set(s, PHASE_IDLE, at_ns);
        break;
    case PHASE_RAISED:
        if (!holds)
            phase_set(s, PHASE_CLEARING, at_ns);
        break;
    case PHASE_CLEARING:
        if (holds)
            phase_set(s, PHASE_RAISED, at_ns);
        break;
    default:
        phase_set(s, holds ? PHASE_PENDING : PHASE_IDLE, at_ns);
    }
    s->last_ns = at_ns;
    s->has_last = 1;
}

/* A value that stayed the same while nothing was seen was not seen to stay so. */
void judge_flat(const struct rule *r, struct rule_state *s, int64_t at_ns, double value)
{
    bool paused = s->has_reference && at_ns - s->seen_ns >= r->config->hold;

    s->seen_ns = at_ns;
    if (!s->has_reference || (paused && !judge_active(s)) || !(fabs(value - s->reference) <= r->config->tolerance)) {
        s->reference = value;
        s->has_reference = 1;
        judge_activity(r, s, at_ns);
    }
}

/* ---- bad frames: how many in the last `within`, in eighths of it ---- */

static int64_t bucket_of(const struct rule *r, int64_t at_ns)
{
    int64_t whole = at_ns / r->bucket_ns;

    return at_ns % r->bucket_ns < 0 ? whole - 1 : whole;
}

static uint64_t counts_sum(const struct rule_state *s)
{
    uint64_t sum = 0;
    uint32_t i;

    for (i = 0; i < JUDGE_BUCKETS; i++)
        sum += s->counts[i];
    return sum;
}

/* Lets go of buckets that are older than `within`. */
static void counts_age(const struct rule *r, struct rule_state *s, int64_t at_ns)
{
    int64_t bucket = bucket_of(r, at_ns);

    if (bucket - s->bucket >= JUDGE_BUCKETS || s->phase == PHASE_NEW)
        memset(s->counts, 0, sizeof s->counts);
    else
        for (; s->bucket < bucket; s->bucket++)
            s->counts[(uint64_t)(s->bucket + 1) % JUDGE_BUCKETS] = 0;
    if (bucket > s->bucket || s->phase == PHASE_NEW)
        s->bucket = bucket;
}

void judge_bad(const struct rule *r, struct rule_state *s, int64_t at_ns, uint32_t count)
{
    uint32_t *to;

    counts_age(r, s, at_ns);
    to = &s->counts[(uint64_t)s->bucket % JUDGE_BUCKETS];
    *to = count > UINT32_MAX - *to ? UINT32_MAX : *to + count;
    judge_condition(r, s, at_ns, counts_sum(s) > (uint64_t)r->config->most);
}

/* The counts keep their ages. */
static void counts_set_back(const struct rule *r, struct rule_state *s, int64_t by_ns)
{
    uint32_t old[JUDGE_BUCKETS];
    int64_t to = s->bucket - by_ns / r->bucket_ns;
    uint32_t i;

    memcpy(old, s->counts, sizeof old);
    for (i = 0; i < JUDGE_BUCKETS; i++)
        s->counts[(uint64_t)(to - i) % JUDGE_BUCKETS] = old[(uint64_t)(s->bucket - i) % JUDGE_BUCKETS];
    s->bucket = to;
}

static void set_back(int64_t *at_ns, int64_t by_ns)
{
    if (__builtin_sub_overflow(*at_ns, by_ns, at_ns))
        *at_ns = INT64_MIN;
}

void judge_set_back(const struct rule *r, struct rule_state *s, int64_t by_ns)
{
    int64_t *const times[] = { &s->since_ns, &s->began_ns, &s->last_ns, &s->command_ns, &s->seen_ns, &s->at_ns };
    uint32_t i;

    for (i = 0; i < sizeof times / sizeof times[0]; i++)
        set_back(times[i], by_ns);
    for (i = 0; i < COMMANDS_MOST; i++)
        set_back(&s->sent_ns[i], by_ns);
    if (r->kind == KIND_RATE && s->phase != PHASE_NEW)
        counts_set_back(r, s, by_ns);
}

/* When the oldest counts are let go; INT64_MAX: there are none. */
static int64_t counts_due(const struct rule *r, const struct rule_state *s)
{
    int64_t next;

    if (r->kind != KIND_RATE || s->phase == PHASE_NEW || s->phase == PHASE_IDLE || !counts_sum(s) ||
        __builtin_mul_overflow(s->bucket + 1, r->bucket_ns, &next))
        return INT64_MAX;
    return next;
}

static void counts_step(const struct rule *r, struct rule_state *s, int64_t now_ns)
{
    int64_t due;

    while ((due = counts_due(r, s)) <= now_ns) {
        counts_age(r, s, due);
        if (counts_sum(s) <= (uint64_t)r->config->most)
            judge_condition(r, s, due, false);
    }
}

/* ---- commands ---- */

/* When one more is allowed: `command_most` in any `command_within`. */
static int64_t command_allowed(const struct rule *r, const struct rule_state *s)
{
    uint32_t most = (uint32_t)r->config->command_most;

    return s->sent < most ? INT64_MIN : time_add(s->sent_ns[(s->sent - most) % COMMANDS_MOST], r->config->command_within);
}

/* A command, or, where they are used up, whoever can help; false: neither. */
static bool command_step(const struct rule *r, struct rule_state *s, int64_t at_ns)
{
    int64_t allowed = command_allowed(r, s);

    if (allowed <= at_ns) {
        s->sent_ns[s->sent % COMMANDS_MOST] = at_ns;
        s->sent++;
        s->command_ns = time_add(at_ns, r->config->retry_every);
        s->event = EVENT_COMMANDED;
        s->untold = TELL_EVENT | TELL_COMMAND;
        s->at_ns = at_ns;
        return true;
    }
    s->command_ns = allowed;
    if (s->escalated)
        return false;
    s->escalated = 1;
    s->event = EVENT_ESCALATED;
    s->alert_state = s->is_told ? STATE_REPEATED : STATE_RAISED;
    s->untold = (uint8_t)(TELL_EVENT | (r->alerts ? TELL_ALERT : 0));
    s->at_ns = at_ns;
    return true;
}

/* ---- time ---- */

static int64_t pending_due(const struct rule *r, const struct rule_state *s)
{
    return time_add(s->since_ns, r->config->hold);
}

static int64_t clearing_due(const struct rule *r, const struct rule_state *s)
{
    return time_add(s->since_ns, r->config->clear_for);
}

/* About what does not happen: one record, or change, is not yet that it does again. */
static bool by_activity(const struct rule *r)
{
    return r->kind == KIND_SILENT || r->kind == KIND_FLAT;
}

/* When a stream that had begun again is silent once more. */
static int64_t again_due(const struct rule *r, const struct rule_state *s)
{
    return by_activity(r) ? time_add(s->last_ns, r->config->hold) : INT64_MAX;
}

int64_t judge_due(const struct rule *r, const struct rule_state *s)
{
    int64_t due = counts_due(r, s), own = INT64_MAX;
    bool timed = r->kind != KIND_FLAT;

    if (s->phase == PHASE_PENDING && timed)
        own = pending_due(r, s);
    if (s->phase == PHASE_CLEARING && timed)
        own = by_activity(r) ? again_due(r, s) : clearing_due(r, s);
    if (s->phase == PHASE_RAISED && r->commands)
        own = s->command_ns;
    return own < due ? own : due;
}

static void raise_step(const struct rule *r, struct rule_state *s)
{
    int64_t at_ns = pending_due(r, s);

    s->began_ns = s->since_ns;
    s->escalated = 0;
    s->is_told = 0;
    s->tellings = 0;
    s->command_ns = at_ns;
    phase_set(s, PHASE_RAISED, at_ns);
    s->event = EVENT_RAISED;
    s->alert_state = STATE_RAISED;
    s->untold = (uint8_t)(TELL_EVENT | (r->alerts && r->config->alert == ALERT_RAISED ? TELL_ALERT : 0));
    s->at_ns = at_ns;
}

static void clear_step(const struct rule *r, struct rule_state *s)
{
    s->at_ns = clearing_due(r, s);
    s->event = EVENT_CLEARED;
    s->alert_state = STATE_ENDED;
    s->untold = (uint8_t)(TELL_EVENT | (s->is_told ? TELL_ALERT : 0));
    if (by_activity(r))
        phase_set(s, PHASE_PENDING, s->last_ns);
    else
        phase_set(s, PHASE_IDLE, s->at_ns);
}

bool judge_step(const struct rule *r, struct rule_state *s, int64_t now_ns, bool by_data)
{
    counts_step(r, s, now_ns);
    if (r->kind == KIND_FLAT && !by_data && s->phase != PHASE_RAISED)
        return false;
    switch (s->phase) {
    case PHASE_PENDING:
        if (pending_due(r, s) > now_ns)
            return false;
        raise_step(r, s);
        return true;
    case PHASE_CLEARING:
        if (again_due(r, s) <= now_ns) {
            phase_set(s, PHASE_RAISED, again_due(r, s));
            return judge_step(r, s, now_ns, by_data);
        }
        if (clearing_due(r, s) > now_ns || (by_activity(r) && !by_data))
            return false;
        clear_step(r, s);
        return true;
    case PHASE_RAISED:
        return r->commands && s->command_ns <= now_ns && command_step(r, s, s->command_ns);
    default:
        return false;
    }
}
