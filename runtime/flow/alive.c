/* alive.c - whether every lane of a running pipeline comes round.
 *
 * A lane that waits is alive, for however long: a sink in back-off, a silent source, a
 * full ring. One that does not wait and does not come round either is inside a call
 * that does not return. It is told by a counter that the lane moves and the watcher
 * looks at, so that the data path reads no clock for it.
 *
 * Not here: what is done about it (cmd/notify.h). */
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

const char *flow_hung(struct flow *flow, int64_t now_ns, int64_t most_ns)
{
    const char *hung = NULL;
    uint32_t i;

    /* All are looked at, so that each is measured from when it last moved. */
    for (i = 0; i < flow->plan->lane_count; i++)
        if (!lane_alive(&flow->lanes[i], now_ns, most_ns) && !hung)
            hung = flow->lanes[i].nodes[0]->plan->name;
    return hung;
}
