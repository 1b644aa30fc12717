/* SPDX-License-Identifier: Apache-2.0
 *
 * test_bench.h - what the tests of the plugin share: a key file, a table of
 * patients, and a search for what must not be found. */
#ifndef OP_ANONYMIZE_TEST_BENCH_H
#define OP_ANONYMIZE_TEST_BENCH_H

#include <afferent/testkit.h>

#include "reference.h"

/* In each value, name and word that must not come out. */
#define CANARY "CANARY42"
#define CANARY_INT INT64_C(0x32345952414e4143) /* the same eight bytes */

/* A folder with the key of reference.h in "key"; bench_path names a file in it. */
void bench_open(void);
void bench_close(void);
const char *bench_path(const char *name);
/* "key = ...", "project = \"ward-7\"" and what is given. */
const char *bench_toml(const char *more);
struct aff_harness *bench_plugin(const char *more);
/* A file of the folder as text. */
const char *bench_file(const char *name);

/* Takes all that waits at an output and fails when a canary is in it: payload,
 * subject, stream, schema, or the record's id. Returns the last one. */
const struct aff_record *bench_take_clean(struct aff_harness *h, const char *port, size_t *ret_count);
void bench_silent(struct aff_harness *h); /* nor in a log line */

/* name, mrn, visit, age, postcode, birth, admitted, note, heart_rate */
enum { NAME, MRN, VISIT, AGE, POSTCODE, BIRTH, ADMITTED, NOTE, RATE, PATIENT_COLUMNS };
extern const struct aff_schema patient_schema;
/* Rules for all of them. */
extern const char patient_rules[];
#define NOON INT64_C(1717243200000000000) /* 2024-06-01T12:00Z, a Saturday */
uint32_t patient_stream(struct aff_harness *h, const char *subject);
aff_status patient_push(struct aff_harness *h, uint32_t stream, int64_t event_ns, int age, const char *postcode);

#endif
