/* build.h - wiring of a flow from its plan. Control only. */
#ifndef AFFERENT_FLOW_BUILD_H
#define AFFERENT_FLOW_BUILD_H

#include "flow/lane.h"

/* Allocates and wires nodes, links, edges, lanes. False: no memory; what was
 * built is freed by build_close. */
bool build_flow(struct flow *flow);
void build_close(struct flow *flow);

/* Opens the queue of an edge. NULL: no memory, or its store cannot be read. Of a flow
 * that takes over from another they are opened by who takes over (reload.c). */
struct queue *build_queue(struct flow *flow, struct link *link);
/* The link's queue, which stood between other lanes, goes on between these. */
void build_queue_join(struct flow *flow, struct link *link);

#endif
