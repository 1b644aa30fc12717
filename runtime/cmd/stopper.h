/* stopper.h - Ctrl-C: the first time drains, the second time ends at once.
 *
 * A thread of its own takes SIGINT, SIGTERM and SIGHUP, so that nothing runs inside a
 * signal handler. Open it before any other thread: threads inherit that these
 * signals are blocked.
 *
 * Not here: what draining is (flow/). */
#ifndef AFFERENT_CMD_STOPPER_H
#define AFFERENT_CMD_STOPPER_H

#include <stdbool.h>
#include <stdint.h>

#include "flow/flow.h"
#include "show/lines.h"

struct stopper;

/* NULL without memory or threads. `lines` is borrowed until close. */
struct stopper *stopper_open(struct lines *lines);
void stopper_close(struct stopper **stopper);

/* From now on signals go to this flow; NULL: to none. */
void stopper_guard(struct stopper *stopper, struct flow *flow);
/* Instead of stopping, SIGHUP calls this from now on (NULL: it stops again). */
void stopper_on_hang_up(struct stopper *stopper, void (*call)(void *arg), void *arg);
/* How often a stop was asked for. */
int stopper_asked(struct stopper *stopper);
/* Sleeps; true as soon as a stop is asked for. */
bool stopper_sleep(struct stopper *stopper, int64_t for_ns);

#endif
