/* trend.c - see trend.h. */
#include "trend.h"

#include <math.h>
#include <string.h>

static int64_t part_number(int64_t ns, int64_t part_ns)
{
    return ns / part_ns - (ns % part_ns < 0);
}

void trend_add(struct trend *t, int64_t part_ns, int64_t ns, double y)
{
    int64_t number = part_number(ns, part_ns);
    struct trend_part *p = &t->parts[(uint64_t)number % TREND_PARTS];
    double at = (double)(ns % part_ns + (ns % part_ns < 0 ? part_ns : 0)) * 1e-9, dt, dy;

    if (p->count == 0 || p->number != number) {
        memset(p, 0, sizeof *p);
        p->number = number;
        p->first = at;
    }
    p->last = at;
    p->count++;
    dt = at - p->mean_t;
    dy = y - p->mean_y;
    p->mean_t += dt / (double)p->count;
    p->mean_y += dy / (double)p->count;
    p->tt += dt * (at - p->mean_t);
    p->ty += dt * (y - p->mean_y);
}

/* Adds part `p`, which begins `shift` seconds after the sum's time zero. */
static void part_join(struct trend_part *sum, const struct trend_part *p, double shift)
{
    double n = (double)sum->count, m = (double)p->count;
    double dt = p->mean_t + shift - sum->mean_t, dy = p->mean_y - sum->mean_y;

    if (sum->count == 0)
        sum->first = p->first + shift;
    sum->last = p->last + shift;
    sum->count += p->count;
    sum->mean_t += dt * m / (n + m);
    sum->mean_y += dy * m / (n + m);
    sum->tt += p->tt + dt * dt * n * m / (n + m);
    sum->ty += p->ty + dt * dy * n * m / (n + m);
}

bool trend_change(const struct trend *t, int64_t part_ns, int64_t now_ns, double *ret_change)
{
    int64_t now = part_number(now_ns, part_ns), back;
    struct trend_part sum = { 0 };

    for (back = TREND_PARTS - 1; back >= 0; back--) {
        const struct trend_part *p = &t->parts[(uint64_t)(now - back) % TREND_PARTS];

        if (p->count > 0 && p->number == now - back)
            part_join(&sum, p, -(double)back * (double)part_ns * 1e-9);
    }
    if (sum.count < TREND_LEAST || !(sum.tt > 0.0))
        return false;
    *ret_change = sum.ty / sum.tt * (sum.last - sum.first);
    return !isnan(*ret_change);
}
