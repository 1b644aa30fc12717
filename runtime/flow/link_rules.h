/* link_rules.h - what a sink may send now, and by which link.
 *
 * One function of the rules in the file, the state of the links, what was spent and the
 * time. It keeps nothing and asks nobody, so all of it can be laid down as a table.
 *
 * The link: the first by preference that is up, works, and lets anything go; where none
 * that is up works, the one that is to be tried first. What goes by it: every class up to
 * the least that its technology, roaming, metering and the budget allow.
 *
 * Not here: whether a link works, hysteresis (uplink.c), counting (spent.h). */
#ifndef AFFERENT_FLOW_LINK_RULES_H
#define AFFERENT_FLOW_LINK_RULES_H

#include "config/plan.h"

/* Why a class waits. */
enum link_wait {
    LINK_WAIT_NONE,
    LINK_WAIT_UNKNOWN, /* the node has not said yet how the link is */
    LINK_WAIT_DOWN,
    LINK_WAIT_METERED,
    LINK_WAIT_ROAMING,
    LINK_WAIT_TECHNOLOGY,
    LINK_WAIT_DAY, /* per_day is spent */
    LINK_WAIT_MONTH
};

/* A link as this sink sees it. */
struct link_view {
    bool is_known, is_up, is_metered, is_roaming;
    uint8_t technology;
    int64_t free_ns; /* boot clock: until then one behind it is used, if there is one: it
                      * failed, or has come back only just now */
};

struct link_spent {
    bool day, month; /* the budget is */
};

enum { LINK_NO_LINK = LINKS_MOST };
struct link_choice {
    uint32_t link;       /* index in rules->links; LINK_NO_LINK: none, or none is named */
    int limit;           /* the last class that may go; LINK_NOTHING */
    enum link_wait why;  /* the classes behind it wait */
    int64_t again_ns;    /* boot clock: when time alone may change this; INT64_MAX: never */
};

/* [any] `views`: one for each of rules->links. */
struct link_choice link_choose(const struct link_rules *rules, const struct link_view *views, struct link_spent spent,
                               int64_t now_ns);

/* "metered", "down", ...: constant. */
const char *link_wait_word(enum link_wait wait);

#endif
