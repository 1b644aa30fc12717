/* failing.c - what of a node others can see while it runs: what it waits for when it is
 * being retried, and where it runs.
 *
 * Not here: back-off itself (node.c, lane_source.c), accounts (flow.c). */
#include <stdio.h>

#include "cell/cell.h"
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

uint64_t flow_node_isolation(struct flow *flow, uint32_t index, char *ret_text, size_t room)
{
    const struct node *node = &flow->nodes[index];
    struct cell_figures figures = { 0 };

    if (!node->cell) {
        snprintf(ret_text, room, "thread");
        return 0;
    }
    cell_status(node->cell, ret_text, room);
    cell_figures(node->cell, &figures);
    return figures.starts > 0 ? figures.starts - 1u : 0;
}
