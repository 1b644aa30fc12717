/* answers.h - sinks whose peer answers late, as lanes and nodes see them. All [data]
 * unless said; false: the run is being aborted, or the lane gives up (lane->left). */
#ifndef AFFERENT_FLOW_ANSWERS_H
#define AFFERENT_FLOW_ANSWERS_H

#include "flow/acks.h"
#include "flow/lane.h"

/* [control] The node's window, where it has AFF_ACKS. False: no memory. */
bool answers_open(struct node *node);

/* Lowers *count to what the window takes, having waited until that is something. */
bool answers_room(struct node *node, uint32_t *count);
/* Write took the first `taken` of the batch in hand. */
void answers_taken(struct node *node, uint32_t taken);

/* Books the answers that came in, and offers again what is due. */
bool answers_turn(struct lane *lane);
/* Whether there are any; when something is due without them; the lowest epoch with a
 * record that is unanswered. */
bool answers_ready(const struct lane *lane);
int64_t answers_next(const struct lane *lane);
uint64_t answers_oldest(const struct lane *lane);
/* Whether the epoch under way is not ended yet, since those before it wait for answers: so a
 * sink behind a queue may gather as much as its window takes, however short epochs are. */
bool answers_hold_epoch(const struct lane *lane);
/* Waits until all are in. */
bool answers_finish(struct lane *lane);
/* Whether the lane gives up waiting for them. */
bool answers_leave(struct node *node);

#endif
