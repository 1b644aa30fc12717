/* link_state.c - the ways out of this machine. See link_state.h. */
#include "flow/link_state.h"

#include <stdio.h>
#include <string.h>

#include "flow/lane.h"

/* A plugin that was built with an earlier header knows less of it. */
static struct aff_link as_said(const struct aff_link *link)
{
    struct aff_link said = { .signal_dbm = INT16_MIN, .sent_bytes = UINT64_MAX, .received_bytes = UINT64_MAX };
    size_t size = link->struct_size < sizeof said ? link->struct_size : sizeof said;

    memcpy(&said, link, size);
    said.struct_size = sizeof said;
    return said;
}

void link_state_set(struct node *node, const struct aff_link *link)
{
    struct aff_link said = as_said(link), *is = &node->handle->link;
    bool changed;

    pthread_mutex_lock(&node->flow->say_lock);
    said.revision = is->revision;
    said.since_ns = is->revision > 0 && is->up == said.up ? is->since_ns : clock_now(&node->flow->clock);
    memset(said.name, 0, sizeof said.name);
    snprintf(said.name, sizeof said.name, "%s", node->plan->name);
    memset(said.reserved, 0, sizeof said.reserved);
    changed = is->revision == 0 || memcmp(&said, is, sizeof said) != 0;
    if (changed) {
        said.revision++;
        *is = said;
    }
    pthread_mutex_unlock(&node->flow->say_lock);
    if (!changed)
        return;
    atomic_fetch_add_explicit(&node->flow->links_turn, 1, memory_order_release);
    flow_ring(node->flow); /* who waits for a link looks again */
}

bool link_state_of(struct flow *flow, uint32_t node, struct aff_link *ret_link)
{
    bool found;

    pthread_mutex_lock(&flow->say_lock);
    *ret_link = flow->nodes[node].handle->link;
    found = ret_link->revision > 0;
    pthread_mutex_unlock(&flow->say_lock);
    return found;
}

bool link_state_get(struct flow *flow, uint32_t index, struct aff_link *ret_link)
{
    bool found = false;
    uint32_t i;

    pthread_mutex_lock(&flow->say_lock);
    for (i = 0; i < flow->plan->node_count && !found; i++) {
        const struct aff_link *link = &flow->nodes[i].handle->link;

        if (link->revision == 0 || index-- > 0)
            continue;
        found = true;
        *ret_link = *link;
    }
    pthread_mutex_unlock(&flow->say_lock);
    return found;
}
