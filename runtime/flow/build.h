/* build.h - wiring of a flow from its plan. Control only. */
#ifndef AFFERENT_FLOW_BUILD_H
#define AFFERENT_FLOW_BUILD_H

#include "flow/lane.h"

/* Allocates and wires nodes, links, edges, lanes. False: no memory; what was
 * built is freed by build_close. */
bool build_flow(struct flow *flow);
void build_close(struct flow *flow);

#endif
