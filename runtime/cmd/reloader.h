/* reloader.h - a run that changes while it goes on: `afferent reload`, and SIGHUP.
 *
 * Whoever asks hands the wish over; the run's own thread does it between two looks at
 * its flow, and answers. The file is read by the same function as at the start; one that
 * is wrong, or a node that does not open within 10 s, changes nothing.
 *
 * Not here: the change itself (flow/reload.h), what differs (config/difference.h). */
#ifndef AFFERENT_CMD_RELOADER_H
#define AFFERENT_CMD_RELOADER_H

#include "cmd/door.h"
#include "cmd/opened.h"
#include "cmd/stopper.h"
#include "cmd/stored.h"
#include "util/text.h"

struct reloader;

/* What a run is made of, borrowed; `opened` and `flow` are those of the changed pipeline
 * after a reload. */
struct reloader_run {
    struct opened *opened;
    struct flow **flow;
    struct stored *stored;
    struct stopper *stopper;
    struct lines *lines;
    struct door *const *door;
};

/* [control] NULL: no memory. Close it behind the flow: plans that plugins still use are
 * freed with it. */
struct reloader *reloader_open(const struct reloader_run *run);
void reloader_close(struct reloader **reloader);
/* [control] The flow runs from now on; NULL: it ends, and who asks is told so. */
void reloader_flow(struct reloader *reloader, struct flow *flow);

/* [any] Asks for a reload from a file (NULL: that of the run) and waits until it is
 * done; returns the exit code of who asked. */
int reloader_ask(void *reloader, const char *path, struct text *answer);
/* [any] Letters were given back to their nodes, which may look for them now. */
void reloader_retry(struct reloader *reloader);
/* [any] As reloader_ask, without waiting: what comes of it goes to the lines. */
void reloader_hang_up(void *reloader);
/* [any] Whether anything was asked for that is not done yet. */
bool reloader_is_asked(struct reloader *reloader);
/* [control] Does what was asked for. True: the flow is another. */
bool reloader_turn(struct reloader *reloader);

#endif
