/* trial.h - pipelines whose every event is written down, for conform.py.
 *
 * A trial is a random pipeline, made by its seed, over a store in memory; it lives, dies
 * at a commit, is stopped, and goes on. What happens is written to a file as it does.
 *
 * Not here: whether it was right (tests/sim/conform.py), what arrived (test_stress.c). */
#ifndef AFFERENT_TESTS_TRIAL_H
#define AFFERENT_TESTS_TRIAL_H

#include <stdatomic.h>
#include <stdio.h>

#include "ends.h"
#include "memkeep.h"
#include "parts.h"
#include "peer.h"
#include "rig.h"

enum { TRIAL_SINKS = 8, TRIAL_PATH = 256 };

/* Events that are counted, in this order. */
enum { TRIAL_EVENTS = 20 };
extern const char *const trial_events[TRIAL_EVENTS];

/* Who writes a trace down. Counts go on from one to the next. */
struct listener {
    struct trace trace;
    FILE *file;
    char path[TRIAL_PATH];
    _Atomic uint64_t counts[TRIAL_EVENTS];
    uint64_t wrong; /* runs whose accounts did not balance, or that ended on an error */
};
/* Begins a file DIR/NAME.trace; false: it cannot be written. */
bool listener_open(struct listener *listener, const char *dir, const char *name);
/* A line of its own. */
void listener_add(struct listener *listener, const char *line);
/* False: not all could be written. */
bool listener_close(struct listener *listener);

/* What a pipeline has of each. */
struct shapes {
    uint64_t rings, queues, newest, fan_ins, inside, circles, late, syncs, stores_none;
};

struct trial {
    struct rig rig;
    struct listener *listener;
    struct memkeep *keep; /* NULL: nothing is stored */
    enum layout_mode mode;
    uint64_t random;
    char names[RIG_NODES][8];
    struct part_source sources[2];
    struct part_edit edit;
    struct part_judge judge;
    struct part_sink plain[TRIAL_SINKS];
    struct far_end *ends[TRIAL_SINKS];
    struct peer *peers[TRIAL_SINKS];
    uint32_t sink_count;
};

/* part_source, which is told what is committed. To be asked for before threads begin. */
const struct aff_plugin *trial_source(void);
/* Made by the seed; `shapes` is added to. */
struct trial *trial_open(uint64_t seed, struct listener *listener, struct shapes *shapes);
void trial_close(struct trial **trial);
/* SplitMix64 (Steele, Lea, Flood 2014). */
uint32_t trial_pick(struct trial *trial, uint32_t below);

struct life {
    uint64_t dies_at; /* this commit is the last; 0: none */
    bool torn;        /* and is not stored */
    bool is_stopped;
    int64_t after_ns; /* of its start, then it is */
};
/* True: it came to its end, and is not gone on with. */
bool trial_live(struct trial *trial, const struct life *life);
/* A few lives with deaths and stops, and one to the end. */
void trial_run(struct trial *trial);
/* One life of any rig that has this listener and store. One that hangs ends the program,
 * and its trace stays. */
bool trial_rig_live(struct rig *rig, enum layout_mode mode, struct memkeep *keep, struct listener *listener,
                    const struct life *life);

#endif
