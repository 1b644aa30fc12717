/* test_wire_kit.h - a small table of names, a record of it, and bytes that were
 * changed: for test_wire.c and test_names.c. */
#ifndef AFFERENT_TESTS_TEST_WIRE_KIT_H
#define AFFERENT_TESTS_TEST_WIRE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/names.h"
#include "flow/wire.h"

enum { MUTATIONS = 10000, OVERHEAD_MOST = 62 };

static const struct aff_column columns[] = {
    { .name = "hr", .unit = "/min", .code = "8867-4", .type = AFF_REAL, .label = AFF_LABEL_PHI, .required = 1 },
    { .name = "note", .type = AFF_TEXT, .label = AFF_LABEL_QUASI },
};
static const struct aff_schema bytes_schema = { .struct_size = sizeof bytes_schema, .type = AFF_BYTES, .name = "raw" };
static const struct aff_schema row_schema = { .struct_size = sizeof row_schema, .type = AFF_FIELDS, .name = "vitals",
                                              .columns = columns, .count = 2, .stride = sizeof columns[0] };
static const struct aff_column leads[] = { { .name = "II", .unit = "mV", .gain = 200.5, .baseline = -1 } };
static const struct aff_schema ecg_schema = { .struct_size = sizeof ecg_schema, .type = AFF_SAMPLES,
                                              .format = AFF_I16, .columns = leads, .count = 1,
                                              .stride = sizeof leads[0], .rate_num = 360, .rate_den = 1 };

static const struct names_by source0 = { .node = 0, .is_source = true };
static const struct names_by source1 = { .node = 1, .is_source = true };
static const struct names_by looker = { .none = true };
static const char *const nodes[] = { "ecg", "vitals", "clean" };

/* ---- helpers ---- */

struct table {
    struct names *names;
    uint32_t schema, subject, stream;
    struct aff_record record;
    uint64_t payload[4];
};

static inline void table_open(struct table *t)
{
    memset(t, 0, sizeof *t);
    t->names = names_open();
    assert_non_null(t->names);
    t->schema = names_schema(t->names, &bytes_schema);
    t->subject = names_subject(t->names, "Ada Lovelace", source0);
    t->stream = names_stream(t->names, t->subject, "ecg", t->schema, source0);
    memcpy(t->payload, "thirty-two bytes of a payload, 0", sizeof t->payload);
    t->record = (struct aff_record){
        .id = { 0x1122334455667788u, 99 }, .event_ns = -5, .seen_ns = 77, .data = t->payload, .size = 30,
        .schema = t->schema, .subject = t->subject, .stream = t->stream,
        .flags = AFF_FLAG_PHI | AFF_FLAG_GAP, .type = AFF_BYTES, .clock = AFF_CLOCK_SYNCED,
    };
}

static inline void table_close(struct table *t)
{
    names_close(&t->names);
}

/* All is stored that happened before these epochs; NULL: all. */
static inline void store(struct wire *wire, struct names *names, uint64_t below)
{
    struct wire_group group = { nodes, 3, &below, 1 };

    wire_clear(wire);
    wire_names(wire, names, &group);
    assert_false(wire->failed);
}

static inline struct names *restore_as(const struct wire *wire, const char *const *now, uint32_t count)
{
    struct names *names = names_open();

    assert_non_null(names);
    assert_true(wire_names_read(wire->bytes, wire->size, names, now, count));
    return names;
}

static inline struct names *restore(const struct wire *wire)
{
    return restore_as(wire, nodes, 3);
}

static uint64_t seed = 1;
static inline uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* In memory of just its size, so that a read beyond it is seen. */
static inline uint8_t *mutant(const struct wire *wire, size_t *ret_size)
{
    static const uint8_t numbers[] = { 0, 1, 0x7f, 0x80, 0xff };
    size_t size = chance(4) == 0 ? chance((uint32_t)wire->size + 1u) : wire->size;
    uint8_t *bytes = malloc(size ? size : 1);
    uint32_t i, changes = 1 + chance(6);

    assert_non_null(bytes);
    memcpy(bytes, wire->bytes, size);
    for (i = 0; size > 0 && i < changes; i++)
        bytes[chance((uint32_t)size)] = chance(2) ? numbers[chance(sizeof numbers)] : (uint8_t)chance(256);
    *ret_size = size;
    return bytes;
}

#endif
