/* memkeep.h - a store in memory, with a keeper's thread, for tests of commits.
 *
 * It is a double of our own interface (flow/kept.h), so that a flow can be killed and
 * gone on with thousands of times in one process; the real store has tests of its
 * own. A death: from some commit on nothing is stored any more. */
#ifndef AFFERENT_TESTS_MEMKEEP_H
#define AFFERENT_TESTS_MEMKEEP_H

#include "flow/flow.h"
#include "flow/kept.h"

struct memkeep;

struct memkeep *memkeep_open(void);
void memkeep_close(struct memkeep **keep);
const struct kept *memkeep_kept(struct memkeep *keep);
/* Commits what the flow completes, until memkeep_end. `dies_at`: that commit of this
 * run (from 1; 0: none) is the last: it is stored, or with `torn` it is not, and the
 * flow is aborted without being told. */
void memkeep_begin(struct memkeep *keep, struct flow *flow, uint64_t dies_at, bool torn);
void memkeep_end(struct memkeep *keep);
/* From now on groups come from this flow; NULL: none do, and none is under way. */
void memkeep_flow(void *keep, struct flow *flow);
/* Whether the run died as memkeep_begin asked. */
bool memkeep_died(const struct memkeep *keep);
/* Whether the run that is stored came to its end: the last commit of all may be
 * stored before a death, too. */
bool memkeep_finished(struct memkeep *keep);
/* Bytes that the store takes from now on; what is stored does not count. */
void memkeep_room(struct memkeep *keep, uint64_t room);

struct memkeep_figures {
    uint64_t commits;
    uint64_t puts;     /* records ever stored */
    uint64_t records;  /* stored now */
    uint64_t letters;
};
struct memkeep_figures memkeep_figures(struct memkeep *keep);
/* The bytes of the i-th letter, borrowed. */
const void *memkeep_letter(struct memkeep *keep, uint64_t index, size_t *ret_size);

#endif
