/* status.h - how a running pipeline is, for people and for programs.
 *
 * The run fills the numbers in, and its door (control.h) hands them out as text: the
 * command that asked only prints it.
 *
 * Not here: where the numbers come from (flow/, keep/, cell/). */
#ifndef AFFERENT_SHOW_STATUS_H
#define AFFERENT_SHOW_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include <afferent/plugin.h>

#include "keep/keeper.h"
#include "keep/store.h"
#include "show/control.h"
#include "show/uplinks.h"
#include "util/text.h"

/* All texts are borrowed for the call; NULL: nothing to say. */
struct status_node {
    const char *name;
    const char *plugin;
    const char *state;     /* "runs", "waits for its target", "parked", "ended", ... */
    const char *why;       /* the cause of its state, as explain gave it */
    const char *isolation; /* "thread"; "process: seccomp, landlock, no new privileges" */
    uint64_t records;      /* that it took or, a source, made */
    uint64_t dead;
    uint64_t expired;
    uint64_t held;
    uint64_t retries;      /* attempts that failed since the last success */
    uint64_t restarts;     /* of its child process */
};

struct status_edge {
    const char *from; /* "ecg.out" */
    const char *to;   /* "archive.in" */
    const char *way;  /* "block", "spill", "drop_oldest" */
    uint64_t queued;  /* records */
    uint64_t stored;  /* of these, in the store */
    uint64_t dropped;
    int64_t oldest_age_ns; /* of the event time of the first in line; below 0: none */
};

struct status_leave {
    const char *node;   /* phi leaves by it */
    const char *reason; /* of run.allow_phi */
};

/* A danger that is allowed on purpose. */
struct status_note {
    const char *node;
    const char *text;
};

struct status {
    const char *pipeline;
    const char *file;
    const char *version;
    const char *paused; /* why intake waits; NULL: it does not */
    int64_t pid;
    int64_t uptime_ns;
    uint64_t epochs;    /* committed since it started */
    int64_t commit_age_ns; /* of the last one; below 0: none yet */
    bool balanced;
    const struct status_node *nodes;
    uint32_t node_count;
    const struct status_edge *edges;
    uint32_t edge_count;
    const struct status_leave *leaves;
    uint32_t leave_count;
    const struct status_note *notes;
    uint32_t note_count;
    const struct aff_link *links; /* ways out, as the nodes say that keep them up */
    uint32_t link_count;
    const struct status_uplink *uplinks; /* sinks that have rules about them */
    uint32_t uplink_count;
    const struct store_figures *store;     /* NULL: it stores nothing */
    const struct keeper_figures *keeper;   /* NULL: the same */
    uint64_t letters;                      /* dead letters in the store */
    const struct control_figures *control; /* NULL: it has no door */
};

/* [any] Appends it: one JSON object and a newline, or lines for people. */
void status_text(const struct status *status, bool json, struct text *answer);

/* The name of an AFF_LINK_...: "4G". */
const char *status_technology(uint8_t technology);

#endif
