/* SPDX-License-Identifier: Apache-2.0
 *
 * bytes.h - a file, or a piece of memory, read front to back through a buffer.
 *
 * The buffer belongs to the caller and bounds the memory: nothing is allocated.
 * Several readers may share one descriptor, since each has its own offset. */
#ifndef IN_WFDB_BYTES_H
#define IN_WFDB_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct wfdb_bytes {
    const uint8_t *at; /* what has been read and not taken */
    size_t have;
    uint8_t *buffer;
    size_t room;
    uint64_t offset; /* of the next byte to read from the file */
    int fd;          /* -1: memory only */
    int error;       /* errno of a read that failed, else 0 */
};

/* Borrows `memory`. */
void bytes_from_memory(struct wfdb_bytes *b, const void *memory, size_t size);
/* Borrows the descriptor and the buffer of `room` bytes. */
void bytes_from_file(struct wfdb_bytes *b, int fd, uint64_t offset, void *buffer, size_t room);
/* Makes at least `wanted` bytes available at ->at where the file has them, and
 * returns how many are. `wanted` is at most the room. */
size_t bytes_need(struct wfdb_bytes *b, size_t wanted);
void bytes_take(struct wfdb_bytes *b, size_t count);

/* A text file, line by line. A line that is longer than its room is cut, and
 * says so; the rest of it is read past. */
enum { WFDB_LINE_MAX = 1023 };

struct wfdb_lines {
    struct wfdb_bytes bytes;
    unsigned number;
    size_t length;
    int cut;
    int binary; /* the line holds a zero byte */
    char text[WFDB_LINE_MAX + 1];
};

/* 1 with a line, its end (LF, CRLF) removed; 0 at the end. */
int lines_next(struct wfdb_lines *lines);

#endif
