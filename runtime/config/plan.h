/* plan.h - a checked pipeline: what the data path is built from.
 *
 * pipeline.c fills nodes and edges from TOML; shapes.c says what flows by them,
 * privacy.c what leaves this node; layout.c decides threads, copies and memory.
 * After that nothing changes any more: run, check, plan and graph all read the
 * same plan.
 *
 * Not here: values in TOML (toml.h), anything that moves (flow/). */
#ifndef AFFERENT_CONFIG_PLAN_H
#define AFFERENT_CONFIG_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "load/plugin.h"
#include "util/arena.h"
#include "util/report.h"

enum { PLAN_BATCH = 64 };        /* headers a batch */
enum { PLAN_NONE = 0xffffffffu }; /* no node, no edge, no lane */

/* What a privacy label is said of. */
enum label_of { LABEL_OF_SUBJECT, LABEL_OF_TIMES, LABEL_OF_NAMES, LABEL_OF_PAYLOAD, LABEL_KINDS };

/* How it is known what an output carries. */
enum shape_known {
    SHAPE_OPEN,   /* it is not: columns are known when it runs */
    SHAPE_TABLE,  /* the plugin's table says it */
    SHAPE_PASSED, /* as it came in */
    SHAPE_SAID,   /* the plugin's `shape` said it for these options and inputs */
    SHAPE_SILENT  /* the same said that it makes nothing */
};

/* Records of one schema that leave by an output. */
struct plan_shape {
    const struct aff_schema *schema; /* its columns have their labels; NULL: open */
    uint32_t types;                  /* mask of what they may be */
    uint8_t labels[LABEL_KINDS];     /* AFF_LABEL_...; of the payload the highest */
};

struct plan_output {
    const struct plan_shape *shapes; /* one; none: silent; several where inputs of */
    uint32_t shape_count;            /* different schemas pass */
    enum shape_known known;
    uint8_t labels[LABEL_KINDS]; /* highest of the shapes */
    uint8_t label;               /* highest of these: AFF_FLAG_PHI by it */
    const char *cleared;         /* by run.clears: "name, subject"; NULL: nothing */
};

/* A way out of this machine: [link.NAME]. */
enum { LINK_TECHNOLOGIES = 7, LINKS_MOST = 8 };
struct plan_link {
    const char *name;
    const char *interface; /* of the system ("wwan0"), to bind to; NULL: any */
    uint32_t node;         /* says in what state it is; PLAN_NONE: what follows does, and its interface */
    bool is_up, is_metered, is_roaming;
    uint8_t technology;    /* AFF_LINK_... */
    int64_t back_after_ns; /* that it must have been up before a sink returns to it */
    struct place at;
};

/* What may leave by which link: of a sink's `edge`. A limit is the last class that may go,
 * AFF_PRIO_..., or LINK_NOTHING. */
enum { LINK_NOTHING = -1 };
struct link_rules {
    uint32_t links[LINKS_MOST]; /* rows of the plan's, by preference; none: as the system routes */
    uint32_t link_count;
    int8_t metered, roaming, when_spent;
    int8_t technology[LINK_TECHNOLOGIES];
    uint64_t per_day, per_month; /* bytes by metered links; 0: no bound */
};

/* A danger that is allowed on purpose, as the plugin says it. */
struct plan_note {
    struct place at;
    const char *text;
    const struct plan_note *next;
};

struct plan_node {
    const char *name; /* "clean" */
    const struct plugin *plugin;
    void *config;    /* the plugin's struct, filled */
    struct place at; /* of its table */
    uint32_t max_held;
    bool durable;          /* source: a store right behind it */
    bool in_process;       /* runs in a child */
    bool require_sandbox;  /* ... and only where the kernel can confine it */
    uint64_t options_hash; /* of what its table says: state of other options is not for it */
    const struct plan_note *notes; /* in the order they were said; NULL: none */
    const struct plan_output *outputs; /* by port; NULL: not known, so phi */
    const struct link_rules *link_rules; /* sink: NULL: everything may leave at any time */
    /* layout */
    uint32_t lane;       /* the thread that runs it */
    uint32_t domain;     /* the nodes whose records become safe together */
    uint64_t ring_bytes; /* its byte ring, 0 where it makes no bytes */
    bool is_behind;      /* while plan_mark_circles looks */
};

/* How an edge hands records over. */
enum edge_way {
    EDGE_FUSED, /* same thread: a call */
    EDGE_RING,  /* another thread: a ring of headers */
    EDGE_QUEUE  /* another domain: a queue of copies, with or without the store behind */
};

/* What happens when the reader is slow (edge.when_full). */
enum when_full { WHEN_FULL_BLOCK, WHEN_FULL_SPILL, WHEN_FULL_DROP_OLDEST };

struct plan_edge {
    uint32_t from; /* node, and its output port */
    uint32_t from_port;
    uint32_t to; /* node, and its input port */
    uint32_t to_port;
    struct place at;  /* where `from` names it */
    uint64_t buffer;  /* payload bytes that the reader may leave unread */
    enum when_full when_full;
    uint8_t priority;  /* AFF_PRIO_...: of the edge, else of the output port */
    int64_t expire_ns; /* older records are not delivered; 0: all are */
    bool closes;       /* commands to a processor or sink from behind itself: never blocks */
    /* layout */
    enum edge_way way;
    bool copies;      /* the reader edits bytes that others see: one copy */
    uint32_t headers; /* of the ring, a power of two */
};

/* A node by which data leaves this machine, as far as it is labelled. */
struct plan_leave {
    uint32_t node;
    const char *reason; /* of run.allow_phi; NULL: nothing labelled phi leaves */
    const char *phi;    /* "subject and times of ecg come by ecg -> cloud", or NULL */
    const char *quasi;  /* "columns age and postcode", or NULL */
};

struct plan {
    const char *file; /* as given on the command line, for messages */
    const char *name;
    uint64_t memory_limit;
    uint64_t store_limit;  /* 0: nothing is stored */
    const char *store_key; /* path of a key file; NULL: values are stored as they are */
    int64_t commit_every_ns;
    uint64_t commit_records; /* per source and epoch */
    uint64_t commit_bytes;
    uint64_t max_record;
    struct plan_node *nodes; /* in the data's order: each before its readers */
    uint32_t node_count;
    struct plan_edge *edges; /* ordered by reader, then as written */
    uint32_t edge_count;
    const uint32_t *ins; /* edges[ins[n]] to edges[ins[n + 1] - 1] go to node n */
    const struct plan_link *links; /* as written */
    uint32_t link_count;
    const struct plan_leave *leaves;
    uint32_t leave_count;
    uint32_t lane_count;
    uint32_t domain_count;
    struct arena *arena; /* owns all the above */
};

/* How the layout chooses threads. */
enum layout_mode {
    LAYOUT_NORMAL,
    LAYOUT_THREAD_PER_NODE /* for measuring */
};

/* [control] Finds the edges that close a circle of commands. Before when_full is chosen. */
void plan_mark_circles(struct plan *plan);

/* [control] Decides lanes, ways, copies and ring sizes. */
void plan_layout(struct plan *plan, enum layout_mode mode);

/* [any] Whether records of an input may leave by an output as they are. */
bool plan_hands_on(const struct plugin *plugin, uint32_t input, uint32_t output);

/* [any] What comes by an edge; nothing where a plan was made without saying. */
const struct plan_output *plan_output(const struct plan *plan, const struct plan_edge *edge);

/* [any] The highest label of what leaves by an output: AFF_LABEL_PHI where a plan
 * was made without saying. */
static inline uint8_t plan_label(const struct plan *plan, uint32_t node, uint32_t port)
{
    const struct plan_output *outputs = plan->nodes[node].outputs;

    return outputs ? outputs[port].label : (uint8_t)AFF_LABEL_PHI;
}

/* One line of `afferent plan`: what the memory is for, and how much. */
struct plan_memory {
    const char *what;
    uint64_t bytes;
    uint32_t node; /* or PLAN_NONE */
    uint32_t edge; /* or PLAN_NONE */
};

/* [any] Bytes of all rings, hold areas and nodes; with `lines` not NULL also one
 * by one, up to `room`; *ret_count says how many there are. */
uint64_t plan_memory(const struct plan *plan, struct plan_memory *lines, uint32_t room, uint32_t *ret_count);

#endif
