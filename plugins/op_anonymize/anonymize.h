/* SPDX-License-Identifier: Apache-2.0
 *
 * anonymize.h - an instance, as its files share it.
 *
 * Everything lies in memory taken at open, of a size that the options decide. */
#ifndef OP_ANONYMIZE_ANONYMIZE_H
#define OP_ANONYMIZE_ANONYMIZE_H

#include <stdbool.h>

#include "clean.h"
#include "rules.h"
#include "secret.h"
#include "tally.h"

enum {
    PLANS = 64,          /* schemas at hand; more are worked out again and again */
    CHANNELS_MOST = 1024,
    STREAMS_KEPT = 4096, /* identities at hand; a power of two */
    DROPS = 256,         /* names of dropped columns that the report lists */
    DROP_CHARS = 64
};

enum { METRIC_ROWS, METRIC_SAMPLES, METRIC_LEFT_OUT, METRIC_PHI, METRIC_COMBINATIONS, METRIC_UNIQUE, METRIC_LONELY };

enum outcome { OUTCOME_ABSENT, OUTCOME_DONE, OUTCOME_LEFT_OUT };

/* One column that survives, under one schema. */
struct step {
    struct rule rule;
    uint32_t index; /* of the rule */
    uint32_t from;  /* input column */
    uint8_t type_in, type_out;
    bool is_phi; /* the value passes as it is, and came labelled phi */
    bool is_quasi;
};

/* What is done to records of one schema. */
struct plan {
    uint32_t schema_in, schema_out; /* 0: free; schema_out 0: nothing survives */
    uint32_t columns_in, count;
    int32_t misfit; /* rule that does not fit its column's type, or -1 */
    bool is_wide;   /* samples of more channels than CHANNELS_MOST */
    uint8_t format; /* of samples */
    uint32_t drop_count;
    struct step *steps;
    uint32_t *drops; /* DROPS pairs: input column, row in the list of drops */
};

/* Whose a stream of the input is, outside. Made again at any time from the key
 * and the names: nothing of it has to be kept over a restart. */
struct identity {
    uint32_t stream_in, generation;
    uint32_t subject, stream;
    int64_t shift_ns;
    uint32_t tag; /* of the subject, for the tally */
};

struct column_count {
    uint64_t done, absent, left_out, phi;
};

struct drop {
    char name[DROP_CHARS];
    uint64_t values;
};

struct anonymize {
    const struct aff_host *host;
    const struct config *config;
    struct secret *secret;
    uint32_t rules;
    struct plan plans[PLANS];
    uint32_t plan_used, plan_victim;
    struct identity identities[STREAMS_KEPT];
    struct column_count *counts; /* by rule */
    uint8_t *outcomes;           /* by step, of the record in hand */
    struct aff_column *columns;  /* of the schema being made */
    char (*channels)[CHANNEL_CHARS];
    struct drop drops[DROPS];
    uint32_t drop_used;
    uint64_t drops_unlisted;
    struct tally tally;
    uint64_t rows, records, samples;
    char *report_new; /* path of the report while it is written */
    bool report_failed;
};

/* plan.c: NULL with AFF_ERR_MEMORY explained when the host has no room. */
struct plan *plan_get(struct anonymize *a, uint32_t schema);

/* identity.c: NULL when the host has no room. `schema_out` is that of the record
 * in hand, for a stream whose first schema has nothing that survives. */
const struct identity *identity_get(struct anonymize *a, uint32_t stream, uint8_t type, uint32_t schema_out);
bool stream_is_shared(const struct anonymize *a, uint8_t type);

/* rows.c, signal.c: one record; *ret_verdict is set only with AFF_OK. */
aff_status row_change(struct anonymize *a, const struct aff_record *r, uint32_t input, uint8_t *ret_verdict);
aff_status samples_change(struct anonymize *a, const struct aff_record *r, uint32_t input, uint8_t *ret_verdict);

enum { VERDICT_REWRITTEN = 1, VERDICT_NO_COLUMNS, VERDICT_WRONG_TYPE, VERDICT_TIME_RANGE, VERDICT_BAD_RECORD };

static inline aff_status verdict_set(uint8_t *ret_verdict, uint8_t verdict)
{
    *ret_verdict = verdict;
    return AFF_OK;
}

bool event_fits(const struct aff_record *r, const struct identity *who);
/* The header of what leaves has nothing of the input's but its clock, what its
 * flags say of quality, and seen_ns, which counts from this host's start. */
void header_fill(const struct anonymize *a, struct aff_record *draft, const struct aff_record *r,
                 const struct identity *who);

/* report.c */
void report_log(const struct anonymize *a);
aff_status report_try(struct anonymize *a);
void report_write(struct anonymize *a, bool is_last);

#endif
