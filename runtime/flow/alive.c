/* alive.c - whether every lane of a running pipeline comes round.
 *
 * A lane that waits is alive, for however long: a sink in back-off, a silent source, a
 * full ring. One that does not wait and does not come round either is inside a call
 * that does not return. It is told by a counter that the lane moves and the watcher
 * looks at, so that the data path reads no clock for it.
 *
 * Not here: what is done about it (cmd/notify.h). */
#include <stdio.h>

#include "flow/lane.h"

static bool lane_alive(struct lane *lane, int64_t now_ns, int64_t most_ns)
{
    uint64_t beats = atomic_load_explicit(&lane->beats, memory_order_relaxed);
    bool rests = !lane->threaded || atomic_load(&lane->ended) ||
                 atomic_load_explicit(&lane->rests, memory_order_relaxed);

    if (rests || beats != lane->beats_seen || lane->seen_ns == 0) {
        lane->beats_seen = beats;
        lane->seen_ns = now_ns;
    }
    return now_ns - lane->seen_ns < most_ns;
}

/* Which of a lane's nodes it is in is not kept: that would cost each call. */
static void names_print(const struct lane *lane, char *text, size_t room)
{
    size_t at = 0;
    uint32_t i;

    for (i = 0; i < lane->node_count && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%s", i ? ", " : "", lane->nodes[i]->plan->name);
}

bool flow_hung(struct flow *flow, int64_t now_ns, int64_t most_ns, char *ret_names, size_t room)
{
    bool hung = false;
    uint32_t i;

    /* All are looked at, so that each is measured from when it last moved. */
    for (i = 0; i < flow->plan->lane_count; i++) {
        if (lane_alive(&flow->lanes[i], now_ns, most_ns))
            continue;
        if (!hung)
            names_print(&flow->lanes[i], ret_names, room);
        hung = true;
    }
    return hung;
}
