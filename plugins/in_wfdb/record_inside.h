/* SPDX-License-Identifier: Apache-2.0
 *
 * record_inside.h - what the record's files share. */
#ifndef IN_WFDB_RECORD_INSIDE_H
#define IN_WFDB_RECORD_INSIDE_H

#include "record.h"

/* Channels and tracks from the layout's header. */
int layout_make(struct wfdb_record *r, struct fault *f);
/* Places the current segment's signals in the channels, and takes over their
 * calibration. */
int layout_place(struct wfdb_record *r, struct fault *f);
/* The master header: from its beginning up to the record line. */
int master_begin(struct wfdb_record *r, struct fault *f);
void lines_rewind(struct wfdb_record *r);
void header_file(char to[WFDB_NAME_MAX + 8], const char *record);
void record_tell(struct wfdb_record *r, enum wfdb_event event, uint32_t number);

#endif
