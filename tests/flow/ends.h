/* ends.h - far ends that remember over deaths, and a processor with state: what tests
 * of commits judge by. */
#ifndef AFFERENT_TESTS_ENDS_H
#define AFFERENT_TESTS_ENDS_H

#include <stdbool.h>

#include <afferent/plugin.h>

enum { ENDS_RECORDS = 6000, ENDS_STREAMS = 3, ENDS_SUM_EVERY = 7 };

struct seen {
    uint32_t times;
    struct aff_id id;
};

struct far_end {
    struct seen records[ENDS_RECORDS];
    struct seen sums[ENDS_STREAMS * ENDS_RECORDS];
    uint64_t unmarked; /* came again without RESENT */
    uint64_t renamed;  /* came again under another id */
    uint64_t invented;
    uint64_t wrong;    /* a sum that is not that of the stream's records so far */
    uint64_t ends;
    uint32_t fails;    /* so many writes fail before one goes through */
    uint64_t refuses;  /* records of this seq are refused for their content */
    bool is_dead;      /* never takes anything */
    uint64_t most;     /* bytes that it was offered at once */
};

/* Counts the record, by what the source (parts.h) or the sums below wrote into it. */
void far_end_take(struct far_end *end, const struct aff_record *record);
/* Its config is a struct far_end. */
extern const struct aff_plugin far_end;
/* Passes all; on output 1, every seventh record of a stream, the sum so far. */
extern const struct aff_plugin sums;

#endif
