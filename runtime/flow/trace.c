/* trace.c - see trace.h. */
#include "flow/trace.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "flow/commit_inside.h"

enum { LINE = 1024 };

static void tell(const struct flow *flow, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(const struct flow *flow, const char *format, ...)
{
    char line[LINE];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    flow->trace->line(flow->trace->arg, line);
}

/* ---- what it looks like ---- */

static bool syncs(const struct lane *lane)
{
    uint32_t i;

    for (i = 0; i < lane->node_count; i++)
        if (lane->nodes[i]->about->kind == AFF_SINK && lane->nodes[i]->about->sync)
            return true;
    return false;
}

static const char *kind_of(const struct lane *lane)
{
    if (lane->kind == LANE_SOURCE)
        return "source";
    return lane->nodes[0]->about->kind == AFF_SINK ? "sink" : "processor";
}

/* Outside the commit: what drops, and a queue without a store behind it. */
static bool is_told(const struct flow *flow, const struct link *link)
{
    return link->edge || (link->queue && flow->kept && link->plan->when_full == WHEN_FULL_SPILL);
}

static uint32_t number_of(const struct link *link)
{
    return (uint32_t)(link - link->writer->flow->links);
}

static void tell_edge(const struct flow *flow, const struct link *link)
{
    char name[COMMIT_NAME * 2];

    commit_queue_name(flow->plan, link->plan, name, sizeof name);
    tell(flow, "edge number=%" PRIu32 " kind=%s from=%" PRIu32 " to=%" PRIu32 " name=%s\n", number_of(link),
         link->edge ? "ring" : "queue", link->writer->lane->index, link->reader->lane->index, name);
}

void trace_begin(struct flow *flow, uint64_t first)
{
    uint32_t i;

    flow->trace = flow->options.trace;
    if (!flow->trace)
        return;
    tell(flow, "afferent-trace 1 flight=%d first=%" PRIu64 "\n", EDGE_EPOCHS, first);
    for (i = 0; i < flow->plan->lane_count; i++) {
        const struct lane *lane = &flow->lanes[i];

        tell(flow, "lane number=%" PRIu32 " domain=%d kind=%s syncs=%d\n", i, (int)(lane->domain - flow->domains),
             kind_of(lane), syncs(lane));
    }
    for (i = 0; i < flow->plan->edge_count; i++)
        if (is_told(flow, &flow->links[i]))
            tell_edge(flow, &flow->links[i]);
    tell(flow, "run number=%" PRIu64 "\n", flow->commit->accounts->runs);
    for (i = 0; i < flow->plan->lane_count; i++)
        if (atomic_load(&flow->lanes[i].ended))
            tell(flow, "over lane=%" PRIu32 "\n", i);
}

void trace_pause(struct flow *flow)
{
    flow->trace = NULL;
}

/* ---- events ---- */

void trace_tell_records(const struct link *link, const struct lane *lane, const char *event, uint64_t first,
                        uint64_t last)
{
    tell(lane->flow, "%s edge=%" PRIu32 " epoch=%" PRIu64 " first=%" PRIu64 " last=%" PRIu64 "\n", event,
         number_of(link), lane->epoch, first, last);
}

void trace_queue(void *arg, bool taken, uint64_t first, uint64_t last)
{
    const struct link *link = arg;

    if (taken)
        trace_take(link, first, last);
    else
        trace_put(link, first, last);
}

void trace_tell_epoch(const struct lane *lane, const char *event, const char *key, uint64_t epoch)
{
    if (epoch == UINT64_MAX)
        tell(lane->flow, "%s lane=%" PRIu32 " %s=all\n", event, lane->index, key);
    else
        tell(lane->flow, "%s lane=%" PRIu32 " %s=%" PRIu64 "\n", event, lane->index, key, epoch);
}

void trace_tell_answers(const struct lane *lane, uint64_t epoch, uint32_t records)
{
    tell(lane->flow, "sent lane=%" PRIu32 " epoch=%" PRIu64 " records=%" PRIu32 "\n", lane->index, epoch, records);
}

void trace_tell_sync(const struct lane *lane)
{
    if (syncs(lane))
        trace_tell_epoch(lane, "sync", "count", lane->epoch + 1u);
}

void trace_tell_told(const struct lane *lane)
{
    if (lane->kind == LANE_SOURCE && lane->nodes[0]->about->committed)
        trace_tell_epoch(lane, "told", "count", lane->told);
}

void trace_tell_cut(const struct flow *flow, const struct domain *domain, uint64_t epoch)
{
    tell(flow, "cut domain=%d epoch=%" PRIu64 "\n", (int)(domain - flow->domains), epoch);
}

void trace_tell_domains(const struct flow *flow, const char *event)
{
    uint32_t i;

    for (i = 0; i < flow->plan->domain_count; i++)
        tell(flow, "%s domain=%" PRIu32 " count=%" PRIu64 "\n", event, i, flow->domains[i].chosen);
}

void trace_tell_changes(const struct link *link, const struct kept_group *group, uint32_t from)
{
    const struct flow *flow = link->writer->flow;
    uint32_t i, edge = number_of(link);

    for (i = from; i < group->count; i++) {
        const struct kept_change *change = &group->changes[i];

        if (change->op == KEPT_PUT)
            tell(flow, "store edge=%" PRIu32 " seq=%" PRIu64 "\n", edge, change->seq);
        else if (change->op == KEPT_ACK)
            tell(flow, "remove edge=%" PRIu32 " seq=%" PRIu64 "\n", edge, change->seq);
        else
            tell(flow, "remove edge=%" PRIu32 " upto=%" PRIu64 "\n", edge, change->seq);
    }
}

void trace_tell_durable(const struct flow *flow)
{
    tell(flow, "durable\n");
}
