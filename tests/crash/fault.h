/* fault.h - what the fault library shares with those who read its side file.
 *
 * The side file is mapped, so what stands in it survives a kill -9 of the process.
 * crash_check.py reads it by the same layout (bench.py, SIDE). */
#ifndef CRASH_FAULT_H
#define CRASH_FAULT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

enum fault_call {
    CALL_NONE = 0,
    CALL_WRITE,
    CALL_SYNC,
    CALL_RENAME,
    CALL_TRUNCATE,
    CALL_CREATE, /* open with O_CREAT, mkdir, link */
    CALL_UNLINK
};

enum fault_file {
    FILE_OTHER = 0,    /* not watched: nothing is done to it */
    FILE_STORE_DATA,   /* data.mdb below state/ */
    FILE_STORE_BESIDE, /* anything else below state/ */
    FILE_ARCHIVE,      /* anything else that is watched */
    FILE_ANSWERS,      /* what a source was told, at the far end */
    FILE_FAR           /* any other far end: recorded, never harmed */
};

enum fault_phase {
    PHASE_ELSEWHERE = 0,
    PHASE_COMMIT,  /* from the store's first page written to its new root written */
    PHASE_ANSWER   /* from there until a source was told */
};

enum fault_mode {
    MODE_NONE = 0,
    MODE_BEFORE, /* kill -9 in place of the call */
    MODE_AFTER,  /* ... right behind it */
    MODE_HALF,   /* ... with half of the bytes written */
    MODE_EIO,
    MODE_ENOSPC,
    MODE_SHORT   /* half of the bytes, and no error */
};

struct fault_side {
    _Atomic uint64_t calls; /* on watched files */
    _Atomic uint64_t commits;
    _Atomic uint64_t answers;
    _Atomic uint64_t failed; /* calls that were made to fail */
    _Atomic uint32_t phase;
    uint32_t hit; /* a fault was placed; the rest says where */
    uint32_t hit_call;
    uint32_t hit_file;
    uint32_t hit_phase;
    uint32_t hit_mode;
};

/* One call on a file. */
struct fault_op {
    enum fault_call call;
    enum fault_file file;
    char path[PATH_MAX];
    bool placed; /* a fault is to be placed behind it */
};

/* Whether this process is the one that is watched. */
bool fault_is_on(void);
/* Fills op for a descriptor or a path. False: nobody watches it. */
bool fault_fd(struct fault_op *op, enum fault_call call, int fd);
bool fault_path(struct fault_op *op, enum fault_call call, int folder, const char *path);
/* Counts the call; may not return. What is to be done with it. */
enum fault_mode fault_before(struct fault_op *op);
/* The call is done, with n bytes at an offset; may not return. */
void fault_after(struct fault_op *op, int64_t offset, int64_t result);
void fault_die(void);
extern struct fault_side *fault_side;

/* The trace (fault_trace.c): operations in the order they were done. The lock is
 * held over the call and its note, where there is a trace. */
void trace_open(const char *path);
void trace_lock(void);
void trace_unlock(void);
bool trace_is_on(void);
void trace_data(const char *path, int64_t offset, const struct iovec *parts, int count, int64_t bytes, bool is_safe);
void trace_note(const char *what, const char *path, const char *other, int64_t number);

#endif
