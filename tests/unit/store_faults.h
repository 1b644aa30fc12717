/* store_faults.h - a disk that fails when it is told to.
 *
 * The program's own pwrite, pwritev, write, fdatasync, fsync, rename stand before those
 * of the C library, also for LMDB. Calls are counted; the one whose turn it is fails,
 * is cut short, or is the last thing that the process does.
 *
 * Not here: what is expected then. */
#ifndef STORE_FAULTS_H
#define STORE_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_ERROR,  /* errno */
    FAULT_SHORT,  /* half of it is written */
    FAULT_KILL,   /* SIGKILL before the call */
    FAULT_LATE,   /* the first is done, and said to have failed; those after it just fail */
    FAULT_REVERT  /* a sync fails, and what was written since the last one is as it was
                   * before: pages that the system threw away. Writes just fail. */
};

struct fault {
    enum fault_kind kind;
    int error;
    int64_t at;      /* the number of the call, from 1 */
    int64_t last;    /* and those up to this one */
    bool writes_only, syncs_only;
};

void fault_set(const struct fault *fault); /* NULL: none; the count begins anew */
int64_t fault_calls(void);

#endif
