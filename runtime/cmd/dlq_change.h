/* dlq_change.h - tries dead letters again, or drops them, in a store held for writing.
 *
 * Used by `afferent dlq` where the pipeline is stopped, and by a running pipeline
 * for those who ask at its door: on the keeper's thread, by keeper_do.
 *
 * Not here: which letters (dlq.c), delivering them (flow/). */
#ifndef AFFERENT_CMD_DLQ_CHANGE_H
#define AFFERENT_CMD_DLQ_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "keep/store.h"
#include "util/text.h"

struct dlq_change {
    bool retry;              /* else: drop */
    const uint64_t *letters;
    uint32_t count;
    bool (*has_node)(void *arg, const char *node); /* whether it is in the pipeline */
    void *arg;
    struct text *answer;     /* a line for each letter that was not changed, and a sum */
    int code;                /* given: 0 all were changed, 1 some were not, 3 the store failed */
};

/* [keeper, or the holder of the lock] A job for keeper_do; `change`: struct dlq_change.
 * One transaction a letter: what was changed before a failure stays so. */
enum store_status dlq_change(void *change, struct store *store);

#endif
