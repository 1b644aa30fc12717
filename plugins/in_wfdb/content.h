/* SPDX-License-Identifier: Apache-2.0
 *
 * content.h - the hash of all that a record is made of.
 *
 * Header, segment headers, signal files and annotation file, in that order: the
 * same files give the same ids wherever they lie. Read in steps, so that a long record does not keep the
 * thread. Uses the record's own readers and buffers before it is opened. */
#ifndef IN_WFDB_CONTENT_H
#define IN_WFDB_CONTENT_H

#include "record.h"
#include "recording/digest.h"

struct content {
    struct wfdb_record *record; /* borrowed */
    const char *annotation;     /* file name, borrowed */
    struct digest digest;
    int stage;
    uint32_t signal;
    char prefix[WFDB_NAME_MAX + 1];
};

/* Begins with the header `name` in `folder`; `record` is not open. */
int content_begin(struct content *c, struct wfdb_record *record, int folder, const char *name,
                  const char *annotation, struct fault *f);
/* Reads on for a while: 1 there is more, 0 done (->digest.hash), -1 a fault. */
int content_step(struct content *c, struct fault *f);
/* Lets go of what is open; also after a fault, also twice. */
void content_end(struct content *c);

#endif
