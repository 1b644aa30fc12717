/* test_snap.c - what a node keeps, as bytes and back.
 *
 * A node's parts are filled as a plugin would, written, and read into the same node
 * of a rig opened anew. Not here: what is refused (test_snap_bad.c). */
#include "test_snap_kit.h"

/* ---- what comes back ---- */

static void all_that_a_node_keeps_comes_back(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint8_t sevens[STATE_BYTES];
    char why[200] = "";
    uint32_t ada;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    ada = stream_of(&b, "Ada", "ecg");
    memset(sevens, 7, sizeof sevens);
    assert_memory_equal(state_get(b.node, ada), sevens, STATE_BYTES);
    expect_held(&b, "abc");
    assert_int_equal(hold_at(b.node, 0)->stream, ada);
    assert_int_equal(hold_at(b.node, 1)->event_ns, 100);
    assert_int_equal(hold_at(b.node, 1)->schema, b.schema);
    assert_memory_equal(hold_at(b.node, 2)->data, "c third", 7);
    assert_int_equal(b.node->ids.loose, 44);
    assert_string_equal((char *)self_of(&b)->bytes, "position");
    assert_int_equal(self_of(&b)->size, 9);
    assert_false(self_of(&b)->misaligned);
    assert_int_equal(b.node->hold.pending, 0);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_snapshot_of_what_came_back_is_the_same_again(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, second = { 0 }, later = { 0 };
    char why[200];
    size_t room;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    take(&b, &second, &later);
    assert_int_equal(second.size, snap.size);
    assert_memory_equal(second.bytes, snap.bytes, snap.size);
    room = second.room;
    take(&b, &second, &later);
    assert_int_equal(second.room, room); /* used again */
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
    wire_free(&second);
    wire_free(&later);
}

static void held_records_stand_by_age_whatever_place_they_took(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    char why[200];

    (void)state;
    bench_open(&b);
    fill(&b);
    assert_int_equal(hold_release(b.node, hold_at(b.node, 1), 2), AFF_OK);
    expect_held(&b, "ac");
    hold(&b, stream_of(&b, "Bea", "ecg"), 0, "d fourth"); /* in b's place */
    expect_held(&b, "acd");
    hold_release(b.node, hold_at(b.node, 0), 2);
    hold(&b, stream_of(&b, "Bea", "ecg"), 0, "e fifth");
    hold_release(b.node, hold_at(b.node, 1), 2);
    expect_held(&b, "ce");
    take(&b, &snap, &names);
    bench_close(&b);
    again(&b, &names);
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "ce");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void slots_that_say_nothing_are_not_written(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    size_t empty, one;
    uint32_t ada;

    (void)state;
    bench_open(&b);
    take(&b, &snap, &names);
    empty = snap.size;
    ada = stream_of(&b, "Ada", "ecg");
    *(char *)state_get(b.node, ada) = 1;
    take(&b, &snap, &names);
    one = snap.size;
    assert_int_equal(one, empty + 16 + STATE_BYTES);
    *(char *)state_get(b.node, stream_of(&b, "Bea", "ecg")) = 0;
    take(&b, &snap, &names);
    assert_int_equal(snap.size, one);
    names_end(b.flow->names, ada, 0, 1); /* and those of who has been let go */
    names_commit(b.flow->names, 2);
    take(&b, &snap, &names);
    assert_int_equal(snap.size, empty);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_timer_that_came_back_is_called_by_the_clock_of_this_boot(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    struct aff_record r = { .id = { 3, 4 }, .event_ns = 1000, .type = AFF_BYTES };
    char why[200];

    (void)state;
    bench_open(&b);
    clock_jump(&b.flow->clock, INT64_C(9000000000000));
    r.stream = stream_of(&b, "Ada", "ecg");
    r.subject = names_stream_info(b.flow->names, r.stream)->subject;
    assert_true(timers_pass(b.node, &r));
    timers_set(b.node, r.subject, 5000);
    take(&b, &snap, &names);
    bench_close(&b);
    again(&b, &names);
    clock_jump(&b.flow->clock, INT64_C(70000000000));
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    assert_true(timers_next(b.node) < INT64_C(72000000000)); /* a second of grace, from now */
    assert_true(timers_next(b.node) > INT64_C(70000000000));
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

/* The table of names was lost: what is known of one patient never goes to another. */
static void without_its_names_held_records_find_theirs_and_state_is_nobodys(void **state)
{
    static const uint8_t zeros[STATE_BYTES];
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint32_t zoe;
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    bench_open(&b);
    zoe = stream_of(&b, "Zoe", "ecg"); /* has Ada's integers */
    stream_of(&b, "Yan", "ecg");       /* and Bea's */
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "abc");
    assert_memory_equal(state_get(b.node, zoe), zeros, STATE_BYTES);
    assert_true(timers_next(b.node) == INT64_MAX);
    assert_int_equal(b.node->timers.used, 0);
    assert_string_equal(names_subject_name(b.flow->names, hold_at(b.node, 0)->subject), "Ada");
    assert_string_equal(names_stream_info(b.flow->names, hold_at(b.node, 1)->stream)->subject_name, "Bea");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

/* ---- sources ---- */

/* One that can read again by its own position is asked: there may be more by now. */
static void a_source_goes_on_counting_and_one_that_ended_is_over_unless_it_can_look(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 };
    struct aff_plugin about = part_source;
    char why[200];
    int way;

    (void)state;
    for (way = 0; way < 4; way++) {
        int ended = way & 1, over = way == 1;

        about.flags = way & 2 ? AFF_PULL | AFF_REPLAYS : AFF_PULL;
        bench_open(&b);
        b.origin->ids = (struct ids){ .source = 11, .seq = 22 };
        b.origin->has_first = true;
        b.origin->first_event_ns = -3;
        b.origin->last_event_ns = 4;
        b.origin->over = true; /* by a limit, in the first round */
        atomic_store(&b.origin->give, ended ? GIVE_ENDED : GIVE_BUSY);
        wire_clear(&snap);
        assert_int_equal(snap_write(b.origin, &snap), AFF_OK);
        bench_close(&b);
        bench_open(&b);
        b.origin->plan = &(struct plan_node){ .options_hash = 1, .plugin = b.origin->plan->plugin,
                                              .name = "source" }; /* others: it goes on all the same */
        b.origin->about = &about;
        assert_int_equal(snap_read(b.origin, snap.bytes, snap.size, why, sizeof why), AFF_OK);
        b.origin->plan = &b.rig.nodes[0];
        assert_true((b.origin->ids.source == 11 && b.origin->ids.seq == 22) == way >> 1);
        assert_true(b.origin->has_first && b.origin->first_event_ns == -3 && b.origin->last_event_ns == 4);
        assert_int_equal(b.origin->over, over);
        wire_clear(&snap);
        snap_write(b.origin, &snap);
        bench_close(&b);
        bench_open(&b);
        b.origin->about = &about;
        assert_int_equal(snap_read(b.origin, snap.bytes, snap.size, why, sizeof why), AFF_OK);
        assert_int_equal(b.origin->over, over); /* also the time after */
        bench_close(&b);
    }
    wire_free(&snap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_that_a_node_keeps_comes_back),
        cmocka_unit_test(a_snapshot_of_what_came_back_is_the_same_again),
        cmocka_unit_test(held_records_stand_by_age_whatever_place_they_took),
        cmocka_unit_test(slots_that_say_nothing_are_not_written),
        cmocka_unit_test(a_timer_that_came_back_is_called_by_the_clock_of_this_boot),
        cmocka_unit_test(without_its_names_held_records_find_theirs_and_state_is_nobodys),
        cmocka_unit_test(a_source_goes_on_counting_and_one_that_ended_is_over_unless_it_can_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
