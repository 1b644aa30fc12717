/* SPDX-License-Identifier: Apache-2.0
 *
 * probe.h - small plugins for the tests of the testkit, well-behaved or not as
 * their option `act` says. */
#ifndef AFF_TESTKIT_PROBE_H
#define AFF_TESTKIT_PROBE_H

#include <afferent/plugin.h>

extern const struct aff_plugin probe_plugin;  /* a processor */
extern const struct aff_plugin source_plugin; /* a source, also an archive of what it counts */
extern const struct aff_plugin sink_plugin;   /* a sink with AFF_ACKS */

#endif
