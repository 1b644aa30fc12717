/* failing.c - what a node that is being retried waits for, so that others can see it.
 *
 * Not here: back-off itself (node.c, lane_source.c). */
#include <stdio.h>

#include "flow/lane.h"

void failing_note(struct node *node, const char *why)
{
    struct flow *flow = node->flow;

    if (atomic_fetch_add_explicit(&node->failing, 1, memory_order_relaxed) > 0)
        return;
    pthread_mutex_lock(&flow->say_lock);
    snprintf(node->fails_why, sizeof node->fails_why, "%s", why);
    pthread_mutex_unlock(&flow->say_lock);
}

void failing_over(struct node *node)
{
    if (atomic_load_explicit(&node->failing, memory_order_relaxed) > 0)
        atomic_store_explicit(&node->failing, 0, memory_order_relaxed);
}

uint64_t flow_node_failing(struct flow *flow, uint32_t index, char *ret_why, size_t room)
{
    struct node *node = &flow->nodes[index];
    uint64_t times = atomic_load_explicit(&node->failing, memory_order_relaxed);

    pthread_mutex_lock(&flow->say_lock);
    snprintf(ret_why, room, "%s", times > 0 ? node->fails_why : "");
    pthread_mutex_unlock(&flow->say_lock);
    return times;
}
