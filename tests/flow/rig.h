/* rig.h - small pipelines made in code, for tests and benchmarks of flow/.
 *
 * A rig is a plan whose nodes are constants linked into the program: no TOML, no
 * shared objects. Tests of those are elsewhere. */
#ifndef AFFERENT_TESTS_RIG_H
#define AFFERENT_TESTS_RIG_H

#include "config/plan.h"
#include "flow/flow.h"

enum { RIG_NODES = 40, RIG_EDGES = 64 };

struct rig {
    struct plan plan;
    struct plugin plugins[RIG_NODES];
    struct plan_node nodes[RIG_NODES];
    struct plan_edge edges[RIG_EDGES];
    struct flow_options options;
};

/* Defaults as in a TOML file that says nothing; cut every 250 ms. */
void rig_begin(struct rig *rig);
/* Borrows all three; gives the node's number. Sources and writers first. */
uint32_t rig_node(struct rig *rig, const char *name, const struct aff_plugin *plugin, void *config);
void rig_edge(struct rig *rig, uint32_t from, uint32_t from_port, uint32_t to, uint32_t to_port);
/* Lays it out and opens it; NULL after printing why. */
struct flow *rig_open(struct rig *rig, enum layout_mode mode);
/* The same, started, run to its end. */
struct flow *rig_run(struct rig *rig, enum layout_mode mode);

#endif
