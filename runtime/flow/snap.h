/* snap.h - what a node keeps from one run to the next.
 *
 * Taken by the node's lane after its last input of an epoch and before its first of
 * the next: what the plugin's `snapshot` gives (a source: its position), state per
 * stream or subject, timers, held records with their bytes, how ids are counted.
 * Integers of subjects, streams and schemas stand in it as they are: the table of
 * names is stored in the same transaction and comes back with the same integers.
 *
 * Not here: when it is taken (lane.c), accounts (ledger.h). */
#ifndef AFFERENT_FLOW_SNAP_H
#define AFFERENT_FLOW_SNAP_H

#include "flow/node.h"
#include "flow/wire.h"

/* [data] Appends the node's state. AFF_OK; AFF_ERR_MEMORY; what the plugin's
 * snapshot said. Slots of state that are all zero, and those of subjects or streams
 * that were let go, are left out. */
aff_status snap_write(struct node *node, struct wire *wire);

/* [control, after open, before start] The other way. AFF_ERR_DATA: it is of another
 * plugin, of other options (not asked of a source), damaged, or the plugin refuses
 * it; AFF_ERR_MEMORY; what else the plugin's restore said. `ret_why` says which, and
 * the node is as after open. The ledger is not touched: hold.count says how many held
 * records came back. A source that had ended is over; one that options.for_ns ended
 * is not. */
aff_status snap_read(struct node *node, const void *bytes, size_t size, char *ret_why, size_t room);

#endif
