/* distant.h - a sink that answers late and lives in its lane: its peer's part is done in
 * `wake`, a millisecond after `write`, so that a virtual clock is enough. */
#ifndef AFFERENT_TESTS_DISTANT_H
#define AFFERENT_TESTS_DISTANT_H

#include <stdatomic.h>

#include "ends.h"

/* What its peer answers: good; IO, "HTTP 503"; AGAIN; by the record: of ten one refused, one
 * dropped; nothing until `flush`; nothing ever. MOOD_TRICKLES: IO, for one record a millisecond. */
enum mood { MOOD_GOOD, MOOD_FAILS, MOOD_TRICKLES, MOOD_BUSY, MOOD_PICKS, MOOD_GATHERS, MOOD_MUTE };

struct distant {
    struct far_end end;
    _Atomic int mood;
    uint32_t turns; /* of the mood; 0: for ever */
    /* what was seen */
    uint32_t largest; /* batch, since the fifth failure in a row */
    uint32_t first_again; /* records of the first batch that came again */
    uint64_t fails, flushes, wakes, resent, kept_ids;
    char node[64], pipeline[64];
    uint32_t window_records, window_epochs;
};

/* Its config is a struct distant. */
extern const struct aff_plugin distant;

#endif
