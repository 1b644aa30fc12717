/* SPDX-License-Identifier: Apache-2.0
 *
 * report.h - the rows of a comparison's report, and its text.
 *
 * Rows are plain and their memory is the caller's. Writing allocates nothing and
 * may be repeated after a failure: it goes on where it stopped. */
#ifndef OUT_EC57_REPORT_H
#define OUT_EC57_REPORT_H

#include <stdint.h>

#include "compare.h"

enum { REPORT_TABLE = 0, REPORT_JSON = 1 };

struct report_row {
    char name[128]; /* of the record, cut at a whole character */
    uint32_t subject;
    uint32_t is_closed;
    struct compare_total total;
};

struct report {
    struct report_row *rows;
    uint32_t count;
    uint32_t room;
    int64_t learning_ns;
    uint64_t written; /* bytes that are out */
};

/* The new row; NULL when there is no room. */
struct report_row *report_add(struct report *r, const char *name, uint32_t subject);
void report_set(struct report *r, uint32_t row, const struct compare_total *total);
void report_close(struct report *r, uint32_t row);

/* -1 and errno when the file refuses. */
int report_write(struct report *r, int file, int format);

#endif
