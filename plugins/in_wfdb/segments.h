/* SPDX-License-Identifier: Apache-2.0
 *
 * segments.h - headers that are segments of another record in the same list.
 *
 * What folders and globs yield besides the records themselves: segments come
 * with their record, and are no records of their own unless they were named. */
#ifndef IN_WFDB_SEGMENTS_H
#define IN_WFDB_SEGMENTS_H

#include "recording/paths.h"

/* [control] Takes them out of the list. AFF_OK or AFF_ERR_MEMORY. */
aff_status segments_drop(struct paths *p);

#endif
