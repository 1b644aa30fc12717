/* far.h - what the ends of a pipeline write down for the judge.
 *
 * A line is 64 bytes and is appended by one write, so that a kill at any moment
 * leaves whole lines: 64 divides a page, and the kernel stops at pages only.
 * Test sources write what they made and were told, test sinks what came to them.
 *
 * Not here: what a payload holds (pattern.h), who compares (../judge.c). */
#ifndef CRASH_FAR_H
#define CRASH_FAR_H

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum far_kind {
    FAR_MADE = 1,  /* a source made it, or will make it in any run */
    FAR_UPTO,      /* a source was told that what this run made below `key` is safe */
    FAR_ANSWERED,  /* a peer was told that `key` is safe */
    FAR_OUT,       /* a sink delivered it */
    FAR_REFUSED,   /* a sink refused it for its content */
    FAR_BEGUN,     /* a source began; flags 1: at a position it was given */
    FAR_ANEW,      /* a source was begun without a position after it was told of commits */
    FAR_REQUEST,   /* a peer asks; key UINT64_MAX: it has no more */
    FAR_STAMP      /* a sink has delivered by `id_seq` (far_now) all that is above */
};

#define FAR_MAGIC 0x31724661u /* "aFr1" */

struct far_line {
    uint32_t magic;
    uint32_t kind;
    uint64_t key;  /* number of the record, as its payload says */
    uint64_t hash; /* of its payload */
    uint64_t id_source;
    uint64_t id_seq; /* FAR_MADE: when it was due (far_now); 0: not known */
    int64_t event_ns;
    uint32_t size;
    uint32_t flags;
    uint32_t stream; /* hash of the stream's name */
    uint32_t run;    /* process that wrote the line */
};

/* FNV-1a. */
static inline uint64_t far_hash(const void *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ at[i]) * UINT64_C(0x100000001b3);
    return sum;
}

/* Appends lines. 0, or -1 with errno. */
static inline int far_append(int fd, const struct far_line *lines, size_t count)
{
    const uint8_t *at = (const uint8_t *)lines;
    size_t left = count * sizeof *lines;

    while (left) {
        ssize_t n = write(fd, at, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        at += n;
        left -= (size_t)n;
    }
    return 0;
}

/* The clock that two ends of one machine share, in ns. */
static inline uint64_t far_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline int far_open(const char *path)
{
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static inline struct far_line far_line(enum far_kind kind, uint64_t key)
{
    struct far_line line;

    memset(&line, 0, sizeof line);
    line.magic = FAR_MAGIC;
    line.kind = (uint32_t)kind;
    line.key = key;
    line.run = (uint32_t)getpid();
    return line;
}

#endif
