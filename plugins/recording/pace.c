/* SPDX-License-Identifier: Apache-2.0
 *
 * pace.c - see pace.h. */
#include "recording/pace.h"

int pace_is_due(struct pace *p, const struct aff_host *host, int64_t begin_ns, int64_t known_ns)
{
    int64_t now = host->now_ns(host), after, due;

    if (!p->anchored) {
        p->anchored = 1;
        p->event_ns = begin_ns;
        p->boot_ns = now;
    }
    if (known_ns < p->event_ns)
        return 1;
    if (__builtin_sub_overflow(known_ns, p->event_ns, &after) || __builtin_add_overflow(p->boot_ns, after, &due))
        due = INT64_MAX;
    if (due <= now)
        return 1;
    host->wake_at(host, due);
    return 0;
}
