/* SPDX-License-Identifier: Apache-2.0
 *
 * marks.h - the annotations of an open file, in order of their time.
 *
 * Writers put an annotation into whatever data record has room, so it may stand
 * long before or after its time. The annotation signals are therefore read once
 * beforehand, without the samples, and sorted: MARKS_MAX at a time, which is all
 * in most files; in one with more, order is kept among each MARKS_MAX. What is
 * kept of an annotation is its time and place; its text is fetched when its turn
 * comes. A list that cannot be used is a mark as well, with its fault. */
#ifndef IN_EDF_MARKS_H
#define IN_EDF_MARKS_H

#include "data.h"
#include "tal.h"

enum { MARKS_MAX = 8192 };

struct edf_mark {
    int64_t ns;      /* since the header's start */
    uint64_t offset; /* of its list in the file */
    uint32_t size;   /* of the list without its final zero */
    uint32_t record;
    uint16_t text;   /* which one of its list */
    uint8_t fault;   /* enum tal_fault; then it stands for the list as a whole */
};

struct edf_marks {
    struct edf_data *data; /* borrowed */
    uint64_t record;       /* the next to be searched: data record, */
    uint32_t signal;       /* annotation signal in it, */
    uint64_t at;           /* byte of that, */
    uint32_t text;         /* and text of the list there */
    int64_t record_ns;     /* that data record's time */
    uint8_t is_passing;    /* the rest of a list that is too long */
    uint8_t is_sorted;
    uint32_t count, next;  /* of ->mark; ->next is the next to be given out */
    uint64_t tal_at;       /* the list in ->tal, 0: none */
    uint32_t tal_size;
    struct edf_mark mark[MARKS_MAX];
    uint8_t tal[TAL_ROOM];
};

void marks_begin(struct edf_marks *m, struct edf_data *data);
/* The earliest mark: 1, at the end 0, or -1; 2 when there is more to search
 * before the answer is known: call again. */
int marks_peek(struct edf_marks *m, const struct edf_mark **ret_mark, struct fault *f);
void marks_take(struct edf_marks *m);
/* The bytes of a mark's list, ->size of them, borrowed until the next call of
 * any function here; NULL: a fault. */
const uint8_t *marks_bytes(struct edf_marks *m, const struct edf_mark *mark, struct fault *f);

#endif
