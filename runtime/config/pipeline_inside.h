/* pipeline_inside.h - what the parts of the pipeline reader share.
 *
 * pipeline.c       the document, [pipeline], and the order of the steps
 * pipeline_node.c  a node: its plugin, its options, `edge` and `run`
 * pipeline_from.c  `from`: which output goes to which input
 * pipeline_graph.c the whole: cycles, nodes that lead nowhere, the order
 *
 * Not here: what others see (pipeline.h). */
#ifndef AFFERENT_CONFIG_PIPELINE_INSIDE_H
#define AFFERENT_CONFIG_PIPELINE_INSIDE_H

#include "config/options.h"
#include "config/pipeline.h"

/* Far above any real pipeline; what is done for all pairs stays quick. */
#define NODES_MAX 1024u

/* A node as it stands in the file. */
struct draft_node {
    const char *name;
    uint32_t kind;                 /* AFF_SOURCE ... */
    const struct value *table;
    const struct plugin *plugin;   /* NULL after an error */
    void *config;
    int64_t buffer;                /* of `edge` */
    int64_t max_held;              /* of `run`; -1: as the plugin needs */
    uint32_t order;                /* row in the plan */
    uint32_t waits;                /* graph: readers not yet ordered before it */
    bool is_ordered;
    bool is_fed;                   /* data of a source reaches it */
    bool is_drained;               /* its data reaches a sink */
};

struct draft_edge {
    uint32_t from, from_port, to, to_port;
    struct place place;
    uint32_t row;                  /* as written */
    uint64_t buffer;
};

struct draft {
    struct arena *arena;
    struct report *report;
    struct plugins *plugins;
    const char *file;
    struct draft_node *nodes;      /* in file order */
    uint32_t node_count;
    struct draft_edge *edges;
    uint32_t edge_count, edge_room;
};

/* Each reports what is wrong and returns false then. */
bool draft_node_read(struct draft *draft, struct draft_node *node);
bool draft_from_read(struct draft *draft, uint32_t node);
bool draft_graph_check(struct draft *draft);

const char *node_kind_name(uint32_t kind);   /* "source", "processor", "sink" */

/* A command port takes orders to a device: an edge into it closes no cycle. */
bool edge_is_command(const struct draft *draft, const struct draft_edge *edge);

#endif
