/* pipeline.h - a pipeline file into a checked plan.
 *
 * The one function behind `check`, `run`, `plan` and `graph`: what one of them
 * refuses, all refuse. It looks at the files that the TOML names and at the
 * plugins; it opens no device, and no thread is touched.
 *
 * Not here: threads, copies and rings (layout.c), anything that moves (flow/). */
#ifndef AFFERENT_CONFIG_PIPELINE_H
#define AFFERENT_CONFIG_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/plan.h"
#include "load/plugin.h"
#include "util/report.h"

struct pipeline_request {
    const char *file;          /* borrowed until plan_close */
    const char *const *sets;   /* of --set, in their order; borrowed for the call */
    size_t set_count;
    const char *pace;          /* of --pace: the option `pace` of every source that
                                * has one; NULL: as in the file */
    bool json;                 /* of --json: `format = "json"` in every sink that
                                * offers it, so that a report can be parsed */
};

/* [control] NULL after at least one error in `report`; warnings may be there in
 * any case. The plan is laid out (LAYOUT_NORMAL) and within its memory_limit.
 * It borrows the plugins: close it before them. */
struct plan *pipeline_read(struct plugins *plugins, const struct pipeline_request *request,
                           struct report *report);

/* Frees the plan with all its configs, wiped. Sets the pointer to NULL. */
void plan_close(struct plan **plan);

#endif
