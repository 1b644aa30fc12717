/* trace.h - what happens in the data path, as lines that are held against the rules.
 *
 * Tests give a flow a `struct trace` (flow.h); each event of the epoch protocol is then
 * told there as a line, at the place that tests/sim/README.md gives for it: before
 * anybody else can see what it says, or right after it was done. tests/sim/conform.py
 * holds the lines against the rules that the model in tests/sim is built from.
 *
 * Without one an event costs a look at a pointer: once a batch, or more rarely.
 *
 * Not here: what an event means (README.md there), who keeps the lines (tests/flow). */
#ifndef AFFERENT_FLOW_TRACE_H
#define AFFERENT_FLOW_TRACE_H

#include "flow/lane.h"

/* [control, no lane runs, no group is under way] Tells what the flow looks like, and that
 * it begins at `first`; from here on it tells what happens. */
void trace_begin(struct flow *flow, uint64_t first);
/* [control, as above] It tells nothing until it begins again. */
void trace_pause(struct flow *flow);

/* What the functions below tell by, when anybody listens. */
void trace_tell_records(const struct link *link, const struct lane *lane, const char *event, uint64_t first,
                        uint64_t last);
void trace_tell_epoch(const struct lane *lane, const char *event, const char *key, uint64_t epoch);
void trace_tell_answers(const struct lane *lane, uint64_t epoch, uint32_t records);
void trace_tell_sync(const struct lane *lane);
void trace_tell_told(const struct lane *lane);
void trace_tell_cut(const struct flow *flow, const struct domain *domain, uint64_t epoch);
void trace_tell_domains(const struct flow *flow, const char *event);
void trace_tell_changes(const struct link *link, const struct kept_group *group, uint32_t from);
void trace_tell_durable(const struct flow *flow);
/* [data] queue_shape.trace; its arg is the link. */
void trace_queue(void *link, bool taken, uint64_t first, uint64_t last);

/* ---- records: [data] ---- */

/* Records `first` to `last` of a ring, from 1, are put, and not to be seen yet. */
static inline void trace_put(const struct link *link, uint64_t first, uint64_t last)
{
    if (link->writer->flow->trace)
        trace_tell_records(link, link->writer->lane, "put", first, last);
}

/* They were taken, and nothing was done with them yet. */
static inline void trace_take(const struct link *link, uint64_t first, uint64_t last)
{
    if (link->reader->flow->trace)
        trace_tell_records(link, link->reader->lane, "take", first, last);
}

/* ---- epochs ---- */

/* [any] It is about to be seen that `epoch` is cut. */
static inline void trace_cut(const struct flow *flow, const struct domain *domain, uint64_t epoch)
{
    if (flow->trace)
        trace_tell_cut(flow, domain, epoch);
}

/* [data] All below tell of the lane's epoch: its nodes' snapshots are taken; its end is
 * about to be seen; the same, and there will be no other. */
static inline void trace_snap(const struct lane *lane)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "snap", "epoch", lane->epoch);
}

static inline void trace_end(const struct lane *lane)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "end", "epoch", lane->epoch);
}

static inline void trace_finish(const struct lane *lane)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "finish", "epoch", lane->epoch);
}

/* [data] What it took behind epoch `last` did not happen. */
static inline void trace_abandon(const struct lane *lane, uint64_t last)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "abandon", "last", last);
}

/* [data] It is about to be seen that the lane is done with all below `count`. */
static inline void trace_done(const struct lane *lane, uint64_t count)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "done", "count", count);
}

/* ---- sinks: [data] ---- */

/* So many records went to a peer that answers later; one of `epoch` is about to be booked
 * as answered. */
static inline void trace_sent(const struct lane *lane, uint32_t records)
{
    if (lane->flow->trace && records > 0)
        trace_tell_answers(lane, lane->epoch, records);
}

static inline void trace_ack(const struct lane *lane, uint64_t epoch)
{
    if (lane->flow->trace)
        trace_tell_epoch(lane, "ack", "epoch", epoch);
}

/* All its sinks have made what came up to and with its epoch safe. */
static inline void trace_sync(const struct lane *lane)
{
    if (lane->flow->trace)
        trace_tell_sync(lane);
}

/* ---- groups: [keeper], under the commit lock ---- */

/* These epochs are in the group that is made now. */
static inline void trace_choose(const struct flow *flow)
{
    if (flow->trace)
        trace_tell_domains(flow, "choose");
}

/* What stands in the group from change `from` on is of this queue. */
static inline void trace_store(const struct link *link, const struct kept_group *group, uint32_t from)
{
    if (link->writer->flow->trace)
        trace_tell_changes(link, group, from);
}

/* The group is safe, and nobody knows. */
static inline void trace_durable(const struct flow *flow)
{
    if (flow->trace)
        trace_tell_durable(flow);
}

/* It is about to be seen. */
static inline void trace_committed(const struct flow *flow)
{
    if (flow->trace)
        trace_tell_domains(flow, "committed");
}

/* [data] The lane's source is about to hear of it. */
static inline void trace_told(const struct lane *lane)
{
    if (lane->flow->trace)
        trace_tell_told(lane);
}

#endif
