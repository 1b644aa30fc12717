/* test_wire.c - records and dead letters as bytes.
 *
 * What goes out comes back; whatever else is given is refused, and changes nothing.
 * Sources: runtime/flow/{wire,names,names_keep}.c. Not here: names (test_names.c). */
#include "test_wire_kit.h"

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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
