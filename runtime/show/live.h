/* live.h - how a run is doing, in one line.
 *
 * On a terminal it is the live line; elsewhere it goes to the log now and then.
 *
 * Not here: where it is written (lines.h), the ledger at the end (books.h). */
#ifndef AFFERENT_SHOW_LIVE_H
#define AFFERENT_SHOW_LIVE_H

#include <stddef.h>

#include "flow/flow.h"

struct live {
    const struct flow *flow;
    const struct plan *plan;
    int64_t began_ns; /* boot clock */
    int64_t last_ns;
    uint64_t last_made;
    double rate; /* records of all sources a second */
    bool rated;  /* over a whole second */
};

void live_begin(struct live *live, const struct flow *flow, const struct plan *plan);
/* Looks now; the rate is that since the last look. */
void live_text(struct live *live, char *text, size_t room);
double live_seconds(const struct live *live);

#endif
