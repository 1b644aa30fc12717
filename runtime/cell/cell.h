/* cell.h - a plugin that runs in a process of its own.
 *
 * The data path sees an ordinary plugin: cell_plugin() gives a table with the same
 * names, ports, options and verdicts, whose callbacks talk to the child. What the
 * child did in a call is checked as a whole, and only then done at the real host; a
 * child that dies, hangs or writes nonsense has done nothing, and is replaced. So a
 * plugin in a process can lose, double or invent no record, and its death is a delay.
 *
 * Policy. The slot in hand is offered again one record a call; a record that ended
 * three children becomes a dead letter, and so does the oldest that it holds where three
 * children ended in calls without a batch. Restarts back off from 0.1 s to 10 s; five
 * ends in a minute park the node, which is then tried once a minute. While there is
 * no child the callbacks answer AFF_ERR_IO with the cause, and the data path waits.
 *
 * `validate`, `shape` and the query_ callbacks stay the plugin's own: they are called
 * where nothing flows.
 *
 * Not here: which nodes run so (config/), what a thread costs (flow/). */
#ifndef AFFERENT_CELL_CELL_H
#define AFFERENT_CELL_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "load/plugin.h"

struct cell;

/* For tests: what the kernel is taken to lack. */
enum { CELL_LACKS_SECCOMP = 1, CELL_LACKS_LANDLOCK = 2 };

struct cell_options {
    const char *node;      /* for messages; copied */
    int64_t call_ns;       /* longest time of a call; 0: 5 s */
    int64_t open_ns;       /* of open and restore, and until the child is up; 0: 10 s */
    uint64_t memory_bytes; /* that the child may map beside the shared; 0: 512 MiB */
    uint64_t max_payload;  /* bytes of the largest record, in or out; 0: 1 MiB */
    uint32_t max_held;     /* records that the node may hold, as in the plan */
    bool require_sandbox;  /* refuse where seccomp cannot be installed */
    uint32_t lacks;        /* CELL_LACKS_...: tests */
    /* Restarts, violations, parking; NULL: they go to host->log. Called on the
     * thread of the callback. */
    void (*log)(void *arg, int level, const char *text);
    void *arg;
    /* A record that the node holds, for which three children ended: a dead letter, which
     * the host no longer holds when this returns. NULL: it stays. On the same thread. */
    void (*letter)(void *arg, const struct aff_record *held, const char *why);
};

/* [control] Prepares a cell; starts nothing. `plugin` and what `config` points to are
 * borrowed until cell_close; `config` is the plugin's own struct, filled. NULL: `why`
 * has one line (no memory, no descriptors, a probe or a cell is no host). */
struct cell *cell_open(const struct plugin *plugin, const void *config, const struct cell_options *options,
                       char *why, size_t room);
/* [control] After the table's close, or where its open was never called or failed.
 * Ends the child if there is one. */
void cell_close(struct cell **cell);

/* [control] After the table's open failed: where that was because its child ended in it,
 * the cell is opened all the same, without a child. Callbacks start one, with back-off, and
 * answer AFF_ERR_IO meanwhile; but start and restore answer AFF_OK, and are done for each
 * child that comes up. False: it was for another reason, or there is no memory. */
bool cell_open_lost(struct cell *cell, const struct aff_host *host, void **ret_self);
/* [data] There is no child, none has done anything yet, and nothing was restored: what is
 * kept of it is nothing, and it must not be asked for a snapshot. */
bool cell_is_blank(const struct cell *cell);

/* [any] The table for the data path, and what its `open` has to be given as config:
 *     about = cell_plugin(cell);
 *     about->open(host, cell_config(cell), &self);
 * Borrowed until cell_close. All [data] callbacks come from one thread at a time. */
const struct aff_plugin *cell_plugin(const struct cell *cell);
const void *cell_config(const struct cell *cell);

/* [any] Memory that a cell shares with its child, at most, for records of `max_payload`
 * bytes (0: as in the options): for the plan. What the child maps itself comes on top. */
uint64_t cell_shared_bytes(uint64_t max_payload);

/* [any] What is in force, or would be: "process, seccomp compute, landlock 2 folders,
 * no_new_privs". `room` of 160 is enough. */
void cell_status(const struct cell *cell, char *text, size_t room);

struct cell_figures {
    uint64_t calls;
    uint64_t starts;         /* children started */
    uint64_t ends;           /* that ended in a call, or between calls, unasked */
    uint64_t hangs;          /* of these, killed because they did not answer in time */
    uint64_t violations;     /* of these, killed because what they wrote was wrong */
    uint64_t dead_letters;   /* records that ended three children */
    uint64_t bytes_isolated; /* payload copied out of the child */
    int32_t pid;             /* 0: there is no child now */
    bool is_parked;
};
/* [any] */
void cell_figures(const struct cell *cell, struct cell_figures *ret_figures);

/* What main() does first of all:
 *     if (cell_child_asked(argc, argv))
 *         return cell_child_main(argc, argv); */
bool cell_child_asked(int argc, char **argv);
int cell_child_main(int argc, char **argv);
/* A program with plugins linked in says them before, so that they can run in a child
 * of it. Borrowed. At most 64. */
void cell_child_know(const struct aff_plugin *constant);

#endif
