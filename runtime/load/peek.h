/* peek.h - reads memory that may not be there.
 *
 * A malformed plugin's tables may point anywhere. The kernel is asked to copy
 * the bytes (into a pipe and out again): where they cannot be read it answers
 * EFAULT, and no signal is raised.
 *
 * Not here: what the bytes mean. */
#ifndef AFFERENT_LOAD_PEEK_H
#define AFFERENT_LOAD_PEEK_H

#include <stdbool.h>
#include <stddef.h>

struct peek {
    int fds[2]; /* a pipe; -1 when closed */
};

/* False when there are no descriptors left. */
bool peek_open(struct peek *peek);
void peek_close(struct peek *peek);

/* Copies `size_bytes` from `from`; false when not all of it can be read. */
bool peek_bytes(const struct peek *peek, const void *from, void *to, size_t size_bytes);

/* Copies a string with its NUL into `room` bytes. */
enum peek_status { PEEK_OK, PEEK_UNREADABLE, PEEK_TOO_LONG };
enum peek_status peek_string(const struct peek *peek, const char *from, char *to, size_t room);

#endif
