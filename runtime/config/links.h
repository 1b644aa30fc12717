/* links.h - [link.NAME]: the ways out of this machine, and what a sink may send by them.
 *
 * A link's state comes from the node that keeps it up (`from`), or stands in the file. A
 * sink names links in its `edge`, by preference, with rules and a budget beside.
 *
 * Not here: the table of `edge` (host_keys.c), what follows from rules (flow/link_rules.h). */
#ifndef AFFERENT_CONFIG_LINKS_H
#define AFFERENT_CONFIG_LINKS_H

#include "config/pipeline_inside.h"

enum { LINKS_UNSAID = -1 }; /* of a class: not written */

/* Classes of each technology, as rows of links_class_names. */
struct link_techs {
    int32_t limit[LINK_TECHNOLOGIES];
};

/* The keys of `edge` that are about links, as the option check fills them. */
struct link_keys {
    struct aff_list links; /* const char * */
    const struct link_techs *technology;
    int32_t metered, roaming, when_spent;
    int64_t per_day, per_month;
};

extern const char *const links_class_names[]; /* "none", "alarm", ... NULL */
extern const struct aff_option links_name_item[];
extern const struct aff_option links_technology_options[LINK_TECHNOLOGIES];

/* What a node's `edge` says of links: into node->link_rules, NULL where it says nothing. */
void links_rules_read(struct draft *draft, struct draft_node *node, const struct link_keys *keys);
/* Reads [link.NAME], after all nodes have been. */
void links_read(struct draft *draft, const struct value *document);
/* After both, and when_full was chosen: fills the plan's. All three report mistakes. */
void links_choose(struct draft *draft, struct plan *plan);

/* "2g", of AFF_LINK_...; "alarm", of a limit, "none" for LINK_NOTHING. Constant. */
const char *links_technology(uint8_t technology);
const char *links_limit(int limit);

#endif
