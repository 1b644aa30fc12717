/* test_names.c - the table of names as bytes, and how long names stay.
 *
 * What goes out comes back; whatever else is given is refused, and changes nothing.
 * Sources: runtime/flow/{wire,names,names_keep}.c. Not here: records (test_wire.c). */
#include "test_wire_kit.h"

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

static void what_has_a_number_is_found_where_there_is_no_room_for_more(void **state)
{
    struct names_by full = source0;
    struct table t;
    uint32_t id;

    (void)state;
    table_open(&t);
    id = names_subject(t.names, "open", source0);
    assert_true(id > 0 && names_stream(t.names, id, "x", t.schema, source0) > 0);
    full.finds_only = true;
    assert_int_equal(names_subject(t.names, "open", full), id);
    assert_int_equal(names_stream(t.names, id, "x", t.schema, full), names_stream(t.names, id, "x", t.schema, source0));
    assert_int_equal(names_subject(t.names, "one more", full), 0);
    assert_int_equal(names_stream(t.names, id, "one more", t.schema, full), 0);
    table_close(&t);
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

/* Two queues had records of it. What the reader of one passed on is still on its way when
 * the other lets go of its last. */
static void a_subject_stays_until_all_that_let_go_of_it_are_committed(void **state)
{
    struct table t;

    (void)state;
    table_open(&t);
    names_hold(t.names, t.stream);
    names_hold(t.names, t.stream);
    names_hold(t.names, t.stream);
    names_end(t.names, t.stream, 0, names_when(0, 1));
    names_commit(t.names, names_when(0, 9));
    names_unhold(t.names, t.stream, names_when(1, 5));
    names_unhold(t.names, t.stream, names_when(1, 4));
    names_unhold(t.names, t.stream, names_when(2, 3));
    names_commit(t.names, names_when(2, 4));
    assert_non_null(names_stream_info(t.names, t.stream));
    names_commit(t.names, names_when(1, 5));
    assert_non_null(names_stream_info(t.names, t.stream));
    names_commit(t.names, names_when(1, 6));
    assert_null(names_stream_info(t.names, t.stream));
    table_close(&t);
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
        cmocka_unit_test(the_table_comes_back_with_the_same_integers_and_generations),
        cmocka_unit_test(what_has_a_number_is_found_where_there_is_no_room_for_more),
        cmocka_unit_test(an_end_in_a_later_epoch_has_not_happened),
        cmocka_unit_test(ends_are_counted_by_the_epochs_of_their_own_domain),
        cmocka_unit_test(who_took_over_a_name_is_left_out_while_the_end_has_not_happened),
        cmocka_unit_test(a_record_held_over_the_end_keeps_its_subject_over_a_restart),
        cmocka_unit_test(nodes_that_are_numbered_otherwise_end_their_own_streams),
        cmocka_unit_test(what_only_a_node_wrote_that_is_gone_is_over),
        cmocka_unit_test(a_subject_that_a_processor_made_ends_with_its_makers_stream),
        cmocka_unit_test(who_came_with_stored_records_alone_goes_with_the_last_of_them),
        cmocka_unit_test(a_subject_stays_until_all_that_let_go_of_it_are_committed),
        cmocka_unit_test(news_are_told_and_the_lack_of_them),
        cmocka_unit_test(every_cut_of_the_table_is_refused_and_leaves_it_empty),
        cmocka_unit_test(mutated_tables_never_crash),
        cmocka_unit_test(a_schema_is_found_without_a_table_and_freed_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
