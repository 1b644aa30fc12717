/* SPDX-License-Identifier: Apache-2.0
 *
 * timers.c - host->timer: event times that a node waits for, one a subject.
 *
 * A timer is called right before the subject's first record that is later than
 * it, or when the test moves the clock far enough: by what lay between the
 * subject's last record and the timer, and a second more for data on its way.
 *
 * Not here: wake_at (events.c). */
#include "host.h"

#define GRACE_NS 1000000000
#define BACK_NS INT64_C(60000000000) /* farther back than records of one stream come in disorder */

void host_timer(const struct aff_host *host, uint32_t subject, int64_t due_ns)
{
    struct aff_harness *h = host_enter(host, "timer");
    size_t i;

    data_only(h, "timer");
    if (!h->plugin.timer)
        kit_breach(h, "host->timer was called, and there is no callback timer");
    if (subject == 0 || subject > h->names.subject_count)
        kit_breach(h, "host->timer was called with subject %u, which is unknown", (unsigned)subject);
    if (subject >= h->timer_count) {
        h->timers = realloc(h->timers, (subject + 1u) * sizeof *h->timers);
        if (!h->timers)
            kit_misuse("the test itself has no memory left");
        for (i = h->timer_count; i <= subject; i++)
            h->timers[i] = (struct timer){ .due_ns = INT64_MAX, .last_ns = INT64_MIN };
        h->timer_count = subject + 1u;
    }
    h->timers[subject].due_ns = due_ns;
}

static aff_status timer_call(struct aff_harness *h, uint32_t subject)
{
    int64_t due = h->timers[subject].due_ns;
    struct aff_record mark;
    aff_status status;
    int again;

    h->timers[subject].due_ns = INT64_MAX;
    memset(&mark, 0, sizeof mark);
    mark.subject = subject;
    mark.event_ns = due;
    mark.seen_ns = h->boot_ns;
    do {
        call_begin(h, CB_TIMER);
        h->call.due = &mark;
        status = h->plugin.timer(h->self, subject, due);
        settle_loose(h);
        again = call_end(h, status);
    } while (again);
    if (h->timers[subject].due_ns <= due && status >= AFF_OK)
        kit_breach(h, "timer: asked for a time that is not later than the one it was called for");
    return status;
}

static void time_set(struct timer *t, const struct aff_record *record)
{
    t->last_ns = record->event_ns;
    t->stream = record->stream;
    t->has_back = 0;
}

/* As the host does: one record that is far too early is disorder, two in a row of the
 * stream that the latest time is of are a clock that was set back. */
static void time_note(struct timer *t, const struct aff_record *record)
{
    int64_t early, on;

    if (!t->boot_ns || record->event_ns >= t->last_ns) {
        time_set(t, record);
        return;
    }
    if (t->stream != record->stream)
        return;
    if (__builtin_sub_overflow(t->last_ns, record->event_ns, &early))
        early = INT64_MAX;
    if (__builtin_sub_overflow(record->event_ns, t->back_ns, &on))
        on = INT64_MAX;
    if (t->has_back && on >= 0 && (early >= BACK_NS || on < early)) {
        time_set(t, record);
        return;
    }
    t->has_back = early >= BACK_NS;
    t->back_ns = record->event_ns;
}

static void timer_note(struct aff_harness *h, const struct aff_record *record)
{
    struct timer *t;

    if (record->subject >= h->timer_count) { /* from the first record on */
        enum callback now = h->callback;

        h->callback = CB_PROCESS;
        host_timer(&h->host, record->subject, INT64_MAX);
        h->callback = now;
    }
    t = &h->timers[record->subject];
    time_note(t, record);
    t->boot_ns = h->boot_ns;
}

aff_status timers_pass(struct aff_harness *h, const struct aff_record *record)
{
    aff_status status = AFF_OK;

    while (status >= AFF_OK && record->subject < h->timer_count && h->timers[record->subject].due_ns < record->event_ns)
        status = timer_call(h, record->subject);
    timer_note(h, record);
    return status;
}

static int64_t boot_due(const struct timer *t)
{
    if (t->due_ns == INT64_MAX || !t->boot_ns)
        return INT64_MAX;
    if (t->due_ns <= t->last_ns)
        return t->boot_ns + GRACE_NS;
    if (t->due_ns > INT64_MAX / 2 || t->last_ns < INT64_MIN / 2 || t->due_ns - t->last_ns > INT64_MAX / 2 - t->boot_ns)
        return INT64_MAX;
    return t->boot_ns + (t->due_ns - t->last_ns) + GRACE_NS;
}

int64_t timers_next(const struct aff_harness *h)
{
    int64_t next = INT64_MAX;
    size_t i;

    for (i = 0; i < h->timer_count; i++)
        if (boot_due(&h->timers[i]) < next)
            next = boot_due(&h->timers[i]);
    return next;
}

aff_status timers_call(struct aff_harness *h)
{
    aff_status status = AFF_OK;
    uint32_t i;

    for (i = 1; i < h->timer_count && status >= AFF_OK; i++)
        if (boot_due(&h->timers[i]) <= h->boot_ns)
            status = timer_call(h, i);
    return status;
}
