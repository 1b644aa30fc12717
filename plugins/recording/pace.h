/* SPDX-License-Identifier: Apache-2.0
 *
 * pace.h - when something of a recording is due: at once, or in real time. */
#ifndef RECORDING_PACE_H
#define RECORDING_PACE_H

#include <afferent/plugin.h>

enum { PACE_FAST, PACE_REALTIME };

struct pace {
    int anchored; /* 0 where a recording begins: the next thing's time is now */
    int64_t event_ns, boot_ns;
};

/* At real time a thing that began at `begin_ns` is due when it would have been
 * known. 0: not yet, and the host has been asked to come back. */
int pace_is_due(struct pace *p, const struct aff_host *host, int64_t begin_ns, int64_t known_ns);

#endif
