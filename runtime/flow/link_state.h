/* link_state.h - in what state the ways out of this machine are, as the nodes say that
 * keep them up. Sinks look there before they send; `status` shows it. */
#ifndef AFFERENT_FLOW_LINK_STATE_H
#define AFFERENT_FLOW_LINK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

struct flow;
struct node;

/* [data] host->link_set of this node. */
void link_state_set(struct node *node, const struct aff_link *link);
/* [any] The index-th that anything was said of, in the order of the nodes; false: there are
 * no more. */
bool link_state_get(struct flow *flow, uint32_t index, struct aff_link *ret_link);
/* [any] Of the plan's node of that row; false: it has not said anything. */
bool link_state_of(struct flow *flow, uint32_t node, struct aff_link *ret_link);

#endif
