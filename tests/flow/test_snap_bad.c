/* test_snap_bad.c - snapshots that are not for the node, cut or damaged: refused, and
 * the node is as after open.
 *
 * Not here: those that are good (test_snap.c). */
#include "test_snap_kit.h"

/* ---- what is refused ---- */

static void expect_refused(struct bench *b, const struct wire *snap, aff_status status, const char *part)
{
    char why[200] = "";

    assert_int_equal(put_back(b, snap, why, sizeof why), status);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not say \"%s\"", why, part);
    expect_fresh(b);
}

static void what_is_not_for_the_node_is_refused_and_changes_nothing(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct aff_plugin other = keeper;
    struct wire snap = { 0 }, names = { 0 };

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    b.rig.nodes[1].options_hash++;
    expect_refused(&b, &snap, AFF_ERR_DATA, "options");
    b.rig.nodes[1].options_hash--;
    other.name = "other";
    b.node->about = &other;
    expect_refused(&b, &snap, AFF_ERR_DATA, "another plugin");
    other.name = "keeper";
    other.restore = NULL;
    expect_refused(&b, &snap, AFF_ERR_DATA, "restores nothing");
    b.node->about = &keeper;
    bench_close(&b);
    b.config.state_bytes = STATE_BYTES - 1;
    again(&b, &names);
    expect_refused(&b, &snap, AFF_ERR_DATA, "another size");
    b.config.state_bytes = STATE_BYTES;
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void a_plugin_that_refuses_finds_its_node_as_after_open(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    b.config.takes = AFF_ERR_DATA;
    expect_refused(&b, &snap, AFF_ERR_DATA, "its words");
    b.config.takes = AFF_ERR_IO;
    expect_refused(&b, &snap, AFF_ERR_IO, "its words");
    b.config.takes = AFF_OK;
    assert_int_equal(put_back(&b, &snap, why, sizeof why), AFF_OK);
    expect_held(&b, "abc");
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void fewer_places_than_were_held_are_refused(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 };
    uint32_t room;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    room = b.node->hold.room;
    b.node->hold.room = 2;
    expect_refused(&b, &snap, AFF_ERR_DATA, "run.max_held");
    b.node->hold.room = room;
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void what_snapshot_says_is_handed_on(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 };

    (void)state;
    bench_open(&b);
    b.config.says = AFF_ERR_IO;
    assert_int_equal(snap_write(b.node, &snap), AFF_ERR_IO);
    b.config.says = AFF_OK;
    b.config.more = 1;
    wire_clear(&snap);
    assert_int_equal(snap_write(b.node, &snap), AFF_ERR_BUG);
    b.config.more = 0;
    self_of(&b)->size = sizeof self_of(&b)->bytes; /* above the first room */
    wire_free(&snap);
    assert_int_equal(snap_write(b.node, &snap), AFF_OK);
    assert_false(self_of(&b)->misaligned);
    bench_close(&b);
    wire_free(&snap);
}

static void every_cut_is_refused_and_changes_nothing(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, cut;

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    for (cut = snap; cut.size > 0; cut.size--) {
        if (cut.size == snap.size)
            continue;
        expect_refused(&b, &cut, AFF_ERR_DATA, "");
    }
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
}

static void mutated_snapshots_never_crash(void **state)
{
    struct bench b = { .config = { .state_bytes = STATE_BYTES } };
    struct wire snap = { 0 }, names = { 0 }, bad = { 0 };
    uint32_t i, k, good = 0;
    char why[200];

    (void)state;
    cross(&b, &snap, &names);
    again(&b, &names);
    srandom(1);
    for (i = 0; i < MUTATIONS; i++) {
        wire_clear(&bad);
        memcpy(wire_room(&bad, snap.size), snap.bytes, snap.size);
        bad.size = snap.size;
        for (k = 0; k <= i % 5; k++)
            bad.bytes[(size_t)random() % bad.size] = (uint8_t)(random() % 3 ? random() : 0xff);
        if (put_back(&b, &bad, why, sizeof why) == AFF_OK) {
            good++;
            state_reset(&b.node->state);
            timers_reset(&b.node->timers);
            hold_reset(b.node);
            names_commit(b.flow->names, 1000);
        } else {
            assert_int_equal(b.node->hold.count, 0);
        }
    }
    assert_true(good > 0);
    bench_close(&b);
    wire_free(&snap);
    wire_free(&names);
    wire_free(&bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_for_the_node_is_refused_and_changes_nothing),
        cmocka_unit_test(a_plugin_that_refuses_finds_its_node_as_after_open),
        cmocka_unit_test(fewer_places_than_were_held_are_refused),
        cmocka_unit_test(what_snapshot_says_is_handed_on),
        cmocka_unit_test(every_cut_is_refused_and_changes_nothing),
        cmocka_unit_test(mutated_snapshots_never_crash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
