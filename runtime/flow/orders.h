/* orders.h - rows that an operator puts in at a node's port for commands. */
#ifndef AFFERENT_FLOW_ORDERS_H
#define AFFERENT_FLOW_ORDERS_H

#include "flow/lane.h"

/* [data] Lets in what was given for the node. False: the run is being aborted. *ret_any:
 * there was something. */
bool orders_turn(struct node *node, bool *ret_any);
/* [control] */
void orders_free(struct node *node);

#endif
