/* SPDX-License-Identifier: Apache-2.0
 *
 * data.h - the data records of one open file: their bytes, and when they began.
 *
 * A window over the file bounds the memory: whole data records where they fit,
 * else exactly what is asked for. In EDF+D each data record says in its first
 * annotation when it began; in all others they follow one another. */
#ifndef IN_EDF_DATA_H
#define IN_EDF_DATA_H

#include "header.h"

enum { DATA_WINDOW = 256 * 1024, DATA_CLOCKS = 64, DATA_CLOCK_BYTES = 64 };

/* What a reader notices and goes on from. */
enum edf_event {
    EVENT_SHORT,   /* the file ends before the header's number of data records */
    EVENT_LONG,    /* the file goes on behind them */
    EVENT_TIMELESS, /* a data record lacks its time */
    EVENT_BACK,    /* EDF+D: a data record begins before the one before it ended */
    EVENT_JUMP,    /* not EDF+D: a data record's time is not where it should be */
    EVENT_LATIN,   /* an annotation is not UTF-8 */
    EVENT_LARGE,   /* a data record is larger than it should be */
    EVENT_COUNT
};
struct edf_listener {
    void *context;
    void (*tell)(void *context, enum edf_event event);
};

/* When a data record began, since the header's start. */
struct edf_clock {
    uint64_t record; /* +1; 0: none is known yet */
    int64_t ns;
    int known;
};

struct edf_data {
    struct edf_listener listener;
    int fd;            /* -1: none */
    uint64_t size;     /* of the file */
    uint64_t records;  /* that are whole */
    int clock_signal;  /* the first annotation signal; -1: none */
    int64_t first_ns;  /* the first data record's time, since the header's start */
    uint64_t window_at;
    size_t window_size;
    struct edf_clock clock[DATA_CLOCKS];
    struct edf_header header;
    uint8_t window[DATA_WINDOW];
};

/* Reads the header of the file `name` in `folder`. -1: a fault; nothing stays
 * open. The listener must be set before. */
int data_open(struct edf_data *d, int folder, const char *name, struct fault *f);
void data_close(struct edf_data *d);

/* Reads bytes that must be there, since the file was longer when it was opened: 0, or
 * -1 and a fault. */
int data_get(const struct edf_data *d, uint64_t offset, void *to, size_t size, struct fault *f);
/* `size` bytes at an offset of the file, borrowed until the next call; NULL: a
 * fault. `size` is at most DATA_WINDOW. */
const uint8_t *data_bytes(struct edf_data *d, uint64_t offset, size_t size, struct fault *f);
uint64_t data_record_at(const struct edf_data *d, uint64_t record);
/* The time that a data record gives itself: 1, or 0 when it gives none, or -1. */
int data_clock(struct edf_data *d, uint64_t record, int64_t *ret_ns, struct fault *f);
/* The time that it should have, counted from another's. False: out of range. */
int data_after(const struct edf_data *d, int64_t ns, uint64_t records, int64_t *ret_ns);

#endif
