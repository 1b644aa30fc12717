/* SPDX-License-Identifier: Apache-2.0
 *
 * when.c - which sample or row stands at which time, and when none does.
 *
 * Each port counts in its own unit from the start of the signal: samples of its
 * rate, or rows. Episodes are given in time and become edges in that unit, the
 * same whatever the blocks are. */
#include "ward_inside.h"

/* The first index at or after this time, num / den a second. */
static uint64_t index_after(uint64_t num, uint64_t den, int64_t ns)
{
    uint64_t second = (uint64_t)ns / SECOND_NS, rest = (uint64_t)ns % SECOND_NS;
    uint64_t unit = den * SECOND_NS;

    return (second * num) / den + ((second * num) % den * SECOND_NS + rest * num + unit - 1) / unit;
}

/* 2^63 ns are reached long before the product overflows. */
static int64_t index_ns(uint64_t num, uint64_t den, uint64_t index)
{
    uint64_t ticks = index * den, second = ticks / num;

    return (int64_t)(second * SECOND_NS + ticks % num * SECOND_NS / num);
}

static uint64_t rate_of(uint32_t port)
{
    static const uint64_t rate[PORTS] = { [PORT_RESPIRATION] = RESPIRATION_HZ, [PORT_PLETH] = PLETH_HZ,
                                          [PORT_PRESSURE] = PRESSURE_HZ };

    return rate[port];
}

int64_t when_is(const struct ward *w, uint32_t port, uint64_t index)
{
    if (port == PORT_VITALS)
        return (int64_t)(index * (uint64_t)w->cfg->vitals_every);
    if (rate_of(port))
        return index_ns(rate_of(port), 1, index);
    return index_ns(w->rate_num, w->rate_den, index);
}

uint64_t when_index(const struct ward *w, uint32_t port, int64_t ns)
{
    uint64_t every = (uint64_t)w->cfg->vitals_every;

    if (port == PORT_VITALS)
        return ((uint64_t)ns + every - 1) / every;
    if (rate_of(port))
        return index_after(rate_of(port), 1, ns);
    return index_after(w->rate_num, w->rate_den, ns);
}

static bool episode_silences(const struct episode_config *e, uint32_t patient, uint32_t port)
{
    if (e->subject && e->subject != (int64_t)patient + 1)
        return false;
    return e->kind == KIND_SILENCE || (e->kind == KIND_PROBE_OFF && port == PORT_PLETH);
}

bool when_silent(const struct ward *w, uint32_t patient, uint32_t port, uint64_t index, uint64_t *ret_edge)
{
    bool silent = false;

    *ret_edge = UINT64_MAX;
    for (uint32_t i = 0; i < w->cfg->episodes.count; i++) {
        const struct episode_config *e = episode_at(w->cfg, i);
        uint64_t from = when_index(w, port, e->at), until = when_index(w, port, e->at + e->length), edge = until;

        if (!episode_silences(e, patient, port) || index >= until)
            continue;
        if (index < from)
            edge = from;
        else
            silent = true;
        *ret_edge = edge < *ret_edge ? edge : *ret_edge;
    }
    return silent;
}

bool when_has(const struct ward *w, uint32_t patient, int32_t kind, int64_t ns)
{
    for (uint32_t i = 0; i < w->cfg->episodes.count; i++) {
        const struct episode_config *e = episode_at(w->cfg, i);

        if (e->kind == kind && (!e->subject || e->subject == (int64_t)patient + 1) && ns >= e->at &&
            ns < e->at + e->length)
            return true;
    }
    return false;
}
