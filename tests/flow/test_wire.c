/* test_wire.c - records, dead letters and the table of names as bytes.
 *
 * What goes out comes back; whatever else is given is refused, and changes nothing.
 * Sources: runtime/flow/{wire,names,names_keep}.c. */
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

static void table_open(struct table *t)
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

static void table_close(struct table *t)
{
    names_close(&t->names);
}

/* All is stored that happened before these epochs; NULL: all. */
static void store(struct wire *wire, struct names *names, uint64_t below)
{
    struct wire_group group = { nodes, 3, &below, 1 };

    wire_clear(wire);
    wire_names(wire, names, &group);
    assert_false(wire->failed);
}

static struct names *restore_as(const struct wire *wire, const char *const *now, uint32_t count)
{
    struct names *names = names_open();

    assert_non_null(names);
    assert_true(wire_names_read(wire->bytes, wire->size, names, now, count));
    return names;
}

static struct names *restore(const struct wire *wire)
{
    return restore_as(wire, nodes, 3);
}

static uint64_t seed = 1;
static uint32_t chance(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

/* In memory of just its size, so that a read beyond it is seen. */
static uint8_t *mutant(const struct wire *wire, size_t *ret_size)
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

/* ---- the writer ---- */

static void numbers_and_texts_come_back_in_order(void **state)
{
    struct wire w = { 0 };
    struct wire_in in;
    size_t size;

    (void)state;
    wire_u8(&w, 200);
    wire_u32(&w, 0xdeadbeefu);
    wire_text(&w, "a");
    wire_text(&w, NULL);
    wire_text(&w, "");
    wire_u64(&w, UINT64_MAX - 1);
    wire_bytes(&w, "xyz", 3);
    wire_pad(&w, 64);
    assert_int_equal(w.size % 64, 0);
    assert_int_equal(w.bytes[1], 0xef); /* little-endian */
    assert_int_equal((uintptr_t)w.bytes % 16, 0);
    in = (struct wire_in){ w.bytes, w.bytes + w.size, false };
    assert_int_equal(wire_in_u8(&in), 200);
    assert_int_equal(wire_in_u32(&in), 0xdeadbeefu);
    assert_string_equal(wire_in_text(&in), "a");
    assert_null(wire_in_text(&in));
    assert_string_equal(wire_in_text(&in), "");
    assert_true(wire_in_u64(&in) == UINT64_MAX - 1);
    assert_memory_equal(wire_in_bytes(&in, &size), "xyz", 3);
    assert_int_equal(size, 3);
    assert_false(in.bad);
    wire_free(&w);
}

static void a_reader_that_went_wrong_gives_nothing_any_more(void **state)
{
    static const uint8_t bytes[] = { 9, 0, 0, 0, 'a', 'b', 0, 1 };
    struct wire_in in = { bytes, bytes + sizeof bytes, false };
    size_t size = 7;

    (void)state;
    assert_null(wire_in_bytes(&in, &size));
    assert_true(in.bad);
    assert_int_equal(size, 0);
    assert_int_equal(wire_in_u8(&in), 0);
    assert_null(wire_in_text(&in));
}

static void a_text_without_its_zero_or_with_two_is_refused(void **state)
{
    static const uint8_t open[] = { 2, 0, 0, 0, 'a', 'b' }, two[] = { 3, 0, 0, 0, 'a', 0, 0 };
    struct wire_in in = { open, open + sizeof open, false };

    (void)state;
    assert_null(wire_in_text(&in));
    assert_true(in.bad);
    in = (struct wire_in){ two, two + sizeof two, false };
    assert_null(wire_in_text(&in));
    assert_true(in.bad);
}

static void what_memory_cannot_hold_fails_and_stays_failed(void **state)
{
    struct wire w = { 0 };

    (void)state;
    wire_u8(&w, 1);
    assert_null(wire_room(&w, SIZE_MAX / 2));
    assert_true(w.failed);
    wire_u64(&w, 7);
    assert_int_equal(w.size, 1);
    wire_clear(&w);
    assert_false(w.failed);
    wire_free(&w);
}

/* ---- records ---- */

static void a_record_comes_back_as_it_was(void **state)
{
    struct wire w = { 0 };
    struct wire_record back;
    struct aff_record r;
    struct table t;

    (void)state;
    table_open(&t);
    wire_record(&w, t.names, &t.record);
    assert_true(w.size <= 30 + strlen("Ada Lovelace") + strlen("ecg") + OVERHEAD_MOST);
    assert_memory_equal(w.bytes, t.payload, 30); /* first, so as aligned as the buffer */
    assert_true(wire_record_read(w.bytes, w.size, &back));
    assert_string_equal(back.subject, "Ada Lovelace");
    assert_string_equal(back.stream, "ecg");
    assert_true(back.schema == names_schema_identity(t.names, t.schema));
    assert_true(wire_record_intern(&back, t.names, &looker, &r));
    assert_ptr_equal(r.data, w.bytes);
    r.data = t.record.data;
    r.origin = t.record.origin;
    assert_memory_equal(&r, &t.record, sizeof r);
    table_close(&t);
    wire_free(&w);
}

static void the_mark_of_an_end_comes_back_without_a_payload(void **state)
{
    struct wire w = { 0 };
    struct wire_record back;
    struct aff_record r;
    struct table t;

    (void)state;
    table_open(&t);
    t.record.data = NULL;
    t.record.size = 0;
    t.record.type = 0;
    t.record.flags = AFF_FLAG_END;
    wire_record(&w, t.names, &t.record);
    assert_true(wire_record_read(w.bytes, w.size, &back));
    assert_true(wire_record_intern(&back, t.names, &looker, &r));
    assert_int_equal(r.flags, AFF_FLAG_END);
    assert_int_equal(r.stream, t.stream);
    table_close(&t);
    wire_free(&w);
}

static void in_another_run_the_names_make_new_integers(void **state)
{
    struct names *other = names_open();
    struct wire w = { 0 };
    struct wire_record back;
    struct aff_record r;
    struct table t;

    (void)state;
    table_open(&t);
    assert_non_null(other);
    names_schema(other, &row_schema);
    names_subject(other, "somebody else", looker);
    wire_record(&w, t.names, &t.record);
    assert_true(wire_record_read(w.bytes, w.size, &back));
    assert_false(wire_record_intern(&back, other, &looker, &r)); /* its schema is not known */
    names_schema(other, &bytes_schema);
    assert_true(wire_record_intern(&back, other, &looker, &r));
    assert_int_equal(r.subject, 2);
    assert_int_equal(r.schema, 2);
    assert_string_equal(names_stream_info(other, r.stream)->name, "ecg");
    names_close(&other);
    table_close(&t);
    wire_free(&w);
}

static void every_cut_of_a_record_is_refused(void **state)
{
    struct wire w = { 0 };
    struct wire_record back;
    struct table t;
    size_t i;

    (void)state;
    table_open(&t);
    wire_record(&w, t.names, &t.record);
    for (i = 0; i < w.size; i++) {
        uint8_t *head = malloc(i ? i : 1), *tail = malloc(i ? i : 1);

        memcpy(head, w.bytes, i);
        memcpy(tail, w.bytes + w.size - i, i);
        assert_false(wire_record_read(head, i, &back));
        assert_false(wire_record_read(tail, i, &back));
        free(head);
        free(tail);
    }
    table_close(&t);
    wire_free(&w);
}

/* A mutant may be a good record; then it is one that a node may get. */
static void mutated_records_never_crash(void **state)
{
    struct wire w = { 0 };
    struct wire_record back;
    struct aff_record r;
    struct table t;
    uint32_t i, good = 0;
    size_t size;

    (void)state;
    table_open(&t);
    wire_record(&w, t.names, &t.record);
    for (i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = mutant(&w, &size);

        if (wire_record_read(bytes, size, &back)) {
            good++;
            assert_true(strlen(back.subject) + strlen(back.stream) + back.record.size < size);
            if (wire_record_intern(&back, t.names, &looker, &r))
                assert_true(r.type == AFF_BYTES || (r.flags & AFF_FLAG_END));
        }
        free(bytes);
    }
    assert_true(good > 0);
    table_close(&t);
    wire_free(&w);
}

static void a_payload_that_is_not_what_its_schema_says_is_refused(void **state)
{
    struct aff_samples head = { .count = 8, .channels = 1, .format = AFF_I16 };
    uint8_t samples[sizeof head + 16] = { 0 };
    struct aff_record r = { .type = AFF_SAMPLES, .data = samples, .size = sizeof samples };

    (void)state;
    memcpy(samples, &head, sizeof head);
    assert_true(wire_record_whole(&r, &ecg_schema));
    assert_false(wire_record_whole(&r, &bytes_schema));
    assert_false(wire_record_whole(&r, NULL));
    r.size--;
    assert_false(wire_record_whole(&r, &ecg_schema));
    r.size++;
    head.count = UINT32_MAX;
    head.channels = UINT16_MAX;
    memcpy(samples, &head, sizeof head);
    assert_false(wire_record_whole(&r, &ecg_schema));
    r = (struct aff_record){ .type = AFF_FIELDS, .data = samples, .size = 3 * 8 };
    assert_true(wire_record_whole(&r, &row_schema));
    r.size = 3 * 8 - 1;
    assert_false(wire_record_whole(&r, &row_schema));
}

/* ---- dead letters ---- */

static const struct wire_letter letter = { .node = "rows", .port = "in", .reason = "bad_line", .cause = "a quote is open",
                                           .utc_ns = 12345, .offset = 9999, .is_part = true, .tries = 3 };

static void a_letter_comes_back_and_may_be_written_again(void **state)
{
    struct wire w = { 0 }, again = { 0 };
    struct wire_letter back;
    struct table t;

    (void)state;
    table_open(&t);
    wire_letter(&w, t.names, &letter, &t.record);
    assert_true(wire_letter_read(w.bytes, w.size, &back));
    assert_string_equal(back.node, "rows");
    assert_string_equal(back.port, "in");
    assert_string_equal(back.reason, "bad_line");
    assert_string_equal(back.cause, "a quote is open");
    assert_true(back.utc_ns == 12345 && back.offset == 9999 && back.is_part && back.tries == 3);
    assert_string_equal(back.record.subject, "Ada Lovelace");
    assert_memory_equal(back.record.record.data, t.payload, 30);
    wire_letter(&again, NULL, &back, NULL);
    assert_int_equal(again.size, w.size);
    assert_memory_equal(again.bytes, w.bytes, w.size);
    table_close(&t);
    wire_free(&w);
    wire_free(&again);
}

static void a_part_that_a_source_set_aside_has_no_names(void **state)
{
    struct aff_record part = { .data = (void *)(uintptr_t)"half a li", .size = 9 }, r;
    struct wire_letter why = letter, back;
    struct wire w = { 0 };
    struct table t;

    (void)state;
    table_open(&t);
    why.port = NULL;
    why.cause = "";
    wire_letter(&w, t.names, &why, &part);
    assert_true(wire_letter_read(w.bytes, w.size, &back));
    assert_null(back.port);
    assert_string_equal(back.cause, "");
    assert_string_equal(back.record.subject, "");
    assert_true(back.record.schema == 0);
    assert_false(wire_record_intern(&back.record, t.names, &looker, &r));
    table_close(&t);
    wire_free(&w);
}

static void cut_and_mutated_letters_never_crash(void **state)
{
    struct wire w = { 0 };
    struct wire_letter back;
    struct table t;
    uint32_t i;
    size_t size;

    (void)state;
    table_open(&t);
    wire_letter(&w, t.names, &letter, &t.record);
    for (size = 0; size < w.size; size++)
        assert_false(wire_letter_read(w.bytes, size, &back));
    for (i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = mutant(&w, &size);

        if (wire_letter_read(bytes, size, &back))
            assert_true(strlen(back.node) + strlen(back.reason) + strlen(back.cause) < size);
        free(bytes);
    }
    table_close(&t);
    wire_free(&w);
}

/* ---- names ---- */

static void the_table_comes_back_with_the_same_integers_and_generations(void **state)
{
    struct wire w = { 0 };
    struct names *n;
    uint32_t gone, gone_stream, row, ecg, later;
    struct table t;

    (void)state;
    table_open(&t);
    gone = names_subject(t.names, "gone", source0);
    gone_stream = names_stream(t.names, gone, "x", t.schema, source0);
    row = names_schema(t.names, &row_schema);
    ecg = names_schema(t.names, &ecg_schema);
    names_end(t.names, gone_stream, 0, 3);
    names_commit(t.names, 4);
    later = names_subject(t.names, "later", source1);
    assert_int_equal(later, gone); /* the integer, used anew */
    names_stream(t.names, later, "y", row, source1);
    store(&w, t.names, 5);
    n = restore(&w);
    assert_string_equal(names_subject_name(n, t.subject), "Ada Lovelace");
    assert_string_equal(names_subject_name(n, later), "later");
    assert_int_equal(names_subject_generation(n, later), 1);
    assert_int_equal(names_stream_info(n, gone_stream)->generation, 1);
    assert_int_equal(names_stream_info(n, t.stream)->schema, t.schema);
    assert_string_equal(names_stream_info(n, t.stream)->subject_name, "Ada Lovelace");
    assert_int_equal(names_subjects(n), 2);
    assert_int_equal(names_streams(n), 2);
    assert_int_equal(names_schema(n, &row_schema), row);
    assert_int_equal(names_schema(n, &ecg_schema), ecg);
    assert_string_equal(names_schema_info(n, row)->columns[0].code, "8867-4");
    assert_null(names_schema_info(n, row)->columns[1].unit);
    assert_true(names_schema_info(n, ecg)->columns[0].gain == 200.5);
    assert_int_equal(names_subject(n, "later", source1), later);
    assert_int_equal(names_subject(n, "a new one", source0), 3);
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void an_end_in_a_later_epoch_has_not_happened(void **state)
{
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    names_end(t.names, t.stream, 0, 7);
    names_commit(t.names, 7);
    store(&w, t.names, 7);
    n = restore(&w);
    assert_int_equal(names_subject(n, "Ada Lovelace", looker), t.subject);
    names_commit(n, 100);
    assert_non_null(names_subject_name(n, t.subject));
    names_end(n, t.stream, 0, 200); /* the node says it again */
    names_commit(n, 201);
    assert_null(names_subject_name(n, t.subject));
    names_close(&n);
    store(&w, t.names, 8);
    n = restore(&w);
    names_commit(n, 1);
    assert_null(names_subject_name(n, t.subject));
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void ends_are_counted_by_the_epochs_of_their_own_domain(void **state)
{
    uint64_t below[2] = { 100, 3 };
    struct wire_group group = { nodes, 3, below, 2 };
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    names_end(t.names, t.stream, 0, names_when(1, 3));
    names_commit(t.names, names_when(0, 100));
    assert_non_null(names_subject_name(t.names, t.subject));
    wire_names(&w, t.names, &group);
    n = restore(&w);
    names_commit(n, names_when(0, 1000));
    names_commit(n, names_when(1, 1000));
    assert_non_null(names_subject_name(n, t.subject)); /* not ended */
    names_close(&n);
    names_commit(t.names, names_when(1, 4));
    assert_null(names_subject_name(t.names, t.subject));
    table_close(&t);
    wire_free(&w);
}

/* The next file of the same patient began before the end of the last was committed. */
static void who_took_over_a_name_is_left_out_while_the_end_has_not_happened(void **state)
{
    uint32_t second, third, stream;
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    names_end(t.names, t.stream, 0, 7);
    second = names_subject(t.names, "Ada Lovelace", source0);
    assert_int_not_equal(second, t.subject);
    stream = names_stream(t.names, second, "ecg", t.schema, source0);
    names_end(t.names, stream, 0, 8);
    third = names_subject(t.names, "Ada Lovelace", source0);
    assert_int_not_equal(third, second);
    store(&w, t.names, 7);
    n = restore(&w);
    assert_int_equal(names_subjects(n), 1);
    assert_int_equal(names_subject(n, "Ada Lovelace", source0), t.subject);
    assert_int_equal(names_subject_generation(n, t.subject), 0);
    assert_int_equal(names_subject_generation(n, second), 1); /* state of it is nobody's */
    names_close(&n);
    names_commit(t.names, 8);
    store(&w, t.names, 8);
    n = restore(&w);
    assert_int_equal(names_subject(n, "Ada Lovelace", source0), second);
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void a_record_held_over_the_end_keeps_its_subject_over_a_restart(void **state)
{
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    names_hold(t.names, t.stream);
    names_end(t.names, t.stream, 0, 3);
    names_commit(t.names, 4);
    store(&w, t.names, 4);
    names_unhold(t.names, t.stream, 5);
    n = restore(&w);
    names_hold(n, t.stream);
    names_commit(n, 50);
    assert_non_null(names_subject_name(n, t.subject));
    names_unhold(n, t.stream, 60);
    names_commit(n, 60);
    assert_non_null(names_subject_name(n, t.subject));
    names_commit(n, 61);
    assert_null(names_subject_name(n, t.subject));
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void nodes_that_are_numbered_otherwise_end_their_own_streams(void **state)
{
    static const char *const moved[] = { "clean", "new", "vitals", "ecg" };
    uint32_t subject, stream;
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    subject = names_subject(t.names, "Bea", source1);
    stream = names_stream(t.names, subject, "vitals", t.schema, source1);
    store(&w, t.names, 1);
    n = restore_as(&w, moved, 4);
    names_end(n, stream, 1, 1);
    names_end(n, t.stream, 0, 1);
    names_commit(n, 2);
    assert_int_equal(names_subjects(n), 2);
    names_end(n, stream, 2, 3);
    names_end(n, t.stream, 3, 3);
    names_commit(n, 4);
    assert_int_equal(names_subjects(n), 0);
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void what_only_a_node_wrote_that_is_gone_is_over(void **state)
{
    static const char *const fewer[] = { "vitals" };
    uint32_t subject;
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    subject = names_subject(t.names, "Bea", source1);
    store(&w, t.names, 1);
    n = restore_as(&w, fewer, 1);
    names_commit(n, 1);
    assert_null(names_subject_name(n, t.subject));
    assert_non_null(names_subject_name(n, subject)); /* it was asked for, and may be used */
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void a_subject_that_a_processor_made_ends_with_its_makers_stream(void **state)
{
    const struct names_by maker = { .node = 2 };
    uint32_t subject, stream;
    struct wire w = { 0 };
    struct names *n;
    struct table t;

    (void)state;
    table_open(&t);
    subject = names_subject(t.names, "P-1", maker);
    stream = names_stream(t.names, subject, "ecg", t.schema, maker);
    store(&w, t.names, 1);
    n = restore(&w);
    names_end(n, stream, 2, 1);
    names_commit(n, 2);
    assert_null(names_subject_name(n, subject));
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void who_came_with_stored_records_alone_goes_with_the_last_of_them(void **state)
{
    struct names *n = names_open();
    uint32_t subject, stream;

    (void)state;
    assert_non_null(n);
    subject = names_subject(n, "Ada", looker);
    stream = names_stream(n, subject, "ecg", 0, looker);
    names_hold(n, stream);
    names_hold(n, stream);
    names_unhold(n, stream, 1);
    names_commit(n, 10);
    assert_non_null(names_subject_name(n, subject));
    names_unhold(n, stream, 11);
    names_commit(n, 11);
    assert_non_null(names_subject_name(n, subject));
    names_commit(n, 12);
    assert_null(names_subject_name(n, subject));
    names_close(&n);
}

static void news_are_told_and_the_lack_of_them(void **state)
{
    struct wire w = { 0 }, again = { 0 };
    uint64_t before;
    struct table t;

    (void)state;
    table_open(&t);
    names_commit(t.names, 1);
    before = names_changes(t.names);
    store(&w, t.names, 1);
    names_subject(t.names, "Ada Lovelace", source0);
    names_stream(t.names, t.subject, "ecg", t.schema, source0);
    names_schema(t.names, &bytes_schema);
    names_commit(t.names, 2);
    names_hold(t.names, t.stream);
    before = names_changes(t.names);
    names_stream(t.names, t.subject, "ecg", t.schema, source0);
    assert_true(names_changes(t.names) == before);
    store(&again, t.names, 2);
    assert_int_equal(w.size, again.size);
    names_end(t.names, t.stream, 0, 2);
    assert_true(names_changes(t.names) > before);
    before = names_changes(t.names);
    names_commit(t.names, 3);
    assert_true(names_changes(t.names) > before);
    names_unhold(t.names, t.stream, 3);
    table_close(&t);
    wire_free(&w);
    wire_free(&again);
}

static void every_cut_of_the_table_is_refused_and_leaves_it_empty(void **state)
{
    struct names *n = names_open();
    struct wire w = { 0 };
    struct table t;
    size_t i;

    (void)state;
    table_open(&t);
    names_schema(t.names, &row_schema);
    store(&w, t.names, 1);
    for (i = 0; i < w.size; i++) {
        uint8_t *bytes = malloc(i ? i : 1);

        memcpy(bytes, w.bytes, i);
        assert_false(wire_names_read(bytes, i, n, nodes, 3));
        assert_int_equal(names_subjects(n), 0);
        assert_null(names_schema_info(n, 1));
        free(bytes);
    }
    assert_true(wire_names_read(w.bytes, w.size, n, nodes, 3));
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void use_all(struct names *n)
{
    uint32_t i;

    for (i = 0; i <= NAMES_STREAMS; i++) {
        const struct aff_stream_info *info = names_stream_info(n, i);

        if (!info)
            continue;
        assert_string_equal(info->subject_name, names_subject_name(n, info->subject));
        names_end(n, i, 0, 1);
        names_end(n, i, 1, 1);
    }
    names_commit(n, 2);
    i = names_subject(n, "fresh", source0);
    if (i)
        names_stream(n, i, "fresh", 0, source0);
}

static void mutated_tables_never_crash(void **state)
{
    struct wire w = { 0 };
    struct names *n = NULL;
    struct table t;
    uint32_t i, good = 0;
    size_t size;

    (void)state;
    table_open(&t);
    names_stream(t.names, names_subject(t.names, "Bea", source1), "b", names_schema(t.names, &row_schema), source1);
    names_schema(t.names, &ecg_schema);
    store(&w, t.names, 1);
    for (i = 0; i < MUTATIONS; i++) {
        uint8_t *bytes = mutant(&w, &size);

        if (!n)
            n = names_open();
        assert_int_equal(names_streams(n), 0); /* also after one that was refused */
        if (wire_names_read(bytes, size, n, nodes, 3)) {
            good++;
            use_all(n);
            names_close(&n);
        }
        free(wire_schema_find(bytes, size, names_schema_identity(t.names, 2)));
        free(bytes);
    }
    assert_true(good > 0);
    names_close(&n);
    table_close(&t);
    wire_free(&w);
}

static void a_schema_is_found_without_a_table_and_freed_as_one(void **state)
{
    struct wire w = { 0 };
    struct aff_schema *found;
    struct table t;
    uint32_t row;

    (void)state;
    table_open(&t);
    row = names_schema(t.names, &row_schema);
    names_schema(t.names, &ecg_schema);
    store(&w, t.names, 1);
    found = wire_schema_find(w.bytes, w.size, names_schema_identity(t.names, row));
    assert_non_null(found);
    assert_string_equal(found->name, "vitals");
    assert_int_equal(found->count, 2);
    assert_string_equal(found->columns[0].unit, "/min");
    assert_string_equal(found->columns[1].name, "note");
    assert_int_equal(found->columns[0].required, 1);
    free(found);
    assert_null(wire_schema_find(w.bytes, w.size, 12345));
    assert_null(wire_schema_find(w.bytes, 3, names_schema_identity(t.names, row)));
    table_close(&t);
    wire_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_and_texts_come_back_in_order),
        cmocka_unit_test(a_reader_that_went_wrong_gives_nothing_any_more),
        cmocka_unit_test(a_text_without_its_zero_or_with_two_is_refused),
        cmocka_unit_test(what_memory_cannot_hold_fails_and_stays_failed),
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(the_mark_of_an_end_comes_back_without_a_payload),
        cmocka_unit_test(in_another_run_the_names_make_new_integers),
        cmocka_unit_test(every_cut_of_a_record_is_refused),
        cmocka_unit_test(mutated_records_never_crash),
        cmocka_unit_test(a_payload_that_is_not_what_its_schema_says_is_refused),
        cmocka_unit_test(a_letter_comes_back_and_may_be_written_again),
        cmocka_unit_test(a_part_that_a_source_set_aside_has_no_names),
        cmocka_unit_test(cut_and_mutated_letters_never_crash),
        cmocka_unit_test(the_table_comes_back_with_the_same_integers_and_generations),
        cmocka_unit_test(an_end_in_a_later_epoch_has_not_happened),
        cmocka_unit_test(ends_are_counted_by_the_epochs_of_their_own_domain),
        cmocka_unit_test(who_took_over_a_name_is_left_out_while_the_end_has_not_happened),
        cmocka_unit_test(a_record_held_over_the_end_keeps_its_subject_over_a_restart),
        cmocka_unit_test(nodes_that_are_numbered_otherwise_end_their_own_streams),
        cmocka_unit_test(what_only_a_node_wrote_that_is_gone_is_over),
        cmocka_unit_test(a_subject_that_a_processor_made_ends_with_its_makers_stream),
        cmocka_unit_test(who_came_with_stored_records_alone_goes_with_the_last_of_them),
        cmocka_unit_test(news_are_told_and_the_lack_of_them),
        cmocka_unit_test(every_cut_of_the_table_is_refused_and_leaves_it_empty),
        cmocka_unit_test(mutated_tables_never_crash),
        cmocka_unit_test(a_schema_is_found_without_a_table_and_freed_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
