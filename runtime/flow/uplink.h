/* uplink.h - what a sink may send now, by which link, and what it has sent.
 *
 * One for each sink that has rules (plan_node.link_rules). The one place where they are
 * asked is uplink_look: it views the links as they are, takes what was spent, and lets
 * link_rules.h choose. The lane asks uplink_lets before it takes from a queue; the plugin
 * asks by host->uplink before it connects.
 *
 * A link that fails twice in a row is passed over for half a minute, doubling up to ten;
 * when its turn comes again one failure is enough. One that was down is returned to when it
 * has been up for `back_after`.
 *
 * What is in the plugin's hands counts against the budget, and is no more than goes out in
 * three seconds (`ahead`): an alarm waits no longer than that for what was taken before it.
 *
 * Not here: the rules (link_rules.h), days (spent.h), queues (lane_take.c). */
#ifndef AFFERENT_FLOW_UPLINK_H
#define AFFERENT_FLOW_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "flow/link_rules.h"
#include "flow/spent.h"

struct flow;
struct kept_group;
struct lane;
struct node;
struct uplink;

/* [control] Into node->uplink, where the plan has rules. False: no memory. */
bool uplink_open(struct node *node);
void uplink_close(struct uplink **uplink);
/* [control, no lane runs] What was spent, and how links stand, goes on in the flow that takes
 * over: before its nodes do, and when all have. Plugins' threads may ask and tell meanwhile. */
void uplinks_move(struct flow *to, struct flow *from);
void uplinks_moved(struct flow *to);

/* ---- the lane: [data]; a node without rules may send everything ---- */

/* Once a turn, before the others. */
void uplink_turn(struct node *node, int64_t now_ns);
/* Whether records of this class may be taken now. */
bool uplink_lets(const struct node *node, uint8_t priority);
/* Payload that a batch of this class may have at most, but for its first record. */
uint64_t uplink_bytes(const struct node *node, uint8_t priority);
/* A batch with so much payload was fed to it. */
void uplink_fed(struct node *node, uint64_t bytes);
/* So much payload was given to it again. */
void uplink_fed_again(struct node *node, uint64_t bytes);
/* Something changed since the last turn; when time alone may (INT64_MAX on a virtual clock,
 * where a sleeper would leap ahead of those who have something to do). */
bool uplink_stirred(const struct node *node);
int64_t uplink_until(const struct node *node);
/* A call of its plugin failed for want of its peer (true: another link is used from now
 * on), or worked again. Of one that says itself what it tried neither counts. */
bool uplink_failed(struct node *node);
void uplink_worked(struct node *node);

/* ---- the plugin: [any], from any thread ---- */

/* host->uplink, host->link_spent, host->link_tried. */
aff_status uplink_tell(struct node *node, struct aff_uplink *ret);
void uplink_spend(struct node *node, uint32_t index, uint64_t sent, uint64_t received);
void uplink_tried(struct node *node, uint32_t index, aff_status status);

/* ---- the store ---- */

/* [any, under the commit lock] Puts what was spent into the group, if it changed. */
void uplinks_gather(struct flow *flow, struct kept_group *group, struct wire *scratch);
/* [any] So much was spent since then that a group is due. */
bool uplinks_due(const struct flow *flow);
/* [any, under the commit lock] The group could not be made. */
void uplinks_again(struct flow *flow);
/* [control] Bytes of the piece, as stored; bad ones count as nothing, and are said. */
void uplinks_resume(struct flow *flow, const void *bytes, size_t size);
#define UPLINKS_PIECE "spent"

/* ---- for who looks: [any] ---- */

struct uplink_figures {
    struct link_choice choice;
    struct link_view views[LINKS_MOST]; /* by rules->links */
    struct spent spent;
    int64_t now_ns;  /* boot clock */
    bool is_guessed; /* payload: the plugin does not say what goes over the wire */
};
/* False: the node has no rules. */
bool uplink_figures(struct flow *flow, uint32_t node, struct uplink_figures *ret_figures);

#endif
