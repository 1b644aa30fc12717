/* child.h - a look at bytes that may kill whoever looks, in a process of its own.
 *
 * The child is a fork: it shares one piece of memory with its parent, has a time
 * limit, and ends with its parent. Whether it came to its end is said by what it
 * left in that memory, not by its exit status.
 *
 * Not here: what it does. */
#ifndef AFFERENT_KEEP_CHILD_H
#define AFFERENT_KEEP_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* [control] Zeroed memory to share; NULL: none. */
void *child_memory(size_t size);
void child_memory_free(void *memory, size_t size);

enum child_end {
    CHILD_DONE,
    CHILD_DIED, /* by a signal, or it ended early */
    CHILD_LATE, /* ended by us */
    CHILD_NONE  /* there is no child to be had; errno says why */
};

/* [control] Runs job(arg) in a child and waits. `arg` goes into shared memory, or is only
 * read. */
enum child_end child_run(void (*job)(void *arg), void *arg, int limit_ms);

/* [any] A time that is enough for reading so many bytes from a slow card. */
int child_limit_ms(uint64_t bytes);

#endif
