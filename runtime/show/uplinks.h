/* uplinks.h - what sinks may send over which link, as text: the rules of the file, and how
 * it stands now.
 *
 * Not here: the rules themselves (flow/link_rules.h), how links are (status.h). */
#ifndef AFFERENT_SHOW_UPLINKS_H
#define AFFERENT_SHOW_UPLINKS_H

#include <stdbool.h>
#include <stdio.h>

#include "config/plan.h"
#include "flow/uplink.h"
#include "util/json.h"
#include "util/text.h"

enum { UPLINK_CLASSES = AFF_PRIO_BULK + 1 };

/* A sink that has rules. */
struct status_uplink {
    const struct plan *plan;
    uint32_t node;
    struct uplink_figures figures;
    uint64_t waiting[UPLINK_CLASSES]; /* records in its queues, by class */
};

/* One line a sink: `plan`. Nothing where no sink has rules. */
void uplinks_plan(const struct plan *plan, FILE *out);
void uplinks_plan_json(struct json *json, const struct plan *plan);
/* Two lines a sink: `status`. */
void uplink_text(struct text *text, const struct status_uplink *uplink);
void uplink_json(struct json *json, const struct status_uplink *uplink);

#endif
