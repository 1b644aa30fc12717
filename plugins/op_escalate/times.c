/* times.c - when steps are due: by the data's time, by this node's clock, over a restart.
 *
 * The host calls its timer by event time, and by the boot clock once all sources above
 * wait. Alerts come seldom, and a source above that is never idle would keep it from
 * being called; so where data is live the boot clock stands in, LATE_NS later.
 *
 * After a restart the stamps tell how long ago the latest row was: by the boot clock,
 * which goes on unless the node lost its power, and by UTC where that was synchronised
 * then and is now. What fell due meanwhile is told at once. Where neither tells, steps
 * wait as long as they had to: late rather than not at all, and never the whole ladder
 * at every start.
 *
 * Not here: who is told (ladder.c). */
#include "escalate.h"

#define SECOND_NS INT64_C(1000000000)
#define LATE_NS (3 * SECOND_NS) /* behind the host's timer, which waits for one */
#define LOOK_NS (5 * SECOND_NS) /* how often it is asked whether UTC is right by now */

/* A recording is read again with the same times, whatever this node's clock says. */
bool times_is_live(const struct subject *s)
{
    return s->begun && (s->clock == AFF_CLOCK_DEVICE || s->clock == AFF_CLOCK_SYNCED);
}

static void stamp(struct escalate *e, struct subject *s)
{
    s->boot_ns = e->host->now_ns(e->host);
    s->utc_ns = e->host->utc_ns(e->host, &s->utc_clock);
}

static int64_t latest_of(const struct subject *s)
{
    return clocks_add(s->clocks.latest_ns, s->slack_ns);
}

/* The event time that belongs to a time of the place's. */
static int64_t event_of(const struct subject *s, int64_t own_ns)
{
    return clocks_sub(clocks_sub(own_ns, s->clocks.shift_ns), s->slack_ns);
}

int64_t times_behind(const struct subject *s)
{
    return clocks_add(event_of(s, s->now_ns), 1);
}

void times_note(struct escalate *e, struct subject *s, const struct aff_record *r)
{
    const struct aff_stream_info *info = e->host->stream_info(e->host, r->stream);
    int64_t offset_ns;

    (void)clocks_note(&s->clocks, info ? name_hash(info->name) : 0, r->event_ns, &offset_ns);
    if (s->begun && latest_of(s) < s->now_ns) /* told at a time that the data has not come to */
        s->slack_ns = clocks_add(s->slack_ns, s->now_ns - latest_of(s));
    s->now_ns = latest_of(s);
    s->is_resumed = 0;
    s->begun = 1;
    s->clock = r->clock;
    stamp(e, s);
}

/* ---- waiting ---- */

/* When the boot clock stands in; INT64_MAX: not. */
static int64_t late_of(const struct subject *s, int64_t due_boot_ns)
{
    if (!times_is_live(s))
        return INT64_MAX;
    return time_add(due_boot_ns, s->is_resumed ? 0 : LATE_NS);
}

static void wake_arm(struct escalate *e, int64_t at_ns)
{
    if (at_ns >= e->wake_ns)
        return;
    e->wake_ns = at_ns;
    e->host->wake_at(e->host, at_ns);
}

void times_arm(struct escalate *e, uint32_t subject, struct subject *s)
{
    struct moment next = subject_due(&e->plan, s);
    int64_t due = next.own_ns;

    wake_arm(e, late_of(s, next.boot_ns));
    if (due != INT64_MAX)
        due = event_of(s, due);
    if (s->is_armed && s->armed_ns == due)
        return;
    s->is_armed = 1;
    s->armed_ns = due;
    e->host->timer(e->host, subject, due);
}

/* The place's time has come to `own_ns` without a row. */
static aff_status time_pass(struct escalate *e, uint32_t subject, struct subject *s, int64_t own_ns)
{
    struct telling t = { AFF_NO_INPUT, subject, s, 0 };
    aff_status st;

    s->now_ns = own_ns > s->now_ns ? own_ns : s->now_ns;
    t.event_ns = event_of(s, s->now_ns);
    stamp(e, s);
    st = due_tell(e, &t, s->now_ns);
    tally_count(e);
    return st;
}

/* The place's time now, by this node's clock since its latest row. */
static int64_t own_now(const struct escalate *e, const struct subject *s)
{
    int64_t now = e->host->now_ns(e->host);

    return times_is_live(s) && now > s->boot_ns ? clocks_add(s->now_ns, now - s->boot_ns) : s->now_ns;
}

aff_status times_tell(struct escalate *e, struct telling *t)
{
    struct subject *s = t->state;

    s->now_ns = own_now(e, s);
    t->event_ns = times_behind(s);
    stamp(e, s);
    return due_tell(e, t, s->now_ns);
}

aff_status escalate_timer(void *self, uint32_t subject, int64_t due_ns)
{
    struct escalate *e = self;
    struct subject *s = subject_of(e, subject);
    int64_t own;
    aff_status st;

    if (!s || !s->begun)
        return AFF_OK;
    own = clocks_add(clocks_add(due_ns, s->clocks.shift_ns), s->slack_ns);
    st = time_pass(e, subject, s, own);
    if (st != AFF_OK)
        return st;
    s->is_armed = 0;
    times_arm(e, subject, s);
    return AFF_OK;
}

/* The place's time now, at which all is due that is so by the boot clock. */
static int64_t overdue(const struct escalate *e, const struct subject *s, int64_t now_ns)
{
    int64_t own = own_now(e, s);
    uint32_t i;

    for (i = 0; i < e->plan.most; i++) {
        struct moment due = ladder_due(&e->plan, &s->alerts[i]);

        if (due.own_ns > own && late_of(s, due.boot_ns) <= now_ns)
            own = due.own_ns;
    }
    return own;
}

aff_status escalate_wake(void *self)
{
    struct escalate *e = self;
    int64_t now = e->host->now_ns(e->host);
    aff_status st = AFF_OK;
    uint32_t i;

    e->wake_ns = INT64_MAX;
    if (e->unsynced)
        times_resume(e);
    for (i = 1; i <= e->top && st == AFF_OK; i++) {
        struct subject *s = subject_of(e, i);

        while (s && st == AFF_OK && late_of(s, subject_due(&e->plan, s).boot_ns) <= now)
            st = time_pass(e, i, s, overdue(e, s, now));
        if (s && s->begun)
            times_arm(e, i, s);
    }
    if (st != AFF_OK) /* no room: soon again */
        wake_arm(e, now + SECOND_NS / 10);
    return st;
}

/* ---- a restart ---- */

/* How long ago the place's latest row or telling was; *ret_knows: also without power. */
static int64_t ago(const struct escalate *e, const struct subject *s, bool *ret_knows)
{
    int64_t boot = e->host->now_ns(e->host), gone = boot >= s->boot_ns ? boot - s->boot_ns : boot, utc;
    uint8_t clock;

    utc = e->host->utc_ns(e->host, &clock);
    *ret_knows = clock == AFF_CLOCK_SYNCED || s->utc_clock != AFF_CLOCK_SYNCED;
    if (clock != AFF_CLOCK_SYNCED || s->utc_clock != AFF_CLOCK_SYNCED || __builtin_sub_overflow(utc, s->utc_ns, &utc))
        return gone;
    return utc > gone ? utc : gone;
}

/* Stamps of another boot mean nothing to this one's clock: all are moved along. */
static void moments_move(const struct escalate *e, struct subject *s, int64_t by_ns)
{
    uint32_t i, k;

    s->boot_ns += by_ns;
    for (i = 0; i < e->plan.most; i++) {
        s->alerts[i].raised.boot_ns += by_ns;
        for (k = 0; k < STEPS_MOST; k++)
            s->alerts[i].rungs[k].told.boot_ns += by_ns;
    }
}

void times_resume(struct escalate *e)
{
    int64_t now = e->host->now_ns(e->host);
    bool knows;
    uint32_t i;

    e->unsynced = 0;
    for (i = 1; i <= e->top; i++) {
        struct subject *s = subject_of(e, i);

        if (!s || !times_is_live(s))
            continue;
        moments_move(e, s, now - ago(e, s, &knows) - s->boot_ns);
        if (subject_due(&e->plan, s).own_ns == INT64_MAX)
            continue;
        s->is_resumed = 1;
        e->unsynced |= !knows;
        times_arm(e, i, s);
    }
    if (e->unsynced)
        wake_arm(e, now + LOOK_NS);
}
