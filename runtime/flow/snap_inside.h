/* snap_inside.h - what a snapshot asks of the parts of a node.
 *
 * Each part writes itself, and reads itself back in two passes: the first one only
 * looks (apply false), so that bytes which are bad anywhere change nothing.
 *
 * Not here: the snapshot as a whole (snap.c). */
#ifndef AFFERENT_FLOW_SNAP_INSIDE_H
#define AFFERENT_FLOW_SNAP_INSIDE_H

#include "flow/node.h"
#include "flow/wire.h"

/* [data] */
void state_save(struct node *node, struct wire *wire);
void timers_save(struct node *node, struct wire *wire);
void hold_save(struct node *node, struct wire *wire);

/* [control] False: bad, of another size or kind; of hold_load with apply: no memory, or
 * no room for names. What was
 * of a stream or subject that has been let go since is passed over. */
bool state_load(struct node *node, struct wire_in *in, bool apply);
bool timers_load(struct node *node, struct wire_in *in, bool apply);
bool hold_load(struct node *node, struct wire_in *in, bool apply);

/* [control] As after open. */
void state_reset(struct state *state);
void timers_reset(struct timers *timers);
void hold_reset(struct node *node);

#endif
