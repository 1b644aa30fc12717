/* reload_inside.h - what pause.c, reload.c and take_over.c share. All [control]. */
#ifndef AFFERENT_FLOW_RELOAD_INSIDE_H
#define AFFERENT_FLOW_RELOAD_INSIDE_H

#include "flow/lane.h"
#include "flow/reload.h"

/* ---- pause.c ---- */

/* Brings the reload's flow to rest; its lanes have then left. False: it goes on. */
bool pause_begin(struct reload *reload);
/* The paused flow goes on as it was. False: it has ended, or no thread could be made. */
bool pause_end(struct reload *reload);
/* What a lane that left in the middle of a batch did since its last commit did not
 * happen; its queues are to be opened anew. */
void pause_roll_back(struct lane *lane);
/* All lanes and domains of a flow begin at this epoch; how nodes stand is noted. */
bool pause_begin_at(struct flow *flow, uint64_t epoch);
/* Above all epochs that the flow has seen. */
uint64_t pause_next_epoch(const struct flow *flow);

/* ---- take_over.c: nothing in it can fail; no lane of either flow runs ---- */

void take_over(struct reload *reload);

#endif
