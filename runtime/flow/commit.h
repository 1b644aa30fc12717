/* commit.h - what becomes safe together, and what comes back after a death.
 *
 * An epoch of a domain is complete when all its lanes are done with it. A commit
 * takes, under one lock, the latest complete epoch of each domain such that no reader
 * of a queue is ahead of its writer: a consistent cut (Chandy and Lamport 1985) of
 * the whole pipeline. It checks the books of these epochs, and gives the keeper one
 * group: positions and snapshots, queued records that nobody has finished, dead
 * letters, the table of names, the accounts. When the group is durable, sources are
 * told and queues forget.
 *
 * Not here: how a group is stored (keep/), what a node's state is (snap.h). */
#ifndef AFFERENT_FLOW_COMMIT_H
#define AFFERENT_FLOW_COMMIT_H

#include "flow/lane.h"
#include "flow/wire.h"

struct commit;

/* [control] */
bool commit_open(struct flow *flow);
void commit_close(struct flow *flow);

/* [control] Before nodes are opened: reads how the last run ended; where it is gone on
 * with, the table of names is filled. False: no memory. */
bool commit_resume_names(struct flow *flow);
/* [control] After all nodes are open, before they start: accounts and state of all
 * nodes come back. False: no memory. What cannot be used is told, and begins anew. */
bool commit_resume(struct flow *flow);

/* [data] The lane's domain has completed an epoch. */
void commit_ready(struct lane *lane);
/* [data] Notes how the lane's nodes and edges stand at the end of its epoch. False: a
 * snapshot failed; the run ends. */
bool commit_note(struct lane *lane);
/* [data] The epoch noted last is the lane's last. */
void commit_note_final(struct lane *lane);
/* [data] What was done since the end of epoch `last` did not happen. */
void commit_abandon(struct lane *lane, uint64_t last);
/* [any] No room in the store: intake waits. */
bool commit_full(const struct flow *flow);

/* ---- letters.c: dead letters of the epoch under way; [data] ---- */

/* A record that came in on `port` cannot be used. Nothing without a store. */
void letter_post(struct node *node, const struct aff_record *record, uint32_t port, const char *reason,
                 const char *cause);
/* The same, booked to an epoch that has ended and is not done. */
void letter_post_in(struct node *node, uint64_t epoch, const struct aff_record *record, uint32_t port,
                    const char *reason, const char *cause);
/* A part of what came in, or of what a source read (record NULL): it waits until its
 * input is settled, and then is posted with it, or forgotten. */
void letter_part(struct node *node, const struct aff_record *record, uint8_t verdict, uint64_t offset,
                 const void *bytes, uint32_t size);
void letter_parts_post(struct node *node);
void letter_parts_forget(struct node *node);
/* The commit: adds what the lane posted in an epoch to the group; it is stored. */
void letters_gather(const struct lane *lane, uint64_t epoch, struct kept_group *group);
void letters_forget(const struct lane *lane, uint64_t epoch);

#endif
