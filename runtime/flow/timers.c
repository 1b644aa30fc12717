/* timers.c - event times that a node waits for, one a subject.
 *
 * A timer is called right before the subject's first record that is later than
 * it. Where data stops there is no such record: then it is called when as much
 * time has passed on the boot clock as lay between the subject's last record and
 * the timer, and a second more for what is on its way; but only while all sources
 * above that have not ended wait for data themselves. A source that reads as fast as it can, or is
 * held up by a slow sink, is not waiting: a replay's timers run on event time
 * alone. A clock that is set back takes the subject's latest time with it: see
 * time_note.
 *
 * Not here: timers on the boot clock (wake_at: lane.c). */
#include <stdlib.h>
#include <string.h>

#include "flow/lane.h"
#include "flow/snap_inside.h"

#define GRACE_NS 1000000000
#define BUSY_NS 50000000 /* when to look again while a source is busy */
#define BACK_NS INT64_C(60000000000) /* farther back than records of one stream come in disorder */

struct timer {
    int64_t due_ns;  /* event time */
    int64_t last_ns; /* event time of the subject's latest record */
    int64_t back_ns; /* of the record before, if has_back: far too early for its stream */
    int64_t boot_ns; /* when the latest record came */
    uint32_t stream; /* whose time last_ns is; 0: of any, after a restart */
    struct aff_id first; /* of the subject's first record: names it without its name */
    uint32_t generation;
    uint8_t clock;
    bool is_set;
    bool is_seen;
    bool has_back;
    bool resent; /* the latest record was: so may be what the timer makes */
};

/* Sources from which data comes to the node, by any way. */
static bool sources_find(struct node *node)
{
    const struct plan *plan = node->flow->plan;
    bool *above = calloc(plan->node_count, sizeof *above), more = true;
    uint32_t n, e;

    node->timers.sources = calloc(plan->node_count, sizeof *node->timers.sources);
    if (!above || !node->timers.sources) {
        free(above);
        return false;
    }
    above[node->index] = true;
    while (more) {
        more = false;
        for (e = 0; e < plan->edge_count; e++) {
            const struct plan_edge *edge = &plan->edges[e];

            more |= above[edge->to] && !above[edge->from];
            above[edge->from] |= above[edge->to];
        }
    }
    for (n = 0; n < plan->node_count; n++)
        if (above[n] && plan->nodes[n].plugin->about.kind == AFF_SOURCE)
            node->timers.sources[node->timers.source_count++] = &node->flow->nodes[n];
    free(above);
    return true;
}

bool timers_open(struct node *node)
{
    node->timers.next_ns = INT64_MAX;
    if (!node->about->timer)
        return true;
    node->timers.slots = calloc(NAMES_SUBJECTS + 1u, sizeof *node->timers.slots);
    return node->timers.slots && sources_find(node);
}

void timers_close(struct timers *timers)
{
    free(timers->slots);
    free(timers->sources);
}

static struct timer *slot_of(struct node *node, uint32_t subject)
{
    uint32_t generation = names_subject_generation(node->flow->names, subject);
    struct timer *t = &node->timers.slots[subject];

    if (t->generation != generation)
        *t = (struct timer){ .generation = generation };
    if (subject >= node->timers.used)
        node->timers.used = subject + 1u;
    return t;
}

/* Without overflow for any event times, which data may get wrong. */
static int64_t boot_due(const struct timer *t)
{
    int64_t span, due;

    if (!t->is_set || !t->is_seen)
        return INT64_MAX;
    if (__builtin_sub_overflow(t->due_ns, t->last_ns, &span))
        return INT64_MAX;
    if (span < 0)
        span = 0;
    if (__builtin_add_overflow(t->boot_ns + GRACE_NS, span, &due))
        return INT64_MAX;
    return due;
}

bool timers_set(struct node *node, uint32_t subject, int64_t due_ns)
{
    struct timer *t;

    if (!node->timers.slots || subject == 0 || subject > NAMES_SUBJECTS)
        return false;
    t = slot_of(node, subject);
    t->is_set = due_ns != INT64_MAX;
    t->due_ns = due_ns;
    if (boot_due(t) < node->timers.next_ns)
        node->timers.next_ns = boot_due(t);
    return true;
}

static bool call(struct node *node, uint32_t subject, struct timer *t)
{
    struct aff_record due = { .subject = subject, .event_ns = t->due_ns, .clock = t->clock };

    due.seen_ns = clock_now(&node->flow->clock);
    due.id = t->first;
    due.flags = t->resent ? AFF_FLAG_RESENT : 0;
    t->is_set = false;
    if (!node_timer(node, &due))
        return false;
    if (!t->is_set || t->due_ns > due.event_ns)
        return true;
    flow_fail(node->flow, node, AFF_ERR_BUG, "a timer asked for a time that is not later than its own");
    return false;
}

static void time_set(struct timer *t, const struct aff_record *record)
{
    t->last_ns = record->event_ns;
    t->stream = record->stream;
    t->has_back = false;
}

/* It goes on from the one before, and is far from the latest, too, or nearer to the
 * one before. */
static bool is_second(const struct timer *t, const struct aff_record *record, int64_t early)
{
    int64_t on;

    if (!t->has_back || __builtin_sub_overflow(record->event_ns, t->back_ns, &on) || on < 0)
        return false;
    return early >= BACK_NS || on < early;
}

/* One record that is far too early is disorder and sets nothing; two in a row, of
 * the stream that the latest time is of, are a clock that was set back. Kept at the
 * old time, a timer of the new one would look overdue, and be called by the clock
 * after a second however far off it is. Another stream that is behind is just that. */
static void time_note(struct timer *t, const struct aff_record *record)
{
    int64_t early;

    if (!t->is_seen || record->event_ns >= t->last_ns) {
        time_set(t, record);
        return;
    }
    if (t->stream != 0 && t->stream != record->stream)
        return;
    t->stream = record->stream;
    if (__builtin_sub_overflow(t->last_ns, record->event_ns, &early))
        early = INT64_MAX;
    if (is_second(t, record, early)) {
        time_set(t, record);
        return;
    }
    t->has_back = early >= BACK_NS;
    t->back_ns = record->event_ns;
}

bool timers_pass(struct node *node, const struct aff_record *record)
{
    struct timer *t = slot_of(node, record->subject);

    while (t->is_set && t->due_ns < record->event_ns)
        if (!call(node, record->subject, t))
            return false;
    if (!t->is_seen)
        t->first = record->id;
    time_note(t, record);
    t->is_seen = true;
    t->resent = (record->flags & AFF_FLAG_RESENT) != 0;
    t->boot_ns = clock_now(&node->flow->clock);
    if (boot_due(t) < node->timers.next_ns) /* its time may have come forward again */
        node->timers.next_ns = boot_due(t);
    t->clock = record->clock;
    return true;
}

int64_t timers_next(const struct node *node)
{
    return node->timers.next_ns;
}

/* The end of a recording is not a silence: where all have ended nobody waits. */
static bool sources_wait(const struct timers *timers)
{
    bool any = false;
    uint32_t i;

    for (i = 0; i < timers->source_count; i++) {
        int give = atomic_load_explicit(&timers->sources[i]->give, memory_order_relaxed);

        if (give == GIVE_BUSY)
            return false;
        any |= give == GIVE_WAITS;
    }
    return any;
}

bool timers_call(struct node *node, int64_t now_ns)
{
    struct timers *ts = &node->timers;
    int64_t next = INT64_MAX, due;
    uint32_t i;

    if (ts->next_ns > now_ns)
        return true;
    for (i = 1; i < ts->used; i++) {
        struct timer *t = &ts->slots[i];

        if (t->generation != names_subject_generation(node->flow->names, i))
            continue;
        if (boot_due(t) <= now_ns && sources_wait(ts) && !call(node, i, t))
            return false;
        due = boot_due(t);
        if (due <= now_ns)
            due = now_ns + BUSY_NS;
        next = due < next ? due : next;
    }
    ts->next_ns = next;
    return true;
}

/* ---- kept from one run to the next ---- */

enum { TIMER_SET = 1, TIMER_SEEN = 2 };

void timers_save(struct node *node, struct wire *wire)
{
    const struct timers *ts = &node->timers;
    size_t at = wire->size;
    uint32_t i, count = 0;
    uint64_t name;

    wire_u32(wire, 0);
    for (i = 1; i < ts->used; i++) {
        const struct timer *t = &ts->slots[i];

        if ((!t->is_set && !t->is_seen) || !names_subject_is(node->flow->names, i, t->generation, &name))
            continue;
        wire_u32(wire, i);
        wire_u32(wire, t->generation);
        wire_u64(wire, name);
        wire_u64(wire, (uint64_t)t->due_ns);
        wire_u64(wire, (uint64_t)t->last_ns);
        wire_u64(wire, t->first.source);
        wire_u64(wire, t->first.seq);
        wire_u8(wire, t->clock);
        wire_u8(wire, (uint8_t)((t->is_set ? TIMER_SET : 0) | (t->is_seen ? TIMER_SEEN : 0)));
        count++;
    }
    wire_patch_u32(wire, at, count);
}

/* The boot clock began anew: silence counts from now. */
static void load(struct node *node, uint32_t subject, const struct timer *from, uint64_t name)
{
    struct timer *t;
    uint64_t is;

    if (!names_subject_is(node->flow->names, subject, from->generation, &is) || is != name)
        return;
    t = slot_of(node, subject);
    *t = *from;
    t->boot_ns = clock_now(&node->flow->clock);
    if (boot_due(t) < node->timers.next_ns)
        node->timers.next_ns = boot_due(t);
}

bool timers_load(struct node *node, struct wire_in *in, bool apply)
{
    uint32_t i, count = wire_in_u32(in);

    if (count > 0 && !node->timers.slots)
        return false;
    for (i = 0; i < count; i++) {
        uint32_t subject = wire_in_u32(in);
        struct timer t = { .generation = wire_in_u32(in) };
        uint64_t name = wire_in_u64(in);
        uint8_t flags;

        t.due_ns = (int64_t)wire_in_u64(in);
        t.last_ns = (int64_t)wire_in_u64(in);
        t.first.source = wire_in_u64(in);
        t.first.seq = wire_in_u64(in);
        t.clock = wire_in_u8(in);
        flags = wire_in_u8(in);
        t.is_set = (flags & TIMER_SET) != 0;
        t.is_seen = (flags & TIMER_SEEN) != 0;
        if (in->bad || subject == 0 || subject > NAMES_SUBJECTS || t.clock > AFF_CLOCK_SYNCED ||
            flags > (TIMER_SET | TIMER_SEEN))
            return false;
        if (apply)
            load(node, subject, &t, name);
    }
    return !in->bad;
}

void timers_reset(struct timers *timers)
{
    if (timers->slots)
        memset(timers->slots, 0, timers->used * sizeof *timers->slots);
    timers->used = 0;
    timers->next_ns = INT64_MAX;
}
