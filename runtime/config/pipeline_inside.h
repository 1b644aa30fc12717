/* pipeline_inside.h - what the parts of the pipeline reader share.
 *
 * pipeline.c           the document, and the order of the steps
 * pipeline_settings.c  [pipeline]
 * pipeline_node.c      a node: its plugin, its options
 * host_keys.c          `edge` and `run`
 * pipeline_from.c      `from`: which output goes to which input
 * pipeline_graph.c     the whole: cycles, nodes that lead nowhere, the order
 * delivery.c           what becomes of records whose reader is slow
 * links.c              [link.NAME], and what a sink may send by them
 * says.c               what a plugin says against its options and inputs
 * shapes.c             what each output carries, then columns.c and privacy.c
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
    int64_t expire_ns;             /* ... 0: none */
    int32_t when_full;             /* ... enum when_full; -1: not written */
    int32_t priority;              /* ... AFF_PRIO_...; -1: not written */
    bool is_durable;               /* of `run` */
    bool in_process;               /* ... isolation */
    bool require_sandbox;          /* ... */
    int64_t max_held;              /* of `run`; -1: as the plugin needs */
    const char *allow_phi;         /* of `run`: the reason, or NULL */
    const struct value *clears;    /* of `run`: a text or list of texts, or NULL */
    struct link_rules *link_rules; /* of `edge`: what may leave when; NULL: nothing is said */
    bool is_secure;                /* its validate said so */
    const struct plan_note *notes; /* the same */
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
    const struct value *document;
    struct draft_node *nodes;      /* in file order */
    uint32_t node_count;
    bool has_nameless;             /* [source] without a name: some names are not known */
    struct draft_edge *edges;
    uint32_t edge_count, edge_room;
    struct plan_link *links;       /* [link.NAME]; node: a row of nodes here */
    uint32_t link_count;
};

/* What stands in [pipeline]. */
struct settings {
    const char *name;
    int64_t memory_limit;
    int64_t commit_every_ns;
    int64_t commit_records;
    int64_t commit_bytes;
    int64_t max_record;
    int64_t store_limit;
    const char *store_key;
};

/* Each reports what is wrong and returns false then; host_keys_read only reports. */
bool settings_read(struct draft *draft, const struct value *document, struct settings *settings);
bool draft_node_read(struct draft *draft, struct draft_node *node);
void host_keys_read(struct draft *draft, struct draft_node *node);
bool draft_from_read(struct draft *draft, uint32_t node);
bool draft_graph_check(struct draft *draft);

/* What stands under a key of a node's `edge` or `run`; NULL: nothing. */
const struct value *host_key(const struct draft_node *node, const char *table, const char *key);

/* What a plugin says while its `validate` or `shape` runs. */
struct says {
    struct aff_report about;       /* first: the plugin hands back its address */
    struct draft *draft;
    const struct draft_node *node;
    const char *callback;          /* "validate" or "shape" */
    bool had_problem;
    bool is_secure;
    const struct plan_note *notes, **next_note;
    bool (*output)(struct says *says, const struct aff_shape *shape); /* NULL: not here */
    const char *(*input_name)(struct says *says, unsigned long number); /* with output */
};
void says_begin(struct says *says, struct draft *draft, const struct draft_node *node,
                const char *callback);
/* After the call: a refusal without a word is a message too. */
void says_end(struct says *says, aff_status status);

const char *node_kind_name(uint32_t kind);   /* "source", "processor", "sink" */

/* Of a pipeline or node; and what could stand there instead: "ward 3" becomes "ward_3". */
bool pipeline_name_good(const char *name);
const char *pipeline_name_meant(struct arena *arena, const char *name);

/* A port for commands: an edge into it closes no cycle, for it is a queue then (delivery.c). */
bool edge_is_command(const struct draft *draft, const struct draft_edge *edge);

#endif
