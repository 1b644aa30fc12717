/* test_bench.h - what the tests of the archive share: a folder of their own,
 * surroundings for the writer, and records that can be told apart and made
 * again from their number alone.
 */
#ifndef OUT_LMDB_TEST_BENCH_H
#define OUT_LMDB_TEST_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "archive.h"
#include "query.h"

enum { SIGNAL_SAMPLES = 36, PLACE_ROOM = 4096 };

struct bench {
    char folder[PLACE_ROOM];
    char path[PLACE_ROOM + 16]; /* of the archive; nothing is there yet */
    char data[PLACE_ROOM + 32]; /* its data.mdb */
    struct archive *archive;
    struct archive_options options;
    struct archive_hooks hooks;
    char cause[400];
    int warnings;
    int differing_told;
    int allocations;
    int fail_at; /* the allocation that fails, 0: none */
};

int bench_setup(void **state);
int bench_teardown(void **state);
aff_status bench_open(struct bench *b);
void bench_close(struct bench *b);

/* Streams 1, 3, 5 ... of subject "S0001" and on are signals, the even ones
 * events of the same subject. */
struct made {
    struct aff_record record;
    _Alignas(16) uint8_t data[1024];
};
void make_signal(struct made *m, uint32_t stream, uint64_t number);
void make_event(struct made *m, uint32_t stream, uint64_t number);
aff_status put_made(struct bench *b, struct made *m);

/* Runs a query over everything and compares each record with how it was made.
 * `seen` gets a bit for each number of `stream`; returns records of that stream.
 * A wrong or repeated record fails the test. */
struct tally {
    uint64_t records; /* of all streams */
    uint64_t of_stream;
    uint64_t highest; /* number */
    uint64_t damaged;
    aff_status end;
};
struct tally read_all(struct bench *b, uint32_t stream);

#endif
