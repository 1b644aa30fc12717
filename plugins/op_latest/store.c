/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - see store.h.
 *
 * Event times are within +-8e18 ns and durations below 4e17, which the plugin
 * makes sure of: no sum of them overflows. */
#include "store.h"

#include <string.h>

void store_open(struct store *store, const struct layout *layout, const struct config *config)
{
    *store = (struct store){ layout, config->every, config->lateness, config->after, config->span, 1 };
    if (config->emit == EMIT_INTERVAL)
        store->depth = 1u + (uint32_t)((config->lateness + config->every - 1) / config->every);
}

size_t store_bytes(const struct store *store)
{
    return sizeof(struct subject) + (size_t)store->layout->count * store->depth * sizeof(struct value);
}

static struct value *kept_of(const struct store *store, struct subject *subject, uint32_t column)
{
    return &subject->values[(size_t)column * store->depth];
}

/* The multiple of `every` at or behind a time; all time is one without `every`. */
int64_t store_interval(const struct store *store, int64_t at)
{
    if (!store->every)
        return 0;
    return at / store->every + (at % store->every > 0);
}

/* Makes room at `i` of n used places; the oldest goes when all are used. */
static struct value *place_make(struct value *kept, uint32_t depth, uint32_t n, uint32_t i)
{
    if (n < depth) {
        memmove(kept + i + 1, kept + i, (n - i) * sizeof *kept);
        return kept + i;
    }
    memmove(kept, kept + 1, (i - 1) * sizeof *kept);
    return kept + i - 1;
}

int store_put(const struct store *store, struct subject *subject, uint32_t column, const struct value *value)
{
    struct value *kept = kept_of(store, subject, column);
    int64_t interval = store_interval(store, value->at);
    uint32_t n = 0, i;

    while (n < store->depth && kept[n].is_used)
        n++;
    for (i = n; i > 0 && kept[i - 1].at > value->at; i--)
        continue;
    if (i < n && store_interval(store, kept[i].at) == interval)
        return 0;
    if (i > 0 && store_interval(store, kept[i - 1].at) == interval) {
        kept[i - 1] = *value;
        return 1;
    }
    if (i == 0 && n == store->depth)
        return 0;
    *place_make(kept, store->depth, n, i) = *value;
    return 1;
}

const struct value *store_at(const struct store *store, const struct subject *subject, uint32_t column, int64_t t)
{
    const struct value *kept = &subject->values[(size_t)column * store->depth];
    uint32_t i = store->depth;

    while (i > 0 && (!kept[i - 1].is_used || kept[i - 1].at > t))
        i--;
    if (i == 0 || !kept[i - 1].is_there || kept[i - 1].at <= t - store->layout->wants[column].max_age)
        return NULL;
    return &kept[i - 1];
}

bool store_any(const struct store *store, const struct subject *subject, int64_t t)
{
    uint32_t c;

    for (c = 0; c < store->layout->count; c++)
        if (store_at(store, subject, c, t))
            return true;
    return false;
}

int64_t store_expiry(const struct store *store, const struct subject *subject, int64_t t)
{
    int64_t next = INT64_MAX;
    uint32_t c;

    for (c = 0; c < store->layout->count; c++) {
        const struct value *v = store_at(store, subject, c, t);

        if (v && v->at + store->layout->wants[c].max_age < next)
            next = v->at + store->layout->wants[c].max_age;
    }
    return next;
}

bool store_is_over(const struct store *store, const struct subject *subject, int64_t at)
{
    return store->span && subject->is_begun &&
           store_interval(store, at) * store->every > subject->first + store->span;
}

bool store_note(const struct store *store, struct subject *subject, int64_t at)
{
    int64_t interval = store_interval(store, at);
    bool is_late;

    if (!subject->is_begun) {
        subject->is_begun = 1;
        subject->first = at;
        subject->newest = at;
    }
    is_late = (subject->has_settled && interval <= subject->settled) ||
              (store->every && interval * store->every + store->lateness < subject->newest);
    if (at > subject->newest)
        subject->newest = at;
    if (is_late || !store->every)
        return !is_late;
    if (at < subject->first && !subject->has_settled)
        subject->first = at;
    if (!subject->is_due || interval < subject->due)
        subject->due = interval;
    subject->is_due = 1;
    return true;
}

/* The first interval behind the one given in which there is something to tell:
 * where all values are too old, years are skipped in one step. */
static void due_find(const struct store *store, struct subject *subject, int64_t behind)
{
    int64_t t = (behind + 1) * store->every;
    uint32_t i, n = store->layout->count * store->depth;

    subject->due = behind + 1;
    subject->is_due = store->span ? t <= subject->first + store->span : store_any(store, subject, t);
    if (subject->is_due || store->span)
        return;
    for (i = 0; i < n; i++) {
        const struct value *v = &subject->values[i];
        int64_t interval = store_interval(store, v->at);

        if (v->is_used && v->is_there && interval > behind && (!subject->is_due || interval < subject->due)) {
            subject->due = interval;
            subject->is_due = 1;
        }
    }
}

void store_resume(const struct store *store, struct subject *subject)
{
    if (store->every && !subject->is_due && subject->has_settled)
        due_find(store, subject, subject->settled);
}

void store_settle(const struct store *store, struct subject *subject)
{
    subject->settled = subject->due;
    subject->has_settled = 1;
    due_find(store, subject, subject->settled);
}

bool store_tells(const struct store *store, const struct subject *subject)
{
    int64_t t = subject->due * store->every;

    if (t < subject->first + store->after)
        return false;
    return store->span ? t <= subject->first + store->span : store_any(store, subject, t);
}

/* ---- clocks that are set ---- */

static int64_t time_limit(int64_t at)
{
    if (at > TIME_MOST)
        return TIME_MOST;
    return at < -TIME_MOST ? -TIME_MOST : at;
}

static int64_t time_back(int64_t at, int64_t by)
{
    int64_t to;

    if (__builtin_sub_overflow(at, by, &to))
        return by > 0 ? -TIME_MOST : TIME_MOST;
    return time_limit(to);
}

/* Rows that were told stay told, and none is told for a time before the newest that
 * came; one that came early by a jump of the clock holds up none after it. */
static void intervals_move(const struct store *store, struct subject *subject, int64_t by)
{
    int64_t newest = store_interval(store, subject->newest), to;

    if (subject->has_settled) {
        to = time_back(subject->settled * store->every, by);
        subject->settled = store_interval(store, to) - (to % store->every != 0);
        if (subject->settled > newest)
            subject->settled = newest;
        due_find(store, subject, subject->settled);
    } else if (subject->is_due) {
        subject->due = store_interval(store, time_back(subject->due * store->every, by));
    }
}

static void times_move(const struct store *store, struct subject *subject, int64_t by)
{
    uint32_t i, n = store->layout->count * store->depth;

    subject->first = time_back(subject->first, by);
    subject->newest = time_back(subject->newest, by);
    for (i = 0; i < n; i++)
        if (subject->values[i].is_used)
            subject->values[i].at = time_back(subject->values[i].at, by);
    if (store->every)
        intervals_move(store, subject, by);
}

bool store_time(const struct store *store, struct subject *subject, uint64_t hash, int64_t event_ns, int64_t *ret_at)
{
    struct clocks *c = &subject->clocks;
    int64_t offset, by;
    bool is_kept;

    c->far_ns = store->lateness;
    is_kept = clocks_note(c, hash, event_ns, &offset);
    by = c->shift_ns - subject->shift_ns; /* neither is below 0 */
    if (by != 0)
        times_move(store, subject, by);
    subject->shift_ns = c->shift_ns;
    *ret_at = time_back(event_ns, c->shift_ns - offset);
    return is_kept;
}
